"""What apps here wrote about people, as it was filed."""

from __future__ import annotations

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import person_facts
from joinery.apps.record.sql import filed
from joinery.definitions import OWN_FEED


@person_facts
def filed_resources(viewing: Viewing, organisation_code: str, kind: str) -> dict[str, bytes]:
    """The resources of a type that an organisation wrote here about the people of the viewing, by id, as they read
    now."""
    also = f"o.code = %s AND i.key LIKE %s AND k.person_id IN ({marks(viewing.person_ids)})"
    rows = select(
        f"SELECT i.key, v.body FROM {filed(also)} ORDER BY i.id",
        [OWN_FEED, organisation_code, f"{kind}/%", *viewing.person_ids],
    )
    return {key.partition("/")[2]: bytes(body) for key, body in rows}
