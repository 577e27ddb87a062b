"""The SQL that every reader of points needs: of one key, the point of the newest published upload counts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection


def published_points(where: str) -> str:
    """The points of published uploads, alias `p`, the newest upload last: of one key, the last one read counts.

    Neither the drafts nor the newest are found by a join: PostgreSQL would walk through all points for every
    point where it takes the table for empty, as it does until it has counted the rows of a large upload. The
    drafts are few, and it reads them once.
    """
    return (
        "FROM measures_point p WHERE p.upload_id NOT IN (SELECT id FROM measures_upload WHERE published_at IS NULL) "
        f"AND {where} ORDER BY p.upload_id"
    )


def as_stored(day: date) -> Any:
    """A day as this database stores it."""
    return connection.ops.adapt_datefield_value(day)
