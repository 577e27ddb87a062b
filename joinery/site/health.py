"""/healthz: is this process able to serve? For machines; it says nothing about people."""

from __future__ import annotations

import contextlib

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from joinery import __version__
from joinery.apps.base import triggers


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and holds the triggers that guard it; otherwise 503."""
    checks = {"database": False, "triggers": False}
    with contextlib.suppress(DatabaseError):
        checks = {"database": True, "triggers": triggers.are_current(connection)}
    ok = all(checks.values())
    return JsonResponse({"ok": ok, "version": __version__, **checks}, status=200 if ok else 503)
