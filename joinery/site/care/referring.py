"""To ask a service to take a person on: choose from those that serve them, say what is needed, check it, send it."""

from __future__ import annotations

from itertools import groupby

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.care import actions, facts
from joinery.apps.record import facts as record
from joinery.calc.access import DIRECT_CARE
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.person import may_refer, opened
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting

FIELDS = ("stage", "urgency", "reason", "words", "from_service")
MOST_REASON = 200
# Which field a refusal of the action is about.
_FIELDS = {each: each for each in FIELDS}


def choose(request: Request, person_id: str) -> HttpResponse:
    """The services that serve the person, by what they do, with how long people wait for each."""
    viewing = _opened(request, person_id)
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    found = facts.services_for(facts.home_area(viewing, known), request.at.date())
    context = {
        "banner": record.banner(viewing, known),
        "kinds": [(kind, tuple(those)) for kind, those in groupby(found, key=lambda each: each.kind_text)],
        "waits": facts.service_waits(request.at),
        "follows": _follows(request),
    }
    return render(request, "care/choose.jinja", context)


def refer(request: Request, person_id: str, service: str) -> HttpResponse:
    """Say what is needed and how soon, check it, and send it."""
    viewing = _opened(request, person_id)
    if isinstance(viewing, HttpResponse):
        return viewing
    known, today = record.records(viewing), request.at.date()
    area = facts.home_area(viewing, known)
    serving = {each.code: each for each in facts.services_for(area, today)}
    if service not in serving:
        raise Http404
    own = {each.code: each.name for each in facts.services(today) if each.has(request.user.pk)}
    form = Form.of(request.POST, FIELDS)
    rules = facts.rules(today)
    checked = form["stage"] in ("check", "send") and _is_right(form, rules, own)
    if checked and form["stage"] == "send" and (code := _sent(form, viewing, service, area, request)):
        return redirect(url("care:referral", referral_code=code))
    context = {
        "banner": record.banner(viewing, known),
        "found": serving[service],
        "form": form,
        "urgencies": rules.urgencies,
        "own_services": own,
        "follows": _follows(request),
    }
    return render(request, "care/check.jinja" if checked and not form.errors else "care/refer.jinja", context)


def _opened(request: Request, person_id: str) -> Viewing | HttpResponse:
    """The record of somebody whom the user may refer; or what to answer instead."""
    viewing = opened(request, person_id, "referral", purpose=DIRECT_CARE)
    if isinstance(viewing, Viewing) and not may_refer(viewing):
        return render(request, "care/refused.jinja", {"sentence": "Your role does not refer people."}, status=403)
    return viewing


def _is_right(form: Form, rules: facts.Rules, own: dict[str, str]) -> bool:
    """Whether the form can be sent; notes in it what is wrong."""
    form.chosen("urgency", rules.urgencies, "Choose how soon it is needed")
    if len(form.needed("reason", "Say what you ask for")) > MOST_REASON:
        form.wrong("reason", f"Say it in {MOST_REASON} characters. There is room for more below")
    if form["from_service"]:
        form.chosen("from_service", own, "Choose one of your own services, or none")
    return not form.errors


def _sent(form: Form, viewing: Viewing, service: str, area: str, request: Request) -> str:
    """Send it; returns its code, or nothing when it was refused, which is noted in the form."""
    post = viewing.decision.post
    try:
        return actions.refer(
            record_id=record.founding_records([viewing.person_id])[viewing.person_id],
            service=service,
            urgency=form["urgency"],
            reason=form["reason"],
            words=form["words"],
            organisation=post.organisation if post else "",
            from_service=form["from_service"],
            follows=_follows(request),
            area=area,
            **acting(request),
        )
    except Refused as refused:
        form.refused(refused, _FIELDS)
        return ""


def _follows(request: Request) -> str:
    """The code of the declined referral that this one stands for instead, from the address."""
    text = request.GET.get("follows", "")
    return text if text.isascii() and text.isalnum() and len(text) <= 32 else ""
