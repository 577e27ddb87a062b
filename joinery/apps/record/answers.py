"""What people answered about pairs of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.record.pairs import Pair


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said of a pair; `answer` is `same`, `different` or `cannot_tell`."""

    pair: Pair
    user_id: int
    answer: str
    note: str
    at: datetime


def answers_about(record_ids: Sequence[int], other_ids: Sequence[int]) -> list[Answer]:
    """Every answer about pairs of one of these records and one of the others, oldest first."""
    sql = (
        "SELECT v.record_id, v.other_id, v.user_id, v.answer, v.note, v.at FROM record_review v "
        f"WHERE v.record_id IN ({marks(record_ids)}) AND v.other_id IN ({marks(other_ids)}) ORDER BY v.id"
    )
    rows = select(sql, [*record_ids, *other_ids]) if record_ids and other_ids else []
    return [Answer((a, b), user, answer, note, as_moment(at)) for a, b, user, answer, note, at in rows]
