"""Which pairs of records wait for people: what the score leaves open, and what a veto kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from joinery.apps.base.columns import insert_rows, stored
from joinery.apps.record.models import ReviewItem
from joinery.apps.record.pairs import Pair, linked_to, waiting
from joinery.calc.linkage.identity import Event, People


def keep_waiting(submission_id: int, at: datetime, people: People, events: Sequence[Event]) -> None:
    """Put what waits now in the review queue, and take out of it what waits no longer.

    Two people of whom several pairs of records are alike wait once: by the pair that is most alike.
    """
    wanted = _wanted(submission_id, people, events)
    held = waiting(people.person_of, submission_id)
    rows = [
        (*pair, why, bits)
        for pair, (why, bits) in sorted(wanted.items())
        if pair not in held or held[pair] != (why, bits)
    ]
    rows += [(*pair, "", None) for pair in sorted(held.keys() - wanted.keys())]
    insert_rows(
        ReviewItem,
        ("record_id", "other_id", "why", "bits", "submission_id", "at"),
        [(*row, submission_id, stored(at)) for row in rows],
    )


def _wanted(submission_id: int, people: People, events: Sequence[Event]) -> dict[Pair, tuple[str, float | None]]:
    """The pairs that wait now, why, and their bits."""
    person_of = dict(people.person_of)
    outside = {record for event in events for record in (event.left, event.right)} - person_of.keys()
    person_of |= linked_to(outside, submission_id)
    decided = {
        frozenset((person_of.get(e.left), person_of.get(e.right)))
        for e in events
        if e.channel == "reviewer" and e.verdict == "apart"
    }
    open_events = [(event, why) for event, why in people.refused if why != "told_apart"]
    open_events += [(e, "grey") for e in events if e.channel == "score" and e.verdict == "unsure"]
    best: dict[frozenset[str | None], tuple[float, Pair, str]] = {}
    for event, why in open_events:
        two = frozenset((person_of.get(event.left), person_of.get(event.right)))
        if len(two) == 1 or two in decided or None in two:
            continue
        pair = min(event.left, event.right), max(event.left, event.right)
        best[two] = max(best.get(two, (float("-inf"), pair, why)), (event.bits, pair, why))
    return {pair: (why, bits) for bits, pair, why in best.values()}
