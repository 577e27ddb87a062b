"""How long people wait is counted from when help was first asked for, at whichever service it begins."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from joinery.apps.care import facts
from joinery.apps.care.facts.waits import _rank
from joinery.calc.units import Period
from tests.apps.care.caring import NOON, NURSES, REABLEMENT, Caring
from tests.pages.world import SURGERY, World, patient

DAY = timedelta(days=1)


@pytest.fixture
def caring(db: None, tmp_path: Path) -> Iterator[Caring]:
    world = World(tmp_path, at=NOON - 7 * DAY)
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    yield Caring(world)


def on(caring: Caring, days: int) -> Caring:
    caring.at = NOON + days * DAY
    return caring


def by_service(caring: Caring) -> dict[str, facts.Wait]:
    return {each.service: each for each in facts.waits(caring.at)}


def test_a_wait_goes_on_through_services_until_one_begins(caring: Caring) -> None:
    # Given one that the nurses pass on after 2 days, and reablement begins 5 days later; and one that nobody answers
    code = caring.refers()
    unanswered = caring.refers(urgency="today", area="E01999101")
    on(caring, 2).steps(code, "sent", "nurse", service=REABLEMENT, words="Help at home rather")
    on(caring, 3).steps(code, "accepted", "worker")
    on(caring, 7).steps(code, "started", "worker")
    on(caring, 10)
    found = by_service(caring)

    nurses, reablement = found[NURSES], found[REABLEMENT]
    assert (dict(nurses.open), nurses.overdue, nurses.age_days_median) == ({"sent": 1}, 1, 10)
    assert (nurses.started, nurses.to_start_days_median, nurses.under_way) == (0, None, 0)
    assert nurses.state_days_median == {"sent": 2}
    assert (dict(reablement.open), reablement.under_way, reablement.overdue) == ({}, 1, 0)
    assert (reablement.started, reablement.to_start_days_median, reablement.to_start_days_p90) == (1, 7, 7)
    assert reablement.state_days_median == {"sent": 1, "accepted": 4}
    assert facts.service_waits(caring.at) == {REABLEMENT: 7}

    # and after 90 days the one that began counts no more, as the one who waits still does
    found = by_service(on(caring, 100))
    assert (found[REABLEMENT].started, found[REABLEMENT].under_way) == (0, 1)
    assert found[NURSES].age_days_p90 == 100

    rows = facts.wait_columns(Period(NOON.date(), NOON.date() + DAY))
    assert (rows.service, rows.state, rows.services) == ([REABLEMENT, NURSES], ["started", "sent"], [2, 1])
    assert (rows.area, rows.urgency) == (["", "E01999101"], ["routine", "today"])
    assert rows.started_at == [NOON + 7 * DAY, None]
    assert rows.accepted_at == [NOON + 3 * DAY, None]
    assert facts.wait_columns(Period(date(2020, 1, 1), NOON.date())).service == []
    assert facts.referral(unanswered, caring.at) is not None


def test_waits_take_as_many_statements_however_many_wait(caring: Caring) -> None:
    counts = []
    for _ in range(2):
        caring.refers()
        with CaptureQueriesContext(connection) as ran:
            facts.waits(caring.at)
        counts.append(len(ran))
        for _ in range(5):
            caring.refers(to=REABLEMENT)
    assert counts[0] == counts[1] <= 9


@given(st.lists(st.floats(0, 1_000), min_size=1))
def test_half_wait_no_longer_than_the_median_and_nine_in_ten_than_the_other(days: list[float]) -> None:
    def within(limit: Any) -> float:
        return sum(day <= limit for day in days) / len(days)

    half, most = _rank(days, 0.5), _rank(days, 0.9)
    assert within(half) >= 0.5 and within(most) >= 0.9
    assert half == statistics.median_low(days)
    assert _rank([], 0.5) is None
