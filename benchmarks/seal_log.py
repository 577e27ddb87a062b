"""Sealing the access log and verifying it: 1,000,000 rows that nobody has sealed yet."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import cpu_seconds, deployment

COLUMNS = (
    *("event", "at", "user_id", "actor", "role", "organisation"),
    *("purpose", "what", "person_id", "allowed", "reason"),
)
INSERT_ROWS = 50_000
START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    chosen = options.parse_args()
    with deployment() as folder:
        print(json.dumps(seal_and_verify(folder, chosen.rows)))


def seal_and_verify(folder: Path, rows: int) -> dict[str, float]:
    """`rows`, `seal_cpu_s` and `verify_cpu_s`; raises SystemExit when the log does not verify."""
    from django.db import transaction

    from joinery.apps.base.columns import insert_rows
    from joinery.apps.base.models import Access
    from joinery.apps.base.seal import Keys, seal, verify

    for first in range(0, rows, INSERT_ROWS):
        with transaction.atomic():
            insert_rows(Access, COLUMNS, [_look(n) for n in range(first, min(first + INSERT_ROWS, rows))])
    keys = Keys(folder / "keys")
    started = cpu_seconds()
    sealed = seal(keys=keys, at=datetime.now(UTC))
    between = cpu_seconds()
    found = verify(keys=keys)
    ended = cpu_seconds()
    if found.problems or found.unsealed or not sealed == found.rows >= rows:
        raise SystemExit(f"the sealed log does not verify: {found}")
    return {"rows": rows, "seal_cpu_s": between - started, "verify_cpu_s": ended - between}


def _look(n: int) -> tuple[Any, ...]:
    from joinery.apps.base.columns import stored

    who = (n % 300, f"user:{n % 300}", "community_nurse", f"ZT{n % 9}")
    look = ("direct_care", "opened", f"{n % 5000:020x}", True, "involved")
    return (f"{n:016x}", stored(START + timedelta(seconds=n)), *who, *look)


if __name__ == "__main__":
    main()
