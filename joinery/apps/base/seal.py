"""Sealing the logs: a keyed digest of every row, in blocks, each chained to the one before.

Requests write unsealed rows; a worker seals them each minute. The key lives outside the database, and
so does the newest head (`joinery.head` beside the key), so that neither a change of a row, nor a chain
made anew, nor a shortened log passes `verify`. Digests are kept by row: a changed row is named, and the
text of a row can later be erased by law without breaking the chain.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, models, transaction

from joinery.apps.base.columns import select
from joinery.apps.base.models import Access, ActionEntry, Capture, SealedBlock

LOGS: tuple[type[models.Model], ...] = (Access, ActionEntry, Capture)
BLOCK_ROWS = 10_000
DIGEST_BYTES = 16
# How long a transaction may take to commit a row whose id was passed over; far beyond any time-out.
WATCH_GAPS = timedelta(days=2)
_ADVISORY_LOCK = 7_305_001


@dataclass(frozen=True, slots=True)
class Keys:
    """The folder, outside the database, that holds the sealing key and the newest head."""

    folder: Path

    def key(self) -> bytes:
        """The sealing key, made on first use and readable by its owner only."""
        path = self.folder / "seal.key"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        return path.read_bytes()

    def heads(self) -> dict[str, Any]:
        """The newest block known outside the database: its id and head; empty before the first."""
        path = self.folder / "joinery.head"
        return orjson.loads(path.read_bytes()) if path.exists() else {}

    def publish(self, block: int, head: str) -> None:
        path = self.folder / "joinery.head.new"
        path.write_bytes(orjson.dumps({"block": block, "head": head}))
        path.replace(self.folder / "joinery.head")


@dataclass(slots=True)
class Verification:
    """What `verify` found: sealed rows and blocks, rows not sealed yet, and problems in words."""

    blocks: int = 0
    rows: int = 0
    unsealed: int = 0
    problems: list[str] = field(default_factory=list)


def seal(*, keys: Keys, at: datetime) -> int:
    """Seal every row that is not sealed yet; returns how many. Safe to run from several workers."""
    sealed = 0
    for log in LOGS:
        while True:
            with transaction.atomic():
                if connection.vendor == "postgresql":
                    select("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
                block = _next_block(log, keys.key(), at)
                if block is None:
                    break
                block.save(force_insert=True)
            keys.publish(block.pk, block.head)
            sealed += len(block.digests) // DIGEST_BYTES
    return sealed


def verify(*, keys: Keys) -> Verification:
    """Recompute every digest and every link of the chain. Changes nothing."""
    found = Verification()
    key, head = keys.key(), ""
    anchor = keys.heads()
    anchored = not anchor
    for block in SealedBlock.objects.order_by("id").iterator(chunk_size=50):
        if not hmac.compare_digest(block.head, _head(key, head, block)):
            found.problems.append(f"block {block.pk} was changed, or a block before it is missing")
        head = block.head
        anchored = anchored or (block.pk == anchor["block"] and block.head == anchor["head"])
        found.blocks += 1
        found.rows += len(block.digests) // DIGEST_BYTES
        found.problems += _changed_rows(key, block)
    if not anchored:
        found.problems.append(
            f"block {anchor['block']}, known outside the database, is missing or differs: "
            "the log was cut short or made anew"
        )
    for log in LOGS:
        last = _last_sealed(log)
        found.unsealed += select(f'SELECT COUNT(*) FROM "{log._meta.db_table}" WHERE id > %s', [last])[0][0]
    return found


def _next_block(log: type[models.Model], key: bytes, at: datetime) -> SealedBlock | None:
    table, last = log._meta.db_table, _last_sealed(log)
    fresh = list(_rows(log, f"id > {last} ORDER BY id LIMIT {BLOCK_ROWS}"))
    gaps = _open_gaps(table, at)
    late = list(_rows(log, f"id IN ({', '.join(map(str, gaps))}) ORDER BY id")) if gaps else []
    if not fresh and not late:
        return None
    first_id = fresh[0][0] if fresh else last + 1
    # A run starts where the last one ended, so that a gap between two runs is watched as well.
    first_id = min(first_id, last + 1)
    last_id = fresh[-1][0] if fresh else last
    present = {row[0] for row in fresh}
    block = SealedBlock(
        at=at,
        table=table,
        first_id=first_id,
        last_id=last_id,
        missing=[i for i in range(first_id, last_id + 1) if i not in present],
        late=[row[0] for row in late],
        digests=b"".join(_digest(key, table, row) for row in [*late, *fresh]),
    )
    newest = SealedBlock.objects.order_by("-id").values_list("head", flat=True).first()
    block.head = _head(key, newest or "", block)
    return block


def _open_gaps(table: str, at: datetime) -> list[int]:
    """Ids passed over by recent blocks and not sealed since."""
    gaps: set[int] = set()
    recent = SealedBlock.objects.filter(table=table, at__gte=at - WATCH_GAPS).order_by("id")
    for missing, late in recent.values_list("missing", "late"):
        gaps.update(missing)
        gaps.difference_update(late)
    return sorted(gaps)


def _last_sealed(log: type[models.Model]) -> int:
    newest = SealedBlock.objects.filter(table=log._meta.db_table).order_by("-id")
    return newest.values_list("last_id", flat=True).first() or 0


def _rows(log: type[models.Model], where: str) -> Iterator[tuple[Any, ...]]:
    names = ", ".join(f'"{f.column}"' for f in log._meta.concrete_fields)
    yield from select(f'SELECT {names} FROM "{log._meta.db_table}" WHERE {where}')


def _digest(key: bytes, table: str, row: tuple[Any, ...]) -> bytes:
    # str() of a value is the same on the way in and out of one database; the type is not hashed.
    text = orjson.dumps([table, *(None if v is None else str(v) for v in row)])
    return hashlib.blake2b(text, key=key, digest_size=DIGEST_BYTES).digest()


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


def _changed_rows(key: bytes, block: SealedBlock) -> Iterator[str]:
    model = next(log for log in LOGS if log._meta.db_table == block.table)
    passed_over = set(block.missing)
    ids = [*block.late, *(i for i in range(block.first_id, block.last_id + 1) if i not in passed_over)]
    sealed = bytes(block.digests)
    if len(sealed) != len(ids) * DIGEST_BYTES:
        yield f"block {block.pk} does not hold a digest for each of its rows"
        return
    where = f"id BETWEEN {block.first_id} AND {block.last_id}"
    held = {row[0]: row for row in _rows(model, where)}
    if block.late:
        held |= {row[0]: row for row in _rows(model, f"id IN ({', '.join(map(str, block.late))})")}
    for position, row_id in enumerate(ids):
        row = held.get(row_id)
        if row is None:
            yield f"{block.table} row {row_id} is missing"
            continue
        start = position * DIGEST_BYTES
        if _digest(key, block.table, row) != sealed[start : start + DIGEST_BYTES]:
            yield f"{block.table} row {row_id} was changed"
