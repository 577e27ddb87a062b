"""Queues that mathematics has solved: closed forms, and one Markov chain solved state by state.

Rates are per day and times in days. `load` is the rate of arrivals times the mean stay: the places that would be
taken if there were always enough. Nothing of the twin's own arithmetic is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

Survival = Callable[[float], float]


class Steady(NamedTuple):
    """What a queue tends to: places in use, people waiting, their mean wait, and the share that wait at all."""

    occupied: float
    waiting: float
    wait_days: float
    must_wait: float


def erlang_b(load: float, places: int) -> float:
    """The share of arrivals that find every place taken, when nobody waits. The same for every shape of stay.

    >>> erlang_b(2.0, 2)
    0.4
    """
    blocked = 1.0
    for place in range(1, places + 1):
        blocked = load * blocked / (place + load * blocked)
    return blocked


def erlang_c(rate: float, mean_days: float, places: int) -> Steady:
    """M/M/c: Poisson arrivals, exponential stays, first come, first served (Erlang 1917)."""
    load = rate * mean_days
    lost = erlang_b(load, places)
    must_wait = lost / (1 - load / places * (1 - lost))
    wait = must_wait * mean_days / (places - load)
    return Steady(load, rate * wait, wait, must_wait)


def pollaczek_khinchine(rate: float, mean_days: float, mean_square: float) -> Steady:
    """M/G/1: one place, any stay with this mean and this mean of its square."""
    load = rate * mean_days
    wait = rate * mean_square / 2 / (1 - load)
    return Steady(load, rate * wait, wait, load)


def lognormal(mean_days: float, cv: float) -> Survival:
    """The share of stays that last longer than so many days, where their logarithms are normal."""
    variance = math.log1p(cv**2)
    logarithm = NormalDist(math.log(mean_days) - variance / 2, math.sqrt(variance))
    return lambda days: 1 - logarithm.cdf(math.log(days)) if days > 0 else 1.0


def lasting(survival: Survival, days: int, parts: int = 400) -> list[float]:
    """The mean of the part of a stay within its first 0, 1, 2 ... days: the area under its survival, added up."""
    area = [0.0]
    for day in range(days):
        steps = parts if day == 0 else parts // 10
        area.append(area[-1] + sum(survival(day + (n + 0.5) / steps) for n in range(steps)) / steps)
    return area


def endless_places(rates: Sequence[float], survival: Survival) -> list[float]:
    """Mt/G/infinity from an empty start: the mean number in place at each midnight; the count is Poisson.

    `rates` has the arrivals of each day, spread evenly over it.
    """
    area = lasting(survival, len(rates))
    return [sum(rates[d] * (area[t - d] - area[t - d - 1]) for d in range(t)) for t in range(len(rates) + 1)]


def visits_by_station(outside: Sequence[float], routes: Sequence[Sequence[float]]) -> list[float]:
    """The rate of admissions to each station of an open network, from the rates from outside and the routes."""
    moves = np.array(routes)
    return [float(rate) for rate in np.linalg.solve(np.eye(len(moves)) - moves.T, np.array(outside))]


class Chain(NamedTuple):
    """Two stations of which the first keeps whoever the second has no place for."""

    first_in_place: float
    first_ready: float
    first_waiting: float
    second_in_place: float


def blocking_chain(rate: float, means: tuple[float, float], places: tuple[int, int], most: int = 120) -> Chain:
    """Everyone goes from a first to a second station, exponential stays, blocking after service.

    Solves the balance of every state (people at the first station or waiting for it, up to `most`; of them ready;
    people at the second station) as linear equations.
    """
    first, second = places
    states = [(x, 0, y) for x in range(most + 1) for y in range(second + 1)]
    states += [(x, b, second) for b in range(1, first + 1) for x in range(b, most + 1)]
    number = {state: i for i, state in enumerate(states)}
    flow = np.zeros((len(states), len(states)))
    for (x, b, y), i in number.items():
        served = min(x, first) - b
        ready = (x - 1, b, y + 1) if y < second else (x, b + 1, y)
        freed = (x - 1, b - 1, y) if b else (x, b, y - 1)
        for state, pace in ((x + 1, b, y), rate), (ready, served / means[0]), (freed, y / means[1]):
            if pace and state in number:
                flow[i, number[state]] += pace
                flow[i, i] -= pace
    # The balances are one too many; that probabilities add up to one takes the place of the last.
    equations = np.vstack([flow.T[:-1], np.ones(len(states))])
    share = np.linalg.solve(equations, np.eye(len(states))[-1])
    people, ready, next_door = np.array(states).T
    in_place = np.minimum(people, first)
    means_of = (share @ in_place, share @ ready, share @ (people - in_place), share @ next_door)
    return Chain(*(float(mean) for mean in means_of))


def at_least(floor: int, people: int, chance: float) -> float:
    """The mean of the larger of `floor` and the number of `people` still there, each with this chance.

    >>> at_least(1, 1, 0.5)
    1.0
    """
    return sum(
        max(floor, k) * math.comb(people, k) * chance**k * (1 - chance) ** (people - k) for k in range(people + 1)
    )
