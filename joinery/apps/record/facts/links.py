"""How we know that a person's records are one person, what is kept apart, and which records came and went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import Stood, person_facts
from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.answers import Answer, answers_about
from joinery.apps.record.compared import fields_said, model_named
from joinery.apps.record.merges import MERGED, merged_into
from joinery.apps.record.pairs import HeldEvent, Pair, held_events, waiting
from joinery.apps.record.people import Known, PersonRecords, Seal
from joinery.calc.linkage.fields import Fields

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
    "parted": "It does not agree with the others enough, or people parted it",
}
# Reasons that say why a record went as well as why it came.
DECIDED = ("reviewer", "parted", "unmerged", MERGED)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A score in parts: what the model held before it compared anything, each comparison in words with its
    bits, the total, and from how many bits on two records are one person (`link_bits`)."""

    prior_bits: float
    levels: tuple[tuple[str, float], ...]
    bits: float
    link_bits: float


@dataclass(frozen=True, slots=True)
class Decided:
    """What people decided of a pair, and when: by the action of `made_by`, or by answers that said so."""

    made_by: str
    at: datetime
    note: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class JoinedBy:
    """One reason why a record is about the same person as earlier ones (`numbers` on the page).

    `channel` is `rule`, `score`, `hospital` or `reviewer`; `bits` the match weight of a score by `model`, in
    parts when the records still say what it was worked out from. People's decision can be taken back by `pair`.
    """

    numbers: tuple[int, ...]
    channel: str
    words: str = ""
    bits: float | None = None
    weighed: Weighed | None = None
    model: str = ""
    decided: Decided | None = None
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
    """A record of somebody else that is not joined with record `number`: because people `decided` so, because both
    carry one NHS number and nothing else agrees (`why` is `contradiction`), or because it `waits` for people."""

    number: int
    organisation_name: str
    why: str
    waits: bool
    decided: Decided | None
    pair: Pair


@dataclass(frozen=True, slots=True)
class HowJoined:
    """The records of a person with their reasons, and the pairs that are kept apart."""

    records: tuple[JoinedRecord, ...]
    apart: tuple[KeptApart, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody once decided of a record of the person and another: `same`, `apart`, `unsure` (could not
    tell) or `none` (took back). Of a record that is somebody else's only the sender is told."""

    at: datetime
    made_by: str
    verdict: str
    note: str
    organisation_name: str
    local_id: str
    other_organisation_name: str
    other_local_id: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A record came to the person, or went to another; why, where that was decided or it came."""

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
    decided = _decided(events, of.seal)
    ties = _ties(numbers, events, decided)
    since = {row.record_id: row.at for row in reversed(_link_rows(viewing.person_id))}
    records = tuple(_joined(k, numbers, ties, since.get(k.record_id)) for k in known)
    return HowJoined(records, _apart(viewing, numbers, events, decided))


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
        Passage(
            row.at, came, names[row.organisation_id].name, row.local_id,
            REASONS.get(row.reason, row.reason) if came or row.reason in DECIDED else "",
        )
        for row, came in sorted(found, key=lambda each: (each[0].at, each[0].id), reverse=True)
    )  # fmt: skip


@person_facts
def decisions(viewing: Viewing, of: PersonRecords) -> tuple[Decision, ...]:
    """What people decided about the records of the person of the viewing, newest first; the last 100 decisions."""
    mine = {k.record_id for k in of.known}
    rows = _decisions(sorted(mine))
    names = place.briefs({body for row in rows for body in (row[6], row[8])}, place.as_at(viewing.at.date()))
    found = []
    for at, made_by, verdict, note, record, other, body, local_id, other_body, other_id in rows:
        sides = [(record, names[body].name, local_id), (other, names[other_body].name, other_id)]
        ours, theirs = sorted(sides, key=lambda side: side[0] not in mine)
        told = theirs[2] if theirs[0] in mine else ""
        note = of.seal.masked(note)
        found.append(Decision(as_moment(at), made_by, verdict, note, *ours[1:], theirs[1], told))
    return tuple(found)


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


def _decisions(record_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Events of reviewers on pairs with one of these records, taken back or not."""
    sql = (
        "SELECT m.at, m.made_by, m.verdict, m.note, m.record_id, m.other_id, a.organisation_id, x.local_id, "
        "b.organisation_id, y.local_id FROM record_matchevent m "
        "JOIN record_submission ms ON ms.id = m.submission_id AND ms.published_at IS NOT NULL "
        "JOIN record_sourcerecord x ON x.id = m.record_id JOIN record_source a ON a.id = x.source_id "
        "JOIN record_sourcerecord y ON y.id = m.other_id JOIN record_source b ON b.id = y.source_id "
        f"WHERE m.channel = 'reviewer' AND (m.record_id IN ({marks(record_ids)}) "
        f"OR m.other_id IN ({marks(record_ids)})) ORDER BY m.id DESC LIMIT 100"
    )
    return select(sql, [*record_ids, *record_ids]) if record_ids else []


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


def _ties(
    numbers: dict[int, int], events: Sequence[HeldEvent], decided: dict[Pair, Decided]
) -> dict[Pair, list[JoinedBy]]:
    """What joins the pairs of the person's own records."""
    own = [e for e in events if e.verdict == "same" and numbers.keys() >= set(e.pair)]
    said = fields_said({record for e in own if e.channel == "score" for record in e.pair})
    ties: dict[Pair, list[JoinedBy]] = defaultdict(list)
    for e in own:
        words = RULES.get(e.levels, e.levels) if e.channel == "rule" else REASONS[e.channel]
        by_people = decided.get(e.pair) if e.channel == "reviewer" else None
        ties[e.pair].append(
            JoinedBy((numbers[e.pair[0]],), e.channel, words, e.bits, _weighed(e, said), e.model, by_people, e.pair)
        )
    for losing, into in merged_into(0, list(numbers)).items():
        pair = min(losing, into), max(losing, into)
        if numbers.keys() >= set(pair):
            ties[pair].append(JoinedBy((numbers[pair[0]],), "hospital", REASONS[MERGED], pair=pair))
    return ties


def _decided(events: Sequence[HeldEvent], seal: Seal) -> dict[Pair, Decided]:
    """People's decisions that stand, with the answers that said the same."""
    made = {e.pair: e for e in events if e.channel == "reviewer" and e.verdict in ("same", "apart")}
    answers = answers_about(*([list(each) for each in zip(*made, strict=True)] if made else ([], [])))
    meant = {"same": "same", "apart": "different"}
    return {
        pair: Decided(
            e.made_by, e.at, seal.masked(e.note),
            tuple(
                replace(a, note=seal.masked(a.note))
                for a in answers
                if a.pair == pair and a.answer == meant[e.verdict] and a.at <= e.at
            ),
        )
        for pair, e in made.items()
    }  # fmt: skip


def _joined(
    known: Known, numbers: dict[int, int], ties: dict[Pair, list[JoinedBy]], since: datetime | None
) -> JoinedRecord:
    """A record with what joins it to earlier ones: those that share a rule, together."""
    by_rule: dict[str, list[int]] = defaultdict(list)
    others = []
    for pair, reasons in sorted(ties.items()):
        for reason in reasons if pair[1] == known.record_id else ():
            if reason.channel == "rule":
                by_rule[reason.words] += reason.numbers
            else:
                others.append(reason)
    rules = [JoinedBy(tuple(earlier), "rule", words) for words, earlier in sorted(by_rule.items())]
    later = () if rules or others else tuple(sorted(numbers[b] for a, b in ties if a == known.record_id))
    return JoinedRecord(
        numbers[known.record_id], known.record_id, known.organisation_name, feed_of(known.feed).title, known.local_id,
        known.sector, since, REASONS.get(known.link_reason, known.link_reason), tuple(rules + others), later,
    )  # fmt: skip


def _weighed(event: HeldEvent, said: dict[int, Fields]) -> Weighed | None:
    """A score in parts; None when the model is gone, or the records say something else by now."""
    model = model_named(event.model) if event.channel == "score" else None
    if model is None or not said.keys() >= set(event.pair):
        return None
    score = model.score(*(said[record] for record in event.pair))
    if score.code != event.levels:
        return None
    levels = tuple((words, bits) for _, words, bits in score.levels)
    return Weighed(model.prior_bits, levels, score.bits, model.link_bits)


def _apart(
    viewing: Viewing, numbers: dict[int, int], events: Sequence[HeldEvent], decided: dict[Pair, Decided]
) -> tuple[KeptApart, ...]:
    """Pairs of a record of the person and one of somebody else that people told apart, or that wait for them."""
    waits = {pair: why for pair, (why, _) in waiting(list(numbers)).items()}
    told = {e.pair: e.channel for e in sorted(events, key=lambda e: e.channel == "reviewer") if e.verdict == "apart"}
    whys = {pair: "told_apart" if channel == "reviewer" else "contradiction" for pair, channel in told.items()} | waits
    others = {pair: set(pair) - numbers.keys() for pair in whys}
    senders = _senders(viewing, {record for each in others.values() for record in each})
    apart = []
    for pair, why in whys.items():
        if len(others[pair]) == 1:
            (other,) = others[pair]
            (mine,) = set(pair) - {other}
            by_people = decided.get(pair) if why == "told_apart" else None
            apart.append(KeptApart(numbers[mine], senders.get(other, ""), why, pair in waits, by_people, pair))
    return tuple(sorted(apart, key=lambda each: (each.number, each.pair)))


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
