"""What ODS, CQC and definition files say of bodies: forms over time, successions, premises."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.place.kinds import EARLIEST, Row
from joinery.apps.place.sources import UnreadableFile
from tests.apps.place.source_files import Put, only, opened, period, said


@pytest.fixture
def put(tmp_path: Path) -> Put:
    return partial(opened, tmp_path)


# ---------------------------------------------------------------- ODS, records


def target(code: str) -> dict[str, Any]:
    return {"OrgId": {"root": "2.16", "extension": code}, "PrimaryRoleId": {"id": "RO197", "uniqueRoleId": 1}}


def dates(kind: str, start: str, end: str | None = None) -> dict[str, str]:
    return {"Type": kind, "Start": start} | ({"End": end} if end else {})


def role(code: str, *given: dict[str, str], primary: bool = False) -> dict[str, Any]:
    return {"id": code, "uniqueRoleId": 1, "Date": list(given), "Status": "Active"} | (
        {"primaryRole": True} if primary else {}
    )


def record(code: str, *roles: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {
        "Name": f"BODY {code}",
        "OrgId": {"root": "2.16", "assigningAuthorityName": "HSCIC", "extension": code},
        "Status": "Active",
        "LastChangeDate": "2024-01-01",
        "orgRecordClass": "RC1",
        "Date": [dates("Operational", "1993-04-01")],
        "Roles": {"Role": list(roles)},
    }
    return {"Organisation": made | more}


STP = record(
    "QZ1",
    role("RO261", dates("Operational", "2016-10-01"), primary=True),
    role("RO262", dates("Operational", "2016-10-01", "2022-06-30")),
    role("RO318", dates("Operational", "2022-07-01"), dates("Legal", "2022-07-01")),
    Date=[dates("Operational", "2016-10-01"), dates("Legal", "2022-07-01")],
)


def test_a_body_changes_form_with_its_roles_and_keeps_its_code(put: Put) -> None:
    rows = list(put("a.json", json.dumps(STP)).rows)
    assert [(each.value, *period(each)) for each in said(rows, "QZ1", "form")] == [
        ("stp", date(2016, 10, 1), date(2022, 7, 1)),
        ("icb", date(2022, 7, 1), None),
    ]
    assert period(only(rows, "QZ1", "legal")) == (date(2022, 7, 1), None)
    assert period(only(rows, "QZ1", "open")) == (date(2016, 10, 1), None)
    primary = {each.value: bool(each.detail.get("primary")) for each in said(rows, "QZ1", "role")}
    assert primary == {"RO261": True, "RO262": False, "RO318": False}


FORMS = {
    "nhs_trust": ["RO197"],
    "foundation_trust": ["RO197", "RO57"],
    "care_trust": ["RO107"],
    "ccg": ["RO98"],
    "sub_icb": ["RO98", "RO319"],
    "pct": ["RO179"],
    "care_provider": ["RO104"],
    "care_home": ["RO101", "RO269"],
    "home_care": ["RO101", "RO270"],
    "gp_practice": ["RO177", "RO76"],
    "county": ["RO141", "RO33"],
    "unitary": ["RO141", "RO40"],
    "london_borough": ["RO141", "RO223"],
    "metropolitan_borough": ["RO141", "RO39"],
    "pcn": ["RO272"],
    "hospice": ["RO7"],
    "trust_site": ["RO198"],
    "other": ["RO999"],
}


@pytest.mark.parametrize(("form", "roles"), FORMS.items(), ids=FORMS)
def test_roles_make_the_form_in_any_order(put: Put, form: str, roles: list[str]) -> None:
    made = record("Z01", *(role(code, dates("Operational", "2000-01-01")) for code in reversed(roles)))
    assert only(list(put("a.json", json.dumps(made)).rows), "Z01", "form").value == form


def test_a_last_day_becomes_the_first_day_on_which_it_is_no_more(put: Put) -> None:
    made = record(
        "R0Z",
        role("RO197", dates("Operational", "1993-04-01", "2001-03-31"), primary=True),
        Date=[dates("Operational", "1993-04-01", "2001-03-31")],
        Status="Inactive",
    )
    rows = list(put("a.json", json.dumps(made)).rows)
    assert {period(only(rows, "R0Z", kind)) for kind in ("open", "form", "role")} == {
        (date(1993, 4, 1), date(2001, 4, 1))
    }
    assert period(only(rows, "R0Z", "name")) == (date(1993, 4, 1), None)


def test_both_sides_of_a_succession_say_one_thing_of_the_earlier_body(put: Put) -> None:
    def succession(kind: str, other: str) -> dict[str, Any]:
        succ = {"uniqueSuccId": 1, "Date": [dates("Legal", "2020-04-01")], "Type": kind, "Target": target(other)}
        return {"Succ": [succ]}

    old = record("14Z", role("RO98"), Succs=succession("Successor", "97Z"))
    new = record("97Z", role("RO98"), Succs=succession("Predecessor", "14Z"))
    first, second = put("a.json", json.dumps([old, new])).rows
    assert said([first], "14Z", "succeeded_by") == said([second], "14Z", "succeeded_by")
    assert said([first], "14Z", "succeeded_by")[0].target == "97Z"
    assert said([first], "14Z", "succeeded_by")[0].from_date == date(2020, 4, 1)


def test_relations_and_premises_of_a_record(put: Put) -> None:
    rels = [
        {
            "id": "RE6",
            "uniqueRelId": 1,
            "Date": [dates("Operational", "2014-01-01", "2019-12-31")],
            "Target": target("A1Z"),
        },
        {"id": "RE5", "uniqueRelId": 2, "Date": [dates("Legal", "2015-01-01")], "Target": target("QZ1")},
        {"id": "RE11", "uniqueRelId": 3, "Date": [], "Target": target("QZ2")},
    ]
    place = {"Location": {"AddrLn1": "1 HIGH ST", "Town": "WEX", "PostCode": "TQ2 7AA", "UPRN": 100040000001}}
    made = record("VZ012", role("RO101"), role("RO269"), Rels={"Rel": rels}, GeoLoc=place)
    rows = list(put("a.json", json.dumps(made)).rows)
    operated = only(rows, "VZ012", "operated_by")
    assert (operated.target, *period(operated)) == ("A1Z", date(2014, 1, 1), date(2020, 1, 1))
    assert only(rows, "VZ012", "in_geography_of").target == "QZ1"
    assert "QZ2" not in {each.target for row in rows for each in row.sayings}
    at = only(rows, "VZ012", "premises")
    assert at.value == "uprn:100040000001"
    assert at.detail == {"address": "1 HIGH ST, WEX", "postcode": "TQ27AA"}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_record_an_array_and_lines_of_records_read_the_same(put: Put, indent: int | None) -> None:
    two = [STP, record("R0Z", role("RO197"))["Organisation"]]
    array = put("a", b"\xef\xbb\xbf" + json.dumps(two, indent=indent).encode())
    wrapped = put("b", json.dumps({"Organisations": two}, indent=indent))
    lines = put("c", "\n".join(map(json.dumps, two)) + "\n")
    expected = [row.sayings for row in array.rows]
    assert len(expected) == 2
    assert [row.sayings for row in lines.rows] == expected
    assert [row.sayings for row in wrapped.rows] == expected
    assert (array.mode, array.source) == ("history", "ods")


WRONG = {
    "no name": ({"Name": " "}, "Name is empty"),
    "a name of a control character": ({"Name": "A\0B"}, "U+0000"),
    "a code of another shape": ({"OrgId": {"extension": "r0-z"}}, "not an ODS code"),
    "closed without a day": ({"Status": "Inactive"}, "no End date"),
    "an end before the start": ({"Date": [dates("Operational", "2020-01-01", "2019-01-01")]}, "ends before"),
    "a date that is none": ({"Date": [dates("Operational", "01/04/2020")]}, "not an ODS record"),
    "no roles": ({"Roles": None}, "not an ODS record"),
    "a succession without a day": (
        {"Succs": {"Succ": [{"Type": "Successor", "Target": target("A1Z")}]}},
        "has no date",
    ),
    "a succession of no kind": (
        {"Succs": {"Succ": [{"Type": "Heir", "Date": [dates("Legal", "2020-01-01")], "Target": target("A1Z")}]}},
        "must be Predecessor or Successor",
    ),
}


@pytest.mark.parametrize(("more", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_record_goes_aside_and_the_next_is_taken(put: Put, more: dict[str, Any], words: str) -> None:
    bad = json.dumps(record("R0Z", role("RO197"), **more))
    first, second, third = put("a", f"{bad}\n{{broken\n{json.dumps(STP)}\n").rows
    assert words in first.issues[0]
    assert first.issues[0].startswith("Record 1")
    assert first.body == bad
    assert "Record 2" in second.issues[0]
    assert third.sayings


# ---------------------------------------------------------------- ODS, extracts


def extract_row(code: str, name: str, **cells: str) -> str:
    places = {"open": 10, "close": 11, "status": 12, "parent": 14, "joined": 15, "left": 16, "setting": 25}
    row = [code, name, "Y58", "QZ1", "1 HIGH ST", "", "", "WEX", "", "TQ2 7AA"] + [""] * 17
    for field, cell in cells.items():
        row[places[field]] = cell
    return ",".join(f'"{cell}"' for cell in row) + "\r\n"


def test_an_extract_says_form_role_parent_and_days(put: Put) -> None:
    text = extract_row("L83999", "HIGH ST SURGERY", open="19740401", parent="15Z", joined="20130401", setting="4")
    text += extract_row("L83998", "OUT OF HOURS", open="20100101", close="20201231", parent="15Z", setting="2")
    opened = put("epraccur.csv", text)
    rows = list(opened.rows)
    assert (opened.source, opened.mode) == ("ods:epraccur", "history")
    assert only(rows, "L83999", "form").value == "gp_practice"
    assert only(rows, "L83998", "form").value == "health_service"
    assert period(only(rows, "L83998", "open")) == (date(2010, 1, 1), date(2021, 1, 1))
    parent = only(rows, "L83999", "commissioned_by")
    assert (parent.target, *period(parent)) == ("15Z", date(2013, 4, 1), None)
    assert only(rows, "L83999", "premises").value == "1 high st wex TQ27AA"


def test_the_name_tells_a_foundation_trust_and_when_a_ccg_changed(put: Put) -> None:
    trusts = list(put("etr.csv", extract_row("R0Z", "WEX NHS FOUNDATION TRUST", open="19930401")).rows)
    assert only(trusts, "R0Z", "form").value == "foundation_trust"
    text = extract_row("15Z", "NHS WEX ICB - 15Z", open="20130401") + extract_row("16Z", "NHS WEY CCG", open="20130401")
    rows = list(put("eccg_changes_20250301_to_20250424.csv", text).rows)
    assert [(each.value, *period(each)) for each in said(rows, "15Z", "form")] == [
        ("ccg", date(2013, 4, 1), date(2022, 7, 1)),
        ("sub_icb", date(2022, 7, 1), None),
    ]
    assert only(rows, "16Z", "form").value == "ccg"


def test_an_extract_with_a_header_is_read_by_name(put: Put) -> None:
    text = "Name,Organisation Code,Close Date,Open Date,Parent Organisation Code\nTHE ELMS,VZ012,,20140101,A1Z\n"
    rows = list(put("ecarehomesite.csv", text).rows)
    assert only(rows, "VZ012", "form").value == "care_home"
    assert only(rows, "VZ012", "operated_by").target == "A1Z"


def test_a_wrong_row_of_an_extract_goes_aside(put: Put) -> None:
    text = (
        extract_row("R0Z", "A", open="31/31/2020") + extract_row("r0", "B") + extract_row("R1Z", "C", open="20200101")
    )
    first, second, third = put("etr.csv", text).rows
    assert "is not a date (open)" in first.issues[0]
    assert "'r0' is not an ODS code" in second.issues[0]
    assert third.sayings


def test_the_succession_file(put: Put) -> None:
    opened = put("succ.csv", "5ZZ,15Z,R,20130401,F\n5ZY,15Z,X,soon,\n5ZX,15Z,R,20130401,F\n5ZZ,16Z,R,20130401,F\n")
    rows = list(opened.rows)
    assert [row.position for row in rows if row.sayings] == [3, 1, 4], "all of a body stands together"
    first, second = rows[2], rows[0]
    (edge,) = first.sayings
    assert (edge.code, edge.kind, edge.target, edge.from_date) == ("5ZZ", "succeeded_by", "15Z", date(2013, 4, 1))
    assert edge.detail == {"note": "reconfiguration"}
    assert "'soon' is not a date" in second.issues[0]


# ---------------------------------------------------------------- CQC

ACTIVE = (
    "Location ID,Location HSCA start date,Dormant (Y/N),Care home?,Location Name,Location ODS Code,Care homes beds,"
    "Location Type/Sector,Location Primary Inspection Category,Location Latest Overall Rating,Publication Date,"
    "Location Street Address,Location Address Line 2,Location City,Location County,Location Postal Code,"
    "Location UPRN ID,Brand ID,Brand Name,Provider ID,Provider Name,Service type - Domiciliary care service\n"
)
HOME = (
    "1-100000001,01/10/2010,N,Y,The Elms,VZ012,24,Social Care Org,Residential social care,Good,02/03/2024,"
    "1 High Street,,Wex,,TQ2 7AA,100040000001,-,-,1-200000001,Elms Care Ltd,\n"
)
AGENCY = (
    "1-100000002,2015-05-01 00:00:00,Y,N,Help at Wex,,0,Social Care Org,Community based adult social care services,-,,"
    "2 High Street,,Wex,Devon,TQ2 7AB,,BD1,Help,1-200000001,Elms Care Ltd,Y\n"
)
HOSPITAL = (
    "R0Z01,01/04/2010,N,N,Wex Hospital,,,NHS Healthcare Organisation,Acute hospital - NHS non-specialist,Not Rated,,"
    ",,,,TQ2 7AC,,-,-,R0Z,Wex NHS Trust,\n"
)


def test_active_locations_with_their_provider_and_premises(put: Put) -> None:
    opened = put("01_September_2026_HSCA_Active_Locations.csv", ACTIVE + HOME + AGENCY + HOSPITAL)
    rows = list(opened.rows)
    assert (opened.source, opened.mode, opened.on) == ("cqc", "snapshot", date(2026, 9, 1))
    home, agency, hospital = "1-100000001", "1-100000002", "R0Z01"
    assert [only(rows, code, "form").value for code in (home, agency, hospital)] == [
        "care_home",
        "home_care",
        "trust_site",
    ]
    assert [only(rows, code, "care_home").value for code in (home, agency)] == ["yes", "no"]
    assert period(only(rows, agency, "open")) == (date(2015, 5, 1), None)
    assert only(rows, home, "name").from_date == EARLIEST
    assert only(rows, home, "beds").value == "24"
    assert (only(rows, home, "rating").value, only(rows, home, "rating").detail) == (
        "Good",
        {"published": "2024-03-02"},
    )
    assert not said(rows, agency, "rating")
    assert not said(rows, hospital, "rating")
    assert only(rows, home, "premises").value == "uprn:100040000001"
    assert only(rows, agency, "premises").value == "2 high street wex devon TQ27AB"
    assert only(rows, home, "code").value == "ods:VZ012"
    assert only(rows, home, "operated_by").detail == {}
    assert only(rows, agency, "operated_by").detail == {"brand": "Help"}
    assert only(rows, "1-200000001", "name").value == "Elms Care Ltd"
    assert only(rows, "1-200000001", "form").value == "care_provider"
    assert only(rows, hospital, "operated_by").target == "R0Z"
    assert not said(rows, "R0Z", "name")


def test_the_weekly_directory_below_its_preamble(put: Put) -> None:
    opened = put(
        "directory.csv",
        "CQC Locations data,,,\n,,,\nThis data was produced on 19 August 2026,,,\n,,,\n"
        "Name,Also known as,Address,Postcode,Phone number,Service's website (if available),Service types,"
        "Date of latest check,Specialisms/services,Provider name,Local authority,Region,Location URL,"
        "CQC Location ID (for office use only),CQC Provider ID (for office use only)\n"
        'The Elms,,"1 High Street, Wex",TQ2 7AA,,,Residential homes|Homecare agencies,,,Elms Care Ltd,Wex,South West,,'
        "1-100000001,1-200000001\n"
        "Teeth,,3 High Street,TQ2 7AD,,,Dentist,,,Teeth Ltd,Wex,South West,,1-100000003,1-200000003\n",
    )
    rows = list(opened.rows)
    assert (opened.source, opened.on) == ("cqc:directory", date(2026, 8, 19))
    assert only(rows, "1-100000001", "form").value == "care_home"
    assert only(rows, "1-100000003", "form").value == "health_service"
    assert only(rows, "1-100000001", "premises").value == "1 high street wex TQ27AA"


def test_a_new_owner_stands_at_the_same_door(put: Put) -> None:
    header = ACTIVE.replace("Dormant (Y/N),", "").replace("start date,", "start date,Location HSCA End Date,")
    header = header.replace("Care homes beds", "Care homes beds at point location de-activated")
    ended = "1-100000009,01/10/2010,31/03/2020,Y,Elms House,,20,Social Care Org,Residential social care,Good,,"
    ended += "Elsewhere,,Wex,,TQ2 7AA,100040000001.0,-,-,1-200000009,Old Owner,\n"
    opened = put("01_September_2026_Deactivated_Locations.csv", header + ended)
    old = list(opened.rows)
    new = list(put("active.csv", ACTIVE + HOME).rows)
    assert (opened.source, opened.mode) == ("cqc:deactivated", "history")
    assert only(old, "1-100000009", "premises").value == only(new, "1-100000001", "premises").value
    for kind in ("open", "premises", "operated_by", "beds", "care_home"):
        assert period(only(old, "1-100000009", kind)) == (date(2010, 10, 1), date(2020, 4, 1))


CQC_WRONG = {
    "Row 1: 'one' is not a CQC Location ID": ("1-100000001", "one"),
    "is not a date (start)": ("01/10/2010", "soon"),
    "is not a number of beds": (",24,", ",many,"),
    "It must be Y or N": (",N,Y,", ",N,Perhaps,"),
    "is not a CQC Provider ID": ("1-200000001", ""),
    "the name is empty": ("The Elms", "-"),
}


@pytest.mark.parametrize(("words", "change"), CQC_WRONG.items(), ids=CQC_WRONG)
def test_a_wrong_location_goes_aside(put: Put, words: str, change: tuple[str, str]) -> None:
    first, second = put("a.csv", ACTIVE + HOME.replace(*change) + AGENCY).rows
    assert words in first.issues[0]
    # The provider is said with the first location that is taken.
    assert only([second], "1-200000001", "name").value == "Elms Care Ltd"


# ---------------------------------------------------------------- definitions

DEFINITION = """
title = "Boards of Wex"
certainty = "recalled"

[[organisation]]
code = "QZ1"
names = [{ name = "Wex STP", from = 2016-10-01, to = 2022-07-01 }, { name = "NHS Wex ICB", from = 2022-07-01 }]
forms = [{ form = "stp", to = 2022-07-01 }, { form = "icb", from = 2022-07-01 }]
from = 2016-10-01
to = 2026-04-01
roles = ["RO261", { role = "RO318", from = 2022-07-01 }]
codes = { gss = "E54000099" }
part_of = ["Y58"]
faces = ["E06000099", { code = "E10000099", from = 2023-04-01, certainty = "verified" }]
areas = ["E01000001"]
lead = "A Chair"

[[succession]]
on = 2026-04-01
from = "QZ1"
to = "QZ2"
part = "the north"
share = 0.4
areas = ["E06000099"]
instrument = "transfer scheme"
certainty = "verified"
"""


def test_a_definition_says_all_that_a_body_was(put: Put) -> None:
    opened = put("icbs.toml", DEFINITION)
    rows: list[Row] = list(opened.rows)
    life = (date(2016, 10, 1), date(2026, 4, 1))
    assert (opened.source, opened.title, opened.mode) == ("definition:icbs", "Boards of Wex", "history")
    assert period(only(rows, "QZ1", "open")) == life
    assert [period(each) for each in said(rows, "QZ1", "form")] == [
        (date(2016, 10, 1), date(2022, 7, 1)),
        (date(2022, 7, 1), date(2026, 4, 1)),
    ]
    assert [(each.value, each.to_date) for each in said(rows, "QZ1", "name")][1] == ("NHS Wex ICB", None)
    assert [(each.value, bool(each.detail)) for each in said(rows, "QZ1", "role")] == [
        ("RO261", True),
        ("RO318", False),
    ]
    assert (only(rows, "QZ1", "code").value, only(rows, "QZ1", "area").value) == ("gss:E54000099", "E01000001")
    first, second = said(rows, "QZ1", "faces")
    assert (first.target, first.certainty, *period(first)) == ("E06000099", "recalled", *life)
    assert (second.target, second.certainty, second.from_date) == ("E10000099", "verified", date(2023, 4, 1))
    edge = only(rows, "QZ1", "succeeded_by")
    assert (edge.target, edge.from_date, edge.certainty) == ("QZ2", date(2026, 4, 1), "verified")
    assert edge.detail == {
        "part": "the north",
        "share": 0.4,
        "areas": ["E06000099"],
        "instrument": "transfer scheme",
    }


ENTRIES = {
    'name = "No code"': "code must be there",
    'code = "QZ1"\nform = "board"': "board is not a form",
    'code = "QZ1"\npartof = ["Y58"]': "partof is not known",
    'code = "QZ1"\nfrom = "2020-01-01"': "from must be a date",
    'code = "QZ1"\nfrom = 2020-01-01\nto = 2019-01-01': "before it begins",
    'code = "QZ1"\ncertainty = "sure"': "certainty must be one of",
    'code = "QZ1"\nname = "A\\u0000B"': "U+0000",
    'code = "QZ1"\nowned_by = [{ code = "QZ2", share = nan }]': "cannot be kept",
    f'code = "{"Q" * 41}"': "longer than 40",
}


@pytest.mark.parametrize(("entry", "words"), ENTRIES.items(), ids=ENTRIES.values())
def test_a_wrong_entry_is_named_with_its_file(put: Put, entry: str, words: str) -> None:
    made = put("a.toml", f'[[organisation]]\n{entry}\n[[organisation]]\ncode = "QZ9"\n').rows
    first, second = sorted(made, key=lambda row: row.position)
    assert words in first.issues[0]
    assert first.issues[0].startswith("a.toml, [[organisation]] 1")
    assert second.sayings


SUCCESSIONS = {
    'from = "A1"\nto = "B1"': "on must be there",
    'on = 2026-04-01\nfrom = "A1"\nto = "A1"': "cannot succeed itself",
    'on = 2026-04-01\nfrom = "A1"\nto = "B1"\nshare = 1.5': "from 0 to 1",
    'on = 2026-04-01\nfrom = "A1"\nto = "B1"\nareas = "all"': "list of codes",
    'on = 2026-04-01\nfrom = "A1"\nto = "B1"\nwhy = "law"': "why is not known",
}


@pytest.mark.parametrize(("entry", "words"), SUCCESSIONS.items(), ids=SUCCESSIONS.values())
def test_a_wrong_succession_is_named(put: Put, entry: str, words: str) -> None:
    (row,) = put("a.toml", f"[[succession]]\n{entry}\n").rows
    assert words in row.issues[0]


FILES = {
    "title = ": "not TOML",
    "titel = 'A'\n": "titel is not known",
    "certainty = 'sure'\n": "certainty must be",
    "organisation = 1\n": r"under \[\[organisation\]\]",
    "title = 1\n": "title must be words",
}


@pytest.mark.parametrize(("text", "words"), FILES.items(), ids=FILES.values())
def test_a_wrong_definition_file_is_refused_by_name(put: Put, text: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=rf"a\.toml.*{words}"):
        put("a.toml", text)
