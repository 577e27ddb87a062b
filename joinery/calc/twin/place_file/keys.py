"""The tables and keys that a place file may have: what each says, and which values it takes.

The reader checks a file against these, and the reference page is made from them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from joinery.calc.twin.network import MOST_VISITS

# More of anything is a slip of the keyboard, and would run for ever.
MOST = 1_000_000
Number = Annotated[float, Meta(ge=0)]
ByBand = Number | tuple[Number, ...]
Rate = Annotated[float, Meta(ge=0, le=MOST)]
Factor = Annotated[float, Meta(ge=0, le=1_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Change = Annotated[float, Meta(gt=-1, le=1)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table may say where its figures come from."""

    source: Annotated[str, Meta(description="where the figures of this table come from")] = ""
    assumption: Annotated[str, Meta(description="what was assumed where there is no source, and why")] = ""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table inside a table."""


class PlaceTable(_Table, frozen=True, kw_only=True):
    """The place."""

    name: Annotated[str, Meta(description="what the place is called", min_length=1)]
    bands: Annotated[tuple[str, ...], Meta(description="bands of age, in order", min_length=1)]
    start_date: Annotated[date, Meta(description="the day that the run begins")]
    people: Annotated[
        tuple[Annotated[int, Meta(ge=0)], ...], Meta(description="population by band: needed for people at home")
    ] = ()
    based_on: Annotated[
        str, Meta(description="another place file, in the same folder: then this one says only what differs")
    ] = ""
    census_file: Annotated[
        str, Meta(description="CSV of who is there at the start: band, station, days and, if waiting, waiting_for")
    ] = ""


class Season(_Part, frozen=True):
    """A yearly wave: the rate is highest `swing` above its mean, and half a year later as much below it."""

    swing: Annotated[Share, Meta(description="height of the wave as a share of the mean: 0.12 is 12 % up and down")]
    peak_day: Annotated[Number, Meta(description="days after 1 January of the highest rate", le=366)]


class ArrivalsTable(_Table, frozen=True, kw_only=True):
    """People who come from outside."""

    to: Annotated[str, Meta(description="the station they come to")]
    rate_per_day: Annotated[
        Rate | tuple[Rate, ...], Meta(description="mean arrivals a day: by band, or one number where one band is")
    ]
    weekday: Annotated[
        tuple[Factor, ...], Meta(description="seven factors, Monday first", min_length=7, max_length=7)
    ] = (1.0,) * 7
    season: Annotated[Season | None, Meta(description="a yearly wave: `swing` and `peak_day`")] = None
    season_file: Annotated[
        str, Meta(description="CSV of factors by day: date, band (empty for all), multiplier, without a gap")
    ] = ""
    growth_per_year: Annotated[Change, Meta(description="0.01 is one per cent more each year")] = 0.0


class PlacesFrom(_Part, frozen=True, rename={"first_day": "from"}):
    """The places from a day on."""

    first_day: Annotated[date, Meta(description="the first day")]
    places: Annotated[int, Meta(description="how many there are from that day on", ge=0, le=MOST)]


class StayTable(_Part, frozen=True):
    """How long people stay. Of a lognormal stay: its mean and one of cv, sd_days or median_days; or mu and sigma."""

    shape: Annotated[Literal["exponential", "lognormal", "fixed"], Meta(description="of its distribution")]
    mean_days: Annotated[ByBand | None, Meta(description="the mean")] = None
    cv: Annotated[ByBand | None, Meta(description="standard deviation divided by the mean")] = None
    sd_days: Annotated[ByBand | None, Meta(description="the standard deviation")] = None
    median_days: Annotated[ByBand | None, Meta(description="the median")] = None
    mu: Annotated[float | tuple[float, ...] | None, Meta(description="mean of the logarithm of the days")] = None
    sigma: Annotated[ByBand | None, Meta(description="standard deviation of the logarithm of the days")] = None


class Visits(_Part, frozen=True):
    """A service by visits a day: they fall by one after each equal part of a stay, from the first to the last."""

    first: Annotated[int, Meta(description="visits a day at the start of a stay", ge=1, le=MOST_VISITS)]
    last: Annotated[int, Meta(description="visits a day at its end", ge=1)]


class StationTable(_Table, frozen=True, kw_only=True):
    """A service that people stay in: a ward, beds in the community, places in care homes, care at home."""

    places: Annotated[
        Annotated[int, Meta(ge=0, le=MOST)] | tuple[PlacesFrom, ...],
        Meta(description="how many people (or visits a day) it can take: a number, or a list of `from` and `places`"),
    ]
    stay: Annotated[StayTable, Meta(description="how long people stay; each figure by band, or one for all")]
    visits: Annotated[Visits | None, Meta(description="of a service whose places are visits a day")] = None
    turns_away: Annotated[bool, Meta(description="whoever finds no place and holds none leaves for good")] = False
    setting: Annotated[
        Literal["hospital", "bed", "home", "care home"], Meta(description="where it is: people `home` are at home")
    ] = "bed"
    cost_pence: Annotated[Number, Meta(description="cost of a place (or visit) and day")] = 0.0
    cost_per: Annotated[
        Literal["place", "occupied"], Meta(description="whether every place costs that, or only one in use")
    ] = "place"
    payer: Annotated[str, Meta(description="who pays: nhs, council or another word")] = ""
    staff_hours: Annotated[Number, Meta(description="hours of staff for a place (or visit) in use and day")] = 0.0


class RouteTable(_Table, frozen=True, kw_only=True):
    """Where people go after a stay."""

    p: Annotated[
        Share | tuple[Share, ...] | Literal["rest"],
        Meta(description='the share who go there: by band, or one for all; "rest" is what the other routes leave'),
    ]
    holds_place: Annotated[
        bool | None, Meta(description="whoever waits there keeps the place held so far. True between stations")
    ] = None
    delay: Annotated[StayTable | None, Meta(description="of a route from home: how long until they return")] = None


class CensusTable(_Table, frozen=True, kw_only=True):
    """People who are there at the start."""

    band: Annotated[str, Meta(description="their band")]
    people: Annotated[int, Meta(description="how many they are", ge=0, le=MOST)] = 1
    station: Annotated[str, Meta(description="where they are; without it they wait elsewhere")] = ""
    days: Annotated[
        ByBand | None,
        Meta(description="for how long so far: one number or one a person. Without it, as in a steady service"),
    ] = None
    waiting_for: Annotated[str, Meta(description="they are ready, and wait for this station")] = ""


class BudgetTable(_Table, frozen=True, kw_only=True):
    """What may be spent on places. A file whose places cost more is refused."""

    pooled: Annotated[bool, Meta(description="whether payers share one budget; otherwise each has its own")]
    pence_per_day: Annotated[
        Number | dict[str, Number] | None,
        Meta(description="the budget, or one a payer. Without it, what the places of this file or of based_on cost"),
    ] = None
    min: Annotated[dict[str, Annotated[int, Meta(ge=0)]], Meta(description="the fewest places a station may have")] = (
        msgspec.field(default_factory=dict)
    )


class TrendTable(_Table, frozen=True, kw_only=True):
    """What changed everywhere in the meantime. A comparison is run without it and with it, in both places, so that no
    change gets credit for it: leave it out of the changed place itself."""

    years: Annotated[float, Meta(description="for how many years the yearly changes are applied", ge=0, le=100)]
    arrivals_per_year: Annotated[Change, Meta(description="change of all arrivals each year")] = 0.0
    stay_per_year: Annotated[dict[str, Change], Meta(description="change of the mean stay each year, by station")] = (
        msgspec.field(default_factory=dict)
    )


# What a file may hold: the header as it is written, and what it holds.
TABLES: dict[str, type[msgspec.Struct]] = {
    "[place]": PlaceTable,
    "[arrivals.NAME]": ArrivalsTable,
    "[station.NAME]": StationTable,
    "[route.FROM.TO]": RouteTable,
    "[[census]]": CensusTable,
    "[budget]": BudgetTable,
    "[national_trend]": TrendTable,
}
PARTS: dict[str, type[msgspec.Struct]] = {
    "season": Season, "places": PlacesFrom, "stay": StayTable, "visits": Visits,
}  # fmt: skip
