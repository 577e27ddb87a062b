"""Reading anew what held rows say of care, so that relationships end whose end was sent before anybody read it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files

import msgspec

from joinery.apps.base.action import Actor, action, one_at_a_time
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.feeds import feed_of
from joinery.apps.record.actions.caring import relate, stage_care
from joinery.apps.record.actions.intake import open_submission, publish, sweep_drafts
from joinery.apps.record.actions.rereading import BATCH_ROWS, PART
from joinery.apps.record.actions.staging import Stage
from joinery.apps.record.care import care_rules, care_said
from joinery.apps.record.fhir.lines import row_of as fhir_row
from joinery.apps.record.fhir.xml import as_json
from joinery.apps.record.mending import sheet_under, split
from joinery.apps.record.mods.lines import row_of as mods_row
from joinery.apps.record.rows import CareRow, moment_of
from joinery.apps.record.sheets import Sheet
from joinery.apps.record.variants import variant_of

FEEDS = ("adt", "council", "fhir", "mods")


def reread_care(*, actor: Actor, at: datetime) -> int:
    """Read anew what is held of care, once for each definition; returns how many sources were read.

    Safe to repeat, safe to kill: a source counts as read when all of it was.
    """
    read = 0
    with one_at_a_time("intake"):
        sweep_drafts(actor=actor, at=at)
        for feed in FEEDS:
            definition = files("joinery.definitions").joinpath(f"feeds/{feed}.toml").read_bytes()
            digest = hashlib.sha256(b"care\n" + definition).hexdigest()
            for source_id, code, last in _unread(feed, digest):
                _reread_source(source_id, feed, code, digest, last, actor, at)
                read += 1
    return read


def _unread(feed: str, digest: str) -> list[tuple[int, str, datetime]]:
    """The sources that were not read by a definition: their ids, senders, and when they last sent."""
    sql = (
        "SELECT so.id, o.code, MAX(s.received_at) FROM record_source so "
        "JOIN record_submission s ON s.source_id = so.id AND s.published_at IS NOT NULL "
        "JOIN place_organisation o ON o.id = so.organisation_id WHERE so.feed = %s AND NOT EXISTS "
        "(SELECT 1 FROM record_submission r WHERE r.source_id = so.id AND r.part = %s AND r.file_digest = %s "
        "AND r.published_at IS NOT NULL) GROUP BY so.id, o.code ORDER BY so.id"
    )
    return [(source, code, as_moment(last)) for source, code, last in select(sql, [feed, PART, digest])]


def _reread_source(
    source_id: int, feed: str, code: str, digest: str, last: datetime, actor: Actor, at: datetime
) -> None:
    """Read a source, as a submission of its own. It is dated when the source last sent, so as not to look fresh."""
    submission_id = open_submission(
        source_id=source_id, part=PART, file_name="", file_digest=digest, header="", actor=actor, at=at,
        received_at=last,
    )  # fmt: skip
    stage = Stage(submission_id, source_id, at, repeat=False)
    for heard in _held(source_id, feed, code):
        stage_held_care(stage=stage, heard=heard, actor=actor, at=at)
    for records in _records(source_id):
        relate_held(stage=stage, records=records, actor=actor, at=at)
    publish(stage=stage, submission_id=submission_id, actor=actor, at=at)


@action("record.reread_care")
def stage_held_care(*, stage: Stage, heard: list[tuple[int, int | None, CareRow]], actor: Actor, at: datetime) -> None:
    """Stage what at most 2,000 rows say of care; it counts only when the submission is published."""
    stage_care(stage.submission_id, at.date(), heard, [item for item, _, _ in heard])


@action("record.relate_held")
def relate_held(*, stage: Stage, records: list[int], actor: Actor, at: datetime) -> None:
    """Write how at most 2,000 people stand to the sender; it counts only when the submission is published."""
    relate(stage.submission_id, stage.source_id, at.date(), records)


def _held(source_id: int, feed: str, code: str) -> Iterator[list[tuple[int, int | None, CareRow]]]:
    """What the rows of a source that count say of care, in batches, each with its item and record."""
    variant = variant_of(source_id, feed, code)
    sql = (
        "SELECT i.id, i.key, v.body, s.header, s.part FROM record_item i JOIN record_itemversion v ON v.item_id = i.id "
        "AND NOT v.late JOIN record_submission s ON s.id = v.submission_id AND s.published_at IS NOT NULL "
        "WHERE i.source_id = %s AND i.key >= %s AND i.key < %s AND i.id > %s AND NOT EXISTS "
        "(SELECT 1 FROM record_itemversion n JOIN record_submission ns ON ns.id = n.submission_id "
        "AND ns.published_at IS NOT NULL WHERE n.item_id = i.id AND NOT n.late AND n.id > v.id) ORDER BY i.id LIMIT %s"
    )
    for part in care_rules(feed):
        after = 0
        while rows := select(sql, [source_id, f"{part}/", f"{part}0", after, BATCH_ROWS]):
            after = rows[-1][0]
            headers = {(header, table) for *_, header, table in rows if header}
            sheets = {(h, table): sheet_under(h, table, feed_of(feed), variant) for h, table in headers}
            said = [
                (item, *_said(feed, key, bytes(body), sheets.get((header, table))))
                for item, key, body, header, table in rows
            ]
            records = _by_local_id(source_id, sorted({local for _, local, care in said if care}))
            yield [(item, records.get(local), care) for item, local, care in said if care]


def _said(feed: str, key: str, body: bytes, sheet: Sheet | None) -> tuple[str, CareRow | None]:
    """Whom a held row is about, by the source's own id, and what it says of care."""
    if feed == "mods":
        row = mods_row(body, 0)
        return row.local_id, row.care
    if feed == "fhir":
        row = fhir_row(msgspec.json.decode(as_json(body)), body, 0, full_url="", names={})
        return key if row.details else row.local_id, row.care
    return _of_sheet(key.partition("/")[0], body, sheet) if sheet else ("", None)


def _of_sheet(part: str, body: bytes, sheet: Sheet) -> tuple[str, CareRow | None]:
    cells = split(body.decode(sheet.table.encoding, "replace"), sheet.variant.delimiter)
    if cells is None or len(cells) < len(sheet.columns):
        return "", None
    row = sheet.named(cells)
    updated = moment_of(row["updated_at"])
    care = care_said(care_rules("council")[part], row, updated.at if updated else None)
    return f"person/{row['person_id']}"[:255], care


def _by_local_id(source_id: int, local_ids: list[str]) -> dict[str, int]:
    sql = f"SELECT local_id, id FROM record_sourcerecord WHERE source_id = %s AND local_id IN ({marks(local_ids)})"
    return dict(select(sql, [source_id, *local_ids]))


def _records(source_id: int) -> Iterator[list[int]]:
    """The records of a source, in batches."""
    after = 0
    sql = "SELECT id FROM record_sourcerecord WHERE source_id = %s AND id > %s ORDER BY id LIMIT %s"
    while rows := [row[0] for row in select(sql, [source_id, after, BATCH_ROWS])]:
        after = rows[-1]
        yield rows
