"""An analyst's CSV file as a table of texts, by our names of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from joinery.apps.base.tables import Table, UnreadableFile, open_table
from joinery.site.commands import Problem
from joinery.site.commands.link.columns import ORDERS, Columns

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[ T].*)?")
_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-_ ]?([A-Za-z]{3,9})[-_ ,]*(\d{4})(?:[ :].*)?")
_TOGETHER = re.compile(r"(\d{8})\.0")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Of a column that holds more texts than this which mean nothing to us, the analyst is told.
MOST_NOT_UNDERSTOOD = 0.2


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose header was read."""

    path: Path
    table: Table
    header: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read: a text for each record and field, and the analyst's own ids of the records."""

    path: Path
    texts: dict[str, list[str]]
    ids: list[str]
    records: int


def open_file(path: Path) -> Opened:
    """Open a file and read its header. Raises Problem, saying what to do, when it is no table."""
    if not path.is_file():
        raise Problem(f"There is no file {path}.")
    try:
        table = open_table(path)
        header = next((cells for _, cells, _ in table.records()), [])
    except (UnreadableFile, OSError) as problem:
        raise Problem(str(problem)) from None
    header = [cell.strip() for cell in header]
    twice = sorted({cell for cell in header if cell and header.count(cell) > 1})
    if twice:
        raise Problem(f"{path.name}: the header has {', '.join(twice)} twice. Give each column a name of its own.")
    return Opened(path, table, header)


def read(opened: Opened, columns: Columns) -> Sheet:
    """Every record. Raises Problem for a row that cannot be read, or when there is none."""
    places = {name: [opened.header.index(each) for each in given] for name, given in columns.fields.items()}
    texts: dict[str, list[str]] = {name: [] for name in places}
    ids: list[str] = []
    ours = [(texts[name], given[0] if len(given) == 1 else None, given) for name, given in places.items()]
    id_place = opened.header.index(columns.id) if columns.id else None
    records = 0
    try:
        for row, _, cells, wrong in opened.table.data(len(opened.header), skip=1):
            if wrong:
                raise Problem(f"{opened.path.name}: row {row} {wrong}")
            records = row
            for said, one, several in ours:
                said.append(cells[one].strip() if one is not None else _joined(cells, several))
            ids.append(cells[id_place] if id_place is not None else "")
    except (UnreadableFile, OSError) as problem:
        raise Problem(str(problem)) from None
    if not records:
        raise Problem(f"{opened.path.name} has a header and no rows. Get the file again.")
    return Sheet(opened.path, texts, ids, records)


def _joined(cells: list[str], places: list[int]) -> str:
    return " ".join(filter(None, (cells[place].strip() for place in places)))


def compared(sheet: Sheet, columns: Columns) -> tuple[pa.Table, list[str]]:
    """The records as what they are compared by, and what the analyst should know of how they were read."""
    import pyarrow as pa

    from joinery.calc.linkage import fields

    notes: list[str] = []
    texts = dict(sheet.texts)
    if "birth_date" in texts:
        texts["birth_date"], note = _dates(texts["birth_date"], columns.dates)
        notes += [f"{sheet.path.name}: {note}"] if note else []
    said = pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()})
    made = fields.columns(said)
    if not made.num_columns:
        raise Problem(f"{sheet.path.name}: its rows say nothing that can be compared. Are these the right columns?")
    for name, values in texts.items():
        given = sum(1 for text in values if text)
        understood = len(made[name]) - made[name].null_count if name in made.column_names else 0
        if given - understood > MOST_NOT_UNDERSTOOD * given:
            example = next(text for text, kept in zip(values, _kept(made, name), strict=True) if text and kept is None)
            share = f"{given - understood:,} of {given:,}"
            column = " and ".join(columns.fields[name])
            notes.append(f"{sheet.path.name}: {share} texts in {column} count as not said, such as {example!r}.")
    return made, notes


def _kept(made: pa.Table, name: str) -> list[str | None]:
    return list(made[name].to_pylist()) if name in made.column_names else [None] * made.num_rows


def _dates(texts: list[str], order: str) -> tuple[list[str], str]:
    """Dates with the year first where their form is known, and how they were read when that was a guess."""
    distinct = set(texts)
    note = ""
    if not order:
        order, note = _found_order(distinct)
    iso = {text: year_first(text, order) for text in distinct}
    return [iso[text] for text in texts], note


def _found_order(texts: Iterable[str]) -> tuple[str, str]:
    """Whether 03/04/1950 is 3 April or 4 March: what most of the dates say that allow one only."""
    first, second, seen = 0, 0, False
    for text in texts:
        if found := _NUMBERS.fullmatch(text):
            seen = True
            first += int(found[1]) > 12
            second += int(found[2]) > 12
    if not seen:
        return "ymd", ""
    if first == second:
        return "dmy", "dates were read with the day first, which none of them shows. If not, write dates: mdy"
    order = "dmy" if first > second else "mdy"
    return order, f"dates were read with the {ORDERS[order]}." if order == "mdy" else ""


def year_first(text: str, order: str) -> str:
    """A date as YYYY-MM-DD when it has one of the usual forms, otherwise as it is.

    >>> year_first("2/21/1950", "mdy"), year_first("21FEB1950", "dmy"), year_first("1950", "dmy")
    ('1950-02-21', '1950-02-21', '1950')
    """
    if found := _NUMBERS.fullmatch(text):
        day, month = (found[2], found[1]) if order == "mdy" else (found[1], found[2])
        return f"{found[3]}-{month:0>2}-{day:0>2}"
    if (found := _MONTH.fullmatch(text)) and found[2][:3].lower() in _MONTHS:
        return f"{found[3]}-{_MONTHS.index(found[2][:3].lower()) + 1:02d}-{found[1]:0>2}"
    found = _TOGETHER.fullmatch(text)
    return found[1] if found else text
