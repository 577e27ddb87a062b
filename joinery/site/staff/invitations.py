"""Invitations: the sheet that is printed and handed over, and the page where its code is typed in."""

from __future__ import annotations

from datetime import datetime

from allauth.core.internal import ratelimit
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import NO_INVITATION, accept_invitation, invite
from joinery.apps.base.facts import Invited, invitation_with_code, open_invitation
from joinery.site import oidc
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting
from joinery.site.second_factor import forget_factors

# Nobody mistypes a code so often; a hospital may reach us from one address, on the day on which all are invited.
RATES = {"invitation": "60/m/ip"}
# In the session: the invitation whose code was typed in, and when. Whoever comes to the computer next has no use of it.
KEPT, TYPED_AT, TYPED_SECONDS = "invitation", "invitation_typed_at", 15 * 60


def invitation_page(request: Request, user_id: int, back: str) -> HttpResponse:
    """Invite a user, and show the sheet with the code: this once, since the code is kept nowhere."""
    code = invite(user_id=user_id, **acting(request))
    invited = invitation_with_code(code, request.at)
    assert invited is not None
    context = {
        "invited": invited,
        "code": " ".join(code[at : at + 4] for at in range(0, len(code), 4)),
        "address": request.build_absolute_uri(url("staff:accept")),
        "back": back,
    }
    answer = render(request, "staff/invitation.jinja", context)
    answer["Cache-Control"] = "no-store"
    return answer


@login_not_required
def accept(request: HttpRequest) -> HttpResponse:
    """Type in the code; then choose a password. The code is in the session from then on, and in no address."""
    if limited := ratelimit.consume_or_429(request, app="joinery.site.staff", action="invitation", config=RATES):
        return limited
    form = Form.of(request.POST, ("code",))
    invited = kept_invitation(request)
    if request.method == "POST" and "code" in request.POST:
        invited = invitation_with_code(form["code"], request.at)  # type: ignore[attr-defined]
        if invited:
            logout(request)  # whoever used this computer before
            request.session[KEPT] = invited.invitation_id
            request.session[TYPED_AT] = request.at.timestamp()  # type: ignore[attr-defined]
            return redirect(url("staff:accept"))
        form.wrong("code", NO_INVITATION if form["code"] else "Enter the code")
    elif request.method == "POST" and invited and _accepted(form, invited, request):
        del request.session[KEPT]
        return render(request, "staff/accepted.jinja", {"invited": invited})
    return render(request, "staff/accept.jinja", {"invited": invited, "form": form, "identity": oidc.offered()})


def kept_invitation(request: HttpRequest) -> Invited | None:
    """The invitation whose code was typed in a moment ago, while it serves."""
    at: datetime = request.at  # type: ignore[attr-defined]
    kept, typed_at = request.session.get(KEPT), request.session.get(TYPED_AT, 0)
    return open_invitation(kept, at) if kept and at.timestamp() - typed_at < TYPED_SECONDS else None


def _accepted(form: Form, invited: Invited, request: HttpRequest) -> bool:
    # A password may begin or end with spaces: it is not cleaned as other fields are.
    password, again = request.POST.get("password", ""), request.POST.get("again", "")
    if not password:
        form.wrong("password", "Choose a password")
    elif password != again:
        form.wrong("again", "The two passwords differ. Enter the same one twice")
    else:
        actor = Actor.user(invited.user_id)
        try:
            accept_invitation(
                invitation_id=invited.invitation_id, password=password, actor=actor,
                at=request.at,  # type: ignore[attr-defined]
            )  # fmt: skip
            # Whoever was invited again has lost what they logged in with.
            forget_factors(request, invited.user_id)
        except Refused as refused:
            form.refused(refused, {"password": "password", "invitation": "code"})
    return not form.errors
