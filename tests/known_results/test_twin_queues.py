"""Queues that mathematics has solved, run by the twin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from joinery.calc.twin.network import Place, Stay
from joinery.calc.twin.simulate import Runs, run
from tests.known_results.looks import Figure, agree
from tests.known_results.places import DIES, HOME, place, station
from tests.oracles import queues


def of_one(runs: Runs, steady: queues.Steady) -> dict[str, Figure]:
    """What a run of one station says of it, beside theory."""
    days = runs.days - runs.warmup_days
    admitted = runs.admissions.sum(axis=(1, 2))
    return {
        "occupied": Figure(runs.occupied_days.sum(axis=(1, 2)) / days, steady.occupied),
        "waiting": Figure(runs.waiting_days[:, 0] / days, steady.waiting),
        "wait": Figure(runs.waited_days.sum(axis=(1, 2)) / admitted, steady.wait_days),
    }


@pytest.mark.parametrize(("rate", "places"), [(0.7, 1), (6.0, 8), (45.0, 50)])
def test_exponential_stays_wait_as_erlang_found(rate: float, places: int) -> None:
    """M/M/c: people in place, people waiting, their wait, and how many wait longer than 12 hours."""
    steady = queues.erlang_c(rate, 1.0, places)
    late = steady.must_wait * math.exp(-(places - rate) / 2)
    days = int(12_000 / rate)

    def look(seed: int, reps: int) -> dict[str, Figure]:
        ward = place([station("ward", places, Stay("exponential", 1.0))], [[rate]])
        runs = run(ward, days + 200, warmup_days=200, reps=reps, seed=seed)
        over = runs.waited_over_12h.sum(axis=(1, 2)) / runs.admissions.sum(axis=(1, 2))
        return {**of_one(runs, steady), "over 12 hours": Figure(over, late)}

    agree(look, reps=60)


SHAPES = [Stay("exponential", 3.0), Stay("lognormal", 3.0, 2.0), Stay("fixed", 3.0)]


@pytest.mark.parametrize("stay", SHAPES, ids=lambda stay: stay.shape)
def test_who_is_turned_away_does_not_hang_on_the_shape_of_stays(stay: Stay) -> None:
    """M/G/c/c: Erlang's loss formula knows the mean of the stay and nothing else."""
    lost = queues.erlang_b(2.0 * 3.0, 7)

    def look(seed: int, reps: int) -> dict[str, Figure]:
        unit = place([station("unit", 7, stay, turns_away=True)], [[2.0]])
        runs = run(unit, 2_200, warmup_days=200, reps=reps, seed=seed)
        assert not runs.waiting_days.any()
        share = runs.turned_away.sum(axis=(1, 2)) / runs.arrivals.sum(axis=(1, 2))
        occupied = runs.occupied_days.sum(axis=(1, 2)) / 2_000
        return {"turned away": Figure(share, lost), "occupied": Figure(occupied, 6.0 * (1 - lost))}

    agree(look, reps=60)


@pytest.mark.parametrize(
    ("stays", "shares"),
    [
        ([Stay("lognormal", 0.6, 1.1)], [1.0]),
        ([Stay("fixed", 0.75)], [1.0]),
        ([Stay("exponential", 0.3), Stay("lognormal", 1.2, 0.5)], [0.7, 0.3]),
    ],
    ids=["lognormal", "fixed", "two bands"],
)
def test_one_place_waits_as_pollaczek_and_khinchine_found(stays: list[Stay], shares: list[float]) -> None:
    squares = {"exponential": 2.0, "fixed": 1.0}
    mean = sum(p * s.mean_days for p, s in zip(shares, stays, strict=True))
    square = sum(p * s.mean_days**2 * squares.get(s.shape, 1 + s.cv**2) for p, s in zip(shares, stays, strict=True))
    steady = queues.pollaczek_khinchine(1.0, mean, square)

    def look(seed: int, reps: int) -> dict[str, Figure]:
        desk = place([station("desk", 1, *stays)], [shares])
        return of_one(run(desk, 5_100, warmup_days=100, reps=reps, seed=seed), steady)

    agree(look, reps=60)


def test_visits_that_must_all_be_free_make_one_place() -> None:
    """Four visits a day, which the first day of a stay takes: nobody begins before the one before has ended."""
    steady = queues.pollaczek_khinchine(0.25, 2.4, 2.4**2 * (1 + 0.8**2))

    def look(seed: int, reps: int) -> dict[str, Figure]:
        stay = Stay("lognormal", 2.4, 0.8)
        team = place([station("team", 4, stay, first_visits=4, last_visits=1)], [[0.25]])
        runs = run(team, 8_200, warmup_days=200, reps=reps, seed=seed)
        used = Figure(runs.used_days[:, 0] / 8_000, 2.5 * steady.occupied)
        return {**of_one(runs, steady), "visits": used}

    agree(look, reps=60)


def test_stations_without_holding_are_each_their_own_queue() -> None:
    """Jackson: a network of exponential stations, with returns from home after a delay of any shape."""
    after = [
        [{1: 0.5, 2: 0.3, HOME: 0.2}, {1: 0.2, 2: 0.6, DIES: 0.2}],
        [{2: 0.4, HOME: 0.6}, {0: 0.1, DIES: 0.9}],
        [{HOME: 0.9, DIES: 0.1}, {HOME: 1.0}],
        [{0: 0.3, HOME: 0.7}, {1: 0.2, HOME: 0.8}],
    ]
    rates, means, places = [2.0, 1.0], [1.0, 2.0, 0.5], [6, 6, 2]
    admissions = [0.0] * 3
    for band, rate in enumerate(rates):
        chances = [[by_band[band].get(to, 0.0) for to in (0, 1, 2, HOME)] for by_band in after]
        chances[3][3] = 0.0  # who stays at home is not moving
        for s, found in enumerate(queues.visits_by_station([rate, 0, 0, 0], chances)[:3]):
            admissions[s] += found
    steady = [queues.erlang_c(*each) for each in zip(admissions, means, places, strict=True)]

    def network() -> Place:
        stations = [
            station(f"station {s}", places[s], Stay("exponential", means[s]), Stay("exponential", means[s]))
            for s in range(3)
        ]
        delays = (Stay("lognormal", 5.0, 1.5), Stay("fixed", 9.0))
        return place(stations, [rates], after, home_delays=delays)

    def look(seed: int, reps: int) -> dict[str, Figure]:
        runs = run(network(), 2_300, warmup_days=300, reps=reps, seed=seed)
        figures = {}
        for s, theory in enumerate(steady):
            figures[f"admissions {s}"] = Figure(runs.admissions[:, s].sum(axis=1) / 2_000, admissions[s])
            figures[f"occupied {s}"] = Figure(runs.occupied_days[:, s].sum(axis=1) / 2_000, theory.occupied)
            figures[f"waiting {s}"] = Figure(runs.waiting_days[:, s] / 2_000, theory.waiting)
        return figures

    agree(look, reps=60)


def test_a_full_service_blocks_the_one_before_it() -> None:
    """Blocking after service, as a Markov chain of 600 states has it."""
    chain = queues.blocking_chain(1.0, (1.0, 1.0), (3, 2))

    def look(seed: int, reps: int) -> dict[str, Figure]:
        one_day = Stay("exponential", 1.0)
        pair = place(
            [station("ward", 3, one_day), station("rehabilitation", 2, one_day)],
            [[1.0]],
            [[{1: 1.0}], [{DIES: 1.0}]],
            holds=(frozenset({1}), frozenset()),
        )
        runs = run(pair, 4_200, warmup_days=200, reps=reps, seed=seed)
        each_day = runs.occupied_days.sum(axis=2) / 4_000
        return {
            "in the ward": Figure(each_day[:, 0], chain.first_in_place),
            "of them ready": Figure(runs.delayed_days[:, 0, 1].sum(axis=1) / 4_000, chain.first_ready),
            "waiting for the ward": Figure(runs.waiting_days[:, 0] / 4_000, chain.first_waiting),
            "in rehabilitation": Figure(each_day[:, 1], chain.second_in_place),
            "waiting for rehabilitation": Figure(runs.waiting_days[:, 1] / 4_000, chain.first_ready),
        }

    agree(look, reps=60)


def test_the_rule_refuses_what_is_wrong() -> None:
    """Three looks let chance off, not a figure that is wrong by a fiftieth."""

    def look(seed: int, reps: int) -> dict[str, Figure]:
        drawn = np.random.default_rng(seed).exponential(1.0, (reps, 1_000)).mean(axis=1)
        return {"right": Figure(drawn, 1.0), "wrong": Figure(drawn, 1.02)}

    with pytest.raises(AssertionError, match="outside the 99 % interval\nwrong: "):
        agree(look, reps=60)
