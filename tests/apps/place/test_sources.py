"""Directory files of every kind are told by their content, said in neutral rows, and refused in words."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.place.kinds import EARLIEST, FORMS, KINDS
from joinery.apps.place.sources import UnreadableFile, cqc, lookups, open_source
from joinery.apps.place.sources.ods_rules import rules
from tests.apps.place.source_files import Put, only, opened, said


@pytest.fixture
def put(tmp_path: Path) -> Put:
    return partial(opened, tmp_path)


# ---------------------------------------------------------------- what is no directory file


UNREADABLE = {
    "nothing": (b"", "empty"),
    "a mark and blanks": (b"\xef\xbb\xbf \r\n", "empty"),
    "a workbook": (b"PK\x03\x04" + bytes(200), "save it as CSV"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(200), "save it as CSV"),
    "a gzip": (b"\x1f\x8b\x08" + bytes(9), "Unpack it"),
    "a PDF": (b"%PDF-1.7\n", "PDF"),
    "XML": (b"<?xml version='1.0'?><Manifest/>", "XML"),
    "UTF-16": ("LSOA21CD,LAD24CD\nE01000001,E09000001\n".encode("utf-16"), "not UTF-8"),
    "UTF-16 without a mark": ("LSOA21CD,LAD24CD\nE01000001,E09000001\n".encode("utf-16-le"), "not UTF-8"),
    "a shopping list": (b"milk,2\nbread,1\n", "milk"),
    "a line without end": (b"a," * 2_000_000, "longer than 1 MB"),
    "broken JSON": (b'[{"Organisation": ', "not whole JSON"),
    "an empty array": (b"[]", "no record"),
    "JSON of something else": (b'{\n "hello": 1\n}', "no record of ODS"),
    "search results of ODS": (
        b'{"Organisations": [{"Name": "A TRUST", "OrgId": "R0Z", "OrgLink": "https://example.org/R0Z"}]}',
        "list of search results",
    ),
    "CQC without the provider": (
        b"Location ID,Location HSCA start date,Care home?,Location Name,Location Postal Code\n1-100000001,,N,A,\n",
        "lacks these columns: Provider ID",
    ),
    "CQC's ratings": (b"Location ID,Location Name,Domain,Latest Rating\n1-100000001,A,Safe,Good\n", "file of ratings"),
    "an LSOA without a body": (b"LSOA21CD,LSOA21NM\nE01000001,A\n", "a body and its year"),
    "postcodes without an LSOA": (b"pcds,dointr,doterm\nTQ2 7AA,198001,\n", "LSOA21"),
    "columns that stand twice": (b"LSOA21CD,LAD24CD,LAD24CD\nE01000001,E09000001,E09000001\n", "stand twice: lad24cd"),
    "an extract of ODS under another name": (
        b"R0Z,A TRUST" + b"," * 9 + b"19930401" + b"," * 16 + b"\n",
        "etr.csv",
    ),
}


@pytest.mark.parametrize(("content", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(put: Put, content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        list(put("given.csv", content).rows)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"away\.csv cannot be opened"):
        open_source(tmp_path / "away.csv")


HEADS = (
    b"",
    b"LSOA21CD,LAD24CD\n",
    b"pcds,lsoa21,dointr,doterm\n",
    b"Location ID,Location Name,Location HSCA start date,Care home?,Provider ID,Location Postal Code\n",
    b'{"Organisation":{"OrgId":{"extension":"R0Z"},"Name":"A","Roles":{"Role":[]}',
    b"[",
    b"[[organisation]]\ncode = ",
    b"R0Z,A,,,,,,,,,19930401,,,,,,,,,,,,,,,,\n",
)


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from(HEADS),
    tail=st.one_of(st.binary(max_size=300), st.text('[]{}",:\n\r\0aE01=\\u', max_size=200).map(str.encode)),
    name=st.sampled_from(["given", "etr.csv", "one.toml"]),
)
def test_whatever_the_bytes_only_unreadable_file_is_raised(head: bytes, tail: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(head + tail)
        try:
            opened = open_source(path)
            rows = list(opened.rows)
            postcodes = list(opened.postcodes)
        except UnreadableFile as unreadable:
            assert len(str(unreadable)) > 20
            return
    for row in rows:
        assert not (row.issues and row.sayings)
        assert "\0" not in row.body
        for saying in row.sayings:
            assert saying.kind in KINDS
            assert saying.code
            assert "\0" not in saying.value
            json.dumps(dict(saying.detail), allow_nan=False)
    for postcode in postcodes:
        assert postcode.issues or (postcode.postcode and postcode.lsoa)


# ---------------------------------------------------------------- rows that go aside


LOOKUP = "LSOA21CD,LAD24CD,LAD24NM\n"


def test_bad_rows_go_aside_with_their_text_and_the_rest_goes_on(put: Put) -> None:
    lines = [
        "E01000001,E09000001,City of London",
        "E01000002,E09000001",
        "E01000003,E09000001,City of London,more",
        "LSOA 4,E09000001,City of London",
        "E01000005,Nine,City of London",
        'E01000006,E09000001,"City of London',
        "E01000007,E09000001,City\0of London",
        "",
        "E01000008,E09000001,City of London,,",
    ]
    rows = list(put("lookup.csv", LOOKUP + "\r\n".join(lines) + "\r\n").rows)
    assert [bool(row.issues) for row in rows] == [False, True, True, True, True, True, True, False]
    words = ("", "has 2 cells", "has 4 cells", "'LSOA 4' is not", "'Nine' is not", "not valid CSV", "not text", "")
    for row, word in zip(rows, words, strict=True):
        assert word in "".join(row.issues)
        assert not row.issues or f"Row {row.position}" in row.issues[0]
    assert rows[4].body == lines[4] + "\r\n"
    taken = [each.value for row in rows for each in row.sayings if each.kind == "area"]
    assert taken == ["E01000001", "E01000008"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_any_delimiter_and_either_encoding_reads_the_same(put: Put, mark: str, encoding: str) -> None:
    text = f'LSOA21CD{mark}LAD24CD{mark}LAD24NM\nW01000001{mark}W06000001{mark}"Ynys Môn{mark} Anglesey"\n'
    opened = put("lookup.csv", text.encode(encoding))
    assert only(list(opened.rows), "W06000001", "name").value == f"Ynys Môn{mark} Anglesey"
    assert ("Windows-1252" in opened.note) == (encoding == "cp1252")


def test_a_cell_with_line_breaks_is_one_row_and_a_formula_is_text(put: Put) -> None:
    rows = list(put("lookup.csv", LOOKUP + 'E01000001,E09000001,"=1+1\nand more"\n').rows)
    assert only(rows, "E09000001", "name").value == "=1+1\nand more"


# ---------------------------------------------------------------- definitions that ship beside the readers


def test_the_definitions_name_only_forms_and_relations_that_the_directory_knows() -> None:
    ods = rules()
    forms = [rule.form for rule in ods.form]
    forms += [form for each in ods.extract for form in (each.form, *each.setting.values())]
    forms += [rule.form for each in ods.extract for rule in each.when]
    forms += [*cqc.definition().category.values(), *cqc.definition().type.values(), *cqc.definition().services.values()]
    forms += [level.form for level in lookups.definition().level if level.form]
    forms += lookups.definition().councils.values()
    assert set(forms) <= FORMS.keys()
    assert {each.parent for each in ods.extract if each.parent} <= {
        name for name, kind in KINDS.items() if kind.relation
    }
    fields = cqc.definition().columns.keys()
    assert all(set(file.needs) <= fields for file in cqc.definition().file)


# ---------------------------------------------------------------- lookups of ONS


def test_a_lookup_of_lsoas_gives_areas_bodies_and_nesting_by_ods_code(put: Put) -> None:
    opened = put(
        "given.csv",
        "FID,LSOA11CD,LSOA11NM,LOC22CD,LOC22CDH,LOC22NM,ICB22CD,ICB22CDH,ICB22NM,LAD22CD,LAD22NM\n"
        "1,E01000001,A,E38000001,15Z,Wex ICB - 15Z,E54000001,QZ1,Wex ICB,E07000001,North Wex\n"
        "2,E01000002,B,E38000001,15Z,Wex ICB - 15Z,E54000001,QZ1,Wex ICB,E06000001,South Wex\n",
    )
    rows = list(opened.rows)
    assert (opened.mode, opened.on, opened.source) == ("snapshot", date(2022, 7, 1), "ons:lsoa+icb+lad+sub_icb")
    assert [each.value for each in said(rows, "15Z", "area")] == ["E01000001", "E01000002"]
    assert only(rows, "15Z", "form").value == "sub_icb"
    assert only(rows, "15Z", "code").value == "gss:E38000001"
    assert only(rows, "15Z", "part_of").target == "QZ1"
    assert only(rows, "QZ1", "name").value == "Wex ICB"
    assert [only(rows, code, "form").value for code in ("E07000001", "E06000001")] == ["district", "unitary"]
    assert not said(rows, "E07000001", "part_of")
    assert all(each.from_date == EARLIEST for row in rows for each in row.sayings)


def test_the_day_of_a_lookup_is_sure_only_where_all_is_of_one_year(put: Put) -> None:
    assert put("a.csv", "LSOA21CD,ICB22CD,LAD23CD\nE01000001,E54000001,E06000001\n").on is None


def test_vintages_and_names_change_and_the_levels_stay(put: Put) -> None:
    old = put("a.csv", "STP21NM,CCG21NM,CCG21CDH,CCG21CD,STP21CD,LSOA11CD\nW,C,15Z,E38000001,E54000001,E01000001\n")
    new = put("b.csv", "LSOA21CD,SICBL24CD,SICBL24CDH,ICB24CD,ICB24CDH\nE01000001,E38000001,15Z,E54000001,QZ1\n")
    assert old.source == new.source
    assert (old.on, new.on) == (None, None)
    rows = list(old.rows)
    assert [only(rows, code, "form").value for code in ("15Z", "E54000001")] == ["ccg", "stp"]


def test_a_council_that_is_both_tiers_is_said_once(put: Put) -> None:
    lines = "E06000027,Torbay,E06000027,Torbay\nE07000041,Exeter,E10000008,Devon\n"
    rows = list(put("a.csv", "LTLA23CD,LTLA23NM,UTLA23CD,UTLA23NM\n" + lines).rows)
    assert only(rows, "E06000027", "form").value == "unitary"
    assert not said(rows, "E06000027", "part_of")
    assert only(rows, "E07000041", "part_of").target == "E10000008"
    assert only(rows, "E10000008", "form").value == "county"


def test_scotland_says_nothing_and_no_council_is_none(put: Put) -> None:
    lines = "S01000001,S12000033,E10999999\nE01000001,E08000001,E11000001\nE01000002,E06000001,E99999999\n"
    rows = list(put("a.csv", "LSOA21CD,LAD24CD,CTY24CD\n" + lines).rows)
    assert {each.code for row in rows for each in row.sayings} == {"E08000001", "E06000001"}
    assert not [issue for row in rows for issue in row.issues]


def test_of_two_vintages_of_lsoa_the_newest_counts(put: Put) -> None:
    lines = "E01000001,E01000001,U,E06000001\nE01000001,E01030001,S,E06000001\n"
    rows = list(put("a.csv", "LSOA11CD,LSOA21CD,CHGIND,LAD22CD\n" + lines).rows)
    assert [each.value for each in said(rows, "E06000001", "area")] == ["E01000001", "E01030001"]


# ---------------------------------------------------------------- postcodes


def test_postcodes_have_an_lsoa_and_months(put: Put) -> None:
    opened = put(
        "ONSPD.csv",
        'pcd7,pcd8,"pcds",dointr,doterm,oa21,lsoa11,lsoa21,laua\n'
        '"TQ2 7AA","TQ2  7AA","TQ2 7AA",198001,,E00000001,E01000009,E01000001,E06000027\n'
        "EX1 1AA,EX1  1AA,EX1 1AA,201005,201912,E00000001,E01000009,E01000002,E07000041\n"
        "AB1 0AA,AB1  0AA,AB1 0AA,198001,199606,S00000001,S01000001,S01000001,S12000033\n"
        "ZZ9 9ZZ,ZZ9  9ZZ,ZZ9 9ZZ,201005,,,,,\n"
        "TQ2 7A,TQ2  7A,TQ2 7A,198001,,E00000001,E01000009,E01000001,E06000027\n"
        "TQ2 7AB,TQ2  7AB,TQ2 7AB,198013,,E00000001,E01000009,E01000001,E06000027\n"
        "TQ2 7AB,TQ2  7AB,TQ2 7AB,198001,never,E00000001,E01000009,E01000001,E06000027\n"
        "TQ2 7AB,TQ2  7AB,TQ2 7AB,202001,201001,E00000001,E01000009,E01000001,E06000027\n"
        "TQ2 7AB,TQ2  7AB,TQ2 7AB,202001,,E00000001,E01000009,X,E06000027\n",
    )
    rows = list(opened.postcodes)
    assert not list(opened.rows)
    assert [(row.position, row.postcode, row.lsoa, row.from_date, row.to_date) for row in rows[:2]] == [
        (1, "TQ27AA", "E01000001", date(1980, 1, 1), None),
        (2, "EX11AA", "E01000002", date(2010, 5, 1), date(2020, 1, 1)),
    ]
    assert [row.position for row in rows[2:]] == [5, 6, 7, 8, 9]
    words = ("the postcode is none", "dointr is not a month", "doterm is not a month", "ended before", "'X' is not")
    for row, word in zip(rows[2:], words, strict=True):
        assert word in row.issues[0]


@pytest.mark.parametrize(
    "header",
    [
        "pcd,pcd2,pcds,dointr,doterm,usertype,lsoa11",
        "pcd7,pcd8,pcds,dointr,doterm,usertype,lsoa21cd",
        "\ufeffPCD7,PCD8,PCDS,DOINTR,DOTERM,USRTYPIND,LSOA21CD",
        "pcd7,pcd8,pcds,dointr,doterm,oa11cd,lsoa11cd",
    ],
)
def test_the_headers_of_every_postcode_file_are_known(put: Put, header: str) -> None:
    (row,) = put("a.csv", header + "\nTQ2 7AA,TQ2  7AA,TQ2 7AA,1980-01,,0,E01000001\n").postcodes
    assert (row.postcode, row.lsoa, row.from_date, row.issues) == ("TQ27AA", "E01000001", date(1980, 1, 1), ())
