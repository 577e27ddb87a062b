"""How we know that a person's records are one person, and who says what of names, dates and address."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.place import facts as place
from joinery.apps.record import actions
from joinery.apps.record import facts as record
from joinery.calc.access import RECORD_QUALITY, may_review
from joinery.site.context import Request, standing_of
from joinery.site.jinja import url
from joinery.site.linking.words import is_number, makers_of, note_of, number
from joinery.site.person import opened
from joinery.site.place.looking import acting


def why(request: Request, person_id: str) -> HttpResponse:
    """Every record of a person with what joins it, what is kept apart, and what came and went.

    A records officer parts records here, and takes decisions back.
    """
    viewing = opened(request, person_id, "joined", reviewing=True)
    if isinstance(viewing, HttpResponse):
        return viewing
    errors: list[dict[str, str]] = []
    officer = may_review(standing_of(request).posts).allowed
    if request.method == "POST":
        if not officer:
            sentence = actions.REVIEW_REFUSALS["role"]
            return render(request, "record/review_refused.jinja", {"sentence": sentence}, status=403)
        try:
            _act(request, viewing)
            return redirect(url("record:joined", person_id=viewing.person_id))
        except Refused as refused:
            errors = [{"field": "records", "message": refused.message}]
    return render(request, "record/joined.jinja", _context(request, viewing) | {"officer": officer, "errors": errors})


def details(request: Request, person_id: str) -> HttpResponse:
    """The golden record, field by field, with who says otherwise."""
    viewing = opened(request, person_id, "details", reviewing=True)
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    context = {
        "banner": record.banner(viewing, known),
        "fields": record.golden_record(viewing, known),
        "reviewing": viewing.purpose == RECORD_QUALITY,
    }
    return render(request, "record/details.jinja", context)


def _act(request: Request, viewing: Viewing) -> None:
    """Do what the form says. Raises Refused."""
    if request.POST.get("do") == "take back":
        record_id, other_id = number(request, "record"), number(request, "other")
        theirs = {each.record_id for each in record.records(viewing).known}
        if not theirs & {record_id, other_id}:
            raise Refused("absent", "That decision is not about a record of this person.")
        actions.withdraw_decision(record_id=record_id, other_id=other_id, note=note_of(request), **acting(request))
        return
    chosen = [int(each) for each in request.POST.getlist("records") if is_number(each)]
    if not chosen:
        raise Refused("records", "Choose the records that are about somebody else")
    actions.split_records(
        person_id=viewing.person_id, record_ids=sorted(chosen), note=note_of(request), **acting(request)
    )


def _context(request: Request, viewing: Viewing) -> dict[str, Any]:
    known = record.records(viewing)
    joined = record.how_joined(viewing, known)
    decided = [each.decided for one in joined.records for each in one.joined_by] + [e.decided for e in joined.apart]
    decisions = record.decisions(viewing, known)
    makers = {each.made_by: makers_of(each.made_by) for each in (*decided, *decisions) if each}
    users = {f"user:{answer.user_id}" for each in decided if each for answer in each.answers}
    names = place.actor_names(users.union(*makers.values()))
    return {
        "banner": record.banner(viewing, known),
        "records": joined.records,
        "apart": joined.apart,
        "decisions": decisions,
        "passages": record.passages(viewing),
        "names": names,
        "makers": {made_by: [names[actor] for actor in actors] for made_by, actors in makers.items()},
        "chosen": request.POST.getlist("records"),
        "note": note_of(request),
        "reviewing": viewing.purpose == RECORD_QUALITY,
    }
