"""What waits for a privacy officer: the list, which names nobody cared for, and one task after the other."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base import facts as base
from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Refused
from joinery.apps.privacy import actions, facts
from joinery.apps.record import actions as record_actions
from joinery.apps.record import facts as record
from joinery.calc.access import PRIVACY, may_do
from joinery.calc.misuse import PATTERNS
from joinery.site.context import Request, privacy_tasks, standing_of
from joinery.site.feeds.glance import within
from joinery.site.jinja import url
from joinery.site.person import opened
from joinery.site.place.looking import acting

# What the codes of a task mean: patterns of an unusual look, or the reason of an emergency.
CODES = PATTERNS | record_actions.OVERRIDE_REASONS


def index(request: Request) -> HttpResponse:
    """What waits for this user, what is due first first; and what they answered."""
    if not may_do(standing_of(request).posts, "answer_privacy").allowed:
        return _refused(request, "Only a privacy officer answers for looks at people's records.")
    request.privacy_tasks, answered = facts.tasks_of(request.user.pk, request.at)
    context = {
        "tasks": request.privacy_tasks,
        "answered": answered,
        "verdicts": facts.VERDICTS,
        "codes": CODES,
        "last_check": facts.last_check(),
    }
    return render(request, "privacy/tasks.jinja", context)


def task(request: Request, task_id: int) -> HttpResponse:
    """One task: what happened and what was said of it, whose record it was, and the answer."""
    waits = {each.task_id: each for each in privacy_tasks(request)}
    found = waits.get(task_id) or facts.task(within(task_id), request.at)
    if found is None:
        raise Http404
    if not (found.waits_for(request.user.pk) or _answered_by(request, found)):
        sentence = "This has been answered." if found.answered else f"This waits for {found.owner_names}."
        return _refused(request, sentence)
    viewing = opened(request, found.person_id, "checked", purpose=PRIVACY) if found.person_id else None
    if isinstance(viewing, HttpResponse):
        return viewing
    errors: list[dict[str, str]] = []
    verdict, words = request.POST.get("verdict", ""), request.POST.get("words", "").strip()
    if request.method == "POST":
        try:
            actions.answer_task(task_id=found.task_id, verdict=verdict, words=words, **acting(request))
            return redirect(url("privacy:index"))
        except Refused as refused:
            errors = [{"field": refused.code, "message": refused.message}]
    context = {
        "task": found,
        "codes": CODES,
        "verdicts": facts.VERDICTS,
        "verdict": verdict,
        "words": words,
        "errors": errors,
        "grant_days": facts.rules(request.at.date()).grant_days,
    }
    return render(request, "privacy/task.jinja", context | (_about(viewing, found) if viewing else _of_a_day()))


def _about(viewing: Viewing, found: facts.Task) -> dict[str, Any]:
    """Whose record it was, what was said, and the user's looks at it."""
    looks: tuple[base.Look, ...] = ()
    if found.about_user_id:
        looks = base.looks_page(viewing, limit=20, user_id=found.about_user_id).looks
    return {
        "banner": record.banner(viewing, record.records(viewing)),
        "said": facts.task_words(viewing, found),
        "looks": looks,
        "own_number": record.item_keys([found.item_id]).get(found.item_id, "") if found.item_id else "",
    }


def _of_a_day() -> dict[str, Any]:
    return {"banner": None, "said": "", "looks": (), "own_number": ""}


def _answered_by(request: Request, found: facts.Task) -> bool:
    return bool(found.answered and found.answered.by == f"user:{request.user.pk}")


def _refused(request: Request, sentence: str) -> HttpResponse:
    return render(request, "privacy/refused.jinja", {"sentence": sentence}, status=403)
