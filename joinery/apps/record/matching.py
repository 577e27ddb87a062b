"""One record against everybody: those that share a key with it, scored, best first.

A key of more than `largest_block` records says nothing, in batch as here: those who only share "Smith, born
in 1950" are found by another key, or not at all. Only the few that score high enough are checked to be
what their record says now, so details that were replaced since cost a score and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from joinery.apps.base.columns import marks, select
from joinery.apps.record.compared import unpacked
from joinery.apps.record.sql import STAGED, details
from joinery.calc.linkage.fields import Fields
from joinery.calc.linkage.model import Model, Score

MOST_FOUND = 100


def candidates(
    fields: Fields, model: Model, *, submission_id: int = 0, exclude_record: int = 0
) -> list[tuple[int, Score]]:
    """The records that are, or may be, about the same person: from `model.review_bits` on, best first.

    Counted is what is published, and what the submission that is being staged says.
    """
    return _said_now(_near(fields, model, model.review_bits, exclude_record), submission_id)


def search(fields: Fields, model: Model, most: int = MOST_FOUND) -> list[tuple[int, Score]]:
    """The details (their id) that are most like what somebody typed, of which any part may be missing; best first.

    Listed are those of which more speaks for the same person than against. Some may be what a record said before.
    """
    return _near(fields, model, model.prior_bits)[:most]


def _near(fields: Fields, model: Model, least_bits: float, exclude_record: int = 0) -> list[tuple[int, Score]]:
    """The details (their id) that share a key and score at least `least_bits`, best first."""
    # Of a record that is kept the blocks hold its own details too; any other makes each block one larger.
    most = model.largest_block if exclude_record else model.largest_block - 1
    against = model.against(fields, least_bits)
    near = []
    for details_id, said in _sharing(model.keys(fields), most, exclude_record):
        if against.bits(said) >= least_bits:
            near.append((details_id, against.score(said)))
    return sorted(near, key=lambda scored: (-scored[1].bits, scored[0]))


def _sharing(keys: Sequence[int], most: int, exclude_record: int) -> Iterator[tuple[int, Fields]]:
    """The details of other records that share a key which at most so many details have; as they are compared."""
    twice = [each for key in sorted(keys) for each in (key, key)]
    found = select(_sharing_sql(len(keys), most), [*twice, exclude_record]) if keys else []
    return ((details_id, unpacked(text)) for details_id, text in found)


@cache
def _sharing_sql(keys: int, most: int) -> str:
    # PostgreSQL plans for as many rows as the limit lets through: a new table's keys it does not know yet.
    few = f"NOT EXISTS (SELECT 1 FROM record_matchkey WHERE key = %s LIMIT 1 OFFSET {most:d})"
    block = f"SELECT * FROM (SELECT details_id FROM record_matchkey WHERE key = %s AND {few} LIMIT {most:d}) a"
    return (
        "SELECT details_id, fields FROM record_matchdetails "
        f"WHERE details_id IN ({' UNION ALL '.join([block] * keys)}) AND record_id <> %s"
    )


def _said_now(near: Sequence[tuple[int, Score]], submission_id: int) -> list[tuple[int, Score]]:
    """Of details those that are what their record says now: the record, and the score."""
    if not near:
        return []
    ids = [details_id for details_id, _ in near]
    now = f"SELECT d.id, d.record_id FROM {details(also=STAGED)} WHERE d.id IN ({marks(ids)})"
    record_of = dict(select(now, [submission_id, submission_id, *ids]))
    return [(record_of[details_id], score) for details_id, score in near if details_id in record_of]
