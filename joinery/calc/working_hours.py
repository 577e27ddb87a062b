"""Working time: the hours of a week by local time, without bank holidays, right on the days when clocks change.

A moment carries its time zone; a span of time is counted on a clock that never changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from joinery.definitions import parsed

LONDON = ZoneInfo("Europe/London")
NAME = "rules/bank_holidays.toml"
_DAY = timedelta(days=1)
_SATURDAY = 5
# Longer than this without an hour of work is a mistake in the hours.
_MOST_DAYS = 3_660

# From and to by local time; a `to` of midnight is the end of the day.
Hours = tuple[time, time]


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of each weekday from a day on, Monday first; None: no work on that day."""

    from_date: date
    days: tuple[Hours | None, ...]

    def __post_init__(self) -> None:
        if len(self.days) != 7 or not any(self.days):
            raise ValueError("a week has seven days, and work on one of them")
        if any(hours and hours[1] != time() and hours[0] >= hours[1] for hours in self.days):
            raise ValueError("work ends after it begins")


# Compared by identity, so that what is remembered of its days is found at once.
@dataclass(frozen=True, eq=False)
class WorkingTime:
    """When work is done: the newest week that has begun counts, or the first one before; never on `holidays`."""

    weeks: tuple[Week, ...]
    holidays: frozenset[date] = frozenset()
    zone: ZoneInfo = LONDON

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """When work begins and ends on a day, in UTC; None when there is none."""
        return _on(self, day)

    def after(self, at: datetime, work: timedelta) -> datetime:
        """The first moment, within working hours, by which so much working time has passed, in UTC.

        Raises ValueError for less than no time, and where no work is done in ten years.

        >>> week = Week(date(2020, 1, 1), (((time(9), time(17)),) * 5) + (None, None))
        >>> friday = datetime(2026, 11, 20, 16, tzinfo=UTC)
        >>> str(WorkingTime((week,)).after(friday, timedelta(hours=4)))
        '2026-11-23 12:00:00+00:00'
        """
        if work < timedelta():
            raise ValueError("working time is added, not taken away")
        for begins, ends in self._from(at):
            room = ends - begins
            if work <= room:
                return begins + work
            work -= room
        raise ValueError("no work is done in ten years")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time lies between two moments; none when the second is not later."""
        total = timedelta()
        if start >= end:
            return total
        for begins, ends in self._from(start):
            if begins >= end:
                break
            total += min(ends, end) - begins
        return total

    def _from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of work that are left from a moment on."""
        at = at.astimezone(UTC)
        day = at.astimezone(self.zone).date()
        for _ in range(_MOST_DAYS):
            hours = self.on(day)
            if hours and at <= hours[1]:
                yield max(at, hours[0]), hours[1]
            day += _DAY


@lru_cache(maxsize=8_192)
def _on(times: WorkingTime, day: date) -> tuple[datetime, datetime] | None:
    begun = [week for week in times.weeks if week.from_date <= day]
    hours = max(begun, key=lambda week: week.from_date, default=times.weeks[0]).days[day.weekday()]
    if hours is None or day in times.holidays:
        return None
    last = day if hours[1] != time() else day + _DAY
    ends = (datetime.combine(day, hours[0], times.zone), datetime.combine(last, hours[1], times.zone))
    return ends[0].astimezone(UTC), ends[1].astimezone(UTC)


def working_days_after(at: datetime, days: int) -> datetime:
    """The same local time of day so many working days later: Mondays to Fridays that are no bank holiday.

    >>> str(working_days_after(datetime(2026, 12, 24, 15, tzinfo=UTC), 1))  # over Christmas
    '2026-12-29 15:00:00+00:00'
    """
    local = at.astimezone(LONDON)
    day, holidays = local.date(), bank_holidays()
    while days:
        day += _DAY
        days -= day.weekday() < _SATURDAY and day not in holidays
    return datetime.combine(day, local.time(), LONDON).astimezone(at.tzinfo)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    years: dict[str, tuple[date, ...]]


@cache
def bank_holidays() -> frozenset[date]:
    """The bank holidays of England, as far as they are known."""
    return read_holidays(files("joinery.definitions").joinpath(NAME).read_text("utf-8"))


def read_holidays(text: str) -> frozenset[date]:
    """Bank holidays from the text of their file. Raises ValueError that says what is wrong."""
    try:
        said = parsed(text, _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{NAME}: {error}") from error
    for year, days in said.years.items():
        if any(str(day.year) != year for day in days):
            raise ValueError(f"{NAME}, {year}: every day must be of that year.")
        if any(one >= other for one, other in pairwise(days)):
            raise ValueError(f"{NAME}, {year}: days stand in their order, each once.")
    return frozenset(day for days in said.years.values() for day in days)
