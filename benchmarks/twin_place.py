"""The place that the twin is measured on: acute, homecare, rehabilitation, assessment and long-term beds.

Some 140,000 people, 45 admissions a day. Rates, stays and routes are illustrative: they say nothing of any place.
"""

from __future__ import annotations

import math

from joinery.calc.twin.network import Arrivals, Held, Place, Station, Stay

PEOPLE = 140_000
BANDS = ("0-64", "65-74", "75-84", "85+")
RATES_PER_DAY = (20.0, 8.0, 9.5, 7.5)
WEEKDAYS = (1.06, 1.05, 1.03, 1.01, 1.03, 0.91, 0.91)
DEATHS = (0.01, 0.04, 0.08, 0.14)
# Of those who survive: homecare, rehabilitation, a bed to assess in, home.
PATHWAYS = ((0.03, 0.01, 0.0, 0.96), (0.09, 0.04, 0.01, 0.86), (0.17, 0.08, 0.03, 0.72), (0.24, 0.12, 0.06, 0.58))
RETURNS = (0.09, 0.13, 0.16, 0.18)
IN_LONG_TERM_CARE = 470


def season(day: int) -> float:
    """The factor of a day: a cosine of a year, highest in winter, and the day of the week."""
    return (1 + 0.12 * math.cos(2 * math.pi * (day + 0.5 - 15) / 365.25)) * WEEKDAYS[day % 7]


def place(scale: float = 1.0, **places: int) -> Place:
    """The place with `scale` times its people and places; or with other places, by name."""

    def station(name: str, places: int, shape: str, means: tuple[float, ...], cv: float = 1.0) -> Station:
        stays = tuple(Stay(shape, mean, cv) for mean in means)  # type: ignore[arg-type]
        return Station(name, ((0, round(scale * places)),), stays)

    stations = (
        station("acute", 340, "lognormal", (2.5, 5.5, 8.0, 10.0), 1.1),
        station("homecare", 150, "lognormal", (26.0,) * 4, 0.7),
        station("rehab", 64, "lognormal", (24.0,) * 4, 0.6),
        station("assess", 40, "lognormal", (30.0,) * 4, 0.7),
        station("long_term", 520, "exponential", (600.0,) * 4),
    )
    acute = tuple(
        (0.0, *((1 - dies) * share for share in shares[:3]), 0.0, (1 - dies) * shares[3], dies)
        for dies, shares in zip(DEATHS, PATHWAYS, strict=True)
    )
    made = Place(
        "benchmark",
        BANDS,
        stations,
        (Arrivals("emergency", 0, tuple(tuple(scale * r * season(d) for r in RATES_PER_DAY) for d in range(4_000))),),
        (
            acute,
            ((0.0, 0.0, 0.0, 0.0, 0.03, 0.94, 0.03),) * 4,
            ((0.0, 0.20, 0.0, 0.0, 0.10, 0.62, 0.08),) * 4,
            ((0.0, 0.0, 0.0, 0.0, 0.55, 0.25, 0.20),) * 4,
            ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),) * 4,
            tuple((returns, 0.0, 0.0, 0.0, 0.0, 1 - returns, 0.0) for returns in RETURNS),
        ),
        (frozenset({1, 2, 3}), frozenset({4}), frozenset({1, 4}), frozenset({4}), frozenset()),
        (Stay("exponential", 12.0),) * 4,
        (Held(3, 4),) * round(scale * IN_LONG_TERM_CARE),
    )
    return made.with_(**places)
