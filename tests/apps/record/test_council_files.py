"""A council's extract: what is wrong with it is said in words, row by row, and nothing is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import process_time

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.record.actions import say_variant
from joinery.apps.record.wording import shown
from joinery.calc.access import Post
from tests.apps.record import sending
from tests.apps.record.sending import COUNCIL, GP, ends, person_row, send

pytestmark = pytest.mark.django_db

PERSON = f"{COUNCIL} person/7"
GOOD = sending.extract("person", [person_row("7")])
HEADER, ROW = GOOD.splitlines(keepends=True)
NAMES = HEADER.decode().strip().split(",")


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def person(**columns: str) -> bytes:
    return sending.extract("person", [person_row("7", **columns)])


def service(local: str = "s1", **columns: str) -> bytes:
    row = {"service_id": local, "person_id": "7", "type": "Home care", "start_date": "2026-01-05"}
    return sending.extract("service", [row | columns])


def alert(local: str = "a1", **columns: str) -> bytes:
    row = {"alert_id": local, "person_id": "7", "code": "DOG", "text": "Large dog", "from": "2026-01-05"}
    return sending.extract("alert", [row | columns])


def without(column: str) -> bytes:
    return GOOD.replace(column.encode(), b"renamed", 1)


UNREADABLE = {
    "nothing": (b"", "empty"),
    "an empty header": (b"\r\n" + ROW, "lacks these columns"),
    "a workbook": (b"PK\x03\x04" + bytes(200), "workbook"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not UTF-8"),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), "not UTF-8"),
    "a header in Latin-1": (GOOD.replace(b"person_id", "person_ïd".encode("latin-1"), 1), "not UTF-8"),
    "semicolons": (GOOD.replace(b",", b";"), "semicolons"),
    "tabs": (GOOD.replace(b",", b"\t"), "tabs"),
    "bars": (GOOD.replace(b",", b"|"), "bars"),
    "no header": (ROW * 2, "lacks these columns"),
    "a renamed key": (without("person_id"), "person_id"),
    "a renamed required column": (without("family_name"), "family_name"),
    "without updated_at": (without("updated_at"), "updated_at"),
    "a column twice": (GOOD.replace(b"ethnicity", b"gender", 1), "twice: gender"),
    "a NUL in the header": (GOOD.replace(b"person_id", b"person_id\0", 1), "U[+]0000"),
    "a line without end": (HEADER + b'7,"' + b"a" * 1_100_000, "longer than 1 MB"),
    "FHIR": (b'{"resourceType": "Patient"}', "lacks these columns"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(what: str, tmp_path: Path) -> None:
    content, words = UNREADABLE[what]
    with pytest.raises(Refused, match=words) as refused:
        send(tmp_path, content, COUNCIL, "person.csv")
    assert str(refused.value).endswith(".")
    assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]
    assert sending.bodies() == sending.bodies("quarantined") == []


def test_a_first_row_that_is_no_header_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Is its first row the header") as refused:
        send(tmp_path, ROW * 2, COUNCIL, "person.csv")
    assert "Ash" not in str(refused.value) and "1941" not in str(refused.value)


READABLE = {
    "with a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "with bare line feeds": GOOD.replace(b"\r\n", b"\n"),
    "with empty lines": GOOD.replace(b"\r\n", b"\r\n\r\n"),
    "with a quoted header": b",".join(b'"%s"' % n.encode() for n in NAMES) + b"\r\n" + ROW,
    "with a header in capitals": HEADER.upper() + ROW,
    "with columns that nobody asked for": HEADER.strip() + b",extra\r\n" + ROW.strip() + b",x\r\n",
    "with columns in another order": b",".join(reversed(HEADER.strip().split(b",")))
    + b"\r\n"
    + b",".join(reversed(ROW.strip().split(b","))),
    "without a last line end": GOOD.rstrip(),
}


@pytest.mark.parametrize("how", READABLE)
def test_what_does_not_matter_does_not_matter(how: str, tmp_path: Path) -> None:
    assert ends(send(tmp_path, READABLE[how], COUNCIL)) == (1, 0, 0, 0)
    assert sending.together() == {frozenset([PERSON])}


BAD_ROWS = {
    "a UK date": (person(birth_date="03/03/1941"), "birth_date", "date", "03/03/1941"),
    "a day that does not exist": (person(birth_date="1941-02-30"), "birth_date", "date", "1941-02-30"),
    "a year alone": (person(birth_date="1941"), "birth_date", "date", "1941"),
    "a time in words": (person(updated_at="yesterday"), "updated_at", "time", "yesterday"),
    "no time of update": (person(updated_at=""), "updated_at", "required", ""),
    "an empty required cell": (person(family_name=""), "family_name", "required", ""),
    "a required cell of spaces": (person(family_name="  "), "family_name", "required", ""),
    "no key": (sending.extract("person", [person_row("")]), "person_id", "required", ""),
    "a code that is none": (person(client_type="friend"), "client_type", "code", "friend"),
    "a code in capitals": (person(restricted="Y"), "restricted", "code", "Y"),
    "deleted in words": (person(deleted="yes"), "deleted", "code", "yes"),
    "a key of 300 letters": (sending.extract("person", [person_row("7" * 300)]), "person_id", "length", "7" * 80),
    "keys that are too long together": (
        sending.extract("person_id", [{"person_id": "7" * 150, "id_type": "LAS", "id_value": "8" * 150}]),
        "id_value",
        "length",
        "",
    ),
    "an unknown audience": (alert(audience="everyone"), "audience", "code", "everyone"),
}


@pytest.mark.parametrize("what", BAD_ROWS)
def test_a_bad_cell_is_quarantined_with_row_column_rule_and_value(what: str, tmp_path: Path) -> None:
    content, column, rule, value = BAD_ROWS[what]
    assert ends(send(tmp_path, content, COUNCIL)) == (0, 0, 0, 1)
    ((body, reasons),) = sending.quarantine()
    assert body == content.split(b"\r\n", 1)[1]
    found = [(r["path"], r["rule"], r["value"]) for r in reasons]
    assert (f"row 1, {column}", rule, value) in found
    assert all(r["message"].endswith(".") for r in reasons)


BAD_LINES = {
    "a cell too few": (ROW.replace(b"Ash,", b"", 1), "columns"),
    "a cell too many": (ROW.replace(b"Ash,", b"Ash,,", 1), "columns"),
    "a comma without quotes": (ROW.replace(b"Ash", b"Ash, Mrs", 1), "columns"),
    "text after a closing quote": (ROW.replace(b"Ash", b'"Ash"x', 1), "csv"),
    "Latin-1": (ROW.replace(b"Ash", "Aßh".encode("latin-1"), 1), "encoding"),
    "Latin-1 in the key": (ROW.replace(b"7", "é".encode("latin-1"), 1), "encoding"),
    "a NUL": (ROW.replace(b"Ash", b"A\0sh", 1), "encoding"),
    "a NUL in the key": (ROW.replace(b"7", b"\0", 1), "encoding"),
    "a cell of 200,000 letters": (ROW.replace(b"Ash", b"A" * 200_000, 1), "csv"),
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_a_bad_line_costs_that_line_only(what: str, tmp_path: Path) -> None:
    bad, rule = BAD_LINES[what]
    good = [ROW.replace(b"7", n, 1) for n in (b"1", b"2")]
    assert ends(send(tmp_path, HEADER + good[0] + bad + good[1], COUNCIL)) == (2, 0, 0, 1)
    ((body, reasons),) = sending.quarantine()
    assert (body, reasons[0]["rule"]) == (bad, rule)
    assert reasons[0]["path"].startswith("row 2")
    assert sending.bodies() == good


def test_an_open_quote_loses_nothing(tmp_path: Path) -> None:
    rows = [ROW.replace(b"Ash", b'"Ash', 1), ROW.replace(b"7", b"8", 1)]
    taken = send(tmp_path, HEADER + b"".join(rows), COUNCIL)
    assert taken.quarantined > 0
    assert sorted(sending.bodies() + sending.bodies("quarantined")) == sorted(rows)


def test_quotes_that_are_never_closed_cost_time_and_memory_by_the_line(tmp_path: Path) -> None:
    rows = 20_000  # each opens a quote that the next one closes, and opens another
    began = process_time()
    taken = send(tmp_path, HEADER + b'a","\n' * rows, COUNCIL)
    assert ends(taken) == (0, 0, 0, rows)
    assert process_time() - began < 60  # it was read for hours before there was a limit


def test_the_first_hours_of_all_time_can_be_shown() -> None:
    assert shown("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00Z"


def test_long_rows_are_staged_in_shorter_runs(tmp_path: Path) -> None:
    notes = [{"note_id": str(n), "person_id": "7", "at": "2026-03-01", "title": "a" * 100_000} for n in range(400)]
    assert ends(send(tmp_path, sending.extract("case_note", notes), COUNCIL)) == (400, 0, 0, 0)
    runs = select("SELECT COUNT(*) FROM base_actionentry WHERE action = 'record.stage'")[0][0]
    assert runs == 10  # 40 MB in runs of 4


@pytest.mark.parametrize("cell", ["=1+1", "=HYPERLINK(x)", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3*cmd|' /C calc'!A0"])
def test_what_a_spreadsheet_would_run_is_quarantined_with_what_to_do(cell: str, tmp_path: Path) -> None:
    content = sending.extract("person", [person_row("7", preferred_name=cell)])
    assert ends(send(tmp_path, content, COUNCIL)) == (0, 0, 0, 1)
    ((_, reasons),) = sending.quarantine()
    assert (reasons[0]["path"], reasons[0]["rule"]) == ("row 1, preferred_name", "formula")
    assert reasons[0]["message"].endswith("Write it as plain text.")


@pytest.mark.parametrize("cell", ["-", "- fell at home", "+44 7700 900123", "@home", "-2.5", "+ve swab"])
def test_what_only_begins_with_a_sign_is_taken(cell: str, tmp_path: Path) -> None:
    content = sending.extract("person", [person_row("7", preferred_name=cell)])
    assert ends(send(tmp_path, content, COUNCIL)) == (1, 0, 0, 0)


def test_line_breaks_and_quotes_are_text_and_bytes_stay(tmp_path: Path) -> None:
    send(tmp_path, GOOD, COUNCIL)
    row = b'k1,7,2026-01-05T10:00:00Z,phone,,"Daughter\r\nsays ""help"", twice",+44 20,,lcs,'
    row += b"2026-01-05T10:00:00Z,0\n"
    header = (
        b"contact_id,person_id,received_at,route,source_org,reason,outcome,outcome_at,source_id,updated_at,deleted\n"
    )
    assert ends(send(tmp_path, header + row, COUNCIL, "contact.csv")) == (1, 0, 0, 0)
    assert sending.bodies()[-1] == row
    (line,) = sending.lines(sending.person_of(PERSON))
    assert 'Daughter\r\nsays "help", twice' in line.detail
    assert "Outcome: +44 20" in line.detail


def test_a_deleted_row_takes_its_line_away(tmp_path: Path) -> None:
    send(tmp_path, GOOD, COUNCIL)
    send(tmp_path, service(), COUNCIL)
    assert sending.titles(PERSON) == ["Home care"]
    gone = {"updated_at": "2026-03-31T06:00:00Z", "deleted": "1"}
    assert ends(send(tmp_path, service(**gone), COUNCIL)) == (1, 0, 0, 0)
    assert sending.titles(PERSON) == []
    assert ends(send(tmp_path, service(updated_at="2026-03-29T06:00:00Z"), COUNCIL)) == (0, 0, 1, 0)
    assert sending.titles(PERSON) == []


def test_a_person_deleted_at_the_source_says_nothing_of_anybody_any_more(tmp_path: Path) -> None:
    # Given a person whom the council and the practice know
    number = sending.nhs_number(7)
    known = {"family": "Ash", "given": "Ann", "born": "1941-03-03"}
    send(tmp_path, sending.ndjson([sending.patient("1", number, **known)]))
    send(tmp_path, person(nhs_number=number), COUNCIL)
    send(tmp_path, service(), COUNCIL)
    her = sending.person_of("Z90001 Patient/1")
    assert sending.person_of(PERSON) == her
    # When the council deletes its record of her
    send(tmp_path, person(nhs_number=number, updated_at="2026-03-31T06:00:00Z", deleted="1"), COUNCIL)
    # Then she stays who she was, without what the council had said
    assert sending.person_of("Z90001 Patient/1") == her
    assert sending.person_of(PERSON) != her
    assert [line.title for line in sending.lines(her)] == []


@pytest.mark.parametrize(("to", "state"), [("", "present"), ("2026-03-31", "present"), ("2026-03-30", "none_recorded")])
def test_an_alert_stands_until_the_end_of_its_last_day(to: str, state: str, tmp_path: Path) -> None:
    send(tmp_path, GOOD, COUNCIL)
    send(tmp_path, alert(to=to), COUNCIL, "alert.csv")
    viewing, records = sending.opened(sending.person_of(PERSON))
    sources = sending.facts.freshness(viewing, records)
    _, alerts, *_ = sending.facts.safety(viewing, records, sources)
    assert alerts.state == state


def test_what_is_restricted_is_withheld_from_others_and_shown_at_home(tmp_path: Path) -> None:
    number = sending.nhs_number(1)
    ann = sending.patient("a", number, "Ash", "Ann", "1941-03-03")
    send(tmp_path, sending.ndjson([ann]))
    kept = person_row("7", number, restricted="1", address_1="1 Quay Street")
    send(tmp_path, sending.extract("person", [kept]), COUNCIL)
    send(tmp_path, alert(audience="social_care"), COUNCIL, "alert.csv")
    found = sending.person_of(PERSON)
    for post, state, title, address in (
        (Post("social_worker", COUNCIL), "present", "Large dog", ("1 Quay Street",)),
        (Post("gp", GP), "withheld", "", ()),
    ):
        viewing, records = sending.opened(found, post)
        _, alerts, *_ = sending.facts.safety(viewing, records)
        banner = sending.facts.banner(viewing, records)
        (line,) = sending.lines(found, post)
        assert (alerts.state, line.title, line.withheld) == (state, title, not title)
        assert (banner.address_lines, banner.address_withheld) == (address, not address)
        if not title:
            assert "dog" not in repr((alerts, line, banner)).lower()
            assert sending.facts.origin(viewing, records, line.entry_id) is None


SNIPPETS = [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xc3", b"PK", b'""', b"=1", b";", b"\xef\xbb\xbf", b"\x1f\x8b"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file of three rows with up to five pieces cut out, doubled or put in."""
    content = HEADER + b"".join(ROW.replace(b"7", b"%d" % n, 1) for n in range(3))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        put = draw(st.sampled_from([b"", content[start:end] * 2, *SNIPPETS]) | st.binary(max_size=8))
        content = content[:start] + put + content[end:]
    return content


@settings(deadline=None, max_examples=100)
@given(content=mutated() | st.binary(max_size=300), sender=st.sampled_from([COUNCIL, GP]))
def test_any_bytes_are_taken_quarantined_or_refused(content: bytes, sender: str) -> None:
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        sending.register()
        try:
            taken = send(Path(folder), content, sender)
            kept = taken.taken + taken.superseded + taken.quarantined
        except Refused:
            kept = 0
            assert select("SELECT COUNT(*) FROM record_submission") == [(0,)]
        bodies = sending.bodies() + sending.bodies("quarantined")
        assert len(bodies) == kept
        assert all(body in content for body in bodies)
        transaction.set_rollback(True)


def other_number(local: str, replaced_by: str, updated: str, deleted: str = "0") -> bytes:
    row = {"person_id": local, "id_type": "old system", "id_value": f"L{local}", "replaced_by": replaced_by}
    return sending.extract("person_id", [row | {"updated_at": updated, "deleted": deleted}])


def test_a_person_id_that_was_replaced_is_one_person_by_a_chain_and_apart_again(tmp_path: Path) -> None:
    # Given three people of the council, who are one though nothing says so
    names = (("Ash", "Ann", "1941-03-03"), ("Birch", "Beth", "1952-07-19"), ("Cole", "Cath", "1963-11-30"))
    said = {
        n: {"family_name": family, "given_names": given, "birth_date": born}
        for n, (family, given, born) in zip("123", names, strict=True)
    }
    send(tmp_path, sending.extract("person", [person_row(n, **who) for n, who in said.items()]), COUNCIL)
    one, two, three = (f"{COUNCIL} person/{n}" for n in said)
    apart = {frozenset([each]) for each in (one, two, three)}
    assert sending.together() == apart
    # When 1 is replaced by 2, and 2 by 3
    send(tmp_path, other_number("1", "2", "2026-03-01T09:00:00Z"), COUNCIL)
    send(tmp_path, other_number("2", "3", "2026-03-02T09:00:00Z"), COUNCIL)
    assert sending.together() == {frozenset([one, two, three])}
    # Then the same again changes nothing, and a row that takes it back parts them
    assert ends(send(tmp_path, other_number("1", "2", "2026-03-01T09:00:00Z"), COUNCIL)) == (0, 1, 0, 0)
    send(tmp_path, other_number("1", "", "2026-03-03T09:00:00Z"), COUNCIL)
    assert sending.together() == {frozenset([one]), frozenset([two, three])}
    send(tmp_path, other_number("2", "3", "2026-03-04T09:00:00Z", deleted="1"), COUNCIL)
    assert sending.together() == apart


def test_a_slash_in_a_key_makes_no_two_things_one(tmp_path: Path) -> None:
    parts = [("7", "A/B", "C"), ("7", "A", "B/C"), ("7/A", "B", "C"), ("7", "A~1B", "C")]
    rows = [{"person_id": p, "id_type": t, "id_value": v} for p, t, v in parts]
    assert ends(send(tmp_path, sending.extract("person_id", rows), COUNCIL)) == (4, 0, 0, 0)
    send(tmp_path, service("S/1"), COUNCIL)
    keys = {key for (key,) in select("SELECT key FROM record_item")}
    # Keys are landed data: of one column as they are.
    assert len(keys) == 5 and "service/S/1" in keys


LIQUID = """
name = "Liquid"
day_first = true
delimiter = ";"
encoding = "cp1252"
columns = { person_id = "Client Ref", family_name = "Surname" }
codes = { client_type = { SU = "user" } }
"""


def test_a_suppliers_variant_is_said_and_not_written_as_code(tmp_path: Path) -> None:
    header = "Client Ref;Surname;given_names;birth_date;client_type;source_id;updated_at;deleted"
    rows = (f"{n};Aßh;Ann;3/3/1941;SU;lcs;{at};0\r\n" for n, at in ((7, "30/03/2026 06:00"), (8, "2026-03-30T06:00Z")))
    file = (header + "\r\n" + "".join(rows)).encode("cp1252")
    with pytest.raises(Refused, match="semicolons"):
        send(tmp_path, file, COUNCIL, "person.csv")
    say_variant(feed="council", organisation_code=COUNCIL, text=LIQUID, actor=sending.ACTOR, at=sending.AT)
    assert ends(send(tmp_path, file, COUNCIL, "person.csv")) == (2, 0, 0, 0)
    said = select("SELECT family_name, birth_date FROM record_details")
    assert {(name, str(born)) for name, born in said} == {("Aßh", "1941-03-03")}
    # In London the clocks had gone forward the day before.
    assert {str(at)[:16] for (at,) in select("SELECT stated_at FROM record_itemversion")} == {
        "2026-03-30 05:00", "2026-03-30 06:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 1", "name"),
        ("name = ", "cannot be read"),
        ('name = "x"\ncolours = {}', "colours"),
        ('name = "x"\ncolumns = { shoe_size = "Size" }', "no columns shoe_size"),
    ],
)
def test_a_variant_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        say_variant(feed="council", organisation_code=COUNCIL, text=text, actor=sending.ACTOR, at=sending.AT)
