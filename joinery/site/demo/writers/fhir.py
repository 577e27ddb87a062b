"""Health feeds: FHIR R4, close to UK Core. A practice sends NDJSON, a community trust transaction Bundles."""

import gzip
import json
from datetime import datetime
from typing import Any

from joinery.site.demo import names
from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import NO_EPISODE, Event, definitions
from joinery.site.demo.population import Person
from joinery.site.demo.writers import Book, Copy, Ids, Record, Window, changed, episodes

UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition"
UK_CODES = "https://fhir.hl7.org.uk/CodeSystem"
HL7_CODES = "http://terminology.hl7.org/CodeSystem"
SNOMED_CT = "http://snomed.info/sct"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
ALLERGY_LIST = "886921000000105"
PATIENTS_IN_BUNDLE = 25
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

# Labelled by the source: V very restricted, R restricted (HL7 v3 Confidentiality).
RESTRICTED_CODES = {"86406008": "V", "387005008": "V", "75544000": "R"}
ENCOUNTER_CLASSES = {
    "face_to_face": ("AMB", "ambulatory"),
    "telephone": ("VR", "virtual"),
    "home_visit": ("HH", "home health"),
    "letter": ("VR", "virtual"),
}


def resources(copies: list[Copy], book: Book, ids: Ids, window: Window) -> list[Record]:
    """Every resource the organisation holds, or those changed in the window, patient by patient."""
    records = []
    for copy in copies:
        rows = book.rows(copy.person.person, window.until)
        if rows and rows[-1].at >= window.since:
            records += _patient_file(copy, rows, book.death(copy.person.person, window.until), ids)
    return changed(records, window)


def _patient_file(copy: Copy, rows: list[Event], died_at: datetime | None, ids: Ids) -> list[Record]:
    """The Patient, then what happened, then the allergy list. A second file on a person holds only a Patient."""
    person = copy.person.person
    patient_id = ids("Patient", (person, copy.number))
    reference = {"reference": f"urn:uuid:{patient_id}" if "-" in patient_id else f"Patient/{patient_id}"}
    # A source's own copy changes when it first meets the person, when they move, and when they die.
    told_at = {row.at for row in rows if row.episode == NO_EPISODE and row.event != "died"} or {rows[0].at}
    told_at |= {died_at} if died_at else set()
    held = copy.person._replace(death_date=died_at.astimezone(LONDON).date() if died_at else None)
    label = "R" if held.restricted else ""
    patient = _patient(held, patient_id, ids.organisation)
    records = [_record(person, patient, patient_id, len(told_at), max(told_at), label)]
    if copy.number:
        return records
    for episode in episodes(rows):
        build = BUILDERS.get(episode[0].event)
        if build:
            body = build(episode, reference)
            key = ids(body["resourceType"], episode[0].episode)
            label = RESTRICTED_CODES.get(episode[0].code, "")
            records.append(_record(person, body, key, len(episode), episode[-1].at, label))
    if definitions("place")["organisations"][ids.organisation]["kind"] == "gp_practice":
        records.append(_allergy_list(person, rows, records, ids, reference))
    return records


def _record(person: int, body: dict[str, Any], local_id: str, version: int, at: datetime, label: str) -> Record:
    """Give a resource its id and meta: version, time, profile, and a confidentiality label where there is one."""
    kind = body["resourceType"]
    meta: dict[str, Any] = {
        "versionId": str(version),
        "lastUpdated": _instant(at),
        "profile": [f"{UK_CORE}/UKCore-{kind}"],
    }
    if label:
        meta["security"] = [{"system": f"{HL7_CODES}/v3-Confidentiality", "code": label}]
    return Record(person, kind, local_id, at, {"resourceType": kind, "id": local_id, "meta": meta, **body})


def _instant(at: datetime) -> str:
    """A FHIR dateTime in English local time, with its offset."""
    return at.astimezone(LONDON).isoformat()


def _day(at: datetime) -> str:
    """A FHIR date."""
    return at.astimezone(LONDON).date().isoformat()


def _coded(system: str, code: str, display: str = "") -> dict[str, Any]:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def _concept(code: str, words: str) -> dict[str, Any]:
    """A CodeableConcept: SNOMED CT when the code is an identifier, else words alone."""
    return (_coded(SNOMED_CT, code, words) if code.isdigit() else {}) | {"text": words}


def _organisation(code: str) -> dict[str, Any]:
    """A reference to an organisation by its code; no Organization is sent."""
    name = definitions("place")["organisations"][code]["name"]
    return {"identifier": {"system": ODS_CODE, "value": code}, "display": name}


def _patient(person: Person, patient_id: str, organisation: str) -> dict[str, Any]:
    """A Patient from the details as held. Whatever is not held is left out."""
    identifiers: list[dict[str, Any]] = [{"system": f"https://wexcombe.example/Id/{organisation}", "value": patient_id}]
    if person.nhs_number:
        verified = definitions("place")["organisations"][organisation]["kind"] == "gp_practice"
        code, words = ("01", "Number present and verified") if verified else ("02", "Number present but not traced")
        status = _coded(f"{UK_CODES}/UKCore-NHSNumberVerificationStatusEngland", code, words)
        identifiers.insert(
            0,
            {
                "extension": [
                    {"url": f"{UK_CORE}/Extension-UKCore-NHSNumberVerificationStatus", "valueCodeableConcept": status}
                ],
                "system": NHS_NUMBER,
                "value": person.nhs_number,
            },
        )
    name = {"use": "official", "family": person.family_name, "given": [person.given_name]}
    if person.title:
        name["prefix"] = [person.title]
    nickname = [{"use": "nickname", "given": [person.preferred_name]}] if person.preferred_name else []
    address = {"use": "home", "line": [person.address_1], "city": person.address_2}
    if person.postcode:
        address["postalCode"] = person.postcode
    ethnicity = _coded(f"{UK_CODES}/UKCore-EthnicCategoryEngland", person.ethnicity)
    body: dict[str, Any] = {
        "resourceType": "Patient",
        "extension": [{"url": f"{UK_CORE}/Extension-UKCore-EthnicCategory", "valueCodeableConcept": ethnicity}],
        "identifier": identifiers,
        "active": True,
        "name": [name, *nickname],
        "telecom": [{"system": "phone", "value": names.phone(person.person), "use": "mobile"}],
        "address": [address],
        "generalPractitioner": [_organisation(person.gp_practice)],
        "managingOrganization": _organisation(organisation),
    }
    if person.gender != "unknown":
        body["gender"] = person.gender
    if person.birth_date is not None:
        body["birthDate"] = person.birth_date.isoformat()
    if person.death_date:
        body["deceasedDateTime"] = person.death_date.isoformat()
    return body


def _condition(rows: list[Event], subject: dict) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    over = last.event == "problem_ended"
    body: dict[str, Any] = {
        "resourceType": "Condition",
        "clinicalStatus": _coded(f"{HL7_CODES}/condition-clinical", "resolved" if over else "active"),
        "verificationStatus": _coded(f"{HL7_CODES}/condition-ver-status", "confirmed"),
        "category": [_coded(f"{HL7_CODES}/condition-category", "problem-list-item", "Problem List Item")],
        "code": _concept(first.code, _problem_name(first.code)),
        "subject": subject,
        "onsetDateTime": _day(first.at),
        "recordedDate": _instant(first.at),
    }
    if over:
        body["abatementDateTime"] = _day(last.at)
    if first.value:
        body["note"] = [{"text": first.value}]
    return body


def _problem_name(code: str) -> str:
    """The words for a long-term problem, a short illness or any other code."""
    clinical = definitions("clinical")
    for problem in clinical["problems"]:
        if problem["code"] == code:
            return problem["name"]
    return clinical["episodes"][code]["name"] if code in clinical["episodes"] else clinical["terms"][code]


def _allergy(rows: list[Event], subject: dict) -> dict[str, Any]:
    first, known = rows[0], definitions("clinical")["allergies"][rows[0].code]
    active = rows[-1].event != "allergy_ended"
    name = f"Allergy to {known['name'].lower()}" if known["category"] else known["name"]
    body: dict[str, Any] = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": _coded(f"{HL7_CODES}/allergyintolerance-clinical", "active" if active else "inactive"),
        "verificationStatus": _coded(f"{HL7_CODES}/allergyintolerance-verification", "confirmed"),
        "code": _concept(first.code, name),
        "patient": subject,
        "recordedDate": _instant(first.at),
    }
    if known["category"]:
        body["category"] = [known["category"]]
    if first.value:
        body["reaction"] = [{"manifestation": [{"text": first.value}]}]
    return body


def _medication_request(rows: list[Event], subject: dict) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    stopped = last.event == "medicine_stopped"
    dose = [row.value for row in rows if row.event != "medicine_stopped"][-1]
    status = "active" if not stopped else "completed" if last.value == "Course finished" else "stopped"
    body: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"text": definitions("clinical")["medicines"][first.code]["name"]},
        "subject": subject,
        "authoredOn": _instant(first.at),
        "dosageInstruction": [{"text": dose}],
    }
    if stopped:
        body["statusReason"] = {"text": last.value}
    return body


def _encounter(rows: list[Event], subject: dict) -> dict[str, Any]:
    row, terms = rows[0], definitions("clinical")["terms"]
    code, display = ENCOUNTER_CLASSES[row.code]
    words = terms[row.code]
    if row.service != "general_practice":
        words = f"{definitions('place')['services'][row.service]['name']}: {words.lower()}"
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{HL7_CODES}/v3-ActCode", "code": code, "display": display},
        "type": [{"text": words}],
        "subject": subject,
        "period": {"start": _instant(row.at)},
        "reasonCode": [{"text": row.value}],
        "serviceProvider": _organisation(row.organisation),
    }


def _observation(rows: list[Event], subject: dict) -> dict[str, Any]:
    row, known = rows[0], definitions("clinical")["measurements"][rows[0].code]
    body: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "category": [_coded(f"{HL7_CODES}/observation-category", "vital-signs", "Vital Signs")],
        "code": _concept(row.code, known["name"]),
        "subject": subject,
        "effectiveDateTime": _instant(row.at),
    }
    if row.code == "75367002":
        parts = (("72313002", "Systolic blood pressure"), ("1091811000000102", "Diastolic blood pressure"))
        body["component"] = [
            {"code": _concept(code, words), "valueQuantity": _quantity(number, known)}
            for (code, words), number in zip(parts, row.value.split("/"), strict=True)
        ]
    elif known["ucum"]:
        body["valueQuantity"] = _quantity(row.value, known)
    else:
        body["category"] = [_coded(f"{HL7_CODES}/observation-category", "survey", "Survey")]
        body["valueInteger"] = int(row.value)
    return body


def _quantity(number: str, known: dict) -> dict[str, Any]:
    """A UCUM quantity."""
    value = float(number) if "." in number else int(number)
    return {"value": value, "unit": known["unit"], "system": "http://unitsofmeasure.org", "code": known["ucum"]}


def _immunisation(rows: list[Event], subject: dict) -> dict[str, Any]:
    row, words = rows[0], definitions("clinical")["immunisations"][rows[0].code]
    procedure = {
        "url": f"{UK_CORE}/Extension-UKCore-VaccinationProcedure",
        "valueCodeableConcept": _concept(row.code, words),
    }
    return {
        "resourceType": "Immunization",
        "extension": [procedure],
        "status": "completed",
        "vaccineCode": {"text": words},
        "patient": subject,
        "occurrenceDateTime": _instant(row.at),
        "primarySource": True,
    }


def _flag(rows: list[Event], subject: dict) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    over = last.event == "alert_ended"
    period = {"start": _instant(first.at)} | ({"end": _instant(last.at)} if over else {})
    return {
        "resourceType": "Flag",
        "status": "inactive" if over else "active",
        "code": _concept(first.code, first.value),
        "subject": subject,
        "period": period,
        "author": _organisation(first.organisation),
    }


def _service_request(rows: list[Event], subject: dict) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    status = {"referral_closed": "completed", "declined": "revoked"}.get(last.event, "active")
    service = definitions("place")["services"][first.service]["name"]
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "priority": first.code,
        "code": {"text": f"{service} referral"},
        "subject": subject,
        "authoredOn": _instant(first.at),
        "performer": [_organisation(first.organisation)],
        "reasonCode": [{"text": first.value}],
    }


BUILDERS = {
    "problem_recorded": _condition,
    "allergy_recorded": _allergy,
    "no_known_allergies": _allergy,
    "medicine_started": _medication_request,
    "contact": _encounter,
    "measured": _observation,
    "immunised": _immunisation,
    "alert_raised": _flag,
    "referred": _service_request,
}


def _allergy_list(person: int, rows: list[Event], records: list[Record], ids: Ids, subject: dict) -> Record:
    """The list a practice keeps for everyone: its entries, or the reason why it is empty."""
    allergies = [record for record in records if record.kind == "AllergyIntolerance"]
    at = max([record.updated_at for record in allergies] or [rows[0].at])
    body: dict[str, Any] = {
        "resourceType": "List",
        "status": "current",
        "mode": "snapshot",
        "code": _coded(SNOMED_CT, ALLERGY_LIST, "Allergies and adverse reactions"),
        "subject": subject,
        "date": _instant(at),
    }
    if allergies:
        body["entry"] = [{"item": {"reference": f"AllergyIntolerance/{record.local_id}"}} for record in allergies]
    else:
        body["note"] = [{"text": "Information not available"}]
        body["emptyReason"] = _coded(
            f"{UK_CODES}/UKCore-ListEmptyReasonCode", "no-content-recorded", "No Content Recorded"
        )
    return _record(person, body, ids("List", person), len(allergies) + 1, at, "")


def pack(records: list[Record], organisation: str, day: str) -> dict[str, list[Record]]:
    """Records by file: one NDJSON file for a practice; a Bundle for every 25 patients of a community trust.

    Whoever has nothing to say sends no file.
    """
    if not organisation.startswith("ZC"):
        return {f"fhir/{organisation}/{day}.ndjson.gz": records} if records else {}
    people = sorted({record.person for record in records})
    files: dict[str, list[Record]] = {}
    for number, first in enumerate(range(0, len(people), PATIENTS_IN_BUNDLE), start=1):
        chosen = set(people[first : first + PATIENTS_IN_BUNDLE])
        path = f"fhir/{organisation}/{day}-{number:02d}.json"
        files[path] = [record for record in records if record.person in chosen]
    return files


def encode(path: str, records: list[Record]) -> bytes:
    """The bytes of one file; gzip carries no time, so that the same records are the same bytes."""
    if path.endswith(".ndjson.gz"):
        lines = (body if isinstance(body := record.body, str) else _json(body) for record in records)
        return gzip.compress("".join(f"{line}\n" for line in lines).encode(), 6, mtime=0)
    entries = [
        {
            "fullUrl": f"urn:uuid:{record.local_id}",
            "resource": record.body,
            "request": {"method": "PUT", "url": f"{record.kind}/{record.local_id}"},
        }
        for record in records
    ]
    return _json({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()


def _json(body: dict[str, Any]) -> str:
    return ENCODER.encode(body)
