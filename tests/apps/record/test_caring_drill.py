"""Random histories of care that begins, ends and begins again, while bodies merge, split and close: who may see whom on
each day, against an oracle that walks from day to day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.place.models import Organisation
from joinery.apps.record.actions import pass_relationships
from joinery.apps.record.actions.caring import relate, stage_care
from joinery.apps.record.facts import waiting_people
from joinery.apps.record.models import Details, Item, Link, Person, Source, SourceRecord, Submission
from joinery.apps.record.rows import CareRow
from joinery.calc.access import recent_days
from joinery.calc.involvement import LASTS, Said, Span
from tests.apps.place.reorganising import DAY, Place, made_place, moment
from tests.oracles import involvement, succession
from tests.support import examples

EXAMPLES = examples(20, drill=1_000)

pytestmark = pytest.mark.django_db


@dataclass
class Cared:
    """What a body has said of its care for one person: on which day, and until when."""

    person: str
    body: str
    record: int
    item: int
    source: int
    said: dict[date, date | None] = field(default_factory=dict)


class World:
    """The place of the reorganisation drill, with care that begins and ends."""

    def __init__(self) -> None:
        self.place: Place = made_place()
        self.place.people = self.place.people[:2]
        self.cared: dict[tuple[str, str], Cared] = {}

    def tell(self, person: str, body: str, end: date | None) -> None:
        """A body says today until when it cares for a person."""
        at = moment(self.place.today)
        cared = self.cared.get((person, body)) or self._begin(person, body)
        submission = Submission.objects.create(source_id=cared.source, received_at=at)
        row = CareRow(Said(LASTS, Span(None, end)))
        heard = stage_care(submission.pk, at.date(), [(cared.item, cared.record, row)], [cared.item])
        relate(submission.pk, cared.source, at.date(), heard.records, heard)
        Submission.objects.filter(pk=submission.pk).update(published_at=at)
        cared.said[self.place.today] = end

    def _begin(self, person: str, body: str) -> Cared:
        at = moment(self.place.today)
        source, _ = Source.objects.get_or_create(organisation=Organisation.objects.get(code=body), feed="mods")
        submission = Submission.objects.create(source=source, received_at=at, published_at=at)
        Person.objects.get_or_create(id=person)
        record = SourceRecord.objects.create(source=source, local_id=person)
        Link.objects.create(record=record, person_id=person, submission=submission, at=at, reason="first record")
        Details.objects.create(record=record, submission=submission, family_key="ASH", given_key=person.upper())
        item = Item.objects.create(source=source, key=f"Stay/{person}")
        self.cared[person, body] = Cared(person, body, record.pk, item.pk, source.pk)
        return self.cared[person, body]

    def should_see(self) -> set[tuple[int, str]]:
        """Which user may see which person today: they met at one body when the younger began, and care goes on."""
        place, grace = self.place, recent_days("community_nurse")
        passed = succession.passes(place.ends, place.edges)
        seen = set()
        for cared in self.cared.values():
            episode = involvement.episode(cared.said, place.today)
            if episode is None or not involvement.opens(*episode, place.today, grace):
                continue
            for member in place.members.values():
                met = max(member.given, episode[0])
                if succession.stands(passed, member.body, met) == succession.stands(passed, cared.body, met):
                    seen.add((member.user, cared.person))
        return seen


class Drill(World):
    """Random steps in it."""

    def __init__(self, data: st.DataObject) -> None:
        super().__init__()
        self.data = data
        for user in self.place.users:
            self.place.give(user, self.one("ABCD"))
        for person in self.place.people:
            self.tell(person, self.one("ABCD"), None)

    def one(self, choices: str | list[str]) -> str:
        return self.data.draw(st.sampled_from(list(choices)))

    def step(self) -> None:
        """A day or some weeks pass, and something happens."""
        place = self.place
        place.today += self.data.draw(st.sampled_from([1, 3, 20, 40])) * DAY
        there = place.open(place.today)
        kind = self.one(["tell", "tell", "tell", "give", "merge", "merge", "split", "close"])
        if kind == "tell":
            # Mostly a body that told of the person before; its feed goes on under its code when it has ended.
            known = sorted(self.cared) + [(self.one(place.people), self.one(there))]
            who = self.data.draw(st.sampled_from(known))
            episode = involvement.episode(self.cared[who].said, place.today) if who in self.cared else None
            goes_on = episode is not None and (episode[1] is None or episode[1] > place.today)
            end = self.data.draw(st.sampled_from([-5, 0, 1, 15, None] if goes_on else [None, None, -5, 15]))
            self.tell(*who, None if end is None else place.today + end * DAY)
        elif kind == "give":
            place.give(int(self.one([str(user) for user in place.users])), self.one(there))
        elif kind == "merge" and len(there) > 1:
            place.merge(there[:2], place.new_code(), place.today)()
        elif kind == "split" and len(there) > 1:
            place.split(there[0], [place.new_code(), there[-1]], place.today)()
        elif kind == "close" and len(there) > 2:
            place.close(there[0], place.today)()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_who_may_see_whom_follows_care_through_every_reorganisation(data: st.DataObject) -> None:
    with transaction.atomic():
        drill = Drill(data)
        for _ in range(data.draw(st.integers(4, 12))):
            drill.step()
            assert drill.place.sees() == drill.should_see()
        transaction.set_rollback(True)


def merged() -> World:
    """Care of p1 at A, where the first user works, that ended before A and B became one; the second was at B."""
    world = World()
    for user, body in enumerate("AB"):
        world.place.give(world.place.users[user], body)
    world.tell("p1", "A", None)
    world.place.today += DAY
    world.tell("p1", "A", world.place.today)
    world.place.merge(["A", "B"], "N", world.place.today)()
    return world


def test_care_that_ended_stays_ended_at_what_the_body_becomes_and_begins_anew_there() -> None:
    world = merged()
    place = world.place
    first, second, _ = place.users
    assert place.sees() == world.should_see() == {(first, "p1")}, "for the days that a nurse still has"
    place.today += 40 * DAY
    assert place.sees() == world.should_see() == set()
    world.tell("p1", "A", None)
    assert place.sees() == world.should_see() == {(first, "p1"), (second, "p1")}
    world.tell("p1", "A", place.today)
    place.today += 40 * DAY
    assert place.sees() == world.should_see() == set(), "and what ends after it has passed on ends there too"


def test_care_that_ends_ends_wherever_it_was_decided_to_go_on() -> None:
    world = World()
    place = world.place
    heir = place.users[0]
    place.give(heir, "C")
    world.tell("p1", "A", None)
    place.today += DAY
    place.split("A", ["C", "D"], place.today)()
    assert place.act(pass_relationships, ended="A", organisation_code="C") == 1
    assert place.sees() == {(heir, "p1")}
    place.today += DAY
    world.tell("p1", "A", place.today)
    assert waiting_people(place.today) == (), "its end is no other relationship that would wait"
    assert place.sees() == {(heir, "p1")}
    place.today += 40 * DAY
    assert place.sees() == set()
    world.tell("p1", "A", None)
    assert [waits.people for waits in waiting_people(place.today)] == [1], "to begin anew is to be decided anew"
