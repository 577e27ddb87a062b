"""Rows that could not be taken, as received. Each may be about anybody, so they are read through a viewing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, select
from joinery.apps.base.facts import person_facts
from joinery.apps.base.feeds import Feed, feed_of
from joinery.apps.record.mending import (
    Returned,
    cells_under,
    sheet_under,
    split,
    table_head,
    table_row,
    text_head,
    text_of,
    text_row,
)
from joinery.apps.record.sql import mended
from joinery.apps.record.variants import variant_of

BATCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was not taken: where in it, by which rule, what stood there, and what to do."""

    where: str
    rule: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row, under the sender's own name for its column and ours, with what is wrong with it."""

    name: str
    column: str
    value: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A quarantined row. A row of a table has `cells`; of any other only its `text` can be shown.

    `state` is `open`, `mended` (a later file brought it), `corrected` or `set_aside`; the last two with who
    did it, when, and `why` or the `outcome` of the corrected row.
    """

    id: int
    source_id: int
    submission_id: int
    definition: Feed
    organisation_id: int
    file_name: str
    part: str
    position: int
    received_at: datetime
    reasons: tuple[Reason, ...]
    cells: tuple[Cell, ...]
    text: str
    state: str
    made_by: str = ""
    made_at: datetime | None = None
    why: str = ""
    outcome: str = ""


@person_facts
def quarantined_row(viewing: Viewing, quarantined_id: int) -> QuarantinedRow | None:
    """One quarantined row, with its reasons beside the cells that they are about."""
    sql = (
        "SELECT q.submission_id, s.source_id, so.feed, so.organisation_id, o.code, s.header, s.file_name, s.part, "
        f"q.position, s.received_at, q.reasons, q.body, {mended('q', 's')}, c.made_by, c.at, c.reason, "
        "cs.taken, cs.unchanged, cs.superseded FROM record_quarantined q "
        "JOIN record_submission s ON s.id = q.submission_id AND s.published_at IS NOT NULL "
        "JOIN record_source so ON so.id = s.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        "LEFT JOIN record_correction c ON c.quarantined_id = q.id "
        "LEFT JOIN record_submission cs ON cs.id = c.submission_id WHERE q.id = %s"
    )
    for row in select(sql, [quarantined_id]):
        submission, source, feed, organisation, code, header, file_name, part, position, at, said, body, gone = row[:13]
        made_by, made_at, why, *counts = row[13:]
        reasons = tuple(Reason(_where(r["path"]), r["rule"], r["value"], r["message"]) for r in _json(said))
        outcome = _outcome(counts)
        cells, text = _parts(header, part, feed_of(feed), source, code, bytes(body), reasons)
        state = ("corrected" if outcome else "set_aside") if made_by else "mended" if gone else "open"
        return QuarantinedRow(
            quarantined_id, source, submission, feed_of(feed), organisation, file_name, part, position, as_moment(at),
            reasons, cells, text, state, made_by or "", as_moment(made_at) if made_at else None, why or "", outcome,
        )  # fmt: skip
    return None


@person_facts
def returned_rows(viewing: Viewing, submission_id: int) -> Iterator[bytes]:
    """The quarantined rows of a submission as a CSV file for their sender, a row at a time.

    The sender's own columns, then the number of the row and its reasons: mended, it can be sent as it is.
    """
    sql = (
        "SELECT s.source_id, so.feed, o.code, s.header, s.part FROM record_submission s "
        "JOIN record_source so ON so.id = s.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        "WHERE s.id = %s AND s.published_at IS NOT NULL"
    )
    for source, feed, code, header, part in select(sql, [submission_id]):
        sheet = sheet_under(header, part, feed_of(feed), variant_of(source, feed, code)) if header else None
        yield table_head(sheet) if sheet else text_head()
        for row in _returned(submission_id):
            yield table_row(sheet, row) if sheet else text_row(row)


def _returned(submission_id: int) -> Iterator[Returned]:
    """The rows of a submission in the order of the file, a batch in memory at a time."""
    after = 0
    while True:
        # They were kept in the order of the file.
        rows = select(
            "SELECT q.position, q.key, q.body, q.reasons, q.id FROM record_quarantined q WHERE q.submission_id = %s "
            f"AND q.id > %s ORDER BY q.id LIMIT {BATCH_ROWS:d}",
            [submission_id, after],
        )
        for position, key, body, reasons, _ in rows:
            messages = list(dict.fromkeys(reason["message"] for reason in _json(reasons)))
            yield Returned(position, key, bytes(body), messages)
        if len(rows) < BATCH_ROWS:
            return
        after = rows[-1][4]


def _parts(
    header: str, part: str, feed: Feed, source: int, code: str, body: bytes, reasons: tuple[Reason, ...]
) -> tuple[tuple[Cell, ...], str]:
    """A row as cells, where it is one of a table, or else as text."""
    sheet = sheet_under(header, part, feed, variant_of(source, feed.feed, code)) if header else None
    found = cells_under(sheet, body) if sheet else None
    if sheet is None or found is None:
        return (), text_of(body, sheet.variant.encoding if sheet else "utf-8")
    about: dict[str, list[str]] = {}
    for reason in reasons:
        about.setdefault(reason.where, []).append(reason.message)
    names = split(sheet.header, sheet.variant.delimiter) or sheet.columns
    cells = tuple(
        Cell(name, column, value, tuple(about.get(column, ())))
        for name, column, value in zip(names, sheet.columns, found, strict=False)
    )
    return cells, ""


def _outcome(counts: list[int | None]) -> str:
    outcomes = zip(("taken", "unchanged", "superseded"), counts, strict=True)
    return next((name for name, count in outcomes if count), "")


def _where(path: str) -> str:
    """Where in its row something is wrong: a row of a table says its number first."""
    return path.rpartition(", ")[2]


def _json(said: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = orjson.loads(said) if isinstance(said, str) else said
    return found
