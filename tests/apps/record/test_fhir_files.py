"""What comes out of a FHIR file, through the door of intake: every row accounted for, every byte kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from joinery.apps.base import tables
from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.base.models import ActionEntry
from joinery.apps.record.fhir import files
from tests.apps.record import sending
from tests.apps.record.sending import ends, observation, patient, send

pytestmark = pytest.mark.django_db

ANN = patient("a", sending.nhs_number(1), "Ash", "Ann", "1941-03-03")
WEIGHT = observation("w", "Patient/a")
BEN = patient("b", "", "Birch", "Ben", "1950-01-02")
URN = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def pretty(content: bytes) -> bytes:
    return json.dumps(json.loads(content), indent=2).encode()


WHOLE = {
    "one resource": (json.dumps(ANN).encode(), 1),
    "one resource, indented": (pretty(json.dumps(ANN).encode()), 1),
    "one resource after empty lines": (b"\r\n\n" + json.dumps(ANN).encode(), 1),
    "a collection": (sending.bundle([ANN, WEIGHT, BEN]), 3),
    "a collection, indented": (pretty(sending.bundle([ANN, WEIGHT, BEN])), 3),
    "NDJSON": (sending.ndjson([ANN, WEIGHT, BEN]), 3),
    "NDJSON without a last line end": (sending.ndjson([ANN, WEIGHT, BEN]).rstrip(), 3),
    "NDJSON with Windows line ends": (sending.ndjson([ANN, WEIGHT, BEN]).replace(b"\n", b"\r\n"), 3),
    "NDJSON with empty lines": (sending.ndjson([ANN, WEIGHT, BEN]).replace(b"\n", b"\n\n \n"), 3),
    "NDJSON of Bundles": (sending.bundle([ANN, WEIGHT]) + b"\n" + sending.bundle([BEN]) + b"\n", 3),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "gzipped": gzip.compress,
    "with a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "gzipped in two parts": lambda content: gzip.compress(content[:40]) + gzip.compress(content[40:]),
}


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("shape", WHOLE)
def test_every_shape_of_file_is_told_by_its_content(shape: str, packed: str, tmp_path: Path) -> None:
    content, rows = WHOLE[shape]
    assert ends(send(tmp_path, PACKED[packed](content), name="anything.txt")) == (rows, 0, 0, 0)
    assert all(body in content for body in sending.bodies())
    assert [json.loads(body)["id"] for body in sending.bodies()] == ["a", "w", "b"][:rows]


BROKEN = b'{"resourceType": "Patient", "id": "broken"'


@pytest.mark.parametrize("position", [0, 1, 3])
@pytest.mark.parametrize("packed", ["as it is", "gzipped"])
def test_a_broken_line_costs_that_line_only(position: int, packed: str, tmp_path: Path) -> None:
    lines = [json.dumps(r).encode() for r in (ANN, WEIGHT, BEN)]
    lines.insert(position, BROKEN)
    taken = send(tmp_path, PACKED[packed](b"\n".join(lines) + b"\n"))
    assert ends(taken) == (3, 0, 0, 1)
    ((body, reasons),) = sending.quarantine()
    assert body == BROKEN
    assert reasons[0]["rule"] == "json"
    assert reasons[0]["path"].startswith(f"line {position + 1}")


UNREADABLE = {
    "nothing": (b"", "empty"),
    "nothing but space": (b" \n\r\n\t\n", "empty"),
    "nothing but a byte order mark": (b"\xef\xbb\xbf", "empty"),
    "nothing, gzipped": (gzip.compress(b""), "empty"),
    "cut gzip": (gzip.compress(sending.ndjson([ANN] * 200))[:-30], "damaged"),
    "half a gzip header": (b"\x1f\x8b\x08", "damaged"),
    "gzip with a wrong checksum": (gzip.compress(sending.ndjson([ANN]))[:-8] + b"12345678", "damaged"),
    "gzip with rubbish after it": (gzip.compress(sending.ndjson([ANN])) + b"rubbish", "damaged"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(what: str, tmp_path: Path) -> None:
    content, word = UNREADABLE[what]
    with pytest.raises(Refused, match=word):
        send(tmp_path, content)
    assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]
    kept = sending.holds()
    # A name for a thing or a person is no statement about them; everything said is gone.
    assert {t for t, n in kept.items() if n} <= {"item", "sourcerecord"}
    assert sending.facts.holdings() == sending.facts.Holdings(0, 0, 0, 0)


def test_damage_after_many_good_lines_leaves_nothing(tmp_path: Path) -> None:
    people = [patient(f"p{n}", family="Ash", given=f"A{n}") for n in range(2_500)]
    send(tmp_path, json.dumps(BEN).encode())
    before = sending.facts.holdings()
    with pytest.raises(Refused, match="damaged"):
        send(tmp_path, gzip.compress(sending.ndjson(people))[:-4])
    assert sending.facts.holdings() == before
    assert len(sending.bodies()) == 1


def test_lines_and_documents_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_DOCUMENT_BYTES", 1024 * 1024)
    long = patient("long", family="A" * 1_100_000)
    for content in (sending.ndjson([ANN, long]), sending.ndjson([long]), pretty(json.dumps(long).encode())):
        with pytest.raises(Refused, match="1 MB at most"):
            send(tmp_path, content)
    assert sending.bodies() == []


@pytest.mark.parametrize("shape", ["lines", "one document"])
def test_a_small_file_that_unpacks_without_end_is_refused(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "FREE_BYTES", 1024 * 1024)
    content = sending.ndjson([ANN] * 30_000) if shape == "lines" else b"{\n" + b" " * 5_000_000 + b"}"
    with pytest.raises(Refused, match="100 times its size"):
        send(tmp_path, gzip.compress(content))
    assert sending.bodies() == []


def test_a_long_line_does_not_swallow_the_lines_after_it(tmp_path: Path) -> None:
    note = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">' + "a" * 33_000_000 + "</div>"}
    taken = send(tmp_path, sending.ndjson([BEN | {"text": note}, ANN, WEIGHT]))
    assert ends(taken) == (3, 0, 0, 0)


def test_bytes_are_kept_exactly_as_they_stood_in_the_file(tmp_path: Path) -> None:
    weight = (
        b'{"resourceType":"Observation", "id":"w1","status":"final",\n "code":{"text":"Wei\\u0067ht \xe2\x98\x83"},'
    )
    weight += b'"subject":{"reference":"Patient/a"},"valueQuantity":{"value":72.50,"unit":"kg" } }'
    ann = json.dumps(ANN).encode()
    content = b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":' + ann
    content += b'},\n{"resource":  ' + weight + b" }]}"
    send(tmp_path, content)
    assert sending.bodies() == [ann, weight]
    (line,) = sending.lines(sending.person_of("Z90001 Patient/a"))
    assert line.title == "Weight ☃"
    viewing, records = sending.opened(sending.person_of("Z90001 Patient/a"))
    found = sending.facts.origin(viewing, records, line.entry_id)
    assert found is not None
    assert "72.50" in found.original


def test_a_transaction_is_joined_up_by_its_own_addresses(tmp_path: Path) -> None:
    request = {"request": {"method": "POST", "url": "Patient"}}
    entries = [
        {"fullUrl": URN, "resource": patient(None, "", "Ash", "Ann", "1941-03-03")} | request,
        {"resource": observation("w", URN)} | request,
    ]
    content = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    assert ends(send(tmp_path, content)) == (2, 0, 0, 0)
    assert sending.titles(f"Z90001 Patient/{URN[9:]}") == ["Weight"]


def test_resources_without_any_id_are_told_apart_by_their_content(tmp_path: Path) -> None:
    two = [patient(None, family="Ash"), patient(None, family="Birch")]
    assert ends(send(tmp_path, sending.bundle(two))) == (2, 0, 0, 0)
    assert ends(send(tmp_path, sending.ndjson(reversed(two)))) == (0, 2, 0, 0)
    assert len(sending.together()) == 2


def test_what_is_wrong_with_one_entry_is_its_own_even_the_hundred_and_first(tmp_path: Path) -> None:
    wrong = [patient(f"p{n}") | {"gender": "M"} for n in range(150)]
    assert ends(send(tmp_path, sending.bundle([ANN, *wrong]))) == (1, 0, 0, 150)
    assert all(reasons[0]["path"].endswith(".gender") for _, reasons in sending.quarantine())


def test_what_is_wrong_with_the_bundle_stops_all_of_it(tmp_path: Path) -> None:
    content = json.dumps(json.loads(sending.bundle([ANN, WEIGHT])) | {"type": "heap"}).encode()
    assert ends(send(tmp_path, content)) == (0, 0, 0, 2)
    assert [body for body, _ in sending.quarantine()] == [json.dumps(ANN).encode(), json.dumps(WEIGHT).encode()]


def test_versions_are_numbered_and_the_newest_is_shown(tmp_path: Path) -> None:
    send(tmp_path, json.dumps(ANN).encode())
    for day, title, wanted in (
        ("02", "Weight", (1, 0, 0, 0)),
        ("02", "Weight", (0, 1, 0, 0)),
        ("04", "Weight, corrected", (1, 0, 0, 0)),
        ("03", "Weight, late", (0, 0, 1, 0)),
        ("03", "Weight, late", (0, 1, 0, 0)),
        ("02", "Weight", (0, 1, 0, 0)),
    ):
        said = observation("w", "Patient/a", title, f"2026-01-{day}T10:00:00Z")
        assert ends(send(tmp_path, json.dumps(said).encode())) == wanted
    (line,) = sending.lines(sending.person_of("Z90001 Patient/a"))
    assert line.title == "Weight, corrected"
    viewing, records = sending.opened(sending.person_of("Z90001 Patient/a"))
    found = sending.facts.origin(viewing, records, line.entry_id)
    assert found is not None
    assert [(v.number, v.current) for v in found.versions] == [(3, False), (2, True), (1, False)]


def test_the_same_file_again_changes_nothing_even_with_two_versions_and_a_broken_line(tmp_path: Path) -> None:
    lines = [ANN, WEIGHT, observation("w", "Patient/a", "Height"), patient("x") | {"gender": "M"}]
    content = sending.ndjson(lines)
    assert ends(send(tmp_path, content)) == (3, 0, 0, 1)
    before, shown = sending.holds(), sending.titles("Z90001 Patient/a")
    for _ in range(2):
        assert ends(send(tmp_path, content)) == (0, 3, 0, 1)
    assert sending.holds() == before
    assert sending.titles("Z90001 Patient/a") == shown == ["Height"]


def test_a_thing_that_goes_back_to_what_it_was_is_a_new_version(tmp_path: Path) -> None:
    """In another file, that is: the very same file again is taken to be sent twice, and changes nothing."""
    for title, more in (("Weight", []), ("Height", []), ("Weight", [BEN])):
        send(tmp_path, sending.ndjson([ANN, observation("w", "Patient/a", title), *more]))
        assert sending.titles("Z90001 Patient/a") == [title]


GONE = {
    "entered in error": observation("w", "Patient/a", status="entered-in-error"),
    "about nobody any more": observation("w"),
    "about another person": observation("w", "Patient/b"),
}


@pytest.mark.parametrize("why", GONE)
@pytest.mark.parametrize("together", [True, False])
def test_a_line_goes_when_its_new_version_takes_it_away(why: str, together: bool, tmp_path: Path) -> None:
    send(tmp_path, sending.ndjson([ANN, BEN]))
    for content in [[WEIGHT, GONE[why]]] if together else [[WEIGHT], [GONE[why]]]:
        send(tmp_path, sending.ndjson(content))
    assert sending.titles("Z90001 Patient/a") == []
    assert sending.titles("Z90001 Patient/b") == (["Weight"] if "another" in why else [])


def test_an_observation_waits_for_its_patient(tmp_path: Path) -> None:
    send(tmp_path, json.dumps(WEIGHT).encode())
    assert sending.facts.holdings() == sending.facts.Holdings(0, 1, 1, 1)
    assert sending.together() == set()
    send(tmp_path, json.dumps(ANN).encode())
    assert sending.facts.holdings() == sending.facts.Holdings(1, 2, 2, 0)
    assert sending.titles("Z90001 Patient/a") == ["Weight"]


MOMENTS = ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00", "2016-12-31T23:59:60Z", "2026-02-03T04:05:06.789Z"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_valid_moment_is_too_odd_to_take_and_show(moment: str, tmp_path: Path) -> None:
    odd = observation("w", "Patient/a", updated=moment) | {"effectiveDateTime": moment}
    assert ends(send(tmp_path, sending.ndjson([ANN, odd]))) == (2, 0, 0, 0)
    (line,) = sending.lines(sending.person_of("Z90001 Patient/a"))
    assert line.at.year == int(moment[:4])


def test_names_that_grow_when_compared_are_taken(tmp_path: Path) -> None:
    assert ends(send(tmp_path, json.dumps(patient("a", family="ß" * 300, given="ﷺ" * 90)).encode())) == (1, 0, 0, 0)


@pytest.mark.parametrize(("feed", "sender", "code"), [("fax", "Z90001", "feed"), ("fhir", "XXX", "organisation")])
def test_an_unknown_feed_or_sender_is_refused(feed: str, sender: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(json.dumps(ANN).encode())
    with pytest.raises(Refused) as refused:
        sending.take_file(path=path, feed=feed, organisation_code=sender, actor=sending.ACTOR, at=sending.AT)
    assert refused.value.code == code
    assert sending.bodies() == []
    assert ActionEntry.objects.order_by("-id").values_list("outcome", "reason").first() == ("refused", code)


def test_the_same_ids_from_two_organisations_are_two_things(tmp_path: Path) -> None:
    for sender in (sending.GP, sending.COMMUNITY):
        send(tmp_path, sending.ndjson([patient("a", family="Ash"), WEIGHT]), sender)
    assert sending.together() == {frozenset(["Z90001 Patient/a"]), frozenset(["ZC1 Patient/a"])}


def test_a_byte_that_is_no_text_in_a_bundles_address_quarantines_it(tmp_path: Path) -> None:
    entry = b'{"fullUrl": "urn:uuid:a\x80", "resource": {"resourceType": "Patient", "id": "1"}}'
    content = b'{"resourceType": "Bundle", "type": "collection", "entry": [' + entry + b"]}"
    taken = send(tmp_path, content)
    assert (taken.rows, taken.quarantined) == (1, 1)
    assert sending.bodies("quarantined") == [content]
