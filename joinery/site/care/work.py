"""My work: what waits for the signed-in user, for their team, and what they wait for themselves; many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from joinery.apps.base.action import Refused
from joinery.apps.care import actions, facts
from joinery.apps.care.facts import Referral
from joinery.site.care.naming import list_of, names_of
from joinery.site.care.typed import number
from joinery.site.context import Request, remember_work
from joinery.site.place.looking import acting

A_PAGE = 50
# The lists, in the order in which they are offered; what of `facts.Work` each is.
LISTS = {
    "mine": "Waits for me",
    "team": "For my team",
    "climbed": "Overdue elsewhere",
    "asked": "I wait for",
    "unseen": "Notes to read",
}
ORDERS = {"due": "what is due first", "person": "person", "service": "service", "age": "the longest wait"}
# Steps that ask for nothing, which may be taken for many at a time.
BULK = {
    "acknowledged": "Say that we have seen them",
    "accepted": "Accept them",
    "started": "Say that they have started",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of a list: the referrals on it, and whether there is an earlier and a later page."""

    items: tuple[Referral, ...]
    number: int
    more: bool


def index(request: Request) -> HttpResponse:
    """What waits, in one of the lists and in one order, fifty at a time; and acts on those that are ticked."""
    said = _bulk(request) if request.method == "POST" else None
    work = facts.my_work(request.user.pk, request.at)
    remember_work(request, work.waiting)
    lists: dict[str, tuple[Referral, ...]] = {name: getattr(work, name) for name in LISTS}
    first = next((name for name in ("mine", "team", "climbed", "unseen") if lists[name]), "mine")
    name = _one_of(request.GET.get("list", ""), LISTS, first)
    order = _one_of(request.GET.get("order", ""), ORDERS, "due")
    shown = _page(in_order(lists[name], order), request.GET.get("page", ""))
    context = {
        "lists": {each: (words, len(lists[each])) for each, words in LISTS.items()},
        "name": name,
        "order": order,
        "orders": ORDERS,
        "shown": shown,
        "total": len(lists[name]),
        "names": names_of(list_of(request, [each.person_id for each in shown.items])),
        "bulk": _offered(shown.items, request.user.pk),
        "may_take": any(each.may_name(request.user.pk) for each in shown.items),
        "said": said,
        "teams": work.teams,
    }
    return render(request, "care/work.jinja", context)


def team(request: Request, service: str) -> HttpResponse:
    """All that waits for one service, and how much each of its members has: for who manages or works in it."""
    load = facts.team_work(service, request.at)
    if load is None:
        raise Http404
    found = load.service
    if not (found.has(request.user.pk) or found.managed_by(request.user.pk)):
        sentence = "Only who works in a service sees what waits for it."
        return render(request, "care/refused.jinja", {"sentence": sentence}, status=403)
    said = _bulk(request) if request.method == "POST" else None
    load = (facts.team_work(service, request.at) if said else load) or load
    order = _one_of(request.GET.get("order", ""), ORDERS, "due")
    shown = _page(in_order(load.referrals, order), request.GET.get("page", ""))
    context = {
        "found": found,
        "members": load.members,
        "unnamed": load.unnamed,
        "order": order,
        "orders": ORDERS,
        "shown": shown,
        "total": len(load.referrals),
        "names": names_of(list_of(request, [each.person_id for each in shown.items])),
        "bulk": _offered(shown.items, request.user.pk),
        "takers": {str(each.user_id): each.name for each in load.members},
        "said": said,
    }
    return render(request, "care/team.jinja", context)


def in_order(items: Sequence[Referral], order: str) -> tuple[Referral, ...]:
    """A list that is ordered by when each is due, in another order.

    By person and by service what belongs together stands together, with what is due first first.
    """
    if order == "age":
        return tuple(sorted(items, key=lambda each: each.asked_at))
    if order == "due":
        return tuple(items)
    first: dict[str, int] = {}
    for place, each in enumerate(items):
        first.setdefault(_group(each, order), place)
    return tuple(sorted(items, key=lambda each: first[_group(each, order)]))


def _group(each: Referral, order: str) -> str:
    return each.person_id if order == "person" else each.service


def _page(items: tuple[Referral, ...], text: str) -> Shown:
    wanted = max(1, number(text[:6]))
    start = (wanted - 1) * A_PAGE
    return Shown(items[start : start + A_PAGE], wanted, len(items) > start + A_PAGE)


def _offered(items: Sequence[Referral], user_id: int) -> dict[str, str]:
    """The steps that the user may take of at least one of these."""
    possible = {to for each in items for to, step in each.steps_for(user_id).items() if not step.asks}
    return {to: words for to, words in BULK.items() if to in possible}


def _bulk(request: Request) -> dict[str, Any]:
    """Do what was asked of everything that is ticked: each has its own answer, and none stops the others."""
    seen = dict(_ticked(request))
    verb, user = request.POST.get("verb", ""), request.POST.get("user", "")
    if not seen or verb not in (*BULK, "take", "name"):
        return {"done": 0, "refused": [], "nothing": True}
    if verb in BULK:
        answers = actions.take_steps(seen=seen, to=verb, **acting(request))
    else:
        user_id = request.user.pk if verb == "take" else number(user) if user else None
        answers = {code: _named(code, step, user_id, request) for code, step in seen.items()}
    refused = [(code, words) for code, words in answers.items() if words]
    return {"done": len(answers) - len(refused), "refused": refused, "nothing": False}


def _named(code: str, seen: int, user_id: int | None, request: Request) -> str:
    """Name who takes a referral on; returns why not, or nothing."""
    try:
        actions.name_owner(code=code, number=seen, user_id=user_id, **acting(request))
    except Refused as refused:
        return refused.message
    return ""


def _ticked(request: Request) -> list[tuple[str, int]]:
    """The codes that are ticked, each with the number of the step that was shown."""
    pairs = (text.partition(".")[::2] for text in request.POST.getlist("chosen")[:A_PAGE])
    return [(code, number(step)) for code, step in pairs if code.isascii() and code.isalnum() and len(code) <= 32]


def _one_of(text: str, choices: Mapping[str, Any], otherwise: str) -> str:
    return text if text in choices else otherwise
