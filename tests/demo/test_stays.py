"""Stays in hospital: a run of the twin, so beds are shared, and people wait for beds and for care at home."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from math import ceil

import pytest

from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import definitions
from joinery.site.demo.lives_health import WINDOW_DAYS, Stay, age_band
from joinery.site.demo.population import Person, population
from joinery.site.demo.stays import AFTER_DAYS, stays

AS_OF = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
PEOPLE = 1_200
BEDS = ceil(definitions("hospital")["station"]["acute"]["places"] * PEOPLE / 1_000)


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return population(PEOPLE, 5, AS_OF)


@pytest.fixture(scope="module")
def told(people: list[Person]) -> dict[int, list[Stay]]:
    return stays(people, 5, AS_OF)


def test_nobody_shares_a_bed(told: dict[int, list[Stay]]) -> None:
    """Somebody leaves before the next comes, at the same minute too; in the last days the beds are full."""
    changes = [(at, by) for of in told.values() for each in of for at, by in ((each.bed_at, 1), (each.left, -1))]
    end = max(at for at, _ in changes)
    taken = most = 0
    for at, by in sorted(changes):
        taken += by
        most = max(most, taken)
        assert taken <= BEDS or at == end
    assert most == BEDS


def test_a_stay_is_in_order_and_by_day_and_so_are_the_stays_of_a_person(told: dict[int, list[Stay]]) -> None:
    for of in told.values():
        for each in of:
            assert each.came <= each.bed_at <= each.ready <= each.left
            assert all(8 <= at.astimezone(LONDON).hour <= 20 for at in each[:4])
            # Only who needs a service waits for one.
            assert each.waits_for != "home" or each.ready == each.left
        assert all(one.left <= after.came for one, after in zip(of, of[1:], strict=False))


def test_people_wait_for_beds_and_for_services(told: dict[int, list[Stay]]) -> None:
    every = [each for of in told.values() for each in of]
    assert any(each.bed_at > each.came + timedelta(hours=1) for each in every)
    waiting = Counter(each.waits_for for each in every if each.left > each.ready)
    assert set(waiting) == {"reablement", "home_care_tern"}
    in_bed = [each for each in every if each.bed_at < NOW <= each.left]
    # When they will leave is known, as the run goes on.
    assert len(in_bed) >= BEDS / 2 and len({each.left.date() for each in in_bed}) > BEDS / 4


def test_a_service_is_begun_in_the_order_in_which_people_became_ready(told: dict[int, list[Stay]]) -> None:
    waited = defaultdict(list)
    for each in (each for of in told.values() for each in of):
        waited[each.waits_for].append((each.ready, each.left))
    for service in ("reablement", "home_care_tern"):
        left = [left for _, left in sorted(waited[service])]
        assert left == sorted(left)


def test_stays_lie_in_the_window_and_older_people_have_more(people: list[Person], told: dict[int, list[Stay]]) -> None:
    first = AS_OF - timedelta(days=WINDOW_DAYS)
    assert all(first <= of[0].came.date() <= AS_OF + timedelta(days=AFTER_DAYS) for of in told.values())
    ages = Counter(age_band(people[person].age_years(AS_OF)) for person in told)
    everybody = Counter(age_band(each.age_years(AS_OF)) for each in people)
    assert ages[3] / everybody[3] > ages[2] / everybody[2] > ages[0] / everybody[0]


def test_a_place_of_nobody_has_no_stays() -> None:
    assert stays([], 1, AS_OF) == {}
