"""Which person a source record is about.

What records say is compared pair by pair, and each pair's outcome is kept as an event: by a valid NHS
number with details that agree, by the score of the model, by people. Who is who follows from the events
that count and from nothing else, so the files of a place may arrive in any order, and whatever was
decided can be taken back. A link is what followed, for reading.

A number that a hospital merged into another follows it: it has no say of its own until the merge is
taken back.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joinery.apps.base.columns import insert_rows, stored
from joinery.apps.record.actions.queue import keep_waiting
from joinery.apps.record.matching import candidates
from joinery.apps.record.merges import MERGED
from joinery.apps.record.models import Link, MatchEvent, Person
from joinery.apps.record.pairs import (
    MACHINE,
    HeldEvent,
    Pair,
    Statement,
    events_with_merges,
    founders_of,
    held_events,
    linked_to,
    same_numbers,
    statements,
)
from joinery.calc.linkage.fields import Fields
from joinery.calc.linkage.identity import Channel, Event, People, Said, Verdict, replay, standing, touched
from joinery.calc.linkage.ladder import Rung, content, ladder_pairs
from joinery.calc.linkage.model import Model, Score

# A score that moved by less than this is the same score: models are trained on numbers of this precision.
SAME_BITS = 0.005


@dataclass(frozen=True, slots=True)
class Found:
    """What a machine channel makes of a pair now. `levels` of a rule is what agreed."""

    channel: Channel
    verdict: Verdict
    bits: float | None = None
    levels: str = ""
    model: str = ""


def by_rung(rung: Rung) -> Found:
    """What the ladder makes of a pair."""
    return Found("rule", "apart" if rung.reason == "conflict" else "same", levels=rung.reason)


def by_score(model: Model, score: Score) -> Found:
    """What the model makes of a pair that scores from `review_bits` on."""
    return Found("score", "same" if score.bits >= model.link_bits else "unsure", score.bits, score.code, model.name)


def link_records(
    submission_id: int, at: datetime, model: Model, said: Mapping[int, Fields], also: Sequence[int] = ()
) -> None:
    """Link the records that say something new to people, and whoever that joins or parts.

    `said` is what they are compared by, `also` are records that a hospital's merge is about. A record that
    stays leaves no event.
    """
    relink(submission_id, at, {*also, *compare_records(submission_id, at, model, said)})


def compare_records(submission_id: int, at: datetime, model: Model, said: Mapping[int, Fields]) -> set[int]:
    """Keep what the number and the score make now of these records and all others.

    Returns the records whose person may be another.
    """
    if not said:
        return set()
    found = _by_number(submission_id, said)
    by_score = _by_score(submission_id, model, said)
    found = {pair: each for pair, each in by_score.items() if pair not in found} | found
    held = [h for h in held_events(said, submission_id) if h.channel in MACHINE]
    insert_events(submission_id, at, changed_events(found, held), made_by="system:linkage")
    return {*said, *(record for h in held for record in h.pair)}


def relink(submission_id: int, at: datetime, record_ids: Collection[int]) -> tuple[set[int], dict[int, str]]:
    """Work out anew who these records and all tied to them are about; returns all of them, and who moved where."""
    held: list[Event] = []

    def ask(of: set[int]) -> list[Event]:
        asked = events_with_merges(of, submission_id)
        held.extend(asked)
        return asked

    records, events = touched(record_ids, ask)
    said = {
        s.record_id: Said(s.nhs_number, content(s.details))
        for s in statements("d.record_id", sorted(records), submission_id)
    }
    # A record that was only referred to so far says nothing, and is nobody's.
    people = replay(said, founders_of(said), events, lambda record: secrets.token_hex(10))
    before = linked_to(said, submission_id)
    moved = {record: person for record, person in people.person_of.items() if before.get(record) != person}
    followers = {event.left for event in held if event.channel == "hospital"}
    founding = set(people.founded)
    ties = _ties(people, events)
    insert_rows(Person, ("id",), [(person,) for _, person in people.founded])
    insert_rows(
        Link,
        ("record_id", "person_id", "submission_id", "at", "reason"),
        [
            (record, person, submission_id, stored(at), _reason(record, ties[record], followers, before))
            # The first link to a person tells who founded them.
            for record, person in sorted(moved.items(), key=lambda link: (link not in founding, link))
        ],
    )
    keep_waiting(submission_id, at, people, standing(held))
    return records, moved


def _ties(people: People, events: Iterable[Event]) -> defaultdict[int, dict[str, Event]]:
    """For each record, by channel, an event that ties it to another record of its person."""
    found: defaultdict[int, dict[str, Event]] = defaultdict(dict)
    for event in events:
        persons = {people.person_of.get(record) for record in event.pair}
        if event.verdict == "same" and len(persons) == 1:
            for record in event.pair:
                found[record][event.channel] = event
    return found


def _reason(record: int, ties: Mapping[str, Event], followers: Collection[int], before: Mapping[int, str]) -> str:
    """Why a record is about its person now, as a code: the strongest event that ties it to another record."""
    if record in followers:
        return MERGED
    if "reviewer" in ties:
        return "reviewer"
    if "rule" in ties:
        return f"nhs_number_and_{ties['rule'].reason}"
    if "score" in ties:
        return "score"
    if "hospital" in ties:
        return "unmerged" if record in before else "first_record"
    return "parted" if record in before else "first_record"


def _by_number(submission_id: int, said: Mapping[int, Fields]) -> dict[Pair, Found]:
    """What the ladder says of the records in `said` and all others that carry their NHS numbers."""
    of_number: dict[str, list[Statement]] = defaultdict(list)
    for statement in same_numbers((fields.nhs_number for fields in said.values()), submission_id):
        of_number[statement.nhs_number].append(statement)
    found = {}
    for alike in of_number.values():
        for rung in ladder_pairs([s.details for s in alike]):
            a, b = sorted((alike[rung.left].record_id, alike[rung.right].record_id))
            if a in said or b in said:
                found[a, b] = by_rung(rung)
    return found


def _by_score(submission_id: int, model: Model, said: Mapping[int, Fields]) -> dict[Pair, Found]:
    """What the model says of the records in `said` and of every other that could be the same person."""
    found = {}
    for record, fields in said.items():
        for other, score in candidates(fields, model, submission_id=submission_id, exclude_record=record):
            a, b = sorted((record, other))
            found[a, b] = by_score(model, score)
    return found


def changed_events(found: Mapping[Pair, Found], held: Iterable[HeldEvent]) -> list[tuple[Pair, Found]]:
    """What is not as it is held: new, other than before, or no longer so."""
    now = {(pair, each.channel): each for pair, each in found.items()}
    changed = []
    for old in held:
        new = now.pop((old.pair, old.channel), Found(old.channel, "none"))
        if _differs(new, old):
            changed.append((old.pair, new))
    return sorted([*changed, *((pair, each) for (pair, _), each in now.items())], key=lambda event: event[0])


def _differs(new: Found, old: HeldEvent) -> bool:
    if new.verdict != old.verdict or (new.channel == "rule" and new.levels != old.levels):
        return True
    return new.bits is not None and old.bits is not None and abs(new.bits - old.bits) >= SAME_BITS


def insert_events(
    submission_id: int, at: datetime, events: Iterable[tuple[Pair, Found]], *, made_by: str, note: str = ""
) -> None:
    """Keep events on pairs of records."""
    moment: Any = stored(at)
    insert_rows(
        MatchEvent,
        (
            *("record_id", "other_id", "submission_id", "channel", "verdict", "bits", "model", "levels"),
            *("made_by", "note", "at"),
        ),
        [
            (*pair, submission_id, e.channel, e.verdict, e.bits, e.model, e.levels, made_by, note, moment)
            for pair, e in events
        ],
    )
