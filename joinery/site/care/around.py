"""Who is around a person: the co-ordinator, professionals, carers and attorneys; and taking over without a gap."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.care import actions, facts
from joinery.apps.record import facts as record
from joinery.calc.access import OWN_RECORD, may_do
from joinery.calc.access_table import OWN
from joinery.site.context import Request, standing_of
from joinery.site.feeds.glance import within
from joinery.site.jinja import url
from joinery.site.person import opened
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting

FIELDS = ("part", "user", "name", "words")
_WRONG = {"user": "user", "name": "name", "part": "part", "already": "part"}


def page(request: Request, person_id: str) -> HttpResponse:
    """The people around a person, with dates, and a form to add one; the person sees it too."""
    viewing = opened(request, person_id, "team")
    if isinstance(viewing, HttpResponse):
        return viewing
    may_add = viewing.purpose != OWN_RECORD and may_do(standing_of(request).posts, "refer").allowed
    form = Form.of(request.POST, FIELDS)
    if request.method == "POST" and may_add and _added(form, viewing, request):
        return redirect(url("care:around", person_id=person_id))
    known = record.records(viewing)
    context = {
        "banner": record.banner(viewing, known),
        "team": facts.care_team(viewing, known),
        "services": facts.teams_around(viewing, known),
        "own": viewing.purpose == OWN_RECORD,
        "herself": viewing.decision.reason == OWN,
        "may_add": may_add,
        "parts": facts.PARTS,
        "users": _users(request.at.date()) if may_add else {},
        "form": form,
    }
    return render(request, "care/around.jinja", context)


def end(request: Request, person_id: str, part_id: int) -> HttpResponse:
    """End a part, or take an offer back, having said why."""
    viewing = opened(request, person_id, "team")
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    part = facts.team_part(within(part_id), request.at)
    if part is None or part.record_id not in {each.record_id for each in known.known}:
        raise Http404
    form = Form.of(request.POST, ("words",))
    if request.method == "POST":
        try:
            actions.end_part(part_id=part.part_id, words=form["words"], **acting(request))
            return redirect(url("care:around", person_id=person_id))
        except Refused as refused:
            form.refused(refused, {})
    context = {"banner": record.banner(viewing, known), "part": part, "form": form}
    return render(request, "care/end_part.jinja", context)


def offered(request: Request, part_id: int) -> HttpResponse:
    """A part that is offered to the signed-in user: take it on, or not. It names the person to who may open them."""
    part = facts.team_part(within(part_id), request.at)
    if part is None:
        raise Http404
    if part.user_id != request.user.pk:
        return render(request, "care/refused.jinja", {"sentence": "Somebody else is asked."}, status=403)
    form = Form.of(request.POST, ("answer", "words"))
    if request.method == "POST":
        form.chosen("answer", ("yes", "no"), "Say whether you take it on")
        if not form.errors:
            try:
                agree = form["answer"] == "yes"
                actions.answer_part(part_id=part.part_id, agree=agree, words=form["words"], **acting(request))
                return redirect(url("care:work"))
            except Refused as refused:
                form.refused(refused, {})
    people = record.people_of([part.record_id])
    context: dict[str, Any] = {"part": part, "person_id": people.get(part.record_id), "form": form}
    return render(request, "care/offered.jinja", context)


def _added(form: Form, viewing: Viewing, request: Request) -> bool:
    """Add the part that the form says; notes in the form why not."""
    form.chosen("part", facts.PARTS, "Choose what they are to the person")
    user = form["user"]
    if user and user not in _users(request.at.date()):
        form.wrong("user", "Choose somebody from the list")
    if form.errors:
        return False
    try:
        actions.add_part(
            record_id=record.founding_records([viewing.person_id])[viewing.person_id], part=form["part"],
            user_id=int(user) if user else None, name=form["name"], words=form["words"], **acting(request),
        )  # fmt: skip
    except Refused as refused:
        form.refused(refused, _WRONG)
        return False
    return True


def _users(on: date) -> dict[str, str]:
    """Who works in a service of the place: id, and name with the service."""
    found: dict[str, str] = {}
    for service in facts.services(on):
        for member in service.members:
            if member.counts:
                found.setdefault(str(member.user_id), f"{member.name}, {service.name}")
    return dict(sorted(found.items(), key=lambda each: each[1]))
