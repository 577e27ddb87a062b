"""From when and until when a body is involved with a person, worked out slowly: day by day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

DAY = timedelta(days=1)


def episode(said: Mapping[date, date | None], today: date) -> tuple[date, date | None] | None:
    """The last time that a body was involved, from a day up to another, by what was said of the end on each day.

    Care goes on through every day on which what was said last does not say that it is over.
    """
    known = sorted(day for day in said if day <= today)
    if not known:
        return None
    end = said[known[-1]]
    days = [known[0] + n * DAY for n in range((today - known[0]).days + 1)]
    cared = [day for day in days if _goes_on(said[max(k for k in known if k <= day)], day)]
    if not cared:
        return min(known[0], end or known[0]), end
    began = cared[-1]
    while began - DAY in cared:
        began -= DAY
    return began, end


def _goes_on(end: date | None, day: date) -> bool:
    return end is None or end > day


def opens(began: date, ended: date | None, today: date, recent_days: int) -> bool:
    """Whether an involvement opens a record today, with so many days of grace after its end."""
    grace = [today - n * DAY for n in range(recent_days)]
    return began <= today and (_goes_on(ended, today) or ended in grace)
