"""Relationships held through a body that has ended without one plain successor.

Whoever saw a person before goes on seeing them. What is settled here is who else does: the body that
took over the part in which the person lives or, where that is not known, the one that is decided on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.columns import insert_rows, select, stored
from joinery.apps.place import facts as place
from joinery.apps.record.facts.waiting import WaitingPeople, waiting_people
from joinery.apps.record.models import RelationshipPassing
from joinery.apps.record.people import postcode_in
from joinery.apps.record.sql import still_waiting

BATCH_ROWS = 2_000


def due(*, actor: Actor, at: datetime) -> int:
    """Pass on what can be passed by area; returns how many relationships did. Safe to repeat."""
    passed = 0
    for waits in waiting_people(at.date()):
        after: int | None = 0
        while after is not None:
            count, after = pass_by_area(waits=waits, after=after, actor=actor, at=at)
            passed += count
    return passed


@action("record.pass_by_area")
def pass_by_area(*, waits: WaitingPeople, after: int, actor: Actor, at: datetime) -> tuple[int, int | None]:
    """Pass on at most a batch of relationships, by the areas in which the people live.

    Returns how many were passed on, and the cursor of the next batch, or None after the last.
    """
    rows = _addresses(waits.body.id, after, BATCH_ROWS)
    heirs = _Heirs(waits, at.date())
    going: dict[str, list[int]] = defaultdict(list)
    for relationship, address in rows:
        if heir := heirs.of(address):
            going[heir].append(relationship)
    for choice in waits.choices:
        _pass_on(waits.body, choice, going[choice.code], "area", actor, at)
    return sum(map(len, going.values())), rows[-1][0] if len(rows) == BATCH_ROWS else None


@action("record.pass_relationships", targets=("ended", "organisation_code"))
def pass_relationships(*, ended: str, organisation_code: str | None, actor: Actor, at: datetime) -> int:
    """Decide that everybody who still waits at a body that ended goes on at another; returns how many.

    None ends the relationships with the body: nobody goes on with these people.
    """
    waits = next((w for w in waiting_people(at.date()) if w.body.code == ended), None)
    if waits is None:
        raise Refused("decided", "Nobody who is known to that body waits for a decision (any more).")
    choice = next((c for c in waits.choices if c.code == organisation_code), None)
    if choice is None and organisation_code is not None:
        raise Refused("choice", f"Choose a body that took over from {waits.body.name}.")
    going = [row[0] for row in select(still_waiting([waits.body.id]))]
    _pass_on(waits.body, choice, going, "decision", actor, at)
    return len(going)


class _Heirs:
    """Which body goes on with a person who lives at an address; asked once for each postcode."""

    def __init__(self, waits: WaitingPeople, on: date) -> None:
        self.ended, self.as_at = waits.body.code, place.as_at(on)
        self.lineage = place.lineage([self.ended], self.as_at)
        self.choices = {choice.code for choice in waits.choices}
        self.known: dict[str, str | None] = {}

    def of(self, address: Any) -> str | None:
        """The code of the successor for an address as stored, or None when no area tells it."""
        lines = orjson.loads(address) if isinstance(address, str) else address
        postcode = postcode_in(lines)
        if postcode is None:
            return None
        if postcode not in self.known:
            self.known[postcode] = self._heir(postcode)
        return self.known[postcode]

    def _heir(self, postcode: str) -> str | None:
        lsoa = place.lsoa_of(postcode, self.as_at)
        if lsoa is None:
            return None
        around = {each.body.code for each in place.responsible(lsoa, self.as_at)}
        parts = {e.successor for e in self.lineage.edges if e.body == self.ended and e.areas & (around | {lsoa})}
        return parts.pop() if len(parts) == 1 and parts <= self.choices else None


def _pass_on(
    body: place.Brief, to: place.Brief | None, relationships: Iterable[int], basis: str, actor: Actor, at: datetime
) -> None:
    # What goes on does so from the day on which the body ended; what ends was there until it was decided.
    day = connection.ops.adapt_datefield_value((body.to_date if to else None) or at.date())
    insert_rows(
        RelationshipPassing,
        ("relationship_id", "ended_id", "organisation_id", "from_date", "basis", "decided_by", "at"),
        [(r, body.id, to.id if to else None, day, basis, actor.name, stored(at)) for r in dict.fromkeys(relationships)],
    )


def _addresses(organisation_id: int, after: int, limit: int) -> list[tuple[int, str]]:
    """Relationships that wait at an organisation, by id, with the address that each one's source states."""
    sql = (
        f"SELECT w.id, d.address FROM ({still_waiting([organisation_id])}) w "
        "JOIN record_details d ON d.record_id = w.record_id "
        "JOIN record_submission ds ON ds.id = d.submission_id AND ds.published_at IS NOT NULL "
        "WHERE w.id > %s AND NOT EXISTS (SELECT 1 FROM record_details n "
        "JOIN record_submission ns ON ns.id = n.submission_id AND ns.published_at IS NOT NULL "
        f"WHERE n.record_id = d.record_id AND n.id > d.id) ORDER BY w.id LIMIT {limit:d}"
    )
    return [(row[0], row[1]) for row in select(sql, [after])]
