"""What anybody may do about a look or a withheld entry: open in an emergency, ask to read, report."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base import facts as base
from joinery.apps.base.action import Refused
from joinery.apps.place import facts as place
from joinery.apps.privacy import actions, facts
from joinery.apps.record import actions as record_actions
from joinery.apps.record import facts as record
from joinery.calc.access import OWN_RECORD, may_override
from joinery.site.context import Request, standing_of
from joinery.site.jinja import url
from joinery.site.person import opened
from joinery.site.place.looking import acting


def override(request: Request, person_id: str) -> HttpResponse:
    """Open a record in an emergency: a warning, a reason, and who will look at it."""
    posts = standing_of(request).posts
    decision = may_override(posts)
    if decision.post is None:
        return render(request, "privacy/override_refused.jinja", {"no_post": not posts}, status=403)
    errors: list[dict[str, str]] = []
    reason, words = request.POST.get("reason", ""), _words(request)
    if request.method == "POST":
        try:
            # No id has a NUL, which PostgreSQL cannot hold in a text.
            asked = person_id.replace("\0", "\ufffd")
            actions.break_glass(person_id=asked, posts=posts, reason=reason, words=words, **acting(request))
            return redirect(url("record:person", person_id=person_id))
        except Refused as refused:
            if refused.code == "opened":  # the form was sent twice
                return redirect(url("record:person", person_id=person_id))
            errors = [
                {"field": refused.code if refused.code in ("reason", "words") else "", "message": refused.message}
            ]
    context = {
        "person_id": person_id,
        "reasons": record_actions.OVERRIDE_REASONS,
        "reason": reason,
        "words": words,
        "reviewers": facts.answering(decision.post.organisation, request.user.pk, request.at),
        "hours": facts.rules(request.at.date()).override_hours,
        "open_hours": record_actions.OVERRIDE_HOURS,
        "errors": errors,
    }
    return render(request, "privacy/override.jinja", context)


def ask(request: Request, person_id: str, entry_id: int) -> HttpResponse:
    """Ask the organisation that wrote a withheld entry to open it."""
    viewing = opened(request, person_id, "asked")
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    withheld = record.withheld_entry(viewing, known, entry_id)
    if withheld is None:
        raise Http404
    post = viewing.decision.post
    errors: list[dict[str, str]] = []
    if request.method == "POST" and post:
        try:
            actions.ask_to_read(
                record_id=withheld.record_id, item_id=withheld.item_id, source=withheld.organisation_code,
                words=_words(request), organisation=post.organisation, **acting(request),
            )  # fmt: skip
            return redirect(url("privacy:raised"))
        except Refused as refused:
            errors = [{"field": "words", "message": refused.message}]
    context = {
        "banner": record.banner(viewing, known),
        "entry_id": entry_id,
        "source_name": withheld.source_name,
        "answering": facts.answering(withheld.organisation_code, request.user.pk, request.at),
        "days": facts.rules(request.at.date()).ask_to_read_days,
        "own": post is None,
        "words": _words(request),
        "errors": errors,
    }
    return render(request, "privacy/ask.jinja", context)


def report(request: Request, person_id: str, event: str) -> HttpResponse:
    """Report a look that seems wrong: for the person, for who acts for them, and for staff."""
    viewing = opened(request, person_id, "log")
    if isinstance(viewing, HttpResponse):
        return viewing
    looks = base.looks_page(viewing, limit=1, stood=record.stood_elsewhere(viewing), event=event).looks
    if not looks:
        raise Http404
    look, errors = looks[0], list[dict[str, str]]()
    if request.method == "POST":
        try:
            founding = record.founding_records([viewing.person_id])[viewing.person_id]
            actions.report_look(record_id=founding, look=look, words=_words(request), **acting(request))
            return redirect(url("privacy:raised"))
        except Refused as refused:
            errors = [{"field": "words", "message": refused.message}]
    context = {
        "banner": record.banner(viewing, record.records(viewing)),
        "look": look,
        "organisation_name": organisation_name(request, look.organisation),
        "answering": facts.answering(look.organisation, look.user_id, request.at),
        "days": facts.rules(request.at.date()).reported_look_days,
        "own": viewing.purpose == OWN_RECORD,
        "words": _words(request),
        "errors": errors,
    }
    return render(request, "privacy/report.jinja", context)


def raised(request: Request) -> HttpResponse:
    """What the user asked and reported, and what was answered. It names nobody cared for."""
    return render(request, "privacy/raised.jinja", {"tasks": facts.raised_tasks(request.user.pk, request.at)})


def organisation_name(request: Request, code: str) -> str:
    """What an organisation is called today; empty without one."""
    return place.organisation_names([code], request.at.date()).get(code, "") if code else ""


def _words(request: Request) -> str:
    return request.POST.get("words", "").replace("\0", "").strip()[: actions.MOST_WORDS]
