"""A run of the twin, told as what the place's services would write down."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from joinery.calc.twin.network import Held, Place, Station
from joinery.calc.twin.place_file import read_place
from joinery.calc.twin.simulate import Runs, run
from joinery.site.demo.events import Event
from joinery.site.demo.forecast import Forecast, forecast

START = datetime(2026, 10, 1, tzinfo=UTC)  # the clocks go back within the run
DAYS = 40
END = START + timedelta(days=DAYS)
SEED = 3
SCENARIOS = Path(str(files("joinery.definitions"))) / "scenarios"
OPENS = {
    "admitted": ("arrived", "referred"), "ready": ("admitted",), "discharged": ("arrived", "referred"),
    "accepted": ("referred",), "declined": ("referred",), "service_ended": ("service_started",),
}  # fmt: skip


def _tenth(station: Station) -> Station:
    return replace(station, places=((0, station.places[0][1] // 10 + 4),))


@pytest.fixture(scope="module")
def place() -> Place:
    """A tenth of the reference place, with a few people there at the start."""
    whole = read_place(SCENARIOS / "reference.toml").place
    stream = whole.arrivals[0]
    rates = tuple(tuple(rate / 10 for rate in row) for row in stream.rates_per_day)
    return replace(
        whole,
        start_date=date(2026, 10, 1),
        stations=tuple(map(_tenth, whole.stations)),
        arrivals=(replace(stream, rates_per_day=rates),),
        census=(Held(3, 0, 2.0), Held(3, 0, 1.0, 1), Held(2, 4, 100.0), Held(1, None, 1.0, 2)),
    )


@pytest.fixture(scope="module")
def told(place: Place) -> Forecast:
    return forecast(place, DAYS, SEED)


@pytest.fixture(scope="module")
def runs(place: Place) -> Runs:
    return run(place, DAYS, seed=SEED)


def test_it_tells_as_many_as_the_run_counts(told: Forecast, runs: Runs) -> None:
    counts = Counter((row.event, row.service) for row in told.events.rows() if row.at >= START)
    admitted = runs.admissions[0].sum(axis=1).tolist()
    assert counts["admitted", "acute_ward"] == admitted[0] > 200
    assert counts["service_started", "reablement"] == admitted[1] > 10
    assert counts["admitted", "rehabilitation_beds"] == admitted[2]
    assert counts["service_started", "care_home_orchard"] == admitted[3] + admitted[4]
    assert counts["arrived", "emergency_department"] == runs.arrivals[0].sum() + runs.returns[0, 0].sum()
    assert counts["died", ""] == runs.moves[0, :, 6].sum()
    assert max(told.events.person) == len(told.bands) - 1


def test_delays_in_the_events_are_those_of_the_run(told: Forecast, runs: Runs) -> None:
    """From ready to discharged, in the ward: a minute is lost at most."""
    ready: dict[int, datetime] = {}
    delayed = timedelta()
    for row in told.events.rows():
        if row.service == "acute_ward" and row.event == "ready":
            ready[row.episode] = max(row.at, START)
        elif row.service == "acute_ward" and row.event == "discharged":
            delayed += row.at - ready.pop(row.episode)
    delayed += sum((END - at for at in ready.values()), timedelta())
    assert delayed / timedelta(days=1) == pytest.approx(runs.ready_days[0, 0], abs=len(told.events) / 24 / 60)


def test_episodes_open_before_anything_else_and_belong_to_one_person(told: Forecast) -> None:
    seen: dict[int, list[Event]] = defaultdict(list)
    for row in told.events.rows():
        if row.episode >= 0:
            if opening := OPENS.get(row.event):
                assert any(before.event in opening for before in seen[row.episode]), row
            seen[row.episode].append(row)
    assert all(len({row.person for row in rows}) == 1 for rows in seen.values())


def test_who_is_ready_waits_for_the_service_that_starts(told: Forecast) -> None:
    """The ward says what is waited for, asks that service, and is left when it starts."""
    rows = list(told.events.rows())
    waits = [row for row in rows if row.event == "ready" and row.code == "reablement"]
    assert len(waits) > 10
    for ready in waits:
        own = [row for row in rows if row.person == ready.person and row.at >= ready.at]
        asked = next(row for row in own if row.event == "referred")
        assert (asked.at, asked.service) == (ready.at, "reablement")
        left = next((row for row in own if row.event == "discharged" and row.episode == ready.episode), None)
        if left and left.code == "19":
            assert any(row.event == "service_started" and row.at == left.at for row in own)


def test_nothing_is_told_of_what_lies_beyond_the_run_and_nobody_acts_after_death(told: Forecast) -> None:
    rows = list(told.events.rows())
    assert max(row.at for row in rows) < END
    died = {row.person: row.at for row in rows if row.event == "died"}
    assert died
    assert all(row.at <= died[row.person] for row in rows if row.person in died)


def test_it_is_the_same_each_time_and_another_with_another_seed(place: Place, told: Forecast) -> None:
    assert forecast(place, DAYS, SEED) == told
    assert forecast(place, DAYS, SEED + 1) != told


def test_a_station_that_no_service_stands_for_is_refused(place: Place) -> None:
    stations = (replace(place.stations[0], name="moon_base"), *place.stations[1:])
    with pytest.raises(ValueError, match=r"moon_base: no such station in definitions/demo/forecast\.toml"):
        forecast(replace(place, stations=stations), 1)
