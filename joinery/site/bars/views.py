"""The addresses that systems outside call. Nothing that identifies anybody stands in what is logged of them."""

from __future__ import annotations

import orjson
from django.http import HttpResponse

from joinery.apps.record import actions as record
from joinery.apps.record import facts
from joinery.calc.units import parse_nhs_number
from joinery.site.bars import writing
from joinery.site.bars.door import body_of, door, target_of
from joinery.site.bars.outcomes import NotDone, answered
from joinery.site.bars.reading import REQUEST, RESPONSE, Message, Resource, last_part, read
from joinery.site.bars.taking import actor_of, take_answer, take_request
from joinery.site.context import Request

_NO_REFERRAL = NotDone(404, "not-found", "There is no such referral of your organisation.")


@door("POST")
def process_message(request: Request, organisation: str) -> HttpResponse:
    """Take a message; answers with one that says what has become of the referral."""
    target = target_of(request)
    body = body_of(request)
    message = read(body)
    if message.sender not in ("", organisation):
        raise NotDone(403, "forbidden", "The sender of the message must be the organisation whose key this is.")
    if message.event == RESPONSE:
        now = take_answer(message, organisation, request.at)
    else:
        now = take_request(message, body, target, organisation, request.at)
    return answered(request, _answer(request, message, organisation, now.code, (now.body, now.body_name)))


def _answer(request: Request, message: Message, organisation: str, code: str, body: tuple[str, str]) -> Resource:
    """The message that says that one was taken, with the referral as its sender may read it."""
    about = message.request["subject"]
    if message.event == REQUEST:
        resource = _filed(request, organisation, key=f"ServiceRequest/{code}")[code]
    else:
        resource = message.request
    return writing.message(
        event=RESPONSE, reason="new", resources=[writing.entry(writing.shown(resource, about))],
        sender=writing.organization(*body), receiver=writing.organization(organisation, organisation), at=request.at,
        answers=message.header_id,
    )  # fmt: skip


@door("GET")
def service_request(request: Request, organisation: str, request_id: str) -> HttpResponse:
    """One referral that the organisation sent, as it stands."""
    code = writing.code_in(request_id)
    found = _filed(request, organisation, key=f"ServiceRequest/{code}")
    if code not in found:
        raise _NO_REFERRAL
    return answered(request, writing.shown(found[code]))


@door("GET")
def service_requests(request: Request, organisation: str) -> HttpResponse:
    """The referrals of a person, by NHS number, that the organisation sent; of one identifier, where that is asked."""
    asked = request.GET.get("patient:identifier", "")
    number = parse_nhs_number(asked.rpartition("|")[2])
    if number is None:
        raise NotDone(400, "value" if asked else "required", "patient:identifier must hold an NHS number.")
    wanted = last_part(request.GET.get("ServiceRequest.identifier", ""))
    subject = {"identifier": {"system": writing.NHS_NUMBER, "value": number}}
    found = {
        code: writing.shown(resource, subject)
        for code, resource in _filed(request, organisation, nhs_number=number).items()
        if not wanted or wanted in {last_part(each["value"]) for each in resource.get("identifier", ())}
    }
    return answered(request, writing.searchset(found, request.build_absolute_uri(request.path)))


def _filed(request: Request, organisation: str, **asked: str) -> dict[str, Resource]:
    viewing = record.open_filed(
        organisation_code=organisation, actor=actor_of(organisation), at=request.at, **asked
    )  # fmt: skip
    found = facts.filed_resources(viewing, organisation, "ServiceRequest") if viewing else {}
    return {code: orjson.loads(body) for code, body in found.items()}


@door("GET")
def metadata(request: Request, organisation: str) -> HttpResponse:
    """What is offered here."""
    base = request.build_absolute_uri(request.path).removesuffix("metadata")
    return answered(request, writing.capability(base, request.at))


@door("GET")
def message_definition(request: Request, organisation: str) -> HttpResponse:
    """What a message must hold; every service asks for the same."""
    found = {event: writing.definition(event, request.at) for event in (REQUEST, RESPONSE)}
    return answered(request, writing.searchset(found, request.build_absolute_uri(request.path)))


@door("GET")
def not_offered(request: Request, organisation: str, **_: str) -> HttpResponse:
    """Booking, of which the contract tells too."""
    raise NotDone(501, "not-supported", "Booking is not offered here: see metadata.")


@door("GET")
def absent(request: Request, organisation: str, rest: str) -> HttpResponse:
    """Any other address."""
    raise NotDone(404, "not-found", "There is no such address here: see metadata.")
