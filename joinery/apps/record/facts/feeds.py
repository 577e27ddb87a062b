"""Feeds at a glance: who sends what, when it last came, what became of its rows, and how good they were.

Nothing here is about a person. The name of a file is told only where the file is a table: one of messages
or resources may be named after a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, as_moment, marks, select, stored
from joinery.apps.base.facts import place_facts
from joinery.apps.base.feeds import Feed, Variant, feed_of
from joinery.apps.place import facts as place
from joinery.apps.record.mending import sheet_under
from joinery.apps.record.sql import FROM_SENDER, NOT_CORRECTION, NOT_OURS, open_quarantined
from joinery.apps.record.variants import variant_of
from joinery.definitions import OWN_FEED

MOST_LISTED = 200
DAYS_SHOWN = 12
_FILE_NAME = "CASE WHEN s.header <> '' THEN s.file_name ELSE '' END"
_OUTCOMES = ("rows", "taken", "unchanged", "superseded", "quarantined")
# Far enough back to find twelve days on which something came, and no further: a listener publishes each second.
_LEAST_DAYS_BACK, _CADENCES_BACK = 14, 40


@dataclass(frozen=True, slots=True)
class Counts:
    """How rows ended. `taken + unchanged + superseded + quarantined == rows`."""

    rows: int = 0
    taken: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class FeedSource:
    """One feed of one organisation. `counts` are those of the last day on which it sent anything; `open` is
    the number of quarantined rows that nobody has dealt with. One that has not sent anything yet, as a listener
    makes at its start, has no `last_at` and is not called late: since when it should send is not known."""

    id: int
    definition: Feed
    organisation_code: str
    organisation_name: str
    last_at: datetime | None
    file_name: str
    part: str
    late: bool
    counts: Counts
    open: int


@dataclass(frozen=True, slots=True)
class TakenFile:
    """One submission that was published. `correction` marks one that a person made out of a quarantined row."""

    id: int
    source_id: int
    part: str
    file_name: str
    received_at: datetime
    counts: Counts
    correction: bool


@dataclass(frozen=True, slots=True)
class TakenFiles:
    """A page of submissions, newest first; `before` is the cursor of the next page, if there is one."""

    files: tuple[TakenFile, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class DayOfRows:
    """What came on one day."""

    day: date
    counts: Counts

    @property
    def quarantined_share(self) -> float:
        """Quarantined rows as a share of all."""
        return self.counts.quarantined / self.counts.rows if self.counts.rows else 0.0


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that rows broke: on the last day, and on all days shown."""

    column: str
    rule: str
    quarantined: bool
    last_day: int
    all_days: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the rows of a source were: `days` oldest first, at most twelve; `broken` the most frequent first."""

    days: tuple[DayOfRows, ...]
    broken: tuple[Broken, ...]


@place_facts
def feed_sources(now: datetime, source_id: int | None = None) -> tuple[FeedSource, ...]:
    """Every source that sends, or one, by feed and name of its organisation."""
    of_one = "AND so.id = %s" if source_id is not None else ""
    # Of a hospital only movements tell that it is not late: see `freshness`.
    moved = (
        "(SELECT m.received_at FROM record_indexrow x JOIN record_itemversion v ON v.id = x.version_id "
        "JOIN record_submission m ON m.id = v.submission_id AND m.published_at IS NOT NULL "
        "WHERE so.feed = 'adt' AND x.name = 'moves' AND x.value = CAST(so.id AS text) "
        "ORDER BY x.version_id DESC LIMIT 1)"
    )
    rows = select(
        f"SELECT so.id, so.feed, so.organisation_id, s.part, {_FILE_NAME}, s.received_at, {moved} "
        "FROM record_source so LEFT JOIN record_submission s ON s.id = (SELECT l.id FROM record_submission l "
        f"WHERE l.source_id = so.id AND l.published_at IS NOT NULL AND {FROM_SENDER.format('l')} "
        f"ORDER BY l.received_at DESC, l.id DESC LIMIT 1) WHERE so.feed <> %s {of_one}",
        [OWN_FEED] if source_id is None else [OWN_FEED, source_id],
    )
    names = place.briefs({row[2] for row in rows}, place.as_at(now.date()))
    last = {row[0]: as_moment(row[5]) for row in rows if row[5]}
    counts = _since({source: at - timedelta(days=1) for source, at in last.items()})
    waiting = _open_counts(source_id)
    found = []
    for source, feed, organisation, part, file_name, _, moved_at in rows:
        definition, body = feed_of(feed), names[organisation]
        told = as_moment(moved_at) if moved_at else last.get(source)
        late = told is not None and definition.is_late(told, now)
        found.append(
            FeedSource(
                source, definition, body.code, body.name, last.get(source), file_name or "", part or "", late,
                counts.get(source, Counts()), waiting.get(source, 0),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda each: (each.definition.title, each.organisation_name, each.id)))


@place_facts
def taken_files(source_id: int, before: int | None = None, limit: int = 25) -> TakenFiles:
    """The submissions of a source, newest first; 200 at most. What was read anew, or taken apart again, is none."""
    limit = min(limit, MOST_LISTED)
    cursor = "AND s.id < %s" if before is not None else ""
    found = _files(
        f"s.source_id = %s {cursor} ORDER BY s.id DESC LIMIT {limit + 1:d}",
        [source_id] if before is None else [source_id, before],
    )
    return TakenFiles(found[:limit], found[limit - 1].id if len(found) > limit else None)


@place_facts
def taken_file(submission_id: int) -> TakenFile | None:
    """One published submission."""
    return next(iter(_files("s.id = %s", [submission_id])), None)


@place_facts
def first_reasons(submission_id: int, limit: int = 20) -> tuple[str, ...]:
    """Where the first quarantined rows of a submission stood and what was wrong; never what stood there."""
    rows = select(
        "SELECT q.reasons FROM record_quarantined q WHERE q.submission_id = %s "
        f"ORDER BY q.id LIMIT {min(limit, MOST_LISTED):d}",
        [submission_id],
    )
    return tuple(f"{reason['path']}: {reason['message']}" for (said,) in rows for reason in _json(said)[:1])


@place_facts
def columns_not_read(source: FeedSource, submission_id: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns of a file that are not known here, as its sender names them, and those of ours that it has not."""
    rows = select("SELECT header, part FROM record_submission WHERE id = %s", [submission_id])
    for header, part in rows:
        sheet = sheet_under(header, part, source.definition, variant_in_force(source))
        if sheet:
            return sheet.not_read[:MOST_LISTED], sheet.not_there
    return (), ()


@place_facts
def quality(source: FeedSource) -> Quality:
    """How good the rows of a source were on the last days on which it sent any."""
    if source.last_at is None:
        return Quality((), ())
    back = max(timedelta(days=_LEAST_DAYS_BACK), _CADENCES_BACK * _cadence(source.definition))
    since = stored(source.last_at - back)
    published = f"s.source_id = %s AND s.received_at >= %s AND s.published_at IS NOT NULL AND {FROM_SENDER.format('s')}"
    sums = ", ".join(f"SUM(s.{name})" for name in _OUTCOMES)
    rows = select(
        f"SELECT date(s.received_at), {sums} FROM record_submission s WHERE {published} "
        f"GROUP BY date(s.received_at) ORDER BY 1 DESC LIMIT {DAYS_SHOWN:d}",
        [source.id, since],
    )
    days = tuple(DayOfRows(as_day(row[0]) or date.min, Counts(*map(int, row[1:]))) for row in reversed(rows))
    if not days:
        return Quality((), ())
    broken = select(
        'SELECT w."column", w.rule, w.quarantined, SUM(CASE WHEN date(s.received_at) = %s THEN w.rows ELSE 0 END), '
        "SUM(w.rows) FROM record_quality w JOIN record_submission s ON s.id = w.submission_id "
        f"WHERE {published} AND date(s.received_at) >= %s "
        'GROUP BY w."column", w.rule, w.quarantined ORDER BY 5 DESC, 1, 2 LIMIT 50',
        [rows[0][0], source.id, since, rows[-1][0]],
    )
    return Quality(days, tuple(Broken(c, r, bool(q), int(n), int(total)) for c, r, q, n, total in broken))


@place_facts
def variant_in_force(source: FeedSource) -> Variant | None:
    """How the files of this sender differ from the definition, where they do."""
    return variant_of(source.id, source.definition.feed, source.organisation_code)


def _cadence(feed: Feed) -> timedelta:
    return timedelta(minutes=feed.stale_after_minutes)


def _files(where: str, values: list[Any]) -> tuple[TakenFile, ...]:
    counts = ", ".join(f"s.{name}" for name in _OUTCOMES)
    rows = select(
        f"SELECT s.id, s.source_id, s.part, {_FILE_NAME}, s.received_at, {counts}, {NOT_CORRECTION.format('s')} "
        f"FROM record_submission s WHERE s.published_at IS NOT NULL AND {NOT_OURS.format('s')} AND {where}",
        values,
    )
    return tuple(
        TakenFile(row[0], row[1], row[2], row[3], as_moment(row[4]), Counts(*row[5:10]), not row[10]) for row in rows
    )


def _since(moments: dict[int, datetime]) -> dict[int, Counts]:
    """How rows ended that came after a moment, source by source."""
    if not moments:
        return {}
    sums = ", ".join(f"SUM(s.{name})" for name in _OUTCOMES)
    rows = select(
        f"WITH w(source_id, since) AS (VALUES {', '.join(['(%s, %s)'] * len(moments))}) "
        f"SELECT s.source_id, {sums} FROM w JOIN record_submission s ON s.source_id = w.source_id "
        f"AND s.received_at > w.since AND s.published_at IS NOT NULL AND {FROM_SENDER.format('s')} "
        "GROUP BY s.source_id",
        [value for source, at in moments.items() for value in (source, stored(at))],
    )
    return {row[0]: Counts(*map(int, row[1:])) for row in rows}


def _open_counts(source_id: int | None) -> dict[int, int]:
    where = "1 = 1" if source_id is None else "s.source_id = %s"
    sql = f"SELECT w.source_id, COUNT(*) FROM ({open_quarantined(where)}) w GROUP BY w.source_id"
    return dict(select(sql, [] if source_id is None else [source_id]))


def _json(said: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = orjson.loads(said) if isinstance(said, str) else said
    return found


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A quarantined row that nobody has dealt with: where it stood, and its reasons without values."""

    id: int
    source_id: int
    position: int
    part: str
    file_name: str
    received_at: datetime
    rules: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenRows:
    """A page of open rows, newest first; `before` is the cursor of the next page, if there is one."""

    rows: tuple[OpenRow, ...]
    before: int | None


@place_facts
def open_rows(source_ids: tuple[int, ...], rule: str = "", before: int | None = None, limit: int = 25) -> OpenRows:
    """Quarantined rows of some sources that are not corrected, not set aside and not mended by a later file."""
    limit = min(limit, MOST_LISTED)
    if not source_ids:
        return OpenRows((), None)
    values: list[Any] = list(source_ids)
    also = ""
    if before is not None:
        also, values = "AND q.id < %s ", [*values, before]
    if rule:
        # The JSON is written without a space on one database, and with one on the other; a quote in it is escaped.
        also += "AND (CAST(q.reasons AS text) LIKE %s OR CAST(q.reasons AS text) LIKE %s) "
        values += [f'%"rule":{space}"{rule}"%' for space in ("", " ")]
    rows = select(
        f"SELECT q.id, s.source_id, q.position, s.part, {_FILE_NAME}, s.received_at, q.reasons "
        f"FROM ({open_quarantined(f's.source_id IN ({marks(source_ids)})')}) w "
        "JOIN record_quarantined q ON q.id = w.id JOIN record_submission s ON s.id = q.submission_id "
        f"WHERE 1 = 1 {also}ORDER BY q.id DESC LIMIT {limit + 1:d}",
        values,
    )
    found = tuple(_open_row(*row) for row in rows)
    return OpenRows(found[:limit], found[limit - 1].id if len(found) > limit else None)


def _open_row(row_id: int, source: int, position: int, part: str, name: str, at: Any, reasons: Any) -> OpenRow:
    said = _json(reasons)
    rules = tuple(dict.fromkeys(reason["rule"] for reason in said))
    messages = tuple(dict.fromkeys(reason["message"] for reason in said))
    return OpenRow(row_id, source, position, part, name, as_moment(at), rules, messages)


@place_facts
def rules_broken(source_ids: tuple[int, ...]) -> tuple[str, ...]:
    """The rules for which rows of some sources were ever quarantined."""
    sql = (
        "SELECT DISTINCT w.rule FROM record_quality w JOIN record_submission s ON s.id = w.submission_id "
        f"WHERE w.quarantined AND s.source_id IN ({marks(source_ids)}) ORDER BY 1"
    )
    return tuple(row[0] for row in select(sql, list(source_ids)))
