"""A small place with services and referrals, made by the doors that a deployment uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import add_user
from joinery.apps.care import actions, facts
from joinery.apps.place.actions import add_membership, set_home
from joinery.apps.record import facts as record
from joinery.apps.record.actions import NotOpened, open_record
from joinery.calc.access import Post
from tests.pages.world import ACTOR, COUNCIL, SURGERY, TRUST, World, person_id

# A Tuesday at noon.
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
NURSES, REABLEMENT = "harbour-nurses", "council-reablement"
_numbers = count(1)


@dataclass
class Caring:
    """A council with reablement and a trust with nurses: in each service a member and a manager. A GP refers."""

    world: World
    at: datetime = NOON
    users: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        set_home(code=COUNCIL, actor=ACTOR, at=self.world.at)
        for name, role, organisation in (
            ("gp", "gp", SURGERY), ("nurse", "community_nurse", TRUST), ("matron", "community_nurse", TRUST),
            ("worker", "social_worker", COUNCIL), ("lead", "integration_lead", COUNCIL),
            ("co_ordinator", "care_co_ordinator", COUNCIL),
        ):  # fmt: skip
            self.staff(name, role, organisation)
        self.offers(NURSES, TRUST, "district_nursing", {"nurse": False, "matron": True})
        self.offers(REABLEMENT, COUNCIL, "reablement", {"worker": False})

    def staff(self, name: str, role: str, organisation: str) -> int:
        email = f"{name}.{next(_numbers)}@test.example"
        user_id = add_user(email=email, name=name, password=None, actor=ACTOR, at=self.world.at)
        self.users[name] = user_id
        add_membership(
            user_id=user_id, organisation_code=organisation, role=role, from_date=self.world.at.date(), actor=ACTOR,
            at=self.world.at,
        )  # fmt: skip
        return user_id

    def offers(self, code: str, organisation: str, kind: str, members: dict[str, bool]) -> None:
        by = {"actor": ACTOR, "at": self.world.at}
        actions.offer_service(code=code, organisation=organisation, kind=kind, name=f"The {code}", **by)
        for name, manages in members.items():
            actions.add_member(
                service=code, user_id=self.users[name], organisation=organisation, manages=manages, **by
            )  # fmt: skip

    def actor(self, name: str) -> Actor:
        return Actor.user(self.users[name])

    def refers(self, to: str = NURSES, by: str = "gp", organisation: str = SURGERY, **more: Any) -> str:
        """Somebody refers Ada, in new words each time; returns the referral's code."""
        asked = {"urgency": "routine", "reason": "Dress her leg", "words": f"Asked {next(_numbers)}"} | more
        return actions.refer(
            record_id=self.ada(), service=to, organisation=organisation, **asked, actor=self.actor(by), at=self.at
        )

    def steps(self, code: str, to: str, by: str, **more: Any) -> None:
        """Somebody takes a step, having seen how it stands now."""
        actions.take_step(code=code, number=self.now(code).number, to=to, **more, actor=self.actor(by), at=self.at)

    def now(self, code: str, at: datetime | None = None) -> facts.Referral:
        found = facts.referral(code, at or self.at)
        assert found is not None
        return found

    def waits_for(self, code: str, at: datetime | None = None) -> list[str]:
        return [owner.name for owner in self.now(code, at).owners]

    def why(self, role: str, organisation: str, at: datetime | None = None) -> str:
        """Why Ada's record opens for a role somewhere, or does not."""
        post = Post(role, organisation)
        opens = {"person_id": person_id("Patient/p1"), "posts": (post,), "actor": ACTOR, "at": at or self.at}
        try:
            return open_record(**opens).decision.reason
        except NotOpened as refused:
            return refused.code

    def ada(self) -> int:
        person = person_id("Patient/p1")
        return record.founding_records([person])[person]
