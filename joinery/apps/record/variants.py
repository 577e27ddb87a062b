"""How the files of one sender differ from a feed's definition."""

from __future__ import annotations

from collections.abc import Mapping

from joinery.apps.base.columns import marks, select
from joinery.apps.base.feeds import Variant, feed_of, parse_variant


def variant_of(source_id: int, feed: str, organisation_code: str) -> Variant | None:
    """How the files of this sender differ: as the place has said last, or else as the definition says."""
    return variants_of({source_id: organisation_code}, feed)[source_id]


def variants_of(senders: Mapping[int, str], feed: str) -> dict[int, Variant | None]:
    """How the files of some senders differ, by the id of their source; `senders` gives their codes."""
    sql = f"SELECT source_id, text FROM record_feedvariant WHERE source_id IN ({marks(list(senders))}) ORDER BY id"
    said = {source: parse_variant(text) for source, text in select(sql, list(senders))}
    shipped = feed_of(feed).variant
    return {
        source: said.get(source) or next((v for v in shipped if code in v.organisations), None)
        for source, code in senders.items()
    }
