"""Meetings of multidisciplinary teams: the next ones, the list of one, and what waits of what they asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.care.facts.services import services
from joinery.apps.care.services import ServiceNow
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record

MOST_MEETINGS = 20


@dataclass(frozen=True, slots=True)
class MeetingOf:
    """A meeting, and how many people are on its list. `service` is a code."""

    meeting_id: int
    service_id: int
    service: str
    service_name: str
    begins_at: datetime
    people: int


@dataclass(frozen=True, slots=True)
class ActionAsked:
    """What a meeting asked of somebody by a day; without a name, of the whole team. `words` are about a person: they
    are empty but for who may see that person."""

    action_id: int
    listed_id: int
    meeting_id: int
    service_id: int
    person_id: str
    user_id: int | None
    user_name: str
    words: str
    due_date: date
    overdue: bool
    by_name: str
    done: bool
    done_words: str
    done_by_name: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A person on the list of a meeting: why, what was decided, and what is to be done."""

    listed_id: int
    person_id: str
    words: str
    by_name: str
    decisions: tuple[tuple[str, str, datetime], ...]
    actions: tuple[ActionAsked, ...]


@place_facts
def meetings(user_id: int, at: datetime) -> tuple[tuple[MeetingOf, ...], tuple[MeetingOf, ...]]:
    """The meetings of a user's teams: those of today and to come, soonest first; and the last ones before."""
    teams = {each.service_id: each for each in services(at.date()) if each.has(user_id)}
    found = _meetings(f"m.service_id IN ({marks(list(teams))})", list(teams), teams)
    coming = tuple(each for each in reversed(found) if each.begins_at.date() >= at.date())
    return coming, tuple(each for each in found if each.begins_at.date() < at.date())[:MOST_MEETINGS]


@place_facts
def meeting(meeting_id: int, at: datetime) -> MeetingOf | None:
    """One meeting, or None."""
    teams = {each.service_id: each for each in services(at.date(), closed=True)}
    return next(iter(_meetings("m.id = %s", [meeting_id], teams)), None)


@place_facts
def meeting_of(listed_id: int) -> MeetingOf | None:
    """The meeting on whose list a line stands, or None."""
    found = _meetings("m.id = (SELECT l.meeting_id FROM care_meetingperson l WHERE l.id = %s)", [listed_id], {})
    return next(iter(found), None)


@place_facts
def in_team(service_id: int, user_id: int, at: datetime) -> bool:
    """Whether a user is of the team of a service today."""
    return any(each.service_id == service_id and each.has(user_id) for each in services(at.date()))


@place_facts
def listed_people(meeting_id: int) -> frozenset[str]:
    """Who is on the list of a meeting, by id."""
    rows = select("SELECT l.record_id FROM care_meetingperson l WHERE l.meeting_id = %s", [meeting_id])
    return frozenset(record.people_of({row[0] for row in rows}).values())


@person_facts
def meeting_list(viewing: Viewing, meeting_id: int) -> tuple[Listed, ...]:
    """The list of a meeting in the order in which it was made, of the people of the viewing."""
    sql = "SELECT l.id, l.record_id, l.words, l.by FROM care_meetingperson l WHERE l.meeting_id = %s ORDER BY l.id"
    rows = select(sql, [meeting_id])
    people = record.people_of({row[1] for row in rows})
    rows = [row for row in rows if people.get(row[1]) in viewing.person_ids]
    if not rows:
        return ()
    ids = [row[0] for row in rows]
    sql = f"SELECT d.person_id, d.words, d.by, d.at FROM care_meetingdecision d WHERE d.person_id IN ({marks(ids)})"
    decided = select(f"{sql} ORDER BY d.id", ids)
    asked = _actions(f"a.person_id IN ({marks(ids)})", ids, viewing.at)
    names = place.actor_names({row[3] for row in rows} | {row[2] for row in decided})
    return tuple(
        Listed(
            listed_id=listed_id, person_id=people[record_id], words=words, by_name=names[by],
            decisions=tuple((text, names[who], as_moment(at)) for of, text, who, at in decided if of == listed_id),
            actions=tuple(each for each in asked if each.listed_id == listed_id),
        )
        for listed_id, record_id, words, by in rows
    )  # fmt: skip


@place_facts
def meeting_action(action_id: int, at: datetime) -> ActionAsked | None:
    """One thing that a meeting asked for, without what it says."""
    return next(iter(_wordless(_actions("a.id = %s", [action_id], at))), None)


@place_facts
def actions_waiting(user_id: int, at: datetime) -> tuple[ActionAsked, ...]:
    """What meetings asked for and a user is to do, what is due first first, without what it says.

    What was asked of the whole team, or of somebody who is of it no more, waits for all who are.
    """
    teams = {each.service_id: each for each in services(at.date()) if each.has(user_id)}
    where = f"x.action_id IS NULL AND (a.user_id = %s OR m.service_id IN ({marks(list(teams))}))"
    found = _wordless(_actions(where, [user_id, *teams], at))
    return tuple(each for each in found if _waits_for(each, user_id, teams.get(each.service_id)))


def _waits_for(asked: ActionAsked, user_id: int, team: ServiceNow | None) -> bool:
    if asked.user_id == user_id:
        return True
    return team is not None and (asked.user_id is None or not team.has(asked.user_id))


@person_facts
def action_words(viewing: Viewing, actions: Sequence[ActionAsked]) -> dict[int, str]:
    """What these things say, by their ids, of those about people of the viewing."""
    ids = [each.action_id for each in actions if each.person_id in viewing.person_ids]
    sql = f"SELECT a.id, a.words FROM care_meetingaction a WHERE a.id IN ({marks(ids)})"
    return dict(select(sql, ids)) if ids else {}


def _meetings(where: str, values: Sequence[object], teams: dict[int, ServiceNow]) -> list[MeetingOf]:
    sql = (
        "SELECT m.id, m.service_id, s.code, m.begins_at, "
        "(SELECT COUNT(*) FROM care_meetingperson l WHERE l.meeting_id = m.id) "
        f"FROM care_meeting m JOIN care_service s ON s.id = m.service_id WHERE {where} ORDER BY m.begins_at DESC"
    )
    return [
        MeetingOf(meeting_id, service_id, code, _name(teams, service_id), as_moment(begins_at), people)
        for meeting_id, service_id, code, begins_at, people in select(sql, values)
    ]


def _name(teams: dict[int, ServiceNow], service_id: int) -> str:
    return teams[service_id].name if service_id in teams else ""


def _actions(where: str, values: Sequence[object], at: datetime) -> list[ActionAsked]:
    sql = (
        "SELECT a.id, a.person_id, l.meeting_id, m.service_id, l.record_id, a.user_id, u.name, a.words, a.due_date, "
        "a.by, x.words, x.by, x.at FROM care_meetingaction a JOIN care_meetingperson l ON l.id = a.person_id "
        "JOIN care_meeting m ON m.id = l.meeting_id LEFT JOIN base_user u ON u.id = a.user_id "
        f"LEFT JOIN care_meetingactiondone x ON x.action_id = a.id WHERE {where} ORDER BY a.due_date, a.id"
    )
    rows = select(sql, values)
    people = record.people_of({row[4] for row in rows})
    names = place.actor_names({row[9] for row in rows} | {row[11] for row in rows if row[11]})
    return [_asked(row, people.get(row[4], ""), names, at) for row in rows]


def _asked(row: tuple[Any, ...], person_id: str, names: dict[str, str], at: datetime) -> ActionAsked:
    action_id, listed_id, meeting_id, service_id, _, user_id, user_name, words, due, by, done, done_by, done_at = row
    due_date = as_day(due)
    if due_date is None:
        raise ValueError("something to do without a day")
    return ActionAsked(
        action_id=action_id, listed_id=listed_id, meeting_id=meeting_id, service_id=service_id, person_id=person_id,
        user_id=user_id, user_name=user_name or "", words=words, due_date=due_date,
        overdue=done_by is None and due_date < at.date(), by_name=names[by], done=done_by is not None,
        done_words=done or "", done_by_name=names[done_by] if done_by else "",
        done_at=as_moment(done_at) if done_at else None,
    )  # fmt: skip


def _wordless(actions: Sequence[ActionAsked]) -> list[ActionAsked]:
    """The same without what is about a person."""
    return [replace(each, words="", done_words="") for each in actions]
