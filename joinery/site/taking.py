"""Taking a file of any feed: into the record, the returns or the directory, whichever the feed is for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.feeds import feed_of
from joinery.apps.place.actions import take_directory_file
from joinery.apps.record.actions import Taken, take_file
from joinery.definitions import FEEDS


def take(*, path: Path, feed: str, sender: str, actor: Actor, at: datetime) -> Taken:
    """Take one file of a feed, sent by the organisation with the code `sender` (not needed for a register).

    Raises Refused, saying what to do, when the file as a whole cannot be taken; nothing of it is kept then.
    """
    if feed not in FEEDS:
        raise Refused("feed", f"There is no feed called {feed}. Feeds: {', '.join(FEEDS)}.")
    if feed_of(feed).store != "directory":
        return take_file(path=path, feed=feed, organisation_code=sender, actor=actor, at=at)
    done = take_directory_file(path=path, actor=actor, at=at)
    counts = (done.rows, done.taken, done.unchanged, done.superseded, done.quarantined)
    return Taken(done.file, *counts, reasons=done.reasons)
