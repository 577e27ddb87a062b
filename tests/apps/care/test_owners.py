"""Whom a referral waits for: the nearest who is there, never nobody, and time only ever adds somebody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.apps.care.owners import CO_ORDINATOR, IN_TIME, LEAD, LONG_OVERDUE, OVERDUE, Here, Turn
from joinery.apps.place.facts import Holder

HOME, TRUST, SURGERY = "999", "ZC1", "Z90001"
NURSE, ANALYST = "community_nurse", "analyst"
NURSES = "harbour-nurses"


def holder(user_id: int, role: str = NURSE, body: str = TRUST) -> Holder:
    return Holder(user_id, f"User {user_id}", role, body)


def here(*holders: Holder, members: tuple[int, ...] = (), managers: tuple[int, ...] = ()) -> Here:
    return Here(holders, {NURSES: members}, {NURSES: managers}, frozenset({NURSE, CO_ORDINATOR}), HOME)


def turn(user_id: int | None = None, body: str = TRUST, asked: bool = False, co_ordinator: int | None = None) -> Turn:
    return Turn(user_id, NURSES, body, asked, co_ordinator)


def ids(there: Here, whose: Turn, climbed: int = IN_TIME) -> list[int]:
    return [owner.user_id for owner in there.owners(whose, climbed)]


EVERYBODY = (
    *(holder(n) for n in (1, 2, 3, 4)), holder(5, CO_ORDINATOR, SURGERY), holder(6, CO_ORDINATOR, HOME),
    holder(7, LEAD, HOME), holder(8, ANALYST, SURGERY),
)  # fmt: skip


@pytest.mark.parametrize(
    ("gone", "found"),
    [
        ((), [1]),
        ((1,), [2]),
        ((1, 2), [3]),
        ((1, 2, 3), [4]),
        ((1, 2, 3, 4), [5]),
        ((1, 2, 3, 4, 5), [6]),
        ((1, 2, 3, 4, 5, 6), [7]),
        ((1, 2, 3, 4, 5, 6, 7), [8]),
        ((1, 2, 3, 4, 5, 6, 7, 8), []),
    ],
)
def test_the_nearest_who_is_there_holds_it(gone: tuple[int, ...], found: list[int]) -> None:
    """The named one, members, managers, who cares at the body, the co-ordinators, leads, anybody."""
    left = [each for each in EVERYBODY if each.user_id not in gone]
    assert ids(here(*left, members=(1, 2), managers=(3,)), turn(user_id=1, co_ordinator=5)) == found


def test_a_lead_elsewhere_is_better_than_anybody() -> None:
    assert ids(here(holder(1, ANALYST), holder(2, LEAD, SURGERY)), turn(body="")) == [2]


def test_who_is_named_counts_only_while_they_are_of_the_side() -> None:
    there = here(holder(1, body=SURGERY), holder(2), members=(2,))
    assert ids(there, turn(user_id=1)) == [2], "not of the service"
    assert ids(there, turn(user_id=1, body=SURGERY, asked=True)) == [1], "still where they asked from"
    assert ids(there, turn(user_id=1, body=TRUST, asked=True)) == [2], "no longer there"
    nobody = here(holder(1), holder(2))
    assert ids(nobody, turn(user_id=1)) == [1], "took on what the body holds for want of a service"


def test_what_is_overdue_climbs_to_managers_and_then_to_the_co_ordinator() -> None:
    there = here(*EVERYBODY, members=(1,), managers=(3,))
    climbing = [ids(there, turn(co_ordinator=5), climbed) for climbed in (IN_TIME, OVERDUE, LONG_OVERDUE)]
    assert climbing == [[1], [1, 3], [1, 3, 5]]
    without = here(*EVERYBODY, members=(1,))
    assert ids(without, turn(co_ordinator=5), OVERDUE) == [1, 5], "without managers at once"
    assert ids(without, turn(), OVERDUE) == [1, 6], "and to the place's where the person has none"


holders = st.lists(
    st.builds(
        holder, st.integers(1, 6), st.sampled_from([NURSE, ANALYST, CO_ORDINATOR, LEAD]),
        st.sampled_from([HOME, TRUST, SURGERY]),
    ),
    max_size=6,
)  # fmt: skip
some = st.lists(st.integers(1, 6), max_size=3, unique=True).map(tuple)
turns = st.builds(
    turn, st.none() | st.integers(1, 6), st.sampled_from(["", TRUST, SURGERY]), st.booleans(),
    st.none() | st.integers(1, 6),
)  # fmt: skip


@given(holders, some, some, turns)
def test_whoever_is_left_holds_it(
    there: list[Holder], members: tuple[int, ...], managers: tuple[int, ...], whose: Turn
) -> None:
    known = here(*there, members=members, managers=managers)
    present = {each.user_id for each in there}
    climbing = [ids(known, whose, climbed) for climbed in (IN_TIME, OVERDUE, LONG_OVERDUE)]
    for found, climbed in zip(climbing, (IN_TIME, OVERDUE, LONG_OVERDUE), strict=True):
        assert set(found) <= present
        assert bool(found) == bool(present)
        assert len(found) == len(set(found))
        assert set(found) <= known.able(whose, climbed) <= present
    assert set(climbing[0]) <= set(climbing[1]) <= set(climbing[2])
