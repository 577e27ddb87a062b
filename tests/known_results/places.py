"""Small places, built in a line or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joinery.calc.twin.network import Arrivals, Place, Station, Stay

ENDLESS = 1_000_000  # places: nobody ever waits
DIES = "death"
HOME = "home"


def station(name: str, places: int, *stays: Stay, **more: Any) -> Station:
    """A station with as many places each day."""
    return Station(name, ((0, places),), stays, **more)


def place(
    stations: Sequence[Station],
    rates: Sequence[Sequence[float]],
    routes: Sequence[Sequence[dict[int | str, float]]] = (),
    **more: Any,
) -> Place:
    """A place whose first station gets all arrivals: a row of rates by band for each day, the last week repeated.

    `routes[from][band]` names a chance for each destination: a station's number, "home" or "death". Whoever is
    given no route dies, and nobody returns from home unless a last row says so.
    """
    bands = len(rates[0])
    ends = {HOME: len(stations), DIES: len(stations) + 1}
    table = [[{DIES: 1.0}] * bands] * len(stations) if not routes else [list(row) for row in routes]
    if len(table) == len(stations):
        table.append([{HOME: 1.0}] * bands)
    numbered = [tuple(tuple(_row(chances, ends, len(stations) + 2)) for chances in by_band) for by_band in table]
    return Place(
        name="Small",
        bands=tuple(f"band {n}" for n in range(bands)),
        stations=tuple(stations),
        arrivals=(Arrivals("all", 0, tuple(map(tuple, rates)), repeat_days=min(7, len(rates))),),
        routes=tuple(numbered),
        **more,
    )


def _row(chances: dict[int | str, float], ends: dict[str, int], length: int) -> list[float]:
    row = [0.0] * length
    for to, chance in chances.items():
        row[ends[to] if isinstance(to, str) else to] = chance
    return row
