"""From when and until when an organisation is involved with a person, by what a source says of its care.

Nobody types it. It goes on while anything that the source says goes on: to end too early hides a person from
those who care for them. Days are half-open: an end is the first day without care, so the last day counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

# What one thing that a source sends says: that care goes on, lasts from one day to another, is over, or is over
# whatever else is said (the person has left); NOTHING where it says none of that (any more).
GOES_ON, LASTS, OVER, LEFT, NOTHING = "goes_on", "lasts", "over", "left", ""


@dataclass(frozen=True, slots=True)
class Span:
    """Care from one day (None: since ever) up to, not including, another (None: it goes on)."""

    from_date: date | None = None
    to_date: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What one thing says of care, and for which days."""

    says: str
    days: Span = Span()


def span_of(said: Iterable[Said], ended: date | None, assumed: Span | None) -> Span | None:
    """For which days an organisation cares for a person, over all that is said of it.

    `ended` is the first day on which it can be no more: the person has died. `assumed` is what holds where nothing
    is said; the answer then, which may be None: not involved.

    >>> june = Said(LASTS, Span(date(2026, 6, 1), date(2026, 7, 1)))
    >>> span_of([june, Said(OVER, Span(None, date(2026, 6, 15)))], None, Span()).to_date
    datetime.date(2026, 7, 1)
    """
    told = [each for each in said if each.says != NOTHING]
    if not told and assumed is None:
        return None
    lasting = [each.days for each in told if each.says in (LASTS, OVER)]
    if any(each.says == GOES_ON for each in told):
        days = Span()
    elif lasting:
        days = Span(_first(lasting), _last(lasting))
    else:
        days = assumed or Span()
    left = [each.days.to_date for each in told if each.says == LEFT and each.days.to_date]
    ends = [day for day in (*left, ended, days.to_date) if day]
    return Span(days.from_date, min(ends, default=None))


def either(one: Span | None, other: Span | None) -> Span | None:
    """For which days at least one of two reasons to be involved holds, taken as one span.

    >>> either(Span(None, date(2026, 6, 1)), Span(date(2026, 5, 1))).to_date is None
    True
    """
    spans = [span for span in (one, other) if span is not None]
    return Span(_first(spans), _last(spans)) if spans else None


def _first(spans: Iterable[Span]) -> date | None:
    days = [span.from_date for span in spans]
    return None if None in days else min(day for day in days if day)


def _last(spans: Iterable[Span]) -> date | None:
    days = [span.to_date for span in spans]
    return None if None in days else max(day for day in days if day)


def involvement(before: Span | None, now: Span, known: date) -> Span | None:
    """What to write down of an involvement on the day `known`; None when what was written `before` still says it.

    It begins on the day on which it became known, or on a later one that was said. One that went on keeps the day on
    which it began, also where it goes on from its very end; after a day without care it begins anew. So a
    reorganisation finds on either side what was there before it.

    >>> today = date(2026, 11, 22)
    >>> involvement(Span(date(2026, 1, 1)), Span(None, today), today)
    Span(from_date=datetime.date(2026, 1, 1), to_date=datetime.date(2026, 11, 22))
    >>> involvement(Span(date(2026, 1, 1), today), Span(), today)
    Span(from_date=datetime.date(2026, 1, 1), to_date=None)
    """
    goes_on = now.to_date is None or now.to_date > known
    began = max(known, now.from_date or known)
    went_on = before is not None and (before.to_date is None or before.to_date > known or before.to_date == began)
    if before is not None and (went_on or not goes_on):
        return None if now.to_date == before.to_date else Span(before.from_date, now.to_date)
    # Of care that was over when we first heard of it, the last day that is known stands for all of it.
    return Span(min(began, now.to_date) if now.to_date else began, now.to_date)
