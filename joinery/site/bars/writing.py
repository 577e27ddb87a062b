"""Writing messages: what is answered to one that came, and what goes out by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from joinery import __version__
from joinery.site.bars.reading import EVENTS, REQUEST, RESPONSE, Resource

REASONS = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
FHIR_VERSION = "4.0.1"


def outside_id_of(code: str) -> str:
    """The id of a referral as systems outside read it: a UUID with its hyphens, where it is one."""
    return str(UUID(code)) if len(code) == 32 else code


def code_in(outside: str) -> str:
    """A referral's code in what may be its id outside.

    >>> code_in("71d2b38e-b81c-4894-a522-6a65265b1d58")
    '71d2b38eb81c4894a5226a65265b1d58'
    """
    return outside.replace("-", "").lower()


def shown(resource: Resource, subject: Resource | None = None) -> Resource:
    """A resource of a referral as systems outside read it; `subject` stands for the person, where they know them."""
    code, made = resource["id"], dict(resource)
    made["id"] = outside_id_of(code)
    if "focus" in made:
        made["focus"] = {"reference": f"ServiceRequest/{made['id']}"}
    about = "for" if "for" in made else "subject"
    return made | {about: subject or made[about]}


def message(
    *, event: str, reason: str, resources: Sequence[tuple[str, Resource]], sender: Resource, receiver: Resource,
    at: datetime, answers: str = "",
) -> Resource:  # fmt: skip
    """A Bundle of the type message: its first resource is the focus. `answers` is the id of the message that it is the
    answer to. Sender and receiver are Organizations."""
    from_url, to_url = (f"urn:uuid:{uuid4()}" for _ in range(2))
    source = {"name": sender["name"], "software": "Joinery", "version": __version__}
    header: Resource = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        "eventCoding": {"system": EVENTS, "code": event},
        "destination": [{"endpoint": _endpoint(receiver), "receiver": {"reference": to_url}}],
        "sender": {"reference": from_url},
        "source": source | {"endpoint": _endpoint(sender)},
        "reason": {"coding": [{"system": REASONS, "code": reason}]},
        "focus": [{"reference": resources[0][0]}],
    }
    if answers:
        header["response"] = {"identifier": answers, "code": "ok"}
    entries = [(f"urn:uuid:{header['id']}", header), *resources, (from_url, sender), (to_url, receiver)]
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "message",
        "timestamp": at.astimezone(UTC).isoformat(timespec="seconds"),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


def entry(resource: Resource) -> tuple[str, Resource]:
    """A resource, and a name for it within one message."""
    return f"urn:uuid:{uuid4()}", resource


def organization(code: str, name: str) -> Resource:
    """A body, by its code."""
    return {
        "resourceType": "Organization",
        "id": str(uuid4()),
        "identifier": [{"system": ODS_CODE, "value": code}],
        "name": name,
    }


def searchset(resources: Mapping[str, Resource], address: str) -> Resource:
    """What a search found. The address is the one that was asked, without what was asked for."""
    entries = [
        {"fullUrl": f"{address}/{each['id']}", "resource": each, "search": {"mode": "match"}}
        for each in resources.values()
    ]
    said = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    # FHIR knows no empty list.
    return said | {"link": [{"relation": "self", "url": address}]} | ({"entry": entries} if entries else {})


def capability(base: str, on: datetime) -> Resource:
    """What this place takes and answers, as a CapabilityStatement."""
    reads = [{"code": "read"}, {"code": "search-type"}]
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base}metadata",
        "name": "JoineryBookingAndReferral",
        "status": "active",
        "date": on.date().isoformat(),
        "kind": "instance",
        "description": "Referrals by message. Booking is not offered: Slot and Appointment answer 501.",
        "software": {"name": "Joinery", "version": __version__},
        "implementation": {"description": "Referrals of one place", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Authorization: Bearer KEY, a key of the organisation that asks."},
                "resource": [
                    {
                        "type": "ServiceRequest",
                        "interaction": reads,
                        "searchParam": [{"name": "patient:identifier", "type": "token", "documentation": "NHS number"}],
                    },
                    {"type": "MessageDefinition", "interaction": [{"code": "search-type"}]},
                ],
                "operation": [
                    {
                        "name": "process-message",
                        "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
                    }
                ],
            }
        ],
        "messaging": [
            {
                "supportedMessage": [
                    {"mode": mode, "definition": definition_url(event)}
                    for event in (REQUEST, RESPONSE)
                    for mode in ("receiver", "sender")
                ]
            }
        ],
    }


def definition_url(event: str) -> str:
    """The address of the definition of messages of an event."""
    return f"https://fhir.nhs.uk/MessageDefinition/bars-message-{event}"


def definition(event: str, on: datetime) -> Resource:
    """What a message of an event must hold, as a MessageDefinition."""
    focus = [
        {"code": kind, "min": least, "max": "1"}
        for kind, least in (("ServiceRequest", 1), ("Patient", int(event == REQUEST)), ("Task", 0))
    ]
    return {
        "resourceType": "MessageDefinition",
        "id": event,
        "url": definition_url(event),
        "name": "".join(word.title() for word in event.split("-")),
        "status": "active",
        "date": on.date().isoformat(),
        "eventCoding": {"system": EVENTS, "code": event},
        "category": "consequence",
        "focus": focus,
    }


def _endpoint(organisation: Resource) -> str:
    return f"{ODS_CODE}|{organisation['identifier'][0]['value']}"


def patient(who: Any) -> Resource:
    """A person as record's banner says who they are: what it withholds is not sent."""
    family, _, given = who.name.partition(", ")
    name = {"family": family.title(), "given": given.split()} if given else {"text": who.name}
    said = {
        "resourceType": "Patient",
        "id": str(uuid4()),
        "identifier": [{"system": NHS_NUMBER, "value": who.nhs_number}] if who.nhs_number else None,
        "name": [name] if who.name else None,
        "gender": who.gender_text.lower() if who.gender_text in ("Male", "Female", "Other") else "unknown",
        "birthDate": who.birth_date.isoformat() if who.birth_date else None,
        "address": [{"use": "home", "line": list(who.address_lines)}] if who.address_lines else None,
    }
    return {name: value for name, value in said.items() if value is not None}
