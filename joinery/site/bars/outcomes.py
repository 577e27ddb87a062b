"""What a system outside is told when something is not done: a FHIR OperationOutcome with the contract's code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

import orjson
from django.http import HttpRequest, HttpResponse

FHIR_JSON = "application/fhir+json"
CODES = "https://fhir.nhs.uk/Codesystem/http-error-codes"
# The contract's code of each status. Those of 413 and 415, of which it says nothing, are those of a bad request.
CODE: Mapping[int, str] = {
    400: "REC_BAD_REQUEST", 401: "REC_UNAUTHORIZED", 403: "REC_FORBIDDEN", 404: "REC_NOT_FOUND",
    405: "REC_METHOD_NOT_ALLOWED", 406: "REC_NOT_ACCEPTABLE", 409: "REC_CONFLICT", 413: "REC_BAD_REQUEST",
    415: "REC_BAD_REQUEST", 422: "REC_UNPROCESSABLE_ENTITY", 429: "REC_TOO_MANY_REQUESTS",
    500: "REC_SERVER_ERROR", 501: "REC_NOT_IMPLEMENTED", 503: "REC_SERVICE_UNAVAILABLE",
}  # fmt: skip
MOST_SAID = 20
# Given back as they came, so that both sides can tell of one request.
MIRRORED = ("X-Request-Id", "X-Correlation-Id")


class NotDone(Exception):
    """A message is not taken: the status to answer with, FHIR's kind of issue, and what to do."""

    def __init__(self, status: int, issue: str, *words: str) -> None:
        super().__init__(*words)
        self.status, self.issue, self.words = status, issue, words


def answered(request: HttpRequest, resource: Mapping[str, Any] | bytes, status: int = 200) -> HttpResponse:
    """A resource as the answer to a request."""
    body = resource if isinstance(resource, bytes) else orjson.dumps(resource)
    headers = {name: request.headers[name] for name in MIRRORED if name in request.headers}
    return HttpResponse(body, status=status, content_type=FHIR_JSON, headers=headers | {"Cache-Control": "no-store"})


def not_done(request: HttpRequest, why: NotDone) -> HttpResponse:
    """Why a request was not done, as an OperationOutcome."""
    response = answered(request, outcome(why.status, why.issue, why.words), why.status)
    if why.status in (429, 503):
        response["Retry-After"] = "60"
    if why.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def outcome(status: int, issue: str, words: Iterable[str]) -> dict[str, Any]:
    """An OperationOutcome. The words say where and what to do, and never hold what was sent."""
    details = {"coding": [{"system": CODES, "code": CODE[status]}]}
    return {
        "resourceType": "OperationOutcome",
        "id": str(uuid4()),
        "issue": [
            {"severity": "error", "code": issue, "details": details, "diagnostics": each}
            for each in list(words)[:MOST_SAID]
        ],
    }
