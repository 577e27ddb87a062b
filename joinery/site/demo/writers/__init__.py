"""Feed writers: event columns to the records and files each kind of source sends.

A writer turns what one source holds (`Copy`: its own version of a person's details) and the events it recorded
into `Record`s; `pack` puts records into files and `encode` makes the bytes.
"""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from joinery.site.demo.events import NO_EPISODE, NOBODY, Event, Events
from joinery.site.demo.population import Person

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class Copy(NamedTuple):
    """A person as one source holds them. `number` is 1 for a second file on the same person, else 0."""

    person: Person
    number: int = 0
    defects: tuple["Change", ...] = ()


class Change(NamedTuple):
    """One defect in one field of one record: what it was and what was sent."""

    defect: str
    field: str
    was: str
    now: str


class Record(NamedTuple):
    """One FHIR resource or one CSV row. A `str` body is sent as it stands, broken."""

    person: int
    kind: str  # resource type, or CSV file without its ending
    local_id: str
    updated_at: datetime
    body: dict[str, Any] | str


@dataclass(frozen=True, slots=True)
class Window:
    """The events a submission tells of: happened before `until`, and, for a delta, something since `since`."""

    since: datetime
    until: datetime

    @classmethod
    def ending(cls, day: date, full: bool) -> "Window":
        """Up to 2am on a day; everything, or the last 24 hours."""
        until = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
        return cls(EARLIEST if full else until - timedelta(days=1), until)


@dataclass(frozen=True, slots=True)
class Ids:
    """Opaque local identifiers: another source, or another seed, never gives the same one."""

    seed: int
    organisation: str

    def __call__(self, kind: str, key: object) -> str:
        """A number for a council, a UUID for a community trust, 16 letters and digits for a practice."""
        digest = hashlib.sha256(f"{self.seed}/{self.organisation}/{kind}/{key}".encode()).digest()
        if self.organisation.isdigit():
            return str(10**11 + int.from_bytes(digest[:8]) % (9 * 10**11))
        if self.organisation.startswith("ZC"):
            return str(uuid.UUID(bytes=digest[:16], version=4))
        return digest.hex()[:16]


@dataclass(frozen=True, slots=True)
class Book:
    """What one organisation has recorded, person by person in order of time, and who has died since."""

    by_person: dict[int, list[Event]]
    died_at: dict[int, datetime]

    def rows(self, person: int, until: datetime) -> list[Event]:
        """The person's events here before a moment."""
        return [row for row in self.by_person.get(person, ()) if row.at < until]

    def death(self, person: int, until: datetime) -> datetime | None:
        """When the person died, if that was before a moment; every organisation is told."""
        died_at = self.died_at.get(person)
        return died_at if died_at and died_at < until else None


def books(events: Events) -> dict[str, Book]:
    """A book for every organisation that has recorded anything about anybody."""
    died_at: dict[int, datetime] = {}
    books: dict[str, Book] = {}
    for row in events.rows():
        if row.event == "died":
            died_at[row.person] = row.at
        if row.person != NOBODY:
            book = books.setdefault(row.organisation, Book({}, died_at))
            book.by_person.setdefault(row.person, []).append(row)
    return books


def episodes(rows: Iterable[Event]) -> list[list[Event]]:
    """Events that belong to an episode, one list an episode, in order of first event."""
    grouped: dict[int, list[Event]] = {}
    for row in rows:
        if row.episode != NO_EPISODE:
            grouped.setdefault(row.episode, []).append(row)
    return list(grouped.values())


def changed(records: Iterable[Record], window: Window) -> list[Record]:
    """Records touched since the window opened, and the Patient of anybody they are about."""
    kept = [record for record in records if record.updated_at >= window.since or record.kind == "Patient"]
    touched = {record.person for record in kept if record.updated_at >= window.since}
    return [record for record in kept if record.person in touched]
