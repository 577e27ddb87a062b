"""A place that cannot be run is refused with the reason; one that can tells its traffic before it runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from joinery.calc.twin.network import Arrivals, Held, Place, PlaceError, Station, Stay, traffic
from joinery.calc.twin.simulate import run

STAY = Stay("exponential", 5.0)
# acute -> step-down with the place held, or home; a tenth of those who go home come back.
PLACE = Place(
    "two",
    ("all",),
    (Station("acute", ((0, 60),), (STAY,)), Station("step_down", ((0, 40),), (Stay("lognormal", 12.0, 0.8),))),
    (Arrivals("emergency", 0, ((8.0,),)),),
    (((0.0, 0.3, 0.6, 0.1),), ((0.0, 0.0, 0.9, 0.1),), ((0.1, 0.0, 0.9, 0.0),)),
    (frozenset({1}), frozenset()),
)


def station(**changes: object) -> dict[str, object]:
    return {"stations": (replace(PLACE.stations[0], **changes), PLACE.stations[1])}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stations": ()}, "at least one station"),
        ({"stations": (PLACE.stations[0],) * 2}, "a name of its own"),
        (station(name="home"), "a name of its own"),
        (station(places=()), "acute: places need a first day of 0"),
        (station(places=((1, 5),)), "acute: places need a first day of 0"),
        (station(places=((0, 5), (9, 4), (3, 5))), "in order"),
        (station(places=((0, -1),)), "below 0"),
        (station(stays=(STAY, STAY)), "2 stays for 1 bands"),
        (station(first_visits=1, last_visits=2), "visits a day must fall"),
        (station(last_visits=0), "at least 1"),
        ({"arrivals": (Arrivals("x", 5, ((1.0,),)),)}, "arrivals x: there is no station 5"),
        ({"arrivals": (Arrivals("x", 0, ((1.0,),), 2),)}, "repeat_days"),
        ({"arrivals": (Arrivals("x", 0, ((1.0,), (-1.0,))),)}, "arrivals x, day 1"),
        ({"routes": PLACE.routes[:2]}, "from every station and from home"),
        ({"routes": (((0.0, 0.3, 0.6, 0.2),), *PLACE.routes[1:])}, "route from acute, all: .* sum to 1.1, not to 1"),
        ({"routes": (((0.0, 1.3, -0.3, 0.0),), *PLACE.routes[1:])}, "from 0 to 1"),
        ({"routes": (((0.0, 1.0, 0.0, 0.0),), ((1.0, 0.0, 0.0, 0.0),), PLACE.routes[2])}, "nobody .* ever leaves"),
        (
            {
                "routes": (PLACE.routes[0], ((0.5, 0.0, 0.4, 0.1),), PLACE.routes[2]),
                "holds": (frozenset({1}), frozenset({0})),
            },
            "acute -> step_down -> acute: places held in a ring",
        ),
        ({"holds": (frozenset({7}), frozenset())}, "for stations only"),
        ({"home_delays": (STAY, STAY)}, "delays at home"),
        ({"census": (Held(3, 0),)}, "census, person 1: there is no band 3"),
        ({"census": (Held(0, 0), Held(0, 9))}, "census, person 2: there is no such station"),
        ({"census": (Held(0, None),)}, "a station, or one that is waited for"),
        ({"census": (Held(0, 0, -1.0),)}, "from 0 up"),
        ({"census": (Held(0, 1, 1.0, 0),)}, "step_down holds no place for acute"),
        (station(stays=(Stay("fixed", 5.0),)) | {"census": (Held(0, 0, 6.0),)}, "no stay at acute lasts 6 days"),
        (station(turns_away=True) | {"census": (Held(0, None, 1.0, 0),)}, "nobody waits for it"),
    ],
)
def test_a_place_that_cannot_be_run_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(PlaceError, match=says):
        replace(PLACE, **changes)


@pytest.mark.parametrize(("mean", "cv"), [(0.0, 1.0), (float("nan"), 1.0), (3.0, 0.0), (3.0, float("inf"))])
def test_a_stay_that_cannot_be_is_refused(mean: float, cv: float) -> None:
    with pytest.raises(PlaceError, match="must be above 0"):
        Stay("lognormal", mean, cv)


def test_other_places_need_a_station_that_is_there() -> None:
    assert PLACE.with_(acute=61).stations[0].places == ((0, 61),)
    with pytest.raises(PlaceError, match="no station is called hotel"):
        PLACE.with_(hotel=3)


def test_traffic_is_what_a_place_with_room_for_all_comes_to() -> None:
    acute, step_down = traffic(PLACE)
    # Of x admissions to the acute beds 0.6 x go home at once and 0.27 x later; a tenth of them come back.
    admissions = 8 / (1 - 0.1 * (0.6 + 0.3 * 0.9))
    assert np.isclose(acute.admissions_per_day, admissions)
    assert np.isclose(acute.offered, 5 * admissions)
    assert np.isclose(step_down.offered, 12 * 0.3 * admissions)
    assert np.isclose(step_down.intensity, step_down.offered / 40)
    roomy = run(PLACE.with_(acute=1_000, step_down=1_000), 2_000, 200, reps=4)
    occupied = roomy.occupied_days.sum(2).mean(0) / 1_800
    assert np.allclose(occupied, [acute.offered, step_down.offered], rtol=0.05)


def test_survival_is_that_of_the_stays_drawn() -> None:
    """The share of the mean that lies beyond each day is the sum of the survival from there on."""
    for stay in (Stay("exponential", 4.0), Stay("lognormal", 4.0, 1.2), Stay("fixed", 4.0)):
        days = np.arange(0, 400, 0.01)
        assert np.isclose(sum(stay.survival(day) for day in days) * 0.01, stay.mean_days, rtol=2e-3)
