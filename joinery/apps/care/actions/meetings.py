"""Meetings of a multidisciplinary team: who is talked about, what was decided, who does what by when."""

from __future__ import annotations

from datetime import date, datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.actions.involving import involve
from joinery.apps.care.actions.referring import said
from joinery.apps.care.facts.meetings import MeetingOf, in_team, meeting_action, meeting_of
from joinery.apps.care.models import Meeting, MeetingAction, MeetingActionDone, MeetingDecision, MeetingPerson, Service
from joinery.apps.record import facts as record

MOST_WORDS = 2_000


@action("care.plan_meeting", targets=("service",))
def plan_meeting(*, service: str, begins_at: datetime, actor: Actor, at: datetime) -> int:
    """Plan a meeting of a service's team; returns its id. Raises Refused for who is not of it, or at the same time."""
    found = Service.objects.filter(code=service).first()
    _member(found.pk if found else None, actor, at)
    if found is None:
        raise Refused("service", "There is no such service.")
    if Meeting.objects.filter(service=found, begins_at=begins_at).exists():
        raise Refused("already", "There is a meeting at that time already.")
    return Meeting.objects.create(service=found, begins_at=begins_at, by=actor.name, at=at).pk


@action("care.list_person", targets=("meeting_id", "record_id"))
def list_person(*, meeting_id: int, record_id: int, words: str, actor: Actor, at: datetime) -> int:
    """Put a person on the list of a meeting; returns the id of that. Whoever sits in it can see the person until it is
    over and what it asks for is done. Raises Refused when they are on it already."""
    meeting = Meeting.objects.filter(pk=meeting_id).first()
    _member(meeting.service_id if meeting else None, actor, at)
    words = said(words, "Say what the meeting is to settle", MOST_WORDS)
    records = record.records_of_same(record_id)
    if MeetingPerson.objects.filter(meeting_id=meeting_id, record_id__in=records).exists():
        raise Refused("already", "This person is on the list already.")
    person = MeetingPerson.objects.create(meeting_id=meeting_id, record_id=record_id, words=words, by=actor.name, at=at)
    involve([record_id], actor, at)
    return person.pk


@action("care.decide", targets=("listed_id",))
def decide(*, listed_id: int, words: str, actor: Actor, at: datetime) -> None:
    """Keep what the meeting decided about a person."""
    _of(listed_id, actor, at)
    MeetingDecision.objects.create(
        person_id=listed_id, words=said(words, "Say what was decided", MOST_WORDS), by=actor.name, at=at
    )


@action("care.ask_member", targets=("listed_id", "user_id"))
def ask_member(
    *, listed_id: int, words: str, due_date: date, actor: Actor, at: datetime, user_id: int | None = None
) -> int:
    """Ask somebody of the team to do something by a day, or without a user the whole team; returns its id.

    Raises Refused when they are not of the team, or the day is over.
    """
    of = _of(listed_id, actor, at)
    words = said(words, "Say what is to be done", MOST_WORDS)
    if user_id is not None and not in_team(of.service_id, user_id, at):
        raise Refused("user", "Choose somebody of the team.")
    if due_date < at.date():
        raise Refused("due_date", "The day must be today or later.")
    asked = MeetingAction.objects.create(
        person_id=listed_id, user_id=user_id, words=words, due_date=due_date, by=actor.name, at=at
    )
    _involve(listed_id, actor, at)
    return asked.pk


@action("care.finish_action", targets=("action_id",))
def finish_action(*, action_id: int, actor: Actor, at: datetime, words: str = "") -> None:
    """Say that something a meeting asked for is done, or given up, once. Anybody of the team may, for another too."""
    found = meeting_action(action_id, at)
    _member(found.service_id if found else None, actor, at)
    if found is None or found.done:
        raise Refused("done", "This is done already.")
    MeetingActionDone.objects.create(
        action_id=action_id, words=words.replace("\0", "").strip()[:MOST_WORDS], by=actor.name, at=at
    )
    _involve(found.listed_id, actor, at)


def _involve(listed_id: int, actor: Actor, at: datetime) -> None:
    """What is to be done for somebody on a list has changed, and so perhaps who may see them."""
    involve(MeetingPerson.objects.filter(pk=listed_id).values_list("record_id", flat=True), actor, at)


def _of(listed_id: int, actor: Actor, at: datetime) -> MeetingOf:
    of = meeting_of(listed_id)
    _member(of.service_id if of else None, actor, at)
    if of is None:
        raise Refused("absent", "There is no such line.")
    return of


def _member(service_id: int | None, actor: Actor, at: datetime) -> None:
    if actor.user_id is not None and not (service_id and in_team(service_id, actor.user_id, at)):
        raise Refused("not_yours", "Only the team itself may change its meetings.")
