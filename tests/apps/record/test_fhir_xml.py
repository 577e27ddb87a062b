"""FHIR in XML: it becomes the JSON that FHIR says it is, what came is what is kept, and nothing in it does harm."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.base.tables import UnreadableFile
from joinery.apps.record import facts
from joinery.apps.record.actions import correct
from joinery.apps.record.ethnicity import group_said
from joinery.apps.record.fhir import files
from joinery.apps.record.fhir.lines import line_of
from joinery.apps.record.fhir.xml import BadXml, as_json, read_xml
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, ends, send

XHTML = "http://www.w3.org/1999/xhtml"
DIV = f'<div xmlns="{XHTML}"><p>Ann &amp; <b>Ben</b><br/></p></div>'
PAIN = '<extension url="https://example.org/pain"><valueDecimal value="1.10"/></extension>'


def fhir(inside: str, kind: str = "Patient", more: str = "") -> bytes:
    return f'<{kind} xmlns="http://hl7.org/fhir"{more}>{inside}</{kind}>'.encode()


# XML inside a Patient, and the JSON that FHIR says it is.
MEANS: dict[str, tuple[str, dict[str, Any]]] = {
    "a list of one, in a list of one": ('<name><given value="Ann"/></name>', {"name": [{"given": ["Ann"]}]}),
    "a list that is not together": (
        '<name><family value="A"/></name><active value="true"/><name><family value="B"/></name>',
        {"name": [{"family": "A"}, {"family": "B"}], "active": True},
    ),
    "booleans and numbers": (
        '<active value="false"/><multipleBirthInteger value="2"/>',
        {"active": False, "multipleBirthInteger": 2},
    ),
    "text that looks like a number": ('<birthDate value="1941"/><id value="1"/>', {"birthDate": "1941", "id": "1"}),
    "text where a number is expected": ('<multipleBirthInteger value="02"/>', {"multipleBirthInteger": "02"}),
    "an id and an extension of a value": (
        f'<birthDate id="b" value="1941">{PAIN}</birthDate>',
        {
            "birthDate": "1941",
            "_birthDate": {"id": "b", "extension": [{"url": "https://example.org/pain", "valueDecimal": 1.10}]},
        },
    ),
    "an extension in place of a value, in a list": (
        f'<name id="n"><given value="Ann"/><given>{PAIN}</given></name>',
        {
            "name": [
                {
                    "id": "n",
                    "given": ["Ann", None],
                    "_given": [None, {"extension": [{"url": "https://example.org/pain", "valueDecimal": 1.10}]}],
                }
            ]
        },
    ),
    "resources inside": (
        '<contained><Organization><id value="o"/></Organization></contained>',
        {"contained": [{"resourceType": "Organization", "id": "o"}]},
    ),
    "a narrative": (f'<text><status value="additional"/>{DIV}</text>', {"text": {"status": "additional", "div": DIV}}),
    "comments and instructions": ('<!-- a --><?b c?>\n<active value="true"/>', {"active": True}),
    "characters by number": ('<id value="&#x41;&#10;&quot;"/>', {"id": 'A\n"'}),
    # What the validator then objects to.
    "a second value": ('<gender value="male"/><gender value="female"/>', {"gender": ["male", "female"]}),
    "what FHIR does not know": ('<pet age="3"><name value="Rex"/></pet>', {"pet": {"@age": "3", "name": "Rex"}}),
    "nothing": ("<birthDate/><name/>", {"birthDate": "", "name": [{}]}),
}


@pytest.mark.parametrize("title", MEANS)
def test_xml_means_this_json(title: str) -> None:
    inside, said = MEANS[title]
    assert json.loads(read_xml(fhir(inside)).body) == {"resourceType": "Patient"} | said


def test_a_number_keeps_its_digits_and_a_prefix_changes_nothing() -> None:
    weight = '<valueQuantity><value value="72.50"/></valueQuantity>'
    assert b'"value":72.50}' in read_xml(fhir(weight, "Observation")).body
    prefixed = fhir(weight.replace("<v", "<f:v").replace("</v", "</f:v"), "f:Observation").replace(b"xmlns", b"xmlns:f")
    assert read_xml(prefixed) == read_xml(fhir(weight, "Observation"))
    assert read_xml(
        fhir("", more=' xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="a b"')
    ).body == (b'{"resourceType":"Patient"}')


# -- compared with slow and obvious versions ------------------------------------------------------


def written(name: str, value: Any, beside: Any = None) -> str:
    """FHIR JSON as XML, by someone who knows nothing of the definitions."""
    if isinstance(value, list) or isinstance(beside, list):
        besides = beside or [None] * len(value)
        return "".join(written(name, *each) for each in zip(value or [None] * len(besides), besides, strict=True))
    if name == "div":
        return str(value)
    members = dict(value if isinstance(value, dict) else beside or {})
    kind = members.pop("resourceType", "")
    attributes = "" if isinstance(value, dict) or value is None else f" value={quoteattr(value)}"
    for each in ("id", "url"):
        if not kind and name != "" and each in members and (each == "id" or name.lower().endswith("extension")):
            attributes += f" {each}={quoteattr(members.pop(each))}"
    names = dict.fromkeys(key.removeprefix("_") for key in members)
    inside = "".join(written(each, members.get(each), members.get("_" + each)) for each in names)
    if kind:
        inside = f"<{kind}>{inside}</{kind}>"
    return f"<{name}{attributes}>{inside}</{name}>"


def as_text(node: Any) -> Any:
    """JSON of which every value is text, its digits as they stood."""
    if isinstance(node, dict):
        return {name: as_text(value) for name, value in node.items()}
    if isinstance(node, list):
        return [as_text(value) for value in node]
    return {True: "true", False: "false"}[node] if isinstance(node, bool) else node


def load(body: bytes | str) -> Any:
    return as_text(json.loads(body, parse_float=str, parse_int=str))


def test_a_whole_life_and_hl7s_examples_come_back_as_they_went(shared: Path) -> None:
    cases = [gzip.decompress((shared / "synthea" / "001.json.gz").read_bytes()).decode()]
    with gzip.open(shared / "fhir-cases" / "r4-validator-cases.jsonl.gz") as lines:
        found = map(json.loads, lines)
        cases += [case["body"] for case in found if not case["expect_error"] and "fhir_comments" not in case["body"]]
    count = 0
    for case in cases:
        try:
            said = load(case)
        except json.JSONDecodeError:
            continue  # One has comments in its JSON.
        sent = written("x", said).removeprefix("<x>").removesuffix("</x>")
        sent = sent.replace(">", ' xmlns="http://hl7.org/fhir">', 1)
        back = read_xml(sent.encode()).body
        assert load(back) == said
        assert json.loads(back) == json.loads(case)  # Numbers are numbers, and text is text.
        count += 1
    assert count > 30


def leaves_of_xml(node: ElementTree.Element, path: str) -> Iterator[tuple[str, str]]:
    kind = node.tag.partition("}")[2]
    for name, value in node.attrib.items():
        yield (path if name == "value" else f"{path}.{name}"), value
    for child in node:
        name = child.tag.partition("}")[2]
        # A resource within is no step of its own in JSON.
        inner = path if kind in ("contained", "resource") and name[0].isupper() else f"{path}.{name}"
        if name != "div":
            yield from leaves_of_xml(child, inner)


def leaves_of_json(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name not in ("resourceType", "div"):
                yield from leaves_of_json(value, f"{path}.{name.removeprefix('_')}")
    elif isinstance(node, list):
        for value in node:
            yield from leaves_of_json(value, path)
    elif node is not None:
        yield path, node


# None of these is FHIR R4, save for the batch: it asks for resources, and holds none.
DISPENSE = "UKCore-MedicationDispense-{}-Example.xml"
NO_TYPE = "MedicationDispense.authorizingPrescription[0]", "reference-form"
QUARANTINED_EXAMPLES = {
    "Extension-UKCore-ConditionEpisode-Example.xml": ("Condition.extension[0].value[x]", "choice"),
    "UKCore-Bundle-Batch-Example.xml": ("Bundle.entry[0]", "no-resource"),
    "UKCore-Bundle-NEWS2Observations-Example.xml": ("Bundle.entry[0].fullUrl", "full-url"),
    DISPENSE.format("Amoxicillin"): NO_TYPE,
    DISPENSE.format("CiprofloxacinIV"): NO_TYPE,
    DISPENSE.format("CiprofloxacinOral"): NO_TYPE,
    "UKCore-Provenance-RARecordConsent-Example.xml": ("Provenance.agent[0].onBehalfOf", "reference-target"),
}


@pytest.mark.django_db
def test_every_example_of_uk_core_goes_in_as_it_came_or_says_what_is_not_r4(shared: Path, tmp_path: Path) -> None:
    sending.register()
    paths = sorted((shared / "ukcore-examples").glob("*.xml"))
    quarantined = {}
    for path in paths:
        body = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
        in_json, in_xml = leaves_of_json(load(read_xml(body).body), ""), leaves_of_xml(ElementTree.fromstring(body), "")
        assert Counter(in_json) == Counter(in_xml)
        before = len(sending.bodies()), len(sending.quarantine())
        taken = send(tmp_path, path.read_bytes())
        rows = sending.quarantine()[before[1] :]
        for kept in sending.bodies()[before[0] :] + [row for row, _ in rows]:
            assert kept == body or kept.replace(b' xmlns="http://hl7.org/fhir"', b"", 1) in body
        assert taken.rows > 0
        if rows:
            quarantined[path.name] = rows[0][1][0]["path"].rpartition(": ")[2], rows[0][1][0]["rule"]
    assert quarantined == {
        path.name: QUARANTINED_EXAMPLES[path.name] for path in paths if path.name in QUARANTINED_EXAMPLES
    }
    assert len(paths) >= 143


# -- through the door -----------------------------------------------------------------------------

ANN = (
    '<Patient><id value="a"/><extension url="https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory">'
    '<valueCodeableConcept><coding><code value="H"/></coding></valueCodeableConcept></extension>'
    '<name><family value="Ash"/><given value="Ann"/></name><birthDate value="1941-03-03"/></Patient>'
)
WEIGHT = (
    '<Observation><id value="w"/>'
    f'<text><status value="generated"/>{DIV}</text><status value="final"/><code><text value="Weight"/></code>'
    '<subject><reference value="Patient/a"/></subject><effectiveDateTime value="2026-03-01"/>'
    '<valueQuantity><value value="72.50"/><unit value="kg"/></valueQuantity></Observation>'
)


def bundle(*resources: str, more: str = "") -> bytes:
    entries = "".join(f"<entry><resource>{each}</resource></entry>" for each in resources)
    return b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n' + fhir(
        f'\n<type value="collection"/>{entries}\n', "Bundle", more
    )


@pytest.mark.django_db
def test_a_bundle_is_kept_as_xml_and_read_everywhere(tmp_path: Path) -> None:
    sending.register()
    sent = bundle(ANN, WEIGHT, more=' xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="a b"')
    assert ends(send(tmp_path, sent)) == (2, 0, 0, 0)
    ann, weight = sending.bodies()
    # Each can be read alone: what its Bundle declared for it stands in it.
    assert [ann, weight] == [
        each.replace(">", ' xmlns="http://hl7.org/fhir">', 1).encode() for each in (ANN, WEIGHT)
    ]  # fmt: skip
    assert ends(send(tmp_path, gzip.compress(sent))) == (0, 2, 0, 0)

    person = sending.person_of(f"{sending.GP} Patient/a")
    (line,) = sending.lines(person)
    assert (line.title, line.detail) == ("Weight", "72.50 kg")
    viewing, records = sending.opened(person)
    origin = facts.origin(viewing, records, line.entry_id)
    assert origin is not None
    assert (origin.original_format, origin.original) == ("FHIR XML", weight.decode())
    # What is read anew later.
    assert line_of(weight) == line_of(as_json(weight))
    assert group_said("fhir", ann, "") == "asian"


def test_what_is_cut_from_a_bundle_ends_where_it_ends() -> None:
    sent = fhir(
        "<entry/>"
        + "".join(f"<entry><resource>{each}</resource></entry>" for each in ("<Basic/>", "<res />", "<a>\n</a >")),
        "Bundle",
    )
    xmlns = b' xmlns="http://hl7.org/fhir"'
    assert read_xml(sent).parts == [b"", b"<Basic%s/>" % xmlns, b"<res%s />" % xmlns, b"<a%s>\n</a >" % xmlns]


@pytest.mark.django_db
def test_a_row_in_quarantine_is_mended_as_xml(tmp_path: Path) -> None:
    sending.register()
    assert ends(send(tmp_path, bundle(ANN, WEIGHT.replace("final", "finished")))) == (1, 0, 0, 1)
    ((body, (reason,)),) = sending.quarantine()
    assert (reason["path"], reason["rule"]) == ("Bundle.entry[1]: Bundle.entry[1].resource.status", "code")
    ((waiting,),) = select("SELECT id FROM record_quarantined")
    correct(quarantined_id=waiting, body=body.replace(b"finished", b"final"), actor=ACTOR, at=AT)
    assert sending.titles(f"{sending.GP} Patient/a") == ["Weight"]


# -- what is broken, and what would do harm -------------------------------------------------------

LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
REFUSED = {
    "a web page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "a web page without a declaration": b"<html><body>Log in</body></html>",
    "a clinical document": b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>',
    "no namespace": b'<Patient><id value="1"/></Patient>',
    "entities that grow": LAUGHS + fhir('<id value="&b;"/>'),
    "an entity from outside": b'<!DOCTYPE l SYSTEM "file:///etc/passwd">' + fhir(""),
}
QUARANTINED: dict[str, tuple[bytes, str]] = {
    "broken": (fhir("<name>"), "mismatched tag"),
    "cut": (fhir(ANN)[:-30], "unclosed token"),
    "two documents": (fhir("") * 2, "junk after"),
    "an entity of HTML": (fhir(f'<text><div xmlns="{XHTML}">&nbsp;</div></text>'), "undefined entity"),
    "another encoding": (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + fhir(""), "another encoding"),
    "UTF-16 without a mark": (fhir("").decode().encode("utf-16-le"), "not UTF-8"),
    "a byte of another encoding": (fhir('<id value="X"/>').replace(b"X", b"\xe9"), "byte 49 is not UTF-8"),
    "text between elements": (fhir("Ann"), "text stands between"),
    "another namespace": (fhir('<name xmlns="urn:x"/>'), "namespace"),
    "a narrative in another namespace": (fhir('<text><div xmlns="urn:x"/></text>'), "namespace"),
    "two resources in one place": (fhir("<contained><Basic/><Basic/></contained>"), "two resources"),
    "too deep": (fhir("<contact>" * 100_000), "nested"),
    "a narrative too deep": (fhir(f'<text><div xmlns="{XHTML}">{"<b>" * 100_000}'), "nested"),
    "many namespaces": (fhir("", more="".join(f' xmlns:n{n}="u"' for n in range(1_000))), "namespaces"),
    "a long namespace in every entry": (bundle('<n:Basic/>', more=f' xmlns:n="{"u" * 2_000}"'), "namespace"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_fhir_is_refused_in_words(what: str, tmp_path: Path) -> None:
    sending.register()
    with pytest.raises(Refused, match="FHIR") as refused:
        send(tmp_path, REFUSED[what])
    assert "root:" not in str(refused.value)
    assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]


@pytest.mark.django_db
@pytest.mark.parametrize("what", QUARANTINED)
def test_broken_xml_waits_whole_with_its_reason(what: str, tmp_path: Path) -> None:
    sending.register()
    content, word = QUARANTINED[what]
    taken = send(tmp_path, content)
    assert ends(taken) == (0, 0, 0, 1)
    assert taken.reasons[0].startswith("This cannot be read as XML: ")
    ((body, (reason,)),) = sending.quarantine()
    assert body == content.removeprefix(b"\xef\xbb\xbf").strip()
    assert reason["rule"] == "xml"
    assert word in reason["message"]


@pytest.mark.django_db
def test_a_document_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sending.register()
    monkeypatch.setattr(files, "MOST_DOCUMENT_BYTES", 100_000)
    for content in (bundle(ANN + " " * 100_000), bundle(*["\n" + ANN] * 1_000)):
        with pytest.raises(Refused, match="at most"):
            send(tmp_path, content)


PIECES = [
    ANN,
    WEIGHT,
    DIV,
    "<entry>",
    "</entry>",
    "<resource/>",
    "<x:a/>",
    " xmlns:x='u'",
    "<!--",
    "&#0;",
    "<contained>",
]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=6), st.integers(0, 300))
def test_whatever_comes_is_json_or_a_reason(pieces: list[str], cut: int) -> None:
    for sent in (fhir("".join(pieces), "Bundle"), fhir("".join(pieces))[:-cut], "".join(pieces).encode()):
        try:
            json.loads(read_xml(sent).body)
        except (BadXml, UnreadableFile) as why:
            assert str(why)
