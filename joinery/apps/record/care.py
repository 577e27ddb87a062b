"""What a row says of care: that it goes on, from when to when, that it is over, and who else gives it.

Which rows and columns say so stands in each feed's definition, as `[[care]]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache

from joinery.apps.base.feeds import CareRule, feed_of
from joinery.apps.base.remember import remember
from joinery.apps.record.rows import LONDON, CareRow, end_of, moment_of
from joinery.calc.involvement import GOES_ON, LASTS, LEFT, NOTHING, OVER, Said, Span

# Dates that say "never": so senders write an end that is not known.
_NEVER = 9999


@cache
def care_rules(feed: str) -> Mapping[str, CareRule]:
    """The rules of a feed, by the kind of row that each is about."""
    return {rule.part: rule for rule in feed_of(feed).care}


def care_said(rule: CareRule, row: Mapping[str, str], stated_at: datetime | None) -> CareRow:
    """What a row says of care, by what stands in its columns."""
    start, end = (next((text for c in columns if (text := row.get(c))), "") for columns in (rule.start, rule.end))
    return care_of(says_of(rule, row), start, end, row.get(rule.provider, ""), stated_at)


def says_of(rule: CareRule, row: Mapping[str, str]) -> str:
    """What a row says of care, apart from the days, by the words in its columns."""
    if rule.void_when and _holds(rule.void_when, row):
        return NOTHING
    if rule.goes_on_when and _holds(rule.goes_on_when, row):
        return GOES_ON
    if rule.over_when and _holds(rule.over_when, row):
        return LEFT if rule.outright else OVER
    return LASTS if rule.start or rule.end else NOTHING


def care_of(says: str, start: str, end: str, provider: str, stated_at: datetime | None) -> CareRow:
    """The same of what was found in its columns. What is over without saying when was over when that was stated."""
    if says in (NOTHING, GOES_ON):
        return CareRow(Said(says))
    return CareRow(_said(says, start, end, stated_at if says != LASTS else None), provider[:40])


@lru_cache(maxsize=16_384)  # the rows of a file share few days
def _said(says: str, start: str, end: str, stated_at: datetime | None) -> Said:
    from_date, to_date = _first_day(start) if start else None, _day_after(end) if end else None
    return Said(says, Span(from_date, to_date or (after(stated_at) if stated_at else None)))


@remember(4096)
def _first_day(text: str) -> date | None:
    moment = moment_of(text)
    return _day(moment.at) if moment else None


@remember(4096)
def _day_after(text: str) -> date | None:
    end = end_of(moment_of(text))
    return after(end) if end else None


def after(end: date) -> date | None:
    """The first day on which what lasted until a day or a moment is no more; None for an end that means never."""
    day = _day(end) if isinstance(end, datetime) else end
    return None if day.year >= _NEVER else day + timedelta(days=1)


def _day(moment: datetime) -> date:
    try:
        return moment.astimezone(LONDON).date()
    except OverflowError:  # the first and the last day that there is
        return moment.date()


def _holds(words: Mapping[str, tuple[str, ...]], row: Mapping[str, str]) -> bool:
    return any(row.get(column, "").casefold() in known for column, known in words.items())
