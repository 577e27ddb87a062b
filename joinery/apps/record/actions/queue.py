"""Which pairs of records wait for people: what the score leaves open, and what a veto kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from joinery.apps.base.columns import insert_rows, stored
from joinery.apps.record.models import ReviewItem
from joinery.apps.record.pairs import Pair, linked_to, statements, waiting
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
    if not people.refused and not any(event.verdict in ("unsure", "apart") for event in events):
        return {}
    ends = {record for event in events for record in event.pair}
    person_of = linked_to(ends, submission_id) | people.person_of
    number_of = {s.record_id: s.nhs_number for s in statements("d.record_id", sorted(ends), submission_id)}
    decided = {
        frozenset((person_of.get(e.left), person_of.get(e.right)))
        for e in events
        if e.channel == "reviewer" and e.verdict in ("apart", "unsure")
    }
    open_events: list[tuple[Event, str]] = [(event, why) for event, why in people.refused if why != "told_apart"]
    # Of two people with a number each, a weak likeness asks nothing of anybody.
    open_events += [
        (event, "grey")
        for event in events
        if (event.channel, event.verdict) == ("score", "unsure")
        and not _conflict(*(number_of.get(record, "") for record in event.pair))
    ]
    # One number on two people: one of them has somebody else's, and their services should know.
    open_events += [(e, "contradiction") for e in events if (e.channel, e.verdict) == ("rule", "apart")]
    best: dict[frozenset[str | None], tuple[float, Pair, str]] = {}
    for event, why in open_events:
        two = frozenset((person_of.get(event.left), person_of.get(event.right)))
        if len(two) == 1 or two in decided or None in two:
            continue
        best[two] = max(best.get(two, (float("-inf"), event.pair, why)), (event.bits, event.pair, why))
    return {pair: (why, bits) for bits, pair, why in best.values()}


def _conflict(a: str, b: str) -> bool:
    return bool(a and b and a != b)
