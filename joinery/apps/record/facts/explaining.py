"""Why records are one person, or are not, without names: for whoever runs the software, and never for a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import row_facts
from joinery.apps.record.compared import fields_said, linking_model
from joinery.apps.record.merges import merged_into
from joinery.apps.record.pairs import HeldEvent, Pair, held_events, linked_to, records_linked_to, waiting, whose
from joinery.calc.linkage.fields import Fields
from joinery.calc.linkage.model import Model


@dataclass(frozen=True, slots=True)
class ExplainedRecord:
    """A source record: who sent it, and the person it is about now."""

    record: int
    person: str
    feed: str
    organisation: str


@dataclass(frozen=True, slots=True)
class ExplainedLevel:
    """How far one field agrees, in words, and the bits that this speaks for one person (or, below 0, against)."""

    field: str
    words: str
    bits: float


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """What a channel holds of a pair: `rule`, `score`, `hospital` or `reviewer`. `by` is a user or the software."""

    channel: str
    verdict: str
    reason: str
    bits: float | None
    model: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ExplainedPair:
    """Two records: whether they are one person, what was held of them, and how the model sees them now.

    `waits` is why their people wait for somebody to look, or empty. `bits` is None when what they say cannot
    be compared; they are compared at all when they `share` something by which records are found.
    """

    records: Pair
    together: bool
    waits: str
    share: bool
    bits: float | None
    levels: tuple[ExplainedLevel, ...]
    events: tuple[ExplainedEvent, ...]


@dataclass(frozen=True, slots=True)
class ExplainedLink:
    """A record was linked to a person; the last one counts."""

    record: int
    person: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Records, their pairs and what became of them, and the model with its thresholds in bits.

    `prior_bits` is what speaks for one person before anything is compared: nearly nobody is the same.
    """

    person: str
    records: tuple[ExplainedRecord, ...]
    pairs: tuple[ExplainedPair, ...]
    history: tuple[ExplainedLink, ...]
    model: str
    prior_bits: float
    link_bits: float
    review_bits: float


@row_facts
def explained_person(person_id: str) -> Explained | None:
    """The records of a person, every pair of them that anything is held of, and pairs with other people's records.

    Of an old id it is the person whom that leads to now; None when it never was anybody's.
    """
    now = whose(person_id)
    return _of_person(now) if now else None


@row_facts
def explained_record(record_id: int) -> Explained | None:
    """The person of a record; None when the record is nobody's."""
    person = linked_to([record_id]).get(record_id)
    return _of_person(person) if person else None


@row_facts
def explained_pair(record_id: int, other_id: int) -> Explained | None:
    """Two records, whether they are one person or not; None when one of them is nobody's."""
    pair = min(record_id, other_id), max(record_id, other_id)
    return _explained(pair, [pair]) if len(linked_to(pair)) == 2 else None


def _of_person(person_id: str) -> Explained:
    records = records_linked_to(person_id)
    pairs = {held.pair for held in held_events(records) if held.verdict != "none"} | set(_merged(records))
    return _explained(records, sorted(pairs))


def _explained(records: Sequence[int], pairs: Sequence[Pair]) -> Explained:
    every = {*records, *(record for pair in pairs for record in pair)}
    person_of, waits, model = linked_to(every), _waits(every), linking_model()
    fields, events = fields_said(every), _events(every)
    return Explained(
        person_of[records[0]],
        _records(every, person_of),
        tuple(
            ExplainedPair(
                pair,
                person_of.get(pair[0]) == person_of.get(pair[1]),
                waits.get(frozenset(person_of.get(record, "") for record in pair), ""),
                *_score(model, fields.get(pair[0]), fields.get(pair[1])),
                tuple(events.get(pair, ())),
            )
            for pair in pairs
        ),
        _history(records),
        model.name,
        round(model.prior_bits, 2),
        model.link_bits,
        model.review_bits,
    )


def _waits(records: Collection[int]) -> dict[frozenset[str], str]:
    """Why two people wait, of whom one has one of these records. They wait by one pair of their records."""
    pairs = waiting(records)
    person_of = linked_to({record for pair in pairs for record in pair})
    return {frozenset((person_of[a], person_of[b])): why for (a, b), (why, _) in pairs.items()}


def _score(model: Model, a: Fields | None, b: Fields | None) -> tuple[bool, float | None, tuple[ExplainedLevel, ...]]:
    """Whether the model would compare two records at all, their match weight, and what each field adds."""
    if a is None or b is None:
        return False, None, ()
    score = model.score(a, b)
    levels = tuple(ExplainedLevel(field, words, round(bits, 2)) for field, words, bits in score.levels)
    return not set(model.keys(a)).isdisjoint(model.keys(b)), round(score.bits, 2), levels


def _events(records: Collection[int]) -> dict[Pair, list[ExplainedEvent]]:
    """What counts of each pair, merges that hospitals told of among it."""
    found: dict[Pair, list[ExplainedEvent]] = defaultdict(list)
    for pair in _merged(records):
        found[pair].append(ExplainedEvent("hospital", "same", "merged", None, "", "hospital", None))
    for held in held_events(records):
        found[held.pair].append(_event(held))
    return found


def _event(held: HeldEvent) -> ExplainedEvent:
    reason = held.levels if held.channel == "rule" else ""
    bits = None if held.bits is None else round(held.bits, 2)
    return ExplainedEvent(held.channel, held.verdict, reason, bits, held.model, held.made_by, held.at)


def _merged(records: Collection[int]) -> list[Pair]:
    return [(min(pair), max(pair)) for pair in sorted(merged_into(0, records).items())]


def _records(record_ids: Collection[int], person_of: Mapping[int, str]) -> tuple[ExplainedRecord, ...]:
    wanted = sorted(record_ids)
    sql = (
        "SELECT r.id, so.feed, o.code FROM record_sourcerecord r JOIN record_source so ON so.id = r.source_id "
        f"JOIN place_organisation o ON o.id = so.organisation_id WHERE r.id IN ({marks(wanted)}) ORDER BY r.id"
    )
    return tuple(ExplainedRecord(i, person_of.get(i, ""), feed, code) for i, feed, code in select(sql, wanted))


def _history(records: Sequence[int]) -> tuple[ExplainedLink, ...]:
    """The links of these records, oldest first."""
    sql = (
        "SELECT k.record_id, k.person_id, s.published_at, k.reason FROM record_link k "
        "JOIN record_submission s ON s.id = k.submission_id AND s.published_at IS NOT NULL "
        f"WHERE k.record_id IN ({marks(records)}) ORDER BY k.id"
    )
    return tuple(ExplainedLink(i, person, as_moment(at), why) for i, person, at, why in select(sql, records))
