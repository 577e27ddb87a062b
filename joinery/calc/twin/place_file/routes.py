"""The routes of a place file: shares by band that sum to one, what holds a place, and delays at home."""

from __future__ import annotations

import math
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from joinery.calc.twin.network import CLOSE, Stay, caught
from joinery.calc.twin.place_file.keys import RouteTable
from joinery.calc.twin.place_file.reader import DEATH, HOME, Reader

Rows = tuple[tuple[float, ...], ...]
Routes = dict[str, RouteTable]


@dataclass(frozen=True)
class Onward:
    """Where people go: as a Place takes it."""

    routes: tuple[Rows, ...]
    holds: tuple[frozenset[int], ...]
    home_delays: tuple[Stay, ...]


def read_routes(reader: Reader) -> Onward | None:
    """All routes. What is wrong is kept in the reader; then there are none."""
    origins, before = (*reader.stations, HOME), len(reader.faults)
    for name in reader.names("route"):
        if name not in origins:
            reader.attempt(reader.station, name, ("route", name))
    read = {origin: _routes_from(reader, origin) for origin in origins}
    if len(reader.faults) > before:
        return None
    rows = tuple(_shares(reader, origin, read[origin]) for origin in origins)
    if len(reader.faults) == before:
        _check_that_people_leave(reader, rows, origins)
    holds = reader.attempt(_holds, reader, read)
    delays = reader.attempt(_delays, reader, read[HOME])
    return None if holds is None or delays is None else Onward(rows, holds, delays)


def _routes_from(reader: Reader, origin: str) -> Routes:
    said = reader.document.at(("route", origin)) or {}
    if origin != HOME and not (said and isinstance(said, dict)):
        reader.fault(("station", origin), f"nobody would ever leave. Say where to: [route.{origin}.home]")
        return {}
    read = {}
    for name in said:
        key = ("route", origin, name)
        table = reader.attempt(reader.document.table, key, RouteTable)
        if table is None:
            continue
        if name != DEATH and (name != HOME or origin == HOME):
            reader.attempt(reader.station, name, key)
        if table.holds_place and (origin == HOME or name in (HOME, DEATH)):
            reader.fault((*key, "holds_place"), f"on the way from {origin} to {name} no place is held")
        if table.delay and origin != HOME:
            reader.fault((*key, "delay"), "only a route from home has a delay")
        read[name] = table
    return read


def _shares(reader: Reader, origin: str, routes: Routes) -> Rows:
    """By band, the share of each destination. What the routes from home leave, stays there."""
    shares = {
        name: reader.attempt(reader.by_band, ("route", origin, name, "p"), table.p) or ()
        for name, table in routes.items()
        if table.p != "rest"
    }
    rest = [name for name in routes if name not in shares]
    if len(rest) > 1:
        reader.fault(("route", origin, rest[1], "p"), f"{rest[0]} is the rest already")
    if len(rest) > 1 or not all(shares.values()):
        return ()
    left_to = rest[0] if rest else HOME if origin == HOME else ""
    rows = []
    for at, band in enumerate(reader.bands):
        row = {name: each[at] for name, each in shares.items()}
        left = 1 - math.fsum(row.values())
        if left < -CLOSE or (not left_to and left > CLOSE):
            must = "may be 1 at most" if left_to else "must be 1"
            reader.fault(
                ("route", origin, list(row)[-1]), f"in band {band} the routes sum to {1 - left:.6g}: it {must}"
            )
        if left_to:
            row[left_to] = max(left, 0.0)
        rows.append(tuple(row.get(name, 0.0) for name in (*reader.stations, HOME, DEATH)))
    return tuple(rows)


def _check_that_people_leave(reader: Reader, rows: tuple[Rows, ...], origins: tuple[str, ...]) -> None:
    for number, band in enumerate(reader.bands):
        if kept := [origins[at] for at in caught(rows, number)]:
            words = (
                f"nobody in band {band} who comes to {', '.join(kept)} ever leaves the place. Let some go home or die"
            )
            reader.fault(("route", kept[0]), words)
            return


def _holds(reader: Reader, read: dict[str, Routes]) -> tuple[frozenset[int], ...]:
    """The stations for which each holds a place. Raises PlaceError where they form a ring."""
    held = {
        origin: [to for to in reader.stations if to in read[origin] and read[origin][to].holds_place is not False]
        for origin in reader.stations
    }
    try:
        TopologicalSorter(held).prepare()
    except CycleError as error:
        ring = [*reversed(error.args[1])]
        raise reader.wrong(
            ("route", ring[0], ring[1]),
            f"{' -> '.join(ring)}: places held in a ring can all wait for one another. "
            "Let one of these routes say holds_place = false",
        ) from None
    return tuple(frozenset(map(reader.stations.index, held[origin])) for origin in reader.stations)


def _delays(reader: Reader, routes: Routes) -> tuple[Stay, ...]:
    """How long each band is at home before a return: the same on all routes from home, and none without one."""
    read: dict[str, tuple[Stay, ...]] = {}
    for name, table in routes.items():
        key = ("route", HOME, name)
        if table.delay is None and name != HOME:
            raise reader.wrong(key, 'missing: delay = {shape = "exponential", mean_days = 12}')
        if table.delay is not None:
            read[name] = reader.stays((*key, "delay"), table.delay)
        if len(set(read.values())) > 1:
            raise reader.wrong((*key, "delay"), "all routes from home need one and the same delay")
    return next(iter(read.values()), ())
