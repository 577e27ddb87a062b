"""The place on a day, a body, finding a body, and who answers for an area."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect

from joinery.apps.place import facts
from joinery.site.context import Request
from joinery.site.jinja import url
from joinery.site.place.forms import Form, date_fields, date_values
from joinery.site.place.looking import Absent, Look, page, show
from joinery.site.place.picture import MOST_DRAWN, NARROW, WIDE, draw, neighbours, rows
from joinery.site.place.words import ATTRIBUTES, CERTAINTY, SCHEMES, capital, foot_words, form_choices, form_words

LOOK_FIELDS = (*date_fields("on", "known"), "proposal")
_LSOA = re.compile(r"[EW]01\d{6}")
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")
MOST_CODE_CHARACTERS = 60
MOST_AREAS = 300


@dataclass(frozen=True, slots=True)
class Group:
    """Things under a heading."""

    heading: str
    items: tuple[Any, ...]


def by_level(found: Iterable[Any]) -> tuple[Group, ...]:
    """Facts that have a body, in the order of levels, under the levels' names."""
    groups = groupby(found, key=lambda each: each.body.kind.level)
    return tuple(Group(facts.LEVELS[level], tuple(items)) for level, items in groups)


@page
def today(request: Request, look: Look) -> HttpResponse:
    """The place on a day: its home body, what is around it and what is inside."""
    form, moved = look_form(request, look, "place:today")
    if moved:
        return moved
    home = facts.home(look.as_at)
    around = facts.outwards(home.code, look.as_at) if home else ()
    heir = next((each.body for each in around if home and each.passed_from == home.code), None)
    # What was around and inside a body that has ended is so of the one that took over.
    stands = heir or home
    inside = facts.inside(stands.code, look.as_at) if stands else facts.Inside((), False)
    context = {
        "form": form,
        "home": home,
        "heir": heir,
        "stands": stands,
        "is_there": bool(home and home.is_open(look.on)),
        "has_ended": bool(home and home.has_ended(look.on)),
        "around": by_level(each for each in around if stands and each.body.code != stands.code),
        "inside": by_level(inside.bodies),
        "more": inside.more,
        "proposals": [e for e in facts.editions(("proposal",)) if e.state == "draft"],
    }
    return show(request, "place/today.jinja", look, context)


def look_form(request: Request, look: Look, name: str, **kwargs: str) -> tuple[Form, HttpResponse | None]:
    """The form that changes the look; once it is sent and right, where to go instead."""
    now = {**date_values("on", look.on), **date_values("known", look.known), "proposal": look.query["proposal"] or ""}
    if not any(field in request.GET for field in date_fields("on", "known")):
        return Form.of({}, LOOK_FIELDS, **now), None
    form = Form.of(request.GET, LOOK_FIELDS)
    on = form.day("on", "the day to look at", needed=False)
    known = form.day("known", "the day of what was known", needed=False)
    if form.errors:
        return form, None
    query = {
        "on": on.isoformat() if on and on != look.today else None,
        "known": known.isoformat() if known else None,
        "proposal": form["proposal"] or None,
    }
    return form, redirect(url(name, query, **kwargs))


@dataclass(frozen=True, slots=True)
class Line:
    """A statement on a body's page: words, the other body, what else is to say, and the small print."""

    words: str
    other: facts.Brief | None
    note: str
    foot: str
    undecided: bool = False


@page
def body(request: Request, look: Look, code: str) -> HttpResponse:
    """One body as at a day, and its history."""
    form, moved = look_form(request, look, "place:body", code=code)
    if moved:
        return moved
    shown = facts.show(code, look.as_at) if len(code) <= MOST_CODE_CHARACTERS and "\0" not in code else None
    if shown is None:
        knew = " as the directory was known then" if look.known else ""
        raise Absent("Nothing is known of this body", f"Nothing is known of a body with the code {code[:60]}{knew}.")
    if shown.brief.code != code:
        return redirect(url("place:body", look.query, code=shown.brief.code))
    history = facts.history_of(shown, look.as_at)
    premises = shown.of("premises")
    door = facts.at_the_door({said.value for said in premises}, look.as_at)
    areas = facts.areas_of(code, look.as_at) if shown.brief.kind.level in facts.AREA_LEVELS else ()
    before, after = neighbours(history)
    table, more_rows = rows(history)
    context = {
        "form": form,
        "brief": shown.brief,
        "form_words": form_words(shown.brief.form),
        "has_ended": shown.brief.has_ended(look.on),
        "successors": after,
        "earliest": facts.EARLIEST,
        "lead": next((said.value for said in shown.of("lead")), ""),
        "outgoing": [_line(s) for s in shown.said if s.other and not s.incoming and s.kind != "succeeded_by"],
        "incoming": _incoming(shown),
        "more": shown.more,
        "most_related": len([s for s in shown.said if s.incoming]),
        "codes": [
            (SCHEMES.get(s.value.partition(":")[0], "Code"), s.value.partition(":")[2]) for s in shown.of("code")
        ],
        "roles": [s.value + (" (primary)" if s.detail.get("primary") else "") for s in shown.of("role")],
        "attributes": [(f"{ATTRIBUTES[s.kind]}: {_value(s)}", _foot(s)) for s in shown.said if s.kind in ATTRIBUTES],
        "areas": areas,
        "most_areas": MOST_AREAS,
        "premises": [(_address(said), _foot(said)) for said in premises],
        "neighbours_at_door": [each for each in door if each.code != shown.brief.code],
        "name_pairs": [(s.value, _foot(s)) for s in shown.of("name")]
        + [(form_words(s.value), _foot(s)) for s in shown.of("form")],
        "pictures": [draw(history, look.on, width) for width in (WIDE, NARROW)],
        "rows": table,
        "more_rows": more_rows,
        "one_foot": table[0].foot if len({row.foot for row in table}) == 1 else "",
        "most_drawn": MOST_DRAWN,
        "cut": max(len(before), len(after)) > MOST_DRAWN,
    }
    return show(request, "place/body.jinja", look, context)


def _line(said: facts.Said) -> Line:
    note = f"named there: {said.passed_from}, which has ended" if said.passed_from else ""
    share = said.detail.get("share")
    words = f"{said.words} ({share:.0%})" if isinstance(share, int | float) else said.words
    return Line(capital(words), said.other, note, _foot(said), said.undecided)


def _foot(said: facts.Said) -> str:
    return foot_words(said.certainty, said.source, said.known_at, said.from_date, said.to_date)


def _incoming(shown: facts.Body) -> tuple[Group, ...]:
    found = sorted((s for s in shown.said if s.incoming), key=lambda s: s.words)
    groups = groupby(found, key=lambda s: s.words)
    return tuple(Group(capital(words), tuple(map(_line, said))) for words, said in groups)


def _value(said: facts.Said) -> str:
    if said.kind in ("care_home", "legal") and not said.value:
        return "Yes"
    return said.value or "Not given"


def _address(said: facts.Said) -> str:
    words = ", ".join(str(said.detail[part]) for part in ("address", "postcode") if said.detail.get(part))
    return words or said.value


@page
def bodies(request: Request, look: Look) -> HttpResponse:
    """Find a body by code or by the start of its name, or all of a form."""
    form = Form.of(request.GET, ("text", "form"))
    if form["form"] and form["form"] not in facts.FORMS:
        raise BadRequest("form")
    try:
        found = facts.find_bodies(look.as_at, form["text"][:300], form["form"], request.GET.get("after", ""))
    except ValueError:
        raise BadRequest("cursor") from None
    context = {
        "form": form,
        "forms": form_choices(),
        "found": found,
        "asked": bool(form["text"] or form["form"]),
        "onward": look.query | {"text": form["text"] or None, "form": form["form"] or None, "after": found.after},
        "paged": bool(request.GET.get("after")),
    }
    return show(request, "place/bodies.jinja", look, context)


@page
def responsible(request: Request, look: Look) -> HttpResponse:
    """Who answers for a postcode or an LSOA on a day. Posted, because a postcode may be somebody's home."""
    form = Form.of(request.POST, ("area", *date_fields("on")), **date_values("on", look.on))
    context: dict[str, Any] = {"form": form, "answer": None, "lsoa": "", "area": form["area"], "certainty": CERTAINTY}
    if request.method == "POST":
        text = "".join(form.needed("area", "Enter a postcode or the code of an LSOA").upper().split())
        on = form.day("on", "the day to ask about")
        if text and not (_LSOA.fullmatch(text) or _POSTCODE.fullmatch(text)):
            form.wrong("area", "Enter a full postcode, like EX1 1AA, or the code of an LSOA, like E01000001")
        if on and not form.errors:
            as_at = facts.AsAt(on, look.as_at.sequence, look.as_at.draft)
            lsoa = text if _LSOA.fullmatch(text) else facts.lsoa_of(text, as_at)
            if lsoa is None:
                form.wrong("area", "It is not known in which area this postcode lies. Use the code of its LSOA instead")
            else:
                found = facts.responsible(lsoa, as_at)
                names = {each.body.code: each.body.name for each in found}
                context |= {"answer": by_level(found), "lsoa": lsoa, "on": on, "names": names}
    return show(request, "place/responsible.jinja", look, context)
