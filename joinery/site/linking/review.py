"""Pairs of records that wait: the list, and one pair after the other, answered blind first."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base.action import Refused
from joinery.apps.place import facts as place
from joinery.apps.record import actions
from joinery.apps.record import facts as record
from joinery.site.context import Request, standing_of
from joinery.site.feeds.glance import within
from joinery.site.jinja import url
from joinery.site.linking.words import WHYS, note_of
from joinery.site.place.looking import acting

_PAIR = re.compile(r"(\d{1,18})-(\d{1,18})")


def index(request: Request) -> HttpResponse:
    """What waits for this user, without a word about whose records they are."""
    try:
        actions.open_queue(posts=standing_of(request).posts)
    except Refused as refused:
        return _refused(request, refused)
    why, after = _why(request), request.GET.get("after", "")
    if after and not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise BadRequest("cursor")
    context = {
        "page": record.waiting_pairs(request.user.pk, request.at.date(), why, int(after or 0)),
        "why": why,
        "whys": WHYS,
        "paged": bool(after),
    }
    return render(request, "record/review.jinja", context | _last(request))


def case(request: Request, record_id: int, other_id: int) -> HttpResponse:
    """Two records side by side, to be answered; afterwards what the model and others say of them."""
    pair = within(record_id), within(other_id)
    posts = standing_of(request).posts
    try:
        viewing = actions.open_pair(record_id=record_id, other_id=other_id, posts=posts, **acting(request))
    except Refused as refused:
        return _refused(request, refused)
    errors: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            return _act(request, pair)
        except Refused as refused:
            errors = [{"field": "answer" if refused.code == "answer" else "", "message": refused.message}]
    compared = record.compared_pair(viewing, *pair)
    if compared is None:
        raise Http404
    said = record.answered(request.user.pk, *pair)
    context = {
        "pair": pair,
        "compared": compared,
        "said": said,
        "names": _names(said),
        "answers": actions.ANSWERS,
        "whys": WHYS,
        "why": _why(request),
        "answer": request.POST.get("answer", ""),
        "note": note_of(request),
        "errors": errors,
    }
    return render(request, "record/review_case.jinja", context | _last(request))


def _act(request: Request, pair: tuple[int, int]) -> HttpResponse:
    """Keep the answer and go on to the next pair, or take a decision back. Raises Refused."""
    which: dict[str, Any] = {"record_id": pair[0], "other_id": pair[1], "note": note_of(request)} | acting(request)
    if request.POST.get("do") == "take back":
        actions.withdraw_decision(**which)
        return redirect(_address(pair, {}))
    answer = request.POST.get("answer", "")
    if answer not in actions.ANSWERS:
        raise Refused("answer", "Choose whether it is the same person, different people, or you cannot tell")
    before = record.answered(request.user.pk, *pair)
    actions.answer_pair(answer=answer, blind=before is None, user_id=request.user.pk, **which)
    why = _why(request)
    query = {"why": why or None, "last": f"{pair[0]}-{pair[1]}"}
    following = record.next_pair(request.user.pk, why)
    return redirect(_address(following, query) if following else url("review:index", query))


def _address(pair: tuple[int, int], query: dict[str, str | None]) -> str:
    return url("review:case", query, record_id=str(pair[0]), other_id=str(pair[1]))


def _last(request: Request) -> dict[str, Any]:
    """The pair that the user answered just before, with what the model and others say of it."""
    found = _PAIR.fullmatch(request.GET.get("last", ""))
    pair = (int(found[1]), int(found[2])) if found else None
    said = record.answered(request.user.pk, *pair) if pair else None
    names = _names(said)
    return {"last": pair if said else None, "last_said": said, "last_names": names, "answers": actions.ANSWERS}


def _names(said: record.Answered | None) -> dict[int, str]:
    """Who answered, by user id."""
    users = {each.user_id for each in said.answers} if said else set()
    named = place.actor_names(f"user:{user}" for user in users) if users else {}
    return {user: named[f"user:{user}"] for user in users}


def _why(request: Request) -> str:
    why = request.GET.get("why", "")
    return why if why in WHYS else ""


def _refused(request: Request, refused: Refused) -> HttpResponse:
    if refused.code == "absent":
        raise Http404
    return render(request, "record/review_refused.jinja", {"sentence": refused.message}, status=403)
