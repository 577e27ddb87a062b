"""What a line of a care provider's export must hold, and the line of the timeline that it makes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.base.feeds import feed_of
from joinery.apps.record.banners import BANNERS
from joinery.apps.record.mods.checks import FORMS
from joinery.apps.record.mods.definition import types
from joinery.apps.record.mods.lines import row_of
from joinery.apps.record.rows import DetailsRow, EntryRow, Row
from tests.apps.record.mods_sending import NAMES, NOBODYS, NUMBER, ONE_OF, TYPES, Line, line, subject


def row(said: Line) -> Row:
    return row_of(json.dumps(said).encode(), 1)


def entry(kind: str, body: Line | None = None, **envelope: Any) -> EntryRow:
    """The line that a good line of the export makes."""
    made = row(line(kind, body=body, **envelope))
    assert made.issues == ()
    assert made.entry is not None
    return made.entry


def broken(said: Line) -> list[tuple[str, str]]:
    """Where a line breaks which rules."""
    issues = row(said).issues
    assert all(issue.message.endswith(".") for issue in issues)
    return [(issue.path, issue.rule) for issue in issues]


# -- what a line must hold --------------------------------------------------------------------------


def test_the_table_of_types_is_the_definition() -> None:
    assert {name: tuple(kind.must) for name, kind in types().items()} == {n: must for n, (_, must) in TYPES.items()}
    assert {name: kind.any_of for name, kind in types().items() if kind.any_of} == ONE_OF
    assert {name for name, kind in types().items() if "subject" not in kind.needs} == {"Subject", *NOBODYS}
    assert feed_of("mods").stale_after_minutes == 36 * 60


def test_lines_of_the_definition_name_fields_that_there_are() -> None:
    for kind in types().values():
        known = {*kind.must, *kind.may, "date", "changed"}
        assert {*kind.must.values(), *kind.may.values()} <= FORMS.keys()
        assert {*kind.any_of, *kind.codes} <= known
        for each in kind.line:
            slots = {name for text in (each.title, *each.detail) for name in _slots(text)}
            assert {*each.at, *each.until, *each.when, *slots} <= known, (kind.type, each.title)
            assert each.banner in ("", *BANNERS)


def _slots(template: str) -> list[str]:
    return [name for part in template.split("{")[1:] for name in part.partition("}")[0].split("|")]


@pytest.mark.parametrize("kind", TYPES)
def test_a_whole_line_of_each_type_is_taken(kind: str) -> None:
    made = row(line(kind))
    assert made.issues == ()
    assert made.key == f"{kind}/DSCR-X/{'SU-1' if kind == 'Subject' else kind + '-1'}"
    assert (made.version, made.stated_at) == (1, datetime(2026, 3, 1, 9, tzinfo=UTC))
    assert made.local_id == ("" if kind in NOBODYS else "Subject/SU-1")
    assert (made.details is not None) == (kind == "Subject")
    assert (made.entry is not None) == (kind not in ("Subject", *NOBODYS))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, (_, must) in TYPES.items() for name in must])
@pytest.mark.parametrize("empty", [None, "", [], "left out"])
def test_a_mandatory_field_that_is_empty_quarantines_the_line(kind: str, name: str, empty: object) -> None:
    body = TYPES[kind][0] | {name: empty}
    if empty == "left out":
        del body[name]
    assert broken(line(kind, body=body)) == [(f"line 1, body.{name}", "required")]


def test_spaces_are_empty() -> None:
    assert broken(line("Goal", body={"text": "  "})) == [("line 1, body.text", "required")]


@pytest.mark.parametrize("kind", ONE_OF)
def test_of_some_fields_one_must_be_filled(kind: str) -> None:
    names = ONE_OF[kind]
    body = {name: value for name, value in TYPES[kind][0].items() if name not in names}
    assert broken(line(kind, body=body)) == [(f"line 1, body.{names[0]}", "required")]
    for name in names:
        value = "none_known" if name == "assertion" else "Something"
        assert broken(line(kind, body=body | {name: value})) == []


@pytest.mark.parametrize("name", ["type", "uid", "version", "status", "subject", "date", "body"])
def test_a_line_without_its_envelope_is_quarantined(name: str) -> None:
    assert broken(line("Risk") | {name: None}) == [(f"line 1, {name}", "required")]


@pytest.mark.parametrize("name", ["at", "type", "by", "system"])
def test_a_line_without_its_change_is_quarantined(name: str) -> None:
    assert broken(line("Risk", change={name: ""})) == [(f"line 1, change.{name}", "required")]
    assert (f"line 1, change.{name}", "required") in broken(line("Risk") | {"change": None})


BAD: dict[str, tuple[Line, str, str]] = {
    "an unknown type": (line("Risk") | {"type": "Mood"}, "type", "code"),
    "a type in small letters": (line("Risk") | {"type": "risk"}, "type", "code"),
    "a version in words": (line("Risk") | {"version": "3"}, "version", "count"),
    "half a version": (line("Risk") | {"version": 1.5}, "version", "count"),
    "a version below nought": (line("Risk") | {"version": -1}, "version", "count"),
    "a version beyond every database": (line("Risk") | {"version": 2**31}, "version", "count"),
    "an unknown status": (line("Risk") | {"status": "live"}, "status", "code"),
    "an unknown sensitivity": (line("Risk") | {"sensitivity": "secret"}, "sensitivity", "code"),
    "a day of the UK": (line("Risk") | {"date": "30/03/2026"}, "date", "date"),
    "a time that is none": (line("Risk") | {"time": "25:00"}, "time", "clock"),
    "a change at no time": (line("Risk", change={"at": "yesterday"}), "change.at", "moment"),
    "a body that is text": (line("Risk") | {"body": "Falls"}, "body", "required"),
    "a number for text": (line("Goal", body={"text": 7}), "body.text", "text"),
    "a day that does not exist": (line("Risk", body={"category": "a", "start": "2026-02-30"}), "body.start", "date"),
    "a year for a birth date": (subject(birth_date="1941"), "body.birth_date", "date"),
    "a name of one text": (subject(names=["Ann Ash"]), "body.names", "names"),
    "a name without a family": (subject(names=[{"given": "Ann"}]), "body.names", "names"),
    "an NHS number that is a number": (subject(nhs_number=int(NUMBER)), "body.nhs_number", "text"),
    "an unknown NHS number status": (subject(nhs_status="1"), "body.nhs_status", "code"),
    "yes in words": (line("Safeguarding", body={"identified": "2026-03-01", "gp_informed": "yes"}),
                     "body.gp_informed", "flag"),
    "an unknown harm": (line("Incident", body=TYPES["Incident"][0] | {"harm": "some"}), "body.harm", "code"),
    "an unknown kind of decision": (line("Legal", body={"kind": "DNR", "made_on": "2026-01-01"}), "body.kind", "code"),
    "an unknown authority": (line("Proxy", body={"name": "Sam", "authority": ["LPA-HW", "LPA"]}),
                             "body.authority", "code"),
    "beds in words": (line("Occupancy", body={"at": "2026-03-30", "beds": "40"}), "body.beds", "count"),
    "a person who is about another": (subject() | {"subject": "SU-2"}, "subject", "form"),
    "a uid of 300 letters": (line("Risk", "u" * 300), "uid", "length"),
    "a system with a slash": (line("Risk", change={"system": "a/b"}), "change.system", "form"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_said_with_its_place_and_rule(what: str) -> None:
    said, name, rule = BAD[what]
    assert broken(said) == [(f"line 1, {name}", rule)]
    assert len(row(said).key) <= 300
    if what != "a person who is about another":
        assert row(said).local_id in ("Subject/SU-1", "")  # whose sections may lack something


@pytest.mark.parametrize("body", [b"", b"7", b"[]", b"{", b'{"a": \xff}', b'{"a": "\\ud800"}', b"[" * 99_999, b"NaN"])
def test_what_is_no_object_is_quarantined(body: bytes) -> None:
    assert [issue.path for issue in row_of(body, 7).issues] == ["line 7"]
    assert row_of(body, 7).body == body


@pytest.mark.parametrize("nul", ["\\u0000", "\0"])
def test_a_nul_is_no_text(nul: str) -> None:
    (issue,) = row_of(json.dumps(line("Risk")).replace("Falls", nul).encode(), 1).issues
    assert issue.rule == "encoding"


def test_fields_that_nobody_asked_for_are_kept_and_not_read() -> None:
    made = row(line("Risk", body=TYPES["Risk"][0] | {"colour": {"deep": [1]}}, extra=1))
    assert made.issues == ()
    assert b"colour" in made.body


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_value_in_any_field_ends_in_a_row(data: st.DataObject) -> None:
    said = line(data.draw(st.sampled_from(list(TYPES))))
    fields = types()[said["type"]]
    for name in data.draw(st.lists(st.sampled_from(["subject", "status", "date", "change", "absent", "body"]))):
        said[name] = data.draw(ODD)
    if isinstance(said["body"], dict):
        said["body"] = dict(said["body"])
        for name in data.draw(st.lists(st.sampled_from([*fields.must, *fields.may]), max_size=3)):
            said["body"][name] = data.draw(ODD)
    made = row(said)
    assert made.issues or made.version == 1
    assert made.entry is None or len(made.entry.title) <= 300


# -- people -------------------------------------------------------------------------------------------


def test_a_subject_says_who_a_person_is() -> None:
    said = subject(
        names=[*NAMES, {"use": "preferred", "family": "Ash", "given": "Annie"}],
        nhs_number=f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}",
        nhs_status="01",
        gender={"code": "2", "text": "Female"},
        addresses=[
            {"use": "old", "lines": ["9 Old Row"], "postcode": "ZZ99 3AB"},
            {"use": "home", "lines": ["Example House", "Quay Road"], "postcode": "ZZ99 3AA"},
        ],
        death_date="2026-03-01",
    )
    assert row(said).details == DetailsRow(
        nhs_number=NUMBER,
        nhs_number_status="01",
        family_name="Ash",
        given_name="Ann May",
        title="Mrs",
        preferred_name="Annie",
        birth_date=date(1941, 3, 3),
        death_date=date(2026, 3, 1),
        dead=True,
        gender="female",
        address=("Example House", "Quay Road", "ZZ99 3AA"),
    )


def test_a_number_that_cannot_be_one_is_left_out_and_a_sensitive_person_is_restricted() -> None:
    made = row(subject(nhs_number="9990001015") | {"sensitivity": "restricted"}).details
    assert made is not None
    assert (made.nhs_number, made.restricted) == ("", True)


# -- lines --------------------------------------------------------------------------------------------


def test_a_line_has_its_moment_its_words_and_its_place_at_the_top() -> None:
    made = entry("Risk", body=TYPES["Risk"][0] | {"text": "Two falls", "end": "2026-04-30"}, time="14:10")
    assert made.moment is not None
    assert (made.moment.at, made.moment.precision) == (datetime(2026, 3, 30, 13, 10, tzinfo=UTC), "minute")
    assert made.until_at == datetime(2026, 4, 30, 22, 59, 59, tzinfo=UTC)
    assert (made.kind, made.title, made.banner) == ("Risk", "Risk: Falls", "problem")
    assert made.detail == "Two falls. Since 1 January 2026. Until 30 April 2026"


def test_a_measurement_is_shown_as_it_was_sent() -> None:
    sent = json.dumps(line("Observation")).replace("61.5,", "61.50,").encode()
    made = row_of(sent, 1).entry
    assert made is not None
    assert made.detail == "61.50 kg"
    assert entry("Observation", {"code": "pain", "value": "3 of 10"}).detail == "3 of 10"


BANNER: dict[str, tuple[str, Line, str, str]] = {
    "an allergy": ("Allergy", {"agent": "Penicillin"}, "allergy", "Penicillin"),
    "none known": ("Allergy", {"assertion": "none_known"}, "no_allergy", "No known allergies"),
    "none known by its code": (
        "Allergy",
        {"agent": {"code": "716186003", "text": "No known allergy"}},
        "no_allergy",
        "No known allergies",
    ),
    "none known in words": ("Allergy", {"agent": "No known allergies"}, "no_allergy", "No known allergies"),
    "no drug allergy": ("Allergy", {"agent": "No known drug allergies"}, "allergy_part", "No known drug allergies"),
    "no food allergy": ("Allergy", {"agent": {"code": "429625007"}}, "allergy_part", "No known food allergies"),
    "not asked": ("Allergy", {"assertion": "not_asked"}, "no_list", "Allergies: not asked"),
    "not available": ("Allergy", {"assertion": "unavailable"}, "no_list", "Allergies: information not available"),
    "an allergy and none known": ("Allergy", {"agent": "Nuts", "assertion": "none_known"}, "allergy", "Nuts"),
    "a medicine": ("MedicationItem", {"code": "39113611000001102", "text": "Ramipril"}, "medicine", "Ramipril"),
    "a need": ("Need", {"category": "mobility"}, "problem", "Need: mobility"),
    "an alert": ("Alert", {"code": "dog", "status": "active"}, "alert", "Dog"),
    "an alert of before": ("Alert", {"code": "dog", "status": "no_longer_needed"}, "", "Dog"),
    "safeguarding": ("Safeguarding", {"identified": "2026-03-01"}, "alert", "Safeguarding concern"),
    "ReSPECT": ("Legal", TYPES["Legal"][0], "alert", "ReSPECT plan: DNACPR"),
    "CPR without a decision": ("Legal", {"kind": "CPR", "made_on": "2026-01-01"}, "alert", "CPR decision"),
    "DoLS": ("Legal", {"kind": "DoLS", "made_on": "2026-01-01", "decision": "authorised"}, "alert", "DoLS: authorised"),
    "DoLS refused": ("Legal", {"kind": "DoLS", "made_on": "2026-01-01", "decision": "refused"}, "", "DoLS: refused"),
    "LPA for health": (
        "Legal",
        {"kind": "LPA", "made_on": "2026-01-01", "decision": "LPA-HW"},
        "alert",
        "Lasting power of attorney for health and welfare",
    ),
    "an attorney for health": ("Proxy", TYPES["Proxy"][0], "alert", "Attorney for health and welfare: Sam Ash"),
    "a son": ("Proxy", {"name": "Sam Ash", "relationship": "son"}, "", "Sam Ash"),
}


@pytest.mark.parametrize("what", BANNER)
def test_what_must_be_known_at_once_stands_at_the_top(what: str) -> None:
    kind, body, banner, title = BANNER[what]
    made = entry(kind, body)
    assert (made.banner, made.title) == (banner, title)
    ended = entry(kind, body, status="inactive")
    assert (ended.banner, ended.title) == ("", title)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Legal", {"kind": "LPA", "made_on": "2026-01-01", "decision": "Property and financial affairs"}),
        ("Legal", {"kind": "LPA", "made_on": "2026-01-01", "decision": "LPA-PF"}),
        ("Legal", {"kind": "LPA", "made_on": "2026-01-01"}),
        ("Proxy", {"name": "Sam Ash", "authority": "LPA-PF"}),
        ("Proxy", {"name": "Sam Ash", "authority": "deputy"}),
        ("Proxy", {"name": "Sam Ash", "authority": "appointee"}),
    ],
)
def test_an_attorney_for_money_never_reads_as_one_for_health(kind: str, body: Line) -> None:
    made = entry(kind, body)
    assert "health" not in f"{made.title} {made.detail}".lower()
    assert "welfare" not in f"{made.title} {made.detail}".lower()


def test_an_attorney_for_both_is_shown_as_one_for_health() -> None:
    made = entry("Proxy", {"name": "Sam Ash", "authority": ["LPA-PF", "LPA-HW"]})
    assert (made.title, made.banner) == ("Attorney for health and welfare: Sam Ash", "alert")


def test_an_authorisation_that_expired_is_over() -> None:
    body = {"kind": "DoLS", "made_on": "2025-01-01", "decision": "authorised"}
    assert entry("Legal", body | {"expires_on": "2025-12-31"}).until_at == datetime(
        2025, 12, 31, 23, 59, 59, tzinfo=UTC
    )
    assert "No end was given" in entry("Legal", body).detail


def test_a_safeguarding_concern_tells_nothing_of_itself() -> None:
    body = TYPES["Safeguarding"][0] | {"text": "Bruising", "code": "physical", "comment": "Bruising"}
    made = entry("Safeguarding", body)
    assert made.detail.endswith("GP informed: yes")
    assert "ruising" not in repr(made)
    assert "physical" not in repr(made)


def test_daily_notes_and_sensitive_lines_are_restricted() -> None:
    assert entry("DailyNote").sensitivity == "restricted"
    assert entry("Need", sensitivity="very_restricted").sensitivity == "restricted"
    assert entry("Need", sensitivity="sexual_health").sensitivity == "sexual_health"
    assert not entry("Need").sensitivity


def test_what_was_done_as_planned_makes_no_line() -> None:
    for kind, done in (("Action", "done"), ("MedicationAdministration", "given")):
        made = row(line(kind, body=TYPES[kind][0] | {"outcome": done}))
        assert (made.issues, made.entry) == ((), None)


def test_what_was_not_given_is_never_shown_as_none() -> None:
    made = entry("Allergy", {}, absent="declined to answer")
    assert (made.title, made.detail, made.banner) == ("Allergy: not given", "declined to answer", "")
    known = entry("Allergy", absent="severity not known")
    assert (known.title, known.banner) == ("Penicillin", "allergy")
    assert broken(line("Allergy", body={"agent": 7}, absent="x")) == [("line 1, body.agent", "coded")]
    assert broken(subject(names=None) | {"absent": "unknown"}) == [("line 1, body.names", "required")]


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind not in NOBODYS])
def test_what_was_entered_in_error_goes_whatever_else_it_holds(kind: str) -> None:
    made = row(line(kind, body={}, status="entered_in_error"))
    assert made.issues == ()
    assert (made.details, made.entry) == ((DetailsRow(), None) if kind == "Subject" else (None, EntryRow()))


def test_an_alert_entered_in_error_in_its_body_goes_too() -> None:
    assert entry("Alert", {"text": "Dog", "status": "entered_in_error"}) == EntryRow()


def test_a_stay_says_where_the_person_lives_until_they_leave() -> None:
    here = entry("Stay")
    gone = entry("Stay", {"admitted_at": "2025-12-01", "discharged_at": "2026-03-01T10:00:00Z", "to": "hospital"})
    assert (here.title, here.until_at) == ("Lives in the care home", None)
    assert (gone.title, gone.until_at) == ("Lived in the care home", datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert gone.detail == "Left 1 March 2026, 10:00. Went to: hospital"


def test_the_same_line_is_read_the_same_however_it_is_written() -> None:
    said = line("Risk")
    other = json.dumps(dict(reversed(said.items())), indent=1, ensure_ascii=False).replace("\n", " ").encode()
    assert replace(row_of(other, 1), body=b"") == replace(row(said), body=b"")
