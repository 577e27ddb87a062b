"""What a reader of a feed hands to intake: one `Row` for each row of the file, taken apart."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from joinery.apps.base.remember import remember
from joinery.calc.adt import Fact
from joinery.calc.involvement import NOTHING, Said
from joinery.calc.linkage.ladder import name_key

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Issue:
    """One reason why a row cannot be taken: where, by which rule, what stood there, what to do.

    `message` never holds the value, so it may be logged; `value` (80 characters at most) may be personal.
    """

    path: str
    rule: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class DetailsRow:
    """What a row says of a person; `nhs_number` holds a usable number or nothing."""

    nhs_number: str = ""
    nhs_number_status: str = ""
    family_name: str = ""
    given_name: str = ""
    title: str = ""
    preferred_name: str = ""
    birth_date: date | None = None
    death_date: date | None = None
    dead: bool = False
    gender: str = ""
    address: tuple[str, ...] = ()
    restricted: bool = False

    def keys(self) -> tuple[str, str]:
        """Family and first given name as they are searched; a second given name is not part of it."""
        first = self.given_name.split()
        # A key may be longer than its name: ß is compared as SS.
        return name_key(self.family_name)[:200], name_key(first[0] if first else "")[:200]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time as precisely as it was given: minute, day, month or year."""

    at: datetime
    precision: str


@dataclass(slots=True)
class EntryRow:
    """A line of the timeline; an empty `kind` hides the lines of earlier versions.

    `sensitivity` says why not everybody may read it (`calc/access.py`); empty when anybody may.
    """

    moment: Moment | None = None
    until_at: datetime | None = None
    kind: str = ""
    title: str = ""
    detail: str = ""
    banner: str = ""
    sensitivity: str = ""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What an ADT message says: the fact, the key of the visit it is about (or none), and in a merge the
    local ids that lose."""

    fact: Fact
    visit: str = ""
    losing: tuple[str, ...] = ()


@dataclass(slots=True)
class CareRow:
    """What a row says of its sender's care for a person, and of that of a `provider` (its code) on its behalf."""

    said: Said = Said(NOTHING)
    provider: str = ""


@dataclass(slots=True)
class Row:
    """One row of a file. With `issues` it will be quarantined; `body` is always the bytes received.

    Which of two versions is newer is said by `version`, the source's own count, or else by `stated_at`.
    `content` is what the row says, where the same can be written in several ways.
    `replaced_by` is the local id under which the person is known from now on; empty: no longer.
    """

    position: int
    body: bytes
    key: str = ""
    issues: tuple[Issue, ...] = ()
    stated_at: datetime | None = None
    version: int | None = None
    local_id: str = ""
    replaced_by: str | None = None
    content: bytes = b""
    details: DetailsRow | None = None
    entry: EntryRow | None = None
    message: MessageRow | None = None
    # None of a row of a kind that never says anything of care.
    care: CareRow | None = None
    index: Sequence[tuple[str, str]] = ()


@remember(4096)  # the lines of one visit all carry its moment
def moment_of(text: str) -> Moment | None:
    """A FHIR or ISO date or time, as UTC. None when it cannot be read; the validator has said so.

    A time without a zone, which FHIR forbids and an extract may hold, is the time on the wall in London.

    >>> moment_of("2026-11").precision
    'month'
    """
    try:
        if len(text) == 4:
            return Moment(datetime(int(text), 1, 1, tzinfo=UTC), "year")
        if len(text) == 7:
            return Moment(datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC), "month")
        # A leap second is valid in FHIR; Python's clock has none.
        at = datetime.fromisoformat(text.replace(":60", ":59", 1) if ":60" in text else text)
    except ValueError:
        return None
    if len(text) == 10:
        return Moment(at.replace(tzinfo=UTC), "day")
    try:
        return Moment((at if at.tzinfo else at.replace(tzinfo=LONDON)).astimezone(UTC), "minute")
    except OverflowError:  # 9999-12-31T23:59:59-05:00, an end that is meant to be never, has no UTC
        return Moment(at.replace(tzinfo=UTC), "minute")


def end_of(moment: Moment | None) -> datetime | None:
    """When something that lasts "until" a moment is over: a day, month or year given as an end is part of it.

    >>> end_of(moment_of("2026-11-21"))
    datetime.datetime(2026, 11, 21, 23, 59, 59, tzinfo=datetime.timezone.utc)
    """
    if moment is None or moment.precision == "minute":
        return moment.at if moment else None
    year, month, day = moment.at.year, moment.at.month, moment.at.day
    if moment.precision != "day":
        month = 12 if moment.precision == "year" else month
        day = monthrange(year, month)[1]
    return datetime(year, month, day, 23, 59, 59, tzinfo=LONDON).astimezone(UTC)


def capital(text: str) -> str:
    """The text with its first letter in upper case, as a line of a page begins."""
    return text if text.startswith(("http://", "https://")) else text[:1].upper() + text[1:]
