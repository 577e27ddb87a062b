"""Where somebody is now, as far as hospitals have said; and who lies in which bed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import msgspec

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select, stored
from joinery.apps.base.facts import person_facts, row_facts
from joinery.apps.record.adt.words import words_of
from joinery.apps.record.facts.freshness import Freshness
from joinery.apps.record.people import Known, PersonRecords
from joinery.apps.record.sql import links, visit_states
from joinery.calc.access import may_read
from joinery.calc.adt import Fact, Place, fold

_fact = msgspec.json.Decoder(Fact).decode
# What somebody should look at, in words. The codes are those of `calc.adt.Visit`.
NOTES = {
    "admission_inferred": "The admission itself was not received; this is worked out from later messages.",
    "place_disputed": "A later update names another place.",
    "two_people": "This visit was recorded under two people. Check the name and the date of birth.",
    "event_after_discharge": "There are events after the discharge.",
}


@dataclass(frozen=True, slots=True)
class HospitalStay:
    """An open visit: where (empty when no ward was given), since when, and who said so when.

    `expected_at` is the expected discharge, which may have passed; `told_at` when the last message about
    the visit came.
    """

    source_name: str
    where: str
    since_at: datetime | None
    admitted_at: datetime
    expected_at: datetime | None
    overdue: bool
    on_leave: bool
    notes: tuple[str, ...]
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a person is now. `state` is present, withheld, none_recorded (hospitals that know the person
    have no open visit), not_received (none has spoken of them) or not_connected (no hospital sends here).

    `heard_from` are hospitals that know the person, with when they last sent anything; `late` the names
    of those that are late, `unread` those that sent something of the person that could not be read.
    """

    state: str
    stays: tuple[HospitalStay, ...] = ()
    heard_from: tuple[Freshness, ...] = ()
    late: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@person_facts
def whereabouts(viewing: Viewing, of: PersonRecords, sources: tuple[Freshness, ...]) -> Whereabouts:
    """Where the person of the viewing is, from the open visits of every hospital that sends here."""
    hospitals = [k for k in of.known if k.feed == "adt"]
    if not hospitals:
        connected = select("SELECT 1 FROM record_source WHERE feed = 'adt' LIMIT 1")
        return Whereabouts("not_received" if connected else "not_connected")
    readable = [k for k in hospitals if may_read("address" if k.restricted else "", k.organisation, viewing.decision)]
    heard = tuple(s for s in sources if s.source_id in {k.source_id for k in readable})
    late = tuple(s.source_name for s in heard if s.late)
    unread = tuple(s.source_name for s in heard if s.unread)
    stays = _stays(readable, viewing.at)
    if len(readable) < len(hospitals):
        return Whereabouts("withheld", stays, heard, late, unread)
    return Whereabouts("present" if stays else "none_recorded", stays, heard, late, unread)


def _stays(hospitals: Sequence[Known], now: datetime) -> tuple[HospitalStay, ...]:
    sql = (
        "SELECT v.record_id, v.state, v.site, v.ward, v.bed, v.since_at, v.admitted_at, v.expected_at, v.notes, "
        "(SELECT MAX(ms.received_at) FROM record_message m JOIN record_submission ms ON ms.id = m.submission_id "
        "AND ms.published_at IS NOT NULL WHERE m.visit_id = v.visit_id) "
        f"FROM {visit_states()} WHERE v.record_id IN ({marks(hospitals)}) AND v.state IN ('open', 'on_leave') "
        "ORDER BY v.admitted_at DESC, v.id DESC"
    )
    by_id = {k.record_id: k for k in hospitals}
    found = []
    for record, state, site, ward, bed, since, admitted, expected, notes, told in select(sql, list(by_id)):
        expected_at = as_moment(expected) if expected else None
        found.append(
            HospitalStay(
                source_name=by_id[record].organisation_name,
                where=words_of(Place(site, ward, bed)),
                since_at=as_moment(since) if since else None,
                admitted_at=as_moment(admitted),
                expected_at=expected_at,
                overdue=expected_at is not None and expected_at < now,
                on_leave=state == "on_leave",
                notes=tuple(NOTES[code] for code in notes.split()),
                told_at=as_moment(told),
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Bed:
    """One open visit of a hospital: who (an opaque id) is where since when."""

    person_id: str
    organisation_id: int
    site: str
    ward: str
    bed: str
    patient_class: str
    on_leave: bool
    since_at: datetime | None
    admitted_at: datetime
    expected_at: datetime | None


@row_facts
def census(organisation_id: int, at: datetime, known_at: datetime) -> Counter[Place]:
    """How many inpatients of a hospital lay in each bed or ward at a moment, by what had been received by
    `known_at`: the same for ever for one `known_at`, and corrected for a later one.

    By when things happened. Inpatients are those of class I; whoever was on leave has a bed held. It reads
    every message of the hospital, so it is for a job of the night.
    """
    sql = (
        "SELECT m.visit_id, m.said FROM record_message m JOIN record_submission s ON s.id = m.submission_id "
        "AND s.published_at IS NOT NULL AND s.received_at <= %s JOIN record_source so ON so.id = s.source_id "
        "WHERE so.organisation_id = %s AND m.visit_id IS NOT NULL ORDER BY m.visit_id"
    )
    found: Counter[Place] = Counter()
    for _, told in groupby(select(sql, [stored(known_at), organisation_id]), key=itemgetter(0)):
        visit = fold(_fact(said) for _, said in told)
        if visit.codes.get("class") == "I" and (place := visit.place_at(at)):
            found[place] += 1
    return found


@dataclass(frozen=True, slots=True)
class Misfiled:
    """A visit that stood in the record of another person (opaque ids) than it is in now: when that came
    to be on pages, and when it was put right.
    """

    hospital: str
    wrong_person_id: str
    person_id: str
    from_at: datetime
    until_at: datetime


@row_facts
def misfiled() -> tuple[Misfiled, ...]:
    """Every visit that was under a wrong patient, last put right first; for whoever answers for privacy.

    What a merge brought together is one person, and so was never wrong.
    """
    sql = (
        "SELECT v.visit_id, o.code, k.person_id, s.received_at FROM record_visitstate v "
        "JOIN record_submission s ON s.id = v.submission_id AND s.published_at IS NOT NULL "
        "JOIN record_source so ON so.id = s.source_id JOIN place_organisation o ON o.id = so.organisation_id "
        f"JOIN {links(on='k.record_id = v.record_id')} WHERE v.visit_id IN (SELECT visit_id FROM record_visitstate "
        "GROUP BY visit_id HAVING COUNT(DISTINCT record_id) > 1) ORDER BY v.visit_id, v.id"
    )
    found = []
    for _, states in groupby(select(sql), key=itemgetter(0)):
        told = [(hospital, person, as_moment(at)) for _, hospital, person, at in states]
        right = told[-1][1]
        for wrong in dict.fromkeys(person for _, person, _ in told if person != right):
            first = next(n for n, state in enumerate(told) if state[1] == wrong)
            until = next(at for _, person, at in told[first:] if person != wrong)
            found.append(Misfiled(told[0][0], wrong, right, told[first][2], until))
    return tuple(sorted(found, key=lambda each: each.until_at, reverse=True))


@row_facts
def beds(organisation_id: int | None = None) -> tuple[Bed, ...]:
    """Who is in which bed now, of one hospital or of all; for jobs that count, never for a page."""
    of = " AND so.organisation_id = %s" if organisation_id is not None else ""
    sql = (
        "SELECT k.person_id, so.organisation_id, v.site, v.ward, v.bed, v.patient_class, v.state, v.since_at, "
        f"v.admitted_at, v.expected_at FROM {visit_states()} JOIN {links(on='k.record_id = v.record_id')} "
        "JOIN record_sourcerecord r ON r.id = v.record_id JOIN record_source so ON so.id = r.source_id "
        f"WHERE v.state IN ('open', 'on_leave'){of} "
        "ORDER BY so.organisation_id, v.site, v.ward, v.bed, k.person_id"
    )
    return tuple(
        Bed(
            person, organisation, site, ward, bed, patient_class, state == "on_leave",
            as_moment(since) if since else None, as_moment(admitted), as_moment(expected) if expected else None,
        )
        for person, organisation, site, ward, bed, patient_class, state, since, admitted, expected in select(
            sql, [organisation_id] if of else []
        )
    )  # fmt: skip
