"""Allergies, alerts, medicines and problems: what each source says is kept apart, and silence is never "none"."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.record import facts
from joinery.calc.access import Post
from tests.apps.record import adt_sending as adt
from tests.apps.record import sending
from tests.apps.record.sending import AT, COMMUNITY, COUNCIL, GP, Resource, patient, person_row, send

pytestmark = pytest.mark.django_db
NUMBER = sending.nhs_number(1)
ANN = {"number": NUMBER, "family": "Ash", "given": "Ann", "born": "1941-03-03"}
CLINICAL = "http://terminology.hl7.org/CodeSystem/{}-clinical"
EMPTY = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
WARNING = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-ListWarningCode-1"
LISTS = {"Allergies": "886921000000105", "Medicines": "933361000000108", "Problems": "717711000000103"}
HEADINGS = ("Allergies", "Alerts", "Medicines", "Problems")


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def coded(text: str, code: str = "", system: str = "http://snomed.info/sct") -> Resource:
    return {"text": text} | ({"coding": [{"system": system, "code": code}]} if code else {})


def active(of: str, state: str = "active") -> Resource:
    return {"coding": [{"system": CLINICAL.format(of), "code": state}]}


def made(kind: str, local: str, restricted: bool = False, **said: Any) -> Resource:
    whose = "patient" if kind == "AllergyIntolerance" else "subject"
    about = {"resourceType": kind, "id": local, whose: {"reference": "Patient/1"}}
    return about | ({"meta": {"security": [{"code": "R"}]}} if restricted else {}) | said


def allergy(text: str, code: str = "", state: str = "active", local: str = "a1", **said: Any) -> Resource:
    clinical = active("allergyintolerance", state)
    return made("AllergyIntolerance", local, clinicalStatus=clinical, code=coded(text, code), **said)


def problem(text: str, state: str = "active", local: str = "c1", **said: Any) -> Resource:
    return made("Condition", local, clinicalStatus=active("condition", state), code=coded(text), **said)


def medicine(text: str, status: str = "active", local: str = "m1", dose: str = "", **said: Any) -> Resource:
    dosage = {"dosage": [{"text": dose}]} if dose else {}
    given = {"status": status, "medicationCodeableConcept": coded(text)}
    return made("MedicationStatement", local, **given, **dosage, **said)


def asked_for(text: str, status: str = "active", **said: Any) -> Resource:
    given = {"status": status, "intent": "order", "medicationCodeableConcept": coded(text)}
    return made("MedicationRequest", "r1", **given | said)


def listed(heading: str, reason: str = "", warning: str = "", restricted: bool = False) -> Resource:
    said: Resource = {"status": "current", "mode": "snapshot", "code": coded(heading, LISTS[heading])}
    if reason:
        said["emptyReason"] = coded(reason, reason, EMPTY)
    if warning:
        said["extension"] = [{"url": WARNING, "valueCode": warning}]
    return made("List", f"list-{heading}", restricted, **said)


def flag(text: str, local: str = "f1") -> Resource:
    return made("Flag", local, status="active", code=coded(text))


def sections(record: str = f"{GP} Patient/1", *posts: Post, late: bool = False) -> dict[str, Any]:
    viewing, records = sending.opened(sending.person_of(record), *posts)
    sources = facts.freshness(viewing, records) if late else ()
    return {each.heading: each for each in facts.safety(viewing, records, sources)}


def gp_sends(folder: Path, *resources: Resource) -> None:
    taken = send(folder, sending.ndjson([patient("1", **ANN), *resources]))
    assert taken.quarantined == 0, taken.reasons


# What a practice sent -> the section that it is about, its state, and what stands in it.
SAID: list[tuple[Resource, str, str, tuple[str, ...]]] = [
    (allergy("Latex"), "Allergies", "present", ("Latex",)),
    (allergy("Latex", state="resolved"), "Allergies", "not_received", ()),
    (allergy("No known allergy", "716186003"), "Allergies", "asserted_none", ()),
    (allergy("No known drug allergy", "409137002"), "Allergies", "incomplete", ()),
    (allergy("No known food allergy", "429625007"), "Allergies", "incomplete", ()),
    (listed("Allergies", "no-content-recorded"), "Allergies", "none_recorded", ()),
    (listed("Allergies", "notasked"), "Allergies", "not_received", ()),
    (listed("Allergies", "unavailable"), "Allergies", "not_received", ()),
    (listed("Allergies", "withheld"), "Allergies", "withheld", ()),
    # An empty list that holds only confidential items has both: withheld wins.
    (listed("Allergies", "no-content-recorded", "confidential-items"), "Allergies", "withheld", ()),
    (listed("Allergies", "no-content-recorded", "data-in-transit"), "Allergies", "incomplete", ()),
    (listed("Medicines", "no-content-recorded"), "Medicines", "none_recorded", ()),
    (listed("Problems", "no-content-recorded"), "Problems", "none_recorded", ()),
    (listed("Problems", "", "data-awaiting-filing"), "Problems", "incomplete", ()),
    (listed("Medicines", ""), "Medicines", "not_received", ()),
    (problem("Gout"), "Problems", "present", ("Gout",)),
    (problem("Gout", "relapse"), "Problems", "present", ("Gout",)),
    (problem("Gout", "resolved"), "Problems", "not_received", ()),
    (problem("Gout", "inactive"), "Problems", "not_received", ()),
    (medicine("Warfarin"), "Medicines", "present", ("Warfarin",)),
    (medicine("Warfarin", "on-hold"), "Medicines", "present", ("Warfarin",)),
    (medicine("Warfarin", "stopped"), "Medicines", "not_received", ()),
    (medicine("Warfarin", "completed"), "Medicines", "not_received", ()),
    (medicine("Warfarin", effectivePeriod={"end": "2026-03-30"}), "Medicines", "not_received", ()),
    (medicine("Warfarin", effectivePeriod={"end": "2026-03-31"}), "Medicines", "present", ("Warfarin",)),
    (asked_for("Aspirin"), "Medicines", "present", ("Aspirin",)),
    (asked_for("Aspirin", intent="proposal"), "Medicines", "not_received", ()),
    (asked_for("Aspirin", doNotPerform=True), "Medicines", "not_received", ()),
    (asked_for("Aspirin", status="cancelled"), "Medicines", "not_received", ()),
    (flag("Visit in pairs"), "Alerts", "present", ("Visit in pairs",)),
]


@pytest.mark.parametrize(("sent", "heading", "state", "items"), SAID)
def test_what_a_source_says_of_a_section(
    sent: Resource, heading: str, state: str, items: tuple[str, ...], tmp_path: Path
) -> None:
    gp_sends(tmp_path, sent)
    found = sections()
    assert (found[heading].state, tuple(item.text for item in found[heading].items)) == (state, items)
    # And it says nothing of the others.
    assert {found[other].state for other in HEADINGS if other != heading} == {"not_received"}


def test_an_empty_query_is_never_none(tmp_path: Path) -> None:
    """The red test: known to all, and nobody has said a word of any section."""
    gp_sends(tmp_path)
    send(tmp_path, sending.ndjson([patient("x", **ANN)]), COMMUNITY)
    send(tmp_path, sending.extract("person", [person_row("7", NUMBER)]), COUNCIL)
    for section in sections().values():
        assert (section.state, section.statements, section.empty) == ("not_received", (), ())


# What the practice may send of allergies at once, by the state that it gives on its own.
PARTS = {
    "present": allergy("Latex", local="a1"),
    "asserted_none": allergy("No known allergy", "716186003", local="a2"),
    "none_recorded": listed("Allergies", "no-content-recorded") | {"id": "l1"},
    "incomplete": listed("Allergies", "", "data-in-transit") | {"id": "l2"},
    "withheld": listed("Allergies", "", "confidential-items") | {"id": "l3"},
}


def expected(parts: frozenset[str]) -> tuple[str, bool]:
    """What goes before what, of one source; items show beside what is withheld or partial."""
    order = ("present", "withheld", "incomplete", "asserted_none", "none_recorded")
    return next((state for state in order if state in parts), "not_received"), "withheld" in parts


@pytest.mark.parametrize(
    "parts",
    [frozenset(c) for n in range(6) for c in itertools.combinations(PARTS, n)],
    ids=lambda p: "+".join(sorted(p)),
)
def test_of_several_things_that_one_source_says_the_most_careful_counts(parts: frozenset[str], tmp_path: Path) -> None:
    gp_sends(tmp_path, *(PARTS[each] for each in sorted(parts)))
    found = sections()["Allergies"]
    assert (found.state, found.also_withheld) == expected(parts)
    assert [item.text for item in found.items] == (["Latex"] if "present" in parts else [])
    assert bool(found.incomplete) == ("incomplete" in parts)
    # A conflict shows both (F21): none known, and a latex allergy.
    assert bool(found.statements) == (
        found.state in ("asserted_none", "none_recorded") or parts >= {"present", "asserted_none"}
    )


def test_each_source_is_told_apart(tmp_path: Path) -> None:
    gp_sends(tmp_path, medicine("Warfarin"))
    send(tmp_path, sending.ndjson([patient("1", **ANN), listed("Medicines", "no-content-recorded")]), COMMUNITY)
    found = sections()
    assert [s.source_name for s in found["Medicines"].empty] == [COMMUNITY]
    assert found["Medicines"].silent == ()
    gp_sends(tmp_path, problem("Gout"))
    assert sections()["Problems"].silent == (COMMUNITY,)


def test_who_keeps_something_back_cannot_be_told_from_who_is_silent(tmp_path: Path) -> None:
    gp_sends(tmp_path, medicine("Warfarin"))
    secret = made("MedicationStatement", "m9", True, status="active", medicationCodeableConcept=coded("Methadone"))
    send(tmp_path, sending.ndjson([patient("1", **ANN), secret]), COMMUNITY)
    medicines = sections(f"{GP} Patient/1", Post("gp", GP))["Medicines"]
    assert (medicines.state, medicines.also_withheld, medicines.silent) == ("present", True, ())
    assert "Methadone" not in repr(medicines)
    assert COMMUNITY not in repr(medicines)


def test_one_medicine_in_two_doses_shows_both_and_the_same_dose_again_shows_once(tmp_path: Path) -> None:
    gp_sends(tmp_path, *(medicine("Warfarin", local=f"m{n}", dose="3 mg") for n in range(3)))
    send(tmp_path, sending.ndjson([patient("1", **ANN), medicine("warfarin", dose="5 mg")]), COMMUNITY)
    (warfarin,) = sections()["Medicines"].items
    assert sorted((s.source_name, s.detail) for s in warfarin.stated) == [(GP, "3 mg"), (COMMUNITY, "5 mg")]


def test_a_problem_that_is_not_certain_says_so(tmp_path: Path) -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    gp_sends(tmp_path, problem("Gout", verificationStatus={"coding": [{"system": system, "code": "provisional"}]}))
    assert sections()["Problems"].items[0].stated[0].detail == "Provisional"


# -- alerts -----------------------------------------------------------------------------------------

# What was sent -> what stands there, and a part of the word of caution that goes with it.
ALERTS = {
    "DNACPR decision made in hospital": ("DNACPR decision made in hospital", "not the order"),
    "ReSPECT form in the hall": ("ReSPECT form in the hall", "not the order"),
    "Treat with respect": ("Treat with respect", ""),
    "Advance decision to refuse treatment": ("Advance decision to refuse treatment", "not the document"),
    "LPA for health and welfare: Jo Ash": ("LPA for health and welfare: Jo Ash", "registered document"),
    "LPA for property: Jo Ash": ("LPA for property: Jo Ash", "not for decisions about health"),
    "Attorney: Jo Ash": ("Attorney: Jo Ash", "not said whether this covers health"),
    "Appointee: Jo Ash": ("Appointee: Jo Ash", "not for decisions about health"),
    "Safeguarding: hit by her nephew": ("Safeguarding", "Details are not shown"),
    "DoLS authorised": ("DoLS authorised", "dates and conditions"),
    "Large dog": ("Large dog", ""),
}


@pytest.mark.parametrize("sent", ALERTS)
def test_an_alert_stands_with_its_word_of_caution(sent: str, tmp_path: Path) -> None:
    text, caution = ALERTS[sent]
    gp_sends(tmp_path, flag(sent))
    (item,) = sections()["Alerts"].items
    assert item.text == text
    assert (caution in item.note) if caution else item.note == ""


def test_nothing_of_what_was_said_in_a_safeguarding_alert_stands_among_the_alerts(tmp_path: Path) -> None:
    gp_sends(tmp_path, flag("Safeguarding: hit by her nephew") | {"category": [coded("Nephew")]})
    assert "ephew" not in repr(sections()["Alerts"])


def test_the_story_of_a_safeguarding_alert_stays_with_who_recorded_it(tmp_path: Path) -> None:
    gp_sends(tmp_path, flag("Safeguarding: hit by her nephew") | {"category": [coded("Nephew")]})
    send(tmp_path, sending.ndjson([patient("1", **ANN)]), COMMUNITY)
    seen: dict[str, str] = {}
    for role, organisation in (("gp", GP), ("community_nurse", COMMUNITY)):
        viewing, records = sending.opened(sending.person_of(f"{GP} Patient/1"), Post(role, organisation))
        (line,) = (x for x in facts.timeline_page(viewing, records).lines if x.kind_text == "Alert")
        seen[role] = repr((line, facts.origin(viewing, records, line.entry_id)))
    assert "hit by her nephew" in seen["gp"]
    assert "ephew" not in seen["community_nurse"] and "Safeguarding" in seen["community_nurse"]


def test_what_decides_treatment_stands_first_and_property_last(tmp_path: Path) -> None:
    texts = ["LPA for property", "Large dog", "Visit in pairs", "Safeguarding", "LPA for health", "DNACPR in place"]
    gp_sends(tmp_path, *(flag(text, f"f{n}") for n, text in enumerate(texts)))
    assert [item.text for item in sections()["Alerts"].items] == [
        "DNACPR in place", "LPA for health", "Safeguarding", "Visit in pairs", "Large dog", "LPA for property",
    ]  # fmt: skip


LEGAL = {
    "an attorney for health": ({"kind": "LPA", "authority": "Health and welfare"}, "registered document"),
    "an attorney for property": (
        {"kind": "LPA", "authority": "Property and affairs"},
        "not for decisions about health",
    ),
    "an attorney, not said for what": ({"kind": "LPA", "status": "registered"}, "not said whether this covers health"),
    "an appointee": ({"kind": "appointee"}, "not for decisions about health"),
    "DoLS": (
        {"kind": "DoLS", "status": "authorised", "from": "2026-01-05", "to": "2026-12-31"},
        "dates and conditions",
    ),
    "DoLS that has expired": ({"kind": "DoLS", "status": "authorised", "to": "2026-03-30"}, None),
    "DoLS that was refused": ({"kind": "DoLS", "status": "Refused"}, None),
}


@pytest.mark.parametrize("what", LEGAL)
def test_what_a_council_says_of_the_law_stands_among_the_alerts_while_it_is_in_force(what: str, tmp_path: Path) -> None:
    said, caution = LEGAL[what]
    send(tmp_path, sending.extract("person", [person_row("7", NUMBER)]), COUNCIL)
    send(tmp_path, sending.extract("legal", [{"legal_id": "l1", "person_id": "7"} | said]), COUNCIL, "legal.csv")
    items = sections(f"{COUNCIL} person/7")["Alerts"].items
    assert [caution in item.note for item in items] == ([] if caution is None else [True])


# -- freshness --------------------------------------------------------------------------------------


def test_a_source_that_is_late_says_so_in_each_section_that_depends_on_it(tmp_path: Path) -> None:
    send(
        tmp_path,
        sending.ndjson([patient("1", **ANN), allergy("No known allergy", "716186003")]),
        at=AT - timedelta(hours=37),
    )
    row = person_row("7", NUMBER)
    send(tmp_path, sending.extract("person", [row]), COUNCIL, at=AT - timedelta(hours=35))
    found = sections(late=True)
    for heading in HEADINGS:
        assert [(s.source_name, s.cadence) for s in found[heading].late] == [(GP, "daily")]
    # What it last said stands, with its date; lateness is not told as news that nothing happened.
    assert found["Allergies"].state == "asserted_none"


def test_updates_do_not_make_a_hospital_fresh_whose_admissions_are_stuck(tmp_path: Path) -> None:
    """Trap 12: mass updates go out at night."""
    adt.register()
    began = AT - timedelta(hours=6)
    adt.send(tmp_path, adt.STORY[0], at=began)
    adt.send(tmp_path, adt.STORY[2], at=AT)
    viewing, records = sending.opened(sending.person_of(f"{adt.HOSPITAL} RZZPAS/H4001001"), adt.POST)
    (hospital,) = facts.freshness(viewing, records)
    assert (hospital.last_received_at, hospital.late) == (began, True)
    adt.send(tmp_path, adt.STORY[1], at=AT)
    (hospital,) = facts.freshness(viewing, records)
    assert (hospital.last_received_at, hospital.late) == (AT, False)
