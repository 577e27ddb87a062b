"""A place as the twin runs it: stations that people pass through, who arrives, and where they go next.

A station has places. Whoever finds none free waits in its queue, first come, first served. A stay ends
with a route: to another station, home, or death. On a route that holds the place, whoever is ready and
finds the next station full stays where they are, and blocks that place, until the next one is free.

A station of *visits* counts visits a day instead of beds: a person takes `first_visits` a day, and one fewer
after each equal part of the stay, down to `last_visits`. A bed is one visit from the first day to the last.

Times are in days from the midnight on which the run starts. Bands are bands of age, by position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np

# A probability that sums to one when it is typed with a few digits.
CLOSE = 1e-6
# The engine keeps each in a byte.
MOST_STATIONS, MOST_VISITS = 100, 200


class PlaceError(ValueError):
    """A place that cannot be run. The text says what is wrong, and where."""


@dataclass(frozen=True, slots=True)
class Stay:
    """How long a stay lasts: its mean in days and, for a lognormal one, standard deviation / mean (`cv`).

    >>> Stay.from_logs(mu=3.0, sigma=0.5).mean_days
    22.75989509352673
    """

    shape: Literal["exponential", "lognormal", "fixed"]
    mean_days: float
    cv: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean_days) and self.mean_days > 0):
            raise PlaceError(f"a mean stay must be above 0 days, not {self.mean_days}")
        if self.shape == "lognormal" and not (math.isfinite(self.cv) and self.cv > 0):
            raise PlaceError(f"cv (standard deviation / mean) must be above 0, not {self.cv}")

    @classmethod
    def from_logs(cls, mu: float, sigma: float) -> Stay:
        """A lognormal stay from the mean and the standard deviation of its logarithm."""
        return cls("lognormal", math.exp(mu + sigma**2 / 2), math.sqrt(math.expm1(sigma**2)))

    @property
    def logs(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm of a lognormal stay."""
        variance = math.log1p(self.cv**2)
        return math.log(self.mean_days) - variance / 2, math.sqrt(variance)

    def survival(self, days: float) -> float:
        """The share of stays that last longer than `days`.

        >>> round(Stay("exponential", 10).survival(10), 4)
        0.3679
        """
        if days <= 0:
            return 1.0
        if self.shape == "exponential":
            return math.exp(-days / self.mean_days)
        if self.shape == "fixed":
            return float(days < self.mean_days)
        mu, sigma = self.logs
        return math.erfc((math.log(days) - mu) / sigma / math.sqrt(2)) / 2


@dataclass(frozen=True, slots=True)
class Station:
    """A service with `places`: (first day, places or visits a day) in order of days, the first on day 0.

    `stays` has one entry a band. `cost_pence` is for a place and day, occupied or not ("place"), or for each
    that is in use ("occupied"). `setting`, `payer` and `staff_hours` (a day and place in use) only label results.
    Where `turns_away`, whoever holds no place and finds none free leaves for good.
    """

    name: str
    places: tuple[tuple[int, int], ...]
    stays: tuple[Stay, ...]
    first_visits: int = 1
    last_visits: int = 1
    turns_away: bool = False
    setting: Literal["hospital", "bed", "home", "care home"] = "bed"
    cost_pence: float = 0.0
    cost_per: Literal["place", "occupied"] = "place"
    payer: str = ""
    staff_hours: float = 0.0

    @property
    def kind(self) -> Literal["slots", "visits"]:
        return "slots" if self.first_visits == self.last_visits == 1 else "visits"

    def places_on(self, days: int) -> list[int]:
        """The places of each of the first `days` days."""
        ends = [first for first, _ in self.places[1:]] + [days]
        return [count for (first, count), end in zip(self.places, ends, strict=True) for _ in range(first, end)][:days]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """People who come to the station `to` from outside: a row of rates a day by band for each day.

    Days past the last row repeat its last `repeat_days` rows: 1 for a rate that stays, 7 for a week's pattern.

    >>> Arrivals("falls", 0, ((1.0,), (2.0,), (3.0,)), repeat_days=2).on(5)
    [(1.0,), (2.0,), (3.0,), (2.0,), (3.0,)]
    """

    name: str
    to: int
    rates_per_day: tuple[tuple[float, ...], ...]
    repeat_days: int = 1

    def on(self, days: int) -> list[tuple[float, ...]]:
        """The rates of each of the first `days` days."""
        known = len(self.rates_per_day)
        start = known - self.repeat_days
        return [self.rates_per_day[d if d < known else start + (d - known) % self.repeat_days] for d in range(days)]


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody who is there at the start.

    In service at `station` for `days` already; or ready there for `days` and waiting for the station
    `waiting_for`; or, with no `station`, waiting for it elsewhere, without a place.
    """

    band: int
    station: int | None
    days: float = 0.0
    waiting_for: int | None = None


@dataclass(frozen=True)
class Place:
    """All that a run needs. With S stations: `routes[from][band]` are S + 2 probabilities, of each station, of home
    and of death. The last row, `routes[S]`, is home's: who returns, to which station after a delay (`home_delays`
    by band), and who never does. `holds[from]` names the stations for which a place is held while waiting.
    `people` counts the population by band where it is known.
    """

    name: str
    bands: tuple[str, ...]
    stations: tuple[Station, ...]
    arrivals: tuple[Arrivals, ...]
    routes: tuple[tuple[tuple[float, ...], ...], ...]
    holds: tuple[frozenset[int], ...] = ()
    home_delays: tuple[Stay, ...] = ()
    census: tuple[Held, ...] = ()
    start_date: date = date(2026, 4, 1)
    people: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.holds:
            object.__setattr__(self, "holds", (frozenset[int](),) * len(self.stations))
        if not self.home_delays:
            object.__setattr__(self, "home_delays", (Stay("exponential", 1.0),) * len(self.bands))
        check(self)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every destination: the stations, home and death."""
        return (*(station.name for station in self.stations), "home", "death")

    def with_(self, **places: int) -> Place:
        """The same place with other numbers of places from the first day on, by name of the station."""
        if unknown := places.keys() - {station.name for station in self.stations}:
            raise PlaceError(f"no station is called {', '.join(sorted(unknown))}")
        stations = tuple(
            replace(each, places=((0, places[each.name]),)) if each.name in places else each for each in self.stations
        )
        return replace(self, stations=stations)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What comes to a station in the long run, were there always places: admissions a day, places (or visits a
    day) that they would use, and these as a share of its places at the start. From 1 on, the queue only grows."""

    station: str
    admissions_per_day: float
    offered: float
    places: int
    intensity: float


def traffic(place: Place, days: int = 364) -> tuple[Traffic, ...]:
    """The offered load of each station, from the mean rates of the first `days` days.

    The flow through the routes is linear (Jackson 1957): with E arrivals from outside and P the routes of a band,
    the admissions are the solution of x = E + P'x. Those who are there at the start are left out.
    """
    stations, bands = len(place.stations), len(place.bands)
    outside = np.zeros((bands, stations + 1))
    for stream in place.arrivals:
        outside[:, stream.to] += np.mean(stream.on(days), axis=0)
    routes = np.array(place.routes)[:, :, : stations + 1]
    routes[stations, :, stations] = 0.0  # who stays at home does not come again
    flow = [np.linalg.solve(np.eye(stations + 1) - routes[:, band].T, outside[band]) for band in range(bands)]
    rows = []
    for at, station in enumerate(place.stations):
        visits = (station.first_visits + station.last_visits) / 2
        offered = sum(float(flow[band][at]) * stay.mean_days * visits for band, stay in enumerate(station.stays))
        first = station.places[0][1]
        admitted = sum(float(each[at]) for each in flow)
        rows.append(Traffic(station.name, admitted, offered, first, offered / first if first else math.inf))
    return tuple(rows)


def check(place: Place) -> None:
    """Raise PlaceError, naming what is wrong, unless the place can be run."""
    if not place.stations or not place.bands:
        raise PlaceError("a place needs at least one station and one band")
    if len(place.stations) > MOST_STATIONS or len(place.bands) > MOST_STATIONS:
        raise PlaceError(f"a place may have at most {MOST_STATIONS} stations and {MOST_STATIONS} bands")
    if len(set(place.names)) < len(place.names):
        raise PlaceError("every station needs a name of its own, other than home and death")
    if len(place.home_delays) != len(place.bands):
        raise PlaceError(f"the delays at home need {len(place.bands)} stays, one a band")
    for station in place.stations:
        _check_station(station, place.bands)
    for stream in place.arrivals:
        _check_arrivals(stream, place)
    _check_routes(place)
    _check_census(place)
    if ring := _ring(place):
        raise PlaceError(
            f"{' -> '.join(ring)}: places held in a ring can all wait for one another. "
            "Let one of these routes not hold the place."
        )


def _check_station(station: Station, bands: tuple[str, ...]) -> None:
    days = [day for day, _ in station.places]
    if not days or days[0] != 0 or days != sorted(set(days)):
        raise PlaceError(f"{station.name}: places need a first day of 0 and then later days in order")
    if any(count < 0 for _, count in station.places):
        raise PlaceError(f"{station.name}: places cannot be below 0")
    if len(station.stays) != len(bands):
        raise PlaceError(f"{station.name}: {len(station.stays)} stays for {len(bands)} bands")
    if not 1 <= station.last_visits <= station.first_visits <= MOST_VISITS:
        raise PlaceError(f"{station.name}: visits a day must fall from at most {MOST_VISITS} to at least 1")


def _check_arrivals(stream: Arrivals, place: Place) -> None:
    if not 0 <= stream.to < len(place.stations):
        raise PlaceError(f"arrivals {stream.name}: there is no station {stream.to}")
    if not 1 <= stream.repeat_days <= len(stream.rates_per_day):
        raise PlaceError(f"arrivals {stream.name}: repeat_days must be between 1 and the number of rows")
    for day, rates in enumerate(stream.rates_per_day):
        if len(rates) != len(place.bands) or not all(math.isfinite(rate) and rate >= 0 for rate in rates):
            raise PlaceError(f"arrivals {stream.name}, day {day}: a rate from 0 up is needed for each band")


def _check_routes(place: Place) -> None:
    names, stations = place.names, len(place.stations)
    if len(place.routes) != stations + 1 or any(len(rows) != len(place.bands) for rows in place.routes):
        raise PlaceError("routes are needed from every station and from home, for each band")
    for at, rows in enumerate(place.routes):
        for band, row in zip(place.bands, rows, strict=True):
            where = f"route from {names[at]}, {band}"
            if len(row) != stations + 2 or not all(0 <= p <= 1 for p in row):
                raise PlaceError(f"{where}: a probability from 0 to 1 is needed for each station, home and death")
            if abs(sum(row) - 1) > CLOSE:
                raise PlaceError(f"{where}: the probabilities sum to {sum(row):.6g}, not to 1")
    if len(place.holds) != stations or any(not 0 <= to < stations for held in place.holds for to in held):
        raise PlaceError("a place can be held by a station only, for stations only")
    for number, band in enumerate(place.bands):
        if kept := caught(place.routes, number):
            raise PlaceError(f"{band}: nobody who comes to {', '.join(names[at] for at in kept)} ever leaves the place")


def caught(routes: Sequence[Sequence[Sequence[float]]], band: int) -> list[int]:
    """The stations (and home, the last row) that nobody of a band ever leaves the place from: there must be a way to
    death, or to home for good.

    >>> caught([[[0, 1, 0]], [[1, 0, 0]]], band=0)  # whoever is home returns
    [0, 1]
    """
    home, death = len(routes) - 1, len(routes)
    out = {home} if routes[home][band][home] or routes[home][band][death] else set()
    while more := {
        at
        for at in range(home + 1)
        if at not in out and any(p and (to == death or to in out) for to, p in enumerate(routes[at][band]))
    }:
        out |= more
    return [at for at in range(home + 1) if at not in out]


def _check_census(place: Place) -> None:
    for number, held in enumerate(place.census, start=1):
        if held.band not in range(len(place.bands)):
            raise PlaceError(f"census, person {number}: there is no band {held.band}")
        if any(at is not None and at not in range(len(place.stations)) for at in (held.station, held.waiting_for)):
            raise PlaceError(f"census, person {number}: there is no such station")
        if fault := held_fault(held, place.stations, place.holds):
            raise PlaceError(f"census, person {number}: {fault}")


def held_fault(held: Held, stations: Sequence[Station], holds: Sequence[frozenset[int]]) -> str | None:
    """Why nobody can be there at the start like that, in words; None where somebody can."""
    at, to = held.station, held.waiting_for
    if not (math.isfinite(held.days) and held.days >= 0):
        return f"the days so far must be from 0 up, not {held.days:g}"
    if at is not None and to is not None:
        kept = to in holds[at]
        return None if kept else f"{stations[at].name} holds no place for {stations[to].name}, so nobody waits there"
    if at is not None:
        lasts = stations[at].stays[held.band].survival(held.days) > 0
        return None if lasts else f"no stay at {stations[at].name} lasts {held.days:g} days"
    if to is None:
        return "a station, or one that is waited for, is needed"
    return f"{stations[to].name} turns away, so nobody waits for it" if stations[to].turns_away else None


def _ring(place: Place) -> list[str] | None:
    """The names along a ring of held places, if there is one."""
    onward = {
        at: {to for to in place.holds[at] if any(row[to] for row in place.routes[at])}
        | {held.waiting_for for held in place.census if held.station == at and held.waiting_for is not None}
        for at in range(len(place.stations))
    }
    done: set[int] = set()

    def walk(at: int, path: list[int]) -> list[int] | None:
        if at in path:
            return [*path[path.index(at) :], at]
        if at in done:
            return None
        found = next((ring for to in sorted(onward[at]) if (ring := walk(to, [*path, at]))), None)
        done.add(at)
        return found

    return next(([place.names[at] for at in ring] for start in onward if (ring := walk(start, []))), None)
