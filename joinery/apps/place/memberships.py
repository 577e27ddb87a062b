"""Reading memberships: where each was given, and where it stands on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from joinery.apps.base.columns import as_day, select
from joinery.apps.place.sql import AsAt, newest_first, statements
from joinery.calc.succession import Lineage, Step


@dataclass(frozen=True, slots=True)
class Held:
    """A membership on a day: where it was given, and what was decided about it when bodies ended."""

    id: int
    user_id: int
    role: str
    given: date
    body: str
    decided: dict[str, Step]

    @property
    def bodies(self) -> set[str]:
        """The body where it was given, and those where it was decided to go on."""
        return {self.body, *(step.body for step in self.decided.values())}


def where_now(held: Held, lineage: Lineage, on: date) -> str:
    """The body at which a membership stands on a day: an ended one when it waits for a decision."""
    line = lineage.line(held.body, held.decided)
    return [step.body for step in line if step.from_date <= on][-1]


def held_on(
    on: date, where: str = "1 = 1", values: Sequence[Any] = (), or_later: bool = False
) -> tuple[list[Held], dict[str, str], bool]:
    """Memberships with the names of their bodies, and whether any body ended, or came from another.

    With `or_later`, also those that begin after the day.
    """
    as_at = AsAt(on)
    lasts, days = (
        ("(m.to_date IS NULL OR m.to_date > %s)", as_at.day[:1]) if or_later else (as_at.holds("m"), as_at.day)
    )
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
        f"WHERE {where} AND {lasts} ORDER BY m.id, p.id"
    )
    held: dict[int, Held] = {}
    names: dict[str, str] = {}
    any_moved = False
    for row in select(sql, [*as_at.day, *values, *days]):
        each = held.setdefault(row[0], Held(row[0], row[1], row[2], as_day(row[3]) or date.min, row[4], {}))
        names[row[4]] = row[5] or row[4]
        any_moved = any_moved or bool(row[6])
        if row[7] is not None:
            each.decided[row[7]] = Step(row[8], as_day(row[9]) or date.min)
    return list(held.values()), names, any_moved
