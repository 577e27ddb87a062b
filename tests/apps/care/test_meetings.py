"""Meetings of a team: who is talked about, what was decided, and what waits for whom until it is done."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import add_user
from joinery.apps.base.columns import select
from joinery.apps.care.actions.meetings import ask_member, decide, finish_action, list_person, plan_meeting
from joinery.apps.care.actions.services import add_member, end_member, offer_service
from joinery.apps.care.facts.meetings import action_words, actions_waiting, meeting_list, meetings
from joinery.apps.place.actions import add_membership, set_home
from joinery.apps.place.facts import standing
from joinery.apps.record import facts as record
from joinery.apps.record.actions import list_people
from tests.pages.world import ACTOR, COUNCIL, SURGERY, World, patient, person_id

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
NEXT_WEEK = NOON + timedelta(days=7)
_numbers = count(1)


class Team:
    """A neighbourhood team of a surgery, with two nurses, and Ada, who is known there."""

    def __init__(self, world: World) -> None:
        self.world = world
        set_home(code=COUNCIL, actor=ACTOR, at=world.at)
        world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
        offer_service(
            code="quay-team", organisation=SURGERY, kind="neighbourhood_team", name="Quay team", actor=ACTOR,
            at=world.at,
        )  # fmt: skip
        self.first, self.second = self.member(), self.member()
        self.meeting = plan_meeting(service="quay-team", begins_at=NEXT_WEEK, actor=Actor.user(self.first), at=NOON)

    def nurse(self) -> int:
        number, at = next(_numbers), self.world.at
        email, name = f"m{number}@test.example", f"Nurse {number}"
        user_id = add_user(email=email, name=name, password=None, actor=ACTOR, at=at)
        add_membership(
            user_id=user_id, organisation_code=SURGERY, role="community_nurse", from_date=at.date(), actor=ACTOR, at=at
        )
        return user_id

    def member(self) -> int:
        user_id = self.nurse()
        add_member(service="quay-team", user_id=user_id, organisation=SURGERY, actor=ACTOR, at=self.world.at)
        return user_id

    def lists(self, words: str = "Falls twice a week") -> int:
        person = person_id("Patient/p1")
        founding = record.founding_records([person])[person]
        return list_person(
            meeting_id=self.meeting, record_id=founding, words=words, actor=Actor.user(self.first), at=NOON
        )


@pytest.fixture
def team(db: None, tmp_path: Path) -> Team:
    return Team(World(tmp_path, at=NOON - timedelta(days=7)))


def asks(team: Team, line: int, user_id: int | None, due: date = NEXT_WEEK.date()) -> int:
    return ask_member(
        listed_id=line, words="Visit her at home", due_date=due, user_id=user_id, actor=Actor.user(team.first), at=NOON
    )


def waiting(user_id: int, at: datetime = NOON) -> list[int]:
    return [each.action_id for each in actions_waiting(user_id, at)]


def test_a_meeting_from_its_list_to_what_is_done(team: Team) -> None:
    line = team.lists()
    decide(listed_id=line, words="A visit first", actor=Actor.user(team.second), at=NOON)
    asked = asks(team, line, team.second)
    assert waiting(team.second) == [asked] and waiting(team.first) == []
    coming, before = meetings(team.second, NOON)
    assert [(each.service_name, each.people) for each in coming] == [("Quay team", 1)] and before == ()
    posts = standing(team.second, NOON.date()).posts
    viewing = list_people(person_ids=[person_id("Patient/p1")], posts=posts, actor=Actor.user(team.second), at=NOON)
    (listed,) = meeting_list(viewing, team.meeting)
    assert (listed.words, listed.decisions[0][0]) == ("Falls twice a week", "A visit first")
    assert action_words(viewing, actions_waiting(team.second, NOON)) == {asked: "Visit her at home"}
    finish_action(action_id=asked, words="She has a frame now", actor=Actor.user(team.second), at=NEXT_WEEK)
    assert waiting(team.second, NEXT_WEEK) == []
    (listed,) = meeting_list(viewing, team.meeting)
    assert listed.actions[0].done and listed.actions[0].done_words == "She has a frame now"


def test_what_is_asked_of_a_leaver_waits_for_the_team(team: Team) -> None:
    asked = asks(team, team.lists(), team.second)
    (member,) = select("SELECT id FROM care_servicemember WHERE user_id = %s", [team.second])[0]
    end_member(member_id=member, on=NOON.date(), actor=ACTOR, at=NOON)
    assert waiting(team.first) == [asked]
    asked_of_all = asks(team, _line_of(asked), None)
    assert set(waiting(team.first)) == {asked, asked_of_all}


def _line_of(action_id: int) -> int:
    return int(select("SELECT person_id FROM care_meetingaction WHERE id = %s", [action_id])[0][0])


def test_lists_say_nothing_about_people_to_who_may_not_open_them(team: Team) -> None:
    asks(team, team.lists(), team.second)
    (each,) = actions_waiting(team.second, NOON)
    assert each.words == "" and each.done_words == ""
    nobody = list_people(person_ids=[each.person_id], posts=(), actor=Actor.user(team.second), at=NOON)
    assert meeting_list(nobody, team.meeting) == () and action_words(nobody, [each]) == {}


def test_overdue_is_worked_out_from_the_day(team: Team) -> None:
    asks(team, team.lists(), team.second)
    assert [each.overdue for each in actions_waiting(team.second, NEXT_WEEK)] == [False]
    assert [each.overdue for each in actions_waiting(team.second, NEXT_WEEK + timedelta(days=1))] == [True]


def test_only_the_team_touches_its_meetings(team: Team) -> None:
    line, stranger = team.lists(), team.nurse()
    asked = asks(team, line, None)
    acts = (
        lambda who: plan_meeting(service="quay-team", begins_at=NEXT_WEEK + timedelta(hours=1), actor=who, at=NOON),
        lambda who: list_person(meeting_id=team.meeting, record_id=1, words="x", actor=who, at=NOON),
        lambda who: decide(listed_id=line, words="x", actor=who, at=NOON),
        lambda who: ask_member(listed_id=line, words="x", due_date=NEXT_WEEK.date(), actor=who, at=NOON),
        lambda who: finish_action(action_id=asked, actor=who, at=NOON),
    )
    for act in acts:
        with pytest.raises(Refused, match="Only the team"):
            act(Actor.user(stranger))


def test_what_cannot_be_is_refused_in_words(team: Team) -> None:
    line = team.lists()
    with pytest.raises(Refused, match="already"):
        team.lists()
    with pytest.raises(Refused, match="already"):
        plan_meeting(service="quay-team", begins_at=NEXT_WEEK, actor=Actor.user(team.first), at=NOON)
    with pytest.raises(Refused, match="today or later"):
        asks(team, line, None, NOON.date() - timedelta(days=1))
    with pytest.raises(Refused, match="somebody of the team"):
        asks(team, line, team.nurse())
    with pytest.raises(Refused, match="Say what was decided"):
        decide(listed_id=line, words=" \0 ", actor=Actor.user(team.first), at=NOON)
    asked = asks(team, line, None)
    finish_action(action_id=asked, actor=Actor.user(team.second), at=NOON)
    with pytest.raises(Refused, match="done already"):
        finish_action(action_id=asked, actor=Actor.user(team.second), at=NOON)
