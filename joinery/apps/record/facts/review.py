"""What waits for people to say whether it is one person, a pair side by side, and what was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.base.feeds import feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.pairs import Pair
from joinery.apps.record.people import Known, records_of
from joinery.apps.record.said import FIELDS, address_hidden, as_compared, said_text
from joinery.calc.linkage.differing import Part, differing

MOST_WAITING_LISTED = 50
_IN_WORDS = ("birth_date", "death_date", "address")

# The pairs that wait now, each once, as `i`.
_WAITING = (
    "record_reviewitem i JOIN record_submission i_s ON i_s.id = i.submission_id AND i_s.published_at IS NOT NULL "
    "AND i.why <> '' AND NOT EXISTS (SELECT 1 FROM record_reviewitem j "
    "JOIN record_submission j_s ON j_s.id = j.submission_id AND j_s.published_at IS NOT NULL "
    "WHERE j.record_id = i.record_id AND j.other_id = i.other_id AND j.id > i.id)"
)
# A condition: this user has not answered about the pair.
_NOT_ANSWERED = (
    "NOT EXISTS (SELECT 1 FROM record_review v WHERE v.record_id = i.record_id AND v.other_id = i.other_id "
    "AND v.user_id = %s)"
)


@dataclass(frozen=True, slots=True)
class WaitingPair:
    """A pair that waits, without a word about whose records they are."""

    item_id: int
    record_id: int
    other_id: int
    why: str
    at: datetime
    organisation_names: tuple[str, str]


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
    organisation_form: str
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
class Answer:
    """What somebody said of a pair; `answer` is `same`, `different` or `cannot_tell`."""

    user_id: int
    answer: str
    note: str
    at: datetime
    blind: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """A pair of which the user has said something: every answer, the model's bits, and whether it still waits."""

    answers: tuple[Answer, ...]
    bits: float | None
    why: str


@place_facts
def waiting_pairs(user_id: int, why: str = "", after: int = 0) -> WaitingPairs:
    """The pairs that wait and about which the user has not answered, of one kind where that is asked for."""
    counts = dict(
        select(f"SELECT i.why, COUNT(*) FROM {_WAITING} WHERE {_NOT_ANSWERED} GROUP BY i.why ORDER BY i.why", [user_id])
    )
    rows = _waiting(user_id, why, after, MOST_WAITING_LISTED + 1)
    shown = rows[:MOST_WAITING_LISTED]
    names = place.briefs({body for row in shown for body in row[5:7]}, place.latest())
    pairs = tuple(
        WaitingPair(i, record, other, reason, as_moment(at), (names[a].name, names[b].name))
        for i, record, other, reason, at, a, b in shown
    )
    return WaitingPairs(pairs, counts, shown[-1][0] if len(rows) > len(shown) else None)
