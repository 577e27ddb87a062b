"""The SQL that every reader of points needs: of one key, the point of the newest published upload counts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection


def points_that_count() -> str:
    """The points that count, after FROM: alias `p`, the upload of each `u`."""
    return (
        "measures_point p JOIN measures_upload u ON u.id = p.upload_id AND u.published_at IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM measures_point n JOIN measures_upload m ON m.id = n.upload_id "
        "WHERE n.series_id = p.series_id AND n.organisation_id = p.organisation_id AND n.from_date = p.from_date "
        "AND n.upload_id > p.upload_id AND m.published_at IS NOT NULL)"
    )


def as_stored(day: date) -> Any:
    """A day as this database stores it."""
    return connection.ops.adapt_datefield_value(day)
