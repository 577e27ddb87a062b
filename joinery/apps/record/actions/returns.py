"""Staging rows of returns: new, known, or older than what we hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from joinery.apps.base.columns import as_moment, insert_rows, marks, select, stored
from joinery.apps.record.actions.staging import Stage, count_faults, quarantine
from joinery.apps.record.models import ReturnRow
from joinery.apps.record.returns import ReturnLine

Held = tuple[bytes, datetime | None]


def stage_returns(stage: Stage, lines: list[ReturnLine]) -> None:
    """Stage rows in the order of the file; adds to `stage.counts`."""
    quarantine(stage, [(line.position, "", "", line.body, line.issues) for line in lines if line.issues])
    good = [line for line in lines if not line.issues]
    held = _held(stage, {line.key for line in good})
    day = connection.ops.adapt_datefield_value
    rows: list[tuple[Any, ...]] = []
    for line in good:
        if line.notes:
            stage.noted += 1
            count_faults(stage, line.notes, quarantined=False)
        digest, stated_at = held.get(line.key, (b"", None))
        older = line.stated_at is not None and stated_at is not None and line.stated_at < stated_at
        if line.digest == digest or (older and stage.repeat):
            stage.counts["unchanged"] += 1
            continue
        stage.counts["superseded" if older else "taken"] += 1
        if not older:
            held[line.key] = line.digest, line.stated_at
        rows.append(
            (stage.source_id, stage.submission_id, line.key, line.digest, stored(line.stated_at), older)
            + (line.kind, line.subject, day(line.from_date), day(line.to_date), line.body)
        )
    insert_rows(
        ReturnRow,
        (
            *("source_id", "submission_id", "key", "digest", "stated_at", "late"),
            *("kind", "subject", "from_date", "to_date", "body"),
        ),
        rows,
    )


def _held(stage: Stage, keys: set[bytes]) -> dict[bytes, Held]:
    """What is held of each key: the digest of its newest row that was not late, and when that was stated."""
    wanted = sorted(keys)
    sql = (
        "SELECT r.key, r.digest, r.stated_at FROM record_returnrow r "
        "JOIN record_submission s ON s.id = r.submission_id AND (s.published_at IS NOT NULL OR s.id = %s) "
        f"WHERE r.source_id = %s AND r.key IN ({marks(wanted)}) AND NOT r.late ORDER BY r.id"
    )
    rows = select(sql, [stage.submission_id, stage.source_id, *wanted]) if wanted else []
    return {bytes(key): (bytes(digest), as_moment(at) if at else None) for key, digest, at in rows}
