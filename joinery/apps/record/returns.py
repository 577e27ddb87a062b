"""Rows of returns: what a council, a hospital or a care home reports, for measures and for capacity.

A return carries no names and makes no person. Of whom it speaks, only a pseudonym stands beside the row.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from joinery.apps.base.feeds import File
from joinery.apps.record.rows import Issue, moment_of
from joinery.apps.record.sheets import REASONS_COLUMN, ROW_COLUMN, Line, Sheet, cells_of
from joinery.calc.units import parse_nhs_number

DIGEST_BYTES = 16
_PARTED = "\x1f"  # no cell holds it
_TEN_DIGITS = re.compile(r"(\d[ -]?){10}")


@dataclass(slots=True)
class ReturnLine:
    """One row of a return, as it is kept. With `issues` it will be quarantined; `notes` are (column, rule)."""

    position: int
    body: bytes
    issues: tuple[Issue, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    key: bytes = b""
    digest: bytes = b""
    stated_at: datetime | None = None
    kind: str = ""
    subject: str = ""
    from_date: date | None = None
    to_date: date | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Leave for a job to read the rows of a return: it was logged when it was given."""

    feed: str
    at: datetime


class Pseudonyms:
    """A pseudonym for each identifier: the same in every return of a deployment, and of no use outside it."""

    def __init__(self, secret: bytes) -> None:
        key = hmac.digest(secret, b"pseudonyms of returns", "sha256")
        self.of = lru_cache(maxsize=100_000)(
            lambda text: hmac.digest(key, text.encode(), "sha256")[:DIGEST_BYTES].hex() if text else ""
        )


def lines_of(sheet: Sheet, pseudonyms: Pseudonyms) -> Iterator[ReturnLine]:
    """The rows of a return in the order of the file."""
    reader = _Reader(sheet, pseudonyms)
    for line in sheet.lines():
        if line.issues:
            yield ReturnLine(line.position, line.body, line.issues, line.notes)
        else:
            yield reader.read(line)


class _Reader:
    """Takes what is kept of a row out of its cells. What the definition says is looked up once a file."""

    def __init__(self, sheet: Sheet, pseudonyms: Pseudonyms) -> None:
        file = self.file = sheet.file
        self.pseudonyms = pseudonyms
        self.said = cells_of([c for c in sheet.columns if c not in (*file.envelope, ROW_COLUMN, REASONS_COLUMN)])
        self.key = cells_of(file.key)
        self.keys = {name: cells_of((*file.key, *kind.key)) for name, kind in file.kinds.items()}

    def read(self, line: Line) -> ReturnLine:
        file, cells = self.file, line.cells
        kind = cells[file.kind_column] if file.kind_column else file.part
        whose = [next(filter(None, map(cells.get, group)), "") for group in file.one_of]
        stated = moment_of(cells[file.stated]) if file.stated and cells[file.stated] else None
        last = cells.get(file.to_date, "")
        return ReturnLine(
            line.position,
            line.body,
            notes=line.notes,
            key=_digest((kind, *whose, *self.keys.get(kind, self.key)(cells))),
            digest=_digest(self.said(cells)),
            stated_at=stated.at if stated else None,
            kind=kind[:60],
            subject=self.pseudonyms.of(_subject(file, cells)) if file.subject else "",
            from_date=_day(cells.get(file.from_date, "")),
            to_date=_day(last),
            goes_on=bool(file.to_date) and not last,
        )


def _subject(file: File, cells: dict[str, str]) -> str:
    """Whom a row is about: by the identifier that is the same everywhere, or by one within its issuer."""
    national, *local = file.subject
    if found := _national(cells.get(national, "")):
        return found
    column = next((c for c in local if cells.get(c)), "")
    return _PARTED.join((cells.get(file.issuer, ""), column, cells[column])) if column else ""


@lru_cache(maxsize=20_000)
def _national(text: str) -> str:
    """An NHS number, or a pseudonym of one. Ten digits that are no number a person can have say nothing."""
    return parse_nhs_number(text) or ("" if _TEN_DIGITS.fullmatch(text) else text)


def _digest(cells: Iterable[str]) -> bytes:
    return hashlib.blake2b(_PARTED.join(cells).encode(), digest_size=DIGEST_BYTES).digest()


@lru_cache(maxsize=20_000)
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
