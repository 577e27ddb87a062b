"""What theory knows day by day: seasons, stays already begun, places that open and close, visits that taper."""

from __future__ import annotations

import math

import numpy as np
import pytest

from joinery.calc.twin.network import Held, Station, Stay
from joinery.calc.twin.simulate import run
from tests.known_results.looks import Figure, agree
from tests.known_results.places import ENDLESS, HOME, place, station
from tests.oracles import queues

IN_PLACE, READY, WAITING = 0, 1, 2  # columns of the count at midnight
DAYS_LOOKED_AT = (1, 3, 10, 45, 100, 200, 300)


def test_seasons_and_weekdays_reach_the_beds_as_they_should() -> None:
    """Mt/G/infinity: from an empty start, with two bands, a winter and a week; the count at a midnight is Poisson."""
    days = 300
    wave = [1 + 0.4 * math.cos(2 * math.pi * (d - 15) / 365.25) for d in range(days)]
    week = (1.3, 1.2, 1.1, 1.0, 1.0, 0.8, 0.0)  # nobody comes on the seventh day
    rates = [[6.0 * wave[d] * week[d % 7], 2.0 * wave[d]] for d in range(days)]
    stays = Stay("lognormal", 5.0, 1.1), Stay("exponential", 20.0)
    survivals = queues.lognormal(5.0, 1.1), lambda t: math.exp(-t / 20.0)
    means = np.sum(
        [queues.endless_places([row[b] for row in rates], survivals[b]) for b in (0, 1)],
        axis=0,
    )

    def look(seed: int, reps: int) -> dict[str, Figure]:
        ward = place([station("ward", ENDLESS, *stays)], rates)
        counted = run(ward, days, reps=reps, seed=seed).midnights[:, :, 0, IN_PLACE].astype(float)
        figures = {f"mean of day {d}": Figure(counted[:, d], means[d]) for d in DAYS_LOOKED_AT}
        for d in DAYS_LOOKED_AT:
            figures[f"variance of day {d}"] = Figure((counted[:, d] - means[d]) ** 2, means[d])
        return figures

    agree(look, reps=400)


@pytest.mark.parametrize(
    ("stay", "survival"),
    [
        (Stay("lognormal", 0.6, 1.5), queues.lognormal(0.6, 1.5)),
        (Stay("lognormal", 30.0, 0.7), queues.lognormal(30.0, 0.7)),
        (Stay("exponential", 12.0), lambda t: math.exp(-t / 12.0)),
    ],
    ids=["hours", "weeks", "exponential"],
)
def test_who_is_there_today_leaves_as_who_has_stayed_so_long_does(stay: Stay, survival: queues.Survival) -> None:
    """What is left of a stay, given the days already there; stays of hours too, and days no stay is likely to last."""
    already = [0.0, 0.2, 1.0, 9.5, 60.0]
    after = (1, 2, 5, 20, 60)

    def look(seed: int, reps: int) -> dict[str, Figure]:
        census = tuple(Held(0, 0, days) for days in already)
        ward = place([station("ward", ENDLESS, stay)], [[0.0]], census=census)
        counted = run(ward, 60, reps=reps, seed=seed).midnights[:, :, 0, IN_PLACE].astype(float)
        assert (counted[:, 0] == len(already)).all()
        return {
            f"day {t}": Figure(counted[:, t], sum(survival(days + t) / survival(days) for days in already))
            for t in after
            if any(survival(days + t) / survival(days) > 0.01 for days in already)
        }

    agree(look, reps=2_000)


def test_a_fixed_stay_already_begun_ends_on_its_day() -> None:
    census = tuple(Held(0, 0, float(days)) for days in range(7))
    ward = place([station("ward", 7, Stay("fixed", 7.5))], [[0.0]], census=census)
    counted = run(ward, 9, reps=1).midnights[0, :, 0, IN_PLACE]
    assert list(counted) == [7, 7, 6, 5, 4, 3, 2, 1, 0, 0]


def test_who_waits_at_the_start_is_somebody_who_takes_a_place_and_leaves_it() -> None:
    """IPACS counts a queue with nobody in it; here ten people wait, are let in, and are gone after their stay."""
    census = tuple(Held(0, None, 2.0, waiting_for=0) for _ in range(10))
    ward = place([station("ward", 4, Stay("fixed", 1.5))], [[0.0]], census=census)
    runs = run(ward, 6, reps=1)
    assert list(runs.midnights[0, :, 0, IN_PLACE]) == [0, 4, 4, 4, 2, 0, 0]
    assert list(runs.midnights[0, :, 0, WAITING]) == [10, 6, 2, 2, 0, 0, 0]
    assert runs.admissions.sum() == 10


def test_places_open_at_once_and_close_as_people_leave() -> None:
    """With a queue that never ends: full at every midnight. After a cut, whoever is in stays until they are well."""
    days = 25
    ward = Station("ward", ((0, 20), (10, 35), (20, 3)), (Stay("exponential", 1.0),))

    def look(seed: int, reps: int) -> dict[str, Figure]:
        runs = run(place([ward], [[60.0]]), days, reps=reps, seed=seed)
        counted = runs.midnights[:, :, 0, IN_PLACE].astype(float)
        assert (counted[:, 2:10] == 20).all() and (counted[:, 11:20] == 35).all()
        assert (counted[:, 20:] >= 3).all()
        return {f"{t} days after": Figure(counted[:, 20 + t], queues.at_least(3, 35, math.exp(-t))) for t in (1, 2)}

    agree(look, reps=300)


def test_visits_taper_in_equal_parts_of_the_stay() -> None:
    """Four visits a day, then three, two and one, each for a quarter of the stay: 2.5 on average over it."""

    def look(seed: int, reps: int) -> dict[str, Figure]:
        team = station("team", ENDLESS, Stay("lognormal", 12.0, 0.9), first_visits=4, last_visits=1)
        runs = run(place([team], [[3.0]], [[{HOME: 1.0}]]), 460, warmup_days=400, reps=reps, seed=seed)
        return {
            "people": Figure(runs.occupied_days[:, 0, 0] / 60, 3.0 * 12.0),
            "visits": Figure(runs.used_days[:, 0] / 60, 3.0 * 12.0 * 2.5),
        }

    agree(look, reps=120)
