"""Running a place: replications side by side, and the same whoever runs which of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from joinery.calc.twin.network import Place, PlaceError
from joinery.calc.twin.world import (
    CELL,
    CENSUS_FROM,
    CLOCK,
    EVENT,
    GONE,
    HELD,
    LOG,
    NOBODY,
    NOWHERE,
    PERSON,
    SHAPES,
    STATION,
    WAY,
    Calendar,
    World,
)

# Persons for whom a replication has room at first; it doubles as they come.
FIRST_PERSONS = 1024
# Where so many are there at once, queues only grow, and each thread has filled half a gigabyte.
MOST_PERSONS = 2**23
# Seeds and replications are one word each of the key of every draw.
WORD = 2**32


@dataclass(frozen=True)
class Runs:
    """What happened in R replications of a place with S stations and B bands, from the end of the warm-up on.

    Days are person-days unless said otherwise. Whoever is ready and holds a place is counted where they are;
    whoever waits is counted at the station that they wait for.
    """

    place: Place
    days: int
    warmup_days: int
    seed: int
    first_rep: int
    occupied_days: NDArray[np.float64]  # R, S, B: in a place, those who are ready to go on included
    used_days: NDArray[np.float64]  # R, S: places, or visits a day, in use
    ready_days: NDArray[np.float64]  # R, S: ready to go on, and holding a place
    waiting_days: NDArray[np.float64]  # R, S: waiting for the station, with a place elsewhere or without
    delayed_days: NDArray[np.float64]  # R, from S, for S, B: ready, and holding a place
    waited_days: NDArray[np.float64]  # R, S, B: whole waits of those admitted
    waited_over_12h: NDArray[np.int64]  # R, S, B: admitted after a wait of more than half a day
    arrivals: NDArray[np.int64]  # R, S, B: from outside
    turned_away: NDArray[np.int64]  # R, S, B
    admissions: NDArray[np.int64]  # R, S, B
    moves: NDArray[np.int64]  # R, from S + 1, to S + 2, B: home is S and death S + 1
    midnights: NDArray[
        np.int32
    ]  # R (or only the first of them), days + 1, S, 3: in a place; ready, of these; waiting for the station
    events: NDArray[np.int64]  # R: ends of stays and the like, and arrivals

    @property
    def returns(self) -> NDArray[np.int64]:
        """R, S, B: those who came back from home to a station."""
        stations = len(self.place.stations)
        return self.moves[:, stations, :stations]


@dataclass(frozen=True)
class Log:
    """What happened in one replication, person by person, in order of time. Positions in `what` are of
    world.LOG_EVENTS; persons of the census are numbered from world.CENSUS_FROM in its order."""

    person: NDArray[np.uint32]
    days: NDArray[np.float64]
    what: NDArray[np.uint8]
    station: NDArray[np.int8]
    band: NDArray[np.uint8]


def run(
    place: Place,
    days: int,
    warmup_days: int = 0,
    reps: int = 1,
    seed: int = 1,
    workers: int = 1,
    first_rep: int = 0,
    antithetic: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Runs:
    """Run replications `first_rep`, `first_rep` + 1, ... of `days` days each on `workers` threads.

    The results depend on the place, the days, the seed and the number of each replication alone. `progress` is
    told how many replications are done. Raises ValueError for days, replications, seeds or workers that cannot be,
    and PlaceError where queues outgrow the memory.
    """
    _check_run(days, warmup_days, reps, seed, workers, first_rep)
    model = Model(place, days, warmup_days, seed, antithetic)
    runs = _room(place, days, warmup_days, reps, seed, first_rep)

    def one(row: int) -> None:
        _keep(runs, row, model.replicate(first_rep + row, runs.midnights[row]))

    if workers == 1:
        _count(map(one, range(reps)), progress)
    else:
        with ThreadPoolExecutor(workers) as pool:
            _count(pool.map(one, range(reps)), progress)
    return runs


def log(place: Place, days: int, seed: int = 1, rep: int = 0, plain: bool = False) -> Log:
    """The log of one replication: of the very same people as in `run` with this seed.

    Where `plain`, Python runs it: for a small place, at once and without compiling anything.
    """
    _check_run(days, 0, 1, seed, 1, rep)
    model, midnights = Model(place, days, 0, seed), np.zeros((days + 1, len(place.stations), 3), np.int32)
    events = int(model.replicate(rep, midnights, plain=plain).clock[0].events)
    # An event tells at most six things of its own person, and every admission from a queue had an event before.
    world = model.replicate(rep, midnights, log_rows=8 * (events + len(place.census)) + 1, plain=plain)
    rows = world.log[: world.clock[0].logged]
    rows = rows[np.argsort(rows["days"], kind="stable")]
    return Log(*(np.ascontiguousarray(rows[each.name]) for each in fields(Log)))


class Model:
    """A place in numbers, ready for any replication of a run."""

    def __init__(self, place: Place, days: int, warmup_days: int, seed: int, antithetic: bool = False) -> None:
        self.stations, self.cells, self.ways = _stations(place), _cells(place), _ways(place)
        self.calendar, self.held = _calendar(place, days), _held(place)
        self.clock = np.zeros(1, CLOCK)
        clock = self.clock[0]
        clock.seed, clock.antithetic, clock.warmup, clock.end = seed, antithetic, warmup_days, days
        clock.rate_left, clock.free = 1.0, NOBODY

    def replicate(self, rep: int, midnights: NDArray[np.int32], log_rows: int = 0, plain: bool = False) -> World:
        """One replication as it stands at its end, and its `midnights` filled in."""
        from joinery.calc.twin.kernel import go_on, start
        from joinery.calc.twin.plain import plainly

        if plain:
            start, go_on = plainly(start), plainly(go_on)
        persons = max(FIRST_PERSONS, 2 * len(self.held))
        room = (np.zeros(persons, PERSON), _no_events(persons + 3), np.zeros(log_rows, LOG))
        world = World(self.clock.copy(), self.stations.copy(), self.cells.copy(), self.ways.copy(), *room)
        world.clock["rep"] = rep
        calendar = self.calendar._replace(midnights=midnights)
        start(world, calendar, self.held)
        while not go_on(world, calendar):
            world = _grow(world)
        return world


def _grow(world: World) -> World:
    """The same with room for twice as many people. Raises PlaceError where these are too many."""
    size = len(world.persons)
    if size >= MOST_PERSONS:
        raise PlaceError(f"{size:,} people are there at once, most of them waiting. Look at the load of each station")
    more = np.zeros(size, PERSON)
    more["at"], more["next"] = GONE, np.arange(size + 1, 2 * size + 1)
    more["next"][-1], world.clock["free"] = NOBODY, size
    persons, heap = np.concatenate([world.persons, more]), np.concatenate([world.heap, _no_events(size)])
    return world._replace(persons=persons, heap=heap)


def _no_events(count: int) -> NDArray[Any]:
    return np.array([(np.inf, 0)], EVENT).repeat(count)


def _stations(place: Place) -> NDArray[Any]:
    stations = np.zeros(len(place.stations), STATION)
    stations["head"] = stations["tail"] = NOBODY
    for name in ("first_visits", "last_visits", "turns_away"):
        stations[name] = [getattr(station, name) for station in place.stations]
    return stations


def _cells(place: Place) -> NDArray[Any]:
    stays = [*(station.stays for station in place.stations), place.home_delays]
    cells = np.zeros((len(stays), len(place.bands)), CELL)
    cells["form"] = [[SHAPES.index(stay.shape) for stay in row] for row in stays]
    both = [[stay.logs if stay.shape == "lognormal" else (stay.mean_days, 0.0) for stay in row] for row in stays]
    cells["scale"], cells["spread"] = np.moveaxis(np.array(both), -1, 0)
    return cells


def _ways(place: Place) -> NDArray[Any]:
    ways = np.zeros(np.shape(place.routes), WAY)
    ways["share"] = _summed(np.array(place.routes, np.float64))
    for at, held in enumerate(place.holds):
        ways["holds"][at, :, list(held)] = True
    return ways


def _calendar(place: Place, days: int) -> Calendar:
    streams = [(stream.to, band) for stream in place.arrivals for band in range(len(place.bands))]
    by_stream = np.hstack([np.zeros((days + 1, 0)), *(np.array(each.on(days + 1)) for each in place.arrivals)])
    rates = np.cumsum(by_stream, axis=1)[:, -1].copy() if streams else np.zeros(days + 1)
    shares = np.divide(by_stream, rates[:, None], out=np.zeros_like(by_stream), where=rates[:, None] > 0)
    to, band = np.array(streams, np.int64).reshape(-1, 2).T.copy()
    places = np.array([station.places_on(days + 1) for station in place.stations], np.int64).T.copy()
    return Calendar(places, rates, _summed(shares), to, band, np.zeros((0, 0, 0), np.int32))


def _summed(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums along the last axis: exactly 1 from the last share above 0 on, so that what has none is never drawn."""
    sums = np.cumsum(shares, axis=-1)
    still_to_come = np.cumsum(shares[..., ::-1], axis=-1)[..., ::-1] - shares
    sums[(still_to_come <= 0) & (sums > 0)] = 1.0
    return sums


def _held(place: Place) -> NDArray[Any]:
    """The census, the longest there first: so they stand in the queues."""
    held = np.zeros(len(place.census), HELD)
    for row, (number, each) in enumerate(sorted(enumerate(place.census), key=lambda one: -one[1].days)):
        at = NOWHERE if each.station is None else each.station
        waiting_for = NOWHERE if each.waiting_for is None else each.waiting_for
        longer = 1.0 if at == NOWHERE else place.stations[at].stays[each.band].survival(each.days)
        held[row] = (CENSUS_FROM + number, each.band, at, waiting_for, each.days, longer)
    return held


def _room(place: Place, days: int, warmup_days: int, reps: int, seed: int, first_rep: int) -> Runs:
    """Runs with nothing in them yet."""
    stations, each = len(place.stations), (reps, len(place.stations), len(place.bands))
    return Runs(
        place,
        days,
        warmup_days,
        seed,
        first_rep,
        occupied_days=np.zeros(each),
        used_days=np.zeros(each[:2]),
        ready_days=np.zeros(each[:2]),
        waiting_days=np.zeros(each[:2]),
        delayed_days=np.zeros((reps, stations, *each[1:])),
        waited_days=np.zeros(each),
        waited_over_12h=np.zeros(each, np.int64),
        arrivals=np.zeros(each, np.int64),
        turned_away=np.zeros(each, np.int64),
        admissions=np.zeros(each, np.int64),
        moves=np.zeros((reps, stations + 1, stations + 2, each[2]), np.int64),
        midnights=np.zeros((reps, days + 1, stations, 3), np.int32),
        events=np.zeros(reps, np.int64),
    )


def _keep(runs: Runs, row: int, world: World) -> None:
    """Copy what one replication counted into its row."""
    stations = len(world.stations)
    for name in ("used_days", "ready_days", "waiting_days"):
        getattr(runs, name)[row] = world.stations[name]
    for name in ("occupied_days", "waited_days", "waited_over_12h", "arrivals", "turned_away", "admissions"):
        getattr(runs, name)[row] = world.cells[name][:stations]
    runs.delayed_days[row] = world.ways["delayed_days"][:stations, :, :stations].transpose(0, 2, 1)
    runs.moves[row] = world.ways["moves"].transpose(0, 2, 1)
    runs.events[row] = world.clock[0].events


def _count(done: Iterator[None], progress: Callable[[int], None] | None) -> None:
    for number, _ in enumerate(done, 1):
        if progress:
            progress(number)


def _check_run(days: int, warmup_days: int, reps: int, seed: int, workers: int, first_rep: int) -> None:
    if not 0 <= warmup_days < days:
        raise ValueError(f"a run needs at least one day after its warm-up: {days} days, {warmup_days} of warm-up")
    if reps < 1 or workers < 1:
        raise ValueError("a run needs at least one replication and one worker")
    if not (0 <= seed < WORD and 0 <= first_rep <= WORD - reps):
        raise ValueError(f"seeds and replications are whole numbers from 0 to {WORD - 1}")
