"""Staging a batch of rows: what is new, what is known, what is older than what we hold."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection

from joinery.apps.base.columns import insert_rows, marks, reserve_ids, select, stored
from joinery.apps.record.actions.caring import relate, stage_care
from joinery.apps.record.actions.keys import insert_compared
from joinery.apps.record.actions.linking import link_records
from joinery.apps.record.actions.visits import Told, stage_messages
from joinery.apps.record.compared import linking_model
from joinery.apps.record.models import (
    Details,
    Entry,
    IndexRow,
    Item,
    ItemVersion,
    Quality,
    Quarantined,
    RecordMerge,
    SourceRecord,
)
from joinery.apps.record.rows import DetailsRow, EntryRow, Issue, Row

_SAME_VERSION = "This version was sent before with other content. Send the change as a new version."
_POSITION = re.compile(r"\[\d+\]|^(row|line|message|entry) \d+$")
MOST_REASONS = 20  # said at once to whoever takes a file; all of them are kept with their rows
OUTCOMES = ("taken", "unchanged", "superseded", "quarantined")


@dataclass(slots=True)
class Stage:
    """A submission on its way in. `repeat` says that this very file was published before."""

    submission_id: int
    source_id: int
    at: datetime
    repeat: bool
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    reasons: list[str] = field(default_factory=list)
    noted: int = 0
    # Rows that broke a rule, by column and rule, and whether they were quarantined for it.
    faults: Counter[tuple[str, str, bool]] = field(default_factory=Counter)


@dataclass(slots=True)
class Held:
    """What is held of one item: its newest number, its current version, every digest so far."""

    item_id: int
    number: int = 0
    version: int | None = None
    digest: bytes = b""
    stated_at: datetime | None = None
    digests: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Version:
    """A version to insert."""

    row: Row
    held: Held
    number: int
    digest: bytes
    late: bool
    version_id: int = 0


def stage_rows(stage: Stage, rows: list[Row]) -> None:
    """Stage rows in the order of the file; adds to `stage.counts`."""
    good = [row for row in rows if not row.issues]
    held = _held(stage, list(dict.fromkeys(row.key for row in good)))
    versions = [v for row in good if (v := _judge(stage, row, held[row.key])) is not None]
    quarantine(stage, [(r.position, r.key, r.local_id, r.body, r.issues) for r in rows if r.issues])
    _insert_versions(stage, versions)
    current = [v for v in versions if not v.late]
    told = [v.row for v in current]
    other = {each for row in told if row.message for each in row.message.losing}
    other |= {row.replaced_by for row in told if row.replaced_by}
    records = _records(stage, {row.local_id for row in told if row.local_id} | other)
    # Two versions of one person in a batch: the later counts, and only its link is worked out.
    said = {records[row.local_id]: row.details for row in told if row.details is not None}
    messages = [(v.version_id, v.held.item_id, v.row.message) for v in current if v.row.message]
    if messages:
        stage_told(stage, stage_messages(stage.submission_id, stage.source_id, messages, records))
        return
    _insert_entries(stage, current, records)
    _insert_details(stage, said, _insert_merges(stage, current, records))
    heard = [(v.held.item_id, records.get(v.row.local_id), v.row.care) for v in current if v.row.care]
    again = [v.held.item_id for v in current if v.row.care and v.number > 1]
    cared = stage_care(stage.submission_id, stage.at.date(), heard, again)
    relate(stage.submission_id, stage.source_id, stage.at.date(), {*said, *cared.records}, cared)


def stage_told(stage: Stage, told: Told) -> None:
    """Stage what messages of a hospital change: lines, details, who is who."""
    insert_lines(stage, [(h.record_id, h.item_id, h.version_id, line) for h, line in told.lines])
    _insert_details(stage, told.details, told.relink)
    relate(stage.submission_id, stage.source_id, stage.at.date(), {*told.details, *told.relink, *told.visited})


def _judge(stage: Stage, row: Row, held: Held) -> Version | None:
    """Count the row as taken, unchanged or superseded; a version unless nothing is new in it.

    A row that contradicts the version of the same number gets an issue instead, and is quarantined.
    """
    digest = hashlib.blake2b(row.content or row.body, digest_size=16).digest()
    older = held.number > 0 and _is_older(row, held)
    # The same file again changes nothing, even where it held two versions of one thing.
    if digest == held.digest or (digest in held.digests and (older or stage.repeat)):
        stage.counts["unchanged"] += 1
        return None
    if row.version is not None and row.version == held.version:
        row.issues = (Issue(f"row {row.position}", "same-version", str(row.version), _SAME_VERSION),)
        return None
    stage.counts["superseded" if older else "taken"] += 1
    held.number += 1
    held.digests.add(digest)
    if not older:
        held.digest, held.stated_at, held.version = digest, row.stated_at, row.version
    return Version(row, held, held.number, digest, older)


def _is_older(row: Row, held: Held) -> bool:
    if row.version is not None and held.version is not None:
        return row.version < held.version
    return row.stated_at is not None and held.stated_at is not None and row.stated_at < held.stated_at


def quarantine(stage: Stage, rows: Sequence[tuple[int, str, str, bytes, tuple[Issue, ...]]]) -> None:
    """Keep rows that cannot be taken: each is its position, key, local id, bytes and issues."""
    digests = [hashlib.blake2b(row[3], digest_size=16).digest() for row in rows]
    sql = (
        "SELECT q.digest FROM record_quarantined q JOIN record_submission s ON s.id = q.submission_id "
        f"WHERE s.source_id = %s AND s.published_at IS NOT NULL AND q.digest IN ({marks(digests)})"
    )
    known = {bytes(d) for (d,) in select(sql, [stage.source_id, *digests])} if stage.repeat and rows else set()
    insert_rows(
        Quarantined,
        ("submission_id", "position", "key", "local_id", "digest", "body", "reasons"),
        [
            (stage.submission_id, position, key[:300], local_id, digest, body, _json([asdict(i) for i in issues]))
            for (position, key, local_id, body, issues), digest in zip(rows, digests, strict=True)
            if digest not in known
        ],
    )
    stage.counts["quarantined"] += len(rows)
    for *_, issues in rows:
        count_faults(stage, ((_column(i.path), i.rule) for i in issues), quarantined=True)
    first = [": ".join(filter(None, (i.path, i.message))) for *_, issues in rows[:MOST_REASONS] for i in issues[:1]]
    stage.reasons += first[: MOST_REASONS - len(stage.reasons)]


def count_faults(stage: Stage, faults: Iterable[tuple[str, str]], *, quarantined: bool) -> None:
    """Count a row for each rule that it broke, once a column."""
    stage.faults.update((column, rule, quarantined) for column, rule in dict.fromkeys(faults))


def insert_quality(stage: Stage) -> None:
    """Keep how many rows of the submission broke which rule."""
    insert_rows(
        Quality,
        ("submission_id", "column", "rule", "quarantined", "rows"),
        [(stage.submission_id, c[:120], r[:60], q, n) for (c, r, q), n in sorted(stage.faults.items())],
    )


def _column(path: str) -> str:
    """Where in a row a fault stood, without the row's own number.

    >>> _column("row 12, end_date"), _column("Bundle.entry[3]: Patient.name[0].given")
    ('end_date', 'Patient.name.given')
    """
    return _POSITION.sub("", path.rpartition(": ")[2].rpartition(", ")[2])


def _held(stage: Stage, keys: list[str]) -> dict[str, Held]:
    """The items with these keys, the missing ones made, each with what is held of it."""
    sql = f"SELECT id, key FROM record_item WHERE source_id = %s AND key IN ({marks(keys)})"
    held = {key: Held(item_id) for item_id, key in select(sql, [stage.source_id, *keys])}
    by_id = {h.item_id: h for h in held.values()}
    if by_id:
        sql = (
            "SELECT v.item_id, v.number, v.digest, v.stated_at, v.version, v.late FROM record_itemversion v "
            "JOIN record_submission s ON s.id = v.submission_id "
            f"WHERE v.item_id IN ({marks(list(by_id))}) AND (s.published_at IS NOT NULL OR s.id = %s) ORDER BY v.id"
        )
        for item_id, number, digest, stated_at, version, late in select(sql, [*by_id, stage.submission_id]):
            known = by_id[item_id]
            known.number = number
            known.digests.add(bytes(digest))
            if not late:
                known.digest, known.stated_at, known.version = bytes(digest), _moment(stated_at), version
    missing = [key for key in keys if key not in held]
    ids = reserve_ids(Item, len(missing))
    insert_rows(Item, ("id", "source_id", "key"), [(i, stage.source_id, k) for i, k in zip(ids, missing, strict=True)])
    return held | {key: Held(item_id) for item_id, key in zip(ids, missing, strict=True)}


def _insert_versions(stage: Stage, versions: list[Version]) -> None:
    for version, version_id in zip(versions, reserve_ids(ItemVersion, len(versions)), strict=True):
        version.version_id = version_id
    insert_rows(
        ItemVersion,
        ("id", "item_id", "submission_id", "number", "version", "stated_at", "digest", "late", "body"),
        [
            (v.version_id, v.held.item_id, stage.submission_id, v.number, v.row.version, stored(v.row.stated_at))
            + (v.digest, v.late, v.row.body)
            for v in versions
        ],
    )
    insert_rows(
        IndexRow,
        ("name", "value", "version_id"),
        # In the order of the table's key, so that neighbours are written together.
        sorted((name, value, v.version_id) for v in versions for name, value in v.row.index),
    )


def _insert_merges(stage: Stage, versions: list[Version], records: dict[str, int]) -> list[int]:
    """Keep who is known under another id from now on, or no longer; returns the records to link anew."""
    telling = [v.row for v in versions if v.row.replaced_by or (v.row.replaced_by == "" and v.number > 1)]
    insert_rows(
        RecordMerge,
        ("losing_id", "surviving_id", "submission_id", "at", "order"),
        [
            (records[row.local_id], records.get(row.replaced_by or ""), stage.submission_id)
            + (stored(row.stated_at or stage.at), row.key[:300])
            for row in telling
        ],
    )
    return sorted({records[each] for row in telling for each in (row.local_id, row.replaced_by) if each})


def _records(stage: Stage, local_ids: set[str]) -> dict[str, int]:
    """Source records by local id; one that is only referred to so far is made, and waits for details."""
    wanted = sorted(local_ids)
    sql = f"SELECT local_id, id FROM record_sourcerecord WHERE source_id = %s AND local_id IN ({marks(wanted)})"
    records: dict[str, int] = dict(select(sql, [stage.source_id, *wanted]))
    missing = [local_id for local_id in wanted if local_id not in records]
    made = dict(zip(missing, reserve_ids(SourceRecord, len(missing)), strict=True))
    insert_rows(
        SourceRecord, ("id", "source_id", "local_id"), [(i, stage.source_id, local) for local, i in made.items()]
    )
    return records | made


def _insert_entries(stage: Stage, versions: list[Version], records: dict[str, int]) -> None:
    whose = _whose_line(versions)
    lines: list[tuple[int, int, int, EntryRow]] = []
    for v in versions:
        entry, record, item = v.row.entry, records.get(v.row.local_id), v.held.item_id
        if entry is None and item in whose:
            # The version before was about somebody, this one is about nobody: the line must not stay.
            entry, record = EntryRow(), whose[item]
        if entry is not None and record is not None:
            whose[item] = record
            lines.append((record, item, v.version_id, entry))
    insert_lines(stage, lines)


def insert_lines(stage: Stage, lines: list[tuple[int, int, int, EntryRow]]) -> None:
    """Lines, each with the ids of its record, item and version."""
    at = stored(stage.at)
    insert_rows(
        Entry,
        (
            *("record_id", "item_id", "version_id", "submission_id", "at", "precision", "until_at"),
            *("kind", "title", "detail", "banner", "sensitivity"),
        ),
        [
            (
                *(record, item, version, stage.submission_id),
                stored(line.moment.at) if line.moment else at,
                line.moment.precision if line.moment else "none",
                *(stored(line.until_at), line.kind, line.title, line.detail, line.banner, line.sensitivity),
            )
            for record, item, version, line in lines
        ],
    )


def _whose_line(versions: list[Version]) -> dict[int, int]:
    """Items with a version that makes no line, though an earlier one may: whose record it stands in."""
    items = [v.held.item_id for v in versions if v.row.entry is None and v.number > 1]
    sql = (
        f"SELECT e.item_id, e.record_id FROM record_entry e WHERE e.item_id IN ({marks(items)}) AND NOT EXISTS "
        "(SELECT 1 FROM record_entry n WHERE n.item_id = e.item_id AND n.id > e.id)"
    )
    return dict(select(sql, items)) if items else {}


def _insert_details(stage: Stage, said: dict[int, DetailsRow], relink: Sequence[int] = ()) -> None:
    ids = reserve_ids(Details, len(said))
    insert_rows(
        Details,
        (
            *("id", "record_id", "submission_id", "nhs_number", "nhs_number_status", "family_name", "given_name"),
            *("title", "preferred_name", "family_key", "given_key", "birth_date", "death_date", "dead"),
            *("gender", "address", "restricted"),
        ),
        [
            (details_id, record, stage.submission_id, *_details(d))
            for details_id, (record, d) in zip(ids, said.items(), strict=True)
        ],
    )
    model = linking_model()
    compared = insert_compared(model, ((details_id, *each) for details_id, each in zip(ids, said.items(), strict=True)))
    link_records(stage.submission_id, stage.at, model, compared, relink)


def _details(d: DetailsRow) -> tuple[Any, ...]:
    days = (connection.ops.adapt_datefield_value(d.birth_date), connection.ops.adapt_datefield_value(d.death_date))
    named = (d.nhs_number, d.nhs_number_status, d.family_name, d.given_name, d.title, d.preferred_name)
    return (*named, *d.keys(), *days, d.dead, d.gender, _json(d.address), d.restricted)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _moment(value: Any) -> datetime | None:
    """A moment as either database gives it: PostgreSQL a datetime, SQLite text in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=value.tzinfo or UTC) if value else None
