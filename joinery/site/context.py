"""What every page is given."""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest

from joinery.apps.place.facts import Standing, standing


def standing_of(request: HttpRequest) -> Standing:
    """What the signed-in user is in the place today; asked for once a request."""
    if not hasattr(request, "standing"):
        request.standing = standing(request.user.pk, request.at.date())  # type: ignore[attr-defined]
    return request.standing  # type: ignore[attr-defined, no-any-return]


def page(request: HttpRequest) -> dict[str, Any]:
    """Names for the header, the moment, and the reference to quote when something goes wrong."""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    where = standing_of(request) if signed_in else Standing((), "", "")
    return {
        "user_name": user.name if signed_in else None,
        "user_role": where.role_text,
        "user_organisation": where.organisation_name,
        "place_name": settings.PLACE_NAME,
        "service_name": "Joinery",
        "reference": getattr(request, "reference", ""),
        "now": getattr(request, "at", None),
        "demo": settings.DEMO,
    }


def demo_users() -> dict[str, Any]:
    """Who can sign in to a demonstration, and the password they share; nobody anywhere else."""
    path = settings.JOINERY_DATA / "demo.json"
    if not settings.DEMO or not path.exists():
        return {"demo_users": [], "demo_password": ""}
    said = orjson.loads(path.read_bytes())
    return {"demo_users": said["users"], "demo_password": said["password"]}
