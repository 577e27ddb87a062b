"""How the files of one sender differ from a feed's definition."""

from __future__ import annotations

from joinery.apps.base.columns import select
from joinery.apps.base.feeds import Variant, feed_of, parse_variant


def variant_of(source_id: int, feed: str, organisation_code: str) -> Variant | None:
    """How the files of this sender differ: as the place has said last, or else as the definition says."""
    sql = "SELECT text FROM record_feedvariant WHERE source_id = %s ORDER BY id DESC LIMIT 1"
    said = select(sql, [source_id])
    if said:
        return parse_variant(said[0][0])
    return next((v for v in feed_of(feed).variant if organisation_code in v.organisations), None)
