"""Reading anew what is held: a new version may say more of it than the version that took it.

The bytes are as they were received. A line that reads otherwise now is appended, and the old one stays.
Only lines of FHIR resources are read anew: those of the other feeds read as they did in the version before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

from joinery.apps.base.action import Actor, action, one_at_a_time
from joinery.apps.base.columns import as_moment, select
from joinery.apps.record.actions.intake import open_submission, publish, sweep_drafts
from joinery.apps.record.actions.staging import Stage, insert_lines
from joinery.apps.record.fhir.lines import line_of
from joinery.apps.record.rows import EntryRow, Moment
from joinery.apps.record.sql import entries

BATCH_ROWS = 2_000
PART = "reread"


def reread_lines(*, actor: Actor, at: datetime) -> int:
    """Read every FHIR line anew, once for each definition; returns how many say something else now.

    Safe to repeat, safe to kill: what was read by this definition is not read again, and drafts are swept first.
    """
    digest = hashlib.sha256(files("joinery.definitions").joinpath("feeds/fhir.toml").read_bytes()).hexdigest()
    sql = (
        "SELECT s.source_id, MAX(s.received_at) FROM record_submission s JOIN record_source so ON so.id = s.source_id "
        "WHERE so.feed = 'fhir' AND s.published_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM record_submission r "
        "WHERE r.source_id = s.source_id AND r.part = %s AND r.file_digest = %s AND r.published_at IS NOT NULL) "
        "GROUP BY s.source_id"
    )
    changed = 0
    with one_at_a_time("intake"):
        sweep_drafts(actor=actor, at=at)
        for source_id, last in select(sql, [PART, digest]):
            changed += _reread_source(source_id, digest, as_moment(last), actor, at)
    return changed


def _reread_source(source_id: int, digest: str, received_at: datetime, actor: Actor, at: datetime) -> int:
    """Append the lines of a source that read otherwise now, as a submission of its own; returns how many.

    It is dated `received_at`, when the source last sent: reading anew must not make it look fresh.
    """
    submission_id = open_submission(
        source_id=source_id, part=PART, file_name="", file_digest=digest, header="", actor=actor, at=at,
        received_at=received_at,
    )  # fmt: skip
    stage = Stage(submission_id, source_id, received_at, repeat=False)
    changed = 0
    for batch in _held(source_id):
        lines = [(record, item, version, line) for record, item, version, line, was in batch if _said(line) != was]
        if lines:
            stage_reread(stage=stage, lines=lines, actor=actor, at=at)
        changed += len(lines)
    publish(stage=stage, submission_id=submission_id, actor=actor, at=at)
    return changed


@action("record.reread")
def stage_reread(*, stage: Stage, lines: list[tuple[int, int, int, EntryRow]], actor: Actor, at: datetime) -> None:
    """Stage at most 2,000 lines in one transaction; they count only when the submission is published."""
    insert_lines(stage, lines)


def _held(source_id: int) -> Iterator[list[tuple[int, int, int, EntryRow, tuple[Any, ...]]]]:
    """The lines of a source that count, in batches: their ids, how they read now, and what they say."""
    sql = (
        "SELECT e.id, e.record_id, e.item_id, e.version_id, v.body, e.precision, e.at, e.until_at, e.kind, e.title, "
        f"e.detail, e.banner, e.sensitivity FROM {entries()} JOIN record_itemversion v ON v.id = e.version_id "
        "JOIN record_item i ON i.id = e.item_id WHERE i.source_id = %s AND e.id > %s ORDER BY e.id LIMIT %s"
    )
    after = 0
    while rows := select(sql, [source_id, after, BATCH_ROWS]):
        after = rows[-1][0]
        yield [
            (record, item, version, _dated(line_of(bytes(body)) or EntryRow(), said[1]), _was(*said))
            for _, record, item, version, body, *said in rows
        ]


def _dated(line: EntryRow, at: Any) -> EntryRow:
    """The line; one without a date of its own stays where it stood, by when it was received."""
    if line.moment is None:
        line.moment = Moment(as_moment(at), "none")
    return line


def _was(precision: str, at: Any, until_at: Any, *words: Any) -> tuple[Any, ...]:
    return (precision, as_moment(at), as_moment(until_at) if until_at else None, *words)


def _said(line: EntryRow) -> tuple[Any, ...]:
    assert line.moment is not None
    words = (line.kind, line.title, line.detail, line.banner, line.sensitivity)
    return (line.moment.precision, line.moment.at, line.until_at, *words)
