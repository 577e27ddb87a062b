"""Changes to the directory: each counts at once, or is added to a proposal (`edition_id`).

A change happens on a day (`on`), which may lie ahead. A merger or split writes what ends, what begins
and the succession between them, and nothing else: areas, relations and memberships of a body that ended
are followed to its successor by whoever asks, so nothing can be left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.place.actions.editions import HAND, Entry, adopt, as_json, draft, open_edition, write
from joinery.apps.place.actions.reconcile import area_entries, ended, entries_of, holds, ids_of
from joinery.apps.place.briefs import Brief
from joinery.apps.place.facts.bodies import briefs, by_codes, organisation
from joinery.apps.place.kinds import EARLIEST, FORMS, KINDS
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.models import Edition
from joinery.apps.place.sql import AsAt

# What a new body takes over from the old ones: where it stands, not who owns or leads it.
_INHERITED = ("part_of", "in_geography_of", "directed_by", "commissioned_by", "operated_by", "faces")

# What the columns hold; a database that does not look would keep more.
MOST_CODE, MOST_NAME, MOST_TITLE = 40, 300, 200


@dataclass(frozen=True, slots=True)
class OrganisationDetails:
    """A body as somebody names it: `form` is one of FORMS."""

    code: str
    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a body that is split: who takes it over, in words, and which areas and share it is."""

    into: OrganisationDetails
    words: str = ""
    areas: tuple[str, ...] = ()
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How a succession is done in law: `transfer scheme`, `order`; contracts `novated` or `re-made`."""

    instrument: str = ""
    contracts: str = ""


@action("place.register_organisation")
def register_organisation(
    *, details: OrganisationDetails, actor: Actor, at: datetime, since: date = EARLIEST, edition_id: int | None = None
) -> int:
    """Add a body, or bring its name and form up to date from today on; returns its id.

    The code of a body that has ended is not used again.
    """
    _check_details(details)
    body = ids_of([details.code])[details.code]
    known = entries_of(_seen(date.max, edition_id), [body])
    if not known:
        entries = _opened(body, details, since)
    else:
        on = max(at.date(), _body(details.code, date.max, edition_id).from_date or EARLIEST)
        entries = [e for k, v in (("name", details.name), ("form", details.form)) for e in _now(known, k, v, on)]
    if entries:
        _put(f"{details.name} ({details.code})", entries, edition_id, actor, at)
    return body


@action("place.rename", targets=("code", "edition_id"))
def rename(*, code: str, name: str, on: date, actor: Actor, at: datetime, edition_id: int | None = None) -> None:
    """Give a body another name from a day on; it stays the same body."""
    body = _body(code, on, edition_id)
    if not name.strip():
        raise Refused("name", "Give the new name.")
    known = entries_of(_seen(on, edition_id), [body.id])
    _put(f"{body.name} is renamed {name}", _now(known, "name", name.strip(), on), edition_id, actor, at)


@action("place.change_form", targets=("code", "form", "edition_id"))
def change_form(*, code: str, form: str, on: date, actor: Actor, at: datetime, edition_id: int | None = None) -> None:
    """Give a body another legal form from a day on; it stays the same body."""
    body = _body(code, on, edition_id)
    _check_details(OrganisationDetails(code, body.name, form))
    known = entries_of(_seen(on, edition_id), [body.id])
    _put(f"{body.name} becomes a {FORMS[form].words}", _now(known, "form", form, on), edition_id, actor, at)


@action("place.name_lead", targets=("code", "edition_id"))
def name_lead(*, code: str, name: str, on: date, actor: Actor, at: datetime, edition_id: int | None = None) -> None:
    """Name the one person who answers for a body from a day on."""
    body = _body(code, on, edition_id)
    if not name.strip():
        raise Refused("name", "Give the name of the lead.")
    known = entries_of(_seen(on, edition_id), [body.id])
    _put(f"Lead of {body.name}", _now(known, "lead", name.strip(), on), edition_id, actor, at)


@action("place.relate", targets=("code", "kind", "target", "edition_id"))
def relate(
    *, code: str, kind: str, target: str, on: date, actor: Actor, at: datetime,
    until: date | None = None, share: float | None = None, edition_id: int | None = None,
) -> None:  # fmt: skip
    """Say that a body stands in a relation to another from a day on (`share` of an owner, 0 to 1)."""
    if kind not in KINDS or not KINDS[kind].relation or kind == "succeeded_by":
        raise Refused("kind", f"There is no relation {kind}.")
    body, other = _body(code, on, edition_id), _body(target, on, edition_id)
    if body.id == other.id:
        raise Refused("itself", "A body cannot stand in a relation to itself.")
    detail = as_json({} if share is None else {"share": share})
    entries = [Entry(body.id, kind, "", other.id, on, until, detail=detail)]
    if KINDS[kind].single:
        known = entries_of(_seen(on, edition_id), [body.id])
        entries = [ended(e, on) for e in known if e.kind == kind and holds(e, on)] + entries
    _put(f"{body.name} {KINDS[kind].words} {other.name}", entries, edition_id, actor, at)


@action("place.unrelate", targets=("code", "kind", "target", "edition_id"))
def unrelate(
    *, code: str, kind: str, target: str, on: date, actor: Actor, at: datetime, edition_id: int | None = None
) -> None:
    """End a relation on a day."""
    body, other = _body(code, on, edition_id), _known(target, on, edition_id)
    known = [e for e in entries_of(_seen(on, edition_id), [body.id]) if e.kind == kind]
    led = _led_to(known, _seen(on, edition_id))
    entries = [ended(e, on) for e, to in led if other.id in (e.target_id, to)]
    if not entries:
        raise Refused("no_relation", f"{body.name} stands in no such relation to {other.name} on that day.")
    _put(f"{body.name} no longer {KINDS[kind].words} {other.name}", entries, edition_id, actor, at)


@action("place.close_body", targets=("code", "edition_id"))
def close_body(*, code: str, on: date, actor: Actor, at: datetime, edition_id: int | None = None) -> None:
    """End a body on a day, with nobody to take over from it."""
    body = _ending(code, on, edition_id)
    entries = _closed(body, entries_of(_seen(on, edition_id), [body.id]), on)
    _put(f"{body.name} closes", entries, edition_id, actor, at)


@action("place.merge", targets=("codes", "edition_id"))
def merge(
    *, codes: Sequence[str], into: OrganisationDetails, on: date, actor: Actor, at: datetime,
    terms: Terms = Terms(), edition_id: int | None = None,
) -> None:  # fmt: skip
    """End bodies on a day, and let one body take over all of each: a new one, or one that is there."""
    old = list({body.id: body for body in (_ending(code, on, edition_id) for code in codes)}.values())
    new, entries = _successor(into, old, on, edition_id)
    if new in {body.id for body in old}:
        raise Refused("into", f"{into.code} cannot end and take over. Name the others only, or give a new code.")
    if len(old) + (not entries) < 2:
        raise Refused("one", "A merger takes two bodies at least. To give one another name, rename it.")
    detail = as_json(_terms(terms))
    for body in old:
        entries += _closed(body, entries_of(_seen(on, edition_id), [body.id]), on)
        entries.append(Entry(body.id, "succeeded_by", "", new, on, detail=detail))
    _put(f"{', '.join(b.name for b in old)} become {into.name}", entries, edition_id, actor, at)


@action("place.split", targets=("code", "edition_id"))
def split(
    *, code: str, parts: Sequence[Part], on: date, actor: Actor, at: datetime,
    terms: Terms = Terms(), edition_id: int | None = None,
) -> None:  # fmt: skip
    """End a body on a day, and let several take over a part each."""
    body = _ending(code, on, edition_id)
    successors = [_successor(part.into, [body], on, edition_id) for part in parts]
    if len({new for new, _ in successors} - {body.id}) < max(2, len(parts)):
        raise Refused("parts", f"Name two bodies at least that take over parts of {body.name}, each once, not itself.")
    areas = [area for part in parts for area in part.areas]
    if twice := sorted({area for area in areas if areas.count(area) > 1}):
        raise Refused("areas", f"Each area goes to one part only: {', '.join(twice[:5])} stands in several.")
    entries = _closed(body, entries_of(_seen(on, edition_id), [body.id]), on)
    for part, (new, more) in zip(parts, successors, strict=True):
        entries += more
        detail = as_json(_terms(terms) | _part(part))
        entries.append(Entry(body.id, "succeeded_by", "", new, on, detail=detail))
    _put(f"{body.name} is split", entries, edition_id, actor, at)


@action("place.move", targets=("code", "from_code", "to_code", "edition_id"))
def move(
    *, code: str, from_code: str, to_code: str, on: date, actor: Actor, at: datetime,
    terms: Terms = Terms(), edition_id: int | None = None,
) -> None:  # fmt: skip
    """Move a body (a district, a neighbourhood) or an LSOA from one body to another on a day."""
    left, joined = _body(from_code, on, edition_id), _body(to_code, on, edition_id)
    if left.id == joined.id:
        raise Refused("itself", f"{left.name} cannot give anything to itself.")
    seen = _seen(on, edition_id)
    moved = organisation(code, seen)
    if moved:
        moved = _body(code, on, edition_id)
        around = [e for e in entries_of(seen, [moved.id]) if e.kind in _INHERITED]
        known = [e for e, to in _led_to(around, seen) if to == left.id]
        new = [replace(e, target_id=joined.id, from_date=on, to_date=None) for e in known]
    else:
        known = [e for e, to in _led_to(area_entries(seen, [code]), seen) if to == left.id]
        new = [Entry(joined.id, "area", code, None, on) for _ in known[:1]]
    name = moved.name if moved else code
    if not known:
        raise Refused("not_there", f"{name} is no part of {left.name} on that day, so it cannot move from there.")
    given = _given(left, joined, (moved.code if moved else code, name), terms, seen)
    entries = [*(ended(e, on) for e in known), *new, given]
    _put(f"{name} moves from {left.name} to {joined.name}", entries, edition_id, actor, at)


def _given(left: Brief, joined: Brief, part: tuple[str, str], terms: Terms, seen: AsAt) -> Entry:
    """The succession of a part (code and name); what else was given on that day stays in it."""
    given = Entry(left.id, "succeeded_by", "", joined.id, seen.on)
    before = next((e.detail for e in entries_of(seen, [left.id]) if e.key == given.key), "{}")
    said: dict[str, Any] = orjson.loads(before)
    areas, words = sorted({*said.get("areas", ()), part[0]}), [said.get("part", ""), part[1]]
    detail = said | _terms(terms) | {"areas": areas, "part": ", ".join(filter(None, words))}
    return replace(given, detail=as_json(detail))


def _led_to(known: Iterable[Entry], seen: AsAt) -> list[tuple[Entry, int | None]]:
    """Relations and areas that hold on the day, each with the body at whose end it stands by then.

    That is the one that took over from the body named; None where nobody has decided which.
    """
    held = [e for e in known if holds(e, seen.on)]
    ends = briefs({i for e in held for i in (e.organisation_id, e.target_id) if i}, seen)
    lineage = lineage_of({body.code for body in ends.values()}, seen)[0]
    led = []
    for e in held:
        body = ends[e.target_id or e.organisation_id]
        about = ends[e.organisation_id].code if e.target_id else e.value
        led.append((e, lineage.heir(body.code, seen.on, frozenset({about}))))
    ids = {b.code: b.id for b in by_codes({heir for _, heir in led if heir}, seen).values()}
    return [(e, ids[heir] if heir else None) for e, heir in led]


def _check_details(details: OrganisationDetails) -> None:
    if details.form not in FORMS:
        raise Refused("form", f"{details.code}: there is no form {details.form}. Forms: {', '.join(sorted(FORMS))}.")
    if not details.code.strip() or not details.name.strip():
        raise Refused("details", "A body needs a code and a name.")
    if len(details.code) > MOST_CODE or len(details.name) > MOST_NAME:
        raise Refused("details", f"A code has {MOST_CODE} characters at most, and a name {MOST_NAME}.")


def _seen(on: date, edition_id: int | None) -> AsAt:
    return AsAt(on, draft=edition_id)


def _known(code: str, on: date, edition_id: int | None) -> Brief:
    body = organisation(code, _seen(on, edition_id))
    # A code that others mention, or that another proposal made, is no body yet.
    if body is None or not entries_of(_seen(on, edition_id), [body.id]):
        raise Refused("organisation", f"No body has the code {code}.")
    return body


def _body(code: str, on: date, edition_id: int | None) -> Brief:
    """The body with this code, which must be there on the day."""
    body = _known(code, on, edition_id)
    if body.has_ended(on):
        raise Refused("ended", f"{body.name} ({body.code}) ended on {body.to_date}, so nothing can happen to it then.")
    if not body.is_open(on):
        raise Refused("not_open", f"{body.name} ({body.code}) begins on {body.from_date}. Choose that day or a later.")
    return body


def _ending(code: str, on: date, edition_id: int | None) -> Brief:
    """The body with this code, which must be there on the day and have no end yet."""
    body = _body(code, on, edition_id)
    if body.to_date is not None:
        raise Refused("ends", f"{body.name} ({body.code}) is to end on {body.to_date} already.")
    return body


def _opened(body: int, details: OrganisationDetails, since: date) -> list[Entry]:
    said = (("open", ""), ("name", details.name), ("form", details.form))
    return [Entry(body, kind, value, None, since) for kind, value in said]


def _now(known: Iterable[Entry], kind: str, value: str, on: date) -> list[Entry]:
    """A single-valued kind from a day on: what held then ends, what was to come is withdrawn."""
    same = [e for e in known if e.kind == kind and (e.to_date is None or e.to_date > on)]
    if any(e.value == value and holds(e, on) and e.to_date is None for e in same):
        return []
    body = next(e.organisation_id for e in known)
    gone = [ended(e, on) if e.from_date < on else replace(e, withdrawn=True) for e in same]
    return [*gone, Entry(body, kind, value, None, on)]


def _closed(body: Brief, known: Iterable[Entry], on: date) -> list[Entry]:
    """What ends with a body: its life and its lead. A body of which nobody said that it is open was so always."""
    ending = [e for e in known if e.kind in ("open", "legal", "lead") and (e.to_date is None or e.to_date > on)]
    if not any(e.kind == "open" for e in ending):
        ending.append(Entry(body.id, "open", "", None, EARLIEST))
    return [ended(e, on) for e in ending]


def _successor(
    details: OrganisationDetails, old: Sequence[Brief], on: date, edition_id: int | None
) -> tuple[int, list[Entry]]:
    """The id of the body that takes over; if it is new, what it begins with: the old ones' surroundings."""
    seen = _seen(on, edition_id)
    there = organisation(details.code, seen)
    if there and entries_of(seen, [there.id]):
        return _body(details.code, on, edition_id).id, []
    _check_details(details)
    body, ending = ids_of([details.code])[details.code], {each.id for each in old}
    around = [e for e in entries_of(seen, ending) if e.kind in _INHERITED]
    now = [(e, to or e.target_id) for e, to in _led_to(around, seen)]
    inherited = {
        (e.kind, to): replace(e, organisation_id=body, target_id=to, from_date=on, to_date=None)
        for e, to in now
        if to not in ending
    }
    return body, [*_opened(body, details, on), *inherited.values()]


def _terms(terms: Terms) -> dict[str, object]:
    said = {"instrument": terms.instrument, "contracts": terms.contracts}
    return {name: value for name, value in said.items() if value}


def _part(part: Part) -> dict[str, object]:
    said = {"part": part.words or part.into.name, "areas": sorted(part.areas), "share": part.share}
    return {name: value for name, value in said.items() if value}


def _put(title: str, entries: Iterable[Entry], edition_id: int | None, actor: Actor, at: datetime) -> None:
    """Add the change to a proposal, or make it count at once."""
    if edition_id is not None:
        write(draft(edition_id).pk, entries)
        return
    edition = open_edition(kind=Edition.Kind.ACT, source=HAND, title=title[:MOST_TITLE], actor=actor, at=at)
    write(edition.pk, entries)
    adopt(edition, at)
