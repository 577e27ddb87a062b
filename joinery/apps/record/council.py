"""A council's daily extract: what a row of each table says of a person, or the line that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from joinery.apps.base.feeds import File
from joinery.apps.record.rows import DetailsRow, EntryRow, Issue, Moment, Row, capital, end_of, moment_of
from joinery.apps.record.sheets import Line, Sheet
from joinery.apps.record.wording import fill
from joinery.calc.units import parse_nhs_number

MOST_NAME_CHARACTERS = 300


def rows_of(sheet: Sheet) -> Iterator[Row]:
    """The rows of a table of the extract, as the timeline keeps them."""
    return (row_of(line, dict(zip(sheet.columns, line.cells, strict=False)), sheet.file) for line in sheet.lines())


def row_of(line: Line, row: dict[str, str], file: File) -> Row:
    """One row, by the names of its columns; with what is wrong with it, it will be quarantined."""
    name = f"{file.part}/{_joined([row[c] for c in file.key])}" if all(row.get(c) for c in file.key) else ""
    about = f"person/{row['person_id']}"[:255] if row.get("person_id") else ""
    issues = line.issues
    if len(name) > MOST_NAME_CHARACTERS:
        message = f"{', '.join(file.key)} are too long together. Shorten them."
        issues = (*issues, Issue(f"row {line.position}, {file.key[-1]}", "length", "", message))
    if issues:
        return Row(line.position, line.body, name[:MOST_NAME_CHARACTERS], issues, local_id=about)
    updated = moment_of(row["updated_at"])
    made = Row(line.position, line.body, name, stated_at=updated.at if updated else None, local_id=about)
    if file.part == "person":
        # A person deleted at the source says nothing of anybody any more, and stands apart from all.
        made.details = DetailsRow() if row["deleted"] == "1" else _details(row)
    elif file.part == "person_id":
        into = row["replaced_by"] if row["deleted"] != "1" else ""
        made.replaced_by = f"person/{into}"[:255] if into else ""
    elif file.kind:
        made.entry = EntryRow() if row["deleted"] == "1" else _entry(row, file)
    return made


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


def _entry(row: dict[str, str], file: File) -> EntryRow:
    over = any(row.get(column, "").casefold() in words for column, words in file.over_when.items())
    return EntryRow(
        moment=_first(row, file.at),
        until_at=end_of(_first(row, file.until)),
        kind=file.kind,
        title=capital(fill(file.title, row) or file.kind)[:300],
        detail=". ".join([part for each in file.detail if (part := fill(each, row))]),
        banner="" if over else file.banner,
        sensitivity=next((name for c, names in file.sensitive_when.items() if (name := names.get(row.get(c, "")))), ""),
    )


def _first(row: dict[str, str], columns: tuple[str, ...]) -> Moment | None:
    for column in columns:
        if text := row.get(column):
            return moment_of(text)
    return None
