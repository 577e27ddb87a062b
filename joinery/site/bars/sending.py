"""Sending messages: what was asked of services outside, and what became of what they asked of ours."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from joinery.apps.base.action import Actor
from joinery.apps.care import actions as care
from joinery.apps.care import facts
from joinery.apps.care.facts import Referral, Undelivered
from joinery.apps.record import actions as record
from joinery.apps.record import facts as people
from joinery.site.bars import writing
from joinery.site.bars.known import Elsewhere, Known
from joinery.site.bars.outcomes import FHIR_JSON
from joinery.site.bars.reading import REQUEST, RESPONSE, Resource
from joinery.site.bars.writing import NHS_NUMBER, ODS_CODE

ACTOR = Actor.system("messages to outside")
TIMEOUT_SECONDS = 30
MOST_ANSWER_BYTES = 1_000_000

_log = logging.getLogger("joinery.bars")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message: `taken`, `refused` for good, `failed` and to go again, or without a `key`."""

    to: str
    what: str
    status: int = 0


def send(known: Known, data: Path, at: datetime) -> Iterator[Sent]:
    """Send what waits, oldest first, and keep what is answered. What fails goes again with the next call."""
    for waits in facts.undelivered(sorted(known.organisations)):
        now = facts.referral(waits.code, at)
        if now is None:
            continue
        elsewhere = known.organisations[waits.to]
        ours = (now.sender_body, now.sender_body_name) if waits.asks else (now.body, now.body_name)
        if ours[0] not in elsewhere.keys:
            yield Sent(waits.to, "key")
            continue
        key = (data / elsewhere.keys[ours[0]]).read_text("utf-8").strip()
        status, words = _post(elsewhere, _headers(key, ours[0], _service(now, known)), _message(waits, now, ours, at))
        what = care.note_delivery(
            code=waits.code, number=waits.number, to=waits.to, status=status, words=words, actor=ACTOR, at=at
        )
        _log.info("a message to outside", extra={"kept": {"to": waits.to, "status": status}})
        yield Sent(waits.to, what, status)


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


def _service(now: Referral, known: Known) -> str:
    """What systems outside call the service."""
    return next((theirs for theirs, ours in known.services.items() if ours == now.service), now.service)


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


def _post(elsewhere: Elsewhere, headers: Mapping[str, str], message: Resource) -> tuple[int, str]:
    """The status of the answer (0: none came), and what it says of a refusal."""
    import requests

    try:
        response = requests.post(
            f"{elsewhere.endpoint.rstrip('/')}/$process-message", orjson.dumps(message), headers=headers,
            timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True,
        )  # fmt: skip
        with response:
            said = response.raw.read(MOST_ANSWER_BYTES, decode_content=True)
    except (OSError, ValueError) as error:  # of the network, of what came back; it may quote no more than the address
        return 0, type(error).__name__
    return response.status_code, "" if response.ok else _diagnostics(said)


def _diagnostics(said: bytes) -> str:
    """What an OperationOutcome says; nothing of anything else, which may be a page of a proxy."""
    try:
        issues = orjson.loads(said)["issue"]
        return " ".join(str(issue.get("diagnostics", "")) for issue in issues)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
