"""Relationships that wait because their body was split or closed: how many, and where they could go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from joinery.apps.base.columns import select
from joinery.apps.base.facts import place_facts
from joinery.apps.place import facts as place
from joinery.apps.record.sql import links, still_waiting


@dataclass(frozen=True, slots=True)
class WaitingPeople:
    """How many people are known to a body that ended, for whom nobody has said which body goes on with
    them; `choices` are the bodies that took over from it."""

    body: place.Brief
    people: int
    choices: tuple[place.Brief, ...]


@place_facts
def waiting_people(on: date) -> tuple[WaitingPeople, ...]:
    """Bodies that ended by a day, at which people's relationships still wait."""
    as_at = place.as_at(on)
    # Also who gives care that others tell of.
    related = select(
        "SELECT o.id FROM place_organisation o "
        "WHERE EXISTS (SELECT 1 FROM record_relationship r WHERE r.organisation_id = o.id) UNION "
        "SELECT organisation_id FROM record_relationshippassing WHERE organisation_id IS NOT NULL"
    )
    ended = {b.code: b for b in place.briefs([row[0] for row in related], as_at).values() if b.has_ended(on)}
    lineage = place.lineage(ended, as_at)
    stuck = {code: body for code, body in sorted(ended.items()) if not lineage.passes(code)}
    counts = _people_at([body.id for body in stuck.values()])
    edges = [edge for edge in lineage.edges if edge.body in stuck and edge.on <= on]
    heirs = place.by_codes({edge.successor for edge in edges}, as_at)
    return tuple(
        WaitingPeople(
            body,
            counts[body.id],
            tuple(heirs[c] for c in sorted({edge.successor for edge in edges if edge.body == code})),
        )
        for code, body in stuck.items()
        if body.id in counts
    )


def _people_at(organisations: list[int]) -> dict[int, int]:
    sql = (
        f"SELECT w.organisation_id, COUNT(DISTINCT k.person_id) FROM ({still_waiting(organisations)}) w "
        f"JOIN {links(on='k.record_id = w.record_id')} GROUP BY w.organisation_id"
    )
    return dict(select(sql))
