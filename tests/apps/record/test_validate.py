"""Validation of FHIR R4: a table of small cases, random input, and the real input we did not write."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.record.fhir.checks import ALONE
from joinery.apps.record.fhir.files import entries_of
from joinery.apps.record.fhir.invariants import INVARIANTS
from joinery.apps.record.fhir.rules import TABLE, rules
from joinery.apps.record.fhir.validate import Issue, validate, walk
from tests.spec.fhir_validation import TABLES

Resource = dict[str, Any]
CASES = [pytest.param(*case, id=f"{name}: {case[0]}") for name, table in TABLES.items() for case in table]
RESOURCES = [resource for table in TABLES.values() for _, resource, _ in table]


@pytest.mark.parametrize(("title", "resource", "expected"), CASES)
def test_table(title: str, resource: Resource, expected: list[tuple[str, str]]) -> None:
    parsed, issues = validate(orjson.dumps(resource))
    assert parsed == resource
    assert [(each.path, each.rule) for each in issues] == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"Patient"',
        b"\xff",
        b'{"resourceType": "Patient"} and more',
        b'\xef\xbb\xbf{"resourceType": "Patient"}',
        b'{"resourceType": "Patient", "id": "\\ud800"}',
        b'{"resourceType": "Patient", "multipleBirthInteger": NaN}',
        b'{"resourceType": "Patient", "multipleBirthInteger": 1e400}',
        b'{"resourceType": "Patient", "extension": ' + b'[{"extension":' * 5_000,
        b"[" * 100_000,
    ],
)
def test_not_an_object(body: bytes) -> None:
    parsed, issues = validate(body)
    assert parsed is None
    assert len(issues) == 1


def test_a_key_given_twice() -> None:
    _, issues = validate(b'{"resourceType": "Patient", "gender": "male", "gender": "female"}')
    assert ("Patient.gender", "duplicate-key") in [(each.path, each.rule) for each in issues]


def test_an_issue_is_short_and_its_message_holds_no_value() -> None:
    _, (found,) = validate(orjson.dumps({"resourceType": "Patient", "gender": "Ash" * 50_000}))
    assert len(found.value) == 80
    assert found == Issue("Patient.gender", "code", found.value, found.message)
    assert "Ash" not in found.message
    assert "male" in found.message


def test_very_many_issues_are_cut() -> None:
    _, issues = validate(orjson.dumps({"resourceType": "Patient", "name": [{"use": "x", "family": ""}] * 10_000}))
    assert len(issues) == 100


def test_every_rule_of_the_table_is_known() -> None:
    table = orjson.loads(TABLE.read_bytes())
    plain = {"date", "dateTime", "instant", "id", "url", "code", "canonical", "xhtml"}
    for elements in table["types"].values():
        for rule in elements.values():
            name, *words = rule.split()
            assert name in plain or name in table["types"]
            if name == "code":
                assert words[0] in table["codes"]
    assert INVARIANTS.keys() <= table["types"].keys()
    assert len(table["resources"].split()) == 146


# Random input: whatever comes, an answer comes back.

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["Patient/1", "#p"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def mangled(draw: st.DrawFn) -> Resource:
    """A resource of the table with values anywhere in it replaced, moved or taken out."""
    resource: Resource = json.loads(json.dumps(draw(st.sampled_from(RESOURCES))))
    for _ in range(draw(st.integers(1, 4))):
        here: Any = resource
        while True:
            key = draw(st.sampled_from(list(here) if isinstance(here, dict) else range(len(here))))
            below = here[key]
            if not (isinstance(below, dict | list) and below and draw(st.booleans())):
                break
            here = below
        if draw(st.booleans()) or not isinstance(here, dict) or len(here) == 1:
            here[key] = draw(ANY_JSON)
        else:
            here[draw(st.sampled_from(["extension", "_status", "reference", "", "coding", "start"]))] = here.pop(key)
    return resource


def answers(body: bytes) -> None:
    parsed, issues = validate(body)
    assert parsed is not None or issues
    assert all(isinstance(each, Issue) and each.message and len(each.value) <= 80 for each in issues)


@settings(deadline=None)
@given(st.binary(max_size=200) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_never_raises_on_anything(body: bytes) -> None:
    answers(body)


@settings(deadline=None, max_examples=300)
@given(mangled())
def test_never_raises_on_something_like_a_resource(resource: Resource) -> None:
    answers(json.dumps(resource).encode())
    answers(json.dumps(resource, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=300)
@given(mangled())
def test_the_brief_walk_finds_what_the_whole_walk_finds(resource: Resource) -> None:
    body = json.dumps(resource)
    if 'xtension"' in body or "{}" in body:
        return
    brief: list[Any] = []
    whole: list[Any] = []
    walk(resource, rules().brief, None, None, ALONE, brief)
    walk(resource, rules().whole, rules().element, None, ALONE, whole)
    assert brief == whole


# Real input, read where it lies.


class Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class Bundle(msgspec.Struct):
    entry: list[Entry]


def synthea(shared: Path, bundles: int | None = None) -> Iterator[bytes]:
    for path in sorted((shared / "synthea").glob("*.json.gz"))[:bundles]:
        for entry in msgspec.json.decode(gzip.decompress(path.read_bytes()), type=Bundle).entry:
            yield bytes(entry.resource)


def test_every_synthea_resource_passes(shared: Path) -> None:
    count = 0
    for body in synthea(shared):
        parsed, issues = validate(body)
        assert parsed is not None
        assert issues == (), f"{parsed['resourceType']}/{parsed['id']}"
        count += 1
    assert count == 24_001


def change(resource: Resource, **elements: Any) -> Resource:
    return resource | elements


STATUS_TYPES = {
    "CarePlan",
    "Claim",
    "DiagnosticReport",
    "Encounter",
    "Immunization",
    "MedicationRequest",
    "Observation",
    "Procedure",
}

# Kinds of mutation: what it is done to, and what is done.
MUTATIONS: dict[str, tuple[set[str] | None, Callable[[Resource], Resource]]] = {
    "unknown field": (None, lambda r: change(r, notAField=1)),
    "bad id characters": (None, lambda r: change(r, id="bad id!*")),
    "required status dropped": (STATUS_TYPES, lambda r: {k: v for k, v in r.items() if k != "status"}),
    "bad status code": (STATUS_TYPES, lambda r: change(r, status="zzz")),
    "impossible date": ({"Patient"}, lambda r: change(r, birthDate="1980-02-30")),
    "two value[x]": (
        {"Observation"},
        lambda r: change(r, valueString="x", valueBoolean=True),
    ),
    "array for scalar": (STATUS_TYPES, lambda r: change(r, status=[r["status"]])),
    "empty array": (None, lambda r: change(r, identifier=[])),
    "null": (None, lambda r: change(r, language=None)),
    "wrong reference target type": (
        {"Observation", "Procedure"},
        lambda r: change(r, subject={"reference": "Medication/1"}),
    ),
    "dateTime without zone": ({"Observation"}, lambda r: change(r, effectiveDateTime="2020-01-01T10:00:00")),
    "integer for string": ({"Patient"}, lambda r: change(r, name=[change(r["name"][0], family=42)])),
    "unknown resourceType": (None, lambda r: change(r, resourceType="Patents")),
    "malformed birthDate": ({"Patient"}, lambda r: change(r, birthDate="1980-13-45")),
    "malformed effectiveDateTime": ({"Observation"}, lambda r: change(r, effectiveDateTime="not-a-date")),
    "scalar for array": ({"Patient"}, lambda r: change(r, name=r["name"][0])),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_caught(shared: Path, name: str) -> None:
    types, mutate = MUTATIONS[name]
    resources = [orjson.loads(body) for body in synthea(shared, bundles=10)]
    chosen = [each for each in resources if types is None or each["resourceType"] in types]
    assert len(chosen) >= 10
    assert all(validate(orjson.dumps(mutate(each)))[1] for each in chosen)


def test_hl7_validator_cases(shared: Path) -> None:
    """Of HL7's cases with errors fhirkit alone catches 16 of 46; its one false alarm is ours too: that
    case has comments in its JSON, which Java's parser takes and JSON does not."""
    with gzip.open(shared / "fhir-cases" / "r4-validator-cases.jsonl.gz") as lines:
        cases = [orjson.loads(line) for line in lines]
    flagged = [case for case in cases if validate(case["body"].encode())[1]]
    assert sum(case["expect_error"] for case in cases) == 46
    assert sum(case["expect_error"] for case in flagged) >= 32
    assert [case["name"] for case in flagged if not case["expect_error"]] == ["json-comments-2-yes"]


def test_nhs_referral_examples(shared: Path) -> None:
    """Of the NHS's own 86 examples these are not valid R4; fhirkit alone finds 9 of them."""
    folder = shared / "bars" / "examples"
    found = {}
    for path in sorted(folder.rglob("*.json")):
        issues = validate(path.read_bytes())[1]
        if issues:
            found[path.relative_to(folder).as_posix()] = {each.rule for each in issues}
    assert found == {
        "OperationOutcome/REC/500-REC_SERVER_ERROR-too costly.json": {"code"},
        "_status.json": {"resource-type"},
        "appointment/PATCH-body.json": {"required", "app-3"},
        "document_reference/GET-success-empty.json": {"empty"},
        "invalid-base64.json": {"code"},
        "message_definition/MessageDefinition_ServiceRequest-request_CaseTransfer.json": {"json-type", "required"},
        "process_message/POST-success.json": {"required", "unknown-element", "reference-form", "id"},
        "process_message/response/Booking (HTTP Response) .json": {
            "required",
            "unknown-element",
            "reference-form",
            "id",
        },
        "process_message/response/ValidationRequest (HTTP Response) .json": {"reference-form"},
        "service_request/GET-success.json": {"unknown-element", "bdl-5"},
        "service_request/POST-success.json": {"json-type", "unknown-element", "reference-form"},
        "service_request/id/GET-success.json": {"json-type", "unknown-element", "reference-form"},
        "unavailable.json": {"code"},
    }


def test_a_bundle_walked_by_its_entries_shows_what_a_walk_of_the_whole_shows(shared: Path) -> None:
    """The bytes of each entry only save work: a caller who has them hears the same."""
    cases = [b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Basic","code":{}}}]}']
    cases += [path.read_bytes() for path in (shared / "bars" / "examples").rglob("*.json")]
    with gzip.open(shared / "fhir-cases" / "r4-validator-cases.jsonl.gz") as lines:
        cases += [orjson.loads(line)["body"].encode() for line in lines]
    by_entry = [(body, [bytes(entry.resource) for entry in entries_of(body)]) for body in cases]
    bundles = [(body, parts) for body, parts in by_entry if parts]
    assert len(bundles) > 20
    for body, parts in bundles:
        assert set(validate(body, parts)[1]) == set(validate(body)[1])
