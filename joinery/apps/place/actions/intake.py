"""Taking a directory file: each row is taken, unchanged, superseded or quarantined, and the four add up.

Rows are staged 2,000 a transaction under a draft edition and adopted by one row. What a source says
again is not written again, so a file can be taken any number of times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.db import connection

from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import as_day, insert_rows, marks, select
from joinery.apps.base.rights import analyze
from joinery.apps.place.actions.editions import adopt, open_edition, write
from joinery.apps.place.actions.reconcile import Reconciler
from joinery.apps.place.kinds import Row
from joinery.apps.place.models import Edition, Postcode, Statement, UnreadRow
from joinery.apps.place.sources import PostcodeRow, UnreadableFile, open_source
from joinery.apps.place.sql import as_stored

BATCH_ROWS = 2000
MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a directory file: counts of rows, and the first reasons for quarantine."""

    file: str
    source: str
    edition: int | None
    rows: int
    taken: int
    unchanged: int
    superseded: int
    quarantined: int
    reasons: tuple[str, ...] = ()
    note: str = ""


@dataclass(slots=True)
class Tally:
    """Rows by what became of them."""

    taken: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    reasons: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The four counts and their sum, as an edition keeps them."""
        four = {n: getattr(self, n) for n in ("taken", "unchanged", "superseded", "quarantined")}
        return {"rows": sum(four.values()), **four}


def take_directory_file(*, path: Path, on: date | None = None, actor: Actor, at: datetime) -> Taken:
    """Take one file of any kind that the directory knows: ODS, CQC, lookups, definitions.

    `on` is the day that a snapshot speaks of, where the file does not say it (default: today).
    Raises Refused when the file as a whole cannot be read; then nothing of it is kept.
    """
    with one_at_a_time("directory", wait=actor.user_id is None):
        sweep_drafts(actor=actor, at=at)
        try:
            opened = open_source(path)
            edition_id = begin(
                source=opened.source, title=opened.title, digest=_digest(path),
                on=(opened.on or on or at.date()) if opened.mode == "snapshot" else None, actor=actor, at=at,
            )  # fmt: skip
            tally = Tally()
            for number, batch in enumerate(_batches(opened.rows)):
                stage(edition_id=edition_id, rows=batch, of_today=opened.of_today, tally=tally, actor=actor, at=at)
                if number == 0:
                    _tell_size()
            while postcodes := list(islice(opened.postcodes, BATCH_ROWS)):
                stage_postcodes(edition_id=edition_id, rows=postcodes, tally=tally, actor=actor, at=at)
        except UnreadableFile as unreadable:
            sweep_drafts(actor=actor, at=at)
            raise Refused("unreadable_file", str(unreadable)) from None
        finish(edition_id=edition_id, tally=tally, actor=actor, at=at)
        _tell_size()
    reasons = tuple(tally.reasons)
    return Taken(path.name, opened.source, edition_id, **tally.counts(), reasons=reasons, note=opened.note)


@action("place.begin_edition", targets=("source", "digest"))
def begin(*, source: str, title: str, digest: str, on: date | None, actor: Actor, at: datetime) -> int:
    """Open the draft edition of a file; returns its id."""
    return open_edition(
        kind=Edition.Kind.FILE, source=source, title=title, file_digest=digest, on_date=on, actor=actor, at=at
    ).pk


@action("place.stage", targets=("edition_id",))
def stage(
    *, edition_id: int, rows: Sequence[Row], of_today: Collection[str], tally: Tally, actor: Actor, at: datetime
) -> None:
    """Stage at most 2,000 rows in one transaction; they count only when the edition is adopted."""
    edition = Edition.objects.get(pk=edition_id)
    _quarantine(edition, rows, tally)
    read = [row for row in rows if not row.issues]
    entries, taken, superseded = Reconciler(edition, read, of_today).run()
    write(edition_id, entries)
    tally.taken += taken
    tally.superseded += superseded
    tally.unchanged += len(read) - taken - superseded


@action("place.stage_postcodes", targets=("edition_id",))
def stage_postcodes(*, edition_id: int, rows: Sequence[PostcodeRow], tally: Tally, actor: Actor, at: datetime) -> None:
    """Stage at most 2,000 postcodes in one transaction; of one that stands twice, the later row counts."""
    edition = Edition.objects.get(pk=edition_id)
    _quarantine(edition, rows, tally)
    read = [row for row in rows if not row.issues]
    known = _known_postcodes([row.postcode for row in read])
    new: dict[str, tuple[Any, ...]] = {}
    for row in read:
        said = (row.lsoa, row.from_date, row.to_date)
        if known.get(row.postcode) == said:
            tally.unchanged += 1
            continue
        tally.superseded += row.postcode in new
        tally.taken += row.postcode not in new
        known[row.postcode] = said
        new[row.postcode] = (edition_id, row.postcode, row.lsoa, as_stored(row.from_date), as_stored(row.to_date))
    insert_rows(Postcode, ("edition_id", "postcode", "lsoa", "from_date", "to_date"), new.values())


@action("place.adopt_file", targets=("edition_id",))
def finish(*, edition_id: int, tally: Tally, actor: Actor, at: datetime) -> None:
    """Make the whole file count, by one row."""
    edition = Edition.objects.get(pk=edition_id)
    for name, count in tally.counts().items():
        setattr(edition, name, count)
    adopt(edition, at)


@action("place.sweep")
def sweep_drafts(*, actor: Actor, at: datetime) -> int:
    """Delete the drafts of files whose intake was killed or failed; returns how many there were.

    Only under the directory's lock, where no other intake can be at work.
    """
    left = Edition.objects.filter(kind=Edition.Kind.FILE, sequence=None)
    count = left.count()
    if count:
        for table in (Statement, Postcode, UnreadRow):
            table.objects.filter(edition__in=left).delete()
        left.delete()
    return count


def _tell_size() -> None:
    """Tell PostgreSQL how large the table is now; while it takes it for empty, it reads all of it for every row."""
    if connection.vendor == "postgresql":
        analyze(connection, Statement._meta.db_table)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in batches that end between bodies: what a history says no more is told from a whole body."""
    batch: list[Row] = []
    for row in rows:
        if len(batch) == BATCH_ROWS or (len(batch) >= BATCH_ROWS // 2 and _about(row) != _about(batch[-1])):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _about(row: Row) -> str:
    return row.sayings[0].code if row.sayings else ""


def _quarantine(edition: Edition, rows: Sequence[Row | PostcodeRow], tally: Tally) -> None:
    unread = [row for row in rows if row.issues]
    insert_rows(
        UnreadRow,
        ("edition_id", "position", "body", "reasons"),
        [(edition.pk, r.position, r.body.replace("\0", "\ufffd"), orjson.dumps(r.issues).decode()) for r in unread],
    )
    tally.quarantined += len(unread)
    for row in unread[: max(0, MOST_REASONS - len(tally.reasons))]:
        tally.reasons.append(f"row {row.position}: {'; '.join(row.issues)}")


def _known_postcodes(postcodes: list[str]) -> dict[str, tuple[Any, ...]]:
    """What is known of postcodes now: of two rows, the one written last is later in the result."""
    sql = (
        "SELECT p.postcode, p.lsoa, p.from_date, p.to_date FROM place_postcode p "
        "JOIN place_edition e ON e.id = p.edition_id AND (e.sequence IS NOT NULL OR e.kind = 'file') "
        f"WHERE p.postcode IN ({marks(postcodes)}) ORDER BY p.id"
    )
    return {row[0]: (row[1], as_day(row[2]), as_day(row[3])) for row in select(sql, postcodes)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
