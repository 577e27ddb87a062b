"""Running a place: replications side by side, and the same whoever runs which of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from joinery.calc.twin.network import Place
from joinery.calc.twin.world import CENSUS_FROM, EVENT, LOG, PERSON, SHAPES, STATION, Results, Tables, World

if TYPE_CHECKING:
    from joinery.calc.twin.network import Arrivals

# Persons for whom a replication has room at first; it doubles as they come.
FIRST_PERSONS = 1024
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
    midnights: NDArray[np.int32]  # R, days + 1, S, 3: in a place; ready, of these; waiting for the station
    events: NDArray[np.int64]  # R, 1

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
    told how many replications are done. Raises ValueError for days, replications, seeds or workers that cannot be.
    """
    _check_run(days, warmup_days, reps, seed, workers, first_rep)
    from joinery.calc.twin.kernel import replicate

    tables = tabulate(place, days)
    results = _results(len(place.stations), len(place.bands), days, reps)

    def one(row: int) -> None:
        mine = Results(*(each[row] for each in results))
        replicate(_world(tables, mine, days, warmup_days, seed, first_rep + row, antithetic))

    if workers == 1:
        _count(map(one, range(reps)), progress)
    else:
        with ThreadPoolExecutor(workers) as pool:
            _count(pool.map(one, range(reps)), progress)
    return Runs(place, days, warmup_days, seed, first_rep, *results)


def log(place: Place, days: int, seed: int = 1, rep: int = 0) -> Log:
    """The log of one replication: of the very same people as in `run` with this seed."""
    _check_run(days, 0, 1, seed, 1, rep)
    from joinery.calc.twin.kernel import LOGGED, replicate

    tables = tabulate(place, days)
    events = int(run(place, days, seed=seed, first_rep=rep).events[0, 0])
    results = _results(len(place.stations), len(place.bands), days, 1)
    # An event writes at most five rows of its own, and one place that gets free can admit a queue: each of those
    # admitted has had an event before.
    world = _world(tables, Results(*(each[0] for each in results)), days, 0, seed, rep, False)
    world = world._replace(log=np.zeros(8 * (events + len(place.census)) + 1, LOG))
    replicate(world)
    rows = world.log[: int(world.count[LOGGED])]
    rows = rows[np.argsort(rows["days"], kind="stable")]
    return Log(*(np.ascontiguousarray(rows[each.name]) for each in fields(Log)))


def tabulate(place: Place, days: int) -> Tables:
    """The place in numbers, for a run of `days` days."""
    stays = [*(station.stays for station in place.stations), place.home_delays]
    streams = [(stream, band) for stream in place.arrivals for band in range(len(place.bands))]
    by_stream = np.hstack([np.zeros((days + 1, 0)), *(np.array(each.on(days + 1)) for each in place.arrivals)])
    rates = by_stream.sum(axis=1)
    shares = np.divide(by_stream, rates[:, None], out=np.zeros_like(by_stream), where=rates[:, None] > 0)
    holds = np.zeros((len(place.stations), len(place.stations) + 2), np.bool_)
    for at, held in enumerate(place.holds):
        holds[at, list(held)] = True
    return Tables(
        places=np.array([station.places_on(days + 1) for station in place.stations], np.int64).T.copy(),
        first_visits=np.array([station.first_visits for station in place.stations], np.int64),
        last_visits=np.array([station.last_visits for station in place.stations], np.int64),
        turns_away=np.array([station.turns_away for station in place.stations], np.bool_),
        shape=np.array([[SHAPES.index(stay.shape) for stay in row] for row in stays], np.int64),
        scale=np.array([[s.logs[0] if s.shape == "lognormal" else s.mean_days for s in row] for row in stays]),
        spread=np.array([[s.logs[1] if s.shape == "lognormal" else 0.0 for s in row] for row in stays]),
        routes=_cumulative(np.array(place.routes, np.float64)),
        holds=holds,
        rates=rates,
        shares=_cumulative(shares),
        stream_to=np.array([stream.to for stream, _ in streams], np.int64),
        stream_band=np.array([band for _, band in streams], np.int64),
        **_census(place),
    )


def _cumulative(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums along the last axis: exactly 1 from the last share above 0 on, so that what has none is never drawn."""
    sums = np.cumsum(shares, axis=-1)
    still_to_come = np.cumsum(shares[..., ::-1], axis=-1)[..., ::-1] - shares
    sums[(still_to_come <= 0) & (sums > 0)] = 1.0
    return sums


def _census(place: Place) -> dict[str, NDArray[Any]]:
    rows = [
        (
            CENSUS_FROM + number,
            held.band,
            -1 if held.station is None else held.station,
            -1 if held.waiting_for is None else held.waiting_for,
        )
        for number, held in enumerate(place.census)
    ]
    longer = [
        1.0 if held.station is None else place.stations[held.station].stays[held.band].survival(held.days)
        for held in place.census
    ]
    order = sorted(range(len(rows)), key=lambda number: -place.census[number].days)
    return {
        "census": np.array([rows[number] for number in order], np.int64).reshape(-1, 4),
        "census_days": np.array([(place.census[n].days, longer[n]) for n in order], np.float64).reshape(-1, 2),
    }


def _results(stations: int, bands: int, days: int, reps: int) -> Results:
    each = (reps, stations, bands)
    return Results(
        occupied_days=np.zeros(each),
        used_days=np.zeros(each[:2]),
        ready_days=np.zeros(each[:2]),
        waiting_days=np.zeros(each[:2]),
        delayed_days=np.zeros((reps, stations, stations, bands)),
        waited_days=np.zeros(each),
        waited_over_12h=np.zeros(each, np.int64),
        arrivals=np.zeros(each, np.int64),
        turned_away=np.zeros(each, np.int64),
        admissions=np.zeros(each, np.int64),
        moves=np.zeros((reps, stations + 1, stations + 2, bands), np.int64),
        midnights=np.zeros((reps, days + 1, stations, 3), np.int32),
        events=np.zeros((reps, 1), np.int64),
    )


def _world(
    tables: Tables, results: Results, days: int, warmup_days: int, seed: int, rep: int, antithetic: bool
) -> World:
    stations = np.zeros(len(tables.first_visits), STATION)
    stations["head"] = stations["tail"] = -1
    return World(
        seed=np.uint64(seed),
        rep=np.uint64(rep),
        antithetic=antithetic,
        warmup=float(warmup_days),
        end=float(days),
        tables=tables,
        results=results,
        stations=stations,
        persons=np.zeros(FIRST_PERSONS, PERSON),
        heap=np.zeros(FIRST_PERSONS, EVENT),
        free=np.zeros(FIRST_PERSONS, np.int64),
        todo=np.zeros(len(stations), np.int64),
        count=np.zeros(3, np.int64),
        log=np.zeros(0, LOG),
    )


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
