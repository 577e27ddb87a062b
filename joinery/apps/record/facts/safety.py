"""What must be known at once: allergies and alerts, and what silence about them means."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select, stored
from joinery.apps.base.facts import person_facts
from joinery.apps.record.people import Known, PersonRecords
from joinery.apps.record.sql import entries
from joinery.calc.access import may_read


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
