"""A council's daily extract: one CSV file a table, as `definitions/feeds/council.toml` says."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from joinery.apps.record.rows import (
    DetailsRow,
    EntryRow,
    Issue,
    Moment,
    Row,
    UnreadableFile,
    capital,
    end_of,
    moment_of,
)
from joinery.calc.units import parse_nhs_number

MOST_ROW_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileDefinition:
    """One table of the extract: its columns, its rules, and the line that a row makes."""

    part: str
    key: str
    required: tuple[str, ...]
    columns: tuple[str, ...]
    dates: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kind: str = ""
    at: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    title: str = ""
    detail: tuple[str, ...] = ()
    banner: str = ""
    restricted_when: dict[str, str] = field(default_factory=dict)


@cache
def definition() -> tuple[tuple[str, ...], dict[str, FileDefinition]]:
    """The columns common to every file, and the files by part."""
    said = tomllib.loads(files("joinery.definitions").joinpath("feeds/council.toml").read_text("utf-8"))
    made = msgspec.convert(said["file"], list[FileDefinition])
    return tuple(said["common"]), {each.part: each for each in made}


@dataclass(slots=True)
class Extract:
    """An opened file: which part it is, its header as received, and its rows."""

    part: str
    header: str
    rows: Iterator[Row]


def open_extract(path: Path) -> Extract:
    """Recognise a file by its columns. Raises UnreadableFile, saying what to do, when it cannot be."""
    raw = _raw_lines(path)
    header_line = next(raw, b"")
    _refuse_other_formats(path, header_line)
    header = _decode(path, header_line).removeprefix("\ufeff").strip("\r\n")
    names = [name.strip().strip('"').lower() for name in header.split(",")]
    part = _recognise(path, names)
    return Extract(part, header, _rows(raw, names, definition()[1][part]))


def _raw_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(MOST_ROW_BYTES + 1):
            if len(line) > MOST_ROW_BYTES:
                raise UnreadableFile(
                    f"{path.name}: a line is longer than 1 MB. Is a closing quote missing? Mend it and send again."
                )
            yield line


def _refuse_other_formats(path: Path, start: bytes) -> None:
    if not start.strip():
        raise UnreadableFile(f"{path.name} is empty. Send the file again, with its header row.")
    if start[:2] == b"PK":
        raise UnreadableFile(f"{path.name} is a workbook or a zip. Save it as CSV (UTF-8) and send that.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in start:
        raise UnreadableFile(f"{path.name} is not UTF-8 text. Save it as CSV (UTF-8) and send that.")


def _decode(path: Path, line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path.name}: the header is not UTF-8. Save it as CSV (UTF-8).") from None


def _recognise(path: Path, names: list[str]) -> str:
    common, parts = definition()
    known = max(parts.values(), key=lambda p: len(set(p.columns) & set(names)) + (p.part == path.stem.lower()))
    if known.key not in names and len(names) == 1:
        for delimiter, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in names[0]:
                raise UnreadableFile(f"{path.name}: columns are parted by {word}. Save it with commas.")
    missing = [c for c in (*known.required, *common) if c not in names]
    if known.key not in names or missing:
        raise UnreadableFile(
            f"{path.name} looks most like the {known.part} file, but lacks these columns: "
            f"{', '.join(missing or [known.key])}. Add them and send the file again."
        )
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise UnreadableFile(f"{path.name}: these columns stand twice: {', '.join(twice)}.")
    return known.part


def _rows(raw: Iterator[bytes], names: list[str], file: FileDefinition) -> Iterator[Row]:
    consumed: list[bytes] = []

    def lines() -> Iterator[str]:
        for line in raw:
            consumed.append(line)
            # An odd byte becomes a mark that the check below finds; the bytes themselves are kept.
            yield line.decode("utf-8", errors="surrogateescape")

    reader = csv.reader(lines(), strict=True)
    position = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            position += 1
            issue = Issue(f"row {position}", "csv", "", f"The row is not valid CSV: {error}. Check its quotes.")
            yield Row(position, b"".join(consumed), issues=(issue,))
            consumed.clear()
            reader = csv.reader(lines(), strict=True)
            continue
        body = b"".join(consumed)
        consumed.clear()
        if not cells:
            continue
        position += 1
        yield _row(position, body, names, cells, file)


def _row(position: int, body: bytes, names: list[str], cells: list[str], file: FileDefinition) -> Row:
    where = f"row {position}"
    if not _is_text(body):
        message = "The row is not UTF-8, or holds the character U+0000. Save the file as CSV (UTF-8)."
        return Row(position, body, issues=(Issue(where, "encoding", "", message),))
    if len(cells) != len(names):
        message = f"The row has {len(cells)} cells, the header {len(names)}. Check its commas and quotes."
        return Row(position, body, issues=(Issue(where, "columns", str(len(cells)), message),))
    row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
    issues = tuple(_issues(where, row, file))
    key = f"{file.part}/{row[file.key]}" if row[file.key] else ""
    about = f"person/{row['person_id']}"[:255] if row.get("person_id") else ""
    if issues:
        return Row(position, body, key[:300], issues, local_id=about)
    updated = moment_of(row["updated_at"])
    made = Row(position, body, key, stated_at=updated.at if updated else None, local_id=about)
    if file.part == "person":
        # A person deleted at the source says nothing of anybody any more, and stands apart from all.
        made.details = DetailsRow() if row["deleted"] == "1" else _details(row)
    elif file.kind:
        made.entry = EntryRow() if row["deleted"] == "1" else _entry(row, file)
    return made


def _is_text(body: bytes) -> bool:
    """Whether the bytes can be kept and shown as text."""
    try:
        return "\0" not in body.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _issues(where: str, row: dict[str, str], file: FileDefinition) -> Iterator[Issue]:
    def issue(column: str, rule: str, message: str) -> Issue:
        return Issue(f"{where}, {column}", rule, row.get(column, "")[:80], message)

    for column in (*file.required, "source_id", "updated_at"):
        if not row[column]:
            yield issue(column, "required", f"{column} is empty. It must be filled.")
    for column in file.dates:
        if row.get(column) and not _is_date(row[column]):
            yield issue(column, "date", f"{column} is not a date. Write it as 2026-03-31.")
    for column in (*file.moments, "updated_at"):
        if row.get(column) and not _is_moment(row[column]):
            yield issue(column, "time", f"{column} is not a date or time. Write it as 2026-03-31T14:05:00Z.")
    if row["deleted"] not in ("", "0", "1"):
        yield issue("deleted", "code", "deleted must be 0 or 1.")
    for column, allowed in file.codes.items():
        if row.get(column) and row[column] not in allowed:
            yield issue(column, "code", f"{column} must be one of: {', '.join(allowed)}.")
    for column in (file.key, "person_id"):
        if len(row.get(column, "")) > 200:
            yield issue(column, "length", f"{column} is longer than 200 characters.")


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    moment = moment_of(text)
    return moment is not None and moment.precision in ("day", "minute")


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


def _entry(row: dict[str, str], file: FileDefinition) -> EntryRow:
    def first(columns: tuple[str, ...]) -> Moment | None:
        return next((moment_of(row[c]) for c in columns if row.get(c)), None)

    until = first(file.until)
    details = filter(None, (fill(part, row) for part in file.detail))
    return EntryRow(
        moment=first(file.at),
        until_at=end_of(until),
        kind=file.kind,
        title=capital(fill(file.title, row) or file.kind)[:300],
        detail=". ".join(details),
        banner=file.banner,
        restricted=any(row.get(c) == value for c, value in file.restricted_when.items()),
    )


_slot = re.compile(r"\{([a-z_|]+)\}")


def fill(template: str, row: dict[str, str]) -> str:
    """A template with its columns filled in; empty when a column in it is. `{a|b}` takes a, or else b.

    >>> fill("Ended {end_date}", {"end_date": "2026-03-31"})
    'Ended 31 March 2026'
    """
    filled = []
    for before, columns in _parts(template):
        filled.append(before)
        if columns:
            value = next((row[c] for c in columns if row.get(c)), "")
            if not value:
                return ""
            filled.append(_shown(value))
    return "".join(filled)


@cache
def _parts(template: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A template taken apart: text, then the columns of the slot after it (none after the last)."""
    pieces = [*_slot.split(template), ""]
    return tuple(
        (text, tuple(filter(None, slot.split("|")))) for text, slot in zip(pieces[::2], pieces[1::2], strict=True)
    )


def _shown(value: str) -> str:
    if _is_date(value):
        return f"{(day := date.fromisoformat(value)).day} {day:%B %Y}"
    return {"Y": "yes", "N": "no"}.get(value, value)
