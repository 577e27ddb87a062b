"""Stays in hospital: a run of the twin, in which people share the beds and wait for the same services.

The twin makes stays, and here they get people of the right ages. So one person more may change anybody's stay.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib import resources
from math import ceil
from pathlib import Path

from joinery.calc.twin.network import Arrivals, Place
from joinery.calc.twin.place_file import read_place
from joinery.calc.twin.simulate import WORD
from joinery.site.demo.diary import at_clock
from joinery.site.demo.events import Event
from joinery.site.demo.forecast import forecast
from joinery.site.demo.lives_health import HOSPITAL, WINDOW_DAYS, Stay, age_band
from joinery.site.demo.population import Person

# The stream of the place file in which people come in so many last days alone.
LATELY, LATELY_DAYS = "lately", 13
# The run goes on after the as-of date, so that it is known how long those in bed will stay: at most so long.
AFTER_DAYS = 60
# The run has no nights. Its days are told as these hours, in the same order, so that nobody shares a bed.
FIRST_HOUR, HOURS = 8, 12


def stays(people: Sequence[Person], seed: int, as_of: date) -> dict[int, list[Stay]]:
    """The stays, in order, of those people who have any: from the first day of the detailed window on."""
    if not people:
        return {}
    lines: list[list[int]] = [[], [], [], []]
    for person in people:
        lines[age_band(person.age_years(as_of))].append(person.person)
    for line in lines:
        line.sort(key=lambda person: random.Random(f"{seed}/in_hospital/{person}").random())
    told = forecast(_place(lines, as_of), WINDOW_DAYS + AFTER_DAYS, seed % WORD, plain=True)
    # Whoever comes in the run is the next in line, for as long as there is somebody.
    whose = {number: lines[band].pop() for number, band in enumerate(told.bands) if lines[band]}
    by_episode: dict[int, dict[str, Event]] = defaultdict(dict)
    for row in told.events.rows():
        if row.organisation == HOSPITAL and row.person in whose:
            by_episode[row.episode][row.event] = row
    found: dict[int, list[Stay]] = defaultdict(list)
    end = as_of + timedelta(days=AFTER_DAYS)
    for rows in by_episode.values():
        found[whose[rows["arrived"].person]].append(_stay(rows, at_clock(end, FIRST_HOUR)))
    return found


def _stay(rows: dict[str, Event], end: datetime) -> Stay:
    """One stay from what is told of it; what is not told by then happens at the end."""
    came, bed_at, ready, left = (
        _by_day(rows[event].at) if event in rows else end for event in ("arrived", "admitted", "ready", "discharged")
    )
    return Stay(came, bed_at, ready, left, rows["ready"].code if "ready" in rows else "home")


def _by_day(at: datetime) -> datetime:
    """The hour by day that a moment of the run is told as."""
    minutes = (at.hour * 60 + at.minute) * HOURS // 24
    return at_clock(at.date(), FIRST_HOUR) + timedelta(minutes=minutes)


def _place(lines: Sequence[Sequence[int]], as_of: date) -> Place:
    """The hospital for so many people of each band, from the first day of the window on."""
    file = resources.files("joinery.definitions") / "demo" / "hospital.toml"
    whole = read_place(Path(str(file))).place
    shares = [len(line) / of for line, of in zip(lines, whole.people, strict=True)]
    size = sum(map(len, lines)) / sum(whole.people)
    places = {station.name: ceil(station.places[0][1] * size) for station in whole.stations}
    arrivals = tuple(_scaled(stream, shares) for stream in whole.arrivals)
    start_date = as_of - timedelta(days=WINDOW_DAYS)
    return replace(whole.with_(**places), arrivals=arrivals, start_date=start_date)


def _scaled(stream: Arrivals, shares: Sequence[float]) -> Arrivals:
    """The stream as shares of its rates, and on its days."""
    rates = tuple(rate * share for rate, share in zip(stream.rates_per_day[0], shares, strict=True))
    if stream.name != LATELY:
        return replace(stream, rates_per_day=(rates,))
    none = (0.0,) * len(rates)
    before, lately = (none,) * (WINDOW_DAYS - LATELY_DAYS), (rates,) * LATELY_DAYS
    return replace(stream, rates_per_day=(*before, *lately, none))
