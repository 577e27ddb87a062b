"""The services of the demonstration, who works in them, and what was asked of them: something in every state.

The moments are hours before the morning of the day as of which the demonstration is; nothing else moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from string import ascii_lowercase
from typing import Any, NamedTuple

from joinery.apps.base.action import Actor
from joinery.apps.base.facts import user_with_email
from joinery.apps.care import actions, facts
from joinery.apps.place.facts import standing
from joinery.apps.record import facts as record
from joinery.apps.record.actions import Criteria, open_record, search_people
from joinery.apps.record.facts import found_people, founding_records
from joinery.site.demo.events import definitions

# When the services and who works in them were added, before anybody was referred.
OFFERED_DAYS = 80
# What was asked for earlier began a few days ago and further back, so many days apart, and ended a while later.
FIRST_DAYS, APART_DAYS, LASTED_DAYS = 1, 6, 4
# As many of a user's people as stories are told of.
MOST_PEOPLE = 6
ADULT_YEARS = 18  # these services are for adults
FIRST_NUMBER = "9990001111"  # Mrs Smith, the first of her GP's people


def make(morning: datetime) -> int:
    """Add the services and what was asked of them until a morning; returns how many referrals there are.

    Of a place with few people some of the stories are left out.
    """
    said = definitions("waits")
    stories = said["stories"]
    logins = {member["who"] for each in said["services"] for member in each.get("members", ())}
    logins |= {each["who"] for each in (*stories, *said["around"], *said["meetings"])}
    users = {login: user_with_email(f"{login}@demo.example") or 0 for login in sorted(logins)}
    _offer(said["services"], users, morning)
    people = {who: _people_of(who, users[who], morning) for who in dict.fromkeys(each["who"] for each in stories)}
    told = [each for each in stories if each["person"] < len(people[each["who"]])]
    everybody = list(dict.fromkeys(each for those in people.values() for each in those))
    past = [_tell_of_the_past(each, everybody, morning) for each in said["past"]] if everybody else []
    for each in told:
        _tell(each, people[each["who"]][each["person"]], users, morning)
    first = people["tom"][0].record_id
    for each in sorted(said["around"], key=lambda each: -float(each["hours"])):
        _stand_around(each, first, users, morning)
    for each in said["meetings"]:
        _meet(each, first, users, morning)
    return len(told) + sum(past)


def _offer(services: Sequence[dict[str, Any]], users: dict[str, int], morning: datetime) -> None:
    at = morning - timedelta(days=OFFERED_DAYS)
    common: dict[str, Any] = {"actor": Actor.system("demo"), "at": at}
    for each in services:
        terms = {name: each[name] for name in ("code", "kind", "name", "about")}
        actions.offer_service(organisation=each["body"], areas=(), **terms, **common)
        for member in each.get("members", ()):
            actions.add_member(
                service=each["code"], user_id=users[member["who"]], organisation=member["body"],
                manages=member.get("manages", False), from_date=at.date(), **common,
            )  # fmt: skip


class Person(NamedTuple):
    """Somebody who can be referred: their founding record, and the area where they live."""

    record_id: int
    area: str


def _people_of(who: str, user_id: int, at: datetime) -> list[Person]:
    """Some adults whom a user may find, by name, whose records they open; of the GP's, Mrs Smith first."""
    posts = standing(user_id, at.date()).posts
    common: dict[str, Any] = {"posts": posts, "actor": Actor.user(user_id), "at": at}
    found: list[str] = []
    if who == "tom":
        found += search_people(criteria=Criteria(FIRST_NUMBER), **common).viewing.person_ids
    for letter in ascii_lowercase:
        if len(found) >= MOST_PEOPLE:
            break
        viewing = search_people(criteria=Criteria(family_name=letter), **common).viewing
        if viewing.person_ids:
            adults = [each for each in found_people(viewing) if (each.age_years or 0) >= ADULT_YEARS]
            found += [each.person_id for each in adults if each.person_id not in found]
    records = founding_records(found)
    opened = [open_record(person_id=person, **common) for person in found[:MOST_PEOPLE]]
    return [Person(records[each.person_id], facts.home_area(each, record.records(each))) for each in opened]


def _tell_of_the_past(past: dict[str, Any], people: Sequence[Person], morning: datetime) -> int:
    """Do what was asked for in the weeks before, and settled by now; returns how many that were."""
    system = Actor.system("demo")
    asked = {name: past[name] for name in ("service", "urgency", "reason")}
    for n, days in enumerate(past["days"]):
        person = people[n % len(people)]
        began = morning - timedelta(days=FIRST_DAYS + APART_DAYS * (n + 1))
        sent = began - timedelta(days=days)
        code = actions.refer(
            record_id=person.record_id, organisation=past["by"], area=person.area, words="", actor=system, at=sent,
            **asked,
        )  # fmt: skip
        ended = began + timedelta(days=LASTED_DAYS)
        for number, (to, at) in enumerate((("accepted", sent + (began - sent) / 2), ("started", began)), 1):
            actions.take_step(code=code, number=number, to=to, actor=system, at=at)
        actions.take_step(code=code, number=3, to="ended", reason="done", actor=system, at=ended)
    return len(past["days"])


def _tell(story: dict[str, Any], person: Person, users: dict[str, int], morning: datetime) -> None:
    """Do what a story tells of."""

    def by(each: dict[str, Any]) -> dict[str, Any]:
        return {"actor": Actor.user(users[each["who"]]), "at": morning - timedelta(hours=each["hours"])}

    sent = by(story)
    asked = {name: story.get(name, "") for name in ("service", "urgency", "reason", "words")}
    post = standing(users[story["who"]], sent["at"].date()).posts[0]
    code = actions.refer(
        record_id=person.record_id, organisation=post.organisation, area=person.area,
        asked_at=sent["at"] - timedelta(days=story.get("earlier_days", 0)), **asked, **sent,
    )  # fmt: skip
    for step in story.get("steps", ()):
        acting = by(step)
        told = {name: step.get(name, "") for name in ("to", "reason", "words", "service")}
        user_id = users[step["takes"]] if "takes" in step else None
        actions.take_step(code=code, number=_number(code, acting["at"]), user_id=user_id, **told, **acting)
    for note in story.get("notes", ()):
        actions.write_note(code=code, words=note["words"], **by(note))


def _stand_around(part: dict[str, Any], record_id: int, users: dict[str, int], morning: datetime) -> None:
    """Give somebody a part in a person's care, and let them agree."""
    user_id = users[part["user"]] if "user" in part else None
    asked = morning - timedelta(hours=part["hours"])
    part_id = actions.add_part(
        record_id=record_id, part=part["part"], user_id=user_id, name=part.get("name", ""), words=part["words"],
        actor=Actor.user(users[part["who"]]), at=asked,
    )  # fmt: skip
    if user_id is not None and "agrees_hours" in part:
        agreed = morning - timedelta(hours=part["agrees_hours"])
        actions.answer_part(part_id=part_id, agree=True, actor=Actor.user(user_id), at=agreed)


def _meet(meeting: dict[str, Any], record_id: int, users: dict[str, int], morning: datetime) -> None:
    """Plan a meeting and put a person on its list; at one that has been, decide something and ask for something."""
    at, begins_at = (morning - timedelta(hours=meeting[each]) for each in ("hours", "begins_hours"))
    by: dict[str, Any] = {"actor": Actor.user(users[meeting["who"]]), "at": at}
    meeting_id = actions.plan_meeting(service=meeting["service"], begins_at=begins_at, **by)
    line = actions.list_person(meeting_id=meeting_id, record_id=record_id, words=meeting["words"], **by)
    by["at"] = begins_at
    if "decision" not in meeting:
        return
    actions.decide(listed_id=line, words=meeting["decision"], **by)
    for each in meeting["asks"]:
        user_id = users[each["user"]] if "user" in each else None
        due_date = (begins_at + timedelta(days=each["days"])).date()
        actions.ask_member(listed_id=line, words=each["words"], due_date=due_date, user_id=user_id, **by)


def _number(code: str, at: datetime) -> int:
    """The number of a referral's last step."""
    found = facts.referral(code, at)
    assert found is not None
    return found.number
