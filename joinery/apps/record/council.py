"""A council's daily extract: what a row of each table says of a person, or the line that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from heapq import merge
from itertools import repeat
from operator import attrgetter

from joinery.apps.base.feeds import CareRule, File
from joinery.apps.base.remember import each
from joinery.apps.record.care import care_rules, care_said
from joinery.apps.record.rows import CareRow, DetailsRow, EntryRow, Issue, Row, capital, end_of, moment_of
from joinery.apps.record.sheets import Batch, Line, Sheet
from joinery.apps.record.wording import fill_each
from joinery.calc.units import parse_nhs_number

MOST_NAME_CHARACTERS = 300
# Takes out the cells of a column; of one that the table does not have, they are empty.
Column = Callable[[str], Sequence[str]]


def batches_of(sheet: Sheet) -> Iterator[list[Row]]:
    """The rows of a table of the extract as the timeline keeps them: in the order of the file, some at a time."""
    for batch in sheet.batches():
        taken = _taken(sheet, batch)
        refused = [_refused(sheet, line) for line in batch.refused]
        yield list(merge(taken, refused, key=attrgetter("position"))) if refused else taken


def _refused(sheet: Sheet, line: Line) -> Row:
    """A row that will be quarantined, and what it seems to be about."""
    row, key = dict(zip(sheet.columns, line.cells, strict=False)), sheet.file.key
    name = f"{sheet.file.part}/{_joined([row[c] for c in key])}" if all(row.get(c) for c in key) else ""
    about = f"person/{row['person_id']}"[:255] if row.get("person_id") else ""
    issues = (*line.issues, *_too_long(line.position, name, sheet.file))
    return Row(line.position, line.body, name[:MOST_NAME_CHARACTERS], issues, local_id=about)


def _taken(sheet: Sheet, batch: Batch) -> list[Row]:
    """The rows that can be taken, a column at a time."""
    file = sheet.file

    def column(name: str) -> Sequence[str]:
        found: list[str] = batch.cells.column(sheet.place[name]).to_pylist() if name in sheet.place else empty
        return found

    empty = [""] * len(batch.bodies)
    keys = column(file.key[0]) if len(file.key) == 1 else map(_joined, zip(*map(column, file.key), strict=True))
    rows = [
        Row(position, body, f"{file.part}/{key}", (), moment.at if moment else None, None, about)
        for position, body, key, moment, about in zip(
            batch.positions,
            batch.bodies,
            keys,
            each(moment_of, column("updated_at")),
            [f"person/{whose}"[:255] if whose else "" for whose in column("person_id")],
            strict=True,
        )
    ]
    gone = [deleted == "1" for deleted in column("deleted")]
    if file.part == "person":
        cells = zip(*map(column, sheet.columns), strict=True)
        for row, said, deleted in zip(rows, cells, gone, strict=True):
            # A person deleted at the source says nothing of anybody any more, and stands apart from all.
            row.details = DetailsRow() if deleted else _details(dict(zip(sheet.columns, said, strict=True)))
    elif file.part == "person_id":
        for row, into, deleted in zip(rows, column("replaced_by"), gone, strict=True):
            row.replaced_by = f"person/{into}"[:255] if into and not deleted else ""
    elif file.kind:
        for row, entry, deleted in zip(rows, _entries(file, column, len(rows)), gone, strict=True):
            row.entry = EntryRow() if deleted else entry
    if rule := care_rules("council").get(file.part):
        for row, care in zip(rows, _cares(rule, column, [row.stated_at for row in rows]), strict=True):
            row.care = care
    for row in rows:
        if len(row.key) > MOST_NAME_CHARACTERS:
            row.issues = _too_long(row.position, row.key, file)
            row.key = row.key[:MOST_NAME_CHARACTERS]
    return rows


def _too_long(position: int, name: str, file: File) -> tuple[Issue, ...]:
    if len(name) <= MOST_NAME_CHARACTERS:
        return ()
    message = f"{', '.join(file.key)} are too long together. Shorten them."
    return (Issue(f"row {position}, {file.key[-1]}", "length", "", message),)


def _joined(parts: Sequence[str]) -> str:
    """The parts of a key as one, and never as another: of several, a slash within one is written otherwise."""
    return parts[0] if len(parts) == 1 else "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def _details(row: dict[str, str]) -> DetailsRow:
    def day(column: str) -> date | None:
        return date.fromisoformat(row[column]) if row.get(column) else None

    lines = (row.get(c, "") for c in ("address_1", "address_2", "address_3", "address_4", "postcode"))
    return DetailsRow(
        nhs_number=parse_nhs_number(row.get("nhs_number", "")) or "",
        nhs_number_status=row.get("nhs_status", ""),
        family_name=row["family_name"][:200],
        given_name=row["given_names"][:200],
        preferred_name=row.get("preferred_name", "")[:200],
        # An estimated date is nobody's date of birth: it must neither link nor part two records.
        birth_date=None if row.get("birth_date_estimated") in ("1", "Y") else day("birth_date"),
        death_date=day("death_date"),
        dead=bool(row.get("death_date")),
        gender=row.get("gender", "")[:20],
        address=tuple(line for line in lines if line),
        restricted=row.get("restricted") == "1",
    )


def _cares(rule: CareRule, column: Column, stated: Sequence[datetime | None]) -> list[CareRow]:
    """What each row says of care; those that say the same are read once."""
    names = rule.columns
    cells = zip(*map(column, names), stated if rule.over_when else [None] * len(stated), strict=True)
    return each(lambda said: care_said(rule, dict(zip(names, said[:-1], strict=True)), said[-1]), list(cells))


def _entries(file: File, column: Column, count: int) -> Iterator[EntryRow]:
    """The line that each row makes."""
    titles = fill_each(file.title, column, count)
    details = [fill_each(template, column, count) for template in file.detail]
    over, sensitivities = [False] * count, [""] * count
    for name, words in file.over_when.items():
        over = [already or cell.casefold() in words for already, cell in zip(over, column(name), strict=True)]
    for name, names in file.sensitive_when.items():
        cells = zip(sensitivities, column(name), strict=True)
        sensitivities = [already or names.get(cell, "") for already, cell in cells]
    return map(
        EntryRow,
        each(moment_of, _first_filled(file.at, column, count)),
        each(lambda text: end_of(moment_of(text)), _first_filled(file.until, column, count)),
        repeat(file.kind),
        each(lambda title: capital(title or file.kind)[:300], titles),
        [". ".join(filter(None, parts)) for parts in zip(*details, strict=True)] if details else repeat(""),
        ["" if ended else file.banner for ended in over],
        sensitivities,
    )


def _first_filled(names: Sequence[str], column: Column, count: int) -> list[str]:
    """For each row the first of its cells in some columns that is not empty."""
    found = [""] * count
    for name in names:
        found = [first or cell for first, cell in zip(found, column(name), strict=True)]
    return found
