"""The services of the place: what there is, what each does and for whom, who works in it; add, change and close one."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from joinery.apps.base.action import Refused
from joinery.apps.base.facts import user_with_email
from joinery.apps.care import actions, facts
from joinery.apps.care.facts import ServiceNow
from joinery.apps.place import facts as place
from joinery.calc.access import ROLES, may_arrange, posts_with
from joinery.site.bars.late import late_messages
from joinery.site.care.naming import service_words
from joinery.site.care.typed import number
from joinery.site.context import Request, standing_of
from joinery.site.jinja import url
from joinery.site.place.forms import Form
from joinery.site.place.looking import acting

FIELDS = ("name", "kind", "body", "about", "areas", "open")
MOST_AREAS = 50
MOST_CODE = 36
# Which field a refusal of an action is about.
_FIELDS = {"code": "name", "organisation": "body", "successor": "successor", "user": "person"} | {
    each: each for each in FIELDS
}


def index(request: Request) -> HttpResponse:
    """Every service that is not closed, by what it does."""
    found = facts.services(request.at.date())
    context = {
        "kinds": [(kind, tuple(those)) for kind, those in groupby(found, key=lambda each: each.kind_text)],
        "may_add": _may_add(request),
    }
    return render(request, "care/services.jinja", context)


def page(request: Request, service: str) -> HttpResponse:
    """One service, and who works in it."""
    return _page(request, _found(request, service), Form.of(request.POST, ("person", "elsewhere", "manages")))


def _page(request: Request, found: ServiceNow, form: Form) -> HttpResponse:
    today = request.at.date()
    looks_after = _may_change(request, found) or found.managed_by(request.user.pk)
    successor = facts.service(found.successor, today) if found.successor else None
    context = {
        "found": found,
        "areas": place.organisation_names(found.areas, today),
        "bodies": place.organisation_names({each.body for each in found.members}, today),
        "may_change": _may_change(request, found),
        "looks_after": looks_after,
        "works_here": found.has(request.user.pk) or found.managed_by(request.user.pk),
        "staff": _staff(request, found) if looks_after else {},
        "successor": successor,
        "late": late_messages(request.at, service=found.code),
        "form": form,
    }
    return render(request, "care/service.jinja", context)


@require_POST
def members(request: Request, service: str) -> HttpResponse:
    """Let somebody work in a service from today, or no longer."""
    found = _found(request, service)
    form = Form.of(request.POST, ("verb", "person", "elsewhere", "manages", "member"))
    if not (_may_change(request, found) or found.managed_by(request.user.pk)):
        return _refused(request)
    try:
        if form["verb"] == "end":
            actions.end_member(member_id=number(form["member"]), on=request.at.date(), **acting(request))
        elif who := _who(form, found, request):
            actions.add_member(
                service=found.code, user_id=who[0], organisation=who[1], manages=form["manages"] == "yes",
                from_date=request.at.date(), **acting(request),
            )  # fmt: skip
    except Refused as refused:
        form.refused(refused, _FIELDS)
    return _page(request, found, form) if form.errors else redirect(url("care:service", service=service))


def _who(form: Form, found: ServiceNow, request: Request) -> tuple[int, str] | None:
    """Whom a form names, and the body where they hold a post for it; noted in the form when there is nobody."""
    user_id = user_with_email(form["elsewhere"].lower()) if form["elsewhere"] else number(form["person"])
    field = "elsewhere" if form["elsewhere"] else "person"
    bodies = [each.organisation for each in place.holders(request.at.date()) if each.user_id == user_id]
    if not bodies:
        form.wrong(field, "Nobody with that address holds a role today" if form["elsewhere"] else "Choose somebody")
        return None
    return user_id or 0, found.body if found.body in bodies else bodies[0]


def offer(request: Request) -> HttpResponse:
    """Add a service to those that the place has."""
    if not _may_add(request):
        return _refused(request)
    today = request.at.date()
    own = sorted({post.organisation for post in posts_with(standing_of(request).posts, "manage_staff")})
    form = Form.of(request.POST, FIELDS, open="yes", body=own[0] if len(own) == 1 else "")
    if request.method == "POST" and (said := _said(form, request)):
        taken = {each.code for each in facts.services(today, closed=True)}
        code = _code(form["name"], taken)
        try:
            actions.offer_service(code=code, **said, **acting(request))
            return redirect(url("care:service", service=code))
        except Refused as refused:
            form.refused(refused, _FIELDS)
    return render(request, "care/offer.jinja", {"form": form, "kinds": facts.rules(today).kinds, "found": None})


def change(request: Request, service: str) -> HttpResponse:
    """Change what a service is, or whether it takes referrals, from today."""
    found = _found(request, service)
    if not _may_change(request, found):
        return _refused(request)
    form = Form.of(
        request.POST, FIELDS, name=found.name, kind=found.kind, body=found.body, about=found.about,
        areas="\n".join(found.areas), open="yes" if found.open else "no",
    )  # fmt: skip
    if request.method == "POST" and (said := _said(form, request)):
        try:
            actions.change_service(code=service, open=form["open"] == "yes", **said, **acting(request))
            return redirect(url("care:service", service=service))
        except Refused as refused:
            form.refused(refused, _FIELDS)
    context = {"form": form, "kinds": facts.rules(request.at.date()).kinds, "found": found}
    return render(request, "care/offer.jinja", context)


def close(request: Request, service: str) -> HttpResponse:
    """Close a service for good; what is open there goes on at another."""
    found = _found(request, service)
    if not _may_change(request, found):
        return _refused(request)
    form = Form.of(request.POST, ("successor",))
    if request.method == "POST":
        try:
            actions.close_service(code=service, successor=form["successor"], **acting(request))
            return redirect(url("care:services"))
        except Refused as refused:
            form.refused(refused, _FIELDS)
    others = facts.services(request.at.date())
    context = {
        "found": found,
        "others": {each.code: service_words(each) for each in others if each.code != service},
        "form": form,
    }
    return render(request, "care/close.jinja", context)


def _said(form: Form, request: Request) -> dict[str, Any]:
    """What a form says of a service; nothing, with what is wrong noted in the form."""
    today = place.as_at(request.at.date())
    name = form.needed("name", "Enter what the service is called")
    kind = form.chosen("kind", facts.rules(today.on).kinds, "Choose what it does")
    body = form.body("body", today)
    areas = form.bodies("areas", today, MOST_AREAS)
    if form.errors or body is None:
        return {}
    codes = tuple(each.code for each in areas)
    return {"organisation": body.code, "kind": kind, "name": name, "about": form["about"], "areas": codes}


def _found(request: Request, service: str) -> ServiceNow:
    found = facts.service(service, request.at.date())
    if found is None:
        raise Http404
    return found


def _may_add(request: Request) -> bool:
    posts = standing_of(request).posts
    return may_arrange(posts) or bool(posts_with(posts, "manage_staff"))


def _may_change(request: Request, found: ServiceNow) -> bool:
    """Whoever arranges the place, and who looks after the staff of the body that runs the service."""
    posts = standing_of(request).posts
    return may_arrange(posts) or any(post.organisation == found.body for post in posts_with(posts, "manage_staff"))


def _staff(request: Request, found: ServiceNow) -> dict[str, str]:
    """Who holds a post at the body that runs a service and is not of it yet: their id, name and role."""
    those = {each.user_id for each in found.members}
    holders = [each for each in place.holders(request.at.date()) if each.organisation == found.body]
    named = sorted(holders, key=lambda each: each.user_name)
    return {str(h.user_id): f"{h.user_name}, {ROLES.get(h.role, h.role)}" for h in named if h.user_id not in those}


def _refused(request: Request) -> HttpResponse:
    sentence = "Services are changed by who manages them, who looks after the staff there, and integration leads."
    return render(request, "care/refused.jinja", {"sentence": sentence}, status=403)


def _code(name: str, taken: set[str]) -> str:
    """A code for a service from its name: `district-nursing`, or `district-nursing-2` where that is taken."""
    code = slugify(name)[:MOST_CODE].strip("-") or "service"
    # Neither is the name of a page beside those of services.
    numbers = (f"{code}-{n}" for n in range(2, len(taken) + 3))
    return next(each for each in (code, *numbers) if each not in taken | {"add", "asked"})
