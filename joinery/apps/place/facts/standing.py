"""What a user is in the place on a day, whatever has become of the body that took them on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.sql import AsAt, newest_first, statements
from joinery.calc.access import ROLES, Post
from joinery.calc.succession import Edge, Lineage, Step


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user is on a day: posts, the first of them in words, and whether one of their
    memberships waits for a decision because its body ended without a plain successor."""

    posts: tuple[Post, ...]
    role_text: str
    organisation_name: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A membership on a day: where it was given, and what was decided about it when bodies ended."""

    id: int
    user_id: int
    role: str
    given: date
    body: str
    decided: dict[str, Step]


@place_facts
def standing(user_id: int, on: date) -> Standing:
    """The posts that a user holds on a day, in the order in which they were given."""
    held, names, moved = _memberships(on, "m.user_id = %s", [user_id])
    if not held:
        return Standing((), "", "")
    if moved:
        lineage, more = lineage_of({each.body for each in held}, AsAt(on))
        names |= more
    else:
        lineage = Lineage({}, ())
    posts, waits = [], False
    for each in held:
        now = where_now(each, lineage, on)
        waits = waits or lineage.ended(now, on)
        reach = lineage.reach(each.body, each.given, each.decided) if moved else ()
        posts.append(Post(each.role, now, reach))
    first = posts[0]
    return Standing(tuple(posts), ROLES.get(first.role, first.role), names.get(first.organisation, ""), waits)


def where_now(held: Held, lineage: Lineage, on: date) -> str:
    """The body at which a membership stands on a day: an ended one when it waits for a decision."""
    line = lineage.line(held.body, held.decided)
    return [step.body for step in line if step.from_date <= on][-1]


def memberships(on: date) -> tuple[list[Held], dict[str, str]]:
    """Every membership on a day, and the names of their bodies."""
    held, names, _ = _memberships(on, "1 = 1", [])
    return held, names


def _memberships(on: date, where: str, values: Sequence[Any]) -> tuple[list[Held], dict[str, str], bool]:
    """Memberships with the names of their bodies, and whether any body ended, or came from another."""
    as_at = AsAt(on)
    name = (
        f"(SELECT s.value FROM {statements(as_at)} WHERE s.organisation_id = o.id AND s.kind = 'name' "
        f"AND {as_at.holds('s')} ORDER BY {newest_first()} LIMIT 1)"
    )
    moved = (
        "EXISTS (SELECT 1 FROM place_statement x WHERE x.target_id = o.id AND x.kind = 'succeeded_by') OR "
        "EXISTS (SELECT 1 FROM place_statement x WHERE x.organisation_id = o.id AND x.kind = 'open' "
        "AND x.to_date IS NOT NULL)"
    )
    sql = (
        f"SELECT m.id, m.user_id, m.role, m.from_date, o.code, {name}, {moved}, pe.code, po.code, p.from_date "
        "FROM place_membership m JOIN place_organisation o ON o.id = m.organisation_id "
        "LEFT JOIN place_passing p ON p.membership_id = m.id "
        "LEFT JOIN place_organisation pe ON pe.id = p.ended_id "
        "LEFT JOIN place_organisation po ON po.id = p.organisation_id "
        f"WHERE {where} AND {as_at.holds('m')} ORDER BY m.id, p.id"
    )
    held: dict[int, Held] = {}
    names: dict[str, str] = {}
    any_moved = False
    for row in select(sql, [*as_at.day, *values, *as_at.day]):
        each = held.setdefault(row[0], Held(row[0], row[1], row[2], as_day(row[3]) or date.min, row[4], {}))
        names[row[4]] = row[5] or row[4]
        any_moved = any_moved or bool(row[6])
        if row[7] is not None:
            each.decided[row[7]] = Step(row[8], as_day(row[9]) or date.min)
    return list(held.values()), names, any_moved


def lineage_of(codes: Collection[str], as_at: AsAt) -> tuple[Lineage, dict[str, str]]:
    """The lineage around some bodies: what they became, and all that came into any of that; and names."""
    onward = statements(as_at, "x", on="x.organisation_id = w.id AND x.kind = 'succeeded_by'")
    back = statements(as_at, "x", on="x.target_id = w.id AND x.kind = 'succeeded_by'")
    sql = (
        "WITH RECURSIVE onward(id) AS ("
        f"SELECT id FROM place_organisation WHERE code IN ({marks(list(codes))}) "
        f"UNION SELECT x.target_id FROM onward w JOIN {onward}), "
        f"line(id) AS (SELECT id FROM onward UNION SELECT x.organisation_id FROM line w JOIN {back}) "
        "SELECT o.code, s.kind, s.value, t.code, s.from_date, s.to_date, s.detail FROM line JOIN "
        + statements(as_at, on="s.organisation_id = line.id AND s.kind IN ('open', 'succeeded_by', 'name')")
        + " "
        "JOIN place_organisation o ON o.id = line.id LEFT JOIN place_organisation t ON t.id = s.target_id "
        f"ORDER BY {newest_first()}"
    )
    rows = select(sql, list(codes))
    return make_lineage((r[0], r[1], r[3], as_day(r[4]), as_day(r[5]), r[6]) for r in rows), _names(rows, as_at.on)


def make_lineage(rows: Any) -> Lineage:
    """A lineage of rows (code, kind, target, from, to, detail), of one kind those said last first."""
    ends: dict[str, date] = {}
    spoken: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    edges = []
    for code, kind, target, from_date, to_date, detail in rows:
        if kind == "open":
            spoken[code].append((from_date, to_date))
        elif kind == "succeeded_by":
            edges.append(_edge(code, target, from_date, detail))
    for code, lives in spoken.items():
        if all(to_date is not None for _, to_date in lives):
            ends[code] = max(to_date for _, to_date in lives if to_date is not None)
    return Lineage(ends, tuple(edges))


def _edge(code: str, target: str, on: date, detail: Any) -> Edge:
    said = orjson.loads(detail) if isinstance(detail, str) else detail
    areas = frozenset(said.get("areas", ()))
    whole = not areas and not said.get("part") and said.get("share") in (None, 1)
    return Edge(code, target, on, whole, areas)


def _names(rows: Sequence[tuple[Any, ...]], on: date) -> dict[str, str]:
    """The name of each body on a day, or its last one before; rows come with those said last first."""
    chosen: dict[str, tuple[tuple[bool, date], str]] = {}
    for code, kind, value, _, from_date, to_date, _ in rows:
        if kind != "name":
            continue
        start, end = as_day(from_date) or date.min, as_day(to_date)
        rank = (start <= on and (end is None or end > on), start)
        if code not in chosen or rank > chosen[code][0]:
            chosen[code] = (rank, value)
    return {code: value for code, (_, value) in chosen.items()}
