"""What every page is given."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import orjson
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from joinery.apps.care import facts as care
from joinery.apps.place.facts import Standing, as_at, home, standing
from joinery.apps.privacy import facts as privacy
from joinery.apps.record.facts import own_people
from joinery.calc.access import DIRECT_CARE, may_arrange, may_do, may_review, posts_for

# Every page shows the place's name, and it changes once in years.
NAME_KEPT_SECONDS = 60
WAITS_KEPT_SECONDS = 60


class Request(HttpRequest):
    """A request as the frame of every request leaves it (`middleware.frame`), with a user signed in."""

    at: datetime
    reference: str
    user: AbstractBaseUser  # type: ignore[assignment]
    standing: Standing
    privacy_tasks: tuple[privacy.Task, ...]


def standing_of(request: Request) -> Standing:
    """What the signed-in user is in the place today; asked for once a request."""
    if not hasattr(request, "standing"):
        request.standing = standing(request.user.pk, request.at.date())
    return request.standing


def is_person(request: Request) -> bool:
    """Whether the signed-in user is here for their own record, or that of somebody they act for, and holds no post."""
    return not standing_of(request).posts and bool(own_people(request.user.pk, request.at.date()))


# Where a post begins whose role finds nobody, by the first of these tasks that it does.
BEGINS = {"arrange": "place:today", "answer_privacy": "privacy:index", "manage_staff": "staff:index"}


def first_page(request: Request) -> str:
    """The name of the page on which the signed-in user begins: finding a person, for whoever may find one."""
    posts = standing_of(request).posts
    if is_person(request):
        return "privacy:mine"
    if not posts or posts_for(posts, DIRECT_CARE):
        return "record:find"
    if may_review(posts).allowed:
        return "review:index"
    return next((page for task, page in BEGINS.items() if may_do(posts, task).allowed), "place:today")


def privacy_tasks(request: Request) -> tuple[privacy.Task, ...]:
    """The looks that wait for the signed-in user's answer; asked for once a request, and only of who may answer."""
    if not hasattr(request, "privacy_tasks"):
        answers = may_do(standing_of(request).posts, "answer_privacy").allowed
        request.privacy_tasks = privacy.waiting_tasks(request.user.pk, request.at) if answers else ()
    return request.privacy_tasks


def _privacy_waits(request: Request) -> int:
    """How many looks wait for the user: counted where their work begins and among the looks, and remembered for a
    minute for their other pages. To count them on every page would cost statements of each, and a person's page has
    none left."""
    if not may_do(standing_of(request).posts, "answer_privacy").allowed:
        return 0
    match, key = request.resolver_match, f"privacy_waits:{request.user.pk}"
    where, room = (match.view_name, match.namespace) if match else ("", "record")
    counted = room == "privacy" or where in BEGINS.values()
    waits: int | None = None if counted else cache.get(key, 0 if room == "record" else None)
    if waits is None:
        waits = len(privacy_tasks(request))
        cache.set(key, waits, WAITS_KEPT_SECONDS)
    return waits


def remember_work(request: Request, waits: int) -> None:
    """Keep for a minute how many referrals wait for the user, for the menu of their other pages."""
    cache.set(f"work_waits:{request.user.pk}", waits, WAITS_KEPT_SECONDS)


def _work_waits(request: Request) -> int:
    """How many referrals wait for the user: counted where their work begins, and as My work last said elsewhere."""
    waits: int | None = cache.get(f"work_waits:{request.user.pk}")
    match = request.resolver_match
    begins = match is not None and match.view_name == "record:find" and request.method == "GET"
    if waits is None and begins and posts_for(standing_of(request).posts, DIRECT_CARE):
        waits = care.waiting_count(request.user.pk, request.at)
        remember_work(request, waits)
    return waits or 0


def page(request: HttpRequest) -> dict[str, Any]:
    """Names for the header, the moment, and the reference to quote when something goes wrong."""
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)
    where = standing_of(cast(Request, request)) if signed_in else Standing((), "", "")
    return {
        "user_name": getattr(user, "name", None),
        "user_role": where.role_text,
        "user_organisation": where.organisation_name,
        "user_waits": where.waits,
        "user_has_post": bool(where.posts),
        "user_finds": bool(posts_for(where.posts, DIRECT_CARE)),
        "user_works": bool(posts_for(where.posts, DIRECT_CARE)) or may_arrange(where.posts),
        "work_waits": _work_waits(cast(Request, request)) if where.posts else 0,
        "user_is_person": is_person(cast(Request, request)) if signed_in else False,
        "user_answers_privacy": may_do(where.posts, "answer_privacy").allowed,
        "privacy_waits": _privacy_waits(cast(Request, request)) if signed_in else 0,
        "user_reviews": may_review(where.posts).allowed,
        "user_arranges": may_arrange(where.posts),
        "user_sends": may_do(where.posts, "own_feeds").allowed,
        "user_manages": may_do(where.posts, "manage_staff").allowed,
        "user_invites": may_do(where.posts, "invite_people").allowed,
        "place_name": settings.PLACE_NAME or cache.get_or_set("place_name", _home_name, NAME_KEPT_SECONDS),
        "service_name": "Joinery",
        "reference": getattr(request, "reference", ""),
        "now": getattr(request, "at", None),
        "demo": settings.DEMO,
    }


def _home_name() -> str:
    served = home(as_at(timezone.localdate()))
    return served.name if served else "this place"


def demo_users() -> dict[str, Any]:
    """Who can sign in to a demonstration, and the password they share; nobody anywhere else."""
    path = settings.JOINERY_DATA / "demo.json"
    if not settings.DEMO or not path.exists():
        return {"demo_users": [], "demo_password": ""}
    said = orjson.loads(path.read_bytes())
    return {"demo_users": said["users"], "demo_password": said["password"]}
