"""The figures of a run, worked out by hand where nothing is left to luck; differences, intervals and precision."""

from __future__ import annotations

from dataclasses import replace
from secrets import randbelow

import numpy as np
import pytest

from joinery.calc.twin.budget import Budget, Trend
from joinery.calc.twin.compare import FEWEST_REPS, MOST_AT_ONCE, Plan, Precision, differences, replicate, watched
from joinery.calc.twin.intervals import interval, student_t
from joinery.calc.twin.network import Arrivals, Held, Place, PlaceError, Station, Stay
from joinery.calc.twin.outcome import COUNTS, MEASURES, Figures, Name, fan, figures, in_order, join
from joinery.calc.twin.simulate import run

HOME, DEATH = 2, 3
# Nobody arrives, and every stay lasts as long as every other: so what happens can be told in a sentence.
# Ann (75+) has just come to the ward, and Bea (75+) is there for 2 days of 4; Cyd has had 5 days of 10 of care at
# home; Dee waits for the ward. On day 2 Bea is ready, on day 4 Ann. On day 5 Cyd's care ends: Bea gets it, and Dee
# her bed. On day 9 Dee is ready. On day 15 Bea's care ends, and Ann gets it. On day 20 the run ends.
YOUNG, OLD = 0, 1
TOLD = Place(
    "Told",
    ("under 75", "75+"),
    (
        Station(
            "ward", ((0, 2),), (Stay("fixed", 4),) * 2, setting="hospital", cost_pence=100, payer="nhs", staff_hours=3
        ),
        Station(
            "care", ((0, 1),), (Stay("fixed", 10),) * 2,
            setting="home", cost_pence=50, cost_per="occupied", payer="council",
        ),
    ),
    (),
    (((0.0, 1.0, 0.0, 0.0),) * 2, ((0.0, 0.0, 1.0, 0.0),) * 2, ((0.0, 0.0, 1.0, 0.0),) * 2),
    (frozenset({1}), frozenset()),
    census=(Held(OLD, 0, 0), Held(OLD, 0, 2), Held(YOUNG, 1, 5), Held(YOUNG, None, 0, 0)),
    people=(900, 100),
)  # fmt: skip
YEAR = 365.25
# The same place with luck in it: busy enough that people wait.
LUCKY = replace(
    TOLD,
    name="Lucky",
    stations=tuple(
        replace(station, places=((0, places),), stays=(Stay("exponential", 4), Stay("exponential", 6)))
        for station, places in zip(TOLD.stations, (12, 6), strict=True)
    ),
    arrivals=(Arrivals("emergency", 0, ((1.0, 1.0),)),),
    routes=(
        ((0.0, 0.3, 0.7, 0.0), (0.0, 0.5, 0.4, 0.1)),
        ((0.0, 0.0, 1.0, 0.0),) * 2,
        ((0.1, 0.0, 0.9, 0.0),) * 2,
    ),
    census=(),
)


def luck() -> int:
    return randbelow(2**32)


def of(found: Figures, measure: str, of: str) -> float:
    (value,) = found[Name(measure, of)]
    return float(value)


def test_a_story_comes_to_the_figures_that_it_tells() -> None:
    found = figures(run(TOLD, 20, seed=luck()))
    year = YEAR / 20
    told = {
        ("occupied", "ward"): (15 + 5 + 15) / 20,  # Ann until 15, Bea until 5, Dee from then on
        ("occupied", "care"): 1.0,
        ("in_use", "ward"): 87.5,
        ("in_use", "care"): 100.0,
        ("delayed_days", "ward > care"): (11 + 3 + 11) * year,
        ("delayed_days", "all"): 25 * year,
        ("waiting", "care"): 25 / 20,
        ("waiting", "ward"): 5 / 20,
        ("wait_days", "ward"): 5.0,
        ("wait_days", "care"): (3 + 11) / 2,
        ("waits_over_12h", "ward"): year,
        ("waits_over_12h", "care"): 2 * year,
        ("admissions", "ward, under 75"): year,
        ("admissions", "ward, 75+"): 0.0,
        ("admissions", "care, 75+"): 2 * year,
        ("bed_days", "ward, under 75"): 15 * year,
        ("bed_days", "ward, 75+"): 20 * year,
        ("bed_days", "ward, all"): 35 * year,
        ("bed_days", "care, under 75"): 5 * year,
        ("returns", "all"): 0.0,
        ("deaths", "all"): 0.0,
        ("at_home", "under 75"): 900 - 15 / 20,
        ("at_home", "75+"): 100 - 20 / 20,
        ("cost", "nhs, hospital"): 2 * 100 * YEAR,  # every place, in use or not
        ("cost", "council, home"): 50 * YEAR,
        ("cost", "all"): 250 * YEAR,
        ("staff_hours", "ward"): 35 * 3 * year,
    }
    assert {name: of(found, *name) for name in told} == pytest.approx(told)
    assert not any(name.measure == "turned_away" for name in found)


def test_the_warm_up_does_not_count() -> None:
    found = figures(run(TOLD, 20, warmup_days=5, seed=luck()))
    assert of(found, "occupied", "ward") == pytest.approx((10 + 15) / 15)
    assert of(found, "delayed_days", "ward > care") == pytest.approx((10 + 11) * YEAR / 15)
    assert of(found, "cost", "all") == pytest.approx(250 * YEAR)


def test_places_cost_by_the_day_on_which_there_are_how_many() -> None:
    ward, care = TOLD.stations
    more = replace(TOLD, stations=(replace(ward, places=((0, 2), (10, 4))), care))
    assert of(figures(run(more, 20)), "cost", "nhs, all") == pytest.approx(3 * 100 * YEAR)
    assert of(figures(run(more, 20, warmup_days=10)), "cost", "nhs, all") == pytest.approx(4 * 100 * YEAR)


def test_who_is_turned_away_is_counted_where_people_are() -> None:
    ward, care = LUCKY.stations
    place = replace(LUCKY, stations=(replace(ward, turns_away=True, places=((0, 0),)), care))
    runs = run(place, 300, seed=luck())
    assert of(figures(runs), "turned_away", "ward") == pytest.approx(float(runs.arrivals.sum()) * YEAR / 300)
    assert Name("in_use", "ward") not in figures(runs)  # of no places nothing can be in use


def test_every_figure_is_explained_and_in_order() -> None:
    found = list(figures(run(LUCKY, 50)))
    assert {name.measure for name in found} | {"turned_away"} == set(MEASURES)
    assert [name.measure for name in in_order(found)] == [
        measure for measure in MEASURES for name in found if name.measure == measure
    ]


def test_a_fan_holds_what_each_midnight_was() -> None:
    told = run(TOLD, 20, warmup_days=4, reps=3)
    waiting = 2 * [1] + 15 * [0]  # Dee, on the midnights of day 4 and of day 5, when her bed is about to be free
    assert fan(told, "waiting", 0).tolist() == [[count] * 5 for count in waiting]
    runs = run(LUCKY, 60, reps=9, seed=luck())
    for at, count in enumerate(COUNTS):
        lowest, *_, highest = fan(runs, count, 0).T
        days = runs.midnights[:, :, 0, at]
        middle = fan(runs, count, 0)[:, 2]
        assert (middle == np.median(days, axis=0)).all()
        assert (days.min(axis=0) <= lowest).all() and (highest <= days.max(axis=0)).all()


def test_replications_that_are_run_in_parts_are_the_same() -> None:
    seed = luck()
    whole = run(LUCKY, 80, warmup_days=20, reps=7, seed=seed, workers=2)
    parts = [run(LUCKY, 80, 20, reps, seed, first_rep=first) for first, reps in ((0, 3), (3, 4))]
    for name, values in figures(join(parts)).items():
        assert (values == figures(whole)[name]).all(), name
    for apart in ([parts[1], parts[0]], [parts[0], parts[0]], [parts[0], run(LUCKY, 80, 20, 4, seed + 1, first_rep=3)]):
        with pytest.raises(ValueError, match="only replications of one run"):
            join(apart)


@pytest.mark.parametrize(
    ("freedom", "share", "table"),
    [
        (1, 0.975, 12.706),
        (2, 0.975, 4.303),
        (5, 0.95, 2.015),
        (9, 0.995, 3.250),
        (30, 0.975, 2.042),
        (120, 0.975, 1.980),
    ],
)
def test_students_t_is_as_the_tables_print_it(freedom: int, share: float, table: float) -> None:
    assert student_t(share, freedom) == pytest.approx(table, abs=0.0006)


def test_an_interval_holds_the_mean_as_often_as_it_says() -> None:
    trials = 4_000
    luck = np.random.default_rng().normal(10, 3, (trials, 5))
    held = sum(found.low <= 10 <= found.high for row in luck if (found := interval(row)).low is not None and found.high)
    # Of 4,000 trials at 95 %, 5 standard errors: a false alarm in some two million runs.
    assert abs(held / trials - 0.95) < 5 * (0.95 * 0.05 / trials) ** 0.5
    assert interval(luck[0][:1]).low is None


def test_a_place_does_not_differ_from_itself() -> None:
    runs = run(LUCKY, 60, reps=4, seed=luck())
    for each in differences(runs, runs):
        assert each.difference.mean == each.difference.low == each.difference.high == 0.0
        assert each.base == each.changed


def test_a_difference_is_taken_replication_by_replication() -> None:
    seed = luck()
    base, changed = (run(place, 200, 20, 6, seed) for place in (LUCKY, LUCKY.with_(care=9)))
    found = {each.name: each for each in differences(base, changed)}
    delayed = found[Name("delayed_days", "all")]
    were, are = (figures(each)[delayed.name] for each in (base, changed))
    assert delayed.difference == interval(are - were) and delayed.difference.mean < 0
    assert delayed.difference.mean == pytest.approx(delayed.changed - delayed.base)
    assert (base.arrivals == changed.arrivals).all()  # the same people
    assert delayed.trend is None and delayed.beyond_trend is None
    for other in (run(LUCKY, 200, 20, 6, seed + 1), run(LUCKY, 200, 20, 5, seed), run(LUCKY, 201, 20, 6, seed)):
        with pytest.raises(ValueError, match="the same days, seed, replications"):
            differences(base, other)


def test_the_national_trend_gets_the_credit_for_what_it_did() -> None:
    trend = Trend(10, -0.02, {"ward": -0.03})
    alone = trend.of(LUCKY)
    assert alone.arrivals[0].on(1) == [pytest.approx((0.98**10, 0.98**10))]
    assert alone.stations[0].stays[1].mean_days == pytest.approx(6 * 0.97**10)
    # Whoever changed nothing has done nothing beyond it.
    for each in differences(*replicate([LUCKY, LUCKY, alone, alone], Plan(100, reps=3, seed=luck()))):
        assert each.beyond_trend and each.beyond_trend.mean == 0.0 and each.trend == each.with_trend
    # And what a change does is what it does in the place that the trend has made.
    changed = LUCKY.with_(care=9)
    runs = replicate([LUCKY, changed, alone, trend.of(changed)], Plan(100, reps=3, seed=luck()))
    there = {each.name: each for each in differences(runs[2], runs[3])}
    for each in differences(*runs):
        assert (each.trend, each.with_trend, each.beyond_trend) == (
            there[each.name].base, there[each.name].changed, there[each.name].difference,
        )  # fmt: skip


def test_a_run_goes_on_until_a_figure_is_known_as_well_as_asked() -> None:
    name, seed = Name("occupied", "ward"), luck()
    (few,) = replicate([LUCKY], Plan(60, reps=FEWEST_REPS, seed=seed))
    half_width = interval(watched([few], name)).half_width / 3
    told: list[tuple[int, int]] = []
    (many,) = replicate(
        [LUCKY], Plan(60, reps=10, seed=seed), Precision(name, half_width), lambda done, of: told.append((done, of))
    )
    assert interval(watched([many], name)).half_width <= half_width and len(many.events) > FEWEST_REPS
    assert (figures(many)[name][:FEWEST_REPS] == figures(few)[name]).all()
    assert told[-1] == (len(many.events), len(many.events)) and sorted(told) == told
    (most,) = replicate([LUCKY], Plan(60, seed=seed), Precision(name, 1e-9, most_reps=50))
    assert len(most.events) == 50


def test_of_two_places_it_is_the_difference_that_must_be_known() -> None:
    name = Name("delayed_days", "ward > care")
    runs = replicate([LUCKY, LUCKY.with_(care=9)], Plan(60, seed=luck()), Precision(name, 30.0))
    assert interval(watched(runs, name)).half_width <= 30.0
    were, are = (figures(each)[name] for each in runs)
    assert (watched(runs, name) == are - were).all()


def test_a_figure_that_there_is_none_of_is_refused_at_once() -> None:
    with pytest.raises(
        PlaceError, match=r"there is no figure occupied wards\. Is occupied ward meant\? There are: occupied ward; "
    ):
        replicate([LUCKY], Plan(1_000_000, reps=1_000_000), Precision(Name("occupied", "wards"), 1))


def test_only_like_places_are_run_beside_each_other() -> None:
    for other in (replace(LUCKY, bands=("all", "others")), replace(LUCKY, start_date=LUCKY.start_date.replace(day=2))):
        with pytest.raises(PlaceError, match="the same bands and the same first day"):
            replicate([LUCKY, other], Plan(10))


def test_without_its_days_a_long_run_has_the_same_figures() -> None:
    plan = Plan(12, reps=MOST_AT_ONCE + 1, seed=luck(), workers=2)
    (with_days,), (without,) = (replicate([LUCKY], replace(plan, by_day=each)) for each in (True, False))
    assert without.midnights.size == 0 and len(with_days.midnights) == MOST_AT_ONCE + 1
    assert all((values == figures(with_days)[name]).all() for name, values in figures(without).items())


def test_days_are_kept_of_as_many_replications_as_there_is_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(12, reps=9, seed=luck())
    (whole,) = replicate([LUCKY], plan)
    monkeypatch.setattr("joinery.calc.twin.compare.MOST_COUNTS", 4 * whole.midnights[0].size)
    (partly,) = replicate([LUCKY], plan)
    assert (partly.midnights == whole.midnights[:4]).all() and (partly.arrivals == whole.arrivals).all()
    assert fan(partly, "occupied", 0).shape == fan(whole, "occupied", 0).shape


def test_neither_threads_nor_how_replications_are_bundled_change_a_comparison() -> None:
    places, plan = [LUCKY, LUCKY.with_(care=9)], Plan(40, seed=luck())
    precision = Precision(Name("occupied", "ward"), 0.15)
    bit_by_bit = replicate(places, plan, precision)
    reps = len(bit_by_bit[0].events)
    for runs in (
        replicate(places, replace(plan, workers=3), precision),
        replicate(places, replace(plan, reps=reps, workers=2)),
    ):
        assert differences(*runs) == differences(*bit_by_bit)


def test_a_budget_says_what_is_too_much() -> None:
    budget = Budget({"nhs": 200.0, "council": 50.0}, {"care": 1})
    assert budget.broken(TOLD) == []
    assert budget.broken(TOLD.with_(ward=3, care=0)) == [
        "care has 0 places, and the budget wants at least 1",
        "the places of nhs cost £3.00 a day, £1.00 more than the budget",
    ]
    assert Budget({"": 250.0}, {}).broken(TOLD.with_(ward=1, care=3)) == []  # what one saves the other spends
