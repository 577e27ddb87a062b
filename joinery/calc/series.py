"""A series of figures by body and period, and how it goes on when bodies merge, split and rename.

When a body passes wholly to another (`Lineage.passes`), its figures are added to the heir's, period by
period, so that the figures of all bodies still add up to what was sent. What came by a split is never
added: nobody has divided it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import fsum
from typing import NamedTuple

from joinery.calc.succession import Lineage

# How long a period is: months of each, and 0 for a day.
STEPS: Mapping[str, int] = {"day": 0, "month": 1, "quarter": 3, "year": 12, "financial_year": 12}
# The months in which a period of several may begin. A financial year begins on 1 April.
_BEGINS = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "year": (1,), "financial_year": (4,)}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-0?1)?(?:[T ]00:00.*)?|(?:0?1/)?(\d{1,2})/(\d{4})|(\d{4})(\d{2})01")
_NAMED_MONTH = re.compile(r"([A-Za-z]{3,9})[-_ ](\d{4}|\d{2})")
_QUARTER = re.compile(r"(\d{4})(?:[/-](\d{2}))?[-_ ]?Q([1-4])", re.IGNORECASE)
_YEAR = re.compile(r"(\d{4})(?:[/-](\d{2}|\d{4}))?")


class Figure(NamedTuple):
    """A count, or a ratio as its two parts, which can be added up where the ratio cannot."""

    numerator: float
    denominator: float | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A body's figures of one period: its own and those of bodies that passed wholly into it, by body.

    `missing` names bodies that were part of it by then, are in the series, and gave no figure.
    """

    start: date
    parts: Mapping[str, Figure]
    missing: tuple[str, ...] = ()

    @property
    def total(self) -> Figure:
        """All parts added up."""
        return add(self.parts.values())


def add(figures: Iterable[Figure]) -> Figure:
    """The sum of figures; without a denominator when one of them has none."""
    figures = list(figures)
    below = [f.denominator for f in figures if f.denominator is not None]
    return Figure(fsum(f.numerator for f in figures), fsum(below) if below and len(below) == len(figures) else None)


def scaled(figure: Figure, share: float) -> Figure:
    """A share of a figure: of both parts of a ratio, which itself stays."""
    below = None if figure.denominator is None else figure.denominator * share
    return Figure(figure.numerator * share, below)


def carried_on(
    body: str,
    on: date,
    lineage: Lineage,
    figures: Mapping[str, Mapping[date, Figure]],
    opened: Mapping[str, date],
    step: str,
) -> list[Joined]:
    """The series of a body as it stands on a day, with what passed wholly into it by then, by period.

    `opened` is the first day of each body that has one. A figure that a body gives for a period before
    that is one worked out again for its predecessors, so theirs are not added to it.
    """
    arrived = {earlier: day for earlier, day in lineage.arrivals(body).items() if day <= on}
    came: dict[str, list[str]] = defaultdict(list)
    for earlier in arrived:
        passed = lineage.passes(earlier)
        if earlier != body and passed:
            came[passed.body].append(earlier)
    starts = sorted({start for each in arrived for start in figures.get(each, ()) if start <= on})
    joined = []
    for start in starts:
        after = following(start, step)
        parts = _parts(body, start, after, came, figures, opened)
        restated = {e for e in parts if after <= opened.get(e, date.min)}
        missing = [
            each
            for each, day in arrived.items()
            if figures.get(each) and each not in parts and not restated
            and start >= opened.get(each, date.min) and (each == body or start < day)
            and start < lineage.ends.get(each, date.max)
        ]  # fmt: skip
        joined.append(Joined(start, parts, tuple(sorted(missing))))
    return joined


def _parts(
    body: str,
    start: date,
    after: date,
    came: Mapping[str, list[str]],
    figures: Mapping[str, Mapping[date, Figure]],
    opened: Mapping[str, date],
) -> dict[str, Figure]:
    own = figures.get(body, {}).get(start)
    found = {} if own is None else {body: own}
    if own is None or after > opened.get(body, date.min):
        for earlier in came.get(body, ()):
            found |= _parts(earlier, start, after, came, figures, opened)
    return found


def following(start: date, step: str) -> date:
    """The first day after a period.

    >>> following(date(2019, 11, 1), "quarter")
    datetime.date(2020, 2, 1)
    """
    months = STEPS[step]
    if not months:
        return start + timedelta(days=1)
    later = start.year * 12 + start.month - 1 + months
    return date(later // 12, later % 12 + 1, 1) if later // 12 <= date.max.year else date.max


@lru_cache(maxsize=8192)
def period_start(text: str, step: str) -> date | None:
    """The first day of a month, a quarter or a year as people write it, or None.

    Quarters are of the calendar (2019-Q2), unless a financial year is named with them (2019/20 Q1).

    >>> period_start("2019-04", "month") == period_start("Apr-19", "month") == period_start("1/4/2019", "month")
    True
    >>> period_start("2019-Q2", "quarter") == period_start("2019/20 Q1", "quarter") == date(2019, 4, 1)
    True
    >>> period_start("2019/20", "financial_year")
    datetime.date(2019, 4, 1)
    """
    text = text.strip()
    try:
        if step == "quarter" and (found := _QUARTER.fullmatch(text)):
            return _quarter_start(int(found[1]), found[2], int(found[3]))
        if step.endswith("year") and (found := _YEAR.fullmatch(text)):
            financial = step == "financial_year"
            in_a_row = bool(found[2]) and _follows(int(found[1]), found[2])
            return date(int(found[1]), 4 if financial else 1, 1) if in_a_row == financial else None
        start = _month_start(text)
    except ValueError:
        return None
    return start if start and start.month in _BEGINS[step] else None


def _quarter_start(year: int, next_year: str | None, quarter: int) -> date | None:
    if next_year and not _follows(year, next_year):
        return None
    months = 3 * (quarter if next_year else quarter - 1)
    return date(year + months // 12, months % 12 + 1, 1)


def _month_start(text: str) -> date | None:
    if found := _MONTH.fullmatch(text):
        year, month = found[1] or found[4] or found[5], found[2] or found[3] or found[6]
        return date(int(year), int(month), 1)
    if found := _NAMED_MONTH.fullmatch(text):
        named = [n for n, name in enumerate(_MONTHS, start=1) if name.lower().startswith(found[1].lower())]
        return date(int(found[2]) + (2000 if len(found[2]) == 2 else 0), named[0], 1) if len(named) == 1 else None
    return None


def _follows(year: int, next_year: str) -> bool:
    return (year + 1) % 100 == int(next_year) % 100


def period_words(start: date, step: str) -> str:
    """A period as pages name it.

    >>> period_words(date(2019, 4, 1), "quarter"), period_words(date(2019, 4, 1), "financial_year")
    ('April to June 2019', '2019/20')
    """
    month = _MONTHS[start.month - 1]
    if step == "day":
        return f"{start.day} {month} {start.year}"
    if step == "month":
        return f"{month} {start.year}"
    if step == "quarter":
        return f"{month} to {_MONTHS[start.month + 1]} {start.year}"
    return str(start.year) if step == "year" else f"{start.year}/{(start.year + 1) % 100:02d}"


def figure_words(value: float) -> str:
    """A figure as pages write it: whole, or with two decimals (four below 1).

    >>> figure_words(1234567.0), figure_words(12.345), figure_words(0.13579)
    ('1,234,567', '12.35', '0.1358')
    """
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.{2 if abs(value) >= 1 else 4}f}"
