"""The events of one run, one by one: compiled by Numba, and plain Python where NUMBA_DISABLE_JIT=1.

Everything is one file, though a long one: what Numba keeps on disk it compiles again when this file changes, and
would go on running what any other file used to say.

Every draw is a function of (seed, replication; person, stage, purpose): Philox4x32-10 (Salmon and others 2011).
So a change of places leaves everybody's own luck as it was, and no order of work changes a result.

One person is one record and has at most one event to come, in a 4-ary heap. Queues are lists through the
persons. `w`, in every function, is the World.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from joinery.calc.twin.world import GONE, LOG_EVENTS, NOBODY, NOWHERE, SHAPES, Calendar, World

Word = np.uint64
F = TypeVar("F", bound=Callable[..., Any])

EXPONENTIAL, LOGNORMAL, FIXED = range(len(SHAPES))
# What a draw is for.
SERVICE, HOME, ARRIVAL = 0, 1, 2
ARRIVED, STARTED, READY, LEFT, RETURNED, TURNED_AWAY, DIED, AT_HOME = range(len(LOG_EVENTS))
OVER_12_HOURS = 0.5


# Numpy's arithmetic, and no lock of the interpreter's. Without inlining, handing over the World costs more than the
# work itself. Nothing here makes an array, so Numba need not count who refers to one, which costs as much again.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "forceinline": True, "_nrt": False}
# Of what Python never calls: a third less to compile.
INNER = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """The function compiled for Python to call; kept on disk where there is a folder for it."""
    try:
        made: F = njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # Numba found no folder that it may write to
        made = njit(**OPTIONS)(function)
    return made


def inner(function: F) -> F:
    """The function compiled as a part of those that call it."""
    made: F = njit(**INNER)(function)
    return made


@compiled
def philox(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Philox4x32-10: four words of 32 bits from a counter of four and a key of two, all uint64."""
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (second >> shift) ^ c1 ^ k0, second & low, (first >> shift) ^ c3 ^ k1, first & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@inner
def uniforms(w: World, person: int, stage: int, purpose: int) -> tuple[float, float]:
    """Two uniform numbers, strictly between 0 and 1, and exactly their complements in an antithetic run.

    52 bits and a half: with 53 the highest number would be rounded to 1.
    """
    zero, shift, drop = np.uint64(0), np.uint64(32), np.uint64(12)
    a, b, c, d = philox(np.uint64(person), np.uint64(stage), np.uint64(purpose), zero, w.clock[0].seed, w.clock[0].rep)
    u = (np.float64(((a << shift) | b) >> drop) + 0.5) * 2.0**-52
    v = (np.float64(((c << shift) | d) >> drop) + 0.5) * 2.0**-52
    if w.clock[0].antithetic:
        return 1.0 - u, 1.0 - v
    return u, v


@compiled
def normal_quantile(p: float) -> float:
    """The inverse of the normal distribution (Acklam 2003), with a relative error of 1.2e-9."""
    if 0.02425 <= p <= 0.97575:
        q = p - 0.5
        r = q * q
        above = -3.969683028665376e01 * r + 2.209460984245205e02
        above = ((above * r - 2.759285104469687e02) * r + 1.383577518672690e02) * r - 3.066479806614716e01
        below = -5.447609879822406e01 * r + 1.615858368580409e02
        below = ((below * r - 1.556989798598866e02) * r + 6.680131188771972e01) * r - 1.328068155288572e01
        return q * (above * r + 2.506628277459239e00) / (below * r + 1.0)
    q = math.sqrt(-2.0 * math.log(min(p, 1.0 - p)))
    above = -7.784894002430293e-03 * q - 3.223964580411365e-01
    above = ((above * q - 2.400758277161838e00) * q - 2.549732539343734e00) * q + 4.374664141464968e00
    below = 7.784695709041462e-03 * q + 3.224671290700398e-01
    below = (below * q + 2.445134137142996e00) * q + 3.754408661907416e00
    z = (above * q + 2.938163982698783e00) / (below * q + 1.0)
    return z if p < 0.5 else -z


@inner
def stay_days(cell: Any, longer: float) -> float:
    """The length of the stay than which a share `longer` of stays is longer."""
    if cell.form == EXPONENTIAL:
        return float(-cell.scale * math.log(longer))
    if cell.form == LOGNORMAL:
        return math.exp(cell.scale - cell.spread * normal_quantile(longer))
    return float(cell.scale)


@inner
def destination(w: World, at: int, band: int, u: float) -> int:
    """The first destination whose summed share reaches u."""
    to = 0
    while u > w.ways[at, band, to].share:
        to += 1
    return to


@inner
def push(w: World, time: float, person: int) -> None:
    """Put the person's next event into the heap."""
    heap, at = w.heap, w.clock[0].pending
    w.clock[0].pending += 1
    while at > 0:
        above = (at - 1) >> 2
        if heap[above].time <= time:
            break
        heap[at].time, heap[at].person = heap[above].time, heap[above].person
        at = above
    heap[at].time, heap[at].person = time, person


@inner
def pop(w: World) -> int:
    """Take the person of the first event out of the heap."""
    heap, person = w.heap, w.heap[0].person
    w.clock[0].pending -= 1
    size = w.clock[0].pending
    time, last, at = heap[size].time, heap[size].person, 0
    heap[size].time = math.inf
    while 4 * at + 1 < size:
        child = 4 * at + 1
        # Which of four comes first cannot be foretold: to choose without a branch costs less than to guess wrong.
        one, two, three, four = heap[child].time, heap[child + 1].time, heap[child + 2].time, heap[child + 3].time
        left, right = min(one, two), min(three, four)
        if time <= min(left, right):
            break
        first = child + int(two < one) if left <= right else child + 2 + int(four < three)
        heap[at].time, heap[at].person = heap[first].time, heap[first].person
        at = first
    heap[at].time, heap[at].person = time, last
    return int(person)


@inner
def tell(w: World, time: float, person: Any, what: int, station: int) -> None:
    """Write the log, where there is one."""
    if w.log.shape[0] > 0:
        row = w.log[w.clock[0].logged]
        row.days, row.person, row.what = time, person.id, what
        row.station, row.band = station, person.band
        w.clock[0].logged += 1


@inner
def settle(w: World, station: Any, time: float) -> None:
    """Bring the sums over time of a station up to now, before its numbers change."""
    warmup = w.clock[0].warmup
    if time > warmup:
        days = time - max(station.last, warmup)
        station.used_days += station.used * days
        station.ready_days += station.ready * days
        station.waiting_days += station.waiting * days
    station.last = time


@inner
def seat(w: World, number: int, at: int, time: float, days: float, longer: float) -> None:
    """Give a place to a person whose stay, `days` old already, is the one that a share `longer` outlasts."""
    person, station = w.persons[number], w.stations[at]
    settle(w, station, time)
    first, last = int(station.first_visits), int(station.last_visits)
    total = stay_days(w.cells[at, person.band], longer)
    part = total / (first - last + 1)
    past = min(int(days / part), first - last)
    station.people += 1
    station.used += first - past
    person.at, person.since, person.part, person.visits = at, time, part, first - past
    tell(w, time - days, person, STARTED, at)
    push(w, max(time, time + (part * (past + 1) - days)), number)


@inner
def admit(w: World, number: int, at: int, time: float) -> None:
    """The person begins at the station `at`, which has a place."""
    person = w.persons[number]
    if time >= w.clock[0].warmup:
        cell, waited = w.cells[at, person.band], time - person.asked
        cell.admissions += 1
        cell.waited_days += waited
        if waited > OVER_12_HOURS:
            cell.waited_over_12h += 1
    u, v = uniforms(w, person.id, person.stage, SERVICE)
    person.to = destination(w, at, person.band, v)
    seat(w, number, at, time, 0.0, 1.0 - u)


@inner
def leave(w: World, number: int, to: int, time: float) -> None:
    """The person gives up the place, on the way to `to`."""
    person = w.persons[number]
    at, station = person.at, w.stations[person.at]
    settle(w, station, time)
    station.people -= 1
    station.used -= person.visits
    warmup = w.clock[0].warmup
    if time >= warmup:
        w.cells[at, person.band].occupied_days += time - max(person.since, warmup)
        w.ways[at, person.band, to].moves += 1
    person.at = NOWHERE
    tell(w, time, person, LEFT, at)


@inner
def serve(w: World, first: int, time: float) -> None:
    """Admit those who wait for the station `first` while it has room; then those of the stations listed after it,
    and those who wait for the places that are given up meanwhile."""
    at = first
    while at != NOWHERE:
        station, more = w.stations[at], w.stations[at].serve_next
        station.listed = False
        while station.head != NOBODY and station.places - station.used >= station.first_visits:
            number = station.head
            settle(w, station, time)
            station.waiting -= 1
            station.head = w.persons[number].next
            held = w.persons[number].at
            if held != NOWHERE:
                end_delay(w, w.persons[number], at, time)
                leave(w, number, at, time)
                w.stations[held].ready -= 1
                if not w.stations[held].listed:
                    w.stations[held].listed, w.stations[held].serve_next = True, more
                    more = held
            admit(w, number, at, time)
        at = more


@inner
def list_to_serve(w: World, at: int, before: int) -> int:
    """Put a station on the list of those to serve, in front of the station `before`."""
    w.stations[at].listed, w.stations[at].serve_next = True, before
    return at


@inner
def end_delay(w: World, person: Any, to: int, time: float) -> None:
    """Count the days for which a place was held by somebody who was ready to go on."""
    warmup = w.clock[0].warmup
    if time > warmup:
        w.ways[person.at, person.band, to].delayed_days += time - max(person.asked, warmup)


@inner
def ask(w: World, number: int, to: int, time: float) -> None:
    """The person joins the queue for `to`: for no time at all where nobody waits and it has room."""
    person, station = w.persons[number], w.stations[to]
    person.asked = time
    if station.turns_away and person.at == NOWHERE:
        full = station.places - station.used < station.first_visits
        if full or station.head != NOBODY:
            turn_away(w, number, to, time)
            return
    settle(w, station, time)
    station.waiting += 1
    person.next = NOBODY
    if station.head == NOBODY:
        station.head = number
    else:
        w.persons[station.tail].next = number
    station.tail = number
    if person.at != NOWHERE:
        settle(w, w.stations[person.at], time)
        w.stations[person.at].ready += 1


@inner
def turn_away(w: World, number: int, to: int, time: float) -> None:
    """The person leaves for good."""
    if time >= w.clock[0].warmup:
        w.cells[to, w.persons[number].band].turned_away += 1
    tell(w, time, w.persons[number], TURNED_AWAY, to)
    forget(w, number)


@inner
def forget(w: World, number: int) -> None:
    """The person is followed no more; the record serves another."""
    w.persons[number].at = GONE
    w.persons[number].next = w.clock[0].free
    w.clock[0].free = number


@inner
def go_home(w: World, number: int, time: float) -> None:
    """The person is home: for good, or to return to a station after a while."""
    person, home = w.persons[number], w.stations.shape[0]
    u, v = uniforms(w, person.id, person.stage, HOME)
    person.stage += 1
    to = destination(w, home, person.band, u)
    tell(w, time, person, AT_HOME, home)
    if to < home:
        person.to = to
        push(w, time + stay_days(w.cells[home, person.band], 1.0 - v), number)
        return
    if time >= w.clock[0].warmup:
        w.ways[home, person.band, to].moves += 1
    if to > home:
        tell(w, time, person, DIED, home)
    forget(w, number)


@inner
def happen(w: World, number: int, time: float) -> tuple[int, int]:
    """The person's event: a return from home, one visit a day fewer, or the end of a stay.

    Answers the stations that the person asks for and that has got more room, or NOWHERE.
    """
    person, home = w.persons[number], w.stations.shape[0]
    at, to = int(person.at), int(person.to)
    if at == NOWHERE:
        if time >= w.clock[0].warmup:
            w.ways[home, person.band, to].moves += 1
        tell(w, time, person, RETURNED, to)
        return to, NOWHERE
    if person.visits > w.stations[at].last_visits:
        settle(w, w.stations[at], time)
        w.stations[at].used -= 1
        person.visits -= 1
        push(w, time + person.part, number)
        return NOWHERE, at
    person.stage += 1
    tell(w, time, person, READY, at)
    if w.ways[at, person.band, to].holds:
        return to, NOWHERE
    leave(w, number, to, time)
    if to < home:
        return to, at
    if to == home:
        go_home(w, number, time)
    else:
        tell(w, time, person, DIED, at)
        forget(w, number)
    return NOWHERE, at


@inner
def enter(w: World, identity: int, band: int) -> int:
    """A person, not yet anywhere, in the first free record."""
    number = w.clock[0].free
    person = w.persons[number]
    w.clock[0].free = person.next
    person.id, person.stage, person.band, person.at, person.next = identity, 0, band, NOWHERE, NOBODY
    return int(number)


@inner
def open_doors(w: World, held: NDArray[Any]) -> None:
    """Seat those who are there at the start, and line up those who wait."""
    for row in range(held.shape[0]):
        here = held[row]
        at, waiting_for, asked = here.at, here.waiting_for, -here.days
        number = enter(w, here.id, here.band)
        person = w.persons[number]
        if waiting_for == NOWHERE:
            u, v = uniforms(w, person.id, 0, SERVICE)
            person.to = destination(w, at, person.band, v)
            seat(w, number, at, 0.0, here.days, here.longer * (1.0 - u))
            continue
        person.to = waiting_for
        if at == NOWHERE:
            tell(w, asked, person, ARRIVED, waiting_for)
        else:
            person.at, person.since, person.stage = at, 0.0, 1
            person.visits = w.stations[at].last_visits
            w.stations[at].people += 1
            w.stations[at].used += person.visits
            tell(w, asked, person, READY, at)
        ask(w, number, waiting_for, 0.0)
        person.asked = asked


@inner
def plan_arrival(w: World, calendar: Calendar) -> None:
    """Draw when, and in which stream, the next person arrives.

    The rates are steps of a day, so one exponential is used up along them: no candidate is thrown away.
    """
    clock, rates = w.clock[0], calendar.rates
    u, v = uniforms(w, clock.arrived, 0, ARRIVAL)
    need, day, left = -math.log(1.0 - u), clock.rate_day, clock.rate_left
    while day < rates.shape[0] and need > rates[day] * left:
        need -= rates[day] * left
        day, left = day + 1, 1.0
    if day == rates.shape[0]:
        clock.arrival = math.inf
        return
    left -= need / rates[day]
    stream = 0
    while v > calendar.shares[day, stream]:
        stream += 1
    clock.arrival, clock.stream, clock.rate_day, clock.rate_left = day + 1 - left, stream, day, left


@inner
def arrive(w: World, calendar: Calendar, time: float) -> tuple[int, int]:
    """Somebody comes from outside: the number of the record, and the station to ask."""
    clock = w.clock[0]
    to, band = calendar.stream_to[clock.stream], calendar.stream_band[clock.stream]
    number = enter(w, clock.arrived, band)
    if time >= clock.warmup:
        w.cells[to, band].arrivals += 1
    tell(w, time, w.persons[number], ARRIVED, to)
    clock.arrived += 1
    plan_arrival(w, calendar)
    return number, int(to)


@inner
def write_midnight(w: World, calendar: Calendar) -> None:
    """Write down who is where."""
    for at in range(w.stations.shape[0]):
        row, station = calendar.midnights[w.clock[0].day, at], w.stations[at]
        row[0], row[1], row[2] = station.people, station.ready, station.waiting


@inner
def begin_day(w: World, calendar: Calendar) -> int:
    """Give each station the places of the day that begins, and list them all to be served."""
    first = NOWHERE
    for at in range(w.stations.shape[0]):
        w.stations[at].places = calendar.places[w.clock[0].day, at]
        first = list_to_serve(w, at, first)
    w.clock[0].day += 1
    return first


@inner
def close_doors(w: World) -> None:
    """Add the part of every stay and wait that lies before the end."""
    end, warmup = w.clock[0].end, w.clock[0].warmup
    for number in range(w.persons.shape[0]):
        person = w.persons[number]
        if person.at >= 0:
            w.cells[person.at, person.band].occupied_days += end - max(person.since, warmup)
    for at in range(w.stations.shape[0]):
        settle(w, w.stations[at], end)
        number = w.stations[at].head
        while number != NOBODY:
            if w.persons[number].at != NOWHERE:
                end_delay(w, w.persons[number], at, end)
            number = w.persons[number].next


@compiled
def start(w: World, calendar: Calendar, held: NDArray[Any]) -> None:
    """Make every person's record free, and begin with the census."""
    for number in range(w.persons.shape[0] - 1, -1, -1):
        forget(w, number)
    open_doors(w, held)
    plan_arrival(w, calendar)


@compiled
def go_on(w: World, calendar: Calendar) -> bool:
    """Go on to the end: True; or False where somebody arrives and no record is free.

    At equal times an arrival goes before midnight, and midnight before the rest.
    """
    clock = w.clock[0]
    while True:
        arrival, day = clock.arrival, float(clock.day)
        first = w.heap[0].time if clock.pending > 0 else math.inf
        number, to, serve_first, time = NOBODY, NOWHERE, NOWHERE, min(arrival, day, first)
        if time >= clock.end:
            write_midnight(w, calendar)
            close_doors(w)
            return True
        if arrival <= day and arrival <= first:
            if clock.free == NOBODY:
                return False
            number, to = arrive(w, calendar, time)
            clock.events += 1
        elif day <= first:
            write_midnight(w, calendar)
            serve_first = begin_day(w, calendar)
        else:
            number = pop(w)
            to, freed = happen(w, number, time)
            if freed != NOWHERE:
                serve_first = list_to_serve(w, freed, NOWHERE)
            clock.events += 1
        if to != NOWHERE:
            ask(w, number, to, time)
            if to != serve_first:
                serve_first = list_to_serve(w, to, serve_first)
        serve(w, serve_first, time)
