"""Which numbers of a hospital were merged into which: looked up, never written into what was sent."""

from __future__ import annotations

from collections.abc import Iterable

from joinery.apps.base.columns import as_moment, marks, select
from joinery.calc.adt_people import Merge, survivors

# Why a record is linked to a person: because the number it is under lost to another.
MERGED = "merged"


def merges_around(submission_id: int, record_ids: Iterable[int]) -> set[Merge]:
    """Every merge that ties one of these records to others, however long the chain; published ones, and
    those of the submission that is being staged. Numbers are ids of records.
    """
    found: set[Merge] = set()
    seen: set[int] = set()
    ask = set(record_ids)
    while ask:
        seen |= ask
        wanted = sorted(ask)
        sql = (
            'SELECT m.at, m."order", m.losing_id, m.surviving_id FROM record_recordmerge m '
            "JOIN record_submission s ON s.id = m.submission_id WHERE (s.published_at IS NOT NULL OR s.id = %s) "
            f"AND (m.losing_id IN ({marks(wanted)}) OR m.surviving_id IN ({marks(wanted)}))"
        )
        rows = select(sql, [submission_id, *wanted, *wanted])
        found |= {Merge(as_moment(at), order, str(losing), str(into or "")) for at, order, losing, into in rows}
        ask = {each for _, _, losing, into in rows for each in (losing, into) if each} - seen
    return found


def merged_into(submission_id: int, record_ids: Iterable[int]) -> dict[int, int]:
    """For each record tied to these that lost its number: the record that stands for it."""
    return {int(k): int(v) for k, v in survivors(merges_around(submission_id, record_ids))[0].items()}
