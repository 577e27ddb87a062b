"""What waits for people to say whether it is one person, a pair side by side, and what was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.answers import Answer, answers_about
from joinery.apps.record.pairs import Pair, held_events
from joinery.apps.record.people import Known, records_of
from joinery.apps.record.said import FIELDS, NAMES, address_hidden, as_compared, said_text
from joinery.calc.linkage.differing import Part, differing, differing_digits

MOST_WAITING_LISTED = 50
_IN_WORDS = ("birth_date", "death_date", "address")

# The pairs that wait now, each once, as `i`.
_WAITING = (
    "record_reviewitem i JOIN record_submission i_s ON i_s.id = i.submission_id AND i_s.published_at IS NOT NULL "
    "AND i.why <> '' AND NOT EXISTS (SELECT 1 FROM record_reviewitem j "
    "JOIN record_submission j_s ON j_s.id = j.submission_id AND j_s.published_at IS NOT NULL "
    "WHERE j.record_id = i.record_id AND j.other_id = i.other_id AND j.id > i.id)"
)
# A condition: the answer was not part of a decision that was taken back since, nor of one that stands.
_COUNTS = (
    "NOT EXISTS (SELECT 1 FROM record_matchevent m WHERE m.record_id = v.record_id AND m.other_id = v.other_id "
    "AND m.channel = 'reviewer' AND m.at >= v.at)"
)
# A condition: no answer of this user about the pair counts.
_NOT_ANSWERED = (
    "NOT EXISTS (SELECT 1 FROM record_review v WHERE v.record_id = i.record_id AND v.other_id = i.other_id "
    f"AND v.user_id = %s AND {_COUNTS})"
)


@dataclass(frozen=True, slots=True)
class WaitingPair:
    """A pair that waits, without a word about whose records they are."""

    record_id: int
    other_id: int
    why: str
    at: datetime
    organisation_name: str
    other_organisation_name: str


@dataclass(frozen=True, slots=True)
class WaitingPairs:
    """A page of what waits for a user, oldest first; `after` is the cursor of the next page, if there is one.

    `counts` are all that wait for the user, by why they do.
    """

    pairs: tuple[WaitingPair, ...]
    counts: dict[str, int]
    after: int | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records: who sent it, under which id, and to how many other records it is joined."""

    person_id: str
    organisation_name: str
    feed_title: str
    local_id: str
    sector: str
    joined_with: int


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field of two records, in parts. `state` is `same`, `differs`, `one_sided`, `silent` or `withheld`."""

    label: str
    left: tuple[Part, ...]
    right: tuple[Part, ...]
    state: str


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two records side by side."""

    left: Side
    right: Side
    fields: tuple[ComparedField, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A pair about which the user has answered: every answer, the model's bits, and what they came to.

    `decided` is `same`, `apart` or `unsure` (people could not tell), empty while the pair waits for others.
    `again`: the decision was taken back, so the user is asked once more.
    """

    answers: tuple[Answer, ...]
    bits: float | None
    decided: str
    again: bool


@place_facts
def waiting_pairs(user_id: int, on: date, why: str = "", after: int = 0) -> WaitingPairs:
    """The pairs that wait and about which the user has not answered, of one kind where that is asked for.

    Organisations have the names of the day `on`. Nobody is told here what others have answered.
    """
    count = f"SELECT i.why, COUNT(*) FROM {_WAITING} WHERE {_NOT_ANSWERED} GROUP BY i.why ORDER BY i.why"
    sql = (
        f"SELECT i.id, i.record_id, i.other_id, i.why, i.at, a.organisation_id, b.organisation_id FROM {_WAITING} "
        "JOIN record_sourcerecord x ON x.id = i.record_id JOIN record_source a ON a.id = x.source_id "
        "JOIN record_sourcerecord y ON y.id = i.other_id JOIN record_source b ON b.id = y.source_id "
        f"WHERE {_NOT_ANSWERED} AND i.id > %s AND i.why {'=' if why else '<>'} %s "
        f"ORDER BY i.id LIMIT {MOST_WAITING_LISTED + 1}"
    )
    rows = select(sql, [user_id, after, why])
    shown = rows[:MOST_WAITING_LISTED]
    names = place.briefs({body for row in shown for body in row[5:]}, place.as_at(on))
    pairs = tuple(
        WaitingPair(record, other, reason, as_moment(at), names[a].name, names[b].name)
        for _, record, other, reason, at, a, b in shown
    )
    counts = {reason: int(number) for reason, number in select(count, [user_id])}
    return WaitingPairs(pairs, counts, shown[-1][0] if len(rows) > len(shown) else None)


@place_facts
def next_pair(user_id: int, why: str = "") -> Pair | None:
    """The pair that has waited longest for the user's answer; None when nothing waits."""
    sql = (
        f"SELECT i.record_id, i.other_id FROM {_WAITING} WHERE {_NOT_ANSWERED} AND i.why {'=' if why else '<>'} %s "
        "ORDER BY i.id LIMIT 1"
    )
    return next(((record, other) for record, other in select(sql, [user_id, why])), None)


@place_facts
def answered(user_id: int, record_id: int, other_id: int) -> Answered | None:
    """What was said of a pair, for somebody who has said something of it; None before that: blind first."""
    answers = answers_about([record_id], [other_id])
    mine = [each for each in answers if each.user_id == user_id]
    if not mine:
        return None
    newest = {e.channel: e for e in held_events([record_id]) if e.pair == (record_id, other_id)}
    score, decision = newest.get("score"), newest.get("reviewer")
    taken_back = decision is not None and decision.verdict == "none"
    return Answered(
        tuple(answers),
        score.bits if score else None,
        decision.verdict if decision and not taken_back else "",
        again=decision is not None and taken_back and mine[-1].at <= decision.at,
    )


@person_facts
def compared_pair(viewing: Viewing, record_id: int, other_id: int) -> ComparedPair | None:
    """Two records of the people of the viewing side by side; None when one of them is no longer theirs."""
    people = records_of(viewing.person_ids, viewing.at.date())
    found = {k.record_id: (k, known) for known in people.values() for k in known}
    if record_id not in found or other_id not in found:
        return None
    (left, lefts), (right, rights) = found[record_id], found[other_id]
    hidden = address_hidden(viewing, lefts), address_hidden(viewing, rights)
    fields = tuple(
        ComparedField(label, (), (), "withheld")
        if (field == "address" and any(hidden)) or (field in NAMES and (left.name_sealed or right.name_sealed))
        else _compared(label, field, said_text(left, field), said_text(right, field))
        for field, label in FIELDS.items()
    )
    return ComparedPair(_side(left, lefts), _side(right, rights), fields)


def _compared(label: str, field: str, left: str, right: str) -> ComparedField:
    if not left or not right:
        said = left or right
        return ComparedField(label, _whole(left), _whole(right), "one_sided" if said else "silent")
    if as_compared(left, field) == as_compared(right, field):
        return ComparedField(label, _whole(left), _whole(right), "same")
    if field == "nhs_number":
        return ComparedField(label, *differing_digits(left, right), "differs")
    return ComparedField(label, *differing(left, right, by_words=field in _IN_WORDS), "differs")


def _whole(text: str) -> tuple[Part, ...]:
    return (Part(text, False),) if text else ()


def _side(known: Known, joined: Sequence[Known]) -> Side:
    return Side(
        known.person_id, known.organisation_name, feed_of(known.feed).title, known.local_id, known.sector,
        len(joined) - 1,
    )  # fmt: skip
