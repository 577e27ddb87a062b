"""Sending messages: what was asked of services outside, and what became of what they asked of ours.

The worker does so each minute, and `joinery bars send` by hand; one at a time. A system that does not answer holds up
no other, and a message that fails goes after those that never did, with growing pauses.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from django.conf import settings

from joinery.apps.base.action import Actor, Refused, one_at_a_time
from joinery.apps.care import actions as care
from joinery.apps.care import facts
from joinery.apps.care.facts import Referral, Undelivered
from joinery.apps.record import actions as record
from joinery.apps.record import facts as people
from joinery.site.bars import writing
from joinery.site.bars.known import Known, known
from joinery.site.bars.outcomes import FHIR_JSON
from joinery.site.bars.posting import NoAnswer, post
from joinery.site.bars.reading import REQUEST, RESPONSE, Resource
from joinery.site.bars.writing import NHS_NUMBER, ODS_CODE
from joinery.site.pauses import pause_after

ACTOR = Actor.system("messages to outside")
# What tells that a system takes no message now, whichever it is: no answer, a key that serves no more, too much.
AWAY = (0, 401, 408, 429, 503)

_log = logging.getLogger("joinery.bars")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message: `taken`, `refused` for good, `failed` and to go again, or without a `key`."""

    to: str
    what: str
    status: int = 0


def send_due(at: datetime) -> None:
    """Send what waits and is not in a pause, unless another process is at it. Raises NotSetUp."""
    outside = known(settings.JOINERY_DATA)
    if outside.organisations:
        with suppress(Refused):  # it is busy
            for _ in send(outside, settings.JOINERY_DATA, at, pausing=True):
                pass


def send(outside: Known, data: Path, at: datetime, *, pausing: bool = False) -> Iterator[Sent]:
    """Send what waits, what failed least first, and keep what is answered. What fails goes again with another call:
    if `pausing`, after a while. Who took no message gets no other by this call.

    Raises Refused, if `pausing`, when another process sends.
    """
    away: set[str] = set()
    with one_at_a_time("bars", wait=not pausing):
        for waits in sorted(facts.undelivered(sorted(outside.organisations)), key=lambda each: each.failures):
            if pausing and waits.tried_at and at < waits.tried_at + pause_after(waits.failures):
                continue
            sent = Sent(waits.to, "failed") if waits.to in away else _send(waits, outside, data, at)
            if sent.what == "failed" and sent.status in AWAY:
                away.add(waits.to)
            yield sent


def _send(waits: Undelivered, outside: Known, data: Path, at: datetime) -> Sent:
    """Send one message, and keep what became of it."""
    elsewhere = outside.organisations[waits.to]
    try:
        now = facts.referral(waits.code, at)
        if now is None:
            raise LookupError("a referral that is not there")
        ours = (now.sender_body, now.sender_body_name) if waits.asks else (now.body, now.body_name)
        if ours[0] not in elsewhere.keys:
            return Sent(waits.to, "key")
        key = (data / elsewhere.keys[ours[0]]).read_text("utf-8").strip()
        headers = _headers(key, ours[0], _service(now, outside))
        body = orjson.dumps(_message(waits, now, ours, at))
    except Exception:  # whatever is wrong with this one, the others go
        _log.exception("a message to outside cannot be written")
        status, words = 0, "It could not be written here"
    else:
        status, words = _answer(f"{elsewhere.endpoint.rstrip('/')}/$process-message", headers, body)
    what = care.note_delivery(
        code=waits.code, number=waits.number, to=waits.to, status=status, words=words, actor=ACTOR, at=at
    )
    _log.info("a message to outside", extra={"kept": {"to": waits.to, "status": status}})
    return Sent(waits.to, what, status)


def _message(waits: Undelivered, now: Referral, ours: tuple[str, str], at: datetime) -> Resource:
    viewing = record.open_filed(organisation_code=waits.source, actor=ACTOR, at=at, key=f"ServiceRequest/{waits.code}")
    if viewing is None:
        raise LookupError("a referral that was not filed")
    about: tuple[str, Resource] | None = None
    subject: Resource | None = None
    who = people.banner(viewing, people.records(viewing))
    if waits.asks:
        about = writing.entry(writing.patient(who))
        subject = {"reference": about[0]}
    elif who.nhs_number:
        subject = {"identifier": {"system": NHS_NUMBER, "value": who.nhs_number}}
    filed = [people.filed_resources(viewing, waits.source, kind)[waits.code] for kind in ("ServiceRequest", "Task")]
    told = [writing.entry(writing.shown(orjson.loads(body), subject)) for body in filed]
    return writing.message(
        event=REQUEST if waits.asks else RESPONSE,
        reason="new" if waits.number == 1 else "update",
        resources=[*told, *([about] if about else [])],
        sender=writing.organization(*ours),
        receiver=writing.organization(waits.to, now.body_name if waits.asks else now.sender_body_name),
        at=at,
    )


def _service(now: Referral, outside: Known) -> str:
    """What systems outside call the service."""
    return next((theirs for theirs, ours in outside.services.items() if ours == now.service), now.service)


def _headers(key: str, ours: str, service: str) -> dict[str, str]:
    organisation = {"resourceType": "Organization", "identifier": [{"system": ODS_CODE, "value": ours}]}
    return {
        "Authorization": f"Bearer {key}",
        "Accept": f"{FHIR_JSON}; version=1.0.0",
        "Content-Type": FHIR_JSON,
        "X-Request-Id": str(uuid4()),
        "X-Correlation-Id": str(uuid4()),
        "NHSD-Target-Identifier": _encoded({"value": service}),
        "NHSD-End-User-Organisation": _encoded(organisation),
        "NHSD-Requesting-Software": _encoded({"resourceType": "Device", "deviceName": [{"name": "Joinery"}]}),
        "use-context": "",
    }


def _encoded(said: Mapping[str, Any]) -> str:
    return base64.b64encode(orjson.dumps(said)).decode()


def _answer(address: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """The status of the answer (0: none came), and what it says of a refusal."""
    try:
        status, said = post(address, headers, body)
    except NoAnswer as none:
        return 0, str(none)
    if 300 <= status < 400:
        return status, "It answers with another address, to which nothing is sent: mend the endpoint in bars.toml"
    return status, _diagnostics(said)


def _diagnostics(said: bytes) -> str:
    """What an OperationOutcome says; nothing of anything else, which may be a page of a proxy."""
    try:
        issues = orjson.loads(said)["issue"]
        return " ".join(str(issue.get("diagnostics", "")) for issue in issues)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
