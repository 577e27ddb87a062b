"""What must be known at once: allergies, alerts, medicines, problems, and what silence about them means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select, stored
from joinery.apps.base.facts import person_facts
from joinery.apps.record.alerts import kind_of
from joinery.apps.record.banners import (
    ALERTS,
    ALLERGIES,
    ASSERTED_NONE,
    BANNERS,
    INCOMPLETE,
    MEDICINES,
    NONE_RECORDED,
    PRESENT,
    PROBLEMS,
    WITHHELD,
)
from joinery.apps.record.facts.freshness import Freshness
from joinery.apps.record.people import Known, PersonRecords
from joinery.apps.record.readable import readable, tells_place
from joinery.apps.record.sql import entries

# The feeds that are expected to speak of a section whenever they speak of a person. A GP's or a community
# service's record may hold alerts, but no table of them that could be missed.
_EXPECTED = {
    ALLERGIES: ("fhir", "mods"),
    ALERTS: ("council", "mods"),
    MEDICINES: ("fhir", "mods"),
    PROBLEMS: ("fhir", "mods"),
}
# A row in quarantine belongs to a section by the type in its key: of FHIR, then of a care provider's record.
_TYPES = {
    "AllergyIntolerance": ALLERGIES, "Flag": ALERTS, "MedicationStatement": MEDICINES,
    "MedicationRequest": MEDICINES, "Condition": PROBLEMS,
    "Allergy": ALLERGIES, "Alert": ALERTS, "Legal": ALERTS, "Safeguarding": ALERTS,
    "MedicationItem": MEDICINES, "Need": PROBLEMS, "Risk": PROBLEMS,
}  # fmt: skip
_Row = tuple[Any, ...]
_Said = list[tuple[Known, _Row]]


@dataclass(frozen=True, slots=True)
class Stated:
    """Who said something, and of which day they said it."""

    source_name: str
    stated_at: datetime
    precision: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One allergy, alert, medicine or problem, with everyone who states it, newest first.

    `note` is a word of caution that goes with its kind.
    """

    text: str
    stated: tuple[Stated, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One of the four, with what silence means here (`docs/explanation/six-kinds-of-nothing.md`).

    `state` is present, asserted_none, none_recorded, incomplete, not_received or withheld; `statements` say
    who asserted it, recorded it or, beside items, states that there is none. Whatever the state: `empty` are
    further sources that hold nothing, `incomplete` those that say that theirs is partial, `silent` those that
    should speak of it and have not, `unread` those that sent something that could not be taken, and `late`
    those from which newer word is due. What is withheld is not said, nor by whom.
    """

    heading: str
    state: str
    items: tuple[Item, ...]
    statements: tuple[Stated, ...]
    also_withheld: bool
    silent: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    empty: tuple[Stated, ...] = ()
    incomplete: tuple[Stated, ...] = ()
    late: tuple[Freshness, ...] = ()


@person_facts
def safety(viewing: Viewing, of: PersonRecords, sources: tuple[Freshness, ...] = ()) -> tuple[Section, ...]:
    """Allergies, alerts, medicines and problems. Nothing is shown as none unless a source has said so."""
    said, hidden = _said(viewing, of)
    unread = _unread(of)
    hospitals = {s.source_id for s in sources if s.unread}
    unread[ALLERGIES] += [k for k in of.known if k.feed == "adt" and k.source_id in hospitals]
    councils = [k for k in of.known if k.feed == "council"]
    found = []
    for heading in (ALLERGIES, ALERTS, MEDICINES, PROBLEMS):
        by_state = {state: said[heading, state] for state in (PRESENT, ASSERTED_NONE, NONE_RECORDED, INCOMPLETE)}
        none_recorded = _full_extracts(councils, sources) if heading == ALERTS else _stated_by(by_state[NONE_RECORDED])
        expected = [k for k in of.known if k.feed in _EXPECTED[heading] and (k.feed != "fhir" or k.sector == "health")]
        withheld = heading in hidden or bool(said[heading, WITHHELD])
        relied_on = {k.source_id for k in of.known if k.feed in {*_EXPECTED[heading], "fhir"}}
        late = tuple(s for s in sources if s.late and s.source_id in relied_on)
        found.append(_section(heading, by_state, none_recorded, expected, withheld, unread[heading], late))
    return tuple(found)


def _said(viewing: Viewing, of: PersonRecords) -> tuple[dict[tuple[str, str], _Said], set[str]]:
    """What is said by section and state, newest first; and the sections of which something may not be read."""
    sql = (
        "SELECT e.record_id, e.title, e.detail, e.banner, e.sensitivity, e.at, e.precision, es.received_at, e.item_id "
        # NOT (… = '') word for word: only then does SQLite see that the index on banners serves.
        f"FROM {entries()} WHERE e.record_id IN ({marks(of.known)}) AND NOT (e.banner = '') "
        "AND (e.until_at IS NULL OR e.until_at > %s) ORDER BY e.at DESC, e.id DESC"
    )
    by_id = {k.record_id: _unplaced(viewing, k) for k in of.known}
    said: dict[tuple[str, str], _Said] = defaultdict(list)
    hidden: set[str] = set()
    for row in select(sql, [*by_id, stored(viewing.at)]):
        known, (heading, state) = by_id[row[0]], BANNERS[row[3]]
        # A statement that there is none is withheld too: it would tell which service the person goes to.
        if readable(viewing, known, row[4], row[8], placed=False):
            words = (of.seal.masked(row[1]), of.seal.masked(row[2]))
            said[heading, state].append((known, (row[0], *words, *row[3:8])))
        else:
            hidden.add(heading)
    return said, hidden


def _unplaced(viewing: Viewing, known: Known) -> Known:
    """Without the name of a hospital that would tell where somebody is who hides it: an allergy must still show."""
    return replace(known, organisation_name="A hospital") if tells_place(viewing, known) else known


def _section(
    heading: str,
    said: dict[str, _Said],
    none_recorded: list[tuple[Known, Stated]],
    expected: Sequence[Known],
    withheld: bool,
    unread: Sequence[Known],
    late: tuple[Freshness, ...],
) -> Section:
    # Who sent something that could not be read, or says that theirs is partial, has not said that there is none.
    unsure = {k.source_id for k in unread} | {k.source_id for k, _ in said[INCOMPLETE]}
    asserted = [(k, s) for k, s in _stated_by(said[ASSERTED_NONE]) if k.source_id not in unsure or said[PRESENT]]
    named = {k.source_id for k, _ in said[PRESENT]}
    empty = [(k, s) for k, s in none_recorded if k.source_id not in unsure | named]
    spoke = unsure | named | {k.source_id for k, _ in [*asserted, *empty]}
    silent = _names([k for k in expected if k.source_id not in spoke])

    def section(state: str, statements: Sequence[tuple[Known, Stated]] = (), also: Sequence[Any] = ()) -> Section:
        return Section(
            heading, state, _items(heading, said[PRESENT]), tuple(s for _, s in statements), withheld,
            # Who is silent would tell, by what is left, who keeps something back.
            silent if state != "not_received" and not withheld else (), _names(unread), tuple(s for _, s in also),
            tuple(s for _, s in _stated_by(said[INCOMPLETE], with_title=True)), late,
        )  # fmt: skip

    if said[PRESENT]:
        # A source that says "none" beside one that names something is a conflict: both are shown.
        return section(PRESENT, asserted, () if withheld else empty)
    if withheld:
        return section(WITHHELD)
    if asserted:
        return section(ASSERTED_NONE, asserted, empty)
    if empty:
        return section(NONE_RECORDED, empty)
    return section(INCOMPLETE if said[INCOMPLETE] else "not_received")


def _names(known: Sequence[Known]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(k.organisation_name for k in known))


def _items(heading: str, rows: _Said) -> tuple[Item, ...]:
    """What is said in the same words is one item, said by several; of what one source says again, the newest."""
    stated: dict[str, dict[tuple[str, str], Stated]] = {}
    shown: dict[str, tuple[int, str, str]] = {}
    for known, row in rows:
        each, text, place, note = _stated(known, row), row[1], 0, ""
        if heading == ALERTS:
            place, kind = kind_of(row[1], row[2])
            text, note = kind.bare or text, kind.note
            each = Stated(each.source_name, each.stated_at, each.precision) if kind.bare else each
        shown.setdefault(text.casefold(), (place, text, note))
        stated.setdefault(text.casefold(), {}).setdefault((each.source_name, each.detail), each)
    in_order = sorted(shown, key=lambda key: shown[key][0])  # newest first within each kind, for sorting is stable
    return tuple(Item(shown[key][1], tuple(stated[key].values()), shown[key][2]) for key in in_order)


def _stated_by(rows: _Said, *, with_title: bool = False) -> list[tuple[Known, Stated]]:
    """The newest statement of each source."""
    newest: dict[int, tuple[Known, Stated]] = {}
    for known, row in rows:
        newest.setdefault(known.source_id, (known, _stated(known, row, with_title=with_title)))
    return list(newest.values())


def _stated(known: Known, row: _Row, *, with_title: bool = False) -> Stated:
    _, title, detail, _, _, at, precision, received_at = row
    words = ". ".join(filter(None, (title, detail))) if with_title else detail
    return Stated(known.organisation_name, as_moment(received_at if precision == "none" else at), precision, words)


def _full_extracts(councils: Sequence[Known], sources: Sequence[Freshness]) -> list[tuple[Known, Stated]]:
    """Councils that sent their whole table of alerts, and so say that they hold no more than is shown."""
    sent = {source.source_id: source.alerts_at for source in sources if source.alerts_at}
    return [(k, Stated(k.organisation_name, sent[k.source_id], "minute")) for k in councils if k.source_id in sent]


def _unread(of: PersonRecords) -> dict[str, list[Known]]:
    """Whose sections include a row that is quarantined: about this person, or perhaps about them.

    A row of an extract counts while its file is the newest of its table; anything else until a version of it
    is taken.
    """
    sources, local_ids = [k.source_id for k in of.known], [k.local_id for k in of.known]
    newest = (
        "(SELECT n.file_digest FROM record_submission n WHERE n.source_id = s.source_id AND n.part = s.part "
        "AND n.published_at IS NOT NULL AND NOT EXISTS "  # a row corrected here is not the whole table
        "(SELECT 1 FROM record_correction c WHERE c.submission_id = n.id) ORDER BY n.id DESC LIMIT 1)"
    )
    taken_since = (
        "EXISTS (SELECT 1 FROM record_item i JOIN record_itemversion v ON v.item_id = i.id "
        "JOIN record_submission vs ON vs.id = v.submission_id AND vs.published_at IS NOT NULL "
        "WHERE i.source_id = s.source_id AND i.key = q.key AND v.submission_id > q.submission_id)"
    )
    patterns = [pattern for name in _TYPES for pattern in (f"{name}/%", f"%/{name}/%")]
    of_type = " OR ".join(["q.key LIKE %s"] * len(patterns))
    sql = (
        "SELECT s.source_id, q.local_id, q.key, so.feed FROM record_quarantined q "
        "JOIN record_submission s ON s.id = q.submission_id JOIN record_source so ON so.id = s.source_id "
        f"WHERE s.published_at IS NOT NULL AND s.source_id IN ({marks(sources)}) "
        f"AND q.local_id IN ('', {marks(local_ids)}) "
        f"AND ((s.part IN ('alert', 'legal') AND s.file_digest = {newest} AND NOT EXISTS "
        "(SELECT 1 FROM record_correction d WHERE d.quarantined_id = q.id AND d.submission_id IS NOT NULL)) "
        f"OR (so.feed IN ('fhir', 'mods') AND q.local_id <> '' AND ({of_type}) AND NOT {taken_since}))"
    )
    unread: dict[str, list[Known]] = {heading: [] for heading in _EXPECTED}
    for source_id, local_id, key, feed in select(sql, [*sources, *local_ids, *patterns]):
        heading = ALERTS if feed == "council" else next((_TYPES[p] for p in key.split("/") if p in _TYPES), None)
        if heading:
            unread[heading] += [k for k in of.known if k.source_id == source_id and local_id in ("", k.local_id)]
    return unread
