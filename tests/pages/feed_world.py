"""Files of feeds with rows that break rules, for tests of the pages of feeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from joinery.apps.base.columns import select
from joinery.apps.record.actions import Taken, take_file
from tests.pages.world import ACTOR, COUNCIL

HEADER = ("person_id", "nhs_number", "family_name", "given_names", "birth_date", "source_id", "updated_at", "deleted")
Row = dict[str, str]


def person(local_id: str, **but: str) -> Row:
    """A row of a council's file of people."""
    said = {"person_id": local_id, "family_name": "Fenwick", "given_names": "Ada", "birth_date": "1944-02-09"}
    return said | {"source_id": local_id, "updated_at": "2026-02-01T09:00:00Z", "deleted": "0"} | but


def table(rows: Iterable[Row], header: Iterable[str] = HEADER) -> str:
    """Rows as a CSV file."""
    text = io.StringIO(newline="")
    write = csv.DictWriter(text, list(header))
    write.writeheader()
    write.writerows(rows)
    return text.getvalue()


def take_people(folder: Path, at: datetime, *rows: Row, sender: str = COUNCIL) -> Taken:
    """Take a council's file of people."""
    return take_text(folder, at, table(rows), sender=sender)


def take_text(
    folder: Path, at: datetime, text: str, *, sender: str = COUNCIL, feed: str = "council", name: str = "person.csv"
) -> Taken:
    path = folder / name
    path.write_bytes(text.encode())
    return take_file(path=path, feed=feed, organisation_code=sender, actor=ACTOR, at=at)


def quarantined(taken: Taken) -> list[int]:
    """The ids of the rows of a file that were quarantined, in the order of the file."""
    sql = "SELECT q.id FROM record_quarantined q WHERE q.submission_id = %s ORDER BY q.position"
    return [row[0] for row in select(sql, [taken.submission_id])]


def entries(table_name: str) -> int:
    """How many rows a table holds."""
    return int(select(f"SELECT COUNT(*) FROM {table_name}")[0][0])
