"""Who works where: memberships, and decisions on those whose body has ended."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.place.facts import Waiting, organisation, waiting
from joinery.apps.place.models import AccessReview, Home, Membership, Passing
from joinery.apps.place.sql import AsAt
from joinery.calc.access import ROLES

ENDED = "That membership has ended already, or never was."


@action("place.set_home", targets=("code",))
def set_home(*, code: str, actor: Actor, at: datetime) -> None:
    """Say which body this deployment serves."""
    body = organisation(code, AsAt(at.date()))
    if body is None:
        raise Refused("organisation", f"No body has the code {code}.")
    now = Home.objects.order_by("-id").first()
    if now is None or now.organisation_id != body.id:
        Home.objects.create(organisation_id=body.id, at=at)


@action("place.add_membership", targets=("user_id", "organisation_code", "role"))
def add_membership(
    *, user_id: int, organisation_code: str, role: str, from_date: date, to_date: date | None = None,
    actor: Actor, at: datetime,
) -> int:  # fmt: skip
    """Give a user a role in an organisation from one day up to, not including, another (None: until it is ended);
    returns the membership's id."""
    if role not in ROLES:
        raise Refused("role", f"There is no role {role}. Roles: {', '.join(sorted(ROLES))}.")
    body = organisation(organisation_code, AsAt(from_date))
    if body is None:
        raise Refused("organisation", f"No organisation has the code {organisation_code}.")
    if to_date is not None and to_date <= from_date:
        raise Refused("until", "The last day must be after the day on which it begins.")
    return Membership.objects.create(
        user_id=user_id, organisation_id=body.id, role=role, from_date=from_date, to_date=to_date, given_by=actor.name
    ).pk


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


@action("place.extend_membership", targets=("membership_id",))
def extend_membership(*, membership_id: int, to_date: date, actor: Actor, at: datetime) -> None:
    """Let a membership go on up to, not including, a day: later or earlier than was said before. Whoever does so
    says that it is still needed."""
    if to_date <= at.date():
        raise Refused("until", "The last day must be in the future. To end it now, end it at once.")
    _set_end(membership_id, to_date, at.date())
    AccessReview.objects.create(membership_id=membership_id, verdict=AccessReview.Verdict.KEEP, by=actor.name, at=at)


@action("place.end_membership", targets=("membership_id",))
def end_membership(*, membership_id: int, on: date, actor: Actor, at: datetime) -> None:
    """End a membership on a day, which may be earlier than was said before."""
    _set_end(membership_id, on, on)


@action("place.review_membership", targets=("membership_id", "verdict"))
def review_membership(*, membership_id: int, verdict: str, actor: Actor, at: datetime) -> None:
    """Say of a membership, looked at again, that it is still needed (`keep`), or end it today (`end`)."""
    if verdict not in AccessReview.Verdict.values:
        raise Refused("verdict", "Choose whether to keep the role or to end it.")
    if verdict == AccessReview.Verdict.END:
        _set_end(membership_id, at.date(), at.date())
    elif not Membership.objects.filter(_goes_on(at.date()), pk=membership_id).exists():
        raise Refused("no_membership", ENDED)
    AccessReview.objects.create(membership_id=membership_id, verdict=verdict, by=actor.name, at=at)


def _set_end(membership_id: int, to_date: date, on: date) -> None:
    if not Membership.objects.filter(_goes_on(on), pk=membership_id).update(to_date=to_date):
        raise Refused("no_membership", ENDED)


def _goes_on(on: date) -> Q:
    """The memberships that have not ended by a day."""
    return Q(to_date=None) | Q(to_date__gt=on)


def _waiting(membership_id: int, on: date) -> Waiting:
    found = next((w for w in waiting(on) if w.membership_id == membership_id), None)
    if found is None:
        raise Refused("decided", "That membership does not wait for a decision (any more).")
    return found
