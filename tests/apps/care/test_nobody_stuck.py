"""Random histories of referrals while staff come and go, bodies and services end and clocks change: each open one has
somebody who is there today, a next step and a time by which it is due; and it lies in their work, and in no other's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import end_user
from joinery.apps.base.columns import as_moment, select
from joinery.apps.care import actions, facts
from joinery.apps.care.rules import after, rules_on
from joinery.apps.care.states import SERVICE, STATES, STEPS
from joinery.apps.place import facts as place_facts
from joinery.apps.place.actions import add_membership, end_membership, pass_membership, set_home
from joinery.apps.record import facts as record
from joinery.apps.record.actions import list_people
from joinery.calc.access import posts_with
from tests.apps.place.reorganising import ACTOR, DAY, Place, made_place, moment
from tests.support import examples

EXAMPLES = examples(12, drill=500)
ROLES = ["community_nurse", "community_nurse", "social_worker", "care_co_ordinator", "integration_lead", "analyst"]
# From the winter into summer time within a few long steps.
START = date(2026, 3, 20)

pytestmark = pytest.mark.django_db


class Drill:
    """Random steps through the actions, each followed by every check."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.place: Place = made_place()
        self.place.today, self.late = START, timedelta()
        self.services = 0
        set_home(code="A", actor=ACTOR, at=self.at)
        for _ in range(3):
            self.place.add_user()
        for user in self.place.users:
            self.join(user)
        self.place.meet("p1", "A")
        self.place.meet("p2", "B")
        for _ in range(2):
            self.offer()
        for _ in range(3):
            self.refer()
        self.check()

    @property
    def at(self) -> datetime:
        return moment(self.place.today) + self.late

    def one(self, choices: Collection[Any]) -> Any:
        """One of some, which have an order of their own or are put in order: a history must be the same again."""
        return self.data.draw(st.sampled_from(choices if isinstance(choices, Sequence) else sorted(choices)))

    def act(self, action: Callable[..., Any], by: int | None = None, **more: Any) -> Any:
        return action(actor=Actor.user(by) if by else ACTOR, at=self.at, **more)

    def tries(self, action: Callable[..., Any], by: int | None = None, **more: Any) -> bool:
        """Whether an action was done; one that is refused changes nothing."""
        before = self.steps_kept()
        try:
            self.act(action, by, **more)
        except Refused:
            assert self.steps_kept() == before
            return False
        return True

    def steps_kept(self) -> int:
        return int(select("SELECT COUNT(*) FROM care_referralstep")[0][0])

    def referrals(self) -> list[facts.Referral]:
        codes = [row[0] for row in select("SELECT code FROM care_referral ORDER BY id")]
        found = [facts.referral(code, self.at) for code in codes]
        assert None not in found
        return [each for each in found if each]

    def open(self) -> list[facts.Referral]:
        return [each for each in self.referrals() if each.waits_for]

    # -- what happens -----------------------------------------------------------------------------

    def join(self, user: int | None = None) -> None:
        """Somebody takes up a post, and perhaps a part in a service."""
        user = user or self.one(self.place.users)
        there = self.place.open(self.place.today)
        if there:
            body, role = self.one(there), self.data.draw(st.sampled_from(ROLES))
            self.act(
                add_membership, user_id=user, organisation_code=body, role=role,
                from_date=self.place.today,
            )  # fmt: skip

    def work(self) -> None:
        """Somebody with a post begins to work in a service, or to manage it."""
        holders = place_facts.holders(self.place.today)
        services = facts.services(self.place.today)
        if holders and services:
            holder = self.one(holders)
            self.tries(
                actions.add_member, service=self.one([each.code for each in services]), user_id=holder.user_id,
                organisation=holder.organisation, manages=self.data.draw(st.booleans()),
            )  # fmt: skip

    def leave(self) -> None:
        """A post, a part in a service or a whole account ends."""
        kind = self.one(["post", "part", "account"])
        if kind == "post":
            posts = select(
                "SELECT id FROM place_membership WHERE to_date IS NULL OR to_date > %s ORDER BY id",
                [str(self.place.today)],
            )
            if posts:
                self.act(end_membership, membership_id=self.one(posts)[0], on=self.place.today)
        elif kind == "part":
            parts = [m.member_id for each in facts.services(self.place.today) for m in each.members]
            if parts:
                self.tries(actions.end_member, member_id=self.one(parts))
        elif len(self.place.users) > 1:
            user = self.one(self.place.users)
            self.place.users.remove(user)
            self.act(end_user, user_id=user)

    def offer(self) -> None:
        there = self.place.open(self.place.today)
        if there:
            self.services += 1
            code = f"service-{self.services}"
            self.act(
                actions.offer_service, code=code, organisation=self.one(there), kind="reablement", name=code.title()
            )
            for _ in range(2):
                self.work()

    def close(self) -> None:
        services = [each.code for each in facts.services(self.place.today)]
        if services:
            successor = self.one(["", *services])
            self.tries(actions.close_service, code=self.one(services), successor=successor)

    def refer(self) -> None:
        """Somebody who may refers a person to some service."""
        services = [each.code for each in facts.services(self.place.today)]
        holders = place_facts.holders(self.place.today)
        if not services or not holders:
            return
        holder, person = self.one(holders), self.one(["p1", "p2"])
        own = [each.code for each in facts.services(self.place.today) if each.has(holder.user_id)]
        self.tries(
            actions.refer, by=holder.user_id, record_id=record.founding_records([person])[person],
            service=self.one(services), urgency=self.one(rules_on(START).urgencies), reason="Help", words="",
            organisation=holder.organisation, from_service=self.one(own) if own else "",
        )  # fmt: skip

    def step(self) -> None:
        """One of those whom a referral waits for, or somebody else, takes some step; twice, as in a race."""
        waiting = self.open()
        if not waiting or not self.place.users:
            return
        each = self.one(waiting)
        user = self.one([owner.user_id for owner in each.owners] or self.place.users)
        to = self.one({to for state, to in STEPS if state == each.state})
        services = [service.code for service in facts.services(self.place.today)]
        told = {
            "code": each.code, "number": each.number, "to": to, "words": "So",
            "reason": next(iter(rules_on(START).reasons.get(to, {})), ""),
            "service": self.one(services) if to == "sent" and services else "",
        }  # fmt: skip
        done = self.tries(actions.take_step, by=user, **told)
        assert not self.tries(actions.take_step, by=user, **told) or not done, "of two who take it, one is refused"

    def name(self) -> None:
        """The service says who takes a referral on."""
        named = [each for each in self.open() if each.waits_for == SERVICE and each.service_ids]
        if named:
            each = self.one(named)
            by, user = self.one(each.service_ids), self.one(each.service_ids)
            self.tries(actions.name_owner, by=by, code=each.code, number=each.number, user_id=user)

    def hand_over(self) -> None:
        """Somebody becomes a person's co-ordinator."""
        holders = place_facts.holders(self.place.today)
        if holders:
            user, person = self.one({holder.user_id for holder in holders}), self.one(["p1", "p2"])
            self.tries(
                actions.add_part, by=user, record_id=record.founding_records([person])[person], part="co_ordinator",
                user_id=user,
            )  # fmt: skip

    def reorganise(self) -> None:
        there = self.place.open(self.place.today)
        kind = self.one(["merge", "absorb", "split", "close"])
        if kind == "merge" and len(there) > 1:
            self.place.merge(there[:2], self.place.new_code(), self.place.today)()
        elif kind == "absorb" and len(there) > 1:
            self.place.merge(there[:1], there[-1], self.place.today)()
        elif kind == "split" and len(there) > 1:
            self.place.split(there[0], [self.place.new_code(), there[-1]], self.place.today)()
        elif kind == "close" and len(there) > 2:
            self.place.close(there[0], self.place.today)()
        self.act(actions.due)  # as in the night before which it holds

    def decide(self) -> None:
        waiting = [waits for waits in place_facts.waiting(self.place.today) if waits.choices]
        if waiting:
            waits = waiting[0]
            self.act(
                pass_membership, membership_id=waits.membership_id,
                organisation_code=self.one([body.code for body in waits.choices]),
            )  # fmt: skip
            self.act(actions.due)

    def wait(self) -> None:
        """Minutes, days or weeks pass, over a change of clocks perhaps."""
        passed = self.data.draw(
            st.sampled_from([timedelta(minutes=20), timedelta(hours=5), 1 * DAY, 4 * DAY, 30 * DAY])
        )
        whole = self.late + passed
        self.place.today += whole // DAY * DAY
        self.late = whole % DAY
        if whole // DAY:
            self.act(actions.due)  # as each night

    # -- the checks -------------------------------------------------------------------------------

    def check(self) -> None:
        there = {holder.user_id: holder for holder in place_facts.holders(self.place.today)}
        kept = {row[0]: row[1:] for row in select(_LAST)}
        found = self.referrals()
        assert set(kept) == {each.code for each in found}
        for each in found:
            number, state, due = kept[each.code]
            assert (each.number, each.state) == (number, state)
            if STATES[state].waits_for:
                assert each.due_at is not None and each.due_at == as_moment(due)
                self.check_open(each, there)
            else:
                assert not each.owners and each.due_at is None
        self.check_work(found, there)
        self.check_opens(found)

    def check_open(self, each: facts.Referral, there: dict[int, Any]) -> None:
        owners = {owner.user_id for owner in each.owners}
        assert owners <= set(there), "nobody who has left"
        assert bool(owners) == bool(there), "never in no one's hands"
        assert len(owners) == len(each.owners)
        assert each.next_step
        for user in owners:
            assert each.steps_for(user), "whoever holds it can do something"
        overdue = each.due_at is not None and each.due_at <= self.at
        assert each.overdue == overdue
        if overdue and there:
            self.check_climbed(each, owners, set(there))

    def check_climbed(self, each: facts.Referral, owners: set[int], there: set[int]) -> None:
        """Overdue, it has reached the managers, or the co-ordinator where there are none; and in the end both."""
        service = each.service if each.waits_for == SERVICE else each.from_service
        known = facts.service(service, self.place.today) if service else None
        managers = {m.user_id for m in known.members if m.manages and m.counts} if known else set()
        assert managers <= owners
        assert each.due_at is not None
        limit = rules_on(each.due_at.date()).urgencies[each.urgency].co_ordinator_after
        long = after(each.due_at, limit) <= self.at
        assert each.climbed == ("co_ordinator" if long else "manager")
        own = self.co_ordinator(each.person_id)
        if (long or not managers) and own in there:
            assert own in owners

    def co_ordinator(self, person: str) -> int | None:
        """Who agreed last to be a person's co-ordinator, and is no more only when somebody else is."""
        rows = select(
            "SELECT p.user_id FROM care_teampart p JOIN care_teampartstep s ON s.part_id = p.id AND s.step = 'agreed' "
            "WHERE p.part = 'co_ordinator' AND p.record_id = %s ORDER BY s.id DESC",
            [record.founding_records([person])[person]],
        )
        return rows[0][0] if rows else None

    def check_work(self, found: list[facts.Referral], there: dict[int, Any]) -> None:
        """What waits for somebody lies in their work, each once, and in nobody else's."""
        for user in self.place.users:
            work = facts.my_work(user, self.at)
            listed = [each.code for part in (work.mine, work.team, work.climbed) for each in part]
            assert sorted(listed) == sorted(each.code for each in found if each.waits_for_user(user))
            assert user in there or not listed
            sent = {each.code for each in found if each.sender_id == user and each.waits_for}
            assert sent <= {*listed, *(each.code for each in work.asked)}, "whoever asked sees what becomes of it"

    def check_opens(self, found: list[facts.Referral]) -> None:
        """Whoever holds a referral can open the person's record: at once, or, where it has climbed to them, as soon as
        they look at it. Nobody is involved with somebody for whom nothing is open."""
        held: dict[int, list[facts.Referral]] = defaultdict(list)
        for each in found:
            for owner in each.owners:
                held[owner.user_id].append(each)
        for user, those in held.items():
            posts = place_facts.standing(user, self.place.today).posts
            if posts_with(posts, "refer") != posts:
                continue  # it may be held in a role that opens no record
            near = [each for each in those if _why(each, user) not in FURTHER]
            assert self.opens(user, near) == {each.person_id for each in near}
            for each in those:
                if not self.opens(user, [each]):
                    self.act(actions.reach, by=user, code=each.code)
                    assert self.opens(user, [each]), "it has reached them"
        kept = {row[0] for row in select("SELECT record_id FROM care_involvedbody")}
        assert kept <= {each.record_id for each in found if each.waits_for}

    def opens(self, user: int, those: list[facts.Referral]) -> set[str]:
        posts, people = place_facts.standing(user, self.place.today).posts, {each.person_id for each in those}
        return set(self.act(list_people, by=user, person_ids=people, posts=posts).person_ids)


FURTHER = ("co_ordinator", "place")


def _why(each: facts.Referral, user: int) -> str:
    return next(owner.why for owner in each.owners if owner.user_id == user)


_LAST = (
    "SELECT r.code, s.number, s.state, s.due_at FROM care_referral r JOIN care_referralstep s ON s.referral_id = r.id "
    "WHERE s.number = (SELECT MAX(n.number) FROM care_referralstep n WHERE n.referral_id = r.id)"
)
HAPPENS = [
    "join", "work", "leave", "leave", "leave", "offer", "close", "refer", "step", "step", "step", "name", "hand_over",
    "reorganise", "decide", "wait", "wait",
]  # fmt: skip


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_referral_is_ever_in_no_ones_hands(data: st.DataObject) -> None:
    with transaction.atomic():
        drill = Drill(data)
        for happens in data.draw(st.lists(st.sampled_from(HAPPENS), min_size=5, max_size=14)):
            getattr(drill, happens)()
            drill.check()
        transaction.set_rollback(True)
