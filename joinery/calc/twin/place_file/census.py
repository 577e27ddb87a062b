"""The people of a place file who are there at the start."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from joinery.calc.twin.network import Held, PlaceError, Station, Stay, held_fault
from joinery.calc.twin.place_file.keys import CensusTable
from joinery.calc.twin.place_file.lines import Key
from joinery.calc.twin.place_file.reader import Reader

COLUMNS = ("band", "station", "days", "waiting_for")
# Of the curve between shares and days: how far it goes, in standard deviations of the logarithm, and its points.
_REACH, _GRID = 6.0, 1_000


Holds = tuple[frozenset[int], ...]


def read_census(reader: Reader, stations: tuple[Station, ...], holds: Holds) -> tuple[Held, ...]:
    """Everybody, of the tables and then of the file. What is wrong is kept in the reader."""
    said = reader.document.at(("census",)) or []
    if not isinstance(said, list):
        reader.fault(("census",), "write [[census]], with two brackets")
        said = []
    tables = (reader.attempt(_table, reader, number, stations, holds) for number in range(len(said)))
    held = [each for people in tables for each in people or ()]
    return (*held, *(reader.attempt(lambda: [*_file(reader, stations, holds)]) or ()))


def steady_days(stay: Stay, people: int) -> list[float]:
    """For how many days each of so many people has been there, in a service that has long run steadily.

    The days so far then have the density survival / mean (renewal theory); people stand at its middle quantiles.

    >>> [round(days, 1) for days in steady_days(Stay("fixed", 10), 4)]
    [1.2, 3.8, 6.2, 8.8]
    """
    shares = (np.arange(people) + 0.5) / people
    if stay.shape == "fixed":
        days = shares * stay.mean_days
    elif stay.shape == "exponential":
        days = -stay.mean_days * np.log1p(-shares)
    else:
        mu, sigma = stay.logs
        # From where hardly anybody has come yet to where hardly anybody is left, the tail being that of the mean.
        grid = np.exp(np.linspace(mu - _REACH * sigma, mu + sigma**2 + _REACH * sigma, _GRID))
        so_far = [_share_so_far(stay, each) for each in grid.tolist()]
        days = np.interp(shares, [0.0, *so_far], [0.0, *grid])
    return [float(each) for each in days]


def _share_so_far(stay: Stay, days: float) -> float:
    """Of a lognormal stay: the integral of the survival up to `days`, divided by the mean."""
    mu, sigma = stay.logs
    below = math.erfc((mu + sigma**2 - math.log(days)) / sigma / math.sqrt(2)) / 2
    return days * stay.survival(days) / stay.mean_days + below


def _table(reader: Reader, number: int, stations: tuple[Station, ...], holds: Holds) -> list[Held]:
    key: Key = ("census", number)
    said = reader.document.table(key, CensusTable)
    band = reader.band(said.band, (*key, "band"))
    at = reader.station(said.station, (*key, "station")) if said.station else None
    onto = reader.station(said.waiting_for, (*key, "waiting_for")) if said.waiting_for else None
    if isinstance(said.days, tuple):
        days = list(said.days)
    elif said.days is not None or at is None or onto is not None:
        days = [said.days or 0.0] * said.people
    else:
        days = steady_days(stations[at].stays[band], said.people)
    if len(days) != said.people:
        raise reader.wrong((*key, "days"), f"{len(days)} numbers of days for {said.people} people")
    people = [Held(band, at, each, onto) for each in days]
    if fault := next((fault for each in people if (fault := held_fault(each, stations, holds))), None):
        raise reader.wrong(key, fault)
    return people


def _file(reader: Reader, stations: tuple[Station, ...], holds: Holds) -> Iterator[Held]:
    """One person a row."""
    name = reader.about.census_file
    if not name:
        return
    for where, row in reader.document.rows(name, ("place", "census_file"), COLUMNS):
        known = {"band": reader.bands, "station": reader.stations, "waiting_for": reader.stations}
        for column, names in known.items():
            if row[column] not in names and (row[column] or column == "band"):
                raise PlaceError(f"{where}: there is no {column} {row[column]}. There are {', '.join(names)}")
        try:
            days = float(row["days"] or 0)
        except ValueError:
            raise PlaceError(f"{where}: {row['days']} is not a number of days") from None
        at, onto = (reader.stations.index(row[each]) if row[each] else None for each in ("station", "waiting_for"))
        held = Held(reader.bands.index(row["band"]), at, days, onto)
        if fault := held_fault(held, stations, holds):
            raise PlaceError(f"{where}: {fault}")
        yield held
