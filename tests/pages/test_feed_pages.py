"""The pages of feeds: what they say, who may see rows, correcting, setting aside, giving back, uploading."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from joinery.apps.base.columns import select
from joinery.apps.base.feeds import feed_of
from joinery.apps.record.fhir.validate import LIBRARY_SAYS
from joinery.site.feeds.glance import RULES
from tests.pages.feed_world import entries, person, quarantined, table, take_people, take_text
from tests.pages.measure import MOST_OF_LIST, statements
from tests.pages.world import COUNCIL, SURGERY, World, patient, person_id
from tests.support import locked

LEAD, WORKER, GP = "integration_lead", "social_worker", "gp"


@pytest.fixture
def lead(world: World) -> Client:
    return world.user(LEAD, COUNCIL, name="Ruth Vale")


@pytest.fixture
def worker(world: World) -> Client:
    return world.user(WORKER, COUNCIL, name="Priya Vale")


def words(answer: Any) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"<(title|desc|svg).*?</\1>", " ", answer.content.decode(), flags=re.S)
    plain = re.sub(r"<[^>]*>", " ", body)
    for mark, letter in (("&#39;", "'"), ("&#34;", '"'), ("&amp;", "&")):
        plain = plain.replace(mark, letter)
    return " ".join(plain.split())


def cells(page: Any) -> dict[str, str]:
    """The fields of the form that corrects a row, by name."""
    return dict(re.findall(r'name="(cell-\d+)" type="text" value="([^"]*)"', page.content.decode()))


def logged(what: str) -> list[tuple[Any, ...]]:
    return select("SELECT purpose, person_id, allowed FROM base_access WHERE what = %s ORDER BY id", [what])


def counted(client: Client, address: str) -> int:
    client.get(address)  # what is kept for a minute is there
    with statements() as ran:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(ran.of_page)


# -- at a glance ----------------------------------------------------------------------------------------


def test_each_source_says_when_it_last_came_how_its_rows_ended_and_what_waits(
    world: World, lead: Client, tmp_path: Path
) -> None:
    take_people(tmp_path, world.at, person("p1"), person("p2", birth_date="soon"))
    said = words(lead.get("/feeds/"))
    assert "For people’s care, shown on their pages" in said and "Vale Council Council case extract" in said
    assert "3 hours ago" in said and "person.csv" in said
    assert "1 taken, 1 quarantined" in said
    assert "1 row of Vale Council" in said
    assert "Late" not in said


def test_a_source_that_is_late_says_so_and_what_to_do(world: World, lead: Client, tmp_path: Path) -> None:
    take_people(tmp_path, world.at - timedelta(days=3), person("p1"))
    said = words(lead.get("/feeds/"))
    assert "Late" in said
    assert "Expected nightly. Ask Vale Council whether its feed has stopped" in said
    source = words(lead.get(f"/feeds/{select('SELECT id FROM record_source')[0][0]}/"))
    assert "one is expected nightly. Ask Vale Council" in source


def test_feeds_that_nobody_sends_and_the_registers_are_told(world: World, lead: Client) -> None:
    said = words(lead.get("/feeds/"))
    assert "Nobody has sent anything yet" in said
    assert "Nobody sends these yet" in said
    assert "CQC register" in said and "Organisation codes (ODS)" in said


def test_a_file_of_resources_is_not_named_for_it_may_bear_the_name_of_a_person(world: World, lead: Client) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"), name="Fenwick_Ada.ndjson")
    source = select("SELECT id FROM record_source")[0][0]
    file = select("SELECT id FROM record_submission")[0][0]
    for address in ("/feeds/", f"/feeds/{source}/", f"/feeds/files/{file}/"):
        assert "Fenwick" not in words(lead.get(address)), address


def test_the_page_of_a_source_says_what_the_feed_is_for_and_how_good_its_rows_were(
    world: World, lead: Client, tmp_path: Path
) -> None:
    for day in range(3):
        take_people(tmp_path, world.at - timedelta(days=day), person(f"p{day}"), person(f"q{day}", birth_date="soon"))
    page = lead.get(f"/feeds/{select('SELECT id FROM record_source')[0][0]}/")
    said = words(page)
    for sentence in ("Lawful basis UK GDPR", "Expected nightly", "Kept 8 years", "3 rows wait to be put right"):
        assert sentence in said, sentence
    assert "birth_date Not a date. Quarantined 1 3" in said
    assert said.count("1 (50.0%)") == 3
    assert "<polyline" in page.content.decode()


def test_columns_that_are_not_read_are_told_with_those_that_are_missing(
    world: World, lead: Client, tmp_path: Path
) -> None:
    taken = take_text(tmp_path, world.at, table([person("p1")]).replace("nhs_number", "nhs_no"))
    said = words(lead.get(f"/feeds/files/{taken.submission_id}/"))
    assert taken.not_read == ("nhs_no",)
    assert "not known here and were not read: nhs_no. It does not have these: nhs_number" in said


# -- who may see rows -----------------------------------------------------------------------------------


def test_a_row_is_shown_to_its_sender_and_to_an_integration_lead_and_each_look_is_logged(
    world: World, lead: Client, worker: Client, tmp_path: Path
) -> None:
    take_people(tmp_path, world.at, person("p1"))
    (row,) = quarantined(take_people(tmp_path, world.at, person("p1", birth_date="soon", family_name="Unseen")))
    about = person_id("person/p1")
    for client in (lead, worker, world.user(LEAD, SURGERY)):
        page = client.get(f"/feeds/quarantine/{row}/")
        assert page.status_code == 200
        assert "Unseen" in page.content.decode()
    assert logged("quarantine") == [("feed_quality", about, True)] * 3
    other = world.user(GP, SURGERY)
    page = other.get(f"/feeds/quarantine/{row}/")
    assert page.status_code == 403
    assert "Unseen" not in page.content.decode()
    assert logged("refused") == [("feed_quality", None, False)]
    assert "It sends nothing here" in words(other.get("/feeds/quarantine/"))
    assert "/feeds/quarantine/?source" not in other.get("/feeds/").content.decode()


def test_the_list_holds_no_value_of_a_row(world: World, lead: Client, tmp_path: Path) -> None:
    take_people(tmp_path, world.at, person("p1", birth_date="9 Feb", family_name="Unseen"))
    said = words(lead.get("/feeds/quarantine/"))
    assert "birth_date is not a date" in said
    for value in ("Unseen", "9 Feb", "p1"):
        assert value not in said


def test_a_row_that_is_none_is_not_found(world: World, lead: Client) -> None:
    for address in (
        "/feeds/quarantine/7/", "/feeds/files/7/", "/feeds/files/7/returned/", "/feeds/7/",
        f"/feeds/{2**63}/", f"/feeds/quarantine/{2**63}/",
    ):  # fmt: skip
        assert lead.get(address).status_code == 404, address
    assert lead.get("/feeds/quarantine/?before=x").status_code == 400


def test_somebody_without_a_post_is_refused_and_not_offered_the_pages(world: World) -> None:
    nobody = world.user("")
    assert 'href="/feeds/"' not in nobody.get("/").content.decode()
    for address in ("/feeds/quarantine/", "/feeds/upload/"):
        assert nobody.get(address).status_code == 403


@pytest.mark.parametrize("role", ["analyst", "staff_manager", "privacy_officer"])
def test_a_role_whose_work_is_no_file_sees_and_sends_none_of_its_own_organisations(
    world: World, role: str, tmp_path: Path
) -> None:
    taken = take_people(tmp_path, world.at, person("p1", birth_date="soon"))
    (row,) = quarantined(taken)
    client = world.user(role, COUNCIL)
    file = f"/feeds/files/{taken.submission_id}/returned/"
    for address in ("/feeds/quarantine/", f"/feeds/quarantine/{row}/", "/feeds/upload/", file):
        answer = client.get(address)
        assert (answer.status_code, "Your role does not include" in words(answer)) == (403, True), address


# -- correcting -----------------------------------------------------------------------------------------


def test_a_row_is_corrected_beside_its_reasons_and_is_taken(world: World, worker: Client, tmp_path: Path) -> None:
    (row,) = quarantined(take_people(tmp_path, world.at, person("p1", birth_date="soon")))
    address = f"/feeds/quarantine/{row}/"
    page = worker.get(address)
    assert "birth_date is not a date. Write it as 2026-03-31" in words(page)
    form = cells(page)
    assert form["cell-4"] == "soon"
    # While it is still wrong, nothing is kept and it says where
    before = entries("record_submission")
    wrong = worker.post(address, form | {"cell-4": "later", "cell-2": ""})
    said = words(wrong)
    assert "There is a problem" in said and "family_name is empty" in said
    assert cells(wrong)["cell-4"] == "later"
    assert entries("record_submission") == before
    # Corrected, it is one taken row of a submission of its own
    assert worker.post(address, form | {"cell-4": "1944-02-09"}).status_code == 302
    assert "Corrected by Priya Vale" in words(worker.get(address))
    assert "The corrected row was taken" in words(worker.get(address))
    assert person_id("person/p1")
    made = "SELECT file_name, rows, taken FROM record_submission ORDER BY id DESC LIMIT 1"
    assert select(made) == [("correction of row 1", 1, 1)]
    assert "Nothing waits" in words(worker.get("/feeds/quarantine/"))
    # Its sender sends the same, mended
    assert take_people(tmp_path, world.at, person("p1", nhs_number="")).unchanged == 1
    assert "Somebody has dealt with this row already" in words(worker.post(address, form))


def test_a_correction_that_is_older_than_what_is_held_says_so(world: World, worker: Client, tmp_path: Path) -> None:
    newer = person("p1", updated_at="2026-02-03T09:00:00Z", family_name="Newer")
    taken = take_people(tmp_path, world.at, newer, person("p1", birth_date="soon"))
    address = f"/feeds/quarantine/{quarantined(taken)[0]}/"
    worker.post(address, cells(worker.get(address)) | {"cell-4": "1944-02-09"})
    assert "The corrected row is older than what is held" in words(worker.get(address))


def test_a_row_that_a_later_file_brought_needs_nothing_more(world: World, worker: Client, tmp_path: Path) -> None:
    (row,) = quarantined(take_people(tmp_path, world.at, person("p1", birth_date="soon")))
    take_people(tmp_path, world.at, person("p1"))
    assert "Nothing waits" in words(worker.get("/feeds/quarantine/"))
    assert "A later file has brought what this row is about" in words(worker.get(f"/feeds/quarantine/{row}/"))


def test_a_row_that_comes_every_night_waits_once_and_stays_away_when_it_is_set_aside(
    world: World, worker: Client, tmp_path: Path
) -> None:
    for night in range(3):
        last = take_people(tmp_path, world.at, person("p1", birth_date="soon"), person(f"other{night}"))
    listed = worker.get("/feeds/quarantine/").content.decode()
    assert listed.count('href="/feeds/quarantine/') - listed.count('href="/feeds/quarantine/"') == 1
    address = f"/feeds/quarantine/{quarantined(last)[0]}/"
    assert "Say why" in words(worker.post(address, {"do": "set aside", "reason": " "}))
    assert worker.post(address, {"do": "set aside", "reason": "A test of theirs"}).status_code == 302
    assert "Set aside by Priya Vale" in words(worker.get(address))
    assert "A test of theirs" in words(worker.get(address))
    assert "Nothing waits" in words(worker.get("/feeds/quarantine/"))
    take_people(tmp_path, world.at, person("p1", birth_date="soon"), person("another"))
    assert "Nothing waits" in words(worker.get("/feeds/quarantine/"))


def test_a_correction_does_not_make_a_feed_that_has_stopped_look_fresh(
    world: World, lead: Client, tmp_path: Path
) -> None:
    (row,) = quarantined(take_people(tmp_path, world.at - timedelta(days=3), person("p1", birth_date="soon")))
    address = f"/feeds/quarantine/{row}/"
    assert lead.post(address, cells(lead.get(address)) | {"cell-4": "1944-02-09"}).status_code == 302
    assert "Late" in words(lead.get("/feeds/"))


def test_a_message_or_resource_is_corrected_as_text(world: World, lead: Client, tmp_path: Path) -> None:
    broken = '{"resourceType": "Patient", "id": "p1", "birthDate": "soon"}\n'
    (row,) = quarantined(take_text(tmp_path, world.at, broken, sender=SURGERY, feed="fhir", name="sent.ndjson"))
    address = f"/feeds/quarantine/{row}/"
    page = lead.get(address)
    assert "birthDate" in words(page)
    assert "There is a problem" in words(lead.post(address, {"text": broken}))
    two = broken.replace("soon", "1944-02-09")
    assert "That is no row, or more than one" in words(lead.post(address, {"text": two + two.replace("p1", "p2")}))
    assert lead.post(address, {"text": two}).status_code == 302
    assert person_id("Patient/p1")


def test_the_list_is_filtered_and_paged(world: World, lead: Client, tmp_path: Path) -> None:
    rows = [person(f"p{n}", birth_date="soon") for n in range(30)]
    take_people(tmp_path, world.at, *rows, person("q", deleted="maybe"))
    source = select("SELECT id FROM record_source")[0][0]
    first = lead.get(f"/feeds/quarantine/?source={source}&rule=date")
    older = re.search(r'href="([^"]*)" rel="next"', first.content.decode())
    assert older and "deleted must be" not in words(first)
    second = lead.get(older[1].replace("&amp;", "&"))
    found = [set(re.findall(r'href="/feeds/quarantine/(\d+)/"', page.content.decode())) for page in (first, second)]
    assert (len(found[0]), len(found[1]), found[0] & found[1]) == (25, 5, set())
    assert "deleted must be one of" in words(lead.get("/feeds/quarantine/?rule=code"))
    assert "Nothing waits" in words(lead.get("/feeds/quarantine/?source=999999"))


def test_every_rule_about_the_form_of_fhir_is_said_in_words() -> None:
    assert {rule for _, rule, _ in LIBRARY_SAYS} - set(RULES) == set()


def test_who_may_not_see_or_send_rows_is_not_led_there(world: World) -> None:
    for role, shown in (("analyst", False), (WORKER, True)):
        page = world.user(role, COUNCIL).get("/feeds/").content.decode()
        assert ("/feeds/quarantine/" in page, "/feeds/upload/" in page) == (shown, shown)


# -- giving back ----------------------------------------------------------------------------------------


def returned(client: Client, submission: int | None) -> list[dict[str, str]]:
    answer = client.get(f"/feeds/files/{submission}/returned/")
    assert answer.status_code == 200, answer.content
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_a_file_comes_back_in_the_senders_columns_and_mended_it_can_be_sent_as_it_is(
    world: World, worker: Client, tmp_path: Path
) -> None:
    nasty = '=HYPERLINK("http://x.example","a")'
    taken = take_people(
        tmp_path, world.at, person("p1"), person("p2", birth_date="soon", given_names=nasty), person("p3", deleted="x")
    )
    rows = returned(worker, taken.submission_id)
    assert [(row["joinery_row"], row["person_id"]) for row in rows] == [("2", "p2"), ("3", "p3")]
    assert "birth_date is not a date" in rows[0]["joinery_reasons"]
    assert rows[0]["given_names"] == f"'{nasty}"
    assert logged("quarantine") == [("feed_quality", None, True)]
    for row in rows:
        row |= {"birth_date": "1944-02-09", "deleted": "0", "given_names": "Ada"}
    back = take_text(tmp_path, world.at, table(rows, rows[0]))
    assert (back.rows, back.taken) == (2, 2)


def test_a_cell_that_was_made_harmless_is_read_as_it_was(world: World, worker: Client, tmp_path: Path) -> None:
    taken = take_people(tmp_path, world.at, person("p1", birth_date="soon", given_names="=1+1"))
    (row,) = returned(worker, taken.submission_id)
    back = take_text(tmp_path, world.at, table([row | {"birth_date": "1944-02-09"}], row))
    page = worker.get(f"/feeds/quarantine/{quarantined(back)[0]}/")
    assert "given_names begins like a formula" in words(page)
    assert "birth_date is not" not in words(page)


def test_a_row_that_is_no_row_of_the_table_comes_back_whole(world: World, worker: Client, tmp_path: Path) -> None:
    text = table([person("p1")]) + "p2,too,few\r\n" + '"p3,"quote\r\n'
    taken = take_text(tmp_path, world.at, text)
    rows = returned(worker, taken.submission_id)
    assert [row["person_id"] for row in rows] == ["p2,too,few", '"p3,"quote']
    assert all(row["joinery_reasons"] for row in rows)
    for row in quarantined(taken):
        assert "The row" in words(worker.get(f"/feeds/quarantine/{row}/"))


def test_a_feed_without_columns_comes_back_as_text(world: World, lead: Client, tmp_path: Path) -> None:
    broken = '{"resourceType": "Patient", "id": "p1", "birthDate": "soon"}\n'
    taken = take_text(tmp_path, world.at, broken, sender=SURGERY, feed="fhir", name="sent.ndjson")
    (row,) = returned(lead, taken.submission_id)
    assert (row["joinery_row"], row["key"]) == ("1", "Patient/p1")
    assert '"birthDate": "soon"' in row["text"]
    assert world.user(GP, COUNCIL).get(f"/feeds/files/{taken.submission_id}/returned/").status_code == 403


# -- uploading ------------------------------------------------------------------------------------------


def upload(client: Client, name: str, body: bytes, **fields: str) -> Any:
    sent = {"feed": "council", "sender": COUNCIL, "file": SimpleUploadedFile(name, body)} | fields
    return client.post("/feeds/upload/", sent, follow=True)


def test_a_file_is_uploaded_by_its_sender_and_the_page_says_what_became_of_it(world: World, worker: Client) -> None:
    page = upload(worker, "person.csv", table([person("p1"), person("p2", birth_date="soon")]).encode())
    said = words(page)
    assert "Council case extract, Vale Council person.csv" in said
    assert "Taken 1" in said and "Quarantined: could not be taken 1" in said
    assert "row 2, birth_date: birth_date is not a date" in said
    assert "Download these rows with their reasons" in said
    again = words(upload(worker, "person.csv", table([person("p1"), person("p2", birth_date="soon")]).encode()))
    assert "This file had come before" in again


def test_nobody_uploads_for_another_organisation_except_a_lead(world: World, worker: Client, lead: Client) -> None:
    body = table([person("p1")]).encode()
    refused = upload(world.user(GP, SURGERY), "person.csv", body)
    assert "Choose who sent the file" in words(refused)
    assert entries("record_submission") == 0
    assert "cqc" not in re.findall(r'<option value="(\w+)"', worker.get("/feeds/upload/").content.decode())
    assert "Choose what the file is" in words(upload(worker, "cqc.csv", body, feed="cqc"))
    assert "Several names begin" in words(upload(lead, "person.csv", body, sender="Vale"))
    assert "Taken 1" in words(upload(lead, "person.csv", body, sender="vale council"))


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("person.csv", b"", "person.csv"),
        ("person.xlsx", b"PK\x03\x04" + b"x" * 200, "is a workbook"),
        ("person.csv", b"a,b\r\n1,2\r\n", "lacks these columns"),
        ("person.csv", b"person_id;family_name;deleted\r\n1;2;0\r\n", "parted by semicolons"),
        ("person.csv.gz", b"\x1f\x8b" + b"x" * 200, "is compressed"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_beside_its_field(
    world: World, worker: Client, name: str, body: bytes, says: str
) -> None:
    said = words(upload(worker, name, body))
    assert "There is a problem" in said and says in said
    assert entries("record_submission") == 0


def test_a_file_that_is_too_large_for_a_page_says_so(world: World, worker: Client, settings: Any) -> None:
    settings.UPLOAD_MB = 0
    assert "Take it on the command line" in words(upload(worker, "person.csv", table([person("p1")]).encode()))
    assert "Choose a file" in words(worker.post("/feeds/upload/", {"feed": "council", "sender": COUNCIL}))


def test_a_file_that_is_too_large_is_never_written_and_what_was_chosen_stays(
    world: World, worker: Client, settings: Any, tmp_path: Path
) -> None:
    settings.UPLOAD_MB = 1
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "nowhere")  # writing a file would fail
    page = upload(worker, "person.csv", b"x" * 2_000_000)
    assert "The file has more than 1 MB" in words(page)
    assert re.search(r'value="council"[^>]* selected', page.content.decode())
    # and the token against forgery, which stands before the file, is looked at all the same
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = worker.cookies
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]*)"', strict.get("/feeds/upload/").content.decode())[0]
    assert upload(strict, "person.csv", b"x" * 2_000_000).status_code == 403
    said = words(upload(strict, "person.csv", b"x" * 2_000_000, csrfmiddlewaretoken=token))
    assert "The file has more than 1 MB" in said


def test_while_a_long_file_is_taken_a_page_says_so_and_keeps_what_was_typed(
    world: World, worker: Client, tmp_path: Path
) -> None:
    (row,) = quarantined(take_people(tmp_path, world.at, person("p1", birth_date="soon")))
    address = f"/feeds/quarantine/{row}/"
    form = cells(worker.get(address)) | {"cell-4": "1944-02-09"}
    before = entries("record_submission")
    with locked("intake"):
        corrected = worker.post(address, form)
        aside = worker.post(address, {"do": "set aside", "reason": "A test of theirs"})
        sent = upload(worker, "person.csv", table([person("p2")]).encode())
    for page in (corrected, aside, sent):
        assert "A long file is being taken. Try again in some minutes" in words(page)
    assert cells(corrected)["cell-4"] == "1944-02-09"
    assert "A test of theirs" in aside.content.decode()
    assert re.search(r'value="council"[^>]* selected', sent.content.decode())
    assert entries("record_submission") == before
    assert worker.post(address, form).status_code == 302


# -- how much the pages ask of the database -------------------------------------------------------------


def test_the_pages_ask_no_more_of_the_database_the_more_there_is(world: World, lead: Client, tmp_path: Path) -> None:
    file = take_people(tmp_path, world.at, person("p0", birth_date="soon"))
    source = select("SELECT id FROM record_source")[0][0]
    addresses = ("/feeds/", f"/feeds/{source}/", "/feeds/quarantine/", f"/feeds/files/{file.submission_id}/")
    few = {address: counted(lead, address) for address in addresses}
    for n in range(5):
        broken = [person(f"p{n}-{m}", birth_date="soon") for m in range(30)]
        take_people(tmp_path, world.at, person(f"q{n}"), *broken)
        world.sends(SURGERY, patient(f"p{n}", "Fenwick", "Ada"))
    assert {address: counted(lead, address) for address in addresses} == few
    assert max(few.values()) <= MOST_OF_LIST, few


# -- care-home beds -------------------------------------------------------------------------------------


def beds(location: str, updated: str = "2026-02-02T08:00:00Z", **but: str) -> dict[str, str]:
    said = {"location_id": location, "bed_type": "General residential", "updated_at": updated}
    said |= {"maximum_capacity": "20", "occupied": "15", "reserved": "1", "accepting_admissions": "Y"}
    return dict.fromkeys(feed_of("capacity").part("capacity").columns, "") | said | but


def send_beds(folder: Path, world: World, *rows: dict[str, str]) -> None:
    taken = take_text(folder, world.at, table(rows, rows[0]), feed="capacity", name="beds.csv")
    assert taken.taken == len(rows), taken


def test_beds_are_shown_in_three_states_with_the_age_of_the_word(world: World, lead: Client, tmp_path: Path) -> None:
    assert "That does not mean that there is no bed" in words(lead.get("/feeds/beds/"))
    send_beds(tmp_path, world, beds("1-900000001"), beds("1-900000002", accepting_admissions="N"))
    said = words(lead.get("/feeds/beds/"))
    assert "Vacant and admitting 4 Vacant, not admitting 1 Occupied 15" in said
    assert "Vacant and admitting 0 Vacant, not admitting 5 Occupied 15" in said
    assert said.index("1-900000001") < said.index("1-900000002")


def test_the_page_of_beds_asks_as_little_of_many_homes_as_of_one(world: World, lead: Client, tmp_path: Path) -> None:
    send_beds(tmp_path, world, beds("1-900000001"))
    one = counted(lead, "/feeds/beds/")
    for n in range(2, 8):  # each from a file of its own
        send_beds(tmp_path, world, beds(f"1-90000000{n}"))
    assert counted(lead, "/feeds/beds/") == one <= MOST_OF_LIST
