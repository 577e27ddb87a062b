"""Rows of a table as columns of text, by Arrow: apart from their splitting, no cell costs anything by itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

if TYPE_CHECKING:
    from joinery.apps.base.tables import Table

Mask = npt.NDArray[np.bool_]
R = TypeVar("R")


def split(lines: Sequence[bytes], columns: Sequence[str], table: Table) -> tuple[pa.RecordBatch, list[int]]:
    """The cells of plain records, and the numbers of those that have one for every column."""
    data = b"".join(lines)
    if table.codec != "utf-8":
        data = data.decode(table.codec).encode()
    if not data:
        return columns_of((), columns), []
    misfits: list[int] = []

    def skip(row: csv.InvalidRow) -> str:
        misfits.append(row.number - 1)
        return "skip"

    found = csv.read_csv(
        io.BytesIO(data),
        csv.ReadOptions(column_names=list(columns), use_threads=False, block_size=len(data) + 1),
        csv.ParseOptions(delimiter=table.delimiter, ignore_empty_lines=False, invalid_row_handler=skip),
        csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False),
    )
    assert found.num_rows + len(misfits) == len(lines), "a plain record is a line"
    return _one(found), sorted(set(range(len(lines))).difference(misfits)) if misfits else list(range(len(lines)))


def columns_of(rows: Iterable[Sequence[str]], columns: Sequence[str]) -> pa.RecordBatch:
    """Rows as columns of text."""
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.RecordBatch.from_arrays([pa.array(each, pa.string()) for each in cells], names=list(columns))


def put_together(parts: Sequence[pa.RecordBatch], order: Sequence[int]) -> pa.RecordBatch:
    """The rows of all parts in an order, or some of them."""
    return _one(pa.Table.from_batches(parts).take(pa.array(order, pa.int64())).combine_chunks())


def each(column: pa.Array, work: Callable[[str], R]) -> list[R]:
    """What each cell comes to; worked out once for those that are the same."""
    coded = column.dictionary_encode(null_encoding="encode")
    known = list(map(work, coded.dictionary.to_pylist()))
    return [known[code] for code in coded.indices.to_numpy().tolist()]


def changed(column: pa.Array, change: Callable[[str], str | None]) -> pa.Array:
    """A column with each cell changed."""
    coded = column.dictionary_encode()
    return pa.array(map(change, coded.dictionary.to_pylist()), pa.string()).take(coded.indices)


def changed_at(cells: pa.RecordBatch, index: int, change: Callable[[str], str]) -> pa.RecordBatch:
    """The same with a column changed."""
    return cells.set_column(index, cells.schema.names[index], changed(cells.column(index), change))


@lru_cache(maxsize=200)
def word(text: str) -> pa.StringScalar:
    """A word as Arrow keeps it, made once: Arrow takes longer over that than over two thousand cells."""
    return pa.scalar(text, pa.string())


def repeated(cell: str, count: int) -> pa.Array:
    """A column of the same cell."""
    return pa.repeat(word(cell), count)


def joined(columns: Iterable[pa.Array | pa.StringScalar], mark: str) -> pa.Array:
    """The cells of each row as one, with a mark between them, or nothing if one of them is nothing; a word among the
    columns stands in every row."""
    return pc.binary_join_element_wise(*columns, word(mark))


def joined_filled(columns: Iterable[pa.Array], mark: str, count: int) -> list[str]:
    """Those cells of each of `count` rows that are there as one, with a mark between them."""
    # Arrow leaves out a row that has no cell at all: so each begins with an empty one, and a mark.
    cells = (repeated("", count), *columns)
    found = pc.binary_join_element_wise(*cells, word(mark), null_handling="skip").to_pylist()
    return [text[len(mark) :] for text in found]


def as_bytes(column: pa.Array) -> list[bytes]:
    """The cells of a column as UTF-8."""
    found: list[bytes] = column.cast(pa.binary()).to_pylist()
    return found


def first_filled(columns: Iterable[pa.Array], count: int) -> pa.Array:
    """For each of `count` rows the first of its cells that is not empty; an empty one if they all are."""
    cells = list(columns) or [repeated("", count)]
    return reduce(lambda found, other: pc.if_else(is_empty(found), other, found), cells)


def replaced(column: pa.Array, deciding: pa.Array, cell: str, other: pa.Array) -> pa.Array:
    """A column, with what stands in another one where the one that is deciding holds a cell."""
    return pc.if_else(pc.equal(deciding, word(cell)), other, column)


def is_empty(column: pa.Array) -> pa.Array:
    """For each row whether its cell is empty."""
    return pc.equal(column, word(""))


def where(column: pa.Array, cell: str) -> list[int]:
    """The numbers of the rows that hold a cell."""
    return numbers(as_mask(pc.equal(column, word(cell))))


def numbers(mask: Mask) -> list[int]:
    """The numbers of the rows for which something is so."""
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def as_mask(said: pa.BooleanArray) -> Mask:
    """Whether something is so, row by row."""
    mask: Mask = said.to_numpy(zero_copy_only=False)
    return mask


def _one(table: pa.Table) -> pa.RecordBatch:
    found = table.to_batches()
    return found[0] if len(found) == 1 else columns_of((), table.column_names)
