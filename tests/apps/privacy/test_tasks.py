"""Emergencies, reports and unusual looks become tasks, whole or not at all, each day once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import add_user
from joinery.apps.base.columns import select
from joinery.apps.place.actions import add_membership, end_membership, set_home
from joinery.apps.place.facts import standing
from joinery.apps.privacy import actions, facts
from joinery.apps.record.actions import open_record
from tests.architecture.rules import ROOT
from tests.pages.world import ACTOR, COUNCIL, SURGERY, TRUST, World, numbers_far_apart, patient, person_id

# A Tuesday at noon, and the night after it.
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=13)
REASON = {"reason": "urgent_care", "words": "She has fallen and cannot speak"}


@pytest.fixture
def world(db: None, tmp_path: Path) -> World:
    """A place of the council, as it was a week before."""
    world = World(tmp_path, at=NOON - timedelta(days=7))
    set_home(code=COUNCIL, actor=ACTOR, at=world.at)
    return world


@pytest.fixture
def numbers() -> Iterator[str]:
    return numbers_far_apart()


def user(world: World, role: str, organisation: str, name: str, postcode: str = "") -> int:
    email = f"{name.replace(' ', '.')}.{role}@test.example".lower()
    user_id = add_user(email=email, name=name, password=None, home_postcode=postcode, actor=ACTOR, at=world.at)
    add_membership(
        user_id=user_id, organisation_code=organisation, role=role, from_date=world.at.date(), actor=ACTOR, at=world.at
    )
    return user_id


def staff(world: World) -> tuple[int, int]:
    """A nurse of the trust, who is not involved, and the trust's privacy officer."""
    return user(world, "community_nurse", TRUST, "Asha Rao"), user(world, "privacy_officer", TRUST, "Ida Marsh")


def opens(user_id: int, person: str, at: datetime = NOON) -> None:
    open_record(person_id=person, posts=standing(user_id, at.date()).posts, actor=Actor.user(user_id), at=at)


def night(at: datetime = NIGHT) -> int:
    return actions.due(actor=Actor.system("nightly"), at=at)


def listed(user_id: int, at: datetime = NIGHT) -> list[tuple[str, ...]]:
    """The patterns of the unusual looks that wait for a user."""
    return [task.codes for task in facts.waiting_tasks(user_id, at) if task.kind == "unusual_look"]


# Whole or not at all


def test_an_emergency_without_its_task_does_not_happen(world: World) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    nurse = user(world, "community_nurse", TRUST, "Asha Rao")
    posts = standing(nurse, NOON.date()).posts
    # Tasks cannot be kept, as when a disk is full.
    with pytest.raises(DatabaseError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE privacy_privacytask RENAME TO gone")
        actions.break_glass(
            person_id=person_id("Patient/p1"), posts=posts, **REASON, actor=Actor.user(nurse), at=NOON
        )  # fmt: skip
    assert select("SELECT COUNT(*) FROM record_override")[0][0] == 0


def test_tasks_and_answers_are_never_changed(world: World) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    nurse, officer = staff(world)
    posts = standing(nurse, NOON.date()).posts
    actions.break_glass(person_id=person_id("Patient/p1"), posts=posts, **REASON, actor=Actor.user(nurse), at=NOON)
    (task,) = facts.waiting_tasks(officer, NOON)
    answer = {"verdict": "in_order", "words": "She had fallen", "actor": Actor.user(officer), "at": NOON}
    actions.answer_task(task_id=task.task_id, **answer)
    for table in ("privacy_privacytask", "privacy_privacyanswer"):
        for statement in (f"UPDATE {table} SET words = ''", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    with pytest.raises(Refused) as refused:
        actions.answer_task(task_id=task.task_id, **answer)
    assert refused.value.code == "answered"


def test_what_waited_for_a_leaver_waits_for_the_next(world: World) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    nurse, officer = staff(world)
    lead = user(world, "integration_lead", COUNCIL, "Ruth Vale")
    posts = standing(nurse, NOON.date()).posts
    actions.break_glass(person_id=person_id("Patient/p1"), posts=posts, **REASON, actor=Actor.user(nurse), at=NOON)
    assert [len(facts.waiting_tasks(each, NOON)) for each in (officer, lead)] == [1, 0]
    membership = select("SELECT id FROM place_membership WHERE user_id = %s", [officer])[0][0]
    end_membership(membership_id=membership, on=NOON.date(), actor=ACTOR, at=NOON)
    assert [len(facts.waiting_tasks(each, NOON)) for each in (officer, lead)] == [0, 1]


# Noticing


def test_looks_that_agree_with_a_pattern_are_listed_once(world: World, numbers: Iterator[str]) -> None:
    # Given a surgery's people: the GP himself, his neighbour, a namesake, a receptionist of the surgery, and a stranger
    people = {"self": ("Hale", "Tom"), "same": ("Hale", "Una"), "work": ("Cole", "Bo"), "other": ("Lowe", "Bea")}
    for key, (family, given) in people.items():
        born = patient(key, family, given, number=next(numbers))
        born["address"][0]["postalCode"] = {"other": "ZZ9 9ZZ", "self": "ZZ1 2AA"}.get(key, "ZZ5 5ZZ")
        world.sends(SURGERY, born)
    world.sends(SURGERY, patient("near", "Quill", "Ivy", number=next(numbers)))  # at ZZ1 2AA
    gp = user(world, "gp", SURGERY, "Dr Tom Hale", postcode="ZZ12AA")
    user(world, "gp", SURGERY, "Bo Cole")
    officer = user(world, "privacy_officer", SURGERY, "Olu Brandt")

    # when he opens all of them twice
    for key in (*people, "near"):
        for again in range(2):
            opens(gp, person_id(f"Patient/{key}"), NOON + timedelta(minutes=again))

    # then all but the stranger are listed, each once, however often the night comes
    assert night() == 4
    assert night() == night(NIGHT + timedelta(hours=3)) == 0
    assert sorted(listed(officer)) == [("colleague",), ("neighbour",), ("own_record",), ("same_surname",)]
    assert facts.last_check() == NOON.date()

    # and not again the next day, but for a look that was wrong
    (own,) = (task for task in facts.waiting_tasks(officer, NIGHT) if task.codes == ("own_record",))
    actions.answer_task(
        task_id=own.task_id, verdict="wrong", words="He read his own letters", actor=Actor.user(officer), at=NIGHT
    )
    for key in (*people, "near"):
        opens(gp, person_id(f"Patient/{key}"), NOON + timedelta(days=1))
    assert night(NIGHT + timedelta(days=1)) == 1
    assert len(listed(officer, NIGHT + timedelta(days=1))) == 4


def test_days_of_many_and_of_late_looks_are_listed(world: World, numbers: Iterator[str]) -> None:
    rules = facts.rules(NOON.date())
    local = [f"p{n}" for n in range(rules.in_a_row_people)]
    world.sends(SURGERY, *(patient(each, "Fenn", f"Ada{each}", number=next(numbers)) for each in local))
    gp, other = user(world, "gp", SURGERY, "Tom Hale"), user(world, "gp", SURGERY, "Una Hart")
    officer = user(world, "privacy_officer", SURGERY, "Olu Brandt")
    ids = [person_id(f"Patient/{each}") for each in local]
    for n, person in enumerate(ids):
        opens(gp, person, NOON + timedelta(minutes=n))
    for n, person in enumerate(ids[: rules.late_people]):
        opens(other, person, NOON + timedelta(hours=9, minutes=n))
    assert night() == 2
    tasks = facts.waiting_tasks(officer, NIGHT)
    assert [(task.about_name, task.codes, task.summary, task.person_id) for task in tasks] == [
        ("Tom Hale", ("many_in_a_row",), f"{len(ids)} people between 12:00pm and 12:29pm", None),
        ("Una Hart", ("after_hours",), "3 people between 9:00pm and 9:02pm", None),
    ]


def test_days_that_were_missed_are_gone_through_later(world: World, numbers: Iterator[str]) -> None:
    world.sends(SURGERY, patient("p1", "Hale", "Una", number=next(numbers)))
    world.sends(SURGERY, patient("p2", "Hale", "Ida", number=next(numbers)))
    gp, officer = user(world, "gp", SURGERY, "Tom Hale"), user(world, "privacy_officer", SURGERY, "Olu Brandt")
    assert night(NOON - timedelta(days=3)) == 0
    opens(gp, person_id("Patient/p1"), NOON - timedelta(days=2))
    opens(gp, person_id("Patient/p2"))
    assert night() == 2
    assert listed(officer) == [("same_surname",)] * 2


def test_a_job_that_reads_names_is_in_the_log(world: World) -> None:
    night()
    assert select("SELECT what, purpose, actor, person_id FROM base_access") == [
        ("rows", "privacy", "system:nightly", None)
    ]


def test_no_page_opens_a_record_in_an_emergency_without_a_task() -> None:
    """`override_record` alone leaves nothing to review."""
    calls = {p for p in (ROOT / "joinery").rglob("*.py") if "override_record(" in p.read_text("utf-8")}
    assert {p.parent.name for p in calls} == {"actions", "privacy"}
    assert len(calls) == 2
