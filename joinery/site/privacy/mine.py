"""A person's own pages: who has looked at her record, in plain words. The record itself is the page of all others."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base import facts as base
from joinery.apps.base.action import Refused
from joinery.apps.place import facts as place
from joinery.apps.record import actions
from joinery.apps.record import facts as record
from joinery.calc.access import DIRECT_CARE, OWN_RECORD, PURPOSES
from joinery.calc.access_table import OWN
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.person import opened
from joinery.site.place.looking import acting

# Why somebody looked, said to the person whose record it is.
YOUR_WORDS = {PURPOSES[DIRECT_CARE]: "For your care", PURPOSES[OWN_RECORD]: "To act for you"}


def index(request: Request) -> HttpResponse:
    """The records that are the user's own, or those of people they act for; straight to it when it is one."""
    people = record.own_people(request.user.pk, request.at.date())
    if len(people) == 1:
        return redirect(url("privacy:looked", person_id=people[0].person_id))
    context: dict[str, Any] = {"people": (), "sentence": "", "kinds": {each.person_id: each.kind for each in people}}
    try:
        context["people"] = record.found_people(actions.list_own_people(**acting(request)))
    except Refused as refused:
        context["sentence"] = refused.message
    return render(request, "privacy/mine.jinja", context)


def looked(request: Request, person_id: str) -> HttpResponse:
    """Who else has looked, newest first, with a way to report each look."""
    viewing = opened(request, person_id, "log", purpose=OWN_RECORD)
    if isinstance(viewing, HttpResponse):
        return viewing
    after = request.GET.get("after", "")
    if after and not (after.isdecimal() and len(after) < 19):
        raise BadRequest("cursor")
    stood = record.stood_elsewhere(viewing)
    looks = base.looks_page(viewing, after, limit=50, stood=stood, but_user_id=request.user.pk)
    names = place.organisation_names({look.organisation for look in looks.looks}, request.at.date())
    context = {
        "banner": record.banner(viewing, record.records(viewing)),
        "kind": viewing.decision.reason,
        "looks": [
            asdict(look)
            | {
                "organisation": names.get(look.organisation, ""),
                "why": YOUR_WORDS.get(look.why, look.why) if viewing.decision.reason == OWN else look.why,
            }
            for look in looks.looks
        ],
        "older": looks.older,
    }
    return render(request, "privacy/looked.jinja", context)
