"""What the place offers: services that begin, change and close, and who works in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.actions.involving import involve, tell
from joinery.apps.care.actions.referring import Said, said, write_step
from joinery.apps.care.involved import records_at
from joinery.apps.care.models import OpenReferral, Service, ServiceMember, ServiceTerms
from joinery.apps.care.referrals import open_referrals
from joinery.apps.care.rules import rules_on
from joinery.apps.care.services import Offered, ServiceNow, offered
from joinery.apps.place import facts as place
from joinery.calc.access import may_do

_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MOST_CODE, MOST_NAME = 40, 200
ARRANGING = ("arrange", "manage_staff")


@action("care.offer_service", targets=("code", "organisation"))
def offer_service(
    *, code: str, organisation: str, kind: str, name: str, about: str = "", areas: Sequence[str] = (),
    from_date: date | None = None, actor: Actor, at: datetime,
) -> None:  # fmt: skip
    """Add a service that an organisation runs, for everybody or for those who live in some bodies' `areas`.

    Raises Refused, with the name of what is wrong.
    """
    _must_arrange(actor, at)
    if not _CODE.fullmatch(code) or len(code) > MOST_CODE:
        raise Refused("code", "A code is small letters and figures, with hyphens between them, such as harbour-nurses.")
    if Service.objects.filter(code=code).exists():
        raise Refused("code", f"There is a service {code} already.")
    service = Service.objects.create(code=code)
    _say(service.pk, organisation, kind, name, about, areas, True, actor, at)


@action("care.change_service", targets=("code", "organisation"))
def change_service(
    *, code: str, organisation: str, kind: str, name: str, about: str, areas: Sequence[str], open: bool,
    actor: Actor, at: datetime,
) -> None:  # fmt: skip
    """Say what a service is from today on; one that is not `open` takes no referrals. Raises Refused."""
    now = _there(code, offered(at.date()))
    _must_arrange(actor, at, now)
    if now.closed:
        raise Refused("closed", f"{now.name} is closed. Add a new service.")
    _say(now.service_id, organisation, kind, name, about, areas, open, actor, at)
    if organisation != now.body:
        at_it = OpenReferral.objects.filter(service_id=now.service_id)
        tell(list(at_it.values_list("referral_id", flat=True)), actor, at)


@action("care.close_service", targets=("code", "successor"))
def close_service(*, code: str, successor: str = "", actor: Actor, at: datetime) -> int:
    """Close a service today; its open referrals go on at its successor, as they stand. Returns how many did.

    Raises Refused without a successor that is not closed, while referrals are open.
    """
    offer = offered(at.date())
    now = _there(code, offer)
    _must_arrange(actor, at)
    if now.closed:
        raise Refused("closed", f"{now.name} is closed already.")
    target = offer.services.get(offer.now(successor)) if successor in offer.services else None
    if successor and (target is None or target.closed or target.code == code):
        raise Refused("successor", "Choose a service that goes on.")
    # Held until they are passed on; what is sent to it meanwhile is found through its successor.
    held = OpenReferral.objects.select_for_update().filter(service_id=now.service_id)
    list(held.order_by("pk").values_list("pk"))
    waiting = open_referrals(at, "w.service_id = %s", [now.service_id], offer)
    if waiting and target is None:
        count = f"{len(waiting)} referrals are" if len(waiting) > 1 else "A referral is"
        raise Refused("successor", f"{count} still open. Choose the service that goes on with them, or end them first.")
    ServiceTerms.objects.create(
        service_id=now.service_id, organisation_id=_body(now.body, at), kind=now.kind, name=now.name, about=now.about,
        areas=list(now.areas), open=False, closed=True, successor_id=target.service_id if target else None,
        from_date=at.date(), by=actor.name, at=at,
    )  # fmt: skip
    for each in sorted(waiting, key=lambda one: one.record_id):
        told = Said(words=f"{now.name} has closed")
        write_step(each, each.state, told, target.code if target else code, each.due_at, actor, at, since=each.since_at)
    tell([each.referral_id for each in waiting], actor, at)
    return len(waiting)


@action("care.add_member", targets=("service", "user_id", "organisation"))
def add_member(
    *, service: str, user_id: int, organisation: str, manages: bool = False, from_date: date | None = None,
    to_date: date | None = None, actor: Actor, at: datetime,
) -> int:  # fmt: skip
    """Let a user work in a service, or manage it, for their post at an organisation, which can see the people of the
    service then; returns the member's id.

    Its managers may do so, and who arranges the place's services or its staff. Raises Refused.
    """
    now = _there(service, offered(at.date()))
    _must_arrange(actor, at, now)
    if now.closed:
        raise Refused("service", f"{now.name} is closed.")
    posts = place.standing(user_id, at.date()).posts
    if organisation not in {post.organisation for post in posts}:
        raise Refused("user_id", "They have no role there today.")
    begins = from_date or at.date()
    if to_date is not None and to_date <= begins:
        raise Refused("to_date", "The last day must be after the day on which it begins.")
    if any(m.user_id == user_id and m.manages is manages and m.counts for m in now.members):
        raise Refused("user_id", "They are of the service already.")
    made = ServiceMember.objects.create(
        service_id=now.service_id, user_id=user_id, organisation_id=_body(organisation, at), manages=manages,
        from_date=begins, to_date=to_date, given_by=actor.name,
    )  # fmt: skip
    involve(records_at(now.service_id, at), actor, at)
    return made.pk


@action("care.end_member", targets=("member_id",))
def end_member(*, member_id: int, on: date | None = None, actor: Actor, at: datetime) -> None:
    """End somebody's work in a service on a day, today where none is named: what was theirs waits for the service
    from then on. Their organisation sees the people of the service no more when nobody else of it is there.

    Raises Refused.
    """
    known = ServiceMember.objects.filter(pk=member_id).values_list("service__code", "to_date").first()
    if known is None or (known[1] is not None and known[1] <= at.date()):
        raise Refused("absent", "They are no longer of the service.")
    now = _there(known[0], offered(at.date()))
    _must_arrange(actor, at, now)
    ends = on or at.date()
    if ends < at.date():
        raise Refused("on", "It can end today or later.")
    ServiceMember.objects.filter(pk=member_id).update(to_date=ends)
    involve(records_at(now.service_id, at), actor, at)


def _there(code: str, offer: Offered) -> ServiceNow:
    now = offer.services.get(code)
    if now is None:
        raise Refused("service", "There is no such service.")
    return now


def _must_arrange(actor: Actor, at: datetime, service: ServiceNow | None = None) -> None:
    """Refused unless the actor arranges the place, manages the staff where the service is run, or manages it."""
    if actor.user_id is None or (service and service.managed_by(actor.user_id)):
        return
    posts = place.standing(actor.user_id, at.date()).posts
    if may_do(posts, "arrange").allowed:
        return
    at_home = [post for post in posts if service and post.organisation == service.body]
    if not may_do(at_home, "manage_staff").allowed:
        raise Refused("role", "Your role does not change services.")


def _body(code: str, at: datetime) -> int:
    body = place.by_codes([code], place.as_at(at.date())).get(code)
    if body is None:
        raise Refused("organisation", "Choose an organisation of the directory.")
    return body.id


def _say(
    service_id: int, organisation: str, kind: str, name: str, about: str, areas: Sequence[str], is_open: bool,
    actor: Actor, at: datetime,
) -> None:  # fmt: skip
    if kind not in rules_on(at.date()).kinds:
        raise Refused("kind", "Choose a kind of service")
    known = place.by_codes(areas, place.as_at(at.date())) if areas else {}
    if unknown := sorted(set(areas) - set(known)):
        raise Refused("areas", f"No organisation has the code {unknown[0]}.")
    ServiceTerms.objects.create(
        service_id=service_id, organisation_id=_body(organisation, at), kind=kind,
        name=said(name, "Say what the service is called", MOST_NAME, "name"), about=about.replace("\0", "").strip(),
        areas=list(areas), open=is_open, from_date=at.date(), by=actor.name, at=at,
    )  # fmt: skip
