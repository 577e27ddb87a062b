"""The frame of every request: its moment, its reference, and one log line."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotAllowed
from django.utils import timezone

logger = logging.getLogger("joinery.request")

# Letters and digits that are not mistaken for one another when read out over the telephone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A short reference to tell the help desk, such as `J7K2-9QXM`."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def frame(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request `at` and `reference`; log how it went, by the route's name and never its path."""

    def respond(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request.at = timezone.now()  # type: ignore[attr-defined]
        request.reference = new_reference()  # type: ignore[attr-defined]
        if settings.DEMO and not _is_loopback(request.META.get("REMOTE_ADDR", "")):
            return HttpResponseForbidden("A demonstration answers to its own machine only.")
        if request.method in ("TRACE", "TRACK"):  # they would give back what a proxy has put into a request
            return HttpResponseNotAllowed(["GET", "HEAD", "OPTIONS", "POST"])
        response = get_response(request)
        match = request.resolver_match
        kept = {
            "reference": request.reference,  # type: ignore[attr-defined]
            "method": request.method,
            "route": match.view_name if match else "",
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
        }
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            kept["user"] = user.pk
        logger.info("request", extra={"kept": kept})
        response["X-Request-Reference"] = kept["reference"]
        if request.method != "POST":
            # Nobody who comes to a shared computer next may go back to a record. What was posted is left
            # out: otherwise going back from a record to the list of people found would ask to send it again.
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return respond


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
