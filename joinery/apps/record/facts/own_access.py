"""Who sees a record because it is their own, or that of somebody they act for."""

from __future__ import annotations

from datetime import date

from joinery.apps.base.columns import select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.facts import as_at


@place_facts
def own_access_users(on: date) -> frozenset[int]:
    """The users (their ids) who see a record so on a day, or will; not whose it is."""
    rows = select(
        "SELECT DISTINCT o.user_id FROM record_ownaccess o WHERE (o.to_date IS NULL OR o.to_date > %s) AND NOT EXISTS "
        "(SELECT 1 FROM record_ownaccess n WHERE n.user_id = o.user_id AND n.record_id = o.record_id AND n.id > o.id)",
        [as_at(on).day[0]],
    )
    return frozenset(row[0] for row in rows)
