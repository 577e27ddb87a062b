"""What returns say: columns of their rows for jobs, how good they are, and how many beds care homes have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import compress, groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from joinery.apps.base.columns import as_day, as_moment, marks, select, stored
from joinery.apps.base.facts import place_facts, row_facts
from joinery.apps.base.feeds import feed_of
from joinery.apps.base.remember import each
from joinery.apps.record.cells import nhs_number_of
from joinery.apps.record.mending import cells_under, columns_under, sheet_under
from joinery.apps.record.returns import Rows
from joinery.apps.record.sheets import Sheet
from joinery.apps.record.sql import FROM_SENDER
from joinery.apps.record.variants import variants_of
from joinery.calc.returns import CHECKS, OTHER, Beds, beds_by_state
from joinery.calc.units import Period


@dataclass(frozen=True, slots=True)
class ReturnColumns:
    """Rows of a return as columns of one length. `subject` is a pseudonym, the same in every return of this
    deployment, or empty; `organisation` the code of the sender; `to_date` None where something goes on.

    `stated_to` is the last day of the newest submission that holds the row, and `newest_to` that of the
    newest submission of its sender: where they differ, the sender has left the row out since. `unreadable`
    counts the rows left out because their table no longer fits its definition or its sender's variant, and
    `opted_out` those of people whose NHS number may not be used for planning, or was not checked lately.
    """

    organisation: list[str]
    subject: list[str]
    kind: list[str]
    from_date: list[date | None]
    to_date: list[date | None]
    stated_to: list[date | None]
    newest_to: list[date | None]
    columns: Mapping[str, list[str]]
    unreadable: int = 0
    opted_out: int = 0


@row_facts
def return_columns(rows: Rows, period: Period, columns: Sequence[str]) -> ReturnColumns:
    """The rows of a return of which some day lies in a period, in the order in which they were received.

    Of each event only the newest row that was published and was not late. Raises ValueError for a column
    that the feed does not have, or that could name a person. A row without an NHS number cannot be checked
    against the national data opt-out, and stays.
    """
    (file,) = feed_of(rows.feed).file
    if unknown := [c for c in columns if c not in file.columns or c in file.identifying]:
        raise ValueError(f"the rows of {rows.feed} give out no column {', '.join(unknown)}")
    end = period.end or date.max
    day = connection.ops.adapt_datefield_value
    where = (
        "NOT r.late AND r.from_date < %s AND (r.to_date IS NULL OR r.to_date >= %s) AND NOT EXISTS "
        f"({_LATER} AND NOT n.late AND n.id > r.id)"
    )
    found = ReturnColumns([], [], [], [], [], [], [], {column: [] for column in columns})
    allowed = None if rows.allowed is None else rows.allowed | {""}
    unreadable = opted_out = 0
    asked = (*columns, *file.subject[:1])
    for sheet, page in _pages(rows.feed, where, [day(end), day(period.start)]):
        kept, said = columns_under(sheet, [row.body for row in page], asked) if sheet else ([], {})
        unreadable += len(page) - len(kept)
        given = [True] * len(kept)
        if allowed is not None and file.subject:
            given = [(nhs_number_of(text) or "") in allowed for text in said.get(file.subject[0], ())]
            opted_out += given.count(False)
        these = [page[number] for number in compress(kept, given)]
        found.organisation.extend(row.organisation for row in these)
        found.subject.extend(row.subject for row in these)
        found.kind.extend(row.kind for row in these)
        found.from_date.extend(each(as_day, [row.from_date for row in these]))
        found.to_date.extend(each(as_day, [row.to_date for row in these]))
        found.stated_to.extend(each(lambda at: as_moment(at).date() if at else None, [row.stated_at for row in these]))
        for column in columns if kept else ():
            found.columns[column].extend(compress(said[column], given))
    newest = _newest_stated(rows.feed)
    found.newest_to.extend(newest.get(organisation) for organisation in found.organisation)
    return replace(found, unreadable=unreadable, opted_out=opted_out)


@dataclass(frozen=True, slots=True)
class FieldQuality:
    """A column of the newest submission of a sender: how many of its rows hold something wrong in it.

    `checks` counts rows by check code (`calc.returns.CHECKS`); the other rows passed. Of a row's faults in
    one column each counts. An empty `column` stands for rows that could not be taken apart.
    """

    organisation: str
    feed: str
    column: str
    rows: int
    checks: Mapping[int, int]


@place_facts
def field_quality(feed: str) -> tuple[FieldQuality, ...]:
    """How good the newest submission of each sender of a return is, column by column; only what has faults."""
    sql = (
        'SELECT o.code, q."column", q.rule, q.rows, s.rows FROM record_quality q '
        "JOIN record_submission s ON s.id = q.submission_id AND s.published_at IS NOT NULL "
        "JOIN record_source so ON so.id = s.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        f"WHERE so.feed = %s AND {FROM_SENDER.format('s')} AND NOT EXISTS (SELECT 1 FROM record_submission n WHERE "
        f"n.source_id = s.source_id AND n.id > s.id AND n.published_at IS NOT NULL AND {FROM_SENDER.format('n')}) "
        "ORDER BY o.code, q.id"
    )
    checks: dict[tuple[str, str, int], Counter[int]] = defaultdict(Counter)
    for organisation, column, rule, faults, rows in select(sql, [feed]):
        checks[organisation, column, rows][CHECKS.get(rule, OTHER)] += faults
    return tuple(
        FieldQuality(organisation, feed, column, rows, dict(counts))
        for (organisation, column, rows), counts in checks.items()
    )


@dataclass(frozen=True, slots=True)
class HomeCapacity:
    """What a provider last said of the beds of one type in a location, and how many days ago."""

    location_id: str
    bed_type: str
    beds: Beds
    updated_at: datetime
    age_days: int


@dataclass(frozen=True, slots=True)
class CareHomeCapacity:
    """The beds of care homes, by location and bed type. `unreadable` counts the rows left out because their
    table no longer fits its definition or its sender's variant: beds of these are missing."""

    homes: tuple[HomeCapacity, ...]
    unreadable: int = 0


@place_facts
def care_home_capacity(on: date) -> CareHomeCapacity:
    """The beds of care homes as last said by the end of a day.

    The figures are the providers' own and of different days: show their age beside them.
    """
    end = stored(datetime.combine(on + timedelta(days=1), time(), UTC))
    where = (
        f"r.stated_at < %s AND NOT EXISTS ({_LATER} AND n.stated_at < %s "
        "AND (n.stated_at > r.stated_at OR (n.stated_at = r.stated_at AND n.id > r.id)))"
    )
    newest: dict[tuple[str, str], HomeCapacity] = {}
    unreadable = 0
    # A home that changed hands has been told of by two providers.
    for sheet, page in _pages("capacity", where, [end, end]):
        for row in page:
            cells = cells_under(sheet, row.body) if sheet else None
            home = _home(sheet.named(cells), as_moment(row.stated_at), on) if sheet and cells else None
            if home is None:
                unreadable += 1
                continue
            known = newest.get((home.location_id, home.bed_type))
            if known is None or known.updated_at <= home.updated_at:
                newest[home.location_id, home.bed_type] = home
    return CareHomeCapacity(tuple(newest[each] for each in sorted(newest)), unreadable)


def _home(cells: Mapping[str, str], at: datetime, on: date) -> HomeCapacity | None:
    """What a row says of beds; None where a variant that changed since names other columns for them."""
    said = cells.get("accepting_admissions")
    figures = (cells["maximum_capacity"], cells["occupied"], cells.get("reserved") or "0")
    if not all(figure.isascii() and figure.isdecimal() for figure in figures):
        return None
    maximum, occupied, reserved = map(int, figures)
    beds = beds_by_state(maximum, occupied, reserved, accepting=said == "Y" if said else None)
    return HomeCapacity(cells["location_id"], cells["bed_type"], beds, at, (on - at.date()).days)


# -- rows ------------------------------------------------------------------------------------------

_PAGE_ROWS = 10_000
_LATER = (
    "SELECT 1 FROM record_returnrow n JOIN record_submission ns ON ns.id = n.submission_id "
    "AND ns.published_at IS NOT NULL WHERE n.source_id = r.source_id AND n.key = r.key"
)


class _Row(NamedTuple):
    """A row that is held, with its days and its moment as the database gives them."""

    id: int
    submission: int
    source: int
    organisation: str
    subject: str
    kind: str
    from_date: Any
    to_date: Any
    stated_at: Any
    body: bytes


def _pages(feed: str, where: str, parameters: Sequence[Any]) -> Iterator[tuple[Sheet | None, list[_Row]]]:
    """The published rows of a feed for which a condition holds, in the order in which they were received: some of
    one submission at a time, and their table, None where it cannot be read any more."""
    sql = (
        "SELECT r.id, s.id, so.id, o.code, r.subject, r.kind, r.from_date, r.to_date, r.stated_at, r.body "
        "FROM record_returnrow r JOIN record_submission s ON s.id = r.submission_id AND s.published_at IS NOT NULL "
        "JOIN record_source so ON so.id = r.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        f"WHERE so.feed = %s AND {where} AND r.id > %s ORDER BY r.id LIMIT {_PAGE_ROWS}"
    )
    sheets: dict[int, Sheet | None] = {}
    last = 0
    while found := select(sql, [feed, *parameters, last]):
        last = found[-1][0]
        sheets |= _sheets(feed, {row[1]: (row[2], row[3]) for row in found if row[1] not in sheets})
        for submission, rows in groupby(found, key=itemgetter(1)):
            yield sheets[submission], [_Row._make((*row[:-1], bytes(row[-1]))) for row in rows]


def _sheets(feed: str, submissions: Mapping[int, tuple[int, str]]) -> dict[int, Sheet | None]:
    """The tables of submissions, each of a source and its code. None for one of which the definition, or its
    sender's variant, has changed and fits no more."""
    if not submissions:
        return {}
    sql = f"SELECT id, header, part FROM record_submission WHERE id IN ({marks(list(submissions))})"
    variants = variants_of(dict(submissions.values()), feed)
    return {
        submission: sheet_under(header, part, feed_of(feed), variants[submissions[submission][0]])
        for submission, header, part in select(sql, list(submissions))
    }


def _newest_stated(feed: str) -> dict[str, date]:
    """The last day of which each sender of a feed has told."""
    sql = (
        "SELECT o.code, MAX(r.stated_at) FROM record_returnrow r JOIN record_submission s ON s.id = r.submission_id "
        "AND s.published_at IS NOT NULL JOIN record_source so ON so.id = r.source_id "
        "JOIN place_organisation o ON o.id = so.organisation_id WHERE so.feed = %s GROUP BY o.code"
    )
    return {code: as_moment(at).date() for code, at in select(sql, [feed]) if at}
