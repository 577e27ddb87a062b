"""What people decide about records: one person, or not. Every decision is an event, and can be taken back.

Two people must agree before records are joined; one is enough to keep them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product

from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import select
from joinery.apps.record.actions.linking import Found, insert_events, relink
from joinery.apps.record.merges import merged_into
from joinery.apps.record.models import Review, Submission
from joinery.apps.record.pairs import Pair, linked_to, records_linked_to
from joinery.calc.linkage.identity import Verdict
from joinery.calc.linkage.review import ANSWERS, Answer, verdict

# What the answers on a pair come to, as the reviewer's verdict; without one the pair goes on waiting.
_DECIDES: dict[str, Verdict] = {"same": "same", "apart": "apart", "unclear": "unsure"}
_ANSWERED = "You have answered this pair already. It waits for somebody else."
_TWO_PEOPLE = "Two different people must agree before two people's records become one."


def answer_pair(
    *, record_id: int, other_id: int, answer: str, blind: bool, note: str, user_id: int, actor: Actor, at: datetime
) -> str:
    """Keep one user's answer about a pair of records that waits, and do what the answers so far decide.

    Returns `same`, `apart`, `unclear` (it waits no longer), `open` or `disagreed` (it waits for another
    person). Raises Refused when the user has answered already, or a long file is being taken.
    """
    with one_at_a_time("intake", wait=False):
        outcome: str = _answer(
            pair=(min(record_id, other_id), max(record_id, other_id)), answer=answer, blind=blind, note=note,
            user_id=user_id, actor=actor, at=at,
        )  # fmt: skip
    return outcome


@action("record.review", targets=("pair", "answer"))
def _answer(*, pair: Pair, answer: str, blind: bool, note: str, user_id: int, actor: Actor, at: datetime) -> str:
    if answer not in ANSWERS:
        raise Refused("answer", f"An answer is one of: {', '.join(ANSWERS)}.")
    answers = answers_of(pair)
    if user_id in answers:
        raise Refused("answered", _ANSWERED)
    Review.objects.create(
        record_id=pair[0], other_id=pair[1], answer=answer, blind=blind, note=note[:300], user_id=user_id, at=at
    )
    outcome = verdict({str(user): given for user, given in (answers | {user_id: answer}).items()})
    if outcome in _DECIDES:
        _decide([(pair, _DECIDES[outcome])], note, actor, at)
    return outcome


def answers_of(pair: Pair) -> dict[int, Answer]:
    """The answers on a pair, by user, since it was last decided or taken back."""
    sql = (
        "SELECT v.user_id, v.answer FROM record_review v WHERE v.record_id = %s AND v.other_id = %s AND NOT EXISTS "
        "(SELECT 1 FROM record_matchevent m WHERE m.record_id = v.record_id AND m.other_id = v.other_id "
        "AND m.channel = 'reviewer' AND m.at >= v.at) ORDER BY v.id"
    )
    return dict(select(sql, pair))


def join_people(*, person_id: str, other_id: str, by: tuple[int, int], note: str, actor: Actor, at: datetime) -> str:
    """Make two people one, as two users agree; returns the id under which the person is known.

    Raises Refused when it is one user, or nobody has such an id.
    """
    if len(set(by)) < 2:
        raise Refused("two_people", _TWO_PEOPLE)
    with one_at_a_time("intake", wait=actor.user_id is None):
        joined: str = _join(person_id=person_id, other_id=other_id, by=by, note=note, actor=actor, at=at)
    return joined


@action("record.join", targets=("person_id", "other_id", "by"))
def _join(*, person_id: str, other_id: str, by: tuple[int, int], note: str, actor: Actor, at: datetime) -> str:
    mine, others = _records(person_id), _records(other_id)
    if set(mine) == set(others):
        raise Refused("same_already", "These are one person already.")
    told_apart = _decided([(min(p), max(p)) for p in product(mine, others)])
    pair = min(mine[0], others[0]), max(mine[0], others[0])
    events: dict[Pair, Verdict] = {each: "none" for each, said in told_apart.items() if said == "apart"}
    events[pair] = "same"
    who = f"users {by[0]} and {by[1]}"
    _decide(sorted(events.items()), note, actor, at, made_by=who)
    return linked_to([mine[0]])[mine[0]]


def split_records(*, person_id: str, record_ids: Sequence[int], note: str, actor: Actor, at: datetime) -> str:
    """Part records from the person whom they are linked to; returns the id of the person they are then.

    They stay apart, whatever is sent later. Raises Refused when they are not that person's, are all of
    the person's records, or a hospital has merged one into another.
    """
    with one_at_a_time("intake", wait=actor.user_id is None):
        parted: str = _split(person_id=person_id, record_ids=record_ids, note=note, actor=actor, at=at)
    return parted


@action("record.split", targets=("person_id", "record_ids"))
def _split(*, person_id: str, record_ids: Sequence[int], note: str, actor: Actor, at: datetime) -> str:
    mine = set(_records(person_id))
    parted = set(record_ids)
    if not parted or not parted <= mine:
        raise Refused("not_theirs", "Choose records that this person has.")
    stay = mine - parted
    if not stay:
        raise Refused("all", "These are all the records of this person: nothing would stay to part them from.")
    into = merged_into(0, parted)
    if any(losing in mine and (losing in parted) != (survivor in parted) for losing, survivor in into.items()):
        raise Refused(
            "merged", "The hospital has merged one of these numbers into another. Take that back with joinery unmerge."
        )
    _decide([((min(p), max(p)), "apart") for p in product(sorted(parted), sorted(stay))], note, actor, at)
    first = min(parted)
    return linked_to([first])[first]


def withdraw_decision(*, record_id: int, other_id: int, note: str, actor: Actor, at: datetime) -> None:
    """Take back the last decision of people about two records, whole: what counted before it counts again.

    Raises Refused when none stands.
    """
    with one_at_a_time("intake", wait=actor.user_id is None):
        _withdraw(pair=(min(record_id, other_id), max(record_id, other_id)), note=note, actor=actor, at=at)


@action("record.withdraw", targets=("pair",))
def _withdraw(*, pair: Pair, note: str, actor: Actor, at: datetime) -> None:
    last = select(
        "SELECT submission_id, verdict FROM record_matchevent WHERE record_id = %s AND other_id = %s "
        "AND channel = 'reviewer' ORDER BY id DESC LIMIT 1",
        pair,
    )
    if not last or last[0][1] == "none":
        raise Refused("no_decision", "Nobody has decided about these two records.")
    before = (
        "SELECT m.record_id, m.other_id, COALESCE((SELECT e.verdict FROM record_matchevent e "
        "WHERE e.record_id = m.record_id AND e.other_id = m.other_id AND e.channel = 'reviewer' AND e.id < m.id "
        "ORDER BY e.id DESC LIMIT 1), 'none') FROM record_matchevent m "
        "WHERE m.submission_id = %s AND m.channel = 'reviewer' ORDER BY m.id"
    )
    _decide([((a, b), said) for a, b, said in select(before, [last[0][0]])], note, actor, at)


def _decide(
    events: Iterable[tuple[Pair, Verdict]], note: str, actor: Actor, at: datetime, made_by: str | None = None
) -> None:
    """Keep what people decided as one submission of ours, and work out anew who is who."""
    submission = Submission.objects.create(
        source_id=None, part="review", file_name="", file_digest="", received_at=at, published_at=at
    )
    found = [(pair, Found("reviewer", said)) for pair, said in events]
    insert_events(submission.pk, at, found, made_by=made_by or actor.name, note=note[:300])
    relink(submission.pk, at, {record for pair, _ in found for record in pair})


def _decided(pairs: Sequence[Pair]) -> dict[Pair, str]:
    """The verdicts of people that stand on these pairs."""
    sql = (
        "SELECT verdict FROM record_matchevent WHERE record_id = %s AND other_id = %s AND channel = 'reviewer' "
        "ORDER BY id DESC LIMIT 1"
    )
    return {pair: said for pair in pairs for (said,) in select(sql, pair)}


def _records(person_id: str) -> list[int]:
    """The records of a person, by id. Raises Refused when nobody has this id now."""
    records = records_linked_to(person_id)
    if not records:
        raise Refused("nobody", f"No person is known as {person_id[:40]}.")
    return records
