"""A council's daily extract: what a row of each table says of a person, or the line that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from heapq import merge
from itertools import repeat
from operator import attrgetter
from typing import TypeVar

import pyarrow as pa

from joinery.apps.base.feeds import CareRule, File
from joinery.apps.base.remember import remember
from joinery.apps.record.blocks import each, first_filled, joined, joined_filled, repeated, where
from joinery.apps.record.care import care_of, care_rules, says_of
from joinery.apps.record.rows import CareRow, DetailsRow, EntryRow, Issue, Row, capital, end_of, moment_of
from joinery.apps.record.sheets import Batch, Line, Sheet
from joinery.apps.record.wording import fill_each
from joinery.calc.units import parse_nhs_number

MOST_NAME_CHARACTERS = 300
_PARTED = "\0"  # no cell holds it: a row with one is quarantined
T = TypeVar("T")
# Takes out the cells of a column; of one that the table does not have, they are empty.
Column = Callable[[str], pa.Array]


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
    issues = (*line.issues, *_too_long(line.position, name, sheet.file))
    return Row(line.position, line.body, name[:MOST_NAME_CHARACTERS], issues, local_id=_about(row.get("person_id", "")))


def _taken(sheet: Sheet, batch: Batch) -> list[Row]:
    """The rows that can be taken, a column at a time."""
    file, count = sheet.file, len(batch.bodies)
    empty = repeated("", count)

    def column(name: str) -> pa.Array:
        return batch.cells.column(sheet.place[name]) if name in sheet.place else empty

    stated = each(column("updated_at"), _stated)
    gone = where(column("deleted"), "1")
    rule = care_rules("council").get(file.part)
    rows = [
        Row(position, body, key, (), at, None, about, into, b"", details, entry, None, care)
        for position, body, key, at, about, into, details, entry, care in zip(
            batch.positions,
            batch.bodies,
            [f"{file.part}/{_joined(key)}" for key in _rows(map(column, file.key))],
            stated,
            each(column("person_id"), _about),
            _merged(column, gone) if file.part == "person_id" else repeat(None, count),
            _people(sheet.columns, column, gone) if file.part == "person" else repeat(None, count),
            _entries(file, column, count, gone) if file.kind else repeat(None, count),
            _cares(rule, column, stated) if rule else repeat(None, count),
            strict=True,
        )
    ]
    for row in rows:
        if len(row.key) > MOST_NAME_CHARACTERS:
            row.issues = _too_long(row.position, row.key, file)
            row.key = row.key[:MOST_NAME_CHARACTERS]
    return rows


def _merged(column: Column, gone: Sequence[int]) -> list[str]:
    """Under which local id each row's person is known from now on."""
    return _without(each(column("replaced_by"), _about), gone, "")


def _people(columns: Sequence[str], column: Column, gone: Sequence[int]) -> list[DetailsRow]:
    """What each row says of a person."""
    people = [_details(dict(zip(columns, cells, strict=True))) for cells in _rows(map(column, columns))]
    # A person deleted at the source says nothing of anybody any more, and stands apart from all.
    return _without(people, gone, DetailsRow())


def _without(rows: Iterable[T], gone: Sequence[int], nothing: T) -> list[T]:
    found = list(rows)
    for number in gone:
        found[number] = nothing
    return found


def _rows(columns: Iterable[pa.Array]) -> Iterator[tuple[str, ...]]:
    return zip(*(column.to_pylist() for column in columns), strict=True)


def _stated(text: str) -> datetime | None:
    moment = moment_of(text)
    return moment.at if moment else None


@remember(4096)  # the rows of a file share few days
def _ended(text: str) -> datetime | None:
    return end_of(moment_of(text))


def _about(person: str) -> str:
    """The local id of a person; none of nobody."""
    return f"person/{person}"[:255] if person else ""


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


def _cares(rule: CareRule, column: Column, stated: Sequence[datetime | None]) -> Iterator[CareRow]:
    """What each row says of care."""

    def texts(*names: str) -> list[str]:
        found: list[str] = first_filled(map(column, filter(None, names)), len(stated)).to_pylist()
        return found

    def says(words: str) -> str:
        return says_of(rule, dict(zip(rule.words, words.split(_PARTED), strict=True)))

    words = each(joined(map(column, rule.words), _PARTED), says)
    return map(care_of, words, texts(*rule.start), texts(*rule.end), texts(rule.provider), stated)


def _entries(file: File, column: Column, count: int, gone: Sequence[int]) -> list[EntryRow]:
    """The line that each row makes."""
    details = [fill_each(template, column, count) for template in file.detail]
    over, sensitivities = [False] * count, [""] * count
    for name, words in file.over_when.items():
        cells = each(column(name), str.casefold)
        over = [already or cell in words for already, cell in zip(over, cells, strict=True)]
    for name, names in file.sensitive_when.items():
        cells = column(name).to_pylist()
        sensitivities = [already or names.get(cell, "") for already, cell in zip(sensitivities, cells, strict=True)]
    entries = map(
        EntryRow,
        each(first_filled(map(column, file.at), count), moment_of),
        each(first_filled(map(column, file.until), count), _ended),
        repeat(file.kind),
        each(fill_each(file.title, column, count), lambda title: capital(title or file.kind)[:300]),
        joined_filled(details, ". ", count),
        ["" if ended else file.banner for ended in over],
        sensitivities,
    )
    return _without(entries, gone, EntryRow())
