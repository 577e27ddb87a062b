"""Taking back a merge of two of a hospital's numbers: HL7 has no event for it, so somebody says so."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import select
from joinery.apps.record.actions.intake import open_submission, publish
from joinery.apps.record.actions.staging import Stage, stage_told
from joinery.apps.record.actions.visits import stage_unmerge


def unmerge(*, organisation_code: str, local_id: str, actor: Actor, at: datetime) -> None:
    """Part a number of a hospital from the one into which it was merged. What was sent under it is its
    own again, and it is about whom it was about before. Raises Refused when it was not merged.
    """
    with one_at_a_time("intake"):
        sql = (
            "SELECT r.id, r.source_id FROM record_sourcerecord r JOIN record_source s ON s.id = r.source_id "
            "JOIN place_organisation o ON o.id = s.organisation_id "
            "WHERE s.feed = 'adt' AND o.code = %s AND r.local_id = %s AND EXISTS "
            "(SELECT 1 FROM record_recordmerge m JOIN record_submission ms ON ms.id = m.submission_id "
            "AND ms.published_at IS NOT NULL WHERE m.losing_id = r.id)"
        )
        found = select(sql, [organisation_code, local_id])
        if not found:
            raise Refused("not_merged", "The hospital has merged no number like this one into another.")
        ((record_id, source_id),) = found
        part_numbers(record_id=record_id, source_id=source_id, actor=actor, at=at)


@action("record.unmerge", targets=("record_id",))
def part_numbers(*, record_id: int, source_id: int, actor: Actor, at: datetime) -> None:
    """Take back the merges of a record, as a submission of its own."""
    submission_id = open_submission(
        source_id=source_id, part="unmerge", file_name="", file_digest="", header="", actor=actor, at=at
    )
    stage = Stage(submission_id, source_id, at, repeat=False)
    stage_told(stage, stage_unmerge(submission_id, record_id, at))
    publish(stage=stage, submission_id=submission_id, actor=actor, at=at)
