"""One referral: how it stands, whose turn it is, what may be done next, its history, and notes to the other side."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.care import actions, facts
from joinery.apps.care.facts import Referral, ServiceNow
from joinery.apps.record import actions as record_actions
from joinery.apps.record import facts as record
from joinery.calc.access import DIRECT_CARE, posts_for
from joinery.site.bars.late import late_messages
from joinery.site.care.naming import service_words
from joinery.site.care.typed import number
from joinery.site.context import Request, standing_of
from joinery.site.jinja import url
from joinery.site.person import opened
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting

# What each step is called by who takes it; two of them by the state from which it is taken.
LABELS = {
    "acknowledged": "We have seen it",
    "accepted": "Accept it",
    "returned": "Ask for something first",
    "declined": "Decline it",
    "sent": "Pass it on to another service",
    "withdrawn": "Withdraw it",
    "started": "It has started",
    "ended": "It has ended",
    "closed": "Close it: the person knows, and it is settled",
}
AGAIN = {("returned", "sent"): "Send it again", ("started", "started"): "It goes on"}
SIDES = {"sender": "Who asked", "service": "The service"}
# Which field a refusal of an action is about.
_FIELDS = {each: each for each in ("reason", "words", "service")}


def page(request: Request, referral_code: str) -> HttpResponse:
    """The referral, and the small acts on it: name who takes it on, write a note, say that notes were read."""
    found = _found(request, referral_code)
    viewing = _opened(request, found)
    if isinstance(viewing, HttpResponse):
        return viewing
    form = Form.of(request.POST, ("verb", "number", "user", "note", "side"))
    if request.method == "POST" and _acted(form, found, request):
        return redirect(url("care:referral", referral_code=referral_code))
    service = facts.service(found.service, request.at.date())
    context = _about(viewing, found) | {
        "referral": found,
        "steps": (steps := found.steps_for(request.user.pk)),
        "labels": {to: label_of(found.state, to) for to in steps},
        "sides": {side: SIDES[side] for side in sorted(found.sides_of(request.user.pk))},
        "to_read": found.unseen_for(request.user.pk),
        "late": late_messages(request.at, code=found.code),
        "takers": _takers(service) if service and found.may_name(request.user.pk) else {},
        "form": form,
    }
    return render(request, "care/referral.jinja", context)


def step(request: Request, referral_code: str, to: str) -> HttpResponse:
    """One step: what must be said with it, and taking it. One that asks for nothing is taken from the page itself."""
    found = _found(request, referral_code)
    viewing = _opened(request, found)
    if isinstance(viewing, HttpResponse):
        return viewing
    taken = found.steps_for(request.user.pk).get(to)
    form = Form.of(request.POST, ("number", "reason", "words", "service"), number=str(found.number))
    # Who lost a race reads what the other did before anything they wrote is gone.
    if taken is None and request.method != "POST":
        return redirect(url("care:referral", referral_code=referral_code))
    if request.method == "POST" and _stepped(form, found, to, request):
        return redirect(url("care:referral", referral_code=referral_code))
    rules = facts.rules(request.at.date())
    passes_on = to == "sent" and found.waits_for == "service"
    context = _about(viewing, found) | {
        "referral": found,
        "to": to,
        "step": taken,
        "label": label_of(found.state, to),
        "reasons": rules.reasons.get(to, {}) if taken and taken.asks == "reason" else {},
        "services": _others(found, request) if passes_on else {},
        "passes_on": passes_on,
        "form": form,
    }
    return render(request, "care/step.jinja", context)


def label_of(state: str, to: str) -> str:
    """What a step is called by who takes it."""
    return AGAIN.get((state, to), LABELS.get(to, ""))


def _found(request: Request, code: str) -> Referral:
    found = facts.referral(code, request.at)
    if found is None:
        raise Http404
    return found


def _opened(request: Request, found: Referral) -> Viewing | None | HttpResponse:
    """The person's record, for whoever cares for them.

    It opens for whoever holds the referral by now. None where it does not all the same, for their role or because the
    person objects: the referral must not lie for want of that, so they see how it stands without a word about her.
    """
    if not found.waits_for_user(request.user.pk):
        return opened(request, found.person_id, "referral", purpose=DIRECT_CARE)
    viewing = _seen(request, found)
    if not viewing.person_ids and posts_for(standing_of(request).posts, DIRECT_CARE):
        with suppress(Refused):  # somebody took a step since: it waits for another now
            actions.reach(code=found.code, **acting(request))
        viewing = _seen(request, found)
    return viewing if viewing.person_ids else None


def _seen(request: Request, found: Referral) -> Viewing:
    posts = standing_of(request).posts
    return record_actions.list_people(person_ids=[found.person_id], posts=posts, what="referral", **acting(request))


def _about(viewing: Viewing | None, found: Referral) -> dict[str, Any]:
    """Whose referral it is, and what was said of it; nothing without a viewing."""
    if viewing is None:
        return {"banner": None, "story": None}
    known = record.records(viewing)
    return {"banner": record.banner(viewing, known), "story": facts.referral_story(viewing, found)}


def _acted(form: Form, found: Referral, request: Request) -> bool:
    """Do one of the small acts; notes in the form why not."""
    try:
        if form["verb"] == "name":
            user_id = number(form["user"]) if form["user"] else None
            actions.name_owner(code=found.code, number=number(form["number"]), user_id=user_id, **acting(request))
        elif form["verb"] == "note":
            if not form.needed("note", "Write what the other side should know"):
                return False
            actions.write_note(code=found.code, words=form["note"], side=form["side"], **acting(request))
        elif form["verb"] == "seen":
            actions.see_notes(code=found.code, last_note_id=number(form["number"]), **acting(request))
    except Refused as refused:
        form.refused(refused, {"words": "note", "user_id": "user", "side": "side"})
        return False
    return True


def _stepped(form: Form, found: Referral, to: str, request: Request) -> bool:
    """Take the step; notes in the form why not."""
    try:
        actions.take_step(
            code=found.code, number=number(form["number"]), to=to, reason=form["reason"], words=form["words"],
            service=form["service"], **acting(request),
        )  # fmt: skip
        return True
    except Refused as refused:
        form.refused(refused, _FIELDS)
        form.values["number"] = str(found.number)
        return False


def _takers(service: ServiceNow) -> dict[str, str]:
    """Who of a service may take something on: their id and name."""
    return {str(each.user_id): each.name for each in service.members if each.counts}


def _others(found: Referral, request: Request) -> dict[str, str]:
    """The other services that take referrals, by their codes, with who runs each."""
    those = facts.services(request.at.date())
    return {each.code: service_words(each) for each in those if each.open and each.code != found.service}
