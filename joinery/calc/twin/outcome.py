"""What came out of a run, in the figures that a place is led by: one value of each for every replication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from joinery.calc.twin.network import Place
from joinery.calc.twin.simulate import Runs

YEAR_DAYS = 365.25
ALL = "all"
# The counts of each midnight, in the order of Runs.midnights.
COUNTS = ("occupied", "delayed", "waiting")
# What a fan shows of the replications: the middle, and bands of half and of nine tenths of them.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure in words, its unit, and of what there is one."""

    words: str
    unit: str
    each: str


MEASURES = {
    "occupied": Measure("people in a place on an average day, also those who are ready to go on", "people", "station"),
    "in_use": Measure("places, or visits a day, in use, of those there are", "per cent", "station"),
    "delayed_days": Measure(
        "days in which somebody was ready and held the place, for want of the next one", "days a year", "pathway"
    ),
    "waiting": Measure("people who wait for a place on an average day, wherever they are", "people", "station"),
    "wait_days": Measure("mean wait of those admitted, nought of those who did not wait included", "days", "station"),
    "waits_over_12h": Measure("admissions after a wait of more than 12 hours", "a year", "station"),
    "turned_away": Measure("people who found no place and left for good", "a year", "station that turns people away"),
    "admissions": Measure("stays begun", "a year", "station and band"),
    "bed_days": Measure("days in a place, whatever its kind", "days a year", "station and band"),
    "returns": Measure("people who came back from home", "a year", "band"),
    "deaths": Measure("people who died in a place, or at home before a return", "a year", "band"),
    "at_home": Measure(
        "people of the population who are in no hospital, bed or care home on an average day", "people", "band"
    ),
    "cost": Measure("what the places cost", "pence a year", "payer and setting"),
    "staff_hours": Measure("hours of staff", "hours a year", "station"),
}  # fmt: skip


class Name(NamedTuple):
    """Which figure: the measure, and of what, such as "acute > homecare" or "acute, 85+"."""

    measure: str
    of: str

    @property
    def text(self) -> str:
        """As a user writes it: "delayed_days acute > homecare"."""
        return f"{self.measure} {self.of}".strip()


Figures = dict[Name, NDArray[np.float64]]


def join(parts: Sequence[Runs]) -> Runs:
    """Runs of one place as one, in the order of their replications, which follow one another.

    Raises ValueError where they do not belong together.
    """
    first, at = parts[0], parts[0].first_rep
    for part in parts:
        alike = (part.place, part.days, part.warmup_days, part.seed) == (
            first.place, first.days, first.warmup_days, first.seed,
        )  # fmt: skip
        if not alike or part.first_rep != at:
            raise ValueError("only replications of one run, in order and without a gap, can be joined")
        at += len(part.events)
    arrays = [name for name, value in vars(first).items() if isinstance(value, np.ndarray)]
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    return replace(first, **joined)


def figures(runs: Runs) -> Figures:
    """Every figure of a run: R values, one a replication. The window is the run without its warm-up."""
    place, window = runs.place, runs.days - runs.warmup_days
    return dict([*_of_stations(runs, place, window), *_of_people(runs, place, window), *_costs(runs, place, window)])


def fan(runs: Runs, count: str, station: int) -> NDArray[np.float64]:
    """QUANTILES over the replications of a count (of COUNTS) at a station: a row for each midnight, from that on
    which the warm-up ends to that on which the run ends."""
    days = runs.midnights[:, runs.warmup_days :, station, COUNTS.index(count)]
    return np.quantile(days, QUANTILES, axis=0).T


def _of_stations(runs: Runs, place: Place, window: int) -> Iterator[tuple[Name, NDArray[np.float64]]]:
    a_year = YEAR_DAYS / window
    names = [station.name for station in place.stations]
    occupied = runs.occupied_days.sum(axis=2)
    admitted = runs.admissions.sum(axis=2)
    offered = np.array([sum(station.places_on(runs.days)[runs.warmup_days :]) for station in place.stations])
    waited = runs.waited_days.sum(axis=2) / np.maximum(admitted, 1)
    for at, name in enumerate(names):
        yield Name("occupied", name), occupied[:, at] / window
        if offered[at]:
            yield Name("in_use", name), 100 * runs.used_days[:, at] / offered[at]
        yield Name("waiting", name), runs.waiting_days[:, at] / window
        yield Name("wait_days", name), waited[:, at]
        yield Name("waits_over_12h", name), runs.waited_over_12h[:, at].sum(axis=1) * a_year
        if place.stations[at].turns_away:
            yield Name("turned_away", name), runs.turned_away[:, at].sum(axis=1) * a_year
        yield from _by_band("admissions", f"{name}, ", runs.admissions[:, at] * a_year, place)
        yield from _by_band("bed_days", f"{name}, ", runs.occupied_days[:, at] * a_year, place)
    delayed = runs.delayed_days.sum(axis=3) * a_year
    for at, name in enumerate(names):
        for to in sorted(place.holds[at]):
            yield Name("delayed_days", f"{name} > {names[to]}"), delayed[:, at, to]
    yield Name("delayed_days", ALL), delayed.sum(axis=(1, 2))


def _of_people(runs: Runs, place: Place, window: int) -> Iterator[tuple[Name, NDArray[np.float64]]]:
    a_year = YEAR_DAYS / window
    death = len(place.stations) + 1
    yield from _by_band("returns", "", runs.returns.sum(axis=1) * a_year, place)
    yield from _by_band("deaths", "", runs.moves[:, :, death].sum(axis=1) * a_year, place)
    if place.people:
        away = [at for at, station in enumerate(place.stations) if station.setting != "home"]
        elsewhere = runs.occupied_days[:, away].sum(axis=1) / window
        yield from _by_band("at_home", "", np.array(place.people) - elsewhere, place)


def _by_band(measure: str, of: str, values: NDArray[Any], place: Place) -> Iterator[tuple[Name, NDArray[np.float64]]]:
    """A figure for each band (the columns of `values`), and for all of them."""
    for band, name in enumerate(place.bands):
        yield Name(measure, f"{of}{name}"), values[:, band]
    if len(place.bands) > 1:
        yield Name(measure, f"{of}{ALL}"), values.sum(axis=1)


def _costs(runs: Runs, place: Place, window: int) -> Iterator[tuple[Name, NDArray[np.float64]]]:
    a_year = YEAR_DAYS / window
    total: Figures = {}
    for at, station in enumerate(place.stations):
        if station.staff_hours:
            yield Name("staff_hours", station.name), runs.used_days[:, at] * station.staff_hours * a_year
        if not station.cost_pence:
            continue
        days = runs.used_days[:, at]
        if station.cost_per == "place":
            days = np.full(len(days), float(sum(station.places_on(runs.days)[runs.warmup_days :])))
        payer = station.payer or "nobody named"
        for of in (f"{payer}, {station.setting}", f"{payer}, {ALL}", ALL):
            cost = days * station.cost_pence * a_year
            total[Name("cost", of)] = total.get(Name("cost", of), 0.0) + cost
    # What one payer pays for, then what each pays, then everything.
    yield from sorted(total.items(), key=lambda each: (each[0].of == ALL, each[0].of.endswith(ALL)))


def in_order(names: Iterable[Name]) -> list[Name]:
    """Names by measure, in the order of MEASURES, and otherwise as they come."""
    order = list(MEASURES)
    return sorted(names, key=lambda name: order.index(name.measure))
