"""How we know that a person's records are one person, what is kept apart, and which records came and went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import Stood, person_facts
from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.merges import MERGED, merged_into
from joinery.apps.record.pairs import HeldEvent, Pair, held_events
from joinery.apps.record.people import Known, PersonRecords

# Why records of one NHS number are one person, by the code of the ladder.
RULES = {
    "birth_date": "The same NHS number, and the date of birth agrees",
    "names": "The same NHS number, and both names agree",
}
# Why a record is linked as it is, by the reason of its link.
REASONS = {
    "first_record": "The first record of the person",
    "nhs_number_and_birth_date": RULES["birth_date"],
    "nhs_number_and_names": RULES["names"],
    "kept_apart": "Its NHS number is also another person’s, and the details do not agree",
    "number_changed": "Its source gave it another NHS number",
    "unmerged": "The hospital’s merge of two numbers was taken back",
    MERGED: "The hospital merged two of its numbers",
    "score": "Name, date of birth, address and other details agree",
    "reviewer": "People decided",
    "told_apart": "People decided that it is about somebody else",
}


@dataclass(frozen=True, slots=True)
class JoinedBy:
    """One reason why a record is about the same person as earlier ones (`numbers` on the page).

    `channel` is `rule`, `score`, `hospital` or `reviewer`; `bits` the match weight of a score, by `model`.
    A reviewer's decision has who made it, when, and the pair by which it can be taken back.
    """

    numbers: tuple[int, ...]
    channel: str
    words: str = ""
    bits: float | None = None
    model: str = ""
    made_by: str = ""
    at: datetime | None = None
    note: str = ""
    pair: Pair = (0, 0)


@dataclass(frozen=True, slots=True)
class JoinedRecord:
    """A source record of the person, numbered in the order in which they came, and why it is theirs.

    `through` are later records to which it is tied, when no earlier one is.
    """

    number: int
    record_id: int
    organisation_name: str
    feed_title: str
    local_id: str
    sector: str
    since_at: datetime | None
    reason: str
    joined_by: tuple[JoinedBy, ...]
    through: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeptApart:
    """A record of somebody else that is not joined with record `number`, because people said so (`made_by`),
    or that waits for them to say (`why`)."""

    number: int
    organisation_name: str
    why: str
    made_by: str
    at: datetime
    note: str
    pair: Pair


@dataclass(frozen=True, slots=True)
class HowJoined:
    """The records of a person with their reasons, and the pairs that are kept apart."""

    records: tuple[JoinedRecord, ...]
    apart: tuple[KeptApart, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A record came to the person, or went to another."""

    at: datetime
    came: bool
    organisation_name: str
    local_id: str
    reason: str


@person_facts
def how_joined(viewing: Viewing, of: PersonRecords) -> HowJoined:
    """Why each record of the person of the viewing is theirs, and which records of others are kept apart."""
    known = sorted(of.known, key=lambda k: k.record_id)
    numbers = {k.record_id: number for number, k in enumerate(known, 1)}
    events = held_events(list(numbers))
    merged = merged_into(0, list(numbers))
    ties = _ties(numbers, events, merged)
    since = {row.record_id: row.at for row in reversed(_link_rows(viewing.person_id)) if row.record_id in numbers}
    records = tuple(_joined(k, numbers, ties, since.get(k.record_id)) for k in known)
    return HowJoined(records, _apart(viewing, numbers, events))


@person_facts
def passages(viewing: Viewing) -> tuple[Passage, ...]:
    """Which records came to the person of the viewing and which went, newest first."""
    rows = _link_rows(viewing.person_id)
    found = []
    for row, was in _with_the_one_before(rows):
        came, stood_here = row.person_id == viewing.person_id, bool(was) and was == viewing.person_id
        if came != stood_here:
            found.append((row, came))
    names = place.briefs({row.organisation_id for row in rows}, place.as_at(viewing.at.date()))
    return tuple(
        Passage(row.at, came, names[row.organisation_id].name, row.local_id, REASONS.get(row.reason, row.reason))
        for row, came in sorted(found, key=lambda each: (each[0].at, each[0].id), reverse=True)
    )


@person_facts
def stood_elsewhere(viewing: Viewing) -> tuple[Stood, ...]:
    """Under which other people, from when to when, records stood that are the person's now: who looked at
    those people then saw these records."""
    by_record = defaultdict(list)
    for row in _link_rows(viewing.person_id):
        by_record[row.record_id].append(row)
    found = set()
    for rows in by_record.values():
        if rows[-1].person_id == viewing.person_id:
            others = [(row, later) for row, later in pairwise(rows) if row.person_id != viewing.person_id]
            found |= {Stood(row.person_id, row.at, later.at) for row, later in others}
    return tuple(sorted(found, key=lambda each: (each.person_id, each.from_at)))


class _LinkRow(NamedTuple):
    """One published link of a record that is or was the person's."""

    id: int
    record_id: int
    person_id: str
    at: datetime
    reason: str
    local_id: str
    organisation_id: int


def _link_rows(person_id: str) -> list[_LinkRow]:
    """The links of every record that is or was a person's, in the order in which they were made."""
    sql = (
        "SELECT k.id, k.record_id, k.person_id, ks.published_at, k.reason, r.local_id, so.organisation_id "
        "FROM record_link k JOIN record_submission ks ON ks.id = k.submission_id AND ks.published_at IS NOT NULL "
        "JOIN record_sourcerecord r ON r.id = k.record_id JOIN record_source so ON so.id = r.source_id "
        "WHERE k.record_id IN (SELECT w.record_id FROM record_link w WHERE w.person_id = %s) ORDER BY k.id"
    )
    rows = select(sql, [person_id])
    return [_LinkRow(i, record, person, as_moment(at), *rest) for i, record, person, at, *rest in rows]


def _with_the_one_before(rows: Sequence[_LinkRow]) -> list[tuple[_LinkRow, str]]:
    """Each link with the person to whom its record was linked before; empty for the first."""
    was: dict[int, str] = {}
    found = []
    for row in rows:
        found.append((row, was.get(row.record_id, "")))
        was[row.record_id] = row.person_id
    return found


def _ties(numbers: dict[int, int], events: Sequence[HeldEvent], merged: dict[int, int]) -> dict[Pair, list[HeldEvent]]:
    """What joins the pairs of the person's own records; a hospital's merge as an event of its channel."""
    ties: dict[Pair, list[HeldEvent]] = defaultdict(list)
    for event in events:
        if event.verdict == "same" and numbers.keys() >= set(event.pair):
            ties[event.pair].append(event)
    never = datetime.min
    for losing, into in merged.items():
        if losing in numbers and into in numbers:
            pair = (min(losing, into), max(losing, into))
            ties[pair].append(HeldEvent(0, pair, "hospital", "same", None, "", "", "", "", never))
    return ties


def _joined(known: Known, numbers: dict[int, int], ties: dict[Pair, list[HeldEvent]], since: datetime | None) -> JoinedRecord:
    """A record with what joins it to earlier ones: those that share a rule, together."""
    by_rule: dict[str, list[int]] = defaultdict(list)
    found = []
    for (first, second), events in sorted(ties.items()):
        for event in events if second == known.record_id else ():
            if event.channel == "rule":
                by_rule[event.levels].append(numbers[first])
            else:
                found.append(_joined_by(numbers[first], event))
    rules = [JoinedBy(tuple(earlier), "rule", RULES.get(why, why)) for why, earlier in sorted(by_rule.items())]
    joined_by = tuple(rules + found)
    later = tuple(sorted(numbers[b] for a, b in ties if a == known.record_id)) if not joined_by else ()
    return JoinedRecord(
        numbers[known.record_id], known.record_id, known.organisation_name, feed_of(known.feed).title, known.local_id,
        known.sector, since, REASONS.get(known.link_reason, known.link_reason), joined_by, later,
    )  # fmt: skip


def _joined_by(number: int, event: HeldEvent) -> JoinedBy:
    words = {"hospital": REASONS[MERGED], "reviewer": "People compared the two and said that they are one person"}
    decided = event.channel == "reviewer"
    return JoinedBy(
        (number,), event.channel, words.get(event.channel, REASONS["score"]), event.bits, event.model,
        event.made_by, event.at if decided else None, event.note, event.pair,
    )  # fmt: skip


def _apart(viewing: Viewing, numbers: dict[int, int], events: Sequence[HeldEvent]) -> tuple[KeptApart, ...]:
    """Pairs of a record of the person and one of somebody else that people told apart, or that wait for them."""
    told = [e for e in events if e.channel == "reviewer" and e.verdict == "apart"]
    waiting = [(pair, why, at) for pair, why, at in _waiting(list(numbers)) if pair not in {e.pair for e in told}]
    pairs = [each.pair for each in told] + [pair for pair, _, _ in waiting]
    senders = _senders(viewing, {record for pair in pairs for record in pair} - numbers.keys())
    found = []
    for pair, why, by, at, note in [
        *((e.pair, "told_apart", e.made_by, e.at, e.note) for e in told),
        *((pair, why, "", at, "") for pair, why, at in waiting),
    ]:
        mine = [record for record in pair if record in numbers]
        if len(mine) == 1:
            (other,) = set(pair) - set(mine)
            found.append(KeptApart(numbers[mine[0]], senders.get(other, ""), why, by, at, note, pair))
    return tuple(sorted(found, key=lambda each: (each.number, each.pair)))


def _waiting(record_ids: Sequence[int]) -> list[tuple[Pair, str, datetime]]:
    """The pairs that wait for people in which one of these records takes part, and why."""
    if not record_ids:
        return []
    newest = (
        "SELECT i.record_id, i.other_id, i.why, i.at FROM record_reviewitem i "
        "JOIN record_submission s ON s.id = i.submission_id AND s.published_at IS NOT NULL "
        f"WHERE i.why <> '' AND i.{{}} IN ({marks(record_ids)}) AND NOT EXISTS (SELECT 1 FROM record_reviewitem j "
        "JOIN record_submission js ON js.id = j.submission_id AND js.published_at IS NOT NULL "
        "WHERE j.record_id = i.record_id AND j.other_id = i.other_id AND j.id > i.id)"
    )
    rows = select(f"{newest.format('record_id')} UNION {newest.format('other_id')}", [*record_ids, *record_ids])
    return [((a, b), why, as_moment(at)) for a, b, why, at in rows]


def _senders(viewing: Viewing, record_ids: set[int]) -> dict[int, str]:
    """The names of the organisations that sent some records."""
    wanted = sorted(record_ids)
    if not wanted:
        return {}
    rows = select(
        "SELECT r.id, so.organisation_id FROM record_sourcerecord r JOIN record_source so ON so.id = r.source_id "
        f"WHERE r.id IN ({marks(wanted)})",
        wanted,
    )
    bodies = place.briefs({body for _, body in rows}, place.as_at(viewing.at.date()))
    return {record: bodies[body].name for record, body in rows}
