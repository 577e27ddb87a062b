"""Taking a message: a request becomes a referral, or a step of the one that it is about; an answer, a step of ours."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from functools import partial

from joinery.apps.base.action import Actor, Refused
from joinery.apps.care import actions as care
from joinery.apps.care import facts
from joinery.apps.care.facts import SENDER, SERVICE, STEPS, Referral
from joinery.apps.place import facts as place
from joinery.apps.record import actions as record
from joinery.site.bars.outcomes import NotDone
from joinery.site.bars.reading import Message, Resource
from joinery.site.bars.writing import code_in

MOST_NAMES = 6
# What an answer says has become of our referral. Source: FHIR R4, task-status and request-status.
BY_TASK = {
    "received": "acknowledged", "accepted": "accepted", "on-hold": "returned", "rejected": "declined",
    "failed": "declined", "in-progress": "started", "ready": "accepted", "completed": "ended",
}  # fmt: skip
BY_REQUEST = {"active": "accepted", "on-hold": "returned", "revoked": "declined", "completed": "ended"}
# A system outside has no code of ours for why; what it says stands beside it in words.
REASON = {"declined": "not_ours", "ended": "done"}


def actor_of(organisation: str) -> Actor:
    """Who acts when the system of an organisation does, as pages say it."""
    return Actor.system(f"the system of {organisation}")


def take_request(message: Message, body: bytes, service: str, organisation: str, at: datetime) -> Referral:
    """Take a request, once; returns the referral as it stands then. Raises NotDone and Refused."""
    actor = actor_of(organisation)
    now, area = _known(message, organisation, at, SENDER), ""
    if now is None and message.cancels:
        raise NotDone(404, "not-found", "There is no such referral of your organisation.")
    if now is None:
        offered = facts.service(service, at.date())
        if offered is None or offered.closed:
            raise NotDone(404, "not-found", "No service has the code in NHSD-Target-Identifier.")
        if not offered.open:
            raise NotDone(422, "processing", "The service takes no referrals now. Choose another one.")
        # Not passed on by itself: whoever sent it knows the person, and can choose.
        area = _area(message, at)
        if service not in {each.code for each in facts.services_for(area, at.date())}:
            raise NotDone(422, "processing", "The service does not serve where the person lives. Choose one that does.")
    record_id = record.take_bundle(body=body, organisation_code=organisation, actor=actor, at=at)
    if now is None:
        if record_id is None:
            raise NotDone(422, "processing", "The Patient could not be taken. Send them as their record reads now.")
        code = care.refer(
            record_id=record_id, service=service, urgency=message.urgency, reason=message.reason,
            words=message.words[: care.MOST_WORDS], organisation=organisation, outside_id=message.outside_id,
            area=area, asked_at=message.asked_at(at), actor=actor, at=at,
        )  # fmt: skip
    else:
        code = now.code
        _go_on(now, message, actor, at)
    return _standing(code, at)


def _area(message: Message, at: datetime) -> str:
    """The LSOA where the person lives, as the message says; empty where that is not known."""
    return (place.lsoa_of(message.postcode, place.as_at(at.date())) or "") if message.postcode else ""


def take_answer(message: Message, organisation: str, at: datetime) -> Referral:
    """Take what the service of a body outside says of a referral of ours. Raises NotDone and Refused."""
    now = _known(message, organisation, at, SERVICE)
    if now is None:
        raise NotDone(404, "not-found", "There is no such referral to your organisation.")
    said = message.task or message.request
    to = (BY_TASK if message.task else BY_REQUEST).get(said["status"], "")
    if not to:
        raise NotDone(422, "value", "Its status does not say what has become of the referral.")
    words = _why(said) or f"As the system of {now.body_name} says"
    number = now.number
    for state in _way(now.state, to):
        care.take_step(
            code=now.code, number=number, to=state, reason=REASON.get(state, ""), words=words[: care.MOST_WORDS],
            actor=actor_of(organisation), at=at,
        )  # fmt: skip
        number += 1
    return _standing(now.code, at)


def _go_on(now: Referral, message: Message, actor: Actor, at: datetime) -> None:
    """What a further message about a referral does: takes it back, sends it again, or tells the service."""
    step = partial(care.take_step, code=now.code, number=now.number, actor=actor, at=at)
    words = message.words[: care.MOST_WORDS]
    if message.cancels:
        mistake = message.request["status"] == "entered-in-error"
        if now.state == "declined":
            step(to="closed", words=words or "Withdrawn by its sender")
        elif now.state == "started":
            raise NotDone(409, "conflict", "The service has begun. Ask it to end what it does.")
        elif now.waits_for:
            step(to="withdrawn", reason="mistake" if mistake else "not_needed", words=words)
    elif message.is_update and now.state == "returned":
        step(to="sent", words=words or "Sent again")
    elif message.is_update and now.waits_for:
        words = words or "Its sender has sent more: see the person's timeline."
        care.write_note(code=now.code, words=words, side=SENDER, actor=actor, at=at)


def _known(message: Message, organisation: str, at: datetime, side: str) -> Referral | None:
    """The referral that a message is about, under any name that it gives, of which the organisation is this side."""
    for name in message.names[:MOST_NAMES]:
        for code in (facts.code_of_outside(organisation, name), code_in(name.rpartition("|")[2])):
            found = facts.referral(code, at) if code else None
            if found and organisation == (found.sender_body if side == SENDER else found.body):
                return found
    return None


def _standing(code: str, at: datetime) -> Referral:
    now = facts.referral(code, at)
    if now is None:
        raise Refused("absent", "There is no such referral.")
    return now


def _way(now: str, to: str) -> list[str]:
    """The shortest way from a state to another by steps of the service; none when it is there already.

    Raises Refused when there is none.
    """
    ways: deque[tuple[str, list[str]]] = deque([(now, [])])
    seen = {now}
    while ways:
        state, way = ways.popleft()
        if state == to:
            return way
        for (start, end), step in STEPS.items():
            if start == state and step.by == SERVICE and end not in seen:
                seen.add(end)
                ways.append((end, [*way, end]))
    raise Refused("changed", f"The referral is “{facts.STATES[now].words}” here: it cannot go on as you say.")


def _why(said: Resource) -> str:
    reason = said.get("statusReason", {}).get("text", "")
    return str(reason) or "\n".join(note["text"] for note in said.get("note", ()))
