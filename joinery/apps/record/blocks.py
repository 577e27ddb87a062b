"""Rows of a table as columns of text, by Arrow: apart from their splitting, no cell costs anything by itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

if TYPE_CHECKING:
    from joinery.apps.base.tables import Table

# Made once: Arrow takes longer over a str than over two thousand cells.
_EMPTY = pa.scalar("")


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


def changed(cells: pa.RecordBatch, index: int, change: Callable[[str], str]) -> pa.RecordBatch:
    """The same with a column changed, cell by cell."""
    column = pa.array(map(change, cells.column(index).to_pylist()), pa.string())
    return cells.set_column(index, cells.schema.names[index], column)


def joined(columns: Sequence[pa.Array | str], mark: str) -> list[bytes]:
    """The cells of each row as one, with a mark between them; a word among the columns stands in every row."""
    found: list[bytes] = pc.binary_join_element_wise(*columns, mark).cast(pa.binary()).to_pylist()
    return found


def first_filled(columns: Sequence[pa.Array]) -> pa.Array:
    """For each row the first of its cells that is not empty; an empty one if they all are."""
    return reduce(lambda found, other: pc.if_else(is_empty(found), other, found), columns)


def is_empty(column: pa.Array) -> pa.Array:
    """For each row whether its cell is empty."""
    return pc.equal(column, _EMPTY)


def numbers(mask: pa.BooleanArray) -> list[int]:
    """The numbers of the rows for which something is so."""
    return pc.indices_nonzero(mask).to_pylist() if mask.true_count else []


def _one(table: pa.Table) -> pa.RecordBatch:
    found = table.to_batches()
    return found[0] if len(found) == 1 else columns_of((), table.column_names)
