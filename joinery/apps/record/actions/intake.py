"""Taking a file: staged in small transactions, published by one row, wholly in or wholly out.

Each row of the file ends as exactly one of taken, unchanged, superseded (older than what is held) and
quarantined; the four add up. One intake runs at a time in a deployment, so two files cannot decide
about the same person at once; pages never wait for it, and say so where they would have to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import in_runs, select
from joinery.apps.base.feeds import Variant, feed_of
from joinery.apps.base.keys import Keys
from joinery.apps.base.tables import UnreadableFile
from joinery.apps.place import facts as place
from joinery.apps.record.actions.keys import delete_compared
from joinery.apps.record.actions.returns import stage_returns
from joinery.apps.record.actions.staging import Stage, insert_quality, stage_rows
from joinery.apps.record.adt.files import read_pieces
from joinery.apps.record.adt.message import row_of as adt_row
from joinery.apps.record.fhir.files import Received, read_resources
from joinery.apps.record.fhir.lines import row_of, whose
from joinery.apps.record.models import SUBMISSION, Source, Submission
from joinery.apps.record.mods.files import open_export
from joinery.apps.record.returns import Pseudonyms, batches_of
from joinery.apps.record.rows import Row
from joinery.apps.record.sheets import open_sheet
from joinery.apps.record.variants import variant_of
from joinery.definitions import FEEDS

BATCH_ROWS, BATCH_BYTES = 2_000, 16 * 1024 * 1024
# Tables of a submission, children first, as the sweep of an abandoned one empties them.
_STAGED = (
    *("quality", "quarantined", "returnrow", "entry", "recordmerge", "visitstate", "message", "itemversion"),
    *("reviewitem", "matchevent", "link", "relationship", "care", "details"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How the rows of one file ended. `taken + unchanged + superseded + quarantined == rows`.

    `reasons` says where the first quarantined rows stood and what was wrong, without what stood there;
    `noted` counts rows that were taken though something in them breaks a rule; `not_read` names columns of the file
    that are not known here.
    """

    file: str
    rows: int = 0
    taken: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    noted: int = 0
    reasons: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    submission_id: int | None = None


class Reading(NamedTuple):
    """An opened file: which table it is, its header as received, its rows some at a time, how to stage them, and which
    of its columns are not read."""

    part: str
    header: str
    batches: Iterator[list[Any]]
    stage: Callable[[Stage, list[Any]], None] = stage_rows
    not_read: tuple[str, ...] = ()

    @property
    def rows(self) -> Iterator[Any]:
        """The rows one by one."""
        return chain.from_iterable(self.batches)


def take_file(*, path: Path, feed: str, organisation_code: str, actor: Actor, at: datetime, wait: bool = True) -> Taken:
    """Take one file of a feed, sent by an organisation. Safe to repeat, safe to kill.

    Raises Refused when the file as a whole cannot be read or the sender is not known; the message says
    what to do. Nothing of the file is kept then. So it is when a long file is being taken meanwhile, and a user acts
    or whoever sends does not `wait`.
    """
    with one_at_a_time("intake", wait=wait and actor.user_id is None):
        sweep_drafts(actor=actor, at=at)
        source_id = _source(feed, organisation_code) or open_source(
            feed=feed, organisation_code=organisation_code, actor=actor, at=at
        )
        digest = _digest(path)
        try:
            variant = variant_of(source_id, feed, organisation_code)
            reading = read_file(path, feed, variant, sender=organisation_code)
            submission_id = open_submission(
                source_id=source_id, part=reading.part, file_name=path.name, file_digest=digest,
                header=reading.header, actor=actor, at=at,
            )  # fmt: skip
            stage = Stage(submission_id, source_id, at, _was_published(source_id, digest))
            for batch in reading.batches:
                stage_batch(stage=stage, reading=reading, rows=batch, actor=actor, at=at)
        except UnreadableFile as unreadable:
            sweep_abandoned(actor=actor, at=at)
            raise Refused("unreadable_file", str(unreadable)) from None
        publish(stage=stage, submission_id=submission_id, actor=actor, at=at)
    return Taken(
        path.name, sum(stage.counts.values()), **stage.counts, noted=stage.noted, reasons=tuple(stage.reasons),
        not_read=reading.not_read, submission_id=submission_id,
    )  # fmt: skip


def read_file(path: Path, feed: str, variant: Variant | None = None, sender: str = "") -> Reading:
    """Open a file of a feed, from the organisation `sender`. Raises UnreadableFile, also while its rows are read."""
    if feed == "adt":
        return Reading("adt", "", _some(map(adt_row, read_pieces(path), count(1))))
    if feed == "fhir":
        return Reading("fhir", "", _some(_fhir_rows(path)))
    if feed == "mods":
        export = open_export(path, sender)
        return Reading(export.part, "", _some(export.rows))
    sheet = open_sheet(path, feed_of(feed), variant)
    if feed == "council":
        from joinery.apps.record import council

        return Reading(sheet.file.part, sheet.header, council.batches_of(sheet), not_read=sheet.not_read)
    secret = Keys(settings.KEYS).key()
    return Reading(sheet.file.part, sheet.header, batches_of(sheet, Pseudonyms(secret)), stage_returns, sheet.not_read)


def _some(rows: Iterator[Row]) -> Iterator[list[Row]]:
    return in_runs(rows, BATCH_ROWS, BATCH_BYTES, lambda row: len(row.body))


@action("record.open_source", targets=("feed", "organisation_code"))
def open_source(*, feed: str, organisation_code: str, actor: Actor, at: datetime) -> int:
    """The source for a feed of an organisation, made on first use; returns its id."""
    if feed not in FEEDS:
        raise Refused("feed", f"There is no feed called {feed}. Feeds: {', '.join(FEEDS)}.")
    if feed_of(feed).store == "directory":
        raise Refused("feed", f"{feed} is a register for the directory, which has no sender.")
    organisation = place.organisation(organisation_code, place.as_at(at.date()))
    if organisation is None:
        raise Refused("organisation", f"No organisation has the code {organisation_code}. Register it first.")
    source, _ = Source.objects.get_or_create(organisation_id=organisation.id, feed=feed)
    return source.pk


@action("record.open_submission", targets=("source_id", "part", "file_digest"))
def open_submission(
    *,
    source_id: int,
    part: str,
    file_name: str,
    file_digest: str,
    header: str,
    actor: Actor,
    at: datetime,
    received_at: datetime | None = None,
) -> int:
    """Open a submission that nothing reads yet; returns its id. `received_at` where that is not `at`."""
    return Submission.objects.create(
        source_id=source_id, part=part, file_name=file_name[-255:], file_digest=file_digest, header=header,
        received_at=received_at or at,
    ).pk  # fmt: skip


@action("record.stage")
def stage_batch(*, stage: Stage, reading: Reading, rows: list[Any], actor: Actor, at: datetime) -> None:
    """Stage at most 2,000 rows in one transaction; they count only when the submission is published."""
    reading.stage(stage, rows)


@action("record.publish", targets=("submission_id",))
def publish(*, stage: Stage, submission_id: int, actor: Actor, at: datetime) -> None:
    """Make the whole file count, by one row."""
    submission = Submission.objects.get(pk=submission_id)
    SUBMISSION.move("published" if submission.published_at else "staged", "published")
    counts = stage.counts
    insert_quality(stage)
    Submission.objects.filter(pk=submission_id, published_at=None).update(
        published_at=at, rows=sum(counts.values()), **counts
    )


def sweep_drafts(*, actor: Actor, at: datetime) -> None:
    """`sweep_abandoned`, where anything was: only under the intake lock."""
    if _drafts():
        sweep_abandoned(actor=actor, at=at)


@action("record.sweep")
def sweep_abandoned(*, actor: Actor, at: datetime) -> int:
    """Delete the drafts of submissions that were never published: their intake was killed or failed.

    Only under the intake lock, where no other intake can be at work. Returns how many were swept.
    """
    abandoned = _drafts()
    with connection.cursor() as cursor:
        for submission in abandoned:
            cursor.execute(
                "DELETE FROM record_indexrow WHERE version_id IN "
                "(SELECT id FROM record_itemversion WHERE submission_id = %s)",
                [submission],
            )
            delete_compared(submission)
            # No index of record_returnrow begins with the submission, for the speed of taking: a killed return
            # costs one scan of it.
            for table in _STAGED:
                cursor.execute(f"DELETE FROM record_{table} WHERE submission_id = %s", [submission])
            cursor.execute("DELETE FROM record_submission WHERE id = %s", [submission])
        if abandoned:
            cursor.execute(
                "DELETE FROM record_person WHERE NOT EXISTS "
                "(SELECT 1 FROM record_link k WHERE k.person_id = record_person.id)"
            )
    return len(abandoned)


def _drafts() -> list[int]:
    """Submissions that are not published: none but this process's own, while it holds the lock."""
    return [row[0] for row in select("SELECT id FROM record_submission WHERE published_at IS NULL")]


def _source(feed: str, organisation_code: str) -> int | None:
    sql = (
        "SELECT s.id FROM record_source s JOIN place_organisation o ON o.id = s.organisation_id "
        "WHERE s.feed = %s AND o.code = %s"
    )
    return next((row[0] for row in select(sql, [feed, organisation_code])), None)


def _fhir_rows(path: Path) -> Iterator[Row]:
    for position, received in enumerate(read_resources(path), start=1):
        yield _fhir_row(received, position)


def _fhir_row(received: Received, position: int) -> Row:
    resource = received.resource
    if received.issues or resource is None:
        key = f"{resource.get('resourceType', '')}/{resource.get('id', '')}" if resource else ""
        issues = tuple(replace(i, path=": ".join(filter(None, (received.where, i.path)))) for i in received.issues)
        about = whose(resource, received.names) if resource else ""
        return Row(position, received.body, key[:300], issues, local_id=about[:255])
    return row_of(resource, received.body, position, full_url=received.full_url, names=received.names)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _was_published(source_id: int, digest: str) -> bool:
    sql = (
        "SELECT 1 FROM record_submission WHERE file_digest = %s AND source_id = %s AND published_at IS NOT NULL LIMIT 1"
    )
    return bool(select(sql, [digest, source_id]))
