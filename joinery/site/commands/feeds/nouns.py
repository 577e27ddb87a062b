"""`joinery feeds list`, `returned`, `retake` and `variant`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem, refuse_no_file, say
from joinery.site.commands.place.common import acting, get_ready, in_json, refusals, tell

if TYPE_CHECKING:
    from joinery.apps.record.facts import FeedSource

STILL_WRONG = "still_wrong"


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Do what the noun says."""
    get_ready()
    return {"list": _list, "returned": _returned, "retake": _retake, "variant": _variant}[arguments.noun](arguments)


def _list(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    sources = _sources()
    tell(arguments, map(_line, sources) if sources else ["Nobody has sent anything yet."])
    return {"sources": [_source_json(each) for each in sources]}, 0


def _sources() -> tuple[FeedSource, ...]:
    from joinery.apps.record.facts import feed_sources

    return feed_sources(acting()["at"])


def _line(each: FeedSource) -> str:
    counts = each.counts
    sender = f"{each.definition.feed} from {each.organisation_code} {each.organisation_name}"
    if each.last_at is None:
        return f"{sender}: has not sent anything yet"
    return (
        f"{sender}: last {each.last_at:%d.%m.%Y %H:%M} UTC"
        f"{', LATE' if each.late else ''}; that day {counts.rows:,} rows: {counts.taken:,} taken, "
        f"{counts.unchanged:,} unchanged, {counts.superseded:,} superseded, {counts.quarantined:,} quarantined; "
        f"{each.open:,} wait in quarantine"
    )


def _source_json(each: FeedSource) -> dict[str, Any]:
    return {
        "feed": each.definition.feed,
        "organisation": each.organisation_code,
        "name": each.organisation_name,
        "last_at": in_json(each.last_at),
        "late": each.late,
        "open": each.open,
    } | asdict(each.counts)


def _returned(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from joinery.apps.record.actions import open_returned
    from joinery.apps.record.facts import returned_rows

    if arguments.out.exists():
        raise Problem(f"{arguments.out} is there already. Name another file, or take it away first.")
    with refusals():
        viewing = open_returned(submission_id=arguments.submission, posts=None, **acting())
    rows = -1  # the first line is the header
    with arguments.out.open("xb") as file:
        for line in returned_rows(viewing, arguments.submission):
            file.write(line)
            rows += 1
    say(f"{arguments.out}: {rows:,} rows. It may hold names: keep it as carefully as the file it comes from.")
    return {"file": str(arguments.out), "rows": rows}, 0


def _retake(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from joinery.apps.base.action import Refused
    from joinery.apps.record.actions import retake

    ended = Counter({"taken": 0, "unchanged": 0, "superseded": 0, STILL_WRONG: 0})
    for row in _open_rows(arguments):
        try:
            ended[retake(quarantined_id=row, **acting()).outcome] += 1
        except Refused:
            ended[STILL_WRONG] += 1
    say(
        f"{ended['taken']:,} taken, {ended['unchanged']:,} unchanged, {ended['superseded']:,} superseded, "
        f"{ended[STILL_WRONG]:,} still in quarantine"
    )
    return dict(ended), 0


def _variant(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from joinery.apps.record.actions import say_variant

    refuse_no_file(arguments.file)
    try:
        text = arguments.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{arguments.file} cannot be read as text: {error}.") from None
    with refusals():
        variant = say_variant(feed=arguments.feed, organisation_code=arguments.sender, text=text, **acting())
    say(f"Files of the {arguments.feed} feed from {arguments.sender} are read as {variant.name} from now on.")
    return {"variant": variant.name, "feed": arguments.feed, "from": arguments.sender}, 0


def _open_rows(arguments: argparse.Namespace) -> Iterator[int]:
    """The open rows that the options ask for, newest first."""
    from joinery.apps.record.facts import MOST_LISTED, open_rows

    wanted = tuple(
        each.id
        for each in _sources()
        if arguments.feed in (None, each.definition.feed) and arguments.sender in ("", each.organisation_code)
    )
    before = None
    while True:
        page = open_rows(wanted, before=before, limit=MOST_LISTED)
        yield from (row.id for row in page.rows)
        if page.before is None:
            return
        before = page.before
