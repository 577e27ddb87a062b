"""Care-home beds: who says that they have a place, of which type, and how old that word is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record
from joinery.calc.access import may_do
from joinery.site.context import Request, standing_of

TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class BedType:
    """What a home last said of one type of its beds."""

    name: str
    admittable: int
    not_admittable: int
    occupied: int
    updated_at: datetime
    old: bool


@dataclass(frozen=True, slots=True)
class Home:
    """A care home, and its beds by type; the total only where nothing else was said."""

    code: str
    name: str
    beds: tuple[BedType, ...]


def index(request: Request) -> HttpResponse:
    """The beds as a page; who may see figures may also put them on a wall."""
    on_a_wall = may_do(standing_of(request).posts, "figures").allowed
    return render(request, "record/beds.jinja", listed(request.at) | {"may_start_board": on_a_wall})


def listed(at: datetime) -> dict[str, Any]:
    """Every home that has said something, those with a bed to be had first."""
    today = at.date()
    said = record.care_home_capacity(today)
    feed = feed_of("capacity")
    old_days = feed.stale_after_minutes // (24 * 60)
    by_home: dict[str, list[BedType]] = {}
    for each in said.homes:
        line = BedType(each.bed_type, *_states(each), each.updated_at, each.age_days > old_days)
        by_home.setdefault(each.location_id, []).append(line)
    names = place.organisation_names(by_home, today)
    homes = [
        Home(code, names.get(code, code), tuple(b for b in beds if b.name != TOTAL or len(beds) == 1))
        for code, beds in by_home.items()
    ]
    homes.sort(key=lambda home: (-sum(each.admittable for each in home.beds), home.name))
    return {"homes": homes, "unreadable": said.unreadable, "cadence": feed.cadence}


def _states(capacity: record.HomeCapacity) -> tuple[int, int, int]:
    beds = capacity.beds
    return beds.admittable, beds.not_admittable, beds.occupied
