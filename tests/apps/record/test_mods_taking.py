"""Taking a care provider's export: versions in any order end the same, and no line of any file is lost."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base import tables
from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.base.tables import UnreadableFile
from joinery.apps.record import facts
from joinery.apps.record.mods.files import open_export
from tests.apps.record import sending
from tests.apps.record.mods_sending import (
    MANAGER,
    NUMBER,
    OTHER,
    PERSON,
    PROVIDER,
    TYPES,
    Line,
    encoded,
    line,
    manifest,
    packed,
    register,
    subject,
    take,
)
from tests.apps.record.sending import AT, GP, ends

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()
    register()


def titles(record: str = PERSON) -> list[str]:
    return sorted(each.title for each in sending.lines(sending.person_of(record), MANAGER))


def risk(text: str, version: int = 1, uid: str = "r1", **envelope: Any) -> Line:
    return line("Risk", uid, {"category": text}, version, **envelope)


def headings(record: str = PERSON) -> dict[str, tuple[str, list[str]]]:
    """The state of each section at the top of the page, and its items."""
    sections = facts.safety(*sending.opened(sending.person_of(record), MANAGER))
    return {s.heading: (s.state, [item.text for item in s.items]) for s in sections}


# -- what is taken --------------------------------------------------------------------------------------


def test_an_export_makes_a_person_and_their_lines(tmp_path: Path) -> None:
    lines = [line(kind) for kind in TYPES]
    assert ends(take(tmp_path, encoded(lines))) == (len(TYPES), 0, 0, 0)
    assert sending.together() == {frozenset([PERSON])}
    assert "Risk: Falls" in titles()
    assert len(titles()) == len(TYPES) - 4  # all but the person, two workers and the beds
    top = headings()
    assert top["Allergies"] == ("present", ["Penicillin"])
    assert top["Medicines"] == ("present", ["Ramipril 5 mg"])
    assert top["Problems"] == ("present", ["Risk: Falls", "Need: mobility"])
    assert len(top["Alerts"][1]) == 4


def test_a_line_shows_the_words_that_were_sent(tmp_path: Path) -> None:
    sent = encoded([risk("Falls")])
    take(tmp_path, encoded([subject()]) + sent)
    viewing, records = sending.opened(sending.person_of(PERSON), MANAGER)
    (shown,) = facts.timeline_page(viewing, records).lines
    origin = facts.origin(viewing, records, shown.entry_id)
    assert origin is not None
    assert (origin.original_format, json.loads(origin.original)) == ("JSON line", json.loads(sent))


def test_the_person_is_linked_by_their_number(tmp_path: Path) -> None:
    sending.send(tmp_path, sending.bundle([sending.patient("1", NUMBER, "Ash", "Ann", "1941-03-03")]))
    take(tmp_path, encoded([subject()]))
    assert sending.together() == {frozenset([f"{GP} Patient/1", PERSON])}


def test_the_same_export_twice_and_packed_is_once(tmp_path: Path) -> None:
    content = encoded([subject(), risk("Falls"), {"type": "Mood"}])
    assert ends(take(tmp_path, content)) == (2, 0, 0, 1)
    held = sending.holds()
    assert ends(take(tmp_path, content)) == (0, 2, 0, 1)
    assert sending.holds() == held
    assert ends(take(tmp_path, packed(content), "export.jsonl.gz")) == (0, 2, 0, 1)
    assert titles() == ["Risk: Falls"]


def test_marks_line_ends_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    content = encoded([subject(), risk("Falls")])
    take(tmp_path, content)
    windows = b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n\r\n").rstrip()
    assert ends(take(tmp_path, windows)) == (0, 2, 0, 0)


def test_the_larger_version_wins_and_the_lower_is_superseded(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), risk("Falls, two", 2)]))
    # By its own clock the lower version is the later one: versions go before clocks.
    late = risk("Falls, one", 1, change={"at": "2026-03-30T09:00:00Z"})
    assert ends(take(tmp_path, encoded([late]))) == (0, 0, 1, 0)
    assert titles() == ["Risk: Falls, two"]
    assert ends(take(tmp_path, encoded([risk("Falls, nine", 9)]))) == (1, 0, 0, 0)
    assert titles() == ["Risk: Falls, nine"]


def test_one_version_with_two_contents_is_an_error(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), risk("Falls", 2)]))
    assert ends(take(tmp_path, encoded([risk("Choking", 2)]))) == (0, 0, 0, 1)
    ((body, reasons),) = sending.quarantine()
    assert (body + b"\n", reasons[0]["rule"]) == (encoded([risk("Choking", 2)]), "same-version")
    assert titles() == ["Risk: Falls"]


def test_the_same_version_with_its_names_in_another_order_is_the_same(tmp_path: Path) -> None:
    said = risk("Falls", 2)
    take(tmp_path, encoded([subject(), said]))
    assert ends(take(tmp_path, encoded([dict(reversed(said.items()))]))) == (0, 1, 0, 0)


def test_versions_that_begin_again_in_a_new_system_are_new_things(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), risk("Falls", 7)]))
    moved = [subject() | {"change": subject()["change"] | {"system": "DSCR-Y"}}]
    moved.append(risk("Choking", 1, change={"system": "DSCR-Y"}))
    assert ends(take(tmp_path, encoded(moved))) == (2, 0, 0, 0)
    assert titles() == ["Risk: Choking", "Risk: Falls"]


def test_two_providers_may_use_the_same_numbers(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), risk("Falls")]))
    other = subject(names=[{"family": "Birch", "given": "Ben"}], nhs_number=None, birth_date="1950-01-02")
    assert ends(take(tmp_path, encoded([other]), sender=OTHER)) == (1, 0, 0, 0)
    assert sending.together() == {frozenset([PERSON]), frozenset([f"{OTHER} Subject/SU-1"])}


def test_what_is_entered_in_error_goes(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), risk("Falls"), risk("Choking", uid="r2")]))
    gone = risk("Falls", 2, status="entered_in_error")
    nobodys = risk("Choking", 2, "r2", status="entered_in_error", subject=None)
    assert ends(take(tmp_path, encoded([gone, nobodys]))) == (2, 0, 0, 0)
    assert titles() == []


def test_a_line_moves_to_the_person_it_is_really_about(tmp_path: Path) -> None:
    other = subject("SU-2", names=[{"family": "Birch", "given": "Ben"}], nhs_number=None, birth_date="1950-01-02")
    take(tmp_path, encoded([subject(), other, risk("Falls")]))
    take(tmp_path, encoded([risk("Falls", 2, subject="SU-2")]))
    assert titles() == []
    assert titles(f"{PROVIDER} Subject/SU-2") == ["Risk: Falls"]


def test_what_a_full_export_leaves_out_is_not_deleted(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), risk("Falls")]))
    content = encoded([subject()])
    manifest(tmp_path, content)
    take(tmp_path, content, at=AT + timedelta(days=1))
    assert titles() == ["Risk: Falls"]
    assert select("SELECT part FROM record_submission ORDER BY id") == [("mods",), ("mods full",)]


# -- what must be known at once -------------------------------------------------------------------------


def legal(uid: str, **body: Any) -> Line:
    return line("Legal", uid, body)


def test_alerts_that_are_over_or_about_money_do_not_mislead(tmp_path: Path) -> None:
    lines = [
        subject(),
        legal("d1", kind="DoLS", made_on="2025-01-01", decision="authorised", expires_on="2025-12-31"),
        legal("d2", kind="DoLS", made_on="2026-01-01", decision="authorised", expires_on="2026-12-31"),
        legal("p1", kind="LPA", made_on="2020-01-01", decision="property_and_financial"),
    ]
    take(tmp_path, encoded(lines))
    assert headings()["Alerts"] == ("present", ["DoLS: authorised"])
    assert titles() == [
        *("DoLS: authorised", "DoLS: authorised"),
        "Lasting power of attorney for property and financial affairs only",
    ]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"assertion": "none_known"}, "asserted_none"),
        ({"assertion": "not_asked"}, "none_recorded"),
        ({"assertion": "unavailable"}, "none_recorded"),
        (None, "not_received"),
    ],
)
def test_the_kinds_of_nothing_are_kept_apart(body: Line | None, state: str, tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), *([line("Allergy", body=body)] if body else [])]))
    assert headings()["Allergies"] == (state, [])


def test_an_allergy_that_could_not_be_taken_is_not_forgotten(tmp_path: Path) -> None:
    take(tmp_path, encoded([subject(), line("Allergy", "a1", {"assertion": "none_known"})]))
    take(tmp_path, encoded([line("Allergy", "a2", {"agent": 7})]))
    assert headings()["Allergies"][0] != "asserted_none"


def test_a_daily_note_stays_with_its_provider(tmp_path: Path) -> None:
    sending.send(tmp_path, sending.bundle([sending.patient("1", NUMBER, "Ash", "Ann", "1941-03-03")]))
    take(tmp_path, encoded([subject(), line("DailyNote")]))
    person = sending.person_of(PERSON)
    assert [each.title for each in sending.lines(person, MANAGER)] == ["Daily note"]
    assert [(each.title, each.withheld) for each in sending.lines(person)] == [("", True)]


# -- files that cannot be taken -------------------------------------------------------------------------

GOOD = encoded([subject(), risk("Falls")])

UNREADABLE = {
    "nothing": (b"", "empty"),
    "only line ends": (b"\n\r\n", "empty"),
    "a workbook": (b"PK\x03\x04" + bytes(200), "workbook"),
    "a PDF": (b"%PDF-1.7 ...", "PDF"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not UTF-8"),
    "XML": (b"<?xml version='1.0'?>", "XML"),
    "an array": (json.dumps([subject()]).encode(), "JSON Lines"),
    "one document over many lines": (json.dumps(subject(), indent=2).encode(), "JSON Lines"),
    "FHIR": (b'{"resourceType": "Patient"}\n', "fhir feed"),
    "half a gzip": (packed(GOOD)[:-20], "damaged"),
    "a gzip with more behind it": (packed(GOOD) + b"more", "damaged"),
    "a line of 2 MB": (GOOD + b'{"a": "' + b"a" * 2_000_000 + b'"}\n', "longer than 1 MB"),
    "a packed line of 64 MB": (packed(b" " * 64 * 1024 * 1024), "longer than 1 MB"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(what: str, tmp_path: Path) -> None:
    content, words = UNREADABLE[what]
    with pytest.raises(Refused, match=words) as refused:
        take(tmp_path, content)
    assert str(refused.value).endswith(".")
    assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]
    assert sending.bodies() == sending.bodies("quarantined") == []


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "FREE_BYTES", 1024 * 1024)
    path = tmp_path / "export.jsonl.gz"
    path.write_bytes(packed((b" " * 1000 + b"\n") * 20_000))
    with pytest.raises(UnreadableFile, match="100 times its size"):
        list(open_export(path).rows)
    # A long export that shrinks as text does is no bomb.
    path.write_bytes(packed(encoded(risk(f"Falls {n}", uid=f"{n * n}") for n in range(4_000))))
    assert len(list(open_export(path).rows)) == 4_000


MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "another provider": ({"provider_ods": OTHER}, f"comes from {OTHER}, and it was given as from {PROVIDER}"),
    "another file": ({"sha256": "0" * 64}, "sha256 differs"),
    "too few lines": ({"lines": 3}, "has 2 lines, and its manifest says 3"),
    "too many lines": ({"lines": 0}, "has 2 lines, and its manifest says 0"),
    "another schema": ({"schema": "joinery-mods/2"}, "another schema"),
    "an unknown mode": ({"mode": "weekly"}, "full, delta"),
    "lines in words": ({"lines": "two"}, "cannot be read"),
}


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_file_that_is_not_what_its_manifest_says_is_refused(what: str, tmp_path: Path) -> None:
    said, words = MANIFESTS[what]
    manifest(tmp_path, GOOD, **said)
    with pytest.raises(Refused, match=words) as refused:
        take(tmp_path, GOOD)
    assert str(refused.value).endswith(".")
    assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]


def test_a_manifest_that_fits_lets_the_file_in(tmp_path: Path) -> None:
    content = packed(GOOD)
    manifest(tmp_path, content, lines=2, mode="delta", provider_ods="ZX9", cqc_location_id=PROVIDER)
    assert ends(take(tmp_path, content, "export.jsonl.gz")) == (2, 0, 0, 0)
    assert select("SELECT part FROM record_submission") == [("mods delta",)]


def test_a_manifest_of_its_own_goes_before_that_of_the_folder(tmp_path: Path) -> None:
    manifest(tmp_path, b"another")
    manifest(tmp_path, GOOD, "export.manifest.json")
    assert ends(take(tmp_path, GOOD)) == (2, 0, 0, 0)


def test_a_day_without_changes_is_told_by_its_manifest(tmp_path: Path) -> None:
    manifest(tmp_path, b"", lines=0, mode="delta")
    assert ends(take(tmp_path, b"")) == (0, 0, 0, 0)


# -- anything at all ------------------------------------------------------------------------------------

LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"  ", b"\r", b"{}", b"null", b'{"type": "Risk"', *GOOD.splitlines()]),
    st.sampled_from([json.dumps(line(kind)).encode() for kind in TYPES]),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda i: st.dictionaries(st.text(max_size=5), i)
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(LINES, max_size=12), squeezed=st.booleans())
def test_of_any_file_every_line_is_kept_or_the_file_is_refused(sent: list[bytes], squeezed: bool) -> None:
    content = b"\n".join(sent)
    lines = [each for each in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if each.strip(b" \t\r\n")]
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        try:
            taken = take(Path(folder), packed(content) if squeezed else content)
        except Refused as refused:
            assert str(refused).endswith(".")
        else:
            assert taken.rows == len(lines)
            kept = sending.bodies() + sending.bodies("quarantined")
            assert {each.strip(b" \t\r\n") for each in lines} == set(kept)
        transaction.set_rollback(True)


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Line]]:
    """Versions of a person and of two lines, each version once said, in files in any order and cut."""
    sent = [subject(version=n, names=[{"family": f"Ash{n}", "given": "Ann"}]) for n in (1, 2)]
    for uid in ("r1", "r2"):
        for version in draw(st.lists(st.integers(1, 9), max_size=3, unique=True)):
            status = draw(st.sampled_from(["active", "active", "entered_in_error"]))
            sent.append(risk(f"{uid} {version}", version, uid, status=status))
    stream = draw(st.permutations(sent)) + draw(st.lists(st.sampled_from(sent), max_size=3))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=3)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) if a < b]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=deliveries())
def test_versions_in_any_order_end_the_same(files: list[list[Line]]) -> None:
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        for number, lines in enumerate(files):
            taken = take(Path(folder), encoded(lines), f"{number}.jsonl")
            assert taken.quarantined == 0
        newest: dict[str, Line] = {}
        for each in sorted((each for lines in files for each in lines), key=lambda each: each["version"]):
            newest[each["uid"]] = each
        person = newest.pop("SU-1")
        viewing, records = sending.opened(sending.person_of(PERSON), MANAGER)
        assert [known.family_name for known in records.known] == [person["body"]["names"][0]["family"]]
        wanted = sorted(f"Risk: {e['body']['category']}" for e in newest.values() if e["status"] == "active")
        assert sorted(each.title for each in facts.timeline_page(viewing, records).lines) == wanted
        transaction.set_rollback(True)


def test_a_line_with_a_slash_where_none_may_be_is_not_mended_by_another_thing(tmp_path: Path) -> None:
    bad = [risk("Falls", change={"system": "a/b"}, uid="c"), risk("Falls", uid="b/c") | {"type": "Risk/a"}]
    assert ends(take(tmp_path, encoded([subject(), *bad]))) == (1, 0, 0, 2)
    other = [risk("Falls", change={"system": "a"}, uid="b/c")]
    assert ends(take(tmp_path, encoded(other))) == (1, 0, 0, 0)
    assert sum(source.open for source in facts.feed_sources(AT)) == 2
