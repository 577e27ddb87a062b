"""How long people wait for each service, and where: counts rounded, small ones hidden, nobody named."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.care import facts
from joinery.calc.disclosure import rounded
from joinery.site.context import Request


@dataclass(frozen=True, slots=True)
class Line:
    """One service in one area in words: counts are None where they are hidden, days None where there are too few."""

    area: str
    open: int | None
    not_answered: int | None
    overdue: int | None
    days_half: int | None
    days_most: int | None
    started: int | None
    to_start_half: int | None
    to_start_most: int | None


def page(request: Request) -> HttpResponse:
    """The waits of the place, service by service: of everybody, or by where people live."""
    by = "neighbourhood" if request.GET.get("by") == "neighbourhood" else ""
    found = sorted(facts.waits(request.at, by), key=lambda each: (each.kind_text, each.service_name, each.area_name))
    tables = [
        ((those[0].service, those[0].service_name, those[0].kind_text), [_line(each, by) for each in those])
        for those in (list(group) for _, group in groupby(found, key=lambda each: each.service))
    ]
    return render(request, "care/waits.jinja", {"tables": tables, "by": by})


def _line(each: facts.Wait, by: str) -> Line:
    waiting, started = rounded(sum(each.open.values())), rounded(each.started)
    return Line(
        (each.area_name or "Area not known") if by else "The whole place",
        waiting,
        rounded(each.open.get("sent", 0) + each.open.get("acknowledged", 0)),
        rounded(each.overdue),
        _days(each.age_days_median, waiting),
        _days(each.age_days_p90, waiting),
        started,
        _days(each.to_start_days_median, started),
        _days(each.to_start_days_p90, started),
    )


def _days(days: float | None, of: int | None) -> int | None:
    """Whole days; None where there are too few people to say, or none."""
    return round(days) if days is not None and of else None
