"""Slow, obvious versions of what is worked out of returns: by counting days and months one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from joinery.calc.returns import Ended, Service
from joinery.calc.units import Period

ONE_DAY = timedelta(days=1)


def told_period(events: Sequence[Ended], stated: Period, imported: date) -> Period:
    """Walk through every month from the first end to the month before the import, and ask of each."""
    ends = [event.end for event in events if event.end is not None]
    if len(events) < 100 or not ends:
        return stated
    kinds = {event.kind for event in events}
    told = []
    month = min(ends).replace(day=1)
    while month < imported.replace(day=1):
        after = (month + timedelta(days=32)).replace(day=1)
        inside = [event for event in events if event.end is not None and month <= event.end < after]
        if 100 * len(inside) >= 2 * len(events) and len({e.kind for e in inside}) >= min(3, len(kinds)):
            told.append((month, after))
        month = after
    return Period(told[0][0], told[-1][1]) if told else stated


def days_cared_for(services: Sequence[Service], until: date) -> set[date]:
    """Every day up to `until` on which there was a service."""
    return {
        service.start + n * ONE_DAY
        for service in services
        for n in range(((service.end or until) - service.start).days + 1)
        if service.start + n * ONE_DAY <= until
    }


def runs(days: set[date]) -> list[tuple[date, date]]:
    """First and last day of each run of days without a gap."""
    firsts = sorted(day for day in days if day - ONE_DAY not in days)
    lasts = sorted(day for day in days if day + ONE_DAY not in days)
    return list(zip(firsts, lasts, strict=True))
