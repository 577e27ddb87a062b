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
from operator import itemgetter
from typing import NamedTuple

from joinery.apps.base.feeds import File
from joinery.apps.base.remember import remember
from joinery.apps.record.rows import Issue, moment_of
from joinery.apps.record.sheets import REASONS_COLUMN, ROW_COLUMN, Line, Sheet
from joinery.calc.units import parse_nhs_number

DIGEST_BYTES = 16
_PARTED = "\0"  # no cell holds it: a row with one is quarantined
_TEN_DIGITS = re.compile(r"(\d[ -]?){10}")


class ReturnLine(NamedTuple):
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
        self._key = hmac.digest(secret, b"pseudonyms of returns", "sha256")

    def of(self, text: str) -> str:
        """The pseudonym of an identifier; of nothing, nothing."""
        return hmac.digest(self._key, text.encode(), "sha256")[:DIGEST_BYTES].hex() if text else ""


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
        self.said = sheet.cells_of(c for c in sheet.columns if c not in (*file.envelope, ROW_COLUMN, REASONS_COLUMN))
        self.key = sheet.cells_of(file.key)
        self.keys = {name: sheet.cells_of((*file.key, *kind.key)) for name, kind in file.kinds.items()}
        self.one_of = [sheet.cells_of(group) for group in file.one_of]
        single = (file.kind_column, file.stated, file.from_date, file.to_date)
        # A column that the table does not have is empty, and stands behind its last one.
        self.single = itemgetter(*(sheet.columns.index(c) if c in sheet.columns else -1 for c in single))
        self.whose = sheet.cells_of((*file.subject[:1], file.issuer, *file.subject[1:]))
        self.pseudonyms = pseudonyms
        # Whose the last row was, and their pseudonym: the events of a person stand together in most files.
        self.last: tuple[tuple[str, ...], str] = ((), "")

    def read(self, line: Line) -> ReturnLine:
        cells = line.cells
        kind, stated, first, last = self.single((*cells, ""))
        kind = kind or self.file.part
        known = self.keys.get(kind, self.key)(cells)
        for group in self.one_of:
            known = (*known, next(filter(None, group(cells)), ""))
        moment = moment_of(stated) if stated else None
        return ReturnLine(
            line.position,
            line.body,
            (),
            line.notes,
            _digest((kind, *known)),
            _digest(self.said(cells)),
            moment.at if moment else None,
            kind[:60],
            self.subject(self.whose(cells)),
            _day(first),
            _day(last),
            bool(self.file.to_date) and not last,
        )

    def subject(self, whose: tuple[str, ...]) -> str:
        """The pseudonym of the person a row is about, if it is about one."""
        if whose != self.last[0]:
            self.last = (whose, self.pseudonyms.of(_subject(self.file, *whose)))
        return self.last[1]


def _subject(file: File, national: str, issuer: str = "", *local: str) -> str:
    """Whom a row is about: by the identifier that is the same everywhere, or by one within its issuer."""
    if found := _national(national):
        return found
    named = zip(file.subject[1:], local, strict=True)
    return next((_PARTED.join((issuer, column, cell)) for column, cell in named if cell), "")


def _national(text: str) -> str:
    """An NHS number, or a pseudonym of one. Ten digits that are no number a person can have say nothing."""
    return parse_nhs_number(text) or ("" if _TEN_DIGITS.fullmatch(text) else text)


def _digest(cells: Iterable[str]) -> bytes:
    return hashlib.blake2b(_PARTED.join(cells).encode(), digest_size=DIGEST_BYTES).digest()


@remember(20_000)
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None
