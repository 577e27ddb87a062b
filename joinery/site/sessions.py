"""Where a user is logged in, what happened to their account lately, and ending the sessions of other browsers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from allauth.account.decorators import reauthentication_required
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.actions import note_account_event
from joinery.apps.base.facts import account_events
from joinery.site.context import Request
from joinery.site.idle import moment, over
from joinery.site.place.looking import acting


@dataclass(frozen=True, slots=True)
class Used:
    """A session in which its user is logged in; `name` stands for its key, which nobody is shown."""

    key: str
    name: str
    began_at: datetime
    seen_at: datetime
    here: bool


def sessions_of(request: Request) -> list[Used]:
    """The sessions that the user of a request can use now, the last used first.

    Django keeps of whom a session is inside it, so that all of a day's are looked through.
    """
    found = []
    for kept in Session.objects.filter(expire_date__gt=request.at):
        said = kept.get_decoded()
        mine = said.get("_auth_user_hash") == request.user.get_session_auth_hash()
        if mine and said["_auth_user_id"] == str(request.user.pk) and "began_at" in said and not over(said, request.at):
            name = hashlib.sha256(kept.session_key.encode()).hexdigest()[:16]
            times = moment(said["began_at"]), moment(said["seen_at"])
            found.append(Used(kept.session_key, name, *times, kept.session_key == request.session.session_key))
    return sorted(found, key=lambda each: each.seen_at, reverse=True)


@reauthentication_required(allow_get=True)
def page(request: Request) -> HttpResponse:
    """Show the sessions and what happened; end one that is sent, or all others."""
    used = sessions_of(request)
    if request.method != "POST":
        context = {"sessions": used, "happened": account_events(request.user.pk)}
        return render(request, "account/sessions.html", context)
    chosen = request.POST.get("session", "")
    ended = [each.key for each in used if not each.here and chosen in ("others", each.name)]
    if ended:
        for key in ended:
            SessionStore(key).flush()
        note_account_event(user_id=request.user.pk, what="sessions_ended", **acting(request))
    return redirect("account_sessions")
