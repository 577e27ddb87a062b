"""The services of the demonstration, who works in them, and what was asked of them: something in every state.

The moments are hours before the morning of the day as of which the demonstration is; nothing else moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from string import ascii_lowercase
from typing import Any

from joinery.apps.base.action import Actor
from joinery.apps.base.facts import user_with_email
from joinery.apps.care import actions, facts
from joinery.apps.place.facts import standing
from joinery.apps.record.actions import Criteria, search_people
from joinery.apps.record.facts import found_people, founding_records
from joinery.site.demo.events import definitions

# When the services were added: before anybody is referred.
OFFERED_HOURS = 45
# As many of a user's people as stories are told of.
MOST_PEOPLE = 6
FIRST_NUMBER = "9990001111"  # Mrs Smith, the first of her GP's people


def make(morning: datetime) -> int:
    """Add the services and what was asked of them until a morning; returns how many referrals there are.

    Of a place with few people some of the stories are left out.
    """
    said = definitions("waits")
    stories = said["stories"]
    logins = {member["who"] for each in said["services"] for member in each.get("members", ())}
    logins |= {each["who"] for each in stories}
    users = {login: user_with_email(f"{login}@demo.example") or 0 for login in sorted(logins)}
    _offer(said["services"], users, morning - timedelta(hours=OFFERED_HOURS))
    people = {who: _people_of(who, users[who], morning) for who in dict.fromkeys(each["who"] for each in stories)}
    told = [each for each in stories if each["person"] < len(people[each["who"]])]
    for each in told:
        _tell(each, people[each["who"]][each["person"]], users, morning)
    return len(told)


def _offer(services: Sequence[dict[str, Any]], users: dict[str, int], at: datetime) -> None:
    common: dict[str, Any] = {"actor": Actor.system("demo"), "at": at}
    for each in services:
        terms = {name: each[name] for name in ("code", "kind", "name", "about")}
        actions.offer_service(organisation=each["body"], areas=(), **terms, **common)
        for member in each.get("members", ()):
            actions.add_member(
                service=each["code"], user_id=users[member["who"]], organisation=member["body"],
                manages=member.get("manages", False), from_date=at.date(), **common,
            )  # fmt: skip


def _people_of(who: str, user_id: int, at: datetime) -> list[int]:
    """The founding records of some people whom a user may find, by name; of the GP's, Mrs Smith first."""
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
            found += [each.person_id for each in found_people(viewing) if each.person_id not in found]
    records = founding_records(found)
    return [records[person] for person in found[:MOST_PEOPLE]]


def _tell(story: dict[str, Any], record_id: int, users: dict[str, int], morning: datetime) -> None:
    """Do what a story tells of."""

    def by(each: dict[str, Any]) -> dict[str, Any]:
        return {"actor": Actor.user(users[each["who"]]), "at": morning - timedelta(hours=each["hours"])}

    sent = by(story)
    asked = {name: story.get(name, "") for name in ("service", "urgency", "reason", "words")}
    post = standing(users[story["who"]], sent["at"].date()).posts[0]
    code = actions.refer(
        record_id=record_id, organisation=post.organisation,
        asked_at=sent["at"] - timedelta(days=story.get("earlier_days", 0)), **asked, **sent,
    )  # fmt: skip
    for step in story.get("steps", ()):
        acting = by(step)
        told = {name: step.get(name, "") for name in ("to", "reason", "words", "service")}
        user_id = users[step["takes"]] if "takes" in step else None
        actions.take_step(code=code, number=_number(code, acting["at"]), user_id=user_id, **told, **acting)
    for note in story.get("notes", ()):
        actions.write_note(code=code, words=note["words"], **by(note))


def _number(code: str, at: datetime) -> int:
    """The number of a referral's last step."""
    found = facts.referral(code, at)
    assert found is not None
    return found.number
