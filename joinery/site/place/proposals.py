"""Proposed reorganisations: begun, filled with changes, looked through, adopted or dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from joinery.apps.base.action import Refused
from joinery.apps.place import actions, facts
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.place.forms import Form, date_fields
from joinery.site.place.looking import Look, acting, arranges, page, proposal_of, refusal, show
from joinery.site.place.words import CONTRACTS, INSTRUMENTS, form_choices, in_words

MOST_MERGED = 20
PARTS = ("1", "2", "3", "4")
TERMS = ("instrument", "contracts")


@page
def listed(request: Request, look: Look) -> HttpResponse:
    """All proposals, and a form to begin one."""
    form = Form.of(request.POST, ("title",))
    if request.method == "POST":
        if not arranges(request):
            return refusal(request)
        if form.needed("title", "Enter a title, so that others know which proposal it is"):
            made = actions.propose(title=form["title"][:200], **acting(request))
            return redirect(url("place:proposal", look.query, proposal_id=str(made)))
    proposals = facts.editions(("proposal",), limit=200)
    names = facts.actor_names(each.made_by for each in proposals)
    context = {"form": form, "proposals": proposals, "names": names}
    return show(request, "place/proposals.jinja", look, context)


@page
def proposal(request: Request, look: Look, proposal_id: int) -> HttpResponse:
    """One proposal: what it changes in words, and what can be done with it."""
    edition = proposal_of(proposal_id)
    changes = facts.changes(edition.id)
    days = sorted({c.from_date for c in changes if c.kind in ("succeeded_by", "name", "form")} - {facts.EARLIEST})
    context = {
        "edition": edition,
        "names": facts.actor_names([edition.made_by]),
        "changes": in_words(changes),
        "more": len(changes) >= 200,
        "first_day": days[0] if days else None,
        "through": look.but(proposal=str(edition.id), on=days[0].isoformat() if days else look.query["on"]),
        "kinds": {kind: words for kind, (words, _, _) in CHANGES.items()},
    }
    return show(request, "place/proposal.jinja", look, context)


@page
def decide(request: Request, look: Look, proposal_id: int, verb: str) -> HttpResponse:
    """Adopt or drop a proposal, once that is confirmed."""
    edition = proposal_of(proposal_id)
    if request.method == "POST" and not arranges(request):
        return refusal(request)
    form = Form.of({}, ())
    if request.method == "POST":
        act = actions.adopt_proposal if verb == "adopt" else actions.drop_proposal
        try:
            act(edition_id=edition.id, **acting(request))
        except Refused as refused:
            form.refused(refused, {})
        else:
            return redirect(url("place:proposal", look.but(proposal=None), proposal_id=str(edition.id)))
    changes = facts.changes(edition.id)
    context = {"edition": edition, "verb": verb, "changes": in_words(changes), "errors": form.errors}
    return show(request, "place/decide.jinja", look, context)


@page
def change(request: Request, look: Look, proposal_id: int, kind: str) -> HttpResponse:
    """Add a change to a proposal: merge, split, move, rename."""
    if kind not in CHANGES:
        raise Http404
    edition = proposal_of(proposal_id)
    if request.method == "POST" and not arranges(request):
        return refusal(request)
    back = redirect(url("place:proposal", look.query, proposal_id=str(edition.id)))
    if edition.state != "draft" or not arranges(request):
        return back
    words, fields, act = CHANGES[kind]
    form = Form.of(request.POST, fields)
    if request.method == "POST":
        try:
            if act(form, edition.id, look, acting(request)):
                return back
        except Refused as refused:
            form.refused(refused, _AT_FIELD[kind])
    context = {
        "edition": edition,
        "kind": kind,
        "words": words,
        "form": form,
        "forms": form_choices(),
        "instruments": INSTRUMENTS,
        "contracts": CONTRACTS,
        "parts": PARTS,
        "most": MOST_MERGED,
    }
    return show(request, "place/change.jinja", look, context)


Acting = Mapping[str, Any]


def _seen(look: Look, edition_id: int) -> facts.AsAt:
    """The directory with the proposal in it, so that what it makes can be changed further."""
    return facts.AsAt(look.on, draft=edition_id)


def _terms(form: Form) -> actions.Terms:
    form.chosen("instrument", ("", *INSTRUMENTS), "Choose how it is done in law")
    form.chosen("contracts", ("", *CONTRACTS), "Choose what becomes of contracts")
    return actions.Terms(form["instrument"], form["contracts"])


def _into(form: Form, prefix: str, as_at: facts.AsAt, which: str) -> actions.OrganisationDetails:
    """The body that takes over: one that is there, by its code, or a new one with a name and a form."""
    code = form.needed(f"{prefix}_code", f"Enter the code of {which}").upper()
    there = facts.organisation(code, as_at) if code else None
    if there and there.form:
        return actions.OrganisationDetails(there.code, there.name, there.form)
    name = form.needed(f"{prefix}_name", f"Enter the name of {which}, if it is new")
    kind = form.chosen(f"{prefix}_form", facts.FORMS, f"Choose the form of {which}, if it is new")
    if len(code) > 40:
        form.wrong(f"{prefix}_code", "A code has 40 characters at most")
    return actions.OrganisationDetails(code, name[:300], kind)


def _merge(form: Form, edition_id: int, look: Look, common: Acting) -> bool:
    as_at = _seen(look, edition_id)
    form.needed("bodies", "Enter the bodies that merge, one on each line")
    old = form.bodies("bodies", as_at, MOST_MERGED)
    into, on, terms = (
        _into(form, "into", as_at, "the body that takes over"),
        form.day("on", "the day of the merger"),
        _terms(form),
    )
    if form.errors or on is None:
        return False
    codes = [body.code for body in old]
    actions.merge(codes=codes, into=into, on=on, terms=terms, edition_id=edition_id, **common)
    return True


def _split(form: Form, edition_id: int, look: Look, common: Acting) -> bool:
    as_at = _seen(look, edition_id)
    body, parts = form.body("body", as_at), []
    for number in PARTS:
        prefix = f"part{number}"
        given = any(form[f"{prefix}_{name}"] for name in ("code", "name", "form", "words", "areas"))
        if given or number in PARTS[:2]:
            areas = tuple(dict.fromkeys(form[f"{prefix}_areas"].upper().replace(",", " ").split()))
            parts.append(
                actions.Part(_into(form, prefix, as_at, f"body {number}"), form[f"{prefix}_words"][:200], areas)
            )
    on, terms = form.day("on", "the day of the split"), _terms(form)
    if form.errors or on is None or body is None:
        return False
    actions.split(code=body.code, parts=parts, on=on, terms=terms, edition_id=edition_id, **common)
    return True


def _move(form: Form, edition_id: int, look: Look, common: Acting) -> bool:
    as_at = _seen(look, edition_id)
    what = form.needed("what", "Enter the body that moves, or the code of an LSOA")
    area = what.upper() if what[:3].upper() in ("E01", "W01") else ""
    moved = None if area or not what else form.body("what", as_at)
    left, joined = form.body("left", as_at), form.body("joined", as_at)
    on, terms = form.day("on", "the day of the move"), _terms(form)
    if form.errors or on is None or left is None or joined is None:
        return False
    code = moved.code if moved else area
    actions.move(
        code=code, from_code=left.code, to_code=joined.code, on=on, terms=terms, edition_id=edition_id, **common
    )
    return True


def _rename(form: Form, edition_id: int, look: Look, common: Acting) -> bool:
    body = form.body("body", _seen(look, edition_id))
    name = form.needed("name", "Enter the new name")
    on = form.day("on", "the day of the new name")
    if form.errors or on is None or body is None:
        return False
    actions.rename(code=body.code, name=name[:300], on=on, edition_id=edition_id, **common)
    return True


_PART_FIELDS = tuple(f"part{n}_{name}" for n in PARTS for name in ("code", "name", "form", "words", "areas"))
CHANGES: dict[str, tuple[str, tuple[str, ...], Callable[[Form, int, Look, Acting], bool]]] = {
    "merge": (
        "Merge bodies",
        ("bodies", "into_code", "into_name", "into_form", *date_fields("on"), *TERMS),
        _merge,
    ),
    "split": ("Split a body", ("body", *_PART_FIELDS, *date_fields("on"), *TERMS), _split),
    "move": (
        "Move a body or an area",
        ("what", "left", "joined", *date_fields("on"), *TERMS),
        _move,
    ),
    "rename": ("Rename a body", ("body", "name", *date_fields("on")), _rename),
}
# Where an action's refusal is shown: its code, and the field that it is about.
_AT_FIELD: dict[str, dict[str, str]] = {
    "merge": {"into": "into_code", "one": "bodies", "ended": "bodies", "organisation": "bodies", "form": "into_form"},
    "split": {"parts": "part1_code", "areas": "part1_areas", "ended": "body", "form": "part1_form"},
    "move": {"not_there": "what", "ended": "left", "organisation": "what"},
    "rename": {"name": "name", "ended": "body"},
}
