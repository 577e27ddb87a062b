"""Referring a person to a service, and every step after that.

A step is refused when somebody else took one since the page was shown, so that nobody undoes what they have not
seen. On PostgreSQL the row of where a referral stands is held until the step is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.actions.involving import tell
from joinery.apps.care.models import OpenReferral, Referral, ReferralStep, Service
from joinery.apps.care.referrals import Referral as Standing
from joinery.apps.care.referrals import referral_at
from joinery.apps.care.rules import due_at, rules_on
from joinery.apps.care.services import REFER, Offered, ServiceNow, bodies_around, offered
from joinery.apps.care.states import REFERRAL, SENDER, SERVICE, STATES, STEPS
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record
from joinery.calc.access import posts_with

MOST_REASON, MOST_WORDS = 200, 4_000
MOST_AT_ONCE = 200
# The same words again within this time are the same form sent twice.
TWICE = timedelta(minutes=30)
ABSENT = "There is no such referral."


@action("care.refer", targets=("record_id", "service", "urgency", "organisation", "follows"))
def refer(
    *, record_id: int, service: str, urgency: str, reason: str, words: str, organisation: str, from_service: str = "",
    follows: str = "", area: str = "", outside_id: str = "", asked_at: datetime | None = None, actor: Actor,
    at: datetime,
) -> str:  # fmt: skip
    """Ask a service to take on the person whose founding record this is; returns the referral's code.

    A user refers in the name of an `organisation` where they care for people. What stands in for a referral that was
    declined (`follows`) closes that one, and its wait goes on from when help was first asked for. What a system
    outside sends twice under one id is one referral. `area` is the LSOA where the person lives, empty when it is not
    known: the service must serve it. Raises Refused.
    """
    body = place.by_codes([organisation], place.as_at(at.date())).get(organisation)
    if body is None:
        raise Refused("organisation", f"No organisation has the code {organisation}.")
    if outside_id and (known := _from_outside(body.id, outside_id)):
        return known
    _must_refer(organisation, actor, at)
    reason = said(reason, "Say what you ask for", MOST_REASON, "reason")
    if urgency not in rules_on(at.date()).urgencies:
        raise Refused("urgency", "Choose how soon help is needed")
    offer = offered(at.date())
    target = _must_take(service, area, offer)
    sender = _own_service(from_service, offer, actor) if from_service else None
    words = words.replace("\0", "").strip()[:MOST_WORDS]
    if again := _sent_twice(record_id, target.service_id, urgency, reason, words, actor, at):
        return again
    before = _declined(follows, record_id, offer, actor, at) if follows else None
    if before:
        _move(before, "closed", Said(words=f"{target.name} was asked instead"), before.service, actor, at)
        asked_at = before.asked_at
    made = Referral.objects.create(
        code=uuid4().hex, record_id=record_id, user_id=actor.user_id, organisation_id=body.id,
        from_service_id=sender.service_id if sender else None, outside_id=outside_id or None, urgency=urgency,
        reason=reason, words=words, area=area,
        follows_id=before.referral_id if before else None, asked_at=asked_at or at, at=at,
    )  # fmt: skip
    due = due_at(urgency, REFERRAL.initial, at)
    step = {"number": 1, "state": REFERRAL.initial, "service_id": target.service_id, "due_at": due}
    ReferralStep.objects.create(referral_id=made.pk, **step, by=actor.name, at=at)
    OpenReferral.objects.create(referral_id=made.pk, **step, since_at=at)
    tell([made.pk, *([before.referral_id] if before else [])], actor, at, offer)
    return made.code


def _sent_twice(
    record_id: int, service_id: int, urgency: str, reason: str, words: str, actor: Actor, at: datetime
) -> str | None:
    """The code of the very same request by the same user some minutes ago, which nobody has seen: a second press."""
    if actor.user_id is None:
        return None
    same = Referral.objects.filter(
        record_id=record_id, user_id=actor.user_id, urgency=urgency, reason=reason, words=words, at__gt=at - TWICE
    )
    untouched = OpenReferral.objects.filter(service_id=service_id, number=1, referral__in=same)
    return untouched.values_list("referral__code", flat=True).first()


@dataclass(frozen=True, slots=True)
class Said:
    """What is said with a step: a reason by its code, words, and who of the service takes the referral on."""

    reason: str = ""
    words: str = ""
    user_id: int | None = None


@action("care.take_step", targets=("code", "to", "reason", "service", "user_id"))
def take_step(
    *, code: str, number: int, to: str, reason: str = "", words: str = "", service: str = "",
    user_id: int | None = None, actor: Actor, at: datetime,
) -> None:  # fmt: skip
    """Take a step of a referral, seen when its last was `number`. To pass it on, name the other `service`.

    Raises Refused: `absent`, `changed` (somebody else was first: it says who, and what they did), `transition`,
    `not_yours`, or the name of what is missing.
    """
    offer = offered(at.date())
    tell([_step(code, number, to, Said(reason, words, user_id), service, offer, actor, at)], actor, at, offer)


@action("care.take_steps", targets=("to", "reason", "service", "user_id"))
def take_steps(
    *, seen: Mapping[str, int], to: str, reason: str = "", words: str = "", service: str = "",
    user_id: int | None = None, actor: Actor, at: datetime,
) -> dict[str, str]:  # fmt: skip
    """Take the same step of many referrals, each as it was seen (its number by its code): each is taken or refused by
    itself. Returns for each code why it was refused; empty when it was done. Raises Refused for too many."""
    if len(seen) > MOST_AT_ONCE:
        raise Refused("many", f"Choose {MOST_AT_ONCE} at most.")
    offer, answers, taken = offered(at.date()), dict.fromkeys(seen, ""), []
    _hold(seen)
    for code in seen:
        try:
            taken.append(_step(code, seen[code], to, Said(reason, words, user_id), service, offer, actor, at))
        except Refused as refused:
            answers[code] = refused.message
    tell(taken, actor, at, offer)
    return answers


@action("care.name_owner", targets=("code", "user_id"))
def name_owner(*, code: str, number: int, user_id: int | None, actor: Actor, at: datetime) -> None:
    """Say who of the service takes a referral on (None: anybody of it). Its clock runs on. Raises Refused."""
    offer = offered(at.date())
    now = _held(code, number, offer, actor, at)
    if now.waits_for != SERVICE:
        raise Refused("transition", "This does not wait for the service.")
    _must_act(now, SERVICE, actor)
    if now.user_id == user_id:
        raise Refused("user_id", "It is with them already.")
    _must_be_of(now.service_ids, user_id)
    write_step(now, now.state, Said(user_id=user_id), now.service, now.due_at, actor, at, since=now.since_at)
    tell([now.referral_id], actor, at, offer)


def _step(code: str, number: int, to: str, told: Said, service: str, offer: Offered, actor: Actor, at: datetime) -> int:
    """Take a step, of which is to be told; returns the referral's id."""
    now = _held(code, number, offer, actor, at)
    REFERRAL.move(now.state, to)
    step = STEPS[now.state, to]
    _must_act(now, step.by, actor)
    words = told.words.replace("\0", "").strip()[:MOST_WORDS]
    if step.asks == "reason" and told.reason not in rules_on(at.date()).reasons[to]:
        raise Refused("reason", "Choose why")
    if step.asks and not words and not (step.asks == "reason" and told.reason):
        raise Refused("words", "Say in a few words why, or what happens now")
    passed_on = to == REFERRAL.initial and step.by == SERVICE
    target = _other_service(service, now, offer) if passed_on else now.service
    if told.user_id is not None:
        _must_be_of(now.service_ids, told.user_id)
    kept = None if passed_on or step.by == SENDER else told.user_id or now.user_id
    reason = told.reason if step.asks == "reason" else ""
    _move(now, to, Said(reason, words, kept), target, actor, at)
    return now.referral_id


def _held(code: str, number: int, offer: Offered, actor: Actor, at: datetime) -> Standing:
    """A referral as it stands, held until the step is written. Refused unless it stands as it was seen."""
    _hold([code])
    now = referral_at(code, at, offer)
    if now is None:
        raise Refused("absent", ABSENT)
    if now.number != number:
        raise Refused("changed", _what_changed(now, actor))
    return now


def _hold(codes: Iterable[str]) -> None:
    """Hold where referrals stand until the end: all before anything is written, and in one order for everybody, so that
    no two wait for each other."""
    held = OpenReferral.objects.select_for_update(of=("self",)).filter(referral__code__in=list(codes))
    list(held.order_by("pk").values_list("pk"))


def _what_changed(now: Standing, actor: Actor) -> str:
    by = ReferralStep.objects.values_list("by", flat=True).get(referral_id=now.referral_id, number=now.number)
    who = "You changed this since" if by == actor.name else f"{place.actor_names([by])[by]} was first"
    return f"{who}: it is now “{STATES[now.state].words}”. Look at it again before you go on."


def _must_act(now: Standing, side: str, actor: Actor) -> None:
    """Refused unless the actor may act for a side. A part of the software answers for itself."""
    if actor.user_id is not None and side not in now.sides_of(actor.user_id):
        whose = "whoever asked" if side == SENDER else now.service_name
        raise Refused("not_yours", f"This step is for {whose}.")


def _must_be_of(users: frozenset[int], user_id: int | None) -> None:
    if user_id is not None and user_id not in users:
        raise Refused("user_id", "Choose somebody of the service.")


def _move(now: Standing, to: str, told: Said, service: str, actor: Actor, at: datetime) -> None:
    write_step(now, to, told, service, due_at(now.urgency, to, at), actor, at, since=at)


def write_step(
    now: Standing, to: str, told: Said, service: str, due: datetime | None, actor: Actor, at: datetime, since: datetime
) -> None:
    """Write a step, and where the referral stands with it. What that says of care is to be told (`tell`)."""
    service_id = Service.objects.values_list("id", flat=True).get(code=service)
    step = {"number": now.number + 1, "state": to, "service_id": service_id, "user_id": told.user_id, "due_at": due}
    ReferralStep.objects.create(
        referral_id=now.referral_id, **step, reason=told.reason, words=told.words, by=actor.name, at=at
    )
    where = OpenReferral.objects.filter(pk=now.referral_id)
    if due is None:
        where.delete()
    else:
        where.update(**step, since_at=since)


def said(words: str, otherwise: str, most: int = MOST_WORDS, field: str = "words") -> str:
    """What somebody wrote, without what no database keeps. Raises Refused when it is nothing."""
    words = words.replace("\0", "").strip()
    if not words:
        raise Refused(field, otherwise)
    if len(words) > most:
        raise Refused(field, f"Say it in {most} characters at most.")
    return words


def _must_take(code: str, area: str, offer: Offered) -> ServiceNow:
    """A service that takes referrals of who lives in an LSOA. Raises Refused."""
    service = offer.services.get(code)
    if service is None:
        raise Refused("service", "Choose a service")
    if not service.open:
        raise Refused("service", f"{service.name} takes no referrals now. Choose another service.")
    if not service.serves(bodies_around(area, offer.on) if service.areas else None):
        raise Refused("service", f"{service.name} does not serve where the person lives. Choose one that does.")
    return service


def _other_service(code: str, now: Standing, offer: Offered) -> str:
    area = Referral.objects.values_list("area", flat=True).get(pk=now.referral_id)
    target = _must_take(code, area, offer)
    if target.code == now.service:
        raise Refused("service", "It is with this service already. Choose another one.")
    return target.code


def _must_refer(organisation: str, actor: Actor, at: datetime) -> None:
    """Refused unless the actor cares for people at an organisation. A part of the software answers for itself."""
    if actor.user_id is None:
        return
    posts = place.standing(actor.user_id, at.date()).posts
    if organisation not in {post.organisation for post in posts_with(posts, REFER)}:
        raise Refused("role", "Your role there does not refer people to services.")


def _own_service(code: str, offer: Offered, actor: Actor) -> ServiceNow:
    service = offer.services.get(code)
    if service is None or (actor.user_id is not None and not service.has(actor.user_id)):
        raise Refused("from_service", "Choose a service of yours.")
    return service


def _declined(code: str, record_id: int, offer: Offered, actor: Actor, at: datetime) -> Standing:
    """The referral that a new one stands in for."""
    before = referral_at(code, at, offer)
    if before is None or before.state != "declined":
        raise Refused("follows", "Only a referral that was declined can be sent to another service instead.")
    now = _held(code, before.number, offer, actor, at)
    _must_act(now, SENDER, actor)
    if record.people_of([record_id]).get(record_id) != now.person_id:
        raise Refused("follows", "That referral is about somebody else.")
    return now


def _from_outside(organisation_id: int, outside_id: str) -> str | None:
    known = Referral.objects.filter(organisation_id=organisation_id, outside_id=outside_id)
    return known.values_list("code", flat=True).first()
