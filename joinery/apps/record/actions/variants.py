"""Saying how a sender's files differ from their feed's definition."""

from __future__ import annotations

import hashlib
from datetime import datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.feeds import Variant, feed_of, parse_variant
from joinery.apps.record.actions.intake import open_source
from joinery.apps.record.models import FeedVariant


@action("record.say_variant", targets=("feed", "organisation_code"))
def say_variant(*, feed: str, organisation_code: str, text: str, actor: Actor, at: datetime) -> Variant:
    """Read a sender's files of a feed by this variant (TOML) from now on; what is held stays as it was read.

    Raises Refused, saying what to do, when it cannot be read or names what the feed does not have.
    """
    try:
        variant = parse_variant(text)
    except ValueError as error:
        raise Refused("variant", str(error)) from None
    if strange := sorted({*variant.columns, *variant.codes} - _columns(feed)):
        raise Refused("variant", f"The {feed} feed has no columns {', '.join(strange)}. Name its own columns first.")
    FeedVariant.objects.create(
        source_id=open_source(feed=feed, organisation_code=organisation_code, actor=actor, at=at),
        text=text, digest=hashlib.sha256(text.encode()).hexdigest(), made_by=actor.name, at=at,
    )  # fmt: skip
    return variant


def _columns(feed: str) -> set[str]:
    """Every column of a feed's tables. Raises Refused for a feed that has none."""
    said = feed_of(feed)
    if not said.file:
        raise Refused("variant", f"The {feed} feed is no table: only tables have variants.")
    return {column for file in said.file for column in (*file.columns, *said.common)}
