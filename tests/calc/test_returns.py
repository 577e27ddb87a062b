"""What returns come to: the status of a field in full, and the known faults against slow, obvious versions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from joinery.calc.returns import (
    APPLICABLE,
    CHECKS,
    MANDATORY,
    NOT_APPLICABLE,
    UNDETERMINED,
    Beds,
    Ended,
    Service,
    beds_by_state,
    check_of,
    cut_off,
    is_dummy_birth_date,
    last_said,
    spells,
    told_period,
)
from joinery.calc.units import Period
from tests.oracles import returns as slow

KINDS = ("Request", "Assessment", "Service", "Review")
UNTIL = date(2026, 3, 31)
STATED = Period(date(2025, 1, 1), date(2027, 1, 1))

# Field, filled, rule broken -> check code.
STATUSES = [
    (MANDATORY, True, "", 1), (APPLICABLE, True, "", 1), (UNDETERMINED, True, "", 1), (NOT_APPLICABLE, True, "", -5),
    (MANDATORY, False, "", -1), (APPLICABLE, False, "", 0), (UNDETERMINED, False, "", 0),
    (NOT_APPLICABLE, False, "", 0),
    *((field, False, "required", -1) for field in (MANDATORY, APPLICABLE, NOT_APPLICABLE, UNDETERMINED)),
    *((field, True, rule, code) for field in (MANDATORY, APPLICABLE, NOT_APPLICABLE, UNDETERMINED)
      for rule, code in (("code", -2), ("date", -3), ("time", -3), ("number", -3), ("nhs-number", -3), ("form", -3),
                         ("length", -3), ("formula", -3), ("order", -4), ("sum", -4), ("not-applicable", -5),
                         ("encoding", -6), ("csv", -6), ("columns", -6), ("earlier-code", -7))),
]  # fmt: skip


@pytest.mark.parametrize(("field", "filled", "rule", "code"), STATUSES)
def test_the_status_of_a_field(field: int, filled: bool, rule: str, code: int) -> None:
    assert check_of(field, filled=filled, rule=rule) == code


def test_the_table_of_statuses_holds_every_rule() -> None:
    assert set(CHECKS) <= {rule for _, _, rule, _ in STATUSES}


@pytest.mark.parametrize(("field", "filled", "rule"), [(3, True, ""), (2, True, "required"), (2, False, "code")])
def test_what_cannot_be_is_refused(field: int, filled: bool, rule: str) -> None:
    with pytest.raises(ValueError, match="a field is|a cell that is"):
        check_of(field, filled=filled, rule=rule)


days = st.dates(date(2025, 10, 1), date(2026, 5, 31))
ended = st.builds(Ended, st.sampled_from(KINDS), st.none() | days)


@given(st.lists(ended, min_size=1, max_size=12), st.integers(1, 40), days)
def test_the_period_is_what_walking_through_the_months_finds(events: list[Ended], times: int, imported: date) -> None:
    assert told_period(events * times, STATED, imported) == slow.told_period(events * times, STATED, imported)


def month(number: int, each: int, kinds: tuple[str, ...] = KINDS) -> list[Ended]:
    """So many events of each type that ended in a month of 2025."""
    return [Ended(kind, date(2025, number, 15)) for kind in kinds for _ in range(each)]


IMPORTED = date(2026, 1, 20)
PERIODS = {
    "few events: as stated": (month(3, 24), STATED),
    "two full months": (month(3, 25) + month(5, 25), Period(date(2025, 3, 1), date(2025, 6, 1))),
    "a month of less than 2 % does not count": (
        month(3, 50) + month(5, 1)[:3],
        Period(date(2025, 3, 1), date(2025, 4, 1)),
    ),
    "nor one of two types": (month(3, 50) + month(12, 50, KINDS[:2]), Period(date(2025, 3, 1), date(2025, 4, 1))),
    "two types are enough where there are no more": (
        month(12, 50, KINDS[:2]),
        Period(date(2025, 12, 1), date(2026, 1, 1)),
    ),
    "nothing ended": ([Ended("Service", None)] * 200, STATED),
    "nor the month of the import": (
        month(3, 50) + [Ended(kind, date(2026, 1, 2)) for kind in KINDS * 50],
        Period(date(2025, 3, 1), date(2025, 4, 1)),
    ),
}


@pytest.mark.parametrize("name", PERIODS)
def test_the_period_that_a_submission_tells_of(name: str) -> None:
    events, period = PERIODS[name]
    assert told_period(events, STATED, IMPORTED) == period


@st.composite
def services(draw: st.DrawFn) -> Service:
    start = draw(st.dates(date(2024, 12, 1), UNTIL))
    lasts = draw(st.none() | st.integers(0, 200))
    return Service(start, None if lasts is None else start + timedelta(days=lasts), UNTIL)


@given(st.lists(services(), max_size=8))
@example([Service(date(2025, 4, 1), None, UNTIL), Service(date(2025, 4, 2), date(2025, 4, 3), UNTIL)])
def test_spells_are_the_runs_of_days_with_care(care: list[Service]) -> None:
    far = UNTIL + timedelta(days=400)
    found = [(spell.start, spell.end or far) for spell in spells(care)]
    assert found == slow.runs(slow.days_cared_for(care, far))


@given(st.lists(services(), max_size=8))
def test_spells_do_not_depend_on_the_order_and_are_settled(care: list[Service]) -> None:
    assert spells(reversed(care)) == spells(care) == spells(spells(care))


def on(start: str, end: str = "", *, stated: date = UNTIL, cut: bool = False) -> Service:
    return Service(date.fromisoformat(start), date.fromisoformat(end) if end else None, stated, cut)


ONE_SPELL = {
    "a new price": [on("2025-05-01", "2025-08-31"), on("2025-09-01")],
    "two carers at a time": [on("2025-05-01", "2025-08-31"), on("2025-05-01", "2025-06-30")],
    "a new financial year": [on("2024-11-01", "2024-12-31", cut=True), on("2025-04-01")],
}
TWO_SPELLS = {
    "a gap": [on("2025-05-01", "2025-08-31"), on("2025-09-02")],
    "a new year after what somebody ended": [on("2024-11-01", "2024-12-31"), on("2025-04-01")],
    "cut off, but not begun on 1 April": [on("2024-11-01", "2024-12-31", cut=True), on("2025-04-02")],
    "cut off more than a year before": [on("2023-01-01", "2024-03-31", cut=True), on("2025-04-01")],
}


@pytest.mark.parametrize("name", ONE_SPELL)
def test_services_that_are_one(name: str) -> None:
    first, last = ONE_SPELL[name]
    (spell,) = spells([last, first])
    assert (spell.start, spell.end) == (
        min(first.start, last.start),
        max(ONE_SPELL[name], key=lambda s: s.end or date.max).end,
    )


@pytest.mark.parametrize("name", TWO_SPELLS)
def test_services_that_are_two(name: str) -> None:
    assert spells(TWO_SPELLS[name]) == TWO_SPELLS[name]


def test_what_the_newest_file_leaves_out_ended_with_the_last_that_held_it() -> None:
    december, march = date(2025, 12, 31), UNTIL
    left_out, ahead = on("2025-05-01", stated=december), on("2025-05-01", "2026-02-28", stated=december)
    kept, over = on("2025-05-01", stated=march), on("2025-05-01", "2025-06-30", stated=december)
    begins = on("2026-01-10", stated=december)
    cut = [s.end for s in cut_off([left_out, ahead, kept, over, begins], newest=march)]
    assert cut == [december, december, None, over.end, begins.start]
    assert [s.cut for s in cut_off([left_out, kept, over], newest=march)] == [True, False, False]


@given(st.lists(services(), max_size=8), days)
def test_cutting_off_twice_changes_nothing_more(care: list[Service], newest: date) -> None:
    once = cut_off(care, newest)
    assert cut_off(once, newest) == once


@pytest.mark.parametrize(
    ("born", "dummy"), [("1911-04-01", False), ("1911-03-31", True), ("2026-04-01", True), ("2026-03-31", False)]
)
def test_a_birth_date_that_only_fills_a_field(born: str, dummy: bool) -> None:
    assert is_dummy_birth_date(date.fromisoformat(born), UNTIL) == dummy


SAID = {
    "nothing": ([], ("", False)),
    "unknown": ([("2026-01-01", "Unknown"), ("2026-01-02", "")], ("", False)),
    "the newest counts": ([("2026-01-01", "a"), ("2026-01-02", "b")], ("b", True)),
    "what is unknown since does not": ([("2026-01-01", "a"), ("2026-01-02", "Unknown")], ("a", False)),
    "of one day the most frequent": ([("2026-01-01", "a"), ("2026-01-01", "b"), ("2026-01-01", "b")], ("b", True)),
    "then the first of the alphabet": ([("2026-01-01", "b"), ("2026-01-01", "a")], ("a", True)),
}


@pytest.mark.parametrize("name", SAID)
def test_what_counts_of_what_is_said_of_a_person(name: str) -> None:
    said, answer = SAID[name]
    assert last_said((date.fromisoformat(day), value) for day, value in said) == answer


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.sampled_from([True, False, None]))
def test_beds_add_up_and_none_is_offered_that_is_not_free(
    most: int, taken: int, kept: int, accepting: bool | None
) -> None:
    if taken + kept > most:
        with pytest.raises(ValueError, match="are more than"):
            beds_by_state(most, taken, kept, accepting=accepting)
        return
    beds = beds_by_state(most, taken, kept, accepting=accepting)
    assert sum(beds) == most and beds.occupied == taken
    assert beds.admittable == (most - taken - kept if accepting else 0)


def test_beds_of_which_less_than_none_are_taken_are_refused() -> None:
    assert beds_by_state(0, 0, accepting=True) == Beds(0, 0, 0)
    with pytest.raises(ValueError, match="less than none"):
        beds_by_state(5, -1, accepting=True)
