"""What holds in every run of every place: nobody is lost, and Little's law, to the last person and day.

Small places are made up at random, with queues, held places, visits, returns from home, a census and two bands.
"""

from __future__ import annotations

import math
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from joinery.calc.twin.network import Held, Place, Station, Stay
from joinery.calc.twin.simulate import log, run
from joinery.calc.twin.world import LOG_EVENTS
from tests.known_results.places import DIES, HOME, place

PLACES = 12
DAYS, LAST_ARRIVAL = 90, 60
BANDS = 2


def small_place(seed: int, *, arrivals_end: bool) -> Place:
    """Three stations in a row of which each may hold places for those after it, and home with returns."""
    rng = random.Random(seed)

    def stay() -> Stay:
        return Stay(rng.choice(("exponential", "lognormal", "fixed")), rng.uniform(0.3, 4.0), rng.uniform(0.4, 1.8))

    def chances(*to: int | str) -> dict[int | str, float]:
        weights = [rng.random() for _ in to]
        return {where: weight / sum(weights) for where, weight in zip(to, weights, strict=True)}

    stations = tuple(
        Station(
            f"station {s}",
            ((0, rng.randint(4, 9)), (rng.randint(1, 40), rng.randint(4, 9))),
            (stay(), stay()),
            first_visits=(first := rng.choice((1, 1, 3))),
            last_visits=1 if first == 1 else rng.randint(1, 2),
            turns_away=rng.random() < 0.2,
        )
        for s in range(3)
    )
    routes = [
        [chances(1, 2, HOME, DIES) for _ in range(BANDS)],
        [chances(2, HOME, DIES) for _ in range(BANDS)],
        [chances(HOME, DIES) for _ in range(BANDS)],
        [{0: 0.3, HOME: 0.6, DIES: 0.1}, {1: 0.2, HOME: 0.8}],
    ]
    rates = [[rng.uniform(0.2, 1.5) for _ in range(BANDS)] for _ in range(LAST_ARRIVAL)]
    if arrivals_end:
        rates += [[0.0] * BANDS] * 7
    holds = (frozenset(to for to in (1, 2) if rng.random() < 0.7), frozenset({2}), frozenset[int]())
    census = [Held(rng.randrange(BANDS), rng.randrange(3), rng.uniform(0, 0.3)) for _ in range(3)]
    # Nobody waits for a station that turns people away.
    queues = [s for s in range(3) if not stations[s].turns_away]
    census += [Held(rng.randrange(BANDS), None, rng.uniform(0, 2), waiting_for=s) for s in queues]
    return place(stations, rates, routes, holds=holds, census=tuple(census), home_delays=(stay(), stay()))


@pytest.fixture(scope="module", params=range(PLACES))
def seed(request: pytest.FixtureRequest) -> int:
    return secrets.randbelow(2**32)


def test_nobody_is_lost(seed: int) -> None:
    """By station, what is there at the end is what was there before, and who came, less who went."""
    runs = run(small_place(seed, arrivals_end=False), DAYS, warmup_days=20, reps=5, seed=seed)
    before, after = runs.midnights[:, 20].astype(int), runs.midnights[:, -1].astype(int)
    came, went = runs.admissions.sum(axis=2), runs.moves[:, :3].sum(axis=(2, 3))
    assert np.array_equal(after[:, :, 0] - before[:, :, 0], came - went)
    # Those who wait and hold nothing came from outside, from home, or from a station that holds no place for them.
    held = np.array([[to in holds for to in range(3)] for holds in runs.place.holds])
    moved = runs.moves[:, :3, :3].sum(axis=3)
    asked = runs.arrivals.sum(axis=(1, 2)) + runs.returns.sum(axis=(1, 2)) + (moved * ~held).sum(axis=(1, 2))
    taken = runs.turned_away.sum(axis=(1, 2)) + came.sum(axis=1) - (moved * held).sum(axis=(1, 2))
    waiting = (after - before)[:, :, 2].sum(axis=1) - (after - before)[:, :, 1].sum(axis=1)
    assert np.array_equal(waiting, asked - taken)


def test_time_waited_is_the_time_that_people_waited(seed: int) -> None:
    """Little's law on each run in which everybody has left by the end: no averages, no edges."""
    runs = run(small_place(seed, arrivals_end=True), 600, reps=5, seed=seed)
    assert not runs.midnights[:, -1].any(), "somebody is still there"
    before = sum(held.days for held in runs.place.census if held.waiting_for is not None)
    assert runs.waited_days.sum(axis=(1, 2)) == pytest.approx(runs.waiting_days.sum(axis=1) + before)
    assert runs.delayed_days.sum(axis=(2, 3)) == pytest.approx(runs.ready_days)
    ended = runs.moves[:, :, 4].sum(axis=(1, 2)) + runs.moves[:, 3, 3].sum(axis=1) + runs.turned_away.sum(axis=(1, 2))
    assert np.array_equal(ended, runs.arrivals.sum(axis=(1, 2)) + len(runs.place.census))


class Spell(NamedTuple):
    """A stretch of somebody's time at a station, in days of the run."""

    station: int
    band: int
    start: float
    end: float

    def days(self) -> float:
        """The part of it within the run."""
        return max(0.0, min(self.end, DAYS) - max(self.start, 0.0))

    def midnights(self) -> range:
        """Those that count it: at equal times, midnight comes first. The start of the run is left out."""
        return range(max(1, math.floor(self.start) + 1), math.floor(min(self.end, DAYS)) + 1)


Step = tuple[float, str, int, int]  # day, what, station, band


def people(small: Place, seed: int) -> Iterator[list[Step]]:
    """What the log tells, person by person."""
    told = log(small, DAYS, seed=seed)
    order = np.argsort(told.person, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(told.person[order])) + 1):
        yield [(told.days[n], LOG_EVENTS[told.what[n]], int(told.station[n]), int(told.band[n])) for n in rows]


def spells(steps: list[Step], starts: set[str], ends: set[str]) -> Iterator[Spell]:
    """From each step that starts one to the next that ends it, or for ever."""
    for n, (start, what, at, band) in enumerate(steps):
        if what in starts:
            end = next((day for day, later, _, _ in steps[n + 1 :] if later in ends), math.inf)
            yield Spell(at, band, start, end)


def test_the_log_adds_up_to_the_run(seed: int) -> None:
    """Person by person, the log tells the same days in place, delays and waits, and the same counts at midnight."""
    small = small_place(seed, arrivals_end=False)
    runs = run(small, DAYS, reps=1, seed=seed)
    occupied, ready, waiting = np.zeros((3, BANDS)), np.zeros(3), 0.0
    midnights, all_waiting = np.zeros((DAYS + 1, 3, 2), int), np.zeros(DAYS + 1, int)
    counts: Counter[tuple[str, int, int]] = Counter()
    for steps in people(small, seed):
        for stay in spells(steps, {"started"}, {"left"}):
            occupied[stay.station, stay.band] += stay.days()
            midnights[stay.midnights(), stay.station, 0] += 1
        for delay in spells(steps, {"ready"}, {"left"}):
            ready[delay.station] += delay.days()
            midnights[delay.midnights(), delay.station, 1] += 1
        # The log does not say what a person waits for, so waits are held against those for all stations.
        for wait in spells(steps, {"arrived", "ready", "returned"}, {"started", "turned_away", "home", "died"}):
            waiting += wait.days()
            all_waiting[wait.midnights()] += 1
        counts.update((what, at, band) for day, what, at, band in steps if day >= 0)
    assert occupied == pytest.approx(runs.occupied_days[0])
    assert ready == pytest.approx(runs.ready_days[0])
    assert waiting == pytest.approx(runs.waiting_days[0].sum())
    assert np.array_equal(midnights[1:], runs.midnights[0, 1:, :, :2])
    assert np.array_equal(all_waiting[1:], runs.midnights[0, 1:, :, 2].sum(axis=1))
    for what, table in (("arrived", runs.arrivals), ("turned_away", runs.turned_away), ("returned", runs.returns)):
        assert all(counts[what, at, band] == count for (at, band), count in np.ndenumerate(table[0])), what
