"""What is kept back of a person's record, and what is withheld from a viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, select
from joinery.apps.base.facts import person_facts
from joinery.apps.record.facts.timeline import MOST_ID
from joinery.apps.record.people import PersonRecords
from joinery.apps.record.readable import readable, tells_place
from joinery.apps.record.sql import HOLDS, entries, links


@dataclass(frozen=True, slots=True)
class RestrictionHeld:
    """A restriction that holds: of which kind, against which organisation (a code) or for all outside `writer`, about
    which item alone, why, and who said so. Which names are sealed is told to nobody."""

    restriction_id: int
    kind: str
    organisation: str
    writer: str
    item_id: int | None
    words: str
    made_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WithheldEntry:
    """An entry that a viewer may not read: the item that makes it, the record it stands in, and who wrote it."""

    item_id: int
    record_id: int
    organisation_code: str
    source_name: str


@person_facts
def restrictions(viewing: Viewing, of: PersonRecords) -> tuple[RestrictionHeld, ...]:
    """What is kept back of the record of the person of the viewing, newest first."""
    sql = (
        "SELECT t.id, t.kind, COALESCE(o.code, ''), COALESCE(w.code, ''), t.item_id, t.words, t.made_by, t.at "
        f"FROM record_restriction t JOIN {links(on='k.record_id = t.record_id')} "
        "LEFT JOIN place_organisation o ON o.id = t.organisation_id "
        f"LEFT JOIN place_organisation w ON w.id = t.writer_id WHERE k.person_id = %s AND {HOLDS} ORDER BY t.id DESC"
    )
    rows = select(sql, [viewing.person_id])
    return tuple(
        RestrictionHeld(
            restriction_id, kind, organisation, writer, item_id, of.seal.masked(words), made_by, as_moment(at)
        )
        for restriction_id, kind, organisation, writer, item_id, words, made_by, at in rows
    )


@person_facts
def withheld_entry(viewing: Viewing, of: PersonRecords, entry_id: int) -> WithheldEntry | None:
    """An entry of the person of the viewing that the viewer may not read, and may ask for.

    None when they may read it, when there is none, or when to be told whom to ask would tell where the person is.
    """
    by_id = {k.record_id: k for k in of.known}
    sql = f"SELECT e.record_id, e.item_id, e.sensitivity FROM {entries()} WHERE e.id = %s AND e.kind <> ''"
    for record_id, item_id, sensitivity in select(sql, [entry_id]) if entry_id < MOST_ID else ():
        known = by_id.get(record_id)
        if known and not readable(viewing, known, sensitivity, item_id) and not tells_place(viewing, known):
            return WithheldEntry(item_id, record_id, known.organisation, known.organisation_name)
    return None
