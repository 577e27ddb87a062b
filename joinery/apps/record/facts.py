"""The way out of record: who a person is, what must be known at once, and the timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import marks, select, stored
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.record.people import Known, as_moment, first, records_of
from joinery.apps.record.sql import details, entries, links
from joinery.calc.access import may_read
from joinery.calc.units import age_years

MOST_LINES = 200
MOST_ID = 2**63  # no database holds a greater id, and SQLite's driver fails on one
# A nightly or daily feed that has been silent for longer is late (handbook, feeds 10).
STALE_AFTER = timedelta(hours=36)
GENDERS = {"male": "Male", "female": "Female", "other": "Other", "unknown": "Not known", "": "Not known"}
SECTORS = {"health", "social_care"}


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One line of a search result."""

    person_id: str
    name: str
    birth_date: date | None
    age_years: int | None
    nhs_number: str | None
    address: str
    gender_text: str


@dataclass(frozen=True, slots=True)
class Banner:
    """Who this is: the same at the top of every page about a person."""

    person_id: str
    name: str
    title: str
    preferred_name: str | None
    birth_date: date | None
    age_years: int | None
    death_date: date | None
    dead: bool
    gender_text: str
    nhs_number: str | None
    address_lines: tuple[str, ...]
    address_withheld: bool


@dataclass(frozen=True, slots=True)
class Stated:
    """Who said something, and of which day they said it."""

    source_name: str
    stated_at: datetime
    precision: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One allergy or alert, with everyone who states it, newest first."""

    text: str
    stated: tuple[Stated, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Allergies or alerts, with what silence means here (handbook, feeds 7).

    `state` is present, asserted_none, none_recorded, not_received or withheld. Beside a statement that
    there is none, `silent` names the sources that should say so too and have not; `unread` names, in every
    state, those that sent one which could not be taken.
    """

    heading: str
    state: str
    items: tuple[Item, ...]
    statements: tuple[Stated, ...]
    also_withheld: bool
    silent: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the timeline; a withheld one carries no content."""

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
class Freshness:
    """When a source last sent anything, and whether it is late."""

    source_name: str
    sector: str
    last_received_at: datetime
    late: bool


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


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """The source records of the one person of a viewing: read once, used by every fact of a page."""

    known: tuple[Known, ...]


@person_facts
def records(viewing: Viewing) -> PersonRecords:
    """The source records linked to the person of the viewing, best source first."""
    return PersonRecords(tuple(records_of([viewing.person_id]).get(viewing.person_id, [])))


@person_facts
def found_people(viewing: Viewing) -> tuple[FoundPerson, ...]:
    """The people of a list viewing, by name."""
    found = []
    for person_id, known in records_of(viewing.person_ids).items():
        who = _banner(viewing, person_id, known)
        found.append(
            FoundPerson(
                person_id, _full_name(who.name, who.title), who.birth_date, who.age_years, who.nhs_number,
                "Withheld" if who.address_withheld else ", ".join(who.address_lines), who.gender_text,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda person: (person.name, str(person.birth_date))))


@person_facts
def banner(viewing: Viewing, of: PersonRecords) -> Banner:
    """Who the person of the viewing is, each field from the best source that states it."""
    return _banner(viewing, viewing.person_id, of.known)


def _banner(viewing: Viewing, person_id: str, known: Sequence[Known]) -> Banner:
    born, died = first(known, "birth_date"), first(known, "death_date")
    hidden = any(k.restricted and not may_read(True, k.organisation, viewing.decision) for k in known)
    return Banner(
        person_id=person_id,
        name=f"{first(known, 'family_name').upper()}, {first(known, 'given_name')}".strip(", "),
        title=first(known, "title"),
        preferred_name=first(known, "preferred_name") or None,
        birth_date=born,
        age_years=age_years(born, died or viewing.at.date()) if born else None,
        death_date=died,
        dead=any(k.dead for k in known),
        gender_text=GENDERS.get(first(known, "gender").lower(), "Not known"),
        nhs_number=first(known, "nhs_number") or None,
        address_lines=() if hidden else first(known, "address"),
        address_withheld=hidden,
    )


def _full_name(name: str, title: str) -> str:
    """`SMITH, Margaret (Mrs)`, as on a wristband (DSCN 04/2009)."""
    return f"{name} ({title})" if title else name


@person_facts
def safety(viewing: Viewing, of: PersonRecords) -> tuple[Section, Section]:
    """Allergies and alerts. Nothing is ever shown as none unless a source has said so."""
    sql = (
        "SELECT e.record_id, e.title, e.detail, e.banner, e.restricted, e.at, e.precision, es.received_at "
        # NOT (… = '') word for word: only then does SQLite see that the index on banners serves.
        f"FROM {entries()} WHERE e.record_id IN ({marks(of.known)}) AND NOT (e.banner = '') "
        "AND (e.until_at IS NULL OR e.until_at > %s) ORDER BY e.at DESC, e.id DESC"
    )
    by_id = {k.record_id: k for k in of.known}
    said: dict[str, list[tuple[Known, tuple[Any, ...]]]] = defaultdict(list)
    hidden: set[str] = set()
    for row in select(sql, [*by_id, stored(viewing.at)]):
        known, banner = by_id[row[0]], row[3]
        if may_read(bool(row[4]), known.organisation, viewing.decision):
            said[banner].append((known, row))
        else:
            hidden.add(banner)
    none, no_list = ([(k, _stated(k, r)) for k, r in said[banner]] for banner in ("no_allergy", "no_list"))
    unread = _unread(of)
    health = [k for k in of.known if k.sector == "health"]
    councils = [k for k in of.known if k.feed == "council"]
    return (
        # A statement that there is none is withheld too: it would tell which service the person goes to.
        _section("Allergies", health, said["allergy"], none, no_list, bool(hidden - {"alert"}), unread["allergy"]),
        _section("Alerts", councils, said["alert"], [], _full_extracts(councils), "alert" in hidden, unread["alert"]),
    )


def _section(
    heading: str,
    expected: list[Known],
    rows: list[tuple[Known, tuple[Any, ...]]],
    said_none: list[tuple[Known, Stated]],
    none_recorded: list[tuple[Known, Stated]],
    withheld: bool,
    unread: list[Known],
) -> Section:
    names = _names(unread)
    if rows:
        # A source that says "none" beside one that names an allergy is a conflict: both are shown.
        return Section(heading, "present", _items(rows), tuple(s for _, s in said_none), withheld, unread=names)
    if withheld:
        return Section(heading, "withheld", (), (), True, unread=names)
    for state, said in (("asserted_none", said_none), ("none_recorded", none_recorded)):
        # Who sent something that could not be read has not said that there is none.
        meant = [(known, stated) for known, stated in said if known not in unread]
        if meant:
            speakers = [known for known, _ in [*said_none, *none_recorded]]
            silent = _names([k for k in expected if k not in speakers and k not in unread])
            return Section(heading, state, (), tuple(s for _, s in meant), False, silent, names)
    return Section(heading, "not_received", (), (), False, unread=names)


def _names(known: list[Known]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(k.organisation_name for k in known))


def _unread(of: PersonRecords) -> dict[str, list[Known]]:
    """Whose allergies or alerts include one that is quarantined: about this person, or perhaps about them.

    A row of an extract counts while its file is the newest of its table; a resource until a version of it
    is taken.
    """
    sources, local_ids = [k.source_id for k in of.known], [k.local_id for k in of.known]
    newest = (
        "(SELECT n.file_digest FROM record_submission n WHERE n.source_id = s.source_id AND n.part = s.part "
        "AND n.published_at IS NOT NULL ORDER BY n.id DESC LIMIT 1)"
    )
    taken_since = (
        "EXISTS (SELECT 1 FROM record_item i JOIN record_itemversion v ON v.item_id = i.id "
        "JOIN record_submission vs ON vs.id = v.submission_id AND vs.published_at IS NOT NULL "
        "WHERE i.source_id = s.source_id AND i.key = q.key AND v.submission_id > q.submission_id)"
    )
    sql = (
        "SELECT s.source_id, q.local_id, CASE WHEN q.key LIKE 'AllergyIntolerance/%%' THEN 'allergy' ELSE 'alert' END "
        "FROM record_quarantined q JOIN record_submission s ON s.id = q.submission_id "
        f"WHERE s.published_at IS NOT NULL AND s.source_id IN ({marks(sources)}) "
        f"AND q.local_id IN ('', {marks(local_ids)}) "
        f"AND ((s.part = 'alert' AND s.file_digest = {newest}) OR (s.part = 'fhir' AND q.local_id <> '' "
        f"AND (q.key LIKE 'AllergyIntolerance/%%' OR q.key LIKE 'Flag/%%') AND NOT {taken_since}))"
    )
    unread: dict[str, list[Known]] = {"allergy": [], "alert": []}
    for source_id, local_id, section in select(sql, [*sources, *local_ids]):
        unread[section] += [k for k in of.known if k.source_id == source_id and local_id in ("", k.local_id)]
    return unread


def _items(rows: list[tuple[Known, tuple[Any, ...]]]) -> tuple[Item, ...]:
    """What is said in the same words is one item, said by several."""
    stated: dict[str, tuple[str, list[Stated]]] = {}
    for known, row in rows:
        stated.setdefault(row[1].casefold(), (row[1], []))[1].append(_stated(known, row))
    return tuple(Item(text, tuple(said)) for text, said in stated.values())


def _stated(known: Known, row: tuple[Any, ...]) -> Stated:
    _, _, detail, _, _, at, precision, received_at = row
    return Stated(known.organisation_name, as_moment(received_at if precision == "none" else at), precision, detail)


def _full_extracts(councils: list[Known]) -> list[tuple[Known, Stated]]:
    """Sources that sent their whole table of alerts, and so have said that there is none."""
    sql = (
        "SELECT source_id, MAX(received_at) FROM record_submission WHERE published_at IS NOT NULL "
        f"AND part = 'alert' AND source_id IN ({marks(councils)}) GROUP BY source_id"
    )
    sent = dict(select(sql, [k.source_id for k in councils])) if councils else {}
    return [
        (k, Stated(k.organisation_name, as_moment(sent[k.source_id]), "minute"))
        for k in councils
        if k.source_id in sent
    ]


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
        f"e.restricted, es.received_at FROM {entries()} WHERE e.record_id = %s AND e.kind <> ''{older} "
        f"ORDER BY e.at DESC, e.id DESC LIMIT {limit + 1}) AS newest"
    )
    sql = " UNION ALL ".join([one] * len(chosen)) + f" ORDER BY 3 DESC, 1 DESC LIMIT {limit + 1}"
    rows = select(sql, [value for k in chosen for value in (k.record_id, *values)])
    by_id = {k.record_id: k for k in chosen}
    lines = tuple(_line(viewing, by_id[row[1]], row) for row in rows[:limit])
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


def _line(viewing: Viewing, known: Known, row: tuple[Any, ...]) -> TimelineLine:
    entry_id, _, at, precision, until_at, kind, title, detail, restricted, received_at = row
    line = TimelineLine(
        entry_id=entry_id,
        at=as_moment(at),
        precision=precision,
        until_at=as_moment(until_at) if until_at else None,
        kind_text=kind,
        title=title,
        detail=detail,
        sector=known.sector,
        source_name=known.organisation_name,
        received_at=as_moment(received_at),
        withheld=False,
    )
    if may_read(bool(restricted), known.organisation, viewing.decision):
        return line
    return replace(line, kind_text="", title="", detail="", until_at=None, withheld=True)


@person_facts
def freshness(viewing: Viewing, of: PersonRecords) -> tuple[Freshness, ...]:
    """When each source of this person last sent a file that was taken."""
    sources = {k.source_id: k for k in of.known}
    sql = (
        "SELECT source_id, MAX(received_at) FROM record_submission WHERE published_at IS NOT NULL "
        f"AND source_id IN ({marks(list(sources))}) GROUP BY source_id"
    )
    last = {source: as_moment(at) for source, at in select(sql, list(sources))}
    return tuple(
        Freshness(k.organisation_name, k.sector, last[s], viewing.at - last[s] > STALE_AFTER)
        for s, k in sources.items()
        if s in last
    )


@person_facts
def kept_apart(viewing: Viewing, of: PersonRecords) -> int:
    """How many other people hold this person's NHS number with details that do not agree."""
    numbers = sorted({k.nhs_number for k in of.known if k.nhs_number})
    if not numbers:
        return 0
    sql = (
        f"SELECT COUNT(DISTINCT k.person_id) FROM {details()} JOIN {links(on='k.record_id = d.record_id')} "
        # SQLite uses the index on numbers, which leaves out the empty one, only when told so.
        f"WHERE NOT (d.nhs_number = '') AND d.nhs_number IN ({marks(numbers)}) AND k.person_id <> %s"
    )
    return int(select(sql, [*numbers, viewing.person_id])[0][0])


@person_facts
def origin(viewing: Viewing, of: PersonRecords, entry_id: int) -> Origin | None:
    """Where a line came from; None when the person has no such line, or it is withheld."""
    rows = _entry_rows(of, "e.id = %s", [entry_id]) if entry_id < MOST_ID else []
    by_id = {k.record_id: k for k in of.known}
    if not rows:
        return None
    line = _line(viewing, by_id[rows[0][1]], rows[0])
    if line.withheld:
        return None
    versions = select(
        "SELECT v.id, v.number, s.received_at, s.file_name, v.late, v.body, s.header FROM record_itemversion v "
        "JOIN record_submission s ON s.id = v.submission_id AND s.published_at IS NOT NULL "
        "WHERE v.item_id = (SELECT item_id FROM record_entry WHERE id = %s) ORDER BY v.id DESC",
        [entry_id],
    )
    current = next(v for v in versions if not v[4])
    header, body = current[6], bytes(current[5]).decode("utf-8", errors="replace")
    return Origin(
        line=line,
        versions=tuple(Version(v[1], as_moment(v[2]), v[3], v[0] == current[0]) for v in versions),
        original=f"{header}\n{body}" if header else _pretty(body),
        original_format="CSV row" if header else "FHIR JSON",
        same_visit=tuple(
            _line(viewing, by_id[row[1]], row) for row in _same_visit(of, rows[0][1], current[0], entry_id)
        ),
    )


def _entry_rows(of: PersonRecords, where: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    sql = (
        "SELECT e.id, e.record_id, e.at, e.precision, e.until_at, e.kind, e.title, e.detail, e.restricted, "
        f"es.received_at FROM {entries()} WHERE {where} AND e.kind <> '' "
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
        "e.record_id = %s AND e.id <> %s AND (e.version_id IN (SELECT x.version_id FROM record_indexrow x "
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


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much a deployment holds: for the command line, `/healthz` and the demo."""

    people: int
    items: int
    submissions: int
    waiting_records: int


@place_facts
def holdings() -> Holdings:
    """Counts over the whole place; `waiting_records` are people whose lines came before they did."""
    (counts,) = select(
        f"SELECT (SELECT COUNT(DISTINCT k.person_id) FROM {links()}), "
        "(SELECT COUNT(DISTINCT v.item_id) FROM record_itemversion v "
        "JOIN record_submission vs ON vs.id = v.submission_id AND vs.published_at IS NOT NULL), "
        "(SELECT COUNT(*) FROM record_submission WHERE published_at IS NOT NULL), "
        "(SELECT COUNT(DISTINCT e.record_id) FROM record_entry e "
        "JOIN record_submission es ON es.id = e.submission_id AND es.published_at IS NOT NULL "
        "WHERE NOT EXISTS (SELECT 1 FROM record_link m "
        "JOIN record_submission ms ON ms.id = m.submission_id AND ms.published_at IS NOT NULL "
        "WHERE m.record_id = e.record_id))"
    )
    return Holdings(*counts)
