"""What the kernel works on: a place in numbers, the results of a replication, and its people.

Without Numba, so that whoever only prepares or reads does not wait for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# What the log tells, by position.
LOG_EVENTS = ("arrived", "started", "ready", "left", "returned", "turned_away", "died", "home")
# Persons of the census are numbered from here, so that they share no draw with those who arrive.
CENSUS_FROM = 2**31
SHAPES = ("exponential", "lognormal", "fixed")

PERSON = np.dtype(
    (
        np.record,
        [
            ("asked", np.float64),  # when the station that is waited for was asked
            ("since", np.float64),  # when the present stay began
            ("part", np.float64),  # days until a visit fewer, or until the stay ends
            ("id", np.uint32),
            ("stage", np.uint32),
            ("next", np.int32),  # behind this one in the queue
            ("band", np.uint8),
            ("at", np.int8),  # the station where a place is held, or NOWHERE, or GONE
            ("to", np.uint8),
            ("visits", np.uint8),
        ],
    )
)
EVENT = np.dtype((np.record, [("time", np.float64), ("person", np.int64)]))
STATION = np.dtype(
    (
        np.record,
        [
            ("last", np.float64),
            ("used_days", np.float64),
            ("ready_days", np.float64),
            ("waiting_days", np.float64),
            ("places", np.int64),
            ("used", np.int64),
            ("people", np.int64),
            ("ready", np.int64),
            ("waiting", np.int64),
            ("head", np.int64),
            ("tail", np.int64),
            ("queued", np.int64),  # 1 while it is in World.todo
        ],
    )
)
LOG = np.dtype(
    (
        np.record,
        [("days", np.float64), ("person", np.uint32), ("what", np.uint8), ("station", np.int8), ("band", np.uint8)],
    )
)


class Tables(NamedTuple):
    """A place in numbers, for S stations, B bands, J streams of arrivals and D days. Row S of `shape`, `scale`,
    `spread` and `routes` is home; `routes` and `shares` are cumulative."""

    places: NDArray[np.int64]  # D + 1, S
    first_visits: NDArray[np.int64]
    last_visits: NDArray[np.int64]
    turns_away: NDArray[np.bool_]
    shape: NDArray[np.int64]  # S + 1, B
    scale: NDArray[np.float64]  # the mean, or that of the logarithm
    spread: NDArray[np.float64]
    routes: NDArray[np.float64]  # S + 1, B, S + 2
    holds: NDArray[np.bool_]  # S, S + 2
    rates: NDArray[np.float64]  # D
    shares: NDArray[np.float64]  # D, J
    stream_to: NDArray[np.int64]
    stream_band: NDArray[np.int64]
    census: NDArray[np.int64]  # person, (number, band, station or -1, waiting for or -1), the longest waiting first
    census_days: NDArray[np.float64]  # person, (days so far, share of stays that last longer)


class Results(NamedTuple):
    """What one replication fills. See simulate.Runs, whose arrays these are rows of."""

    occupied_days: NDArray[np.float64]
    used_days: NDArray[np.float64]
    ready_days: NDArray[np.float64]
    waiting_days: NDArray[np.float64]
    delayed_days: NDArray[np.float64]
    waited_days: NDArray[np.float64]
    waited_over_12h: NDArray[np.int64]
    arrivals: NDArray[np.int64]
    turned_away: NDArray[np.int64]
    admissions: NDArray[np.int64]
    moves: NDArray[np.int64]
    midnights: NDArray[np.int32]
    events: NDArray[np.int64]


class World(NamedTuple):
    """One replication as it stands."""

    seed: np.uint64
    rep: np.uint64
    antithetic: bool
    warmup: float
    end: float
    tables: Tables
    results: Results
    stations: NDArray[Any]
    persons: NDArray[Any]
    heap: NDArray[Any]
    free: NDArray[np.int64]
    todo: NDArray[np.int64]
    count: NDArray[np.int64]
    log: NDArray[Any]
