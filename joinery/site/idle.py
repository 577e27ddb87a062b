"""How long a session lasts: 15 minutes without a request, and 12 hours in all.

Then whoever used it must log in again. What they were about to send is kept in the session that is left behind,
for them alone, and offered again: nothing that somebody typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from joinery.apps.base.action import Actor
from joinery.site.context import Request
from joinery.site.jinja import url

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
# So seldom is it written down that a session is in use: each time costs a statement.
NOTED_EVERY = timedelta(minutes=1)
WHY = {
    "idle": "You were logged out because nothing happened here for 15 minutes.",
    "long": "You were logged out because you logged in 12 hours ago.",
}

View = Callable[..., HttpResponse]


class TimeOut:
    """The middleware that ends sessions. Last but for the checks of single pages: a forged form is not kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            _note(cast(Request, request))
        return response

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return None
        why = over(request.session, request.at)  # type: ignore[attr-defined]
        if not why:
            return None
        user_id, unsent = request.user.pk, _unsent(request, view)
        auth.logout(request)
        if not getattr(view, "login_required", True):
            return None
        request.session["ended"] = {"why": why, "user_id": user_id, "unsent": unsent}
        onward = url("account_unsent") if unsent else request.get_full_path()
        return HttpResponseRedirect(url(settings.LOGIN_URL, {"next": onward}))


def over(session: SessionBase | Mapping[str, Any], at: datetime) -> str:
    """Why a session has ended; empty while it lasts, or before it was first noted."""
    if "began_at" not in session:
        return ""
    if at - moment(session["seen_at"]) >= IDLE:
        return "idle"
    return "long" if at - moment(session["began_at"]) >= LONGEST else ""


def _note(request: Request) -> None:
    """Write down that the session is in use, and forget what another user of this browser left unsent."""
    session, now = request.session, int(request.at.timestamp())
    session.setdefault("began_at", now)
    if request.at - moment(session.get("seen_at", 0)) >= NOTED_EVERY:
        session["seen_at"] = now
    ended = session.get("ended")
    if ended and (ended["user_id"] != request.user.pk or not ended["unsent"] or _is_sent(request, ended["unsent"])):
        del session["ended"]


def _is_sent(request: Request, left: dict[str, Any]) -> bool:
    return request.method == "POST" and request.get_full_path() == left["path"]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _unsent(request: HttpRequest, view: View) -> dict[str, Any] | None:
    """What was typed into the form that came too late; no password or code, and no file."""
    match = request.resolver_match
    if request.method != "POST" or match is None or match.view_name.startswith(("account_", "mfa_", "oidc_")):
        return None
    fields = [
        [name, text]
        for name, texts in request.POST.lists()
        for text in texts
        if name != "csrfmiddlewaretoken" and "password" not in name
    ]
    return {"path": request.get_full_path(), "fields": fields, "files": bool(request.FILES)}


def why_ended(request: HttpRequest) -> dict[str, Any]:
    """Why the session before this one ended, in words for the page on which to log in."""
    ended = request.session.get("ended")
    return {"ended": WHY[ended["why"]] if ended else "", "unsent": bool(ended and ended["unsent"])}


def unsent(request: Request) -> HttpResponse:
    """What its user typed before the session ended: to send it now, or to throw it away."""
    ended = request.session.get("ended")
    if not ended or not ended["unsent"]:
        return redirect(settings.LOGIN_REDIRECT_URL)
    left = ended["unsent"]
    if request.method == "POST":
        del request.session["ended"]
        return redirect(left["path"])
    shown = [(_words(name), text) for name, text in left["fields"] if text.strip()]
    context = {"path": left["path"], "fields": left["fields"], "shown": shown, "had_files": left["files"]}
    return render(request, "account/unsent.html", context)


def forget_sessions(*, actor: Actor, at: datetime) -> int:
    """Delete the sessions that nobody can use any more, with what was left unsent in them; how many there were."""
    expired = Session.objects.filter(expire_date__lt=at).count()
    SessionStore.clear_expired()
    return expired


def _words(name: str) -> str:
    """'birth_day' -> 'Birth day', as good a label as the name of a field can be."""
    return name.replace("_", " ").capitalize()
