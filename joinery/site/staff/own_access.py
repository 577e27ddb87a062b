"""Who sees a record as the person or as who acts for them: they are invited here, and their access is ended."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.action import Refused
from joinery.apps.base.actions import add_user
from joinery.apps.base.facts import user_with_email
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record
from joinery.apps.record.actions import end_own_access, give_own_access
from joinery.apps.record.facts import OwnAccessHeld
from joinery.calc.access import DIRECT_CARE, may_do
from joinery.calc.access_table import CURRENT
from joinery.site.context import Request, standing_of
from joinery.site.jinja import LONDON, url
from joinery.site.person import opened
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting
from joinery.site.staff.invitations import invitation_page
from joinery.site.staff.leaving import end_leavers
from joinery.site.staff.pages import email_of

KINDS = {"own": "The person themself", "carer": "Somebody who acts for them: an attorney, a deputy or an agreed carer"}
# Which field a refusal of an action is about.
_FIELDS = {"email": "email", "email_taken": "email", "email_long": "email", "kind": "kind", "own": "kind"}


def page(request: Request, person_id: str) -> HttpResponse:
    """Who has such access to one person's record, and the form that gives it to another."""
    if not may_do(standing_of(request).posts, "invite_people").allowed:
        return render(request, "staff/own_access_refused.jinja", {}, status=403)
    viewing = opened(request, person_id, "own_access", purpose=DIRECT_CARE)
    if isinstance(viewing, HttpResponse):
        return viewing
    if viewing.decision.relationship != CURRENT:  # an emergency, or care that has ended, lets nobody else in
        return render(request, "staff/own_access_refused.jinja", {}, status=403)
    held = record.own_access(viewing, request.at.astimezone(LONDON).date())
    form = Form.of(request.POST, ("verb", "user", "kind", "name", "email", "checked"))
    if request.method == "POST":
        act = {"end": _ended, "again": _invited_again}.get(form["verb"], _given)
        if answer := act(form, {str(each.user_id): each for each in held}, request, viewing.person_id):
            return answer
    context = {"banner": record.banner(viewing, record.records(viewing)), "held": held, "form": form, "kinds": KINDS}
    return render(request, "staff/own_access.jinja", context)


def _given(form: Form, held: Mapping[str, OwnAccessHeld], request: Request, person_id: str) -> HttpResponse | None:
    kind = form.chosen("kind", KINDS, "Choose who is invited")
    name = form.needed("name", "Enter the name of who is invited")
    email = email_of(form)
    if form["checked"] != "yes":
        form.wrong("checked", "Say that you have made sure who they are, and that they may see this record")
    if email and user_with_email(email):
        form.wrong("email", "Somebody logs in with this address already. Enter another, or leave it empty")
    if form.errors:
        return None
    try:
        with transaction.atomic():
            user_id = add_user(email=email, name=name, password=None, **acting(request))
            from_date = request.at.astimezone(LONDON).date()
            give_own_access(person_id=person_id, user_id=user_id, kind=kind, from_date=from_date, **acting(request))
            return invitation_page(request, user_id, url("staff:own_access", person_id=person_id))
    except Refused as refused:
        form.refused(refused, _FIELDS)
        return None


def _ended(form: Form, held: Mapping[str, OwnAccessHeld], request: Request, person_id: str) -> HttpResponse | None:
    if each := held.get(form["user"]):
        with transaction.atomic():
            on = request.at.astimezone(LONDON).date()
            end_own_access(person_id=person_id, user_id=each.user_id, on=on, **acting(request))
            end_leavers(of=[each.user_id], **acting(request))
    return redirect(url("staff:own_access", person_id=person_id))


def _invited_again(
    form: Form, held: Mapping[str, OwnAccessHeld], request: Request, person_id: str
) -> HttpResponse | None:
    each = held.get(form["user"])
    if each is None:
        return redirect(url("staff:own_access", person_id=person_id))
    on = request.at.astimezone(LONDON).date()
    # Whoever is handed an invitation has the whole account, so none for one that opens more than this record.
    others = [one for one in record.own_people(each.user_id, on) if one.person_id != person_id]
    if others or place.standing(each.user_id, on).posts:
        form.wrong("", f"{each.name} sees more than this record. Ask an integration lead to invite them again")
        return None
    return invitation_page(request, each.user_id, url("staff:own_access", person_id=person_id))
