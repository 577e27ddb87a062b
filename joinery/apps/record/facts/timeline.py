"""The timeline, and where each of its lines came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select, stored
from joinery.apps.base.facts import person_facts
from joinery.apps.place import facts as place
from joinery.apps.record.adt.words import without_contacts
from joinery.apps.record.alerts import bare_of
from joinery.apps.record.people import Known, PersonRecords, Seal, sector_of
from joinery.apps.record.readable import readable, tells_place
from joinery.apps.record.sql import entries
from joinery.calc.access import OWN_RECORD, may_read
from joinery.definitions import OWN_FEED

MOST_LINES = 200
MOST_ID = 2**63  # no database holds a greater id, and SQLite's driver fails on one
_FORMATS = {"council": "CSV row", "adt": "HL7 v2 message", "mods": "JSON line"}
_NOT_SHOWN = "What was sent is shown only inside the organisation that sent it."
# A name may be written there in any way.
_SEALED = "What was sent is not shown: a name of this person is sealed."
# It may name other people, whoever told of them.
_FOR_STAFF = "What was sent is shown to staff. Ask the organisation that sent it."
SECTORS = {"health", "social_care"}
# Who wrote an entry `e` here; NULL where it was sent.
_WRITER = (
    "(SELECT wo.organisation_id FROM record_item wi JOIN record_source wo ON wo.id = wi.source_id "
    f"WHERE wi.id = e.item_id AND wo.feed = '{OWN_FEED}') AS writer"
)


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the timeline; a withheld one carries no content, and no source that would tell where somebody is."""

    entry_id: int
    at: datetime
    precision: str
    until_at: datetime | None
    kind_text: str
    title: str
    detail: str
    sector: str
    source_name: str
    received_at: datetime
    withheld: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of lines, newest first; `older` is the cursor of the next page, if there is one."""

    lines: tuple[TimelineLine, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of what was sent."""

    number: int
    received_at: datetime
    file_name: str
    current: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line came from: its versions, the bytes that were sent, and lines of the same visit."""

    line: TimelineLine
    versions: tuple[Version, ...]
    original: str
    original_format: str
    same_visit: tuple[TimelineLine, ...]


@person_facts
def timeline_page(viewing: Viewing, of: PersonRecords, sector: str = "", after: str = "", limit: int = 20) -> Timeline:
    """Lines newest first, `limit` at most (200), older than the cursor `after`, of one sector or all.

    Each source record is read on its own, newest first, so that the index gives its few newest lines
    without sorting all of them.
    """
    limit = min(limit, MOST_LINES)
    chosen = [k for k in of.known if sector not in SECTORS or k.sector == sector]
    if not chosen:
        return Timeline((), None)
    older, values = "", []
    if after:
        at, entry_id = _parse_cursor(after)
        # Compared as a pair, so that the index starts there instead of reading all that is newer.
        older = " AND (e.at, e.id) < (%s, %s)"
        values = [stored(at), entry_id]
    one = (
        "SELECT * FROM (SELECT e.id, e.record_id, e.at, e.precision, e.until_at, e.kind, e.title, e.detail, "
        f"e.sensitivity, e.item_id, es.received_at, {_WRITER} FROM {entries()} "
        f"WHERE e.record_id = %s AND e.kind <> ''{older} ORDER BY e.at DESC, e.id DESC LIMIT {limit + 1}) AS newest"
    )
    sql = " UNION ALL ".join([one] * len(chosen)) + f" ORDER BY 3 DESC, 1 DESC LIMIT {limit + 1}"
    rows = select(sql, [value for k in chosen for value in (k.record_id, *values)])
    carried = _carriers(viewing, of, rows)
    lines = tuple(_line(viewing, carried[row[0]], of.seal, row) for row in rows[:limit])
    last = lines[-1] if len(rows) > limit else None
    return Timeline(lines, f"{last.at.isoformat()}~{last.entry_id}" if last else None)


def _parse_cursor(cursor: str) -> tuple[datetime, int]:
    """The moment and id in a cursor. Raises ValueError when it is not one of ours."""
    at, _, entry_id = cursor.partition("~")
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None or not entry_id.isdecimal() or len(entry_id) > 18:
        raise ValueError("not a cursor")
    try:
        return moment.astimezone(UTC), int(entry_id)
    except OverflowError:  # a day at either end of the calendar, in a zone beyond it
        raise ValueError("not a cursor") from None


def _line(viewing: Viewing, known: Known, seal: Seal, row: tuple[Any, ...]) -> TimelineLine:
    entry_id, _, at, precision, until_at, kind, title, detail, sensitivity, item_id, received_at, _ = row
    line = TimelineLine(
        entry_id=entry_id,
        at=as_moment(at),
        precision=precision,
        until_at=as_moment(until_at) if until_at else None,
        kind_text=kind,
        title=seal.masked(title),
        detail=seal.masked(detail),
        sector=known.sector,
        source_name=known.organisation_name,
        received_at=as_moment(received_at),
        withheld=False,
    )
    if readable(viewing, known, sensitivity, item_id):
        return replace(line, title=bare, detail="") if (bare := _bare(viewing, known, title)) else line
    # Which hospital it was would tell where somebody is who hides it.
    source_name = "" if tells_place(viewing, known) else known.organisation_name
    return replace(line, kind_text="", title="", detail="", until_at=None, source_name=source_name, withheld=True)


def _carriers(viewing: Viewing, of: PersonRecords, rows: Sequence[tuple[Any, ...]]) -> dict[int, Known]:
    """By entry, the source record that carries it; with what was written here, whoever wrote it stands for its source,
    and may tell where a person is as a hospital may."""
    by_id = {k.record_id: k for k in of.known}
    writers = {row[-1] for row in rows if row[-1]}
    bodies = place.briefs(writers, place.as_at(viewing.at.date())) if writers else {}
    hidden = any(k.restricted for k in of.known)
    carried = {}
    for entry_id, record_id, *_, writer in rows:
        known = by_id[record_id]
        if body := bodies.get(writer):
            known = replace(
                known, feed=OWN_FEED, organisation=body.code, organisation_name=body.name, restricted=hidden,
                sector=sector_of(body.sector, ""),
            )  # fmt: skip
        carried[entry_id] = known
    return carried


def _bare(viewing: Viewing, known: Known, title: str) -> str:
    """What is shown of a line outside its organisation where that is less than what was sent."""
    return "" if may_read("restricted", known.organisation, viewing.decision) else bare_of(title)


@person_facts
def origin(viewing: Viewing, of: PersonRecords, entry_id: int) -> Origin | None:
    """Where a line came from; None when the person has no such line, or it is withheld."""
    rows = _entry_rows(of, "e.id = %s", [entry_id]) if entry_id < MOST_ID else []
    if not rows:
        return None
    known = _carriers(viewing, of, rows)[entry_id]
    line = _line(viewing, known, of.seal, rows[0])
    if line.withheld:
        return None
    versions = select(
        "SELECT v.id, v.number, s.received_at, s.file_name, v.late, v.body, s.header FROM record_itemversion v "
        "JOIN record_submission s ON s.id = v.submission_id AND s.published_at IS NOT NULL "
        # By way of its version: an allergy of a hospital is an item of its own, said in a message, which is another.
        "WHERE v.item_id = (SELECT o.item_id FROM record_entry e JOIN record_itemversion o ON o.id = e.version_id "
        "WHERE e.id = %s) ORDER BY v.id DESC",
        [entry_id],
    )
    current = next(v for v in versions if not v[4])
    header, body = current[6], bytes(current[5]).decode("utf-8", errors="replace")
    if known.hides_place:
        body = without_contacts(body)
    if _bare(viewing, known, rows[0][6]):
        header, body = "", _NOT_SHOWN
    elif of.seal.names:
        header, body = "", _SEALED
    elif viewing.purpose == OWN_RECORD:
        header, body = "", _FOR_STAFF
    same_visit = _same_visit(of, rows[0][1], current[0], entry_id)
    carried = _carriers(viewing, of, same_visit)
    return Origin(
        line=line,
        versions=tuple(Version(v[1], as_moment(v[2]), v[3], v[0] == current[0]) for v in versions),
        original=f"{header}\n{body}" if header else _pretty(body.replace("\r\n", "\n").replace("\r", "\n")),
        original_format=_FORMATS.get(known.feed, "FHIR XML" if body[:1] == "<" else "FHIR JSON"),
        same_visit=tuple(_line(viewing, carried[row[0]], of.seal, row) for row in same_visit),
    )


def _entry_rows(of: PersonRecords, where: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT e.id, e.record_id, e.at, e.precision, e.until_at, e.kind, e.title, e.detail, e.sensitivity, e.item_id, "
        f"es.received_at, {_WRITER} FROM {entries()} WHERE {where} AND e.kind <> '' "
        f"AND e.record_id IN ({marks(of.known)}) ORDER BY e.at DESC, e.id DESC LIMIT 100"
    )
    return select(sql, [*values, *(k.record_id for k in of.known)])


def _same_visit(of: PersonRecords, record_id: int, version_id: int, entry_id: int) -> list[tuple[Any, ...]]:
    """Lines of the visit that a version belongs to, or that belong to the visit that it is."""
    sql = (
        "SELECT x.value FROM record_indexrow x WHERE x.version_id = %s AND x.name = 'encounter' "
        "UNION SELECT i.key FROM record_item i JOIN record_itemversion v ON v.item_id = i.id WHERE v.id = %s"
    )
    visits = [row[0] for row in select(sql, [version_id, version_id]) if row[0].startswith("Encounter/")]
    if not visits:
        return []
    where = (
        "e.record_id = %s AND e.id <> %s AND (e.item_id IN (SELECT v.item_id FROM record_indexrow x "
        "JOIN record_itemversion v ON v.id = x.version_id "
        f"WHERE x.name = 'encounter' AND x.value IN ({marks(visits)})) "
        f"OR e.item_id IN (SELECT i.id FROM record_item i JOIN record_sourcerecord r ON r.source_id = i.source_id "
        f"WHERE r.id = %s AND i.key IN ({marks(visits)})))"
    )
    return _entry_rows(of, where, [record_id, entry_id, *visits, record_id, *visits])


def _pretty(body: str) -> str:
    """Indented for reading, unless that would change what was sent (a decimal's trailing zero)."""
    try:
        pretty = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body
    squeezed = str.maketrans("", "", " \n\r\t")
    return pretty if pretty.translate(squeezed) == body.translate(squeezed) else body
