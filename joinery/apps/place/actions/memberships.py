"""Who works where: memberships, and decisions on those whose body has ended."""

from __future__ import annotations

from datetime import date, datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.place.facts import Waiting, organisation, waiting
from joinery.apps.place.models import Home, Membership, Passing
from joinery.apps.place.sql import AsAt
from joinery.calc.access import ROLES


@action("place.set_home", targets=("code",))
def set_home(*, code: str, actor: Actor, at: datetime) -> None:
    """Say which body this deployment serves."""
    body = organisation(code, AsAt(at.date()))
    if body is None:
        raise Refused("organisation", f"No body has the code {code}.")
    Home.objects.create(organisation_id=body.id, at=at)


@action("place.add_membership", targets=("user_id", "organisation_code", "role"))
def add_membership(
    *, user_id: int, organisation_code: str, role: str, from_date: date, actor: Actor, at: datetime
) -> int:
    """Give a user a role in an organisation from a day on; returns the membership's id."""
    if role not in ROLES:
        raise Refused("role", f"There is no role {role}. Roles: {', '.join(sorted(ROLES))}.")
    body = organisation(organisation_code, AsAt(from_date))
    if body is None:
        raise Refused("organisation", f"No organisation has the code {organisation_code}.")
    return Membership.objects.create(user_id=user_id, organisation_id=body.id, role=role, from_date=from_date).pk


@action("place.pass_membership", targets=("membership_id", "organisation_code"))
def pass_membership(*, membership_id: int, organisation_code: str, actor: Actor, at: datetime) -> None:
    """Decide where a membership goes on whose body ended: at one of the bodies that took over from it."""
    waits = _waiting(membership_id, at.date())
    choice = next((body for body in waits.choices if body.code == organisation_code), None)
    if choice is None:
        raise Refused("choice", f"Choose a body that took over from {waits.body.name}.")
    Passing.objects.create(
        membership_id=membership_id, ended_id=waits.body.id, organisation_id=choice.id,
        from_date=waits.body.to_date or at.date(), decided_by=actor.name, at=at,
    )  # fmt: skip


@action("place.end_membership", targets=("membership_id",))
def end_membership(*, membership_id: int, on: date, actor: Actor, at: datetime) -> None:
    """End a membership on a day."""
    if not Membership.objects.filter(pk=membership_id, to_date=None).update(to_date=on):
        raise Refused("no_membership", "That membership has ended already, or never was.")


def _waiting(membership_id: int, on: date) -> Waiting:
    found = next((w for w in waiting(on) if w.membership_id == membership_id), None)
    if found is None:
        raise Refused("decided", "That membership does not wait for a decision (any more).")
    return found
