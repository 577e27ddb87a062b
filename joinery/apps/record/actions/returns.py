"""Staging rows of returns: new, known, or older than what we hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joinery.apps.base.columns import as_moment, insert_rows, marks, select, stored
from joinery.apps.record.actions.staging import Stage, count_faults, quarantine
from joinery.apps.record.models import ReturnRow
from joinery.apps.record.returns import ReturnLine


@dataclass(slots=True)
class Held:
    """What is held of one key: its newest row that was not late, and the digests of all its rows."""

    digest: bytes = b""
    stated_at: datetime | None = None
    digests: set[bytes] = field(default_factory=set)


def stage_returns(stage: Stage, lines: list[ReturnLine]) -> None:
    """Stage rows in the order of the file; adds to `stage.counts`."""
    quarantine(stage, [(line.position, "", "", line.body, line.issues) for line in lines if line.issues])
    good = [line for line in lines if not line.issues]
    held = _held(stage, {line.key for line in good})
    rows: list[tuple[Any, ...]] = []
    for line in good:
        # A period that is not over yet is misstated: the order of arrival counts then.
        stated_at = line.stated_at if line.stated_at and line.stated_at <= stage.at else None
        if line.notes:
            stage.noted += 1
            count_faults(stage, line.notes, quarantined=False)
        known = held.get(line.key) or held.setdefault(line.key, Held())
        older = stated_at is not None and known.stated_at is not None and stated_at < known.stated_at
        again = line.digest == known.digest
        if again or (line.digest in known.digests and (older or stage.repeat)):
            stage.counts["unchanged"] += 1
            # What goes on is kept again, so that it shows where a later file leaves it out.
            if stage.repeat or not (again and line.goes_on and _is_newer(stated_at, known)):
                continue
        else:
            stage.counts["superseded" if older else "taken"] += 1
        known.digests.add(line.digest)
        if not older:
            known.digest, known.stated_at = line.digest, stated_at
        rows.append(
            (stage.source_id, stage.submission_id, line.key, line.digest, stored(stated_at), older)
            + (line.kind, line.subject, line.from_date, line.to_date, line.body)
        )
    insert_rows(
        ReturnRow,
        (
            *("source_id", "submission_id", "key", "digest", "stated_at", "late"),
            *("kind", "subject", "from_date", "to_date", "body"),
        ),
        rows,
    )


def _is_newer(stated_at: datetime | None, known: Held) -> bool:
    return stated_at is not None and known.stated_at is not None and stated_at > known.stated_at


def _held(stage: Stage, keys: set[bytes]) -> dict[bytes, Held]:
    """What is held of each key so far, in this file too."""
    wanted = sorted(keys)
    sql = (
        "SELECT r.key, r.digest, r.stated_at, r.late FROM record_returnrow r "
        "JOIN record_submission s ON s.id = r.submission_id AND (s.published_at IS NOT NULL OR s.id = %s) "
        f"WHERE r.source_id = %s AND r.key IN ({marks(wanted)}) ORDER BY r.id"
    )
    held: dict[bytes, Held] = {}
    for key, digest, at, late in select(sql, [stage.submission_id, stage.source_id, *wanted]) if wanted else ():
        known = held.setdefault(bytes(key), Held())
        known.digests.add(bytes(digest))
        if not late:
            known.digest, known.stated_at = bytes(digest), as_moment(at) if at else None
    return held
