"""Whom a task waits for: never nobody, never who it is about, and somebody else as well when it is overdue."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.apps.place.facts import Holder
from joinery.apps.privacy.models import PrivacyTask
from joinery.apps.privacy.owners import LEAD, OFFICER, owners
from joinery.apps.privacy.rules import rules_on

HOME, TRUST, SURGERY = "999", "ZC1", "Z90001"
NOBODY: frozenset[int] = frozenset()


def officer(user_id: int, organisation: str) -> Holder:
    return Holder(user_id, f"User {user_id}", OFFICER, organisation)


def lead(user_id: int, organisation: str = HOME) -> Holder:
    return Holder(user_id, f"User {user_id}", LEAD, organisation)


def ids(*holders: Holder, barred: frozenset[int] = NOBODY, overdue: bool = False) -> list[int]:
    """Who answers a task of the trust."""
    found = owners(holders, organisation=TRUST, home=HOME, barred=barred, overdue=overdue)
    return [holder.user_id for holder in found]


@pytest.mark.parametrize(
    ("holders", "found"),
    [
        ((officer(1, TRUST), officer(2, HOME), lead(3)), [1]),
        ((officer(1, TRUST), officer(2, TRUST), lead(3)), [1, 2]),
        ((officer(1, SURGERY), officer(2, HOME), lead(3)), [2]),
        ((officer(1, SURGERY), lead(3)), [3]),
        ((officer(1, SURGERY), lead(3, SURGERY)), [1]),
        ((lead(3, SURGERY),), [3]),
        ((), []),
    ],
)
def test_the_nearest_who_holds_the_role_answers(holders: tuple[Holder, ...], found: list[int]) -> None:
    assert ids(*holders) == found


def test_what_is_overdue_goes_to_the_place_as_well() -> None:
    assert ids(officer(1, TRUST), officer(2, HOME), overdue=True) == [1, 2]
    assert ids(officer(1, TRUST), lead(3), overdue=True) == [1, 3]


def test_nobody_answers_for_their_own_look() -> None:
    assert ids(officer(1, TRUST), officer(2, HOME), barred=frozenset({1})) == [2]
    assert ids(officer(1, TRUST), barred=frozenset({1})) == []


@given(
    st.lists(
        st.builds(
            Holder, st.integers(1, 6), st.just("Ada"), st.sampled_from([OFFICER, LEAD]),
            st.sampled_from([HOME, TRUST, SURGERY]),
        ),
        max_size=6,
    ),
    st.frozensets(st.integers(1, 6), max_size=2),
    st.booleans(),
)  # fmt: skip
def test_whoever_is_left_answers(holders: list[Holder], barred: frozenset[int], overdue: bool) -> None:
    found = ids(*holders, barred=barred, overdue=overdue)
    left = {holder.user_id for holder in holders} - barred
    assert set(found) <= left
    assert bool(found) == bool(left)
    assert len(found) == len(set(found))
    # Time only ever adds somebody.
    assert set(ids(*holders, barred=barred)) <= set(ids(*holders, barred=barred, overdue=True))


@pytest.mark.parametrize("kind", PrivacyTask.Kind.values)
def test_every_kind_has_a_clock(kind: str) -> None:
    at = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday
    due = rules_on(at.date()).due_at(kind, at)
    assert due > at
    assert due == {"override": at.replace(day=21), "ask_to_read": at.replace(day=24)}.get(kind, at.replace(day=27))


def test_a_day_before_all_rules_has_the_first_ones() -> None:
    assert rules_on(date(1999, 1, 1)) == rules_on(date(2020, 1, 1))
