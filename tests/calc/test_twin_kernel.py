"""The twin's events: equal to SimPy's to the last bit, whoever runs which part of them, compiled or not."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from statistics import NormalDist
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.calc.twin import kernel, simulate
from joinery.calc.twin.network import Arrivals, Held, Place, PlaceError, Station, Stay
from joinery.calc.twin.simulate import Runs, run
from joinery.calc.twin.world import CENSUS_FROM, LOG_EVENTS
from tests.oracles import twin as oracle

# Philox4x32-10: counters, keys and answers that its authors publish with it (Random123, kat_vectors).
KNOWN = (
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([2**32 - 1] * 4, [2**32 - 1] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
)
COUNTED = [each.name for each in fields(Runs) if each.name not in {"place", "days", "warmup_days", "seed", "first_rep"}]
DAYS, WARMUP = 20, 5


def same(ours: Runs, theirs: Runs) -> bool:
    return all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in COUNTED)


def stays() -> st.SearchStrategy[Stay]:
    means = st.floats(0.2, 8)
    return st.builds(Stay, st.just("exponential"), means) | st.builds(
        Stay, st.just("lognormal"), means, st.floats(0.2, 2)
    )


@st.composite
def places(draw: st.DrawFn) -> Place:
    """Up to three stations of beds and of visits, with calendars, routes of every kind, and a census."""
    stations, bands = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    by_band = st.tuples(*[stays()] * bands)

    def station(number: int) -> Station:
        last = draw(st.integers(1, 2))
        later = draw(st.lists(st.integers(1, DAYS - 1), max_size=2, unique=True).map(sorted))
        calendar = tuple((day, draw(st.integers(0, 8))) for day in [0, *later])
        first = last + draw(st.integers(0, 2))
        return Station(f"s{number}", calendar, draw(by_band), first, last, turns_away=draw(st.booleans()))

    def route(home: bool) -> tuple[float, ...]:
        # Some leave for good from everywhere, so that nobody is caught.
        weights = [draw(st.integers(0, 3)) for _ in range(stations)] + [draw(st.integers(1, 4)), 1]
        return tuple(weight / sum(weights) for weight in weights)

    rows = draw(st.integers(1, 3))
    rates = st.tuples(*[st.floats(0, 4)] * bands)
    routes = tuple(tuple(route(at == stations) for _ in range(bands)) for at in range(stations + 1))
    # Places are held for stations further on only, so that none wait in a ring.
    holds = tuple(frozenset(to for to in range(at + 1, stations) if draw(st.booleans())) for at in range(stations))
    made = tuple(station(number) for number in range(stations))
    here = [one for one in held(stations, bands, holds) if one.station is not None or not waited_for(one, made)]
    return Place(
        "random",
        tuple(f"b{band}" for band in range(bands)),
        made,
        tuple(
            Arrivals(f"a{to}", to, tuple(draw(rates) for _ in range(rows)), draw(st.integers(1, rows)))
            for to in draw(st.sets(st.integers(0, stations - 1)))
        ),
        routes,
        holds,
        draw(by_band),
        tuple(draw(st.lists(st.sampled_from(here), max_size=6))),
    )


def waited_for(one: Held, made: tuple[Station, ...]) -> bool:
    return one.waiting_for is not None and made[one.waiting_for].turns_away


def held(stations: int, bands: int, holds: tuple[frozenset[int], ...]) -> list[Held]:
    """Everybody who may be in a census: in service, ready and waiting, or waiting without a place."""
    found = []
    for band in range(bands):
        for at in range(stations):
            found += [Held(band, at, days) for days in (0.0, 1.3, 6.0)]
            found += [Held(band, at, 0.7, to) for to in sorted(holds[at])] + [Held(band, None, 2.1, at)]
    return found


@settings(max_examples=40, deadline=None)
@given(places(), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_every_figure_is_equal_to_simpys_to_the_last_bit(place: Place, seed: int, rep: int) -> None:
    ours = run(place, DAYS, WARMUP, seed=seed, first_rep=rep)
    theirs = oracle.World(place, DAYS, WARMUP, oracle.Keyed(seed, rep)).run()
    for name in COUNTED:
        if name != "events":
            assert np.array_equal(getattr(ours, name)[0], np.array(getattr(theirs, name))), name


@settings(max_examples=40, deadline=None)
@given(places(), st.integers(0, 2**32 - 1))
def test_people_are_conserved(place: Place, seed: int) -> None:
    runs = run(place, DAYS, WARMUP, reps=2, seed=seed)
    home = len(place.stations)
    change = (runs.midnights[:, DAYS] - runs.midnights[:, WARMUP]).sum(1)
    by_station = runs.midnights[:, DAYS, :, 0] - runs.midnights[:, WARMUP, :, 0]
    assert np.array_equal(by_station, runs.admissions.sum(2) - runs.moves[:, :home].sum((2, 3)))
    # Those who wait and are not ready somewhere hold no place: with those who do, they are all who are here.
    here = change[:, 0] + change[:, 2] - change[:, 1]
    came = (runs.arrivals + runs.returns - runs.turned_away).sum((1, 2))
    assert np.array_equal(here, came - runs.moves[:, :home, home:].sum((1, 2, 3)))


@settings(max_examples=40, deadline=None)
@given(places(), st.integers(0, 2**32 - 1))
def test_sums_over_time_agree_with_those_over_people(place: Place, seed: int) -> None:
    runs = run(place, DAYS, WARMUP, reps=2, seed=seed)
    assert np.allclose(runs.ready_days, runs.delayed_days.sum((2, 3)), atol=1e-9)
    for at, station in enumerate(place.stations):
        if station.kind == "slots":
            assert np.allclose(runs.used_days[:, at], runs.occupied_days[:, at].sum(1), atol=1e-9)
        people = runs.occupied_days[:, at].sum(1)
        assert (people * station.last_visits <= runs.used_days[:, at] + 1e-9).all()
        assert (people * station.first_visits >= runs.used_days[:, at] - 1e-9).all()


@settings(max_examples=20, deadline=None)
@given(places(), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_neither_workers_nor_the_split_of_replications_change_anything(place: Place, seed: int, split: int) -> None:
    whole = run(place, DAYS, WARMUP, reps=5, seed=seed)
    assert same(whole, run(place, DAYS, WARMUP, reps=5, seed=seed, workers=3))
    parts = [
        run(place, DAYS, WARMUP, reps=split, seed=seed),
        run(place, DAYS, WARMUP, reps=5 - split, seed=seed, first_rep=split),
    ]
    for name in COUNTED:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(getattr(whole, name), joined), name


@settings(max_examples=20, deadline=None)
@given(places(), st.integers(0, 2**32 - 1))
def test_who_arrives_does_not_depend_on_the_places(place: Place, seed: int) -> None:
    more = place.with_(**{station.name: 50 for station in place.stations})
    assert np.array_equal(run(place, DAYS, seed=seed).arrivals, run(more, DAYS, seed=seed).arrivals)


@settings(max_examples=30, deadline=None)
@given(places(), st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_the_log_tells_the_same_story(place: Place, seed: int, rep: int) -> None:
    runs, log = run(place, DAYS, seed=seed, first_rep=rep), simulate.log(place, DAYS, seed, rep)
    told = Counter(LOG_EVENTS[what] for what, days in zip(log.what, log.days, strict=True) if days >= 0)
    at_the_start = sum(each.station is not None and each.waiting_for is None for each in place.census)
    in_service = ((log.what == LOG_EVENTS.index("started")) & (log.person >= CENSUS_FROM) & (log.days <= 0)).sum()
    assert told["left"] == runs.moves[0, :-1].sum()
    assert told["turned_away"] == runs.turned_away.sum()
    assert told["returned"] == runs.returns.sum()
    assert told["home"] == runs.moves[0, :-1, -2].sum()
    assert told["died"] == runs.moves[0, :, -1].sum()
    assert in_service >= at_the_start
    for at in range(len(place.stations)):
        here = log.station == at
        for day in (1, DAYS // 2, DAYS):
            before = here & (log.days < day)
            started = (before & (log.what == LOG_EVENTS.index("started"))).sum()
            left = (before & (log.what == LOG_EVENTS.index("left"))).sum()
            ready_at_start = sum(each.station == at and each.waiting_for is not None for each in place.census)
            assert started + ready_at_start - left == runs.midnights[0, day, at, 0]


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """The kernel's own source, run by Python itself."""
    import numba

    spec = importlib.util.spec_from_file_location("plain_kernel", kernel.__file__)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    before, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
    try:
        spec.loader.exec_module(module)
    finally:
        numba.config.DISABLE_JIT = before
    return module


@contextmanager
def running(module: ModuleType) -> Iterator[None]:
    compiled = kernel.start, kernel.go_on
    kernel.start, kernel.go_on = module.start, module.go_on
    try:
        yield
    finally:
        kernel.start, kernel.go_on = compiled


@settings(max_examples=8, deadline=None)
@given(places(), st.integers(0, 2**32 - 1))
def test_the_kernel_as_plain_python_says_the_same(plain: ModuleType, place: Place, seed: int) -> None:
    ours = run(place, DAYS, WARMUP, seed=seed, antithetic=True)
    with running(plain):
        assert same(ours, run(place, DAYS, WARMUP, seed=seed, antithetic=True))


@settings(max_examples=8, deadline=None)
@given(places(), st.integers(0, 2**32 - 1))
def test_the_log_of_a_plain_run_says_the_same(place: Place, seed: int) -> None:
    assert same_log(place, DAYS, seed)


def same_log(place: Place, days: int, seed: int) -> bool:
    ours, plain = simulate.log(place, days, seed), simulate.log(place, days, seed, plain=True)
    pairs = [(getattr(ours, each.name), getattr(plain, each.name)) for each in fields(ours)]
    return all(one.dtype == other.dtype and np.array_equal(one, other) for one, other in pairs)


def one_station(rate: float, places: int, stay: Stay, census: tuple[Held, ...] = ()) -> Place:
    return Place(
        "one",
        ("all",),
        (Station("beds", ((0, places),), (stay,)),),
        (Arrivals("all", 0, ((rate,),)),),
        (((0.0, 1.0, 0.0),), ((0.0, 1.0, 0.0),)),
        census=census,
    )


def test_room_is_made_for_more_people_than_were_foreseen() -> None:
    crowded = one_station(400, 10, Stay("exponential", 1))
    ours = run(crowded, 10, seed=5)
    theirs = oracle.World(crowded, 10, 0, oracle.Keyed(5, 0)).run()
    assert ours.midnights[0, 10, 0, 2] > 2 * simulate.FIRST_PERSONS
    assert np.array_equal(ours.midnights[0], np.array(theirs.midnights))
    assert np.array_equal(ours.waiting_days[0], np.array(theirs.waiting_days))
    assert same_log(crowded, 4, 5)


def test_philox_gives_the_published_answers(plain: ModuleType) -> None:
    for counter, key, answer in KNOWN:
        words = [np.uint64(word) for word in (*counter, *key)]
        assert [int(word) for word in plain.philox(*words)] == answer
        assert [int(word) for word in kernel.philox(*words)] == answer
        assert oracle.philox(counter, key) == answer


def test_the_inverse_normal_is_as_exact_as_its_author_says() -> None:
    exact = NormalDist().inv_cdf
    for power in range(1, 12):
        for p in (10.0**-power, 0.5 - 10.0**-power, 1 - 10.0**-power):
            assert math.isclose(kernel.normal_quantile(p), exact(p), rel_tol=2e-9), p


def test_an_antithetic_run_meets_the_complements() -> None:
    long = one_station(0, 1, Stay("exponential", 10), (Held(0, 0),))
    for rep in range(20):
        days = [_stay_of_the_census(long, rep, antithetic) for antithetic in (False, True)]
        assert math.isclose(sum(math.exp(-each / 10) for each in days), 1.0, rel_tol=1e-12)


def _stay_of_the_census(place: Place, rep: int, antithetic: bool) -> float:
    return float(run(place, 2_000, first_rep=rep, antithetic=antithetic).occupied_days.sum())


def test_a_stay_that_has_lasted_goes_on_as_long_as_its_distribution_says() -> None:
    """A fixed stay has exactly the rest to go; nobody stays for ever, however short the stays are."""
    fixed = one_station(0, 3, Stay("fixed", 5), (Held(0, 0, 3.5),))
    assert run(fixed, 10).occupied_days[0, 0, 0] == 1.5
    short = one_station(0, 50, Stay("lognormal", 0.2, 1.5), tuple(Held(0, 0, days / 50) for days in range(50)))
    assert run(short, 60).midnights[0, 60, 0, 0] == 0


def test_places_change_with_the_calendar() -> None:
    stay = Stay("fixed", 100)
    beds = Station("beds", ((0, 2), (3, 5), (6, 1)), (stay,))
    queue = tuple(Held(0, None, days, 0) for days in (9.0, 8.0, 7.0, 6.0, 5.0, 4.0))
    place = Place("calendar", ("all",), (beds,), (), (((0, 1, 0),), ((0, 1, 0),)), census=queue)
    # At the midnight of the third day the places are not there yet; nobody is sent away on the sixth.
    assert run(place, 9).midnights[0, :, 0, 0].tolist() == [0, 2, 2, 2, 5, 5, 5, 5, 5, 5]


def test_visits_taper_and_free_themselves() -> None:
    stay = Stay("fixed", 6)
    visits = Station("visits", ((0, 4),), (stay,), first_visits=3, last_visits=1)
    queue = (Held(0, None, 2.0, 0), Held(0, None, 1.0, 0))
    place = Place("visits", ("all",), (visits,), (), (((0, 1, 0),), ((0, 1, 0),)), census=queue)
    # The first takes 3, 2 and 1 visits for two days each, so the second, who needs 3, begins after four days.
    assert run(place, 12).used_days[0, 0] == 24
    starts = simulate.log(place, 12)
    assert starts.days[starts.what == LOG_EVENTS.index("started")].tolist() == [0.0, 4.0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"days": 5, "warmup_days": 5}, "after its warm-up"),
        ({"days": 5, "reps": 0}, "one replication"),
        ({"days": 5, "workers": 0}, "one worker"),
        ({"days": 5, "seed": 2**32}, "whole numbers"),
        ({"days": 5, "first_rep": -1}, "whole numbers"),
    ],
)
def test_a_run_that_cannot_be_is_refused(wrong: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        run(one_station(1, 1, Stay("exponential", 1)), **wrong)


def test_queues_that_outgrow_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "MOST_PERSONS", 2 * simulate.FIRST_PERSONS)
    with pytest.raises(PlaceError, match="2,048 people are there at once, most of them waiting"):
        run(one_station(400, 10, Stay("exponential", 1)), 10, reps=2, workers=2)


def test_only_the_kernel_needs_numba() -> None:
    code = "import sys, joinery.calc.twin.simulate, joinery.calc.twin.world; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_progress_is_told_as_replications_end() -> None:
    done: list[int] = []
    run(one_station(1, 1, Stay("exponential", 1)), 5, reps=4, workers=2, progress=done.append)
    assert done == [1, 2, 3, 4]
