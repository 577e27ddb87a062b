"""The whole of a place file: its stations, and what the readers of the other tables give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from joinery.calc.twin.budget import Budget, Trend, places_pence_per_day
from joinery.calc.twin.network import Place, PlaceError, Station
from joinery.calc.twin.place_file.arrivals import read_arrivals
from joinery.calc.twin.place_file.census import read_census
from joinery.calc.twin.place_file.document import Document, header, open_document
from joinery.calc.twin.place_file.keys import BudgetTable, StationTable, TrendTable
from joinery.calc.twin.place_file.lines import Key
from joinery.calc.twin.place_file.reader import DEATH, HOME, Reader
from joinery.calc.twin.place_file.routes import read_routes

PARTS = ("place", "arrivals", "station", "route", "census", "budget", "national_trend")


@dataclass(frozen=True)
class PlaceFile:
    """What a file says: the place and, where they are given, the budget, the national trend, and the place that it
    changes."""

    path: Path
    place: Place
    budget: Budget | None = None
    trend: Trend | None = None
    base: PlaceFile | None = None


@dataclass(frozen=True)
class Account:
    """Where the figures of one table come from. With neither source nor assumption they come from nowhere."""

    table: str
    source: str
    assumption: str


def read_place(path: Path) -> PlaceFile:
    """Read a place file. Raises PlaceError: a line of text for each thing that is wrong, with file and line."""
    return _read(open_document(path))


def accounts(path: Path) -> tuple[Account, ...]:
    """What each table of the file itself says of its sources."""
    own = open_document(path).own
    return tuple(
        Account(header(key), str(said.get("source", "")), str(said.get("assumption", "")))
        for key, said in _tables(own)
    )  # fmt: skip


def _tables(toml: dict[str, object]) -> Iterator[tuple[Key, dict[str, object]]]:
    """Every table that carries figures, with its key."""
    depth = {"arrivals": 1, "station": 1, "route": 2, "census": 1}
    for part in PARTS:
        found: list[tuple[Key, object]] = [((part,), toml[part])] if part in toml else []
        for _ in range(depth.get(part, 0)):
            found = [
                ((*key, name), each)
                for key, said in found
                for name, each in (said.items() if isinstance(said, dict) else enumerate(said))  # type: ignore[arg-type]
            ]
        yield from ((key, said) for key, said in found if isinstance(said, dict))


def _read(document: Document) -> PlaceFile:
    # The file that it is based on comes first, so that its faults are not told as those of the change.
    base = _read(document.base) if document.base else None
    reader = Reader(document)
    place = _place(reader)
    budget = reader.attempt(_budget, reader, place, base.place if base else place)
    trend = reader.attempt(_trend, reader)
    reader.raise_faults()
    return PlaceFile(document.path, place, budget, trend, base)


def _place(reader: Reader) -> Place:
    """The place. Raises PlaceError with all that is wrong."""
    about, bands, document = reader.about, reader.bands, reader.document
    own_name = not document.base or "name" in document.own.get("place", {})
    name = about.name if own_name else f"{about.name}, changed"
    for part in document.toml:
        if part not in PARTS:
            reader.fault((part,), f"there is no such table. There are {', '.join(PARTS)}")
    for word in (about.name, *bands, *reader.stations):
        if not word.strip() or not word.isprintable():
            reader.fault(("place",), f"{word!a} cannot stand as a name in a table or on a chart")
    if len(set(bands)) < len(bands):
        reader.fault(("place", "bands"), "every band needs a name of its own")
    if about.people and len(about.people) != len(bands):
        reader.attempt(reader.by_band, ("place", "people"), about.people)
    stations = [reader.attempt(_station, reader, each) for each in reader.stations]
    arrivals = [reader.attempt(read_arrivals, reader, each) for each in reader.names("arrivals")]
    onward = read_routes(reader)
    reader.raise_faults()
    known = tuple(each for each in stations if each)
    assert onward
    census = read_census(reader, known, onward.holds)
    reader.raise_faults()
    try:
        return Place(
            name, bands, known, tuple(each for each in arrivals if each), onward.routes, onward.holds,
            onward.home_delays, census, about.start_date, about.people,
        )  # fmt: skip
    except PlaceError as error:
        raise PlaceError(f"{document.path.name}: {error}") from None


def _station(reader: Reader, name: str) -> Station:
    key = ("station", name)
    if name in (HOME, DEATH):
        raise reader.wrong(key, f"everybody's {name} is no station: choose another name")
    said = reader.document.table(key, StationTable)
    first, last = (said.visits.first, said.visits.last) if said.visits else (1, 1)
    if last > first:
        raise reader.wrong((*key, "visits"), "visits fall over a stay, so that last is at most first")
    stays = reader.stays((*key, "stay"), said.stay)
    return Station(
        name, _places(reader, key, said), stays, first, last, said.turns_away, said.setting, said.cost_pence,
        said.cost_per, said.payer, said.staff_hours,
    )  # fmt: skip


def _places(reader: Reader, key: Key, said: StationTable) -> tuple[tuple[int, int], ...]:
    """The places by days from the start on. Of the dates up to it, the last one counts."""
    if isinstance(said.places, int):
        return ((0, said.places),)
    start = reader.about.start_date
    dates = [each.first_day for each in said.places]
    if not dates or dates != sorted(set(dates)) or dates[0] > start:
        raise reader.wrong((*key, "places"), f"dates are needed in order, the first not after the start, {start}")
    at_start = max(number for number, day in enumerate(dates) if day <= start)
    later = said.places[at_start + 1 :]
    return ((0, said.places[at_start].places), *(((each.first_day - start).days, each.places) for each in later))


def _budget(reader: Reader, place: Place, before: Place) -> Budget | None:
    """The rules of [budget]. Raises PlaceError where the places do not keep them."""
    key = ("budget",)
    if reader.document.at(key) is None:
        return None
    said = reader.document.table(key, BudgetTable)
    for name in said.min:
        reader.station(name, (*key, "min", name))
    given = said.pence_per_day
    if given is None:
        given = places_pence_per_day(before, pooled=said.pooled)
    elif isinstance(given, dict) == said.pooled:
        needed = "one number, as the budget is pooled" if said.pooled else "a number for each payer: {nhs = ...}"
        raise reader.wrong((*key, "pence_per_day"), f"give {needed}")
    budget = Budget(given if isinstance(given, dict) else {"": given}, said.min)
    if broken := budget.broken(place):
        raise reader.wrong(key, "; ".join(broken))
    return budget


def _trend(reader: Reader) -> Trend | None:
    key = ("national_trend",)
    if reader.document.at(key) is None:
        return None
    said = reader.document.table(key, TrendTable)
    for name in said.stay_per_year:
        reader.station(name, (*key, "stay_per_year", name))
    return Trend(said.years, said.arrivals_per_year, said.stay_per_year)
