"""Rows of returns: what a council, a hospital or a care home reports, for measures and for capacity.

A return carries no names and makes no person. Of whom it speaks, only a pseudonym stands beside the row.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from heapq import merge
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from joinery.apps.base.feeds import File
from joinery.apps.base.remember import remember
from joinery.apps.record.cells import nhs_number_of
from joinery.apps.record.rows import Issue, moment_of
from joinery.apps.record.sheets import REASONS_COLUMN, ROW_COLUMN, Batch, Sheet

if TYPE_CHECKING:
    import pyarrow

DIGEST_BYTES = 16
_PARTED = "\0"  # no cell holds it: a row with one is quarantined
# Takes out the cells of a column; of one that the table does not have, they are empty.
Column = Callable[[str], "pyarrow.Array"]
# What stands where there is no number, such as NULL; or where a spreadsheet wrote 9.99E+09 instead.
_NOBODY = re.compile(r"\W*|null|none|nil|n/?a|unknown|not (known|recorded|provided)|\d(\.\d+)?e\+\d+", re.IGNORECASE)
_TEN_DIGITS = re.compile(r"(\d[ -]?){10}")


class ReturnLine(NamedTuple):
    """One row of a return, as it is kept. With `issues` it will be quarantined; `notes` are (column, rule).

    Days are text, as ISO writes them: they are kept, and nothing is reckoned with them here.
    """

    position: int
    body: bytes
    issues: tuple[Issue, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    key: bytes = b""
    digest: bytes = b""
    stated_at: datetime | None = None
    kind: str = ""
    subject: str = ""
    from_date: str | None = None
    to_date: str | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Leave for a job to read the rows of a return: it was logged when it was given.

    Of people with an NHS number only those of whom it is `allowed`; None where the purpose does not ask.
    """

    feed: str
    at: datetime
    allowed: frozenset[str] | None = None


class Pseudonyms:
    """A pseudonym for each identifier: the same in every return of a deployment, and of no use outside it."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"pseudonyms of returns", "sha256")

    def of(self, text: str) -> str:
        """The pseudonym of an identifier; of nothing, nothing."""
        return hmac.digest(self._key, text.encode(), "sha256")[:DIGEST_BYTES].hex() if text else ""


def batches_of(sheet: Sheet, pseudonyms: Pseudonyms) -> Iterator[list[ReturnLine]]:
    """The rows of a return in the order of the file, some at a time."""
    reader = _Reader(sheet, pseudonyms)
    for batch in sheet.batches():
        taken = reader.read(batch)
        refused = [ReturnLine(line.position, line.body, line.issues, line.notes) for line in batch.refused]
        yield list(merge(taken, refused, key=itemgetter(0)) if refused else taken)


class _Reader:
    """Takes what is kept of rows out of their cells, a column at a time."""

    def __init__(self, sheet: Sheet, pseudonyms: Pseudonyms) -> None:
        self.file, self.place, self.pseudonyms = sheet.file, sheet.place, pseudonyms
        around = (*self.file.envelope, ROW_COLUMN, REASONS_COLUMN)
        self.said = [place for place, column in enumerate(sheet.columns) if column not in around]

    def read(self, batch: Batch) -> Iterator[ReturnLine]:
        """What is kept of the rows that can be taken."""
        from joinery.apps.record.blocks import each, first_filled, joined, repeated

        file, count = self.file, len(batch.cells)
        empty = repeated("", count)

        def column(name: str) -> pyarrow.Array:
            return batch.cells.column(self.place[name]) if name in self.place else empty

        kinds = first_filled([column(file.kind_column), repeated(file.part, count)], count)
        rows = zip(
            batch.positions,
            batch.bodies,
            repeat(()),
            batch.notes,
            _digests(self.keys(column, kinds)),
            _digests(joined([batch.cells.column(place) for place in self.said], _PARTED)),
            each(column(file.stated), _moment),
            each(kinds, lambda kind: kind[:60]),
            self.subjects(column),
            each(column(file.from_date), _day),
            each(column(file.to_date), _day),
            each(column(file.to_date), lambda end: bool(file.to_date) and not end),
        )
        return map(ReturnLine._make, rows)

    def keys(self, column: Column, kinds: pyarrow.Array) -> pyarrow.Array:
        """For each row what tells it from every other."""
        from joinery.apps.record.blocks import first_filled, joined, replaced

        file = self.file
        either = [first_filled(map(column, group), len(kinds)) for group in file.one_of]

        def key(*own: str) -> pyarrow.Array:
            return joined([kinds, *(column(c) for c in (*file.key, *own) if c in self.place), *either], _PARTED)

        keys = key()
        for name, kind in file.kinds.items():
            keys = replaced(keys, kinds, name, key(*kind.key))
        return keys

    def subjects(self, column: Column) -> Iterable[str]:
        """The pseudonyms of the persons that rows are about, as far as they are about one."""
        from joinery.apps.record.blocks import each, joined

        file = self.file
        if not file.subject:
            return repeat("")
        whose = joined(map(column, (*file.subject[:1], file.issuer, *file.subject[1:])), _PARTED)
        return each(whose, lambda cells: self.pseudonyms.of(_subject(file, *cells.split(_PARTED))))


def _subject(file: File, national: str, issuer: str = "", *local: str) -> str:
    """Whom a row is about: by the identifier that is the same everywhere, or by one within its issuer."""
    if found := _national(national):
        return found
    named = zip(file.subject[1:], local, strict=True)
    return next((_PARTED.join((issuer, column, cell)) for column, cell in named if not _NOBODY.fullmatch(cell)), "")


def _national(text: str) -> str:
    """An NHS number, or a pseudonym of one. Ten digits that are no number a person can have say nothing."""
    return nhs_number_of(text) or ("" if _TEN_DIGITS.fullmatch(text) or _NOBODY.fullmatch(text) else text)


def _digests(texts: pyarrow.Array) -> list[bytes]:
    from joinery.apps.record.blocks import as_bytes

    return [hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest() for text in as_bytes(texts)]


def _moment(text: str) -> datetime | None:
    moment = moment_of(text) if text else None
    return moment.at if moment else None


@remember(20_000)
def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat() if text else None
    except ValueError:
        return None
