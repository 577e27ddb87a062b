"""What checks of looks need: whom a record is about, and who people are, to be compared and not shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

import orjson
from django.db import connection

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts, row_facts
from joinery.apps.record.pairs import founders_of, linked_to, records_linked_to
from joinery.apps.record.people import postcode_in
from joinery.apps.record.sql import OWN_ACCESS_HOLDS, details, links
from joinery.calc.misuse import Someone, someone


@place_facts
def founding_records(person_ids: Collection[str]) -> dict[str, int]:
    """The record on which what is decided about each person hangs: it follows splits and merges (`founding_record`)."""
    wanted = sorted(set(person_ids))
    sql = f"SELECT k.record_id, k.person_id FROM {links()} WHERE k.person_id IN ({marks(wanted)}) ORDER BY 1 DESC"
    about = dict(select(sql, wanted)) if wanted else {}
    found = {person: record for record, person in about.items()}
    founders = {person: record for record, person in reversed(founders_of(about)) if about[record] == person}
    return found | founders


@place_facts
def people_of(record_ids: Collection[int]) -> dict[int, str]:
    """The id of the person whom each record is about now."""
    return linked_to(record_ids) if record_ids else {}


@place_facts
def records_of_same(record_id: int) -> frozenset[int]:
    """The records that are about the same person as this one now, with it."""
    person = linked_to([record_id]).get(record_id)
    return frozenset({record_id, *(records_linked_to(person) if person else ())})


@place_facts
def item_keys(item_ids: Collection[int]) -> dict[int, str]:
    """Under which key the sender of each item keeps it."""
    wanted = sorted(set(item_ids))
    return dict(select(f"SELECT id, key FROM record_item WHERE id IN ({marks(wanted)})", wanted)) if wanted else {}


@row_facts
def people_compared(person_ids: Collection[str]) -> dict[str, list[Someone]]:
    """Who each person is, as each of their records says: to notice that a viewer has their name or postcode."""
    wanted = sorted(set(person_ids))
    sql = (
        f"SELECT k.person_id, d.family_name, d.given_name, d.address FROM {links()} "
        f"JOIN {details(on='d.record_id = k.record_id')} WHERE k.person_id IN ({marks(wanted)})"
    )
    found: dict[str, list[Someone]] = defaultdict(list)
    for person, family, given, address in select(sql, wanted) if wanted else ():
        lines = orjson.loads(address) if isinstance(address, str) else address
        found[person].append(someone(family, given, postcode_in(lines) or ""))
    return dict(found)


@row_facts
def own_pairs(on: date) -> set[tuple[int, str]]:
    """Which users have a person's record as their own on a day: the user and the person."""
    day = connection.ops.adapt_datefield_value(on)
    sql = (
        f"SELECT a.user_id, k.person_id FROM record_ownaccess a JOIN {links(on='k.record_id = a.record_id')} "
        f"WHERE a.kind = 'own' AND {OWN_ACCESS_HOLDS}"
    )
    return {(user, person) for user, person in select(sql, [day, day])}
