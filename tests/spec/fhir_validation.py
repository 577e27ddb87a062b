"""What validation says of small FHIR R4 resources, as a table: the title, the resource, then each issue
as (path, rule). No issues: the resource is valid. Read by tests/apps/record/test_validate.py.
"""

from typing import Any


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient"} | elements


def observation(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "Weight"}} | elements


def allergy(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/1"}} | elements


def condition(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "subject": {"reference": "Patient/1"}} | elements


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


ALLERGY_ACTIVE = coded("allergyintolerance-clinical", "active")
ALLERGY_IN_ERROR = coded("allergyintolerance-verification", "entered-in-error")
CONDITION_ACTIVE = coded("condition-clinical", "active")
ADDRESS = "https://example.org/thing"

Case = tuple[str, dict[str, Any], list[tuple[str, str]]]

STRUCTURE: list[Case] = [
    ("nothing but a type", patient(), []),
    ("unknown element", patient(nickname="Al"), [("Patient.nickname", "unknown-element")]),
    (
        "required element missing",
        {"resourceType": "Observation", "status": "final"},
        [("Observation.code", "required")],
    ),
    ("unknown type", {"resourceType": "Patents"}, [("Patents", "resource-type")]),
    ("no type", {"id": "1"}, [("Resource", "resource-type")]),
    ("list for one value", observation(status=["final"]), [("Observation.status", "json-type")]),
    ("one value for a list", patient(name={"family": "Ash"}), [("Patient.name", "json-type")]),
    ("number for text", patient(name=[{"family": 42}]), [("Patient.name[0].family", "json-type")]),
    ("null", patient(language=None), [("Patient.language", "null")]),
    ("empty list", patient(identifier=[]), [("Patient.identifier", "empty")]),
    ("empty object", patient(maritalStatus={}), [("Patient.maritalStatus", "empty")]),
    (
        "empty object, far down",
        observation(category=[{"coding": [{}]}]),
        [("Observation.category[0].coding[0]", "empty")],
    ),
    ("empty text", patient(name=[{"family": ""}]), [("Patient.name[0].family", "empty")]),
    (
        "two values where one is allowed",
        observation(valueString="x", valueBoolean=True),
        [("Observation.value[x]", "choice"), ("Observation.valueBoolean", "unknown-element")],
    ),
    (
        "comments of an older FHIR",
        patient(name=[{"family": "Ash", "fhir_comments": ["check"]}]),
        [("Patient.name[0].fhir_comments", "unknown-element")],
    ),
    ("U+0000 in text", patient(name=[{"text": "A\0sh"}]), [("Patient.name[0].text", "nul")]),
]

VALUES: list[Case] = [
    ("good id", patient(id="a-1.B"), []),
    ("characters no id has", patient(id="bad id!*"), [("Patient.id", "id")]),
    ("id too long", patient(id="a" * 65), [("Patient.id", "id")]),
    ("leap day", patient(birthDate="2024-02-29"), []),
    ("no leap day in 2023", patient(birthDate="2023-02-29"), [("Patient.birthDate", "date")]),
    ("30 February", patient(birthDate="1980-02-30"), [("Patient.birthDate", "date")]),
    ("31 April, with a time", observation(issued="2026-04-31T10:00:00Z"), [("Observation.issued", "date")]),
    ("year 0000", patient(birthDate="0000"), [("Patient.birthDate", "date")]),
    ("month 13", patient(birthDate="1980-13-45"), [("Patient.birthDate", "form")]),
    ("words for a date", observation(effectiveDateTime="not-a-date"), [("Observation.effectiveDateTime", "form")]),
    ("year and month", observation(effectiveDateTime="2026-03"), []),
    (
        "time without a zone",
        observation(effectiveDateTime="2020-01-01T10:00:00"),
        [("Observation.effectiveDateTime", "form")],
    ),
    (
        "a date in an extension",
        patient(extension=[{"url": ADDRESS, "valueDate": "2026-02-30"}]),
        [("Patient.extension[0].valueDate", "date")],
    ),
    (
        "a date in an extension of a primitive",
        patient(birthDate="1980", _birthDate={"extension": [{"url": ADDRESS, "valueDate": "2026-02-30"}]}),
        [("Patient._birthDate.extension[0].valueDate", "date")],
    ),
]


def told(inside: str, about: str = "") -> dict[str, Any]:
    xhtml = 'xmlns="http://www.w3.org/1999/xhtml"'
    return patient(text={"status": "generated", "div": f"<div {xhtml}{about}>{inside}</div>"})


NOT_A_NARRATIVE = [("Patient.text.div", "txt-1")]
NARRATIVES: list[Case] = [
    ("formatted", told('<p style="color:red">Ann<br/><img src="#a" alt="A"/></p>', ' xml:lang="en" class="x"'), []),
    ("nothing but a picture", told('<img src="#a"/>'), []),
    ("nothing", told(" <p/> "), [("Patient.text.div", "txt-2")]),
    ("a script", told("<script>x</script>"), NOT_A_NARRATIVE),
    ("what runs when clicked", told('<p onclick="x">Ann</p>'), NOT_A_NARRATIVE),
    ("an entity of HTML", told("Ann&nbsp;Ash"), NOT_A_NARRATIVE),
    ("HTML that is no XML", told("Ann<br>Ash"), NOT_A_NARRATIVE),
    ("no namespace", patient(text={"status": "generated", "div": "<div>Ann</div>"}), NOT_A_NARRATIVE),
    (
        "a paragraph",
        patient(text={"status": "generated", "div": told("x")["text"]["div"].replace("div", "p")}),
        NOT_A_NARRATIVE,
    ),
    (
        "entities of its own",
        patient(text={"status": "generated", "div": '<!DOCTYPE d [<!ENTITY a "x">]>' + told("&a;")["text"]["div"]}),
        NOT_A_NARRATIVE,
    ),
]

CODES: list[Case] = [
    ("unknown status", observation(status="zzz"), [("Observation.status", "code")]),
    ("unknown sex", patient(gender="M"), [("Patient.gender", "code")]),
    ("inside a data type", patient(name=[{"use": "known as"}, {"use": "usual"}]), [("Patient.name[0].use", "code")]),
    ("a concept from the set", condition(clinicalStatus=CONDITION_ACTIVE), []),
    ("a concept in words only", condition(clinicalStatus={"text": "on"}), [("Condition.clinicalStatus", "code")]),
    ("a concept of another set", condition(clinicalStatus=ALLERGY_ACTIVE), [("Condition.clinicalStatus", "code")]),
    (
        "in a contained resource",
        patient(contained=[{"resourceType": "Patient", "id": "p", "gender": "M"}]),
        [("Patient.contained[0].gender", "code")],
    ),
]

REFERENCES: list[Case] = [
    ("to a patient", observation(subject={"reference": "Patient/1"}), []),
    ("by a full address", observation(subject={"reference": "https://example.org/fhir/Patient/1/_history/2"}), []),
    ("by a UUID", observation(subject={"reference": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}), []),
    ("by an identifier", observation(subject={"identifier": {"value": "9"}, "type": "Patient"}), []),
    ("conditional", observation(subject={"reference": "Patient?identifier=9"}), []),
    (
        "to a medicine",
        observation(subject={"reference": "Medication/1"}),
        [("Observation.subject", "reference-target")],
    ),
    (
        "to a medicine, by a full address",
        observation(subject={"reference": "https://example.org/fhir/Medication/1"}),
        [("Observation.subject", "reference-target")],
    ),
    (
        "the type alone is wrong",
        observation(subject={"type": "Medication"}),
        [("Observation.subject", "reference-target")],
    ),
    (
        "type and reference disagree",
        observation(subject={"reference": "Patient/1", "type": "Group"}),
        [("Observation.subject", "reference-type")],
    ),
    ("no reference at all", observation(subject={"reference": "Mrs Ash"}), [("Observation.subject", "reference-form")]),
    ("no such id", observation(subject={"reference": "Patient/a b"}), [("Observation.subject", "reference-form")]),
    (
        "in a list",
        observation(performer=[{"reference": "Patient/1"}, {"reference": "Slot/1"}]),
        [("Observation.performer[1]", "reference-target")],
    ),
    (
        "to a contained resource",
        observation(subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}]),
        [],
    ),
    (
        "to a contained resource that is not there",
        observation(subject={"reference": "#p"}),
        [("Observation.subject", "ref-1")],
    ),
    (
        "to a contained resource of another type",
        observation(subject={"reference": "#p"}, contained=[{"resourceType": "Medication", "id": "p"}]),
        [("Observation.subject", "reference-target")],
    ),
    (
        "to a code system that is contained",
        {"resourceType": "ValueSet", "status": "active", "compose": {"include": [{"system": "#colours"}]}},
        [("ValueSet.compose.include[0].system", "canonical-url")],
    ),
    (
        "an HL7 definition of another type",
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "questionnaire": "http://hl7.org/fhir/ValueSet/languages",
        },
        [("QuestionnaireResponse.questionnaire", "canonical-target")],
    ),
]

INVARIANTS: list[Case] = [
    ("allergy with a status", allergy(clinicalStatus=ALLERGY_ACTIVE), []),
    ("allergy without a status", allergy(), [("AllergyIntolerance", "ait-1")]),
    ("allergy entered in error", allergy(verificationStatus=ALLERGY_IN_ERROR), []),
    (
        "allergy entered in error with a status",
        allergy(verificationStatus=ALLERGY_IN_ERROR, clinicalStatus=ALLERGY_ACTIVE),
        [("AllergyIntolerance", "ait-2")],
    ),
    ("ended and active", condition(clinicalStatus=CONDITION_ACTIVE, abatementString="gone"), [("Condition", "con-4")]),
    (
        "a value and a reason for none",
        observation(valueString="x", dataAbsentReason={"text": "asleep"}),
        [("Observation", "obs-6")],
    ),
    (
        "a component with the code of the whole",
        observation(code=coded("x", "1"), valueString="x", component=[{"code": coded("x", "1"), "valueString": "y"}]),
        [("Observation", "obs-7")],
    ),
    (
        "a unit without a system",
        observation(valueQuantity={"value": 1, "code": "kg"}),
        [("Observation.valueQuantity", "qty-3")],
    ),
    (
        "ends before it starts",
        observation(effectivePeriod={"start": "2026-03-02", "end": "2026-03-01"}),
        [("Observation.effectivePeriod", "per-1")],
    ),
    (
        "ends before it starts, in another zone",
        observation(effectivePeriod={"start": "2026-03-02T00:30:00Z", "end": "2026-03-02T00:45:00+01:00"}),
        [("Observation.effectivePeriod", "per-1")],
    ),
    (
        "starts after midnight in an earlier zone",
        observation(effectivePeriod={"start": "2026-03-02T00:30:00+01:00", "end": "2026-03-01T23:45:00Z"}),
        [],
    ),
    ("ends in the year it starts", observation(effectivePeriod={"start": "2026-03", "end": "2026"}), []),
    (
        "an extension with neither value nor extension",
        patient(extension=[{"url": ADDRESS}]),
        [("Patient.extension[0]", "ext-1")],
    ),
    (
        "data of another length than said",
        patient(photo=[{"contentType": "text/plain", "data": "QW5u", "size": 4}]),
        [("Patient.photo[0]", "attachment-size")],
    ),
    ("data as long as said", patient(photo=[{"contentType": "text/plain", "data": "QW5u\nQQ==", "size": 4}]), []),
    (
        "more than certain",
        {
            "resourceType": "RiskAssessment",
            "status": "final",
            "subject": {"reference": "Patient/1"},
            "prediction": [{"probabilityDecimal": 100.5}],
        },
        [("RiskAssessment.prediction[0]", "ras-2")],
    ),
    ("an organisation without a name", {"resourceType": "Organization", "active": True}, [("Organization", "org-1")]),
]


def bundle(kind: str, *entries: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)} | elements


def entry(address: str, resource_id: str = "1", **elements: Any) -> dict[str, Any]:
    return {"fullUrl": address, "resource": patient(id=resource_id)} | elements


HERE = "https://example.org/fhir/Patient/"
PUT = {"method": "PUT", "url": "Patient/1"}
UUID = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"

BUNDLES: list[Case] = [
    ("a collection", bundle("collection", entry(HERE + "1"), entry(HERE + "2", "2")), []),
    ("a transaction", bundle("transaction", entry(HERE + "1", request=PUT)), []),
    (
        "a transaction without requests",
        bundle("transaction", entry(HERE + "1")),
        [("Bundle.entry[0].request", "bdl-3")],
    ),
    ("a relative address", bundle("collection", entry("Patient/1")), [("Bundle.entry[0].fullUrl", "full-url")]),
    ("the address of another", bundle("collection", entry(HERE + "2")), [("Bundle.entry[0].fullUrl", "full-url")]),
    ("an address that names no id", bundle("collection", entry("https://example.org/ann")), []),
    (
        "two first pages",
        bundle("searchset", link=[{"relation": "first", "url": HERE}] * 2),
        [("Bundle.entry", "empty"), ("Bundle.link", "link")],
    ),
    (
        "to an entry of another type",
        bundle(
            "collection",
            entry(HERE + "1"),
            {"resource": {"resourceType": "Account", "status": "active", "owner": {"reference": HERE + "1"}}},
            {"fullUrl": UUID, "resource": {"resourceType": "Basic", "code": {"text": "x"}}},
            {"resource": observation(subject={"reference": UUID})},
        ),
        [
            ("Bundle.entry[1].resource.owner", "reference-target"),
            ("Bundle.entry[3].resource.subject", "reference-target"),
        ],
    ),
    ("half a UUID", bundle("collection", entry("urn:uuid:53fefa32")), [("Bundle.entry[0].fullUrl", "full-url")]),
    (
        "the same address twice",
        bundle("collection", entry(HERE + "1"), entry(HERE + "1")),
        [("Bundle.entry[1].fullUrl", "bdl-7")],
    ),
    ("an entry with only an address", bundle("collection", {"fullUrl": HERE + "1"}), [("Bundle.entry[0]", "bdl-5")]),
    (
        "a wrong code inside",
        bundle("collection", {"resource": patient(gender="M")}),
        [("Bundle.entry[0].resource.gender", "code")],
    ),
    ("a message without a header", bundle("message", entry(HERE + "1")), [("Bundle.entry[0]", "bdl-12")]),
    (
        "a document that lacks what it points to",
        bundle(
            "document",
            {
                "fullUrl": "https://example.org/fhir/Composition/c",
                "resource": {
                    "resourceType": "Composition",
                    "id": "c",
                    "status": "final",
                    "type": {"text": "Summary"},
                    "subject": {"reference": "Patient/1"},
                    "date": "2026-03-03",
                    "author": [{"reference": "Patient/2"}],
                    "title": "Summary",
                },
            },
            entry(HERE + "1"),
            identifier={"system": "https://example.org", "value": "1"},
            timestamp="2026-03-03T14:30:00Z",
        ),
        [("Bundle.entry[0].resource", "document-reference")],
    ),
]

TABLES = {
    "structure": STRUCTURE,
    "values": VALUES,
    "narratives": NARRATIVES,
    "codes": CODES,
    "references": REFERENCES,
    "invariants": INVARIANTS,
    "bundles": BUNDLES,
}
