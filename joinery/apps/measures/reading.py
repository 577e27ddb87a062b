"""Reading a file of figures: one row an organisation and period, one or several columns of figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from joinery.apps.base.tables import Table, UnreadableFile, day_of, open_table, plain
from joinery.calc.series import Figure, period_start

MOST_NAME_CHARACTERS, MOST_UNIT_CHARACTERS = 120, 60
# What the columns are called where nobody says, as `plain` writes them; the first that is there counts.
_ORGANISATION = (
    "organisation code", "org code", "organisation", "org", "provider code", "provider org code", "trust code",
    "icb code", "council code", "ods code", "gss code", "area code", "code",
)  # fmt: skip
_PERIOD = ("period", "month", "date", "quarter", "financial year", "year", "day", "period start", "time period")
_VALUE = ("value", "count", "number", "total", "figure")
_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][+-]?\d{1,3})?|-?\.\d+")
_WRITTEN = {
    "day": "a date, such as 2019-04-01",
    "month": "a month, such as 2019-04",
    "quarter": "a quarter, such as 2019-Q2 or 2019/20 Q1",
    "year": "a year, such as 2019",
    "financial_year": "a financial year, such as 2019/20",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A series to read: its name, and the column of its value, or those of its numerator and denominator."""

    name: str
    value: str = ""
    numerator: str = ""
    denominator: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which series a file holds and in which columns; a column that is not named is found by its usual name.

    `by` is a column that tells apart the rows of one organisation and period: what stands in it is
    added to the name of the series, or is its name where none is given.
    """

    series: tuple[Wanted, ...]
    organisation: str = ""
    period: str = ""
    by: str = ""
    step: str = "month"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A row: the figures that it gives by series, or what is wrong with it."""

    position: int
    body: str
    code: str
    start: date
    figures: Mapping[str, Figure]
    issues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the columns stand: of each series that of its value, or of its numerator and denominator."""

    organisation: int
    period: int
    by: int | None
    figures: tuple[tuple[str, tuple[int, ...]], ...]
    names: tuple[str, ...]


def open_figures(path: Path, layout: Layout, signed: bool) -> tuple[Iterator[FigureRow], str]:
    """The rows of a file, read as they are asked for, and a remark on how it was read, if there is one.

    `signed` figures may be below zero.

    Raises UnreadableFile at once for a file that is no table, or lacks a column.
    """
    table = open_table(path)
    first = table.first_rows()
    problem = "holds no header"
    for skip, cells in enumerate(first, start=1):
        names = tuple(cell.strip() for cell in cells)
        found, lacking = _places(names, layout)
        if found:
            return _rows(table, found, layout.step, skip, signed), table.note
        if skip == 1:
            problem = f"has no column for {lacking}. Its columns are: {', '.join(filter(None, names))[:300]}"
    raise UnreadableFile(f"{path.name} {problem}. Say which column it is.")


def _places(names: tuple[str, ...], layout: Layout) -> tuple[_Places | None, str]:
    """Where the columns stand in a header, or in words the first that is lacking."""
    at: dict[str, int] = {}
    for place, name in enumerate(names):
        at.setdefault(plain(name), place)

    def find(named: str, usual: tuple[str, ...] = ()) -> int | None:
        return at.get(plain(named)) if named else next((at[name] for name in usual if name in at), None)

    organisation, period, by = find(layout.organisation, _ORGANISATION), find(layout.period, _PERIOD), find(layout.by)
    if organisation is None:
        return None, f"the organisation ({layout.organisation or 'organisation code'})"
    if period is None:
        return None, f"the period ({layout.period or 'period'})"
    if layout.by and by is None:
        return None, layout.by
    figures = []
    for wanted in layout.series:
        columns = [wanted.numerator, wanted.denominator] if wanted.denominator else [wanted.value]
        usual = (plain(wanted.name), *_VALUE)
        stands = [find(column, usual) for column in columns]
        if None in stands:
            return None, columns[stands.index(None)] or "the value"
        figures.append((wanted.name, tuple(place for place in stands if place is not None)))
    return _Places(organisation, period, by, tuple(figures), names), ""


def _rows(table: Table, places: _Places, step: str, skip: int, signed: bool) -> Iterator[FigureRow]:
    width = len(places.names)
    while width and not places.names[width - 1]:
        width -= 1
    for position, body, cells, wrong in table.data(width, skip):
        body = body.rstrip("\r\n").replace("\0", "\u2400")
        if wrong:
            yield FigureRow(position, body, "", date.min, {}, (f"The row {wrong}",))
            continue
        issues: list[str] = []
        code = cells[places.organisation].strip().upper()
        if not code:
            issues.append(f"The column {places.names[places.organisation]} is empty. Give the organisation's code.")
        start = _start(cells[places.period], step)
        if start is None:
            said = cells[places.period].strip()[:40]
            issues.append(f"{said!r} is not {_WRITTEN[step]}. Mend it, or say how long the periods are.")
        figures = dict(_figures(cells, places, issues, signed))
        if not figures and not issues:
            issues.append("The row gives no figure. Fill it in, or leave out the row.")
        yield FigureRow(position, body, code, start or date.min, {} if issues else figures, tuple(issues))


def _start(text: str, step: str) -> date | None:
    return day_of(text) if step == "day" else period_start(text, step)


def _figures(cells: list[str], places: _Places, issues: list[str], signed: bool) -> Iterator[tuple[str, Figure]]:
    """The figures of a row; an empty cell gives none."""
    kind = " ".join(cells[places.by].split()) if places.by is not None else ""
    if places.by is not None and not kind:
        issues.append(f"The column {places.names[places.by]} is empty. It tells the series apart, so fill it in.")
    for series, columns in places.figures:
        said = {places.names[column]: cells[column].strip() for column in columns}
        if not any(said.values()):
            continue
        name = ", ".join(filter(None, (series, kind)))
        if len(name) > MOST_NAME_CHARACTERS:
            issues.append(f"The name {name[:40]!r}... is longer than {MOST_NAME_CHARACTERS} characters. Shorten it.")
        yield name, Figure(*(_number(text, column, issues, signed) for column, text in said.items()))


def _number(text: str, column: str, issues: list[str], signed: bool) -> float:
    value = float(text.replace(",", "")) if text.isascii() and _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        issues.append(f"{column}: {text[:40]!r} is not a number. Leave the cell empty where none is known.")
        return 0.0
    if value < 0 and not signed:
        issues.append(f"{column}: {text[:40]} is below zero, and counts are not. Leave it empty if it is not known.")
    return value
