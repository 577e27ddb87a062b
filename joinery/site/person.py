"""Pages about a person: find, open, who has looked, where a line came from.

The decision and the log entry come first; facts are read only through the viewing that they give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from joinery.apps.base import facts as base
from joinery.apps.base.access_log import Viewing
from joinery.apps.base.action import Actor, Refused
from joinery.apps.care import facts as care
from joinery.apps.place import facts as place
from joinery.apps.record import actions
from joinery.apps.record import facts as record
from joinery.calc.access import DIRECT_CARE, OWN_RECORD, may_do, posts_for
from joinery.calc.access_table import OVERRIDE, OWN
from joinery.calc.linkage.ladder import name_key
from joinery.calc.units import parse_nhs_number
from joinery.site.context import Request, first_page, standing_of
from joinery.site.jinja import url
from joinery.site.place import looking
from joinery.site.place.bodies import by_level, look_form

FIELDS = ("nhs_number", "family_name", "given_name", "birth_day", "birth_month", "birth_year")


def find(request: Request) -> HttpResponse:
    """Find a person. The search is posted, so that no name or number ever stands in an address."""
    form = {name: request.POST.get(name, "").strip()[:100] for name in FIELDS}
    context: dict[str, Any] = {
        "form": form,
        "errors": [],
        "results": None,
        "similar": (),
        "more": False,
        "elsewhere": "",
    }
    if request.method != "POST":
        begins = first_page(request)
        return render(request, "record/find.jinja", context) if begins == "record:find" else redirect(url(begins))
    criteria, context["errors"] = _criteria(form)
    posts = standing_of(request).posts
    if criteria is None and posts_for(posts, DIRECT_CARE):
        return render(request, "record/find.jinja", context)
    try:
        found = actions.search_people(
            criteria=criteria or actions.Criteria(), posts=posts, actor=_actor(request), at=request.at
        )
    except Refused as refused:
        return _refused(request, refused)
    people = record.found_people(found.viewing)
    context["results"] = [person for person in people if person.person_id not in found.similar]
    context["similar"] = [person for person in people if person.person_id in found.similar]
    context["more"], context["elsewhere"] = found.more, found.elsewhere
    return render(request, "record/find.jinja", context)


def page(request: Request, person_id: str) -> HttpResponse:
    """One person's record."""
    viewing = opened(request, person_id, "opened")
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    sector = request.GET.get("show", "")
    after = request.GET.get("after", "")
    try:
        timeline = record.timeline_page(viewing, known, sector, after)
    except ValueError:
        raise BadRequest("cursor") from None
    looks = base.looks_page(viewing, limit=5)
    sources = record.freshness(viewing, known)
    context = {
        "banner": record.banner(viewing, known),
        "sections": record.safety(viewing, known, sources),
        "filter": sector if sector in record.SECTORS else "everything",
        "lines": timeline.lines,
        "older": timeline.older,
        "newer": bool(after),
        "sources": sources,
        "whereabouts": record.whereabouts(viewing, known, sources),
        "referrals": care.referrals_of(viewing, known),
        "may_refer": may_refer(viewing),
        "kept_apart": record.kept_apart(viewing, known),
        "looks": _named(looks.looks, _names_at_hand(request, known)),
        "emergency": viewing.decision.reason == OVERRIDE,
        "own": viewing.purpose == OWN_RECORD,
        "herself": viewing.decision.reason == OWN,
    }
    return render(request, "record/person.jinja", context)


def may_refer(viewing: Viewing) -> bool:
    """Whether who looks at a record may refer the person, in the post that opened it."""
    post = viewing.decision.post
    return post is not None and may_do([post], "refer").allowed


def looked(request: Request, person_id: str) -> HttpResponse:
    """Who has looked at this person's record."""
    viewing = opened(request, person_id, "log")
    if isinstance(viewing, HttpResponse):
        return viewing
    after = request.GET.get("after", "")
    if after and not (after.isdecimal() and len(after) < 19):
        raise BadRequest("cursor")
    looks = base.looks_page(viewing, after, limit=50, stood=record.stood_elsewhere(viewing))
    names = place.organisation_names((look.organisation for look in looks.looks), request.at.date())
    context = {
        "banner": record.banner(viewing, record.records(viewing)),
        "looks": _named(looks.looks, names),
        "older": looks.older,
    }
    return render(request, "record/looked.jinja", context)


@looking.page
def answers(request: Request, look: looking.Look, person_id: str) -> HttpResponse:
    """Which bodies answer for where the person lives, on any day."""
    form, moved = look_form(request, look, "record:answers", person_id=person_id)
    if moved:
        return moved
    viewing = opened(request, person_id, "opened")
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    postcode = record.home_postcode(viewing, known)
    lsoa = place.lsoa_of(postcode, look.as_at) if postcode else None
    context = {
        "banner": record.banner(viewing, known),
        "form": form,
        "postcode": postcode,
        "lsoa": lsoa,
        "groups": by_level(place.responsible(lsoa, look.as_at)) if lsoa else (),
    }
    return looking.show(request, "record/answers.jinja", look, context)


def entry(request: Request, person_id: str, entry_id: int) -> HttpResponse:
    """Where one line of the timeline came from."""
    viewing = opened(request, person_id, "original")
    if isinstance(viewing, HttpResponse):
        return viewing
    known = record.records(viewing)
    origin = record.origin(viewing, known, entry_id)
    if origin is None:
        raise Http404
    context = {
        "banner": record.banner(viewing, known),
        "line": origin.line,
        "versions": origin.versions,
        "same_visit": origin.same_visit,
        "original": origin.original,
        "original_format": origin.original_format,
    }
    return render(request, "record/entry.jinja", context)


def opened(
    request: Request, person_id: str, what: str, reviewing: bool = False, purpose: str = ""
) -> Viewing | HttpResponse:
    """A viewing of one person; or what to answer instead: a refusal, or the way from an old id to the one now.

    With `reviewing` the page is also for whoever puts right who is who; with a `purpose` for that alone.
    """
    posts = standing_of(request).posts
    try:
        return actions.open_record(
            person_id=person_id, posts=posts, actor=_actor(request), at=request.at, what=what, reviewing=reviewing,
            purpose=purpose,
        )  # fmt: skip
    except actions.Moved as moved:
        return _moved(request, moved.person_id)
    except actions.NotOpened as refused:
        return _refused(request, refused, person_id if refused.override_offered else "")


def _moved(request: Request, person_id: str) -> HttpResponse:
    """To the same page of whom an old id leads to now; there the look is decided on and logged."""
    match = request.resolver_match
    if match is None:
        raise Http404
    query = {name: request.GET[name] for name in request.GET}
    return redirect(url(match.view_name, query, **match.kwargs | {"person_id": person_id}))


def _refused(request: Request, refused: Refused, in_emergency: str = "") -> HttpResponse:
    """The reason in words; `in_emergency` is whose record may be opened all the same."""
    context = {"sentence": refused.message, "in_emergency": in_emergency}
    return render(request, "record/refused.jinja", context, status=403)


def _actor(request: Request) -> Actor:
    return Actor.user(request.user.pk)


def _named(looks: tuple[base.Look, ...], names: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Looks with the names of organisations, which base does not know."""
    return tuple(asdict(look) | {"organisation": names.get(look.organisation, "")} for look in looks)


def _names_at_hand(request: Request, known: record.PersonRecords) -> dict[str, str]:
    """The names of the organisations that have a record of the person, and of the user's own: no statement more."""
    own = standing_of(request)
    names = {post.organisation: own.organisation_name for post in own.posts[:1]}
    return names | {each.organisation: each.organisation_name for each in known.known}


def _criteria(form: dict[str, str]) -> tuple[actions.Criteria | None, list[dict[str, str]]]:
    """What was typed as criteria, or the errors to mend."""
    errors = []
    number = parse_nhs_number(form["nhs_number"]) or ""
    if form["nhs_number"] and not number:
        errors.append({"field": "nhs_number", "message": "Enter a valid NHS number, like 999 000 1111"})
    born, problem = _birth_date(form)
    if problem:
        errors.append({"field": "birth_day", "message": problem})
    if not number and not name_key(form["family_name"]) and not errors:
        if born is None:
            errors.append({"field": "nhs_number", "message": "Enter an NHS number, or a last name"})
        else:
            errors.append({"field": "family_name", "message": "Enter a last name with the date of birth"})
    if errors:
        return None, errors
    return actions.Criteria(number, form["family_name"], form["given_name"], born), []


def _birth_date(form: dict[str, str]) -> tuple[date | None, str]:
    parts = [form["birth_year"], form["birth_month"], form["birth_day"]]
    if not any(parts):
        return None, ""
    try:
        born = date(*(int(part) for part in parts))
    except (ValueError, OverflowError):
        return None, "Date of birth must be a real date, like 3 3 1941"
    # Nobody alive was born before; "41" was meant to be 1941.
    return (born, "") if born.year >= 1880 else (None, "Year of birth must have 4 digits, like 1941")
