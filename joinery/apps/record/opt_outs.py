"""The national data opt-out: whose NHS numbers may be used for planning and research, as last checked.

Source: NHS England, national data opt-out operational policy guidance; that a check holds
for 21 days is recalled. It is not asked of direct care.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from joinery.apps.base.columns import select, stored

VALID_DAYS = 21


def packed(numbers: Iterable[str]) -> bytes:
    """NHS numbers as a table keeps them."""
    return zlib.compress("\n".join(sorted(numbers)).encode())


def unpacked(body: bytes) -> frozenset[str]:
    """NHS numbers as `packed` made them."""
    return frozenset(zlib.decompress(bytes(body)).decode().split())


def allowed_numbers(at: datetime) -> frozenset[str]:
    """The NHS numbers that may be used for planning and research: of each number the newest check of the last 21
    days counts, and one that was not checked may not be used."""
    sql = "SELECT asked, allowed FROM record_optoutcheck WHERE at > %s AND at <= %s ORDER BY at, id"
    allowed: frozenset[str] = frozenset()
    for asked, answered in select(sql, [stored(at - timedelta(days=VALID_DAYS)), stored(at)]):
        allowed = (allowed - unpacked(asked)) | unpacked(answered)
    return allowed
