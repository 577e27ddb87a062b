"""Sealing the logs: a keyed digest of every row, in blocks, each chained to the one before.

Requests write unsealed rows; a worker seals them each minute. The key lives outside the database, and
so does the newest head (`joinery.head` beside the key), so that neither a change of a row, nor a chain
made anew, nor a shortened log passes `verify`. The head moves only along the chain that it belongs to:
sealing goes on in a database that was put back to an older copy, but what was known of it stays known.
Digests are kept by row: a changed row is named, and the text of a row can later be erased by law without
breaking the chain.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import DatabaseError, connection, models, transaction

from joinery.apps.base.columns import select
from joinery.apps.base.keys import Keys
from joinery.apps.base.models import Access, ActionEntry, Capture, SealedBlock

LOGS: tuple[type[models.Model], ...] = (Access, ActionEntry, Capture)
BLOCK_ROWS = 10_000
DIGEST_BYTES = 16
# How long a transaction may take to commit a row whose id was passed over; far beyond any time-out.
WATCH_GAPS = timedelta(days=2)
_ADVISORY_LOCK = 7_305_001


class BrokenChain(Exception):
    """The newest block is none of ours, so that nothing can be sealed after it."""


@dataclass(slots=True)
class Verification:
    """What `verify` found: sealed rows and blocks, rows not sealed yet, and problems in words."""

    blocks: int = 0
    rows: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)


def seal(*, keys: Keys, at: datetime) -> int:
    """Seal every row that is not sealed yet; returns how many. Safe to run from several workers.

    Raises BrokenChain where somebody put a block at the end or took one away: to go on from it would make the
    harm last.
    """
    sealed = 0
    anchor = keys.heads()
    anchored = not anchor or SealedBlock.objects.filter(pk=anchor["block"], head=anchor["head"]).exists()
    for log in LOGS:
        while True:
            with transaction.atomic():
                if connection.vendor == "postgresql":
                    select("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
                block = _next_block(log, keys.key(), at)
                if block is None:
                    break
                block.save(force_insert=True)
            if anchored:
                keys.publish(block.pk, block.head)
            sealed += len(block.digests) // DIGEST_BYTES
    return sealed


def verify(*, keys: Keys) -> Verification:
    """Recompute every digest and every link of the chain. Changes nothing in the database."""
    found = Verification()
    key, head = keys.key(), ""
    anchor = keys.heads()
    anchored = not anchor
    covered = {log._meta.db_table: Covered() for log in LOGS}
    watched_from = None
    for block_id in list(SealedBlock.objects.order_by("id").values_list("id", flat=True)):
        found.blocks += 1
        try:
            block = SealedBlock.objects.get(pk=block_id)
            fits, head = _fits(key, head, block), block.head
        except (ValueError, TypeError, AttributeError):  # whoever can write the table can write nonsense
            fits = False
        if not fits:
            found.problems.append(
                f"block {block_id} was changed, or a block before it is missing: its rows cannot be checked"
            )
            continue
        anchored = anchored or (block_id == anchor["block"] and head == anchor["head"])
        found.rows += len(block.digests) // DIGEST_BYTES
        found.problems += _changed_rows(key, block)
        covered[block.table].add(block)
        watched_from = block.at - WATCH_GAPS
    if not anchored:
        found.problems.append(
            f"block {anchor['block']}, known outside the database, is missing or differs: "
            "the log was cut short or made anew"
        )
    for log in LOGS:
        _count_unsealed(log, covered[log._meta.db_table], watched_from, found)
    return found


@dataclass(slots=True)
class Covered:
    """The ids of one log up to `last_id`; which runs among them were passed over, when, and what was sealed late."""

    last_id: int = 0
    gaps: list[tuple[int, int, datetime]] = field(default_factory=list)
    late: set[int] = field(default_factory=set)

    def add(self, block: SealedBlock) -> None:
        self.last_id = block.last_id
        self.gaps += [(first, last, block.at) for first, last in block.missing]
        self.late.update(block.late)


def _count_unsealed(
    log: type[models.Model], covered: Covered, watched_from: datetime | None, found: Verification
) -> None:
    """Rows that no block covers: newer than the last, late and soon to be sealed, or put in afterwards."""
    table = log._meta.db_table
    found.unsealed += select(f'SELECT COUNT(*) FROM "{table}" WHERE id > {covered.last_id}')[0][0]
    below = (-(2**63), 0, None)  # no row is ever given such an id
    for first, last, at in [below, *covered.gaps]:
        for (row_id,) in select(f'SELECT id FROM "{table}" WHERE id BETWEEN {first} AND {last} ORDER BY id'):
            if row_id in covered.late:
                continue
            if at is not None and watched_from is not None and at >= watched_from:
                found.unsealed += 1
            else:
                found.problems.append(f"{table} row {row_id} was added among sealed rows")


def _next_block(log: type[models.Model], key: bytes, at: datetime) -> SealedBlock | None:
    newest = _newest_head(key)
    table, last = log._meta.db_table, _last_sealed(log)
    fresh = list(_rows(log, f"id > {last} ORDER BY id LIMIT {BLOCK_ROWS}"))
    late = list(_late_rows(log, at))
    if not fresh and not late:
        return None
    # A run starts where the last one ended, so that a gap between two runs is watched as well.
    first_id, last_id = last + 1, fresh[-1][0] if fresh else last
    block = SealedBlock(
        at=at,
        table=table,
        first_id=first_id,
        last_id=last_id,
        missing=_gaps(first_id, [row[0] for row in fresh]),
        late=[row[0] for row in late],
        digests=b"".join(map(_digester(key), [*late, *fresh])),
    )
    block.head = _head(key, newest, block)
    return block


def _newest_head(key: bytes) -> str:
    try:
        newest = list(SealedBlock.objects.order_by("-id")[:2])
        heads = [str(block.head) for block in newest] + ["", ""]
        if not newest or _fits(key, heads[1], newest[0]):
            return heads[0]
    except (ValueError, TypeError, AttributeError):
        pass
    raise BrokenChain("The newest sealed block is forged, or the one before it is missing: run joinery audit verify")


def _gaps(first_id: int, ids: list[int]) -> list[list[int]]:
    """The runs of ids from `first_id` on that are passed over by ascending `ids`; each as its first and last."""
    if ids and ids[-1] - first_id + 1 == len(ids):
        return []
    before = [first_id - 1, *ids]
    return [[a + 1, b - 1] for a, b in zip(before, ids, strict=False) if b > a + 1]


def _late_rows(log: type[models.Model], at: datetime) -> Iterator[tuple[int, bytes]]:
    """Rows that recent blocks passed over and none has sealed since, by id."""
    recent = SealedBlock.objects.filter(table=log._meta.db_table, at__gte=at - WATCH_GAPS)
    gaps, sealed = [], set()
    for missing, late in recent.values_list("missing", "late"):
        gaps += missing
        sealed.update(late)
    for first, last in sorted(gaps):
        rows = _rows(log, f"id BETWEEN {first} AND {last} ORDER BY id")
        yield from (row for row in rows if row[0] not in sealed)


def _last_sealed(log: type[models.Model]) -> int:
    newest = SealedBlock.objects.filter(table=log._meta.db_table).order_by("-id")
    return newest.values_list("last_id", flat=True).first() or 0


def _rows(log: type[models.Model], where: str) -> Iterator[tuple[int, bytes]]:
    """The id of each row, and what its digest is of: JSON of the table's name and the text of each value."""
    table, fields = log._meta.db_table, log._meta.concrete_fields
    if connection.vendor != "sqlite":
        names = ", ".join(f'"{each.column}"' for each in fields)
        for row in select(f'SELECT {names} FROM "{table}" WHERE {where}'):
            # str() of a value is the same on the way in and out of one database; the type is not hashed.
            yield row[0], orjson.dumps([table, *(v if v is None or v.__class__ is str else str(v) for v in row)])
        return
    # The same text, twice as fast as to have Python make an object of each value, and the text from that.
    sql = f"SELECT id, json_array('{table}', {{}}) FROM \"{table}\" WHERE {where}"
    try:
        found = select(sql.format(", ".join(map(_as_text, fields))))
    except DatabaseError:  # bytes where a text should be, which is not JSON: somebody has been at the table
        found = select(sql.format(", ".join(map(_of_anything, fields))))
    yield from ((row_id, text.encode()) for row_id, text in found)


# Fields of which SQLite holds text already.
TEXTS = (models.CharField, models.TextField, models.JSONField, models.DateTimeField)


def _as_text(field: models.Field[Any, Any]) -> str:
    column = f'"{field.column}"'
    if isinstance(field, TEXTS):
        return column
    if isinstance(field, models.BooleanField):  # as Python writes it
        return f"CASE {column} WHEN 1 THEN 'True' WHEN 0 THEN 'False' ELSE CAST({column} AS TEXT) END"
    return f"CAST({column} AS TEXT)"


def _of_anything(field: models.Field[Any, Any]) -> str:
    column = f'"{field.column}"'
    return f"CASE typeof({column}) WHEN 'blob' THEN 'bytes ' || hex({column}) ELSE {_as_text(field)} END"


def _digester(key: bytes) -> Callable[[tuple[int, bytes]], bytes]:
    """What makes the digest of a row; the work that is the same for all rows is done once."""
    keyed = hashlib.blake2b(key=key, digest_size=DIGEST_BYTES)

    def digest(row: tuple[int, bytes]) -> bytes:
        made = keyed.copy()
        made.update(row[1])
        return made.digest()

    return digest


def _fits(key: bytes, before: str, block: SealedBlock) -> bool:
    """True when the block follows the one whose head is `before`. Nonsense in it raises what Python makes of it."""
    return hmac.compare_digest(str(block.head).encode(), _head(key, before, block).encode())


def _head(key: bytes, before: str, block: SealedBlock) -> str:
    said = [
        before,
        block.at.isoformat(timespec="microseconds"),
        block.table,
        block.first_id,
        block.last_id,
        block.missing,
        block.late,
    ]
    return hmac.new(key, orjson.dumps(said) + bytes(block.digests), hashlib.sha256).hexdigest()


def _sealed_ids(block: SealedBlock) -> Iterator[int]:
    start = block.first_id
    for first, last in [*block.missing, (block.last_id + 1, block.last_id)]:
        yield from range(start, first)
        start = last + 1


def _changed_rows(key: bytes, block: SealedBlock) -> Iterator[str]:
    """What differs in the rows of a block whose own head fits."""
    model = next(log for log in LOGS if log._meta.db_table == block.table)
    ids = [*block.late, *_sealed_ids(block)]
    sealed, digest = bytes(block.digests), _digester(key)
    held = {row[0]: row for row in _rows(model, f"id BETWEEN {block.first_id} AND {block.last_id}")}
    if block.late:
        held |= {row[0]: row for row in _rows(model, f"id IN ({', '.join(map(str, block.late))})")}
    for position, row_id in enumerate(ids):
        row = held.get(row_id)
        if row is None:
            yield f"{block.table} row {row_id} is missing"
            continue
        start = position * DIGEST_BYTES
        if not hmac.compare_digest(digest(row), sealed[start : start + DIGEST_BYTES]):
            yield f"{block.table} row {row_id} was changed"
