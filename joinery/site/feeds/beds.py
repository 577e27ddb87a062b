"""Care-home beds: who says that they have a place, of which type, and how old that word is."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record
from joinery.site.context import Request

TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class Home:
    """A care home, and what it last said of each type of its beds."""

    code: str
    name: str
    beds: tuple[record.HomeCapacity, ...]


def index(request: Request) -> HttpResponse:
    """Every home that has said something, those with a bed to be had first."""
    today = request.at.date()
    said = record.care_home_capacity(today)
    by_home: dict[str, list[record.HomeCapacity]] = {}
    for each in said.homes:
        by_home.setdefault(each.location_id, []).append(each)
    names = place.organisation_names(by_home, today)
    homes = [Home(code, names.get(code, code), tuple(beds)) for code, beds in by_home.items()]
    homes.sort(key=lambda home: (-max(each.beds.admittable for each in home.beds), home.name))
    feed = feed_of("capacity")
    context = {
        "homes": homes,
        "unreadable": said.unreadable,
        "total": TOTAL,
        "old_days": feed.stale_after_minutes // (24 * 60),
        "cadence": feed.cadence,
    }
    return render(request, "record/beds.jinja", context)
