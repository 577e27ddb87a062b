"""The reorganisation drill: whatever is merged, split, moved, renamed or closed, nobody gains or loses sight
of anybody, and nothing stands under a body that is no more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Refused
from joinery.apps.place import actions, facts
from joinery.apps.place.models import Organisation
from tests.apps.place.reorganising import DAY, PARENTS, Place, made_place
from tests.support import examples

EXAMPLES = examples(25, drill=1_000)

pytestmark = pytest.mark.django_db


# -- the steps ------------------------------------------------------------------------------------

Draw = Callable[[st.SearchStrategy[object]], object]


class Drill:
    """Random steps, each followed by every check."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.place: Place = made_place()
        self.proposals: list[tuple[int, date, Callable[[], None]]] = []
        for user in self.place.users:
            self.place.give(user, self.one(self.place.open(self.place.today)))
        for person in self.place.people:
            self.place.meet(person, self.one(self.place.open(self.place.today)))
        self.seen = self.place.sees()
        assert self.seen == self.place.should_see()

    def one(self, choices: list[str]) -> str:
        return self.data.draw(st.sampled_from(choices))

    def some(self, choices: list[str], least: int, most: int) -> list[str]:
        return self.data.draw(st.lists(st.sampled_from(choices), min_size=least, max_size=most, unique=True))

    def change(self, on: date, edition: int | None = None) -> Callable[[], None] | None:
        """One change of bodies that are there on the day; returns what writes it into the model."""
        place, there = self.place, self.place.open(on)
        kind = self.data.draw(st.sampled_from(["merge", "absorb", "split", "split into one that is there", "close"]))
        if kind == "merge" and len(there) > 1:
            return place.merge(self.some(there, 2, 3), place.new_code(), on, edition)
        if kind == "absorb" and len(there) > 1:
            *codes, into = self.some(there, 2, 3)
            return place.merge(codes, into, on, edition)
        if kind.startswith("split") and len(there) > 1:
            body, other = self.some(there, 2, 2)
            return place.split(body, [place.new_code(), other if "there" in kind else place.new_code()], on, edition)
        if kind == "close" and len(there) > 2:
            return place.close(self.one(there), on, edition)
        return None

    def reorganise(self) -> None:
        """Some changes on one day, today or soon."""
        on = self.place.today + self.data.draw(st.integers(0, 2)) * DAY
        for _ in range(self.data.draw(st.integers(1, 3))):
            if written := self.change(on):
                written()
        self.nothing_changed(since=on)

    def look_different(self) -> None:
        """Names, forms, and where a body stands are no matter of access."""
        place, there = self.place, self.place.open(self.place.today)
        if not there:
            return
        code = self.one(there)
        place.act(actions.rename, code=code, name=f"New {code}", on=place.today)
        place.act(actions.change_form, code=code, form="care_trust", on=place.today)
        parents = [p for p in PARENTS if code in self.children(p)]
        if len(parents) == 1:
            other = next(p for p in PARENTS if p not in parents)
            place.act(actions.move, code=code, from_code=parents[0], to_code=other, on=place.today)
            assert code in self.children(other) and code not in self.children(parents[0])
        self.nothing_changed()

    def children(self, parent: str) -> set[str]:
        body = facts.show(parent, facts.as_at(self.place.today))
        assert body is not None
        return {said.other.code for said in body.of("part_of", incoming=True) if said.other}

    def propose(self) -> None:
        """Something is held beside the present; nobody sees it happen."""
        edition = self.place.act(actions.propose, title="A proposal")
        on = self.place.today + self.data.draw(st.integers(0, 2)) * DAY
        if written := self.change(on, edition):
            self.proposals.append((edition, on, written))
        self.nothing_changed()

    def adopt(self) -> None:
        """A proposal is adopted, perhaps after its day, unless what it is about has changed since."""
        if not self.proposals:
            return
        edition, on, written = self.proposals.pop(self.data.draw(st.integers(0, len(self.proposals) - 1)))
        try:
            self.place.act(actions.adopt_proposal, edition_id=edition)
        except Refused as refused:
            assert refused.code == "overtaken"
            self.place.act(actions.drop_proposal, edition_id=edition)
            self.nothing_changed()
            return
        written()
        self.nothing_changed(since=on)

    def give(self) -> None:
        user = self.data.draw(st.sampled_from(self.place.users))
        self.place.give(user, self.one(sorted(self.place.begins)))
        self.nothing_lost(user)

    def meet(self) -> None:
        person = self.one(self.place.people)
        self.place.meet(person, self.one(sorted(self.place.begins)))
        self.nothing_lost(person)

    def decide(self) -> None:
        waiting = [waits for waits in facts.waiting(self.place.today) if waits.choices]
        if waiting:
            waits = self.data.draw(st.sampled_from(waiting))
            user = self.place.members[waits.membership_id].user
            # Whoever came to a body when it had ended came to no part of it, until the decision names one.
            came_after = self.place.should_see(waits.body.to_date or date.max)
            self.place.decide(waits.membership_id, self.one([body.code for body in waits.choices]))
            self.nothing_lost(user, but=came_after)

    def wait_a_day(self) -> None:
        self.place.today += self.data.draw(st.integers(1, 3)) * DAY
        self.nothing_changed()

    # -- the checks -------------------------------------------------------------------------------

    def nothing_changed(self, since: date = date.max) -> None:
        """Nobody lost sight of anybody, and nobody gained it, but for those who came since a day.

        Whoever comes to a body on the day of its merger comes to what is one body by then.
        """
        seen = self.place.sees()
        assert self.seen <= seen
        assert seen - self.seen <= self.place.should_see(since)
        self.check(seen)

    def nothing_lost(self, of: object, but: Collection[tuple[int, str]] = ()) -> None:
        """Nobody lost sight of anybody (`but`: who may), and only a user or a person is seen, or sees, more."""
        seen = self.place.sees()
        assert all(pair in but for pair in self.seen - seen)
        assert all(of in pair for pair in seen ^ self.seen)
        self.check(seen)

    def check(self, seen: set[tuple[int, str]]) -> None:
        place = self.place
        assert seen == place.should_see()
        assert place.waits() == place.should_wait()
        for user in place.users:
            stands = {place.stands(m) for m in place.members.values() if m.user == user}
            standing = facts.standing(user, place.today)
            assert {post.organisation for post in standing.posts} == stands
            assert standing.waits == any(place.gone(code, place.today) for code in stands)
        self.seen = seen

    def check_bodies(self) -> None:
        for day in (self.place.today, self.place.today + 2 * DAY):
            for code in sorted(self.place.begins):
                self.check_body(code, day)

    def check_body(self, code: str, day: date) -> None:
        """A body is there from its first day up to its last, under parents that are there."""
        way = facts.as_at(day)
        body = facts.show(code, way)
        assert body is not None
        there = self.place.begins[code] <= day and not self.place.gone(code, day)
        assert body.brief.is_open(day) is there
        for said in body.said:
            if said.other and said.kind != "succeeded_by":
                assert said.other.code != code
                assert said.other.is_open(day), (code, said)
        for around in facts.outwards(code, way):
            assert around.body.is_open(day)
        if there:
            # Its regions are never lost, whatever it came from.
            assert {r.body.code for r in facts.outwards(code, way)} & set(PARENTS)


STEPS = ["reorganise", "reorganise", "look_different", "propose", "adopt", "give", "meet", "decide", "wait_a_day"]


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_reorganisation_gives_or_takes_access_or_leaves_a_stale_parent(data: st.DataObject) -> None:
    with transaction.atomic():
        drill = Drill(data)
        for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=3, max_size=9)):
            getattr(drill, step)()
        drill.check_bodies()
        codes = list(Organisation.objects.values_list("code", flat=True))
        assert len(set(codes)) == len(codes)
        transaction.set_rollback(True)
