"""What is wrong with the rows of a table, found a column at a time: what stands in one is mostly a few words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from joinery.apps.base.remember import MOST_CHARACTERS
from joinery.apps.record.blocks import Mask, as_mask, changed_at, is_empty, joined, numbers, repeated
from joinery.apps.record.cells import Fault, before, empty, empty_here, none_of, number_of, stray, sum_of

if TYPE_CHECKING:
    from joinery.apps.record.sheets import Sheet

MOST_REMEMBERED = 20_000
# By the number of the row in its batch: columns, and what is wrong in each.
Found = dict[int, list[tuple[str, Fault]]]


def find_faults(sheet: Sheet, cells: pa.RecordBatch) -> tuple[pa.RecordBatch, Found]:
    """What is wrong with which rows, and their cells without spaces around them."""
    found: Found = defaultdict(list)
    cells = _check_cells(sheet, cells, found)
    # By column and row.
    blank = np.array([as_mask(is_empty(column)) for column in cells.columns])
    _find_blank(sheet, cells, blank, found)
    _find_not_applicable(sheet, cells, blank, found)
    _find_contradictions(sheet, cells, blank, found)
    return cells, found


def _check_cells(sheet: Sheet, cells: pa.RecordBatch, found: Found) -> pa.RecordBatch:
    for index, column, check, seen in sheet.checked:
        strange = set(pc.unique(cells.column(index)).to_pylist()) - seen
        if not strange:
            continue
        if {*map(str.strip, strange)} != strange:
            cells = changed_at(cells, index, str.strip)
            strange = {*map(str.strip, strange)} - seen
        faulty = {value: fault for value in strange if (fault := check(value))}
        if len(seen) < MOST_REMEMBERED:
            seen.update(value for value in strange if value not in faulty and len(value) <= MOST_CHARACTERS)
        if faulty:
            values = cells.column(index)
            for number in numbers(as_mask(pc.is_in(values, value_set=pa.array(faulty, pa.string())))):
                found[number].append((column, faulty[values[number].as_py()]))
    return cells


def _find_blank(sheet: Sheet, cells: pa.RecordBatch, blank: Mask, found: Found) -> None:
    """Cells that every row must fill, and groups of which it must fill one."""
    excuses = [(cells.column(sheet.place[column]), words) for column, words in sheet.file.unless.items()]
    for column in sheet.required:
        for number in numbers(blank[sheet.place[column]]):
            if not any(excuse[number].as_py() in words for excuse, words in excuses):
                found[number].append((column, empty(column)))
    for group in sheet.file.one_of:
        for number in numbers(np.logical_and.reduce([blank[sheet.place[column]] for column in group])):
            found[number].append((group[0], none_of(group)))


def _find_not_applicable(sheet: Sheet, cells: pa.RecordBatch, blank: Mask, found: Found) -> None:
    """Columns that this kind of row must fill, and those that are filled though they say nothing of it."""
    if not sheet.rules or not len(cells):
        return
    deciding = [cells.column(index) for index in sheet.deciding] or [repeated("", len(cells))]
    kinds = joined(deciding, "\0").dictionary_encode().indices.to_numpy()
    for kind in range(kinds.max() + 1):
        these = np.flatnonzero(kinds == kind)
        must, useless = sheet.applied([column[these[0].item()].as_py() for column in cells.columns])
        for index, number in _both(must, these, blank):
            column = sheet.columns[index]
            if all(column != known for known, _ in found.get(number, ())):
                found[number].append((column, empty_here(column)))
        for index, number in _both(useless, these, ~blank):
            found[number].append((sheet.columns[index], stray(sheet.columns[index])))


def _find_contradictions(sheet: Sheet, cells: pa.RecordBatch, blank: Mask, found: Found) -> None:
    place, columns = sheet.place, cells.columns
    for first, second in sheet.file.in_order:
        if {first, second} <= place.keys():
            one, other = columns[place[first]], columns[place[second]]
            for number in numbers(as_mask(pc.less(other, one)) & ~blank[place[second]]):
                if before(other[number].as_py(), one[number].as_py()):
                    fault = Fault("order", f"{second} lies before {first}. Mend one of them.")
                    found[number].append((second, fault))
    for *parts, most in sheet.file.at_most:
        summed = [columns[place[part]] for part in parts if part in place]
        for number, limit in enumerate(map(number_of, columns[place[most]].to_pylist() if most in place else ())):
            if limit is not None and sum_of(column[number].as_py() for column in summed) > limit:
                message = f"{' and '.join(parts)} together are more than {most}. Mend one of them."
                found[number].append((parts[0], Fault("sum", message)))


def _both(columns: Sequence[int], rows: npt.NDArray[np.intp], mask: Mask) -> Iterator[tuple[int, int]]:
    """The cells of some columns and rows for which something is so, column by column."""
    for column, row in np.argwhere(mask[list(columns)][:, rows]).tolist():
        yield columns[column], rows[row].item()
