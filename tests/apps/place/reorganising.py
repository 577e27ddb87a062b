"""A small place that is reorganised through the real actions, and beside it what should have come of it.

The model keeps plain lists: when each body began and ended, what took over from it, who was given which
membership when, and who became known where. It knows nothing of statements and editions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import add_user
from joinery.apps.place import actions, facts
from joinery.apps.place.actions import OrganisationDetails, Part
from joinery.apps.place.models import Organisation
from joinery.apps.record.actions import Criteria, open_record, search_people
from joinery.apps.record.models import Details, Link, Person, Relationship, Source, SourceRecord, Submission
from joinery.calc.succession import Edge, Step
from tests.oracles import succession as oracle

ACTOR = Actor.system("drill")
START = date(2026, 1, 1)
DAY = timedelta(days=1)
PARENTS = ("R1", "R2")


def moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


@dataclass
class Member:
    """A membership as the model knows it."""

    user: int
    body: str
    given: date
    decided: dict[str, Step] = field(default_factory=dict)


@dataclass
class Known:
    """A relationship as the model knows it."""

    person: str
    body: str
    began: date


@dataclass
class Place:
    """The place and its model. Bodies are providers A, B, ..., which stand in the regions R1 and R2."""

    today: date = START
    begins: dict[str, date] = field(default_factory=dict)
    ends: dict[str, date] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    members: dict[int, Member] = field(default_factory=dict)
    known: list[Known] = field(default_factory=list)
    users: list[int] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    made: int = 0

    # -- what happens -----------------------------------------------------------------------------

    def act(self, action: Callable[..., Any], **more: Any) -> Any:
        return action(actor=ACTOR, at=moment(self.today), **more)

    def begin(self, code: str, form: str = "community_trust") -> None:
        details = OrganisationDetails(code, f"Body {code}", form)
        self.act(actions.register_organisation, details=details, since=START - 100 * DAY)
        self.begins[code] = START - 100 * DAY

    def stand_in(self, code: str, parent: str) -> None:
        self.act(actions.relate, code=code, kind="part_of", target=parent, on=START - 50 * DAY)

    def new_code(self) -> str:
        self.made += 1
        return f"N{self.made}"

    def add_user(self) -> None:
        name = f"user{len(self.users)}"
        self.users.append(self.act(add_user, email=f"{name}@place.example", name=name, password=None))

    def give(self, user: int, body: str) -> None:
        member = Member(user, body, self.today)
        made = self.act(
            actions.add_membership,
            user_id=user, organisation_code=body, role="community_nurse", from_date=self.today,
        )  # fmt: skip
        self.members[made] = member

    def meet(self, person: str, body: str) -> None:
        """The body sends something about a person: a relationship from today on."""
        at = moment(self.today)
        organisation = Organisation.objects.get(code=body)
        source, _ = Source.objects.get_or_create(organisation=organisation, feed="fhir")
        submission = Submission.objects.create(source=source, received_at=at, published_at=at)
        Person.objects.get_or_create(id=person)
        record = SourceRecord.objects.create(source=source, local_id=f"{person}-{len(self.known)}")
        Link.objects.create(record=record, person_id=person, submission=submission, at=at, reason="first record")
        Details.objects.create(record=record, submission=submission, family_key="ASH", given_key=person.upper())
        Relationship.objects.create(
            record=record, organisation=organisation, submission=submission, basis="test", from_date=self.today
        )
        self.known.append(Known(person, body, self.today))

    def ended(self, bodies: list[str], on: date, edges: list[Edge]) -> None:
        """Write into the model that bodies ended and others took over."""
        self.ends |= dict.fromkeys(bodies, on)
        self.edges += edges
        for edge in edges:
            self.begins.setdefault(edge.successor, on)

    def merge(self, codes: list[str], into: str, on: date, edition: int | None = None) -> Callable[[], None]:
        """Merge bodies into a new one or one that is there; returns what writes it into the model."""
        details = OrganisationDetails(into, f"Body {into}", "community_trust")
        self.act(actions.merge, codes=codes, into=details, on=on, edition_id=edition)
        return lambda: self.ended(codes, on, [Edge(code, into, on) for code in codes])

    def split(self, code: str, into: list[str], on: date, edition: int | None = None) -> Callable[[], None]:
        """Split a body into new ones or ones that are there."""
        parts = [Part(OrganisationDetails(new, f"Body {new}", "community_trust")) for new in into]
        self.act(actions.split, code=code, parts=parts, on=on, edition_id=edition)
        return lambda: self.ended([code], on, [Edge(code, new, on, whole=False) for new in into])

    def close(self, code: str, on: date, edition: int | None = None) -> Callable[[], None]:
        self.act(actions.close_body, code=code, on=on, edition_id=edition)
        return lambda: self.ended([code], on, [])

    def decide(self, membership: int, code: str) -> None:
        """A person decides where a membership that waits goes on."""
        member = self.members[membership]
        waits = self.stands(member)
        self.act(actions.pass_membership, membership_id=membership, organisation_code=code)
        member.decided[waits] = Step(code, self.ends[waits])

    # -- what should be ---------------------------------------------------------------------------

    def open(self, on: date) -> list[str]:
        """The bodies that are there on a day, and have no end yet."""
        return sorted(code for code, day in self.begins.items() if day <= on and code not in self.ends)

    def stands(self, member: Member, on: date | None = None) -> str:
        return oracle.stands(oracle.passes(self.ends, self.edges), member.body, on or self.today, member.decided)

    def gone(self, code: str, on: date) -> bool:
        return code in self.ends and self.ends[code] <= on

    def should_wait(self) -> set[int]:
        return {number for number, member in self.members.items() if self.gone(self.stands(member), self.today)}

    def should_see(self, since: date = date.min) -> set[tuple[int, str]]:
        """Which user may see which person today, by the rule; those of whom the younger came since a day."""
        passed = oracle.passes(self.ends, self.edges)
        return {
            (member.user, each.person)
            for member in self.members.values()
            for each in self.known
            if max(member.given, each.began) >= since
            and oracle.stands(passed, member.body, max(member.given, each.began), member.decided)
            == oracle.stands(passed, each.body, max(member.given, each.began))
        }

    # -- what is ----------------------------------------------------------------------------------

    def sees(self) -> set[tuple[int, str]]:
        """Which user may open which person's record today; a search must find the same."""
        seen = set()
        for user in self.users:
            posts = facts.standing(user, self.today).posts
            opened = {person for person in self.people if self._opens(person, posts)}
            assert opened == self._finds(posts)
            seen |= {(user, person) for person in opened}
        return seen

    def _opens(self, person: str, posts: Any) -> bool:
        try:
            self.act(open_record, person_id=person, posts=posts)
        except Refused:
            return False
        return True

    def _finds(self, posts: Any) -> set[str]:
        if not posts:
            return set()
        found = self.act(search_people, criteria=Criteria(family_name="Ash"), posts=posts)
        assert not found.more
        return set(found.viewing.person_ids)

    def waits(self) -> set[int]:
        return {waiting.membership_id for waiting in facts.waiting(self.today)}


def made_place() -> Place:
    """Four bodies in two regions, three users and four people, each known somewhere."""
    place = Place()
    for parent in PARENTS:
        place.begin(parent, "region")
        del place.begins[parent]
    for number, code in enumerate("ABCD"):
        place.begin(code)
        place.stand_in(code, PARENTS[number % 2])
    for _ in range(3):
        place.add_user()
    place.people = ["p1", "p2", "p3", "p4"]
    return place
