"""Putting right what could not be taken: looking at a quarantined row, correcting it, setting it aside.

A corrected row is a submission of its own, read by the same engine as any file; nothing of it is kept
while it still breaks a rule.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from joinery.apps.base.access_log import Look, Viewing, log_access, open_viewing
from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import as_moment, select
from joinery.apps.base.feeds import Variant, feed_of
from joinery.apps.base.tables import UnreadableFile
from joinery.apps.record.actions.intake import Reading, open_submission, publish, read_file
from joinery.apps.record.actions.staging import Stage
from joinery.apps.record.fhir.lines import NO_ID
from joinery.apps.record.mending import joined
from joinery.apps.record.models import Correction
from joinery.apps.record.returns import ReturnLine
from joinery.apps.record.rows import Issue
from joinery.apps.record.sql import links, mended
from joinery.apps.record.variants import variant_of
from joinery.calc.access import FEED_QUALITY, Decision, Post, may_mend

MOST_REASON_CHARACTERS = 300
# Why not, in words for the person who asked.
MENDING_REFUSALS = {
    "no_post": "Your account is not attached to an organisation today. Ask your manager to add you.",
    "role": "Your role does not include giving in files, nor putting right what could not be taken.",
    "not_sender": "A row may be about anybody: only an integration lead, and who works at its sender, may see it.",
    "secondary_use": "These rows were sent for measures, not for care: only an integration lead may see them.",
    "absent": "There is no such row.",
}
_IN_BUNDLE = (
    "Whose this resource is, or which, only its whole Bundle tells: it has no id, or no reference to Patient/ID. "
    "Give it both as its sender knows them, or ask for the whole Bundle again."
)
_MENDED = "A later file has brought this already. Correcting the older row would undo it."


class StillWrong(Refused):
    """A corrected row that still breaks a rule; `issues` say where."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__("still_wrong", " ".join(dict.fromkeys(issue.message for issue in issues)))
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Corrected:
    """How a corrected row ended: `taken`, `unchanged` or `superseded` (newer facts are held already)."""

    outcome: str
    submission_id: int


class _Row(NamedTuple):
    """A quarantined row that waits, and the file that it came in."""

    id: int
    position: int
    submission_id: int
    source_id: int
    part: str
    header: str
    received_at: datetime
    feed: str
    organisation: str
    body: bytes
    local_id: str

    @property
    def variant(self) -> Variant | None:
        return variant_of(self.source_id, self.feed, self.organisation)


def open_quarantined(*, quarantined_id: int, posts: tuple[Post, ...], actor: Actor, at: datetime) -> Viewing:
    """Open a viewing of one quarantined row. Raises Refused, having logged the refusal."""
    return _open("q.id = %s", quarantined_id, posts, actor, at)


def open_returned(*, submission_id: int, posts: tuple[Post, ...] | None, actor: Actor, at: datetime) -> Viewing:
    """Open a viewing of all quarantined rows of a submission. Raises Refused, having logged the refusal.

    Without `posts` a part of the system gives rows back to whoever sent them.
    """
    return _open("s.id = %s", submission_id, posts, actor, at)


def correct(*, quarantined_id: int, body: bytes, actor: Actor, at: datetime) -> Corrected:
    """Take a quarantined row again, as `body` says it now. The way in is decided by `open_quarantined`.

    Raises StillWrong when it still breaks a rule, and Refused, saying what to do, when it is no row, was
    dealt with, is older than what a later file brought, or a long file is being taken. Nothing is kept then.
    """
    with one_at_a_time("intake", wait=actor.user_id is None):
        corrected: Corrected = _correct(quarantined_id=quarantined_id, body=body, actor=actor, at=at)
    return corrected


def correct_cells(*, quarantined_id: int, cells: list[str], actor: Actor, at: datetime) -> Corrected:
    """`correct` for a row of a table, by its cells in the order of its columns."""
    row = _waiting_row(quarantined_id)
    # Its lines end as the sender's do: the same row from the sender is then known to be the same.
    end = "\r\n" if row.body.endswith(b"\r\n") else "\n"
    try:
        body = joined(cells, row.variant or Variant(name=""), end)
    except UnicodeEncodeError:
        raise Refused("encoding", "A cell holds a letter that this sender's files cannot hold. Replace it.") from None
    return correct(quarantined_id=quarantined_id, body=body, actor=actor, at=at)


def retake(*, quarantined_id: int, actor: Actor, at: datetime) -> Corrected:
    """`correct` with the row as it was received: it is the definition that was mended since."""
    return correct(quarantined_id=quarantined_id, body=_waiting_row(quarantined_id).body, actor=actor, at=at)


@action("record.correct", targets=("quarantined_id",))
def _correct(*, quarantined_id: int, body: bytes, actor: Actor, at: datetime) -> Corrected:
    row = _waiting_row(quarantined_id)
    reading, rows, digest = _read_one(row, body)
    read = rows[0]
    if read.issues:
        raise StillWrong(read.issues)
    if row.feed == "fhir" and (NO_ID in read.key or (row.local_id and not read.local_id)):
        # Taken like this it would show on nobody's page, and no longer wait here.
        raise Refused("in_bundle", _IN_BUNDLE)
    if _is_overtaken(row, read):
        raise Refused("mended", _MENDED)
    # As of when its sender sent it: a correction must not make a feed that has stopped look fresh.
    submission_id = open_submission(
        source_id=row.source_id, part=row.part, file_name=f"correction of row {row.position}", file_digest=digest,
        header=row.header, actor=actor, at=row.received_at,
    )  # fmt: skip
    stage = Stage(submission_id, row.source_id, at, repeat=False)
    reading.stage(stage, rows)
    if stage.counts["quarantined"]:
        raise StillWrong(read.issues)
    publish(stage=stage, submission_id=submission_id, actor=actor, at=at)
    Correction.objects.create(
        quarantined_id=row.id, submission_id=submission_id, reason="", made_by=actor.name, at=at
    )  # fmt: skip
    return Corrected(next(name for name, count in stage.counts.items() if count), submission_id)


def set_aside(*, quarantined_id: int, reason: str, actor: Actor, at: datetime) -> None:
    """Leave a quarantined row out for good, for a reason. The way in is decided by `open_quarantined`."""
    with one_at_a_time("intake", wait=actor.user_id is None):
        _set_aside(quarantined_id=quarantined_id, reason=reason, actor=actor, at=at)


@action("record.set_aside", targets=("quarantined_id",))
def _set_aside(*, quarantined_id: int, reason: str, actor: Actor, at: datetime) -> None:
    row = _waiting_row(quarantined_id)
    if not reason.strip():
        raise Refused("reason", "Say why the row is set aside.")
    if len(reason) > MOST_REASON_CHARACTERS:
        raise Refused("reason", f"Say it in {MOST_REASON_CHARACTERS} characters at most.")
    Correction.objects.create(
        quarantined_id=row.id, submission_id=None, reason=reason.strip(), made_by=actor.name, at=at
    )  # fmt: skip


def _open(where: str, key: int, posts: tuple[Post, ...] | None, actor: Actor, at: datetime) -> Viewing:
    sent = select(
        "SELECT o.code, so.feed FROM record_submission s JOIN record_source so ON so.id = s.source_id "
        "JOIN place_organisation o ON o.id = so.organisation_id "
        f"{'JOIN record_quarantined q ON q.submission_id = s.id ' if where.startswith('q.') else ''}"
        f"WHERE s.published_at IS NOT NULL AND {where}",
        [key],
    )
    if not sent:
        raise Refused("absent", MENDING_REFUSALS["absent"])
    ((sender, feed),) = sent
    decision = Decision(True, "sender")
    if posts is not None:
        decision = may_mend(posts, sender, feed_of(feed).purpose == "secondary_use")
    if not decision.allowed:
        log_access(actor=actor, at=at, look=Look("refused", FEED_QUALITY, decision), person_ids=[])
        raise Refused(decision.reason, MENDING_REFUSALS[decision.reason])
    people = select(
        "SELECT DISTINCT k.person_id FROM record_quarantined q JOIN record_submission s ON s.id = q.submission_id "
        "JOIN record_sourcerecord r ON r.source_id = s.source_id AND r.local_id = q.local_id "
        f"JOIN {links(on='k.record_id = r.id')} WHERE {where} AND q.local_id <> ''",
        [key],
    )
    look = Look("quarantine", FEED_QUALITY, decision)
    return open_viewing(actor=actor, at=at, look=look, person_ids=[row[0] for row in people])


def _waiting_row(quarantined_id: int) -> _Row:
    """The row, which must wait. Raises Refused when it does not."""
    sql = (
        "SELECT q.id, q.position, s.id, s.source_id, s.part, s.header, s.received_at, so.feed, o.code, q.body, "
        f"q.local_id, c.id, {mended('q', 's')} FROM record_quarantined q "
        "JOIN record_submission s ON s.id = q.submission_id AND s.published_at IS NOT NULL "
        "JOIN record_source so ON so.id = s.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        "LEFT JOIN record_correction c ON c.quarantined_id = q.id WHERE q.id = %s"
    )
    for *found, correction, gone in select(sql, [quarantined_id]):
        if correction is not None:
            raise Refused("dealt_with", "Somebody has dealt with this row already.")
        if gone:
            raise Refused("mended", _MENDED)
        found[6], found[9] = as_moment(found[6]), bytes(found[9])
        return _Row(*found)
    raise Refused("absent", MENDING_REFUSALS["absent"])


def _read_one(row: _Row, body: bytes) -> tuple[Reading, list[Any], str]:
    """Read a corrected row as the file of one row that it is; returns also the digest of that file."""
    variant = row.variant
    with TemporaryDirectory(prefix="joinery-correction-") as folder:
        path = Path(folder) / (f"{row.part}.csv" if row.header else row.part)
        encoding = variant.encoding if variant else "utf-8"
        # The header as received, even where a byte of it was no text.
        head = f"{row.header}\r\n".encode(encoding, "surrogateescape") if row.header else b""
        path.write_bytes(head + body)
        try:
            reading = read_file(path, row.feed, variant, sender=row.organisation)
            rows = list(islice(reading.rows, 2))
        except UnreadableFile as unreadable:
            raise Refused("unreadable_file", str(unreadable)) from None
    if len(rows) != 1:
        raise Refused("one_row", "That is no row, or more than one. Correct this one row only.")
    return reading, rows, hashlib.sha256(head + body).hexdigest()


def _is_overtaken(row: _Row, read: Any) -> bool:
    """Whether a later file brought what the row is about, and the row does not say itself how old it is.

    One that says it is judged as any row is, and ends as superseded. Messages count in any order.
    """
    if read.stated_at is not None or getattr(read, "version", None) is not None or getattr(read, "message", None):
        return False
    if isinstance(read, ReturnLine):
        sql = (
            "SELECT 1 FROM record_returnrow r JOIN record_submission s ON s.id = r.submission_id "
            "AND s.published_at IS NOT NULL WHERE r.source_id = %s AND r.key = %s AND r.submission_id > %s LIMIT 1"
        )
    else:
        sql = (
            "SELECT 1 FROM record_item i JOIN record_itemversion v ON v.item_id = i.id "
            "JOIN record_submission s ON s.id = v.submission_id AND s.published_at IS NOT NULL "
            "WHERE i.source_id = %s AND i.key = %s AND v.submission_id > %s LIMIT 1"
        )
    return bool(select(sql, [row.source_id, read.key, row.submission_id]))
