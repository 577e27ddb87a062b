"""One record against everybody: those that share a key with it, scored, best first.

A key of more than `largest_block` records says nothing, in batch as here: those who only share "Smith, born
in 1950" are found by another key, or not at all. Only the few that score high enough are checked to be
what their record says now, so details that were replaced since cost a score and nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
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
    keys = sorted(model.keys(fields))
    if not keys:
        return []
    most = model.largest_block
    shared = _of_small_blocks(select(_sharing(len(keys), most + 1), keys), most)
    said = _said({details_id for _, details_id in shared}, exclude_record)
    # With this record itself a block is one larger.
    shared = _of_small_blocks([row for row in shared if row[1] in said], most - 1)
    against = model.against(fields, least_bits)
    near = []
    for details_id in {details_id for _, details_id in shared}:
        if against.bits(said[details_id]) >= least_bits:
            near.append((details_id, against.score(said[details_id])))
    return sorted(near, key=lambda scored: (-scored[1].bits, scored[0]))


def _of_small_blocks(shared: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Of keys and details that have them, those of the keys that at most so many details have."""
    sizes = Counter(key for key, _ in shared)
    return [row for row in shared if sizes[row[0]] <= most]


@cache
def _sharing(keys: int, most: int) -> str:
    """SQL for the details that share a key, at most `most` for each of so many keys."""
    one = f"SELECT * FROM (SELECT key, details_id FROM record_matchkey WHERE key = %s LIMIT {most:d}) a"
    return " UNION ALL ".join([one] * keys)


def _said(details_ids: Collection[int], exclude_record: int) -> dict[int, Fields]:
    """Details as they are compared, but for those of one record."""
    ids = sorted(details_ids)
    said = f"SELECT details_id, fields FROM record_matchdetails WHERE details_id IN ({marks(ids)}) AND record_id <> %s"
    rows = select(said, [*ids, exclude_record]) if ids else []
    return {details_id: unpacked(text) for details_id, text in rows}


def _said_now(near: Sequence[tuple[int, Score]], submission_id: int) -> list[tuple[int, Score]]:
    """Of details those that are what their record says now: the record, and the score."""
    if not near:
        return []
    ids = [details_id for details_id, _ in near]
    now = f"SELECT d.id, d.record_id FROM {details(also=STAGED)} WHERE d.id IN ({marks(ids)})"
    record_of = dict(select(now, [submission_id, submission_id, *ids]))
    return [(record_of[details_id], score) for details_id, score in near if details_id in record_of]
