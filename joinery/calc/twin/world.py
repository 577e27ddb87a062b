"""What the kernel works on, in a few arrays of records: Numba passes few arrays fast, and many slowly.

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
NOBODY, NOWHERE, GONE = -1, -1, -2


def _records(**fields: type[np.generic]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(list(fields.items()), align=True)))


# One replication: its luck, its clock, and where its lists begin.
CLOCK = _records(
    seed=np.uint64,
    rep=np.uint64,
    antithetic=np.bool_,
    warmup=np.float64,
    end=np.float64,
    arrival=np.float64,  # when the next person arrives,
    stream=np.int64,  # in which stream,
    arrived=np.int64,  # with which number;
    rate_day=np.int64,  # the day of that arrival's rate,
    rate_left=np.float64,  # and what is left of that day
    day=np.int64,  # the next midnight
    events=np.int64,
    pending=np.int64,  # events in the heap
    free=np.int64,  # the first free person
    logged=np.int64,
)
STATION = _records(
    last=np.float64,  # when the sums over time below were brought up to date
    used_days=np.float64,
    ready_days=np.float64,
    waiting_days=np.float64,
    places=np.int64,
    used=np.int64,
    people=np.int64,
    ready=np.int64,
    waiting=np.int64,
    head=np.int64,
    tail=np.int64,
    serve_next=np.int64,  # the station to serve after this one, while it is listed
    listed=np.bool_,
    turns_away=np.bool_,
    first_visits=np.uint8,
    last_visits=np.uint8,
)
# A station and a band: the stay (`scale` is its mean, or that of the logarithm), and what is counted.
CELL = _records(
    form=np.int64,  # of SHAPES
    scale=np.float64,
    spread=np.float64,
    occupied_days=np.float64,
    waited_days=np.float64,
    waited_over_12h=np.int64,
    arrivals=np.int64,
    turned_away=np.int64,
    admissions=np.int64,
)
# From a station, in a band, to a destination: its route, with the shares summed up to it, and what is counted.
WAY = _records(share=np.float64, holds=np.bool_, moves=np.int64, delayed_days=np.float64)
PERSON = _records(
    asked=np.float64,  # when the station that is waited for was asked
    since=np.float64,  # when the present stay began
    part=np.float64,  # days until a visit fewer, or until the stay ends
    id=np.uint32,
    stage=np.uint32,
    next=np.int32,  # behind this one in the queue, or among the free
    band=np.uint8,
    at=np.int8,  # the station where a place is held, or NOWHERE, or GONE
    to=np.uint8,
    visits=np.uint8,
)
EVENT = _records(time=np.float64, person=np.int64)
LOG = _records(days=np.float64, person=np.uint32, what=np.uint8, station=np.int8, band=np.uint8)
# Who is there at the start: the days so far, and the share of stays that last longer than these.
HELD = _records(id=np.int64, band=np.int64, at=np.int64, waiting_for=np.int64, days=np.float64, longer=np.float64)


class World(NamedTuple):
    """One replication as it stands, of S stations and B bands; row S of `cells` and `ways` is home."""

    clock: NDArray[Any]  # 1
    stations: NDArray[Any]  # S
    cells: NDArray[Any]  # S + 1, B
    ways: NDArray[Any]  # S + 1, B, S + 2
    persons: NDArray[Any]
    heap: NDArray[Any]  # where nothing is to come, at no time: as many as persons, and three more
    log: NDArray[Any]  # empty where none is wanted


class Calendar(NamedTuple):
    """What changes with the days, for D days and J streams of arrivals; and the midnights as they were."""

    places: NDArray[np.int64]  # D + 1, S
    rates: NDArray[np.float64]  # D + 1
    shares: NDArray[np.float64]  # D + 1, J, each summed up to its stream
    stream_to: NDArray[np.int64]
    stream_band: NDArray[np.int64]
    midnights: NDArray[np.int32]  # D + 1, S, 3
