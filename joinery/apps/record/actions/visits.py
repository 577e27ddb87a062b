"""Staging ADT messages: each is kept as a fact, and what the facts come to is worked out anew.

A visit, a person's details and allergies, and the lines of a timeline depend on all messages about them, in whatever
order they come (`calc.adt`). So what is written is the difference between what the facts came to before
and what they come to now: a state, details, and lines that appear, change or go.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from joinery.apps.base.columns import insert_rows, marks, reserve_ids, select, stored
from joinery.apps.record.adt.person import Said, details_of
from joinery.apps.record.adt.words import lines_of, standing_lines
from joinery.apps.record.merges import merges_around
from joinery.apps.record.models import IndexRow, Item, Message, RecordMerge, Visit, VisitState
from joinery.apps.record.rows import DetailsRow, EntryRow, MessageRow
from joinery.calc import adt
from joinery.calc.adt import Fact, said_order
from joinery.calc.adt_people import Merge, allergies, person, survivors

MOVES = {"A01", "A02", "A03"}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Fact).decode


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that is staged or held: the row it came as, whose it is, and the visit it is about."""

    version_id: int
    item_id: int
    record_id: int
    visit_id: int | None
    fact: Fact


@dataclass(slots=True)
class Told:
    """What the messages of a batch change: details to say, records to link anew, lines to write, and the records
    whose visits came to something else."""

    details: dict[int, DetailsRow] = field(default_factory=dict)
    relink: list[int] = field(default_factory=list)
    lines: list[tuple[Heard, EntryRow]] = field(default_factory=list)
    visited: set[int] = field(default_factory=set)


def stage_messages(
    submission_id: int, source_id: int, rows: Sequence[tuple[int, int, MessageRow]], records: dict[str, int]
) -> Told:
    """Stage messages, each with the ids of its version and its item. `records` are ids by local id."""
    visits = _by_key(Visit, source_id, {row.visit for _, _, row in rows if row.visit})
    new = [
        Heard(version, item, records[row.fact.patient], visits[row.visit] if row.visit else None, row.fact)
        for version, item, row in rows
    ]
    merges = _insert_merges(submission_id, rows, records)
    tied = {int(number) for merge in merges for number in (merge.losing, merge.surviving)}
    old = _held(submission_id, {h.visit_id for h in new if h.visit_id}, {h.record_id for h in new} | tied)
    insert_rows(
        Message,
        ("submission_id", "version_id", "item_id", "record_id", "visit_id", "said"),
        [(submission_id, h.version_id, h.item_id, h.record_id, h.visit_id, _encode(h.fact).decode()) for h in new],
    )
    _note_moves(source_id, new)
    told = Told(relink=sorted(tied))
    _tell_people(told, source_id, old, new)
    _tell_visits(told, submission_id, old, new, merges)
    return told


def _note_moves(source_id: int, new: Sequence[Heard]) -> None:
    """Make the admissions, transfers and discharges of a source findable: by them it is judged as fresh."""
    moves = [("moves", str(source_id), h.version_id) for h in new if h.fact.event in MOVES]
    insert_rows(IndexRow, ("name", "value", "version_id"), moves)


def stage_unmerge(submission_id: int, losing: int, at: datetime) -> Told:
    """Take back the merges of a record up to `at`: what was sent under its number is its own again."""
    taken_back = Merge(at, "", str(losing), "")
    tied = {int(n) for m in merges_around(submission_id, [losing]) for n in (m.losing, m.surviving) if n}
    insert_rows(RecordMerge, ("losing_id", "submission_id", "at", "order"), [(losing, submission_id, stored(at), "")])
    told = Told(relink=sorted(tied))
    _tell_visits(told, submission_id, _held(submission_id, set(), tied), [], {taken_back})
    return told


def _by_key(model: type[Visit] | type[Item], source_id: int, keys: set[str]) -> dict[str, int]:
    """The visits, or items, with these keys, the missing ones made."""
    wanted = sorted(keys)
    sql = f"SELECT key, id FROM {model._meta.db_table} WHERE source_id = %s AND key IN ({marks(wanted)})"
    found: dict[str, int] = dict(select(sql, [source_id, *wanted])) if wanted else {}
    missing = [key for key in wanted if key not in found]
    made = dict(zip(missing, reserve_ids(model, len(missing)), strict=True))
    insert_rows(model, ("id", "source_id", "key"), [(i, source_id, key) for key, i in made.items()])
    return found | made


def _insert_merges(
    submission_id: int, rows: Sequence[tuple[int, int, MessageRow]], records: dict[str, int]
) -> set[Merge]:
    """Keep the merges among the messages, and return them."""
    found = {
        Merge(row.fact.occurred, _order(row.fact), str(records[losing]), str(records[row.fact.patient]))
        for _, _, row in rows
        for losing in row.losing
    }
    insert_rows(
        RecordMerge,
        ("losing_id", "surviving_id", "submission_id", "at", "order"),
        [(int(m.losing), int(m.surviving), submission_id, stored(m.at), m.order) for m in sorted(found)],
    )
    return found


def _order(fact: Fact) -> str:
    """What decides between merges of one moment, as text."""
    return f"{fact.recorded:%Y%m%d%H%M%S} {fact.sent:%Y%m%d%H%M%S} {fact.sequence:015} {fact.control_id[:200]:>200}"


def _held(submission_id: int, visits: set[int], records: set[int]) -> list[Heard]:
    """The messages that are held about these visits, and about these people."""
    found: dict[int, Heard] = {}
    for column, ids in (("visit_id", sorted(visits)), ("record_id", sorted(records))):
        sql = (
            "SELECT m.version_id, m.item_id, m.record_id, m.visit_id, m.said FROM record_message m "
            "JOIN record_submission s ON s.id = m.submission_id AND (s.published_at IS NOT NULL OR s.id = %s) "
            f"WHERE m.{column} IN ({marks(ids)})"
        )
        for version, item, record, visit, said in select(sql, [submission_id, *ids]) if ids else ():
            if version not in found:
                found[version] = Heard(version, item, record, visit, _decode(said))
    return list(found.values())


def _tell_people(told: Told, source_id: int, old: Sequence[Heard], new: Sequence[Heard]) -> None:
    """The details of each person that a new message changes, and the lines of what stands about them."""
    before: dict[int, list[Heard]] = defaultdict(list)
    since: dict[int, list[Heard]] = defaultdict(list)
    for heard in old:
        before[heard.record_id].append(heard)
    for heard in new:
        since[heard.record_id].append(heard)
    lines: list[tuple[str, Heard, EntryRow]] = []
    for record, heard_now in since.items():
        was, now = _stands(before[record]), _stands([*before[record], *heard_now])
        if not before[record] or now.said != was.said:
            told.details[record] = details_of(now.said)
        for about in sorted(now.lines.keys() | was.lines.keys()):
            line = now.lines.get(about)
            if line != was.lines.get(about):
                lines.append((f"PERSON/{record}/{_short(about)}", now.by.get(about, heard_now[-1]), line or EntryRow()))
    items = _by_key(Item, source_id, {key for key, _, _ in lines})
    told.lines += [(replace(by, item_id=items[key]), line) for key, by, line in lines]


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands about a person: what is said of them, the lines it makes, and which message said each."""

    said: Said
    lines: dict[str, EntryRow]
    by: dict[str, Heard]


def _stands(heard: Sequence[Heard]) -> Stands:
    facts = [h.fact for h in heard]
    said, stated = person(facts), allergies(facts)
    by = {name: h for h in sorted(heard, key=lambda h: said_order(h.fact)) for name in h.fact.person}
    by_digest = {h.fact.digest: h for h in heard}
    by |= {f"allergy {code}": by_digest[standing.by] for code, standing in stated.items()}
    return Stands(said, standing_lines(said, stated), by)


def _short(about: str) -> str:
    """A key of any text: the code of an allergy may be long, or a sentence."""
    return hashlib.blake2b(about.encode(), digest_size=16).hexdigest()


def _tell_visits(told: Told, submission_id: int, old: list[Heard], new: list[Heard], merges: set[Merge]) -> None:
    """A state for each visit that is not what it was, and the lines that are not what they were."""
    tied = {number for merge in merges for number in (merge.losing, merge.surviving)}
    touched = {h.visit_id for h in new} | {h.visit_id for h in old if str(h.record_id) in tied}
    old, new = ([h for h in each if h.visit_id and h.visit_id in touched] for each in (old, new))
    several = _shared([*old, *new])
    after = merges_around(submission_id, several) if several else set()
    was, now = _folded(old, after - merges), _folded([*old, *new], after)
    states = []
    for visit_id, (visit, heard) in now.items():
        earlier = was[visit_id][0] if visit_id in was else None
        if visit != earlier:
            states.append(_state(visit_id, submission_id, visit))
            told.visited |= {int(each.patient) for each in (visit, earlier) if each and each.patient}
        shown = lines_of(earlier) if earlier else {}
        wanted = lines_of(visit)
        for each in heard:
            line = wanted.get(each.fact.digest)
            if line != shown.get(each.fact.digest):
                told.lines.append((each, line or EntryRow()))
    insert_rows(
        VisitState,
        (
            *("visit_id", "submission_id", "record_id", "state", "patient_class", "site", "ward", "bed"),
            *("since_at", "admitted_at", "expected_at", "discharged_at", "notes"),
        ),
        states,
    )


def _shared(heard: Iterable[Heard]) -> set[int]:
    """The records of visits that are said to be of several people."""
    people: dict[int | None, set[int]] = defaultdict(set)
    for each in heard:
        people[each.visit_id].add(each.record_id)
    return {record for records in people.values() if len(records) > 1 for record in records}


def _folded(heard: Iterable[Heard], merges: set[Merge]) -> dict[int, tuple[adt.Visit, list[Heard]]]:
    """Each visit, and its messages; patients are the records that stand for them after the merges."""
    into, _ = survivors(merges)
    by_visit: dict[int, dict[str, Heard]] = defaultdict(dict)
    for each in heard:
        if each.visit_id is not None:
            by_visit[each.visit_id][each.fact.digest] = each
    found = {}
    for visit_id, mine in by_visit.items():
        facts = [replace(h.fact, patient=into.get(str(h.record_id), str(h.record_id))) for h in mine.values()]
        found[visit_id] = adt.fold(facts), list(mine.values())
    return found


def _state(visit_id: int, submission_id: int, visit: adt.Visit) -> tuple[Any, ...]:
    stay = visit.stays[-1] if visit.stays else None
    place = stay.place if stay else adt.Place("", "", "")
    moments = (stay.from_at if stay else None, visit.admitted_at, visit.expected_at, visit.discharged_at)
    codes = (visit.state, visit.codes.get("class", ""))
    return (
        *(visit_id, submission_id, int(visit.patient), *codes, *place),
        *map(stored, moments),
        " ".join(visit.notes),
    )
