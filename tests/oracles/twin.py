"""A place run forward by SimPy, a process a person: slow and obvious beside the twin's kernel.

With the keyed draws (`Keyed`) it meets the very people that the kernel meets, and every figure is equal to the
last bit. With `Loose` draws it is what one would write without the twin: the peer that is measured.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Sequence
from heapq import heappush
from itertools import accumulate

import numpy as np
import simpy
from simpy.events import NORMAL

from joinery.calc.twin.network import Held, Place, Stay

Luck = Callable[[int, int, int], tuple[float, float]]
SERVICE, HOME, ARRIVAL = 0, 1, 2
CENSUS_FROM = 2**31
WORD = 2**32


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 as its authors print it (Salmon, Moraes, Dror, Shaw 2011)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c[0], WORD)
        high1, low1 = divmod(0xCD9E8D57 * c[2], WORD)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % WORD, (k[1] + 0xBB67AE85) % WORD]
    return c


class Keyed:
    """The twin's draws: by seed and replication; person, stage and purpose."""

    def __init__(self, seed: int, rep: int) -> None:
        self.key = [seed, rep]

    def __call__(self, person: int, stage: int, purpose: int) -> tuple[float, float]:
        a, b, c, d = philox([person, stage, purpose, 0], self.key)
        return ((a * WORD + b) // 4096 + 0.5) / 2**52, ((c * WORD + d) // 4096 + 0.5) / 2**52


class Loose:
    """One stream of the standard library's numbers, in the order in which they are asked for."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def __call__(self, person: int, stage: int, purpose: int) -> tuple[float, float]:
        return self.random(), self.random()


# Acklam's coefficients.
A0, A1, A2 = -3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02
A3, A4, A5 = 1.383577518672690e02, -3.066479806614716e01, 2.506628277459239e00
B0, B1, B2 = -5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02
B3, B4 = 6.680131188771972e01, -1.328068155288572e01
C0, C1, C2 = -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e00
C3, C4, C5 = -2.549732539343734e00, 4.374664141464968e00, 2.938163982698783e00
D0, D1, D2, D3 = 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00


def normal_quantile(p: float) -> float:
    if 0.02425 <= p <= 0.97575:
        q = p - 0.5
        r = q * q
        above = ((((A0 * r + A1) * r + A2) * r + A3) * r + A4) * r + A5
        return q * above / (((((B0 * r + B1) * r + B2) * r + B3) * r + B4) * r + 1.0)
    q = math.sqrt(-2.0 * math.log(min(p, 1.0 - p)))
    z = (((((C0 * q + C1) * q + C2) * q + C3) * q + C4) * q + C5) / ((((D0 * q + D1) * q + D2) * q + D3) * q + 1.0)
    return z if p < 0.5 else -z


def stay_days(stay: Stay, logs: tuple[float, float], longer: float) -> float:
    if stay.shape == "exponential":
        return -stay.mean_days * math.log(longer)
    if stay.shape == "lognormal":
        return math.exp(logs[0] - logs[1] * normal_quantile(longer))
    return stay.mean_days


def summed(shares: Sequence[float]) -> list[float]:
    """Running sums, exactly 1 from the last share above 0 on."""
    last = max((at for at, share in enumerate(shares) if share > 0), default=len(shares))
    return [1.0 if at >= last else total for at, total in enumerate(accumulate(shares))]


class Person:
    """Somebody whom the place knows: where they hold a place, and with how many visits a day."""

    def __init__(self, world: World, identity: int, band: int) -> None:
        self.identity, self.band, self.stage = identity, band, 0
        self.at: Station | None = None
        self.asked = self.since = 0.0
        self.visits = 0
        self.granted: simpy.Event | None = None
        # The kernel's record: who is there at the end is added up in this order.
        self.record = world.free.pop() if world.free else len(world.persons)
        world.persons[self.record] = self


class Station:
    """Places, or visits a day, and a queue; and its sums over time."""

    def __init__(self, world: World, index: int) -> None:
        definition = world.place.stations[index]
        self.env, self.warmup, self.index = world.env, world.warmup, index
        self.first_visits, self.last_visits = definition.first_visits, definition.last_visits
        self.turns_away, self.holds = definition.turns_away, world.place.holds[index]
        self.places = self.used = self.people = self.ready = 0
        self.queue: deque[Person] = deque()
        self.last = self.used_days = self.ready_days = self.waiting_days = 0.0

    def settle(self) -> None:
        """Bring the sums up to now."""
        now, warmup = self.env.now, self.warmup
        if now > warmup:
            days = now - (self.last if self.last > warmup else warmup)
            self.used_days += self.used * days
            self.ready_days += self.ready * days
            self.waiting_days += len(self.queue) * days
        self.last = now

    def has_room(self) -> bool:
        return self.places - self.used >= self.first_visits

    def ask(self, person: Person) -> simpy.Event | None:
        """None where the person is given a place at once, or an event that happens when they are."""
        if not self.queue and self.has_room():
            self.settle()
            self.used += self.first_visits
            return None
        self.settle()
        if person.at is not None:
            person.at.settle()
            person.at.ready += 1
        person.granted = self.env.event()
        self.queue.append(person)
        return person.granted

    def serve(self) -> None:
        """Give what is free to those who wait, first come, first served."""
        while self.queue and self.has_room():
            self.settle()
            self.used += self.first_visits
            granted = self.queue.popleft().granted
            assert granted is not None
            granted.succeed()


class World:
    """One replication; after `run` it has the figures of simulate.Runs by the same names."""

    def __init__(self, place: Place, days: int, warmup: int, luck: Luck) -> None:
        self.place, self.days, self.warmup, self.luck = place, days, warmup, luck
        self.env, self.free, self.persons = simpy.Environment(), list[int](), dict[int, Person]()
        self.home, bands = len(place.stations), len(place.bands)
        self.stations = [Station(self, at) for at in range(self.home)]
        self.places = [station.places_on(days) for station in place.stations]
        self.routes = [[summed(row) for row in rows] for rows in place.routes]
        stays = [*(station.stays for station in place.stations), place.home_delays]
        self.stays = [[(stay, stay.logs) for stay in row] for row in stays]
        cell = (self.home, bands)
        self.occupied_days, self.waited_days = np.zeros(cell).tolist(), np.zeros(cell).tolist()
        self.waited_over_12h, self.arrivals = np.zeros(cell, int).tolist(), np.zeros(cell, int).tolist()
        self.turned_away, self.admissions = np.zeros(cell, int).tolist(), np.zeros(cell, int).tolist()
        self.delayed_days = np.zeros((self.home, self.home, bands)).tolist()
        self.moves = np.zeros((self.home + 1, self.home + 2, bands), int).tolist()
        self.midnights: list[list[tuple[int, int, int]]] = []

    def run(self) -> World:
        for number, held in sorted(enumerate(self.place.census), key=lambda each: -each[1].days):
            self.seat(Person(self, CENSUS_FROM + number, held.band), held)
        self.env.process(self.calendar())
        self.env.process(self.arrive())
        self.env.run(until=self.days)
        self.count_people()
        self.close()
        for name in ("used_days", "ready_days", "waiting_days"):
            setattr(self, name, [getattr(station, name) for station in self.stations])
        return self

    def drawn_stay(self, at: int, band: int, longer: float) -> float:
        return stay_days(*self.stays[at][band], longer)

    def seat(self, person: Person, held: Held) -> None:
        """Somebody who is there at the start."""
        if held.station is None:
            assert held.waiting_for is not None
            self.env.process(self.live(person, held.waiting_for, -held.days))
            return
        station = person.at = self.stations[held.station]
        station.people += 1
        first, last = station.first_visits, station.last_visits
        if held.waiting_for is not None:
            person.visits, person.stage = last, 1
            self.env.process(self.live(person, held.waiting_for, -held.days))
        else:
            u, v = self.luck(person.identity, 0, SERVICE)
            longer = self.stays[station.index][held.band][0].survival(held.days)
            part = self.drawn_stay(station.index, held.band, longer * (1.0 - u)) / (first - last + 1)
            past = min(int(held.days / part), first - last)
            person.visits = first - past
            to = bisect_left(self.routes[station.index][held.band], v)
            self.env.process(self.live(person, to, 0.0, max(0.0, part * (past + 1) - held.days), part))
        station.used += person.visits

    def calendar(self) -> Generator[simpy.Event]:
        """Every midnight: count, then change the places."""
        for day in range(self.days):
            self.count_people()
            for station, places in zip(self.stations, self.places, strict=True):
                station.places = places[day]
                station.serve()
            yield self.env.timeout(1)

    def count_people(self) -> None:
        self.midnights.append([(each.people, each.ready, len(each.queue)) for each in self.stations])

    def arrive(self) -> Generator[simpy.Event]:
        """People from outside, by inversion of the daily rates."""
        streams = [(stream.to, band) for stream in self.place.arrivals for band in range(len(self.place.bands))]
        tables = [stream.on(self.days + 1) for stream in self.place.arrivals]
        rates = [[rate for table in tables for rate in table[day]] for day in range(self.days + 1)]
        totals = [sum(row) for row in rates]
        shares = [summed([rate / (total or 1) for rate in row]) for row, total in zip(rates, totals, strict=True)]
        number, day, left = 0, 0, 1.0
        while True:
            u, v = self.luck(number, 0, ARRIVAL)
            need = -math.log(1.0 - u)
            while day <= self.days and need > totals[day] * left:
                need -= totals[day] * left
                day, left = day + 1, 1.0
            if day > self.days:
                return
            left -= need / totals[day]
            to, band = streams[bisect_left(shares[day], v)]
            yield self.moment(day + 1 - left)
            person = Person(self, number, band)
            if self.env.now >= self.warmup:
                self.arrivals[to][band] += 1
            self.env.process(self.live(person, to, self.env.now))
            number += 1

    def moment(self, time: float) -> simpy.Event:
        """An event at this very time: a timeout would add the difference to now, and round."""
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        heappush(self.env._queue, (time, NORMAL, next(self.env._eid), event))
        return event

    def live(
        self, person: Person, to: int, asked: float, wait: float | None = None, part: float = 0.0
    ) -> Generator[simpy.Event]:
        """A life in the place, from asking for the station `to`; or in service already, with `wait` days to go."""
        band, freed = person.band, None
        while True:
            if wait is None:
                station = self.stations[to]
                person.asked = asked
                if station.turns_away and person.at is None and (station.queue or not station.has_room()):
                    if asked >= self.warmup:
                        self.turned_away[to][band] += 1
                    break
                granted = station.ask(person)
                if freed:
                    freed.serve()
                if granted:
                    yield granted
                    if person.at is not None:
                        person.at.settle()
                        person.at.ready -= 1
                part, to = self.admit(person, station)
                wait = part
            assert person.at is not None
            station = person.at
            yield self.env.timeout(wait)
            while person.visits > station.last_visits:
                station.settle()
                station.used -= 1
                person.visits -= 1
                station.serve()
                yield self.env.timeout(part)
            wait, freed, asked = None, None, self.env.now
            person.stage += 1
            if to in station.holds:
                continue
            self.leave(person, to)
            freed = station
            if to == self.home:
                freed.serve()
                freed = None
                to = yield from self.stay_at_home(person)
                asked = self.env.now
            if to >= self.home:
                break
        if freed:
            freed.serve()
        self.free.append(person.record)

    def stay_at_home(self, person: Person) -> Generator[simpy.Event, None, int]:
        """Home for good, or until the return to the station that is answered."""
        u, v = self.luck(person.identity, person.stage, HOME)
        person.stage += 1
        to = bisect_left(self.routes[self.home][person.band], u)
        if to < self.home:
            yield self.env.timeout(self.drawn_stay(self.home, person.band, 1.0 - v))
        if self.env.now >= self.warmup:
            self.moves[self.home][to][person.band] += 1
        return to

    def admit(self, person: Person, station: Station) -> tuple[float, int]:
        """Take the place that was given, and give up the one that was held: days of a part of the stay, and route."""
        now, at, band = self.env.now, station.index, person.band
        if person.at is not None:
            held = person.at
            self.end_delay(person, station)
            self.leave(person, at)
            held.serve()
        if now >= self.warmup:
            waited = now - person.asked
            self.admissions[at][band] += 1
            self.waited_days[at][band] += waited
            self.waited_over_12h[at][band] += waited > 0.5
        station.settle()
        station.people += 1
        person.at, person.since, person.visits = station, now, station.first_visits
        u, v = self.luck(person.identity, person.stage, SERVICE)
        part = self.drawn_stay(at, band, 1.0 - u) / (station.first_visits - station.last_visits + 1)
        return part, bisect_left(self.routes[at][band], v)

    def leave(self, person: Person, to: int) -> None:
        station = person.at
        assert station is not None
        station.settle()
        station.people -= 1
        station.used -= person.visits
        if self.env.now >= self.warmup:
            since = max(person.since, self.warmup)
            self.occupied_days[station.index][person.band] += self.env.now - since
            self.moves[station.index][to][person.band] += 1
        person.at = None

    def end_delay(self, person: Person, station: Station) -> None:
        if person.at is not None and self.env.now > self.warmup:
            delayed = self.env.now - max(person.asked, self.warmup)
            self.delayed_days[person.at.index][station.index][person.band] += delayed

    def close(self) -> None:
        """What lies before the end of every stay and wait that goes on."""
        for _, person in sorted(self.persons.items()):
            if person.at is not None:
                since = max(person.since, self.warmup)
                self.occupied_days[person.at.index][person.band] += self.env.now - since
        for station in self.stations:
            station.settle()
            for person in station.queue:
                self.end_delay(person, station)
