"""Finding bodies: by code, by the start of a name, by form, and at the same door."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.briefs import Brief, matching
from joinery.apps.place.facts.bodies import briefs, organisation
from joinery.apps.place.sql import AsAt, newest_first, of_kind, statements

MOST_FOUND = 200
# Up to so many bodies of a form are sorted by name; of a form that more have, the list of names is walked.
_FEW = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """A page of bodies by name; `after` is the cursor of the next page, if there is one."""

    bodies: tuple[Brief, ...]
    after: str | None


@place_facts
def find_bodies(
    as_at: AsAt, text: str = "", form: str = "", after: str = "", limit: int = 50
) -> Found:  # fmt: skip
    """Bodies whose name on the day begins with `text`, of one form if given, by name; 200 at most.

    A body whose code, or another code, is `text` comes first. Raises ValueError for a cursor that is none.
    """
    limit = min(limit, MOST_FOUND)
    where, values = ["s.kind = 'name'", as_at.holds("s"), f"s.id = ({_current('name', 's', as_at)})"], [*as_at.day] * 2
    key = " ".join(text.lower().split())
    if key:
        where.append("LOWER(s.value) >= %s AND LOWER(s.value) < %s")
        values += [key, _past(key)]
    if after:
        name, body = _cursor(after)
        where.append("(LOWER(s.value) > %s OR (LOWER(s.value) = %s AND s.organisation_id > %s))")
        where.append("LOWER(s.value) >= %s")
        values += [name, name, body, name]
    source = statements(as_at)
    if form:
        where.append(f"%s = ({_current('form', 's', as_at, 'value')})")
        values += [form, *as_at.day]
        ever = f"SELECT x.organisation_id FROM place_statement x WHERE {of_kind('form', 'x')} AND x.value = %s"
        ((many,),) = select(f"SELECT COUNT(*) FROM ({ever} LIMIT {_FEW + 1}) f", [form])
        if many <= _FEW:
            # A cross join keeps this order: first the bodies of the form, then their names.
            source = f"(SELECT DISTINCT f.organisation_id AS id FROM ({ever}) f) d CROSS JOIN {source}"
            where.append("s.organisation_id = d.id")
            values = [form, *values]
    sql = (
        f"SELECT s.organisation_id, LOWER(s.value) FROM {source} WHERE {' AND '.join(where)} "
        f"ORDER BY LOWER(s.value), s.organisation_id LIMIT {limit + 1}"
    )
    rows = select(sql, values)
    known = briefs([row[0] for row in rows[:limit]], as_at)
    bodies = [known[row[0]] for row in rows[:limit]]
    named = organisation(text.strip().upper(), as_at) if key and not after and " " not in key else None
    if named and (not form or named.form == form):
        bodies = [named, *(body for body in bodies if body.id != named.id)]
    more = len(rows) > limit
    return Found(tuple(bodies), f"{rows[limit - 1][0]}~{rows[limit - 1][1]}" if more else None)


def _past(key: str) -> str:
    """What comes after every text that begins with `key`."""
    last = ord(key[-1])
    # From here on the next number may be no letter that a database takes.
    return key[:-1] + chr(last + 1) if last < 0xD7FF else key + chr(0x10FFFF)


def _current(kind: str, of: str, as_at: AsAt, column: str = "id") -> str:
    """The statement of a single-valued kind that counts for a body on the day, with two marks for the day."""
    return (
        f"SELECT c.{column} FROM {statements(as_at, 'c')} WHERE c.organisation_id = {of}.organisation_id "
        f"AND c.kind = '{kind}' AND {as_at.holds('c')} ORDER BY {newest_first('c')} LIMIT 1"
    )


def _cursor(after: str) -> tuple[str, int]:
    body, _, name = after.partition("~")
    if not (body.isascii() and body.isdecimal() and len(body) < 19 and len(name) <= 300 and "\0" not in name):
        raise ValueError("cursor")
    return name, int(body)


@place_facts
def at_the_door(premises: Collection[str], as_at: AsAt) -> tuple[Brief, ...]:
    """Every body that was ever registered at some premises (values as the directory keeps them), oldest first."""
    if not premises:
        return ()
    values: list[Any] = sorted(premises)
    door = (
        f"o.id IN (SELECT p.organisation_id FROM {statements(as_at, 'p')} "
        f"WHERE {of_kind('premises', 'p')} AND p.value IN ({marks(values)}))"
    )
    found = matching(door, values, as_at).values()
    return tuple(sorted(found, key=lambda b: (b.from_date is None, b.from_date, b.code)))[:MOST_FOUND]


@place_facts
def postcodes_of(form: str, as_at: AsAt) -> frozenset[str]:
    """The postcodes, without spaces, at which bodies of a form have been registered."""
    sql = (
        f"SELECT p.detail FROM {statements(as_at, 'p')} WHERE {of_kind('premises', 'p')} AND p.organisation_id IN "
        f"(SELECT f.organisation_id FROM {statements(as_at, 'f')} WHERE {of_kind('form', 'f')} AND f.value = %s)"
    )
    found = (json.loads(detail) if isinstance(detail, str) else detail for (detail,) in select(sql, [form]))
    return frozenset(detail["postcode"] for detail in found if detail.get("postcode"))
