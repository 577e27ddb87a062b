"""How well linkage serves each group of people: counts rounded, small ones hidden, nobody named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.record import facts as record
from joinery.apps.record.actions import REVIEW_REFUSALS
from joinery.calc.access import may_arrange, may_review
from joinery.calc.disclosure import per_cent, rounded
from joinery.site.context import Request, standing_of

# All records are read for it, so the page keeps its figures for a while.
KEPT, KEPT_SECONDS = "linking_quality", 600
# A group stands out when its records lack a practice's record more than half as often again as all records do.
STANDS_OUT = 1.5


@dataclass(frozen=True, slots=True)
class Line:
    """A group in words: counts are None where they are hidden, shares whole per cent."""

    group: str
    records: int | None
    people: int | None
    by_number: int | None
    by_score: int | None
    by_people: int | None
    alone: int | None
    without_gp: int | None
    waiting: int | None
    stands_out: bool


def page(request: Request) -> HttpResponse:
    """The figures of every group, for records officers and integration leads."""
    posts = standing_of(request).posts
    if not (may_review(posts).allowed or may_arrange(posts)):
        return render(request, "record/review_refused.jinja", {"sentence": REVIEW_REFUSALS["role"]}, status=403)
    at, groups = _figures(request.at)
    everybody = next((each for each in groups if each.about == "Everybody"), None)
    tables = [
        (about, [_line(each, everybody) for each in those]) for about, those in groupby(groups, attrgetter("about"))
    ]
    return render(request, "record/quality.jinja", {"tables": tables, "at": at})


def _figures(at: datetime) -> tuple[datetime, tuple[record.GroupLinked, ...]]:
    """When they were counted, and the groups."""
    kept: tuple[datetime, tuple[record.GroupLinked, ...]] | None = cache.get(KEPT)
    if kept is None:
        kept = at, record.linking_quality(at.date())
        cache.set(KEPT, kept, KEPT_SECONDS)
    return kept


def _line(each: record.GroupLinked, everybody: record.GroupLinked | None) -> Line:
    without_gp = per_cent(each.without_gp, each.not_gp)
    of_all = per_cent(everybody.without_gp, everybody.not_gp) if everybody else None
    return Line(
        each.group,
        rounded(each.records),
        rounded(each.people),
        per_cent(each.by_number, each.records),
        per_cent(each.by_score, each.records),
        per_cent(each.by_people, each.records),
        per_cent(each.alone, each.records),
        without_gp,
        rounded(each.waiting),
        without_gp is not None and of_all is not None and without_gp > STANDS_OUT * of_all,
    )
