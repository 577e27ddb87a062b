"""What is held is read anew in small transactions, wholly or not at all, and shows as no file of its sender."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from joinery.apps.base.columns import select
from joinery.apps.record import facts
from joinery.apps.record.actions import reread_lines, rereading
from joinery.apps.record.actions.intake import open_submission, publish
from joinery.apps.record.actions.staging import Stage, insert_lines
from joinery.apps.record.rows import EntryRow, Moment
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, GP, observation, patient, send

pytestmark = pytest.mark.django_db

LINES = 5
LATER = AT + timedelta(days=1)


@pytest.fixture
def source(tmp_path: Path) -> int:
    """A surgery whose lines an earlier version read otherwise."""
    sending.register()
    sent = [patient("p1"), *(observation(f"o{n}", "Patient/p1", f"Weight {n}") for n in range(LINES))]
    send(tmp_path, sending.ndjson(sent))
    ((source_id,),) = select("SELECT id FROM record_source")
    stage, submission_id = opened(source_id, "fhir")
    stale(stage)
    publish(stage=stage, submission_id=submission_id, actor=ACTOR, at=AT)
    assert set(titles()) == {"As it was"}
    return int(source_id)


def opened(source_id: int, part: str) -> tuple[Stage, int]:
    submission_id = open_submission(
        source_id=source_id, part=part, file_name="", file_digest="x", header="", actor=ACTOR, at=AT
    )
    return Stage(submission_id, source_id, AT, repeat=False), submission_id


def stale(stage: Stage) -> None:
    rows = select("SELECT record_id, item_id, version_id FROM record_entry")
    insert_lines(stage, [(*row, EntryRow(Moment(AT, "minute"), kind="observation", title="As it was")) for row in rows])


def titles() -> list[str]:
    return sorted(sending.titles(f"{GP} Patient/p1"))


def test_lines_are_read_anew_in_small_transactions(source: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "BATCH_ROWS", 2)
    assert reread_lines(actor=ACTOR, at=LATER) == LINES
    assert len(titles()) == LINES and titles()[0].startswith("Weight 0")
    staged = select("SELECT COUNT(*), MIN(at) = MAX(at) FROM base_actionentry WHERE action = 'record.reread'")
    assert staged == [(3, 1)]
    assert reread_lines(actor=ACTOR, at=LATER) == 0


def test_what_a_killed_reading_left_is_swept_and_read_again(source: int) -> None:
    stage, _ = opened(source, rereading.PART)
    stale(stage)
    assert reread_lines(actor=ACTOR, at=LATER) == LINES
    assert select("SELECT COUNT(*) FROM record_submission WHERE published_at IS NULL") == [(0,)]


def test_reading_anew_is_no_file_of_the_sender(source: int) -> None:
    before = facts.taken_files(source)
    reread_lines(actor=ACTOR, at=LATER)
    assert facts.taken_files(source) == before
    ((submission,),) = select("SELECT id FROM record_submission WHERE part = 'reread'")
    assert facts.taken_file(submission) is None
    (shown,) = facts.feed_sources(LATER)
    assert shown.last_at == AT
