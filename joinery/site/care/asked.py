"""What others ask the signed-in user to do that is no referral: parts in somebody's care, and actions of meetings."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from joinery.apps.care import facts
from joinery.site.care.naming import list_of, names_of
from joinery.site.context import Request


def page(request: Request) -> HttpResponse:
    """Parts that are offered to the user, and what meetings asked of them or of a team of theirs."""
    offered = facts.offered_to(request.user.pk, request.at)
    waiting = facts.actions_waiting(request.user.pk, request.at)
    viewing = list_of(request, [person for person, _ in offered] + [each.person_id for each in waiting])
    context = {
        "offered": offered,
        "waiting": waiting,
        "words": facts.action_words(viewing, waiting),
        "names": names_of(viewing),
    }
    return render(request, "care/asked.jinja", context)
