"""Reading a message: which referral it is about, and what its sender wants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from joinery.apps.record.actions import bundle_issues
from joinery.site.bars.outcomes import NotDone

Resource = dict[str, Any]
EVENTS = "https://fhir.nhs.uk/CodeSystem/message-events-bars"
REQUEST, RESPONSE = "servicerequest-request", "servicerequest-response"
MOST_ID, MOST_REASON = 200, 200
# FHIR's priorities as our codes of urgencies. Source: FHIR R4, request-priority; the meeting of the two is our own.
URGENCY: Mapping[str, str] = {"stat": "two_hours", "asap": "two_hours", "urgent": "today"}
CANCELLED = ("revoked", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Message:
    """A message about one referral. Answers call it by its `header_id`; `sender` is the code of who sent it, where it
    says so."""

    event: str
    header: Resource
    header_id: str
    sender: str
    request: Resource
    full_url: str
    patient: Resource
    task: Resource | None

    @property
    def is_update(self) -> bool:
        """Whether it says more of what was sent before."""
        coded = self.header.get("reason", {}).get("coding", ())
        return any(coding.get("code") == "update" for coding in coded)

    @property
    def names(self) -> list[str]:
        """Under what the referral may be known, its own identifiers first."""
        own = [_token(each) for each in self.request.get("identifier", ())]
        based = [last_part(each.get("reference", "")) for each in self.request.get("basedOn", ())]
        ids = [self.request.get("id", ""), last_part(self.full_url)]
        return [name[:MOST_ID] for name in dict.fromkeys([*own, *based, *ids]) if name]

    @property
    def outside_id(self) -> str:
        """What its sender calls the referral: an identifier of it, or else the id of the resource."""
        own = [_token(each) for each in self.request.get("identifier", ())]
        return str(next(filter(None, [*own, self.request.get("id"), last_part(self.full_url)]), ""))[:MOST_ID]

    @property
    def cancels(self) -> bool:
        """Whether it takes the referral back."""
        return self.request["status"] in CANCELLED

    @property
    def urgency(self) -> str:
        """How soon help is needed."""
        return URGENCY.get(self.request.get("priority", ""), "routine")

    @property
    def reason(self) -> str:
        """What is asked for, in words."""
        request = self.request
        concepts = [*request.get("reasonCode", ()), request.get("code"), *request.get("category", ())]
        return next(filter(None, map(_words, concepts)), "A referral from outside")[:MOST_REASON]

    @property
    def words(self) -> str:
        """What else its sender says of it."""
        notes = [note["text"] for note in self.request.get("note", ())]
        return "\n\n".join(filter(None, [*notes, self.request.get("patientInstruction", "")]))

    @property
    def postcode(self) -> str:
        """Where the person lives now, as the sender says; empty where it does not."""
        lives = (each for each in self.patient.get("address", ()) if each.get("use") in (None, "home"))
        return next((each["postalCode"] for each in lives if each.get("postalCode")), "")

    def asked_at(self, at: datetime) -> datetime:
        """When help was asked for, as the sender says; never in the future."""
        try:
            said = datetime.fromisoformat(self.request.get("authoredOn", ""))
        except ValueError:
            return at
        return min(said, at) if said.tzinfo else at


def read(body: bytes) -> Message:
    """A message from its bytes. Raises NotDone, which says where it is wrong and what to do."""
    issues = bundle_issues(body)
    if issues:
        raise NotDone(400, "invalid", *(f"{each.path}: {each.message}".removeprefix(": ") for each in issues))
    bundle = orjson.loads(body)
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise NotDone(400, "invalid", "Send a Bundle of the type message.")
    entries = [
        (entry.get("fullUrl", ""), entry["resource"]) for entry in bundle.get("entry", ()) if "resource" in entry
    ]
    header = entries[0][1]
    event = header.get("eventCoding", {}).get("code", "")
    if event not in (REQUEST, RESPONSE):
        raise NotDone(501, "not-supported", f"Messages of the events {REQUEST} and {RESPONSE} are taken here.")
    full_url, request = _focus(header, entries)
    patients = [resource for _, resource in entries if resource["resourceType"] == "Patient"]
    if len(patients) != 1 and event == REQUEST:
        raise NotDone(422, "required", "A referral is about one Patient. Send it with the message.")
    task = next((resource for _, resource in entries if resource["resourceType"] == "Task"), None)
    header_id = header.get("id") or last_part(entries[0][0])
    patient: Resource = next(iter(patients), {})
    return Message(event, header, header_id, _sender(header, entries), request, full_url, patient, task)


def _focus(header: Resource, entries: list[tuple[str, Resource]]) -> tuple[str, Resource]:
    """The ServiceRequest that a message is about: the one that its header points to, or the only one."""
    pointed = {each.get("reference", "") for each in header.get("focus", ())}
    requests = [(url, resource) for url, resource in entries if resource["resourceType"] == "ServiceRequest"]
    named = [each for each in requests if {each[0], f"ServiceRequest/{each[1].get('id', '')}"} & pointed]
    found = named or requests
    if len(found) != 1:
        raise NotDone(422, "required", "The focus of the message must be one ServiceRequest in it.")
    return found[0]


def _sender(header: Resource, entries: list[tuple[str, Resource]]) -> str:
    """The organisation code of the sender, as the message says it; empty when it says none."""
    reference = header.get("sender", {}).get("reference", "")
    for url, resource in entries:
        if resource["resourceType"] == "Organization" and reference in (url, f"Organization/{resource.get('id')}"):
            return next(_codes(resource), "")
    return ""


def _codes(organisation: Resource) -> Iterator[str]:
    for each in organisation.get("identifier", ()):
        if "ods-organization-code" in each.get("system", "").lower() and each.get("value"):
            yield each["value"]


def _token(identifier: Resource) -> str:
    system, value = identifier.get("system", ""), identifier.get("value", "")
    return f"{system}|{value}" if system and value else value


def _words(concept: Resource | None) -> str:
    if not concept:
        return ""
    shown = [coding.get("display") or coding.get("code", "") for coding in concept.get("coding", ())]
    return str(next(filter(None, [concept.get("text", ""), *shown]), ""))


def last_part(reference: str) -> str:
    """The id at the end of a reference, of an address, or of an identifier with its system.

    >>> last_part("ServiceRequest/71d2b38e"), last_part("urn:uuid:236bb75d"), last_part("https://a.example/b|1")
    ('71d2b38e', '236bb75d', '1')
    """
    return re.split(r"[/:|]", reference)[-1]
