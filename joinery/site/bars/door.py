"""The door for systems outside: by a key of their organisation, never a session; in limits of size and number."""

from __future__ import annotations

import base64
import binascii
import functools
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from joinery.apps.base.action import Refused
from joinery.site.bars.known import known, whose_key
from joinery.site.bars.outcomes import MIRRORED, NotDone, not_done
from joinery.site.context import Request

MOST_BYTES = 5 * 1_000_000
# A system of a hospital sends some messages a minute; who has no key has no business here.
RATES = {"message": "240/m/key", "stranger": "60/m/ip"}
TARGET, ORGANISATION, SOFTWARE = "NHSD-Target-Identifier", "NHSD-End-User-Organisation", "NHSD-Requesting-Software"
# What is wrong with a request before anybody looks at what it asks; some refusals may pass by themselves.
_STATUS = {"busy": 503, "changed": 409, "absent": 404, "organisation": 403}

View = Callable[..., HttpResponse]

_log = logging.getLogger("joinery.bars")


def door(method: str) -> Callable[[View], View]:
    """Let a view answer to systems with a key, by one method; it is given the code of their organisation."""

    def wrap(view: View) -> View:
        @csrf_exempt
        @login_not_required
        @functools.wraps(view)
        def run(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                organisation = _let_in(request, method)
                return view(request, organisation, *args, **kwargs)
            except NotDone as why:
                return not_done(request, why)
            except Refused as refused:
                status = _STATUS.get(refused.code, 422)
                return not_done(request, NotDone(status, _kind(status), refused.message))
            except OperationalError:  # the database is busy, or away
                return not_done(request, NotDone(503, "transient", "It cannot be taken now. Send it again."))
            except Exception:  # who sent it must be told in the contract's form, too
                _log.exception("a message made a fault")
                return not_done(request, NotDone(500, "exception", f"Quote {request.reference} to the help desk."))

        return run

    return wrap


def _kind(status: int) -> str:
    return {503: "transient", 409: "conflict", 404: "not-found", 403: "forbidden"}.get(status, "processing")


def _let_in(request: HttpRequest, method: str) -> str:
    """The organisation whose system asks. Raises NotDone: its key first, then what else is missing."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    organisation = whose_key(settings.KEYS, key.strip()) if scheme.lower() == "bearer" else ""
    limit = "message" if organisation else "stranger"
    if not ratelimit.consume(
        request, app="joinery.site.bars", action=limit, config=RATES, key=organisation, limit_get=True
    ):
        raise NotDone(429, "throttled", "Too many requests. Wait a minute.")
    if not organisation:
        raise NotDone(401, "login", "Send the key that this place gave you: Authorization: Bearer KEY.")
    if request.method != method:
        raise NotDone(405, "not-supported", f"This address answers to {method} alone.")
    accepted = request.headers.get("Accept", "*/*")
    if not any(kind in accepted for kind in ("json", "*/*", "application/*")):
        raise NotDone(406, "processing", "Accept application/fhir+json: nothing else is sent.")
    for name in MIRRORED:
        if not _is_uuid(request.headers.get(name, "")):
            raise NotDone(400, "required", f"{name} is missing, or no UUID.")
    claimed = _ods_code(_decoded(request, ORGANISATION))
    if claimed != organisation:
        raise NotDone(403, "forbidden", f"{ORGANISATION} must name the organisation whose key this is.")
    _decoded(request, SOFTWARE)
    return organisation


def target_of(request: HttpRequest) -> str:
    """The code of the service of ours that a request is for. Raises NotDone."""
    said = _decoded(request, TARGET).get("value")
    if not isinstance(said, str) or not said:
        raise NotDone(400, "value", f"{TARGET} has no value that names a service.")
    return known(settings.JOINERY_DATA).services.get(said, said)


def body_of(request: HttpRequest) -> bytes:
    """What was sent, in the limit. Raises NotDone."""
    if request.content_type not in ("application/fhir+json", "application/json"):
        raise NotDone(415, "not-supported", "Send application/fhir+json: nothing else is read here.")
    length = request.META.get("CONTENT_LENGTH") or ""
    too_long = NotDone(413, "too-long", f"A message may be {MOST_BYTES // 1_000_000} MB at most.")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise too_long
    try:
        body = request.read(MOST_BYTES + 1)
    except UnreadablePostError:
        raise NotDone(400, "incomplete", "The message broke off. Send it again.") from None
    if len(body) > MOST_BYTES:
        raise too_long
    return bytes(body)


def _decoded(request: HttpRequest, name: str) -> dict[str, Any]:
    """A header that holds an object as JSON in Base64. Raises NotDone."""
    try:
        said = orjson.loads(base64.b64decode(request.headers.get(name, ""), validate=True))
    except (binascii.Error, ValueError):
        said = None
    if not isinstance(said, dict):
        raise NotDone(400, "required", f"{name} is missing, or is no JSON object in Base64.")
    return said


def _ods_code(organisation: dict[str, Any]) -> str:
    """The code in an Organization: that of the identifier whose system is of organisation codes."""
    listed = organisation.get("identifier")
    for each in listed if isinstance(listed, list) else [listed]:
        if isinstance(each, dict) and "ods-organization-code" in str(each.get("system", "")).lower():
            return str(each.get("value", ""))
    return ""


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
