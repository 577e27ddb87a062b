"""`joinery link explain`: why records are one person, in words and bits, or why two records are not.

People and records are numbers here; what a record says is never printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from joinery.site.commands import Problem
from joinery.site.commands.place.common import get_ready, in_json, tell

if TYPE_CHECKING:
    from joinery.apps.record.facts import Explained, ExplainedEvent, ExplainedPair

CHANNELS = {
    "rule": "the NHS number",
    "score": "the score",
    "hospital": "the hospital, which merged two numbers",
    "reviewer": "people who looked",
}
VERDICTS = {"same": "one person", "apart": "different people", "unsure": "perhaps one person", "none": "nothing more"}


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Explain a person, or two records."""
    get_ready()
    found = _find(arguments)
    tell(arguments, _lines(found))
    said = asdict(found)
    for pair in said["pairs"]:
        for event in pair["events"]:
            event["at"] = in_json(event["at"])
    for link in said["history"]:
        link["at"] = in_json(link["at"])
    return said, 0


def _find(arguments: argparse.Namespace) -> Explained:
    from joinery.apps.record import facts

    of, other = arguments.of, arguments.other
    is_record = of.isascii() and of.isdecimal() and len(of) < 19
    if other is not None and not is_record:
        raise Problem("Two things are explained by the numbers of two source records: joinery link explain 1204 1377")
    if other is not None and int(of) == other:
        raise Problem("A record is always about whom it is about itself. Give another one.")
    if other is not None:
        found = facts.explained_pair(int(of), other)
    else:
        found = facts.explained_record(int(of)) if is_record else facts.explained_person(of)
    if found is None:
        raise Problem("There is nobody under that number. Ids of people stand in the addresses of their pages.")
    return found


def _lines(found: Explained) -> Iterator[str]:
    yield f"Person {found.person}"
    for record in found.records:
        about = "" if record.person == found.person else f", about {record.person or 'nobody'}"
        yield f"  record {record.record}: {record.feed} from {record.organisation}{about}"
    for pair in found.pairs:
        yield ""
        yield from _pair_lines(pair, found)
    yield ""
    yield "History"
    for link in found.history:
        yield f"  {_moment(link.at)}: record {link.record} to {link.person} ({link.reason})"


def _pair_lines(pair: ExplainedPair, found: Explained) -> Iterator[str]:
    from joinery.site.linking.words import WHYS

    a, b = pair.records
    yield f"Records {a} and {b} are {'one person' if pair.together else 'not one person'}."
    for event in pair.events:
        yield f"  {_event(event)}"
    if pair.waits:
        yield f"  Their people wait for somebody to look: {WHYS.get(pair.waits, pair.waits).lower()}."
    if pair.bits is None:
        yield "  What they say cannot be compared."
        return
    if not pair.share and not pair.together:
        yield "  They share nothing by which records are found, so their score is not asked for."
    yield (
        f"  Score now: {pair.bits:+.1f} bits (one person from {found.link_bits:+.1f}, looked at by people from "
        f"{found.review_bits:+.1f}; model {found.model})"
    )
    yield f"    {found.prior_bits:+6.1f}  before anything is compared"
    for level in pair.levels:
        yield f"    {level.bits:+6.1f}  {level.field.replace('_', ' ')}: {level.words}"


def _event(event: ExplainedEvent) -> str:
    words = f"By {CHANNELS.get(event.channel, event.channel)}: {VERDICTS.get(event.verdict, event.verdict)}"
    how = [event.reason.replace("_", " "), "" if event.bits is None else f"{event.bits:+.1f} bits", event.model]
    when = f"{event.by}, {_moment(event.at)}" if event.at else ""
    said = ", ".join(filter(None, [*how, when]))
    return f"{words} ({said})" if said else words


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
