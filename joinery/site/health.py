"""/healthz: is this process able to serve? For machines; it says nothing about people."""

from __future__ import annotations

import contextlib

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from joinery import __version__
from joinery.apps.base import triggers
from joinery.apps.base.facts import notices_failing


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and holds the triggers that guard it; otherwise 503.

    It also says whether notices are `off`, `sent` or `failing`, without which the pages can do.
    """
    checks, notices = {"database": False, "triggers": False}, "off"
    with contextlib.suppress(DatabaseError):
        checks = {"database": True, "triggers": triggers.are_current(connection)}
        if settings.MAIL:
            notices = "failing" if notices_failing() else "sent"
    ok = all(checks.values())
    return JsonResponse({"ok": ok, "version": __version__, **checks, "notices": notices}, status=200 if ok else 503)
