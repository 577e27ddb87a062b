"""The people around a person: one co-ordinator at a time, handed over without a gap, whoever leaves or is joined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import add_user
from joinery.apps.base.columns import select
from joinery.apps.care.actions.team import add_part, answer_part, end_part
from joinery.apps.care.facts.team import CO_ORDINATOR, HOLDS, OFFERED, care_team, offered_to, parts_held
from joinery.apps.place.actions import add_membership, end_membership
from joinery.apps.place.facts import standing
from joinery.apps.record import facts as record
from joinery.apps.record.actions import join_people, open_record
from tests.pages.world import ACTOR, SURGERY, World, numbers_far_apart, patient, person_id

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
_numbers = count(1)
_nhs = numbers_far_apart()


@pytest.fixture
def world(db: None, tmp_path: Path) -> World:
    world = World(tmp_path, at=NOON - timedelta(days=7))
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    return world


def nurse(world: World) -> int:
    number = next(_numbers)
    user_id = add_user(email=f"n{number}@test.example", name=f"Nurse {number}", password=None, actor=ACTOR, at=world.at)
    add_membership(
        user_id=user_id, organisation_code=SURGERY, role="community_nurse", from_date=world.at.date(), actor=ACTOR,
        at=world.at,
    )  # fmt: skip
    return user_id


def ada() -> int:
    person = person_id("Patient/p1")
    return record.founding_records([person])[person]


def co_ordinator(user_id: int, by: int, at: datetime = NOON) -> int:
    return add_part(record_id=ada(), part="co_ordinator", user_id=user_id, actor=Actor.user(by), at=at)


def lead(record_id: int) -> int | None:
    """Who is the co-ordinator of the person whom a record is about, as the last one who agreed."""
    held = [part.user_id for part in parts_held(record_id, NOON) if part.part == CO_ORDINATOR and part.state == HOLDS]
    return held[-1] if held else None


def test_a_hand_over_leaves_no_gap(world: World) -> None:
    first, second = nurse(world), nurse(world)
    co_ordinator(first, by=first)
    assert lead(ada()) == first
    offer = co_ordinator(second, by=first)
    assert lead(ada()) == first, "the one goes on until the other agrees"
    assert [part.part_id for _, part in offered_to(second, NOON)] == [offer]
    answer_part(part_id=offer, agree=False, words="I am away", actor=Actor.user(second), at=NOON)
    assert lead(ada()) == first
    offer = co_ordinator(second, by=first)
    answer_part(part_id=offer, agree=True, actor=Actor.user(second), at=NOON)
    assert lead(ada()) == second
    assert [part.state for part in parts_held(ada(), NOON)] == ["ended", "refused", "holds"]


def test_the_page_tells_who_is_who_with_dates(world: World) -> None:
    first = nurse(world)
    co_ordinator(first, by=first)
    for part, name in (("carer", "Ellen Fenwick"), ("attorney", "Carl Fenwick")):
        add_part(record_id=ada(), part=part, name=name, words="01632 960002", actor=Actor.user(first), at=NOON)
    posts = standing(first, NOON.date()).posts
    viewing = open_record(person_id=person_id("Patient/p1"), posts=posts, actor=Actor.user(first), at=NOON)
    team = care_team(viewing, record.records(viewing))
    assert team.co_ordinator is not None and team.co_ordinator.user_id == first
    assert [(part.part_text, part.name, part.from_date) for part in team.others] == [
        ("Unpaid carer", "Ellen Fenwick", NOON.date()),
        ("Attorney", "Carl Fenwick", NOON.date()),
    ]


def test_who_has_left_co_ordinates_nobody(world: World) -> None:
    first, other = nurse(world), nurse(world)
    co_ordinator(first, by=first)
    (membership,) = select("SELECT id FROM place_membership WHERE user_id = %s", [first])[0]
    end_membership(membership_id=membership, on=NOON.date(), actor=ACTOR, at=NOON)
    (part,) = parts_held(ada(), NOON)
    assert not part.holds
    viewing = open_record(
        person_id=person_id("Patient/p1"), posts=standing(other, NOON.date()).posts, actor=Actor.user(other), at=NOON
    )
    team = care_team(viewing, record.records(viewing))
    assert team.co_ordinator is None and [each.user_id for each in team.before] == [first]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"part": "friend", "name": "Bo"}, "part"),
        ({"part": "carer", "name": " \0 "}, "name"),
        ({"part": "professional", "name": "Dr Bo"}, "user"),
        ({"part": "co_ordinator", "user_id": 999_999}, "user"),
    ],
)
def test_a_part_that_cannot_be_is_refused_in_words(world: World, what: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        add_part(record_id=ada(), actor=Actor.user(nurse(world)), at=NOON, **what)  # type: ignore[arg-type]
    assert refused.value.code == code and refused.value.message


def test_nobody_answers_or_asks_for_another(world: World) -> None:
    first, second = nurse(world), nurse(world)
    offer = co_ordinator(second, by=first)
    with pytest.raises(Refused, match="not offered to you"):
        answer_part(part_id=offer, agree=True, actor=Actor.user(first), at=NOON)
    with pytest.raises(Refused, match="already"):
        co_ordinator(second, by=first)
    stranger = add_user(email="s@test.example", name="No Post", password=None, actor=ACTOR, at=world.at)
    with pytest.raises(Refused, match="does not arrange"):
        co_ordinator(second, by=stranger)
    answer_part(part_id=offer, agree=True, actor=Actor.user(second), at=NOON)
    with pytest.raises(Refused, match="answered"):
        answer_part(part_id=offer, agree=True, actor=Actor.user(second), at=NOON)


def test_parts_follow_people_who_are_joined(world: World) -> None:
    world.sends(SURGERY, patient("p2", "Marlow", "Ida", born="1950-01-01"))
    first, second = nurse(world), nurse(world)
    co_ordinator(first, by=first)
    one, other = person_id("Patient/p1"), person_id("Patient/p2")
    add_part(
        record_id=record.founding_records([other])[other], part="co_ordinator", user_id=second,
        actor=Actor.user(second), at=NOON,
    )  # fmt: skip
    known = join_people(person_id=one, other_id=other, by=(first, second), note="one person", actor=ACTOR, at=NOON)
    assert record.people_of([ada()]) == {ada(): known}
    assert lead(ada()) == second, "who said so last, until they settle it"
    offer = add_part(record_id=ada(), part="co_ordinator", user_id=nurse(world), actor=Actor.user(first), at=NOON)
    assert offer in [part.part_id for part in parts_held(ada(), NOON)]


# What may happen to the part of a co-ordinator: somebody is asked, or somebody answers the last thing they were asked.
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "agree", "no", "end"]), st.integers(0, 2), st.integers(0, 2)), max_size=12
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_there_is_never_more_than_one_and_never_suddenly_none(world: World, steps: list[tuple[str, int, int]]) -> None:
    number = next(_numbers)
    users = [nurse(world) for _ in range(3)]
    world.sends(SURGERY, patient(f"h{number}", f"Harlow{number}", "Una", number=next(_nhs)))
    person = person_id(f"Patient/h{number}")
    whose = record.founding_records([person])[person]
    for what, by, about in steps:
        before = lead(whose)
        try:
            if what == "ask":
                add_part(
                    record_id=whose, part="co_ordinator", user_id=users[about], actor=Actor.user(users[by]), at=NOON
                )
            elif what in ("agree", "no"):
                waiting = [part for whom, part in offered_to(users[by], NOON) if whom == person]
                if waiting:
                    answer_part(part_id=waiting[0].part_id, agree=what == "agree", actor=Actor.user(users[by]), at=NOON)
            else:
                held = [part for part in parts_held(whose, NOON) if part.state == OFFERED]
                if held:
                    end_part(part_id=held[0].part_id, actor=Actor.user(users[by]), at=NOON)
        except Refused:
            pass
        holding = [part for part in parts_held(whose, NOON) if part.state == HOLDS]
        assert len(holding) <= 1
        assert before is None or len(holding) == 1
