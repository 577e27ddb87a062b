"""The SQL that every reader of the directory needs: the newest adopted statement of a key counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from joinery.apps.base.columns import select, stored

# Later than any edition that will be adopted; a draft that is looked through counts as the newest.
LATEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class AsAt:
    """The directory as it was on a day, as known when `sequence` was the last edition adopted.

    With `draft`, that edition is looked through as if it had been adopted.
    """

    on: date
    sequence: int = LATEST
    draft: int | None = None

    def sees(self, edition: str) -> str:
        """A condition: the edition with this alias counts."""
        seen = f"{edition}.sequence <= {self.sequence:d}"
        return f"({seen} OR {edition}.id = {self.draft:d})" if self.draft is not None else seen

    def holds(self, alias: str) -> str:
        """A condition with two marks (see `day`): the row with this alias is true on the day."""
        return f"{alias}.from_date <= %s AND ({alias}.to_date IS NULL OR {alias}.to_date > %s)"

    @property
    def day(self) -> tuple[Any, Any]:
        """The two values for the marks of `holds`."""
        return (as_stored(self.on),) * 2


def statements(as_at: AsAt, s: str = "s", on: str = "", own: bool = False) -> str:
    """The statements that count, after FROM, or after JOIN with `on`: alias `s`, its edition `{s}_e`.

    With `own`, those that count among what their own source has said.
    """
    rank = "COALESCE({}.sequence, " + str(LATEST) + ")"
    newer = (
        "SELECT 1 FROM place_statement n JOIN place_edition m ON m.id = n.edition_id "
        f"WHERE n.organisation_id = {s}.organisation_id AND n.kind = {s}.kind AND n.value = {s}.value "
        f"AND n.from_date = {s}.from_date AND COALESCE(n.target_id, 0) = COALESCE({s}.target_id, 0) AND n.id <> {s}.id "
        + (f"AND m.source = {s}_e.source " if own else "")
        + f"AND {as_at.sees('m')} AND {rank.format('m')} > {rank.format(s + '_e')} LIMIT 1"
    )
    # A subquery of one row, and not NOT EXISTS, which PostgreSQL would join over the whole table.
    return (
        f"place_statement {s}{' ON ' + on if on else ''} "
        f"JOIN place_edition {s}_e ON {s}_e.id = {s}.edition_id AND {as_at.sees(s + '_e')} "
        f"AND NOT {s}.withdrawn AND ({newer}) IS NULL"
    )


def of_kind(kind: str, s: str = "s") -> str:
    """A condition: statements of a kind that is looked up by its value.

    Its second half is what the index on values says of itself; SQLite uses the index only when told so.
    """
    return f"{s}.kind = '{kind}' AND NOT ({s}.value = '')"


def newest_first(s: str = "s") -> str:
    """An order in which, of several statements that hold, the one that began last, then said last, comes first."""
    return f"{s}.from_date DESC, COALESCE({s}_e.sequence, {LATEST}) DESC, {s}.id DESC"


def sequence_at(known_at: datetime) -> int:
    """The last edition that had been adopted at a moment; 0 when there was none."""
    (row,) = select("SELECT MAX(sequence) FROM place_edition WHERE adopted_at <= %s", [stored(known_at)])
    return row[0] or 0


def as_stored(day: date | None) -> Any:
    """A day as this database stores it."""
    return connection.ops.adapt_datefield_value(day)
