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
    bodies = place.briefs(
        {row[0] for row in select(
            "SELECT organisation_id FROM record_source UNION SELECT organisation_id FROM record_relationshippassing"
        )},
        as_at,
    )  # fmt: skip
    ended = {b.code: b for b in bodies.values() if b.has_ended(on)}
    lineage = place.lineage(ended, as_at)
    found = []
    for code, body in sorted(ended.items()):
        people = 0 if lineage.passes(code) else _count(body.id)
        if people:
            after = {edge.successor for edge in lineage.edges if edge.body == code and edge.on <= on}
            choices = tuple(b for c in sorted(after) if (b := place.organisation(c, as_at)))
            found.append(WaitingPeople(body, people, choices))
    return tuple(found)


def _count(organisation_id: int) -> int:
    sql = (
        f"SELECT COUNT(DISTINCT k.person_id) FROM ({still_waiting(organisation_id)}) w "
        f"JOIN {links(on='k.record_id = w.record_id')}"
    )
    return int(select(sql)[0][0])
