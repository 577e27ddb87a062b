"""Who has no part in the place gets no further than their own account, help and logging out.

Pages that identify nobody, the directory, measures, beds and feeds at a glance, are for who holds a role with the
task `figures`. Whose record, pair or row opens for whom, each page of those decides for itself, and logs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from joinery.calc.access import may_do
from joinery.site.context import Request, is_person, standing_of

# By their part of the address, so that a page that is added there is none that anybody sees.
OF_FIGURES = {"feeds", "measures", "place"}
# Pages of care that are about nobody.
FIGURES_OF_CARE = {f"care:{name}" for name in ("services", "service", "offer", "change", "close", "waits")}
# Rows of people, which stand among the feeds: their pages log who asked, and refuse.
OF_ROWS = {"feeds:row", "feeds:returned"}
# Where everybody begins who has a part: a post, or access to a record.
OF_ALL = {"privacy:mine", "privacy:raised"}
# What waits for somebody, which is for whoever holds a post.
OF_STAFF = {
    f"care:{name}"
    for name in ("work", "asked", "team_work", "referral", "step", "offered", "done", "meetings", "meeting")
}
FOR_STAFF = "This page is for staff of the organisations that work here."
NO_PART = "Your account is not attached to an organisation today. Ask your manager to add you."


class Gate:
    """The middleware that keeps those pages from who has no part in the place, or no role there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        asked = cast(Request, request)
        figures = match.namespace in OF_FIGURES or match.view_name in FIGURES_OF_CARE
        if figures and match.view_name not in OF_ROWS:
            decision = may_do(standing_of(asked).posts, "figures")
            return None if decision.allowed else refused(asked)
        if match.view_name in OF_STAFF:
            return None if standing_of(asked).posts else refused(asked)
        # What is searched for is refused by the search itself, which logs it.
        begins = match.view_name in OF_ALL or (match.view_name == "record:find" and request.method != "POST")
        return refused(asked) if begins and not has_part(asked) else None


def has_part(request: Request) -> bool:
    """Whether the signed-in user holds a post today, or may see a record as their own or for somebody."""
    return bool(standing_of(request).posts) or is_person(request)


def refused(request: Request) -> HttpResponse:
    """What who may not see a page is told, and where they can go."""
    return render(request, "no_part.jinja", {"sentence": FOR_STAFF if has_part(request) else NO_PART}, status=403)
