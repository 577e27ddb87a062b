"""A wall board: care-home beds on a screen that nobody sits at.

Its session is its own: it has no user, opens this page alone, shows no person, and ends after 12 hours. Whoever
starts it is logged out of that browser, so that nobody who walks past is somebody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from joinery.calc.access import may_do
from joinery.site.context import Request, standing_of
from joinery.site.errors import forbidden
from joinery.site.feeds.beds import listed
from joinery.site.jinja import LONDON

LASTS = timedelta(hours=12)
AGAIN_SECONDS = 60


def start(request: Request) -> HttpResponse:
    """Turn this browser into a wall board."""
    if not may_do(standing_of(request).posts, "figures").allowed:
        return forbidden(request)
    if request.method != "POST":
        return redirect("feeds:beds")
    auth.logout(request)
    request.session["board_until"] = int((request.at + LASTS).timestamp())
    return redirect("board")


@login_not_required
def show(request: HttpRequest) -> HttpResponse:
    """The board; it asks for itself again each minute."""
    at = cast(Request, request).at
    until = request.session.get("board_until", 0)
    if request.user.is_authenticated or at.timestamp() >= until:
        request.session.pop("board_until", None)
        return redirect("feeds:beds" if request.user.is_authenticated else settings.LOGIN_URL)
    ends_at = (at + timedelta(seconds=until - at.timestamp())).astimezone(LONDON)
    answer = render(request, "board.jinja", listed(at) | {"ends_at": ends_at})
    answer.headers["Refresh"] = str(AGAIN_SECONDS)
    return answer
