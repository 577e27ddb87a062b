"""Returns: the status of a field, and what known faults of real submissions come to.

Client Level Data tells events; a submission of twelve months follows another each quarter. What is wrong
with them is always the same, and each function here answers one of those faults. Nothing is corrected in
what is kept. Sources: DHSC, code and methodology of its Client Level Data tables
(github.com/DataS-DHSC/ASC-CLD-LA-Dashboard, 2026); for beds, DHSC's formal notice on adult social care provider
information (gov.uk, 26 April 2024).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from joinery.calc.units import Period, age_years

# -- the status of a field -------------------------------------------------------------------------

# Whether a row must fill a field.
MANDATORY, APPLICABLE, NOT_APPLICABLE, UNDETERMINED = 2, 1, 0, -1
# What a check of it found. The nation's reports know -2 to -6 as invalid; which is which is ours.
VALID, BLANK, BLANK_MANDATORY, OTHER, RELEASE_1 = 1, 0, -1, -6, -7
CHECKS = {
    "required": BLANK_MANDATORY,
    "code": -2,
    **dict.fromkeys(("date", "time", "number", "nhs-number", "form", "length", "formula"), -3),
    **dict.fromkeys(("order", "sum"), -4),
    "not-applicable": -5,
    "earlier-code": RELEASE_1,
}


def check_of(field: int, *, filled: bool, rule: str = "") -> int:
    """The check code of a cell: 1 valid, 0 blank and rightly so, -1 blank though mandatory, below that invalid.

    `field` is whether its row must fill it, `rule` the rule that the cell breaks, if any. Raises ValueError
    for no such field, and for a blank cell that breaks a rule which only what is filled can break.

    >>> check_of(MANDATORY, filled=False), check_of(APPLICABLE, filled=True, rule="earlier-code")
    (-1, -7)
    """
    if field not in (MANDATORY, APPLICABLE, NOT_APPLICABLE, UNDETERMINED):
        raise ValueError(f"a field is 2, 1, 0 or -1, not {field}")
    if rule and filled == (rule == "required"):
        raise ValueError(f"a cell that is {'filled' if filled else 'blank'} cannot break the rule {rule}")
    if rule:
        return CHECKS.get(rule, OTHER)
    if not filled:
        return BLANK_MANDATORY if field == MANDATORY else BLANK
    return CHECKS["not-applicable"] if field == NOT_APPLICABLE else VALID


# -- of what period a submission tells -------------------------------------------------------------

FEW_EVENTS = 100
LEAST_PERCENT = 2
LEAST_TYPES = 3


class Ended(NamedTuple):
    """An event as far as the period is concerned: its type, and the day it ended (None: it goes on)."""

    kind: str
    end: date | None


def told_period(events: Sequence[Ended], stated: Period, imported: date) -> Period:
    """The months of which a submission really tells; `stated` where it holds fewer than 100 events.

    A month counts with at least 2 % of all events ending in it, of at least three of the four types (of all
    types, where the submission holds fewer than three). What ends in the month of import or later does not
    count. The period runs from the first such month to the last; `stated` where there is none.
    """
    if len(events) < FEW_EVENTS:
        return stated
    types = min(LEAST_TYPES, len({event.kind for event in events}))
    months: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for kind, end in events:
        if end is not None and (end.year, end.month) < (imported.year, imported.month):
            months[end.year, end.month][kind] += 1
    full = sorted(
        month
        for month, kinds in months.items()
        if 100 * kinds.total() >= LEAST_PERCENT * len(events) and len(kinds) >= types
    )
    if not full:
        return stated
    (first_year, first_month), (year, month) = full[0], full[-1]
    return Period(date(first_year, first_month, 1), date(year + month // 12, month % 12 + 1, 1))


# -- services that never end, and services that are one --------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """A service of one person, of one type and component: first and last day (None: it goes on).

    `stated` is the last day of the newest submission that holds it. `cut`: nobody said that it ended.
    """

    start: date
    end: date | None
    stated: date
    cut: bool = False


def cut_off(services: Iterable[Service], newest: date) -> list[Service]:
    """Services as they stand when the newest submission runs to `newest`.

    One that went on at the end of an earlier submission and is not in the newest has ended without anybody
    saying so: it is cut off at the end of the last submission that held it.
    """
    return [
        replace(s, end=max(s.start, s.stated), cut=True)
        if s.stated < newest and (s.end is None or s.end > s.stated)
        else s
        for s in services
    ]


def spells(services: Iterable[Service]) -> list[Service]:
    """Services of one person, type and component as they were received, the same care being counted once.

    Two are one when they overlap (two carers at a time), when one begins by the day after the other ended (a
    new price), and when one begins on 1 April and the one before was cut off within the year before (a new
    financial year in the council's system).
    """
    found: list[Service] = []
    for service in sorted(services, key=lambda s: (s.start, s.end or date.max)):
        if found and _is_one(found[-1], service):
            before = found[-1]
            last = max(before, service, key=lambda s: (s.end or date.max, s.stated))
            found[-1] = Service(before.start, last.end, last.stated, last.cut)
        else:
            found.append(service)
    return found


def _is_one(before: Service, service: Service) -> bool:
    if before.end is None or service.start <= before.end + timedelta(days=1):
        return True
    new_year = (service.start.month, service.start.day) == (4, 1)
    return new_year and before.cut and before.end >= service.start.replace(year=service.start.year - 1)


# -- what is said of a person ----------------------------------------------------------------------

DUMMY_AGE_YEARS = 115


def is_dummy_birth_date(born: date, on: date) -> bool:
    """Whether a birth date only fills a field: it would make the person 115 years old, or not yet born.

    >>> is_dummy_birth_date(date(1900, 1, 1), date(2026, 3, 31))
    True
    """
    return born > on or age_years(born, on) >= DUMMY_AGE_YEARS


def last_said(said: Iterable[tuple[date, str]]) -> tuple[str, bool]:
    """The value that counts of what several rows say of one person, and whether they disagree on it.

    The newest counts, of those of one day the most frequent, then the first of the alphabet. Empty text and
    "Unknown" say nothing; without anything else the answer is empty.
    """
    filled = [(day, value) for day, value in said if value not in ("", "Unknown")]
    if not filled:
        return "", False
    newest = max(day for day, _ in filled)
    counts = Counter(value for day, value in filled if day == newest)
    return min(counts, key=lambda value: (-counts[value], value)), len({value for _, value in filled}) > 1


# -- beds of a care home ---------------------------------------------------------------------------


class Beds(NamedTuple):
    """The beds of a care home by what can be done with them. An empty bed is not always one to be had."""

    occupied: int
    admittable: int
    not_admittable: int


def beds_by_state(maximum: int, occupied: int, reserved: int = 0, *, accepting: bool | None) -> Beds:
    """Occupied, vacant and admittable, vacant and not admittable; they add up to `maximum`.

    Nobody can be admitted to a reserved bed, nor where the home does not accept admissions or has not said
    that it does (None). Raises ValueError when more is occupied and reserved than there is.

    >>> beds_by_state(20, 15, 1, accepting=True)
    Beds(occupied=15, admittable=4, not_admittable=1)
    """
    vacant = maximum - occupied
    if min(occupied, reserved) < 0 or reserved > vacant:
        raise ValueError(f"{occupied} occupied and {reserved} reserved are more than {maximum} beds, or less than none")
    admittable = vacant - reserved if accepting else 0
    return Beds(occupied, admittable, vacant - admittable)
