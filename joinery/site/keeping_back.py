"""What a person keeps back of their record: objections, sealed names, and what is kept from their own view."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.place import facts as place
from joinery.apps.record import actions
from joinery.apps.record import facts as record
from joinery.calc.access import DIRECT_CARE, PRIVACY, may_do
from joinery.calc.access_table import CURRENT
from joinery.site.context import Request, standing_of
from joinery.site.jinja import url
from joinery.site.person import opened
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting

KINDS = {
    "one": "One organisation is not to see this record",
    "others": "Nobody outside my organisation is to see this record",
    "names": "Names are sealed: nobody is to see them, or to find the person by them",
    "own_view": "The record is kept from the person’s own view, and from who acts for them",
}
# Which field a refusal of the action is about.
_FIELDS = {"organisation": "body", "names": "names", "words": "words"}


def page(request: Request, person_id: str) -> HttpResponse:
    """What is kept back of one person's record; for who cares for them now, and for who answers for privacy."""
    posts = standing_of(request).posts
    answers = may_do(posts, "answer_privacy").allowed
    if not answers and not may_do(posts, "invite_people").allowed:
        return render(request, "record/kept_back_refused.jinja", {}, status=403)
    viewing = opened(request, person_id, "kept_back", purpose=PRIVACY if answers else DIRECT_CARE)
    if isinstance(viewing, HttpResponse):
        return viewing
    if not answers and viewing.decision.relationship != CURRENT:  # not in an emergency, nor when care has ended
        return render(request, "record/kept_back_refused.jinja", {}, status=403)
    known = record.records(viewing)
    held = record.restrictions(viewing, known)
    form = Form.of(request.POST, ("verb", "restriction", "kind", "body", "names", "words"))
    if request.method == "POST":
        act = _end if form["verb"] == "end" else _keep
        act(form, held, viewing, request)
        if not form.errors:
            return redirect(url("record:kept_back", person_id=viewing.person_id))
    codes = {code for each in held for code in (each.organisation, each.writer) if code}
    context = {
        "banner": record.banner(viewing, known),
        "held": held,
        "names": place.organisation_names(codes, request.at.date()),
        "makers": place.actor_names({each.made_by for each in held}),
        "form": form,
        "kinds": KINDS,
    }
    return render(request, "record/kept_back.jinja", context)


def _keep(form: Form, held: tuple[record.RestrictionHeld, ...], viewing: Viewing, request: Request) -> None:
    """Keep back what the form says; notes in it what is wrong."""
    kind = form.chosen("kind", KINDS, "Choose what is kept back")
    words = form.needed("words", "Say why, and who asked for it")
    body = form.body("body", place.as_at(request.at.date())) if kind == "one" else None
    names = form.needed("names", "Enter each name that is sealed on a line of its own") if kind == "names" else ""
    if form.errors:
        return
    post = viewing.decision.post
    try:
        actions.restrict(
            person_id=viewing.person_id,
            kind={"names": "sealed_name", "own_view": "own_view"}.get(kind, "objection"),
            words=words,
            organisation_code=body.code if body else "",
            writer_code=post.organisation if post and kind == "others" else "",
            names=names.splitlines(),
            **acting(request),
        )
    except Refused as refused:
        form.refused(refused, _FIELDS)


def _end(form: Form, held: tuple[record.RestrictionHeld, ...], viewing: Viewing, request: Request) -> None:
    """End one of the person's restrictions; notes in the form what is wrong."""
    chosen = next((each for each in held if str(each.restriction_id) == form["restriction"]), None)
    if chosen is None:
        form.wrong("", "That restriction has ended already")
        return
    words = form.needed("words", "Say why it ends, and who asked for it")
    if words:
        actions.end_restriction(restriction_id=chosen.restriction_id, words=words, **acting(request))
