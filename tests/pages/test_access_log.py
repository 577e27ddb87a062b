"""Every look leaves its rows in the access log before anything is shown, and nothing is shown without."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from joinery.apps.base.columns import select
from tests.pages.measure import statements
from tests.pages.world import (
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    World,
    entry_id,
    numbers_far_apart,
    patient,
    person_id,
    problem,
    search,
)


@pytest.fixture
def ada(world: World) -> str:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number="9990004714"), problem("c1", "p1", "Asthma"))
    return person_id("Patient/p1")


def rows() -> list[dict[str, Any]]:
    names = ("event", "user_id", "role", "organisation", "purpose", "what", "person_id", "allowed", "reason")
    return [
        dict(zip(names, row, strict=True)) for row in select(f"SELECT {', '.join(names)} FROM base_access ORDER BY id")
    ]


PAGES = {
    "opened": "/people/{person}/",
    "log": "/people/{person}/who-has-looked/",
    "original": "/people/{person}/entries/{entry}/",
}


@pytest.mark.parametrize("what", PAGES)
def test_a_page_about_a_person_leaves_one_row_with_post_and_purpose(world: World, ada: str, what: str) -> None:
    client = world.user("gp", SURGERY)
    address = PAGES[what].format(person=ada, entry=entry_id("Condition/c1"))
    assert client.get(address).status_code == 200
    (row,) = rows()
    assert row.pop("event")
    assert row.pop("user_id") == int(client.session["_auth_user_id"])
    assert bool(row.pop("allowed"))
    assert row == {
        "role": "gp",
        "organisation": SURGERY,
        "purpose": "direct_care",
        "what": what,
        "person_id": ada,
        "reason": "involved",
    }


@pytest.mark.parametrize("what", PAGES)
def test_a_refusal_leaves_one_row_that_names_the_person_asked_for(world: World, ada: str, what: str) -> None:
    client = world.user("gp", OTHER_SURGERY)
    assert client.get(PAGES[what].format(person=ada, entry=1)).status_code == 403
    (row,) = rows()
    assert (row["what"], row["person_id"], bool(row["allowed"]), row["reason"]) == (
        "refused",
        ada,
        False,
        "not_involved",
    )


def test_a_list_of_fifty_leaves_a_row_a_person_in_one_event_by_one_statement(world: World) -> None:
    numbers = numbers_far_apart()
    world.sends(SURGERY, *(patient(f"p{n}", "Fenwick", f"Ada{n}", number=next(numbers)) for n in range(60)))
    client = world.user("gp", SURGERY)
    with statements() as ran:
        page = search(client, family_name="Fenwick").content.decode()
    logged = rows()
    assert len(logged) == len({row["person_id"] for row in logged}) == 50
    assert all(f"/people/{row['person_id']}/" in page for row in logged)
    assert len({row["event"] for row in logged}) == 1
    assert {(row["what"], row["role"], row["organisation"], row["purpose"]) for row in logged} == {
        ("listed", "gp", SURGERY, "direct_care")
    }
    assert len([each for each in ran.ran if "INSERT INTO" in each.sql and "base_access" in each.sql]) == 1


def test_a_search_that_finds_nobody_leaves_one_row_without_a_person(world: World, ada: str) -> None:
    assert "Nobody found" in search(world.user(), family_name="Zzz").content.decode()
    (row,) = rows()
    assert (row["what"], row["person_id"], row["organisation"]) == ("searched", None, SURGERY)


def test_a_form_with_errors_searches_nobody_and_leaves_nothing(world: World, ada: str) -> None:
    assert "There is a problem" in search(world.user(), nhs_number="1").content.decode()
    assert rows() == []


def test_looks_of_everybody_stand_on_the_page_newest_first(world: World, ada: str) -> None:
    world.council_sends(
        "person",
        {
            "person_id": "w1",
            "family_name": "Fenwick",
            "given_names": "Ada",
            "birth_date": "1944-02-09",
            "nhs_number": "9990004714",
        },
    )
    worker, doctor = world.user("social_worker", COUNCIL, "Mina Patel"), world.user("gp", SURGERY, "Asha Rao")
    search(worker, family_name="Fenwick")
    worker.get(f"/people/{ada}/")
    page = doctor.get(f"/people/{ada}/who-has-looked/").content.decode()
    table = page[page.index("<tbody") : page.index("</tbody>")]
    said = ["Looked at who has looked", "Opened the record", "Saw the name in a list of search results"]
    assert [table.index(words) for words in said] == sorted(table.index(words) for words in said)
    assert table.count("Mina Patel") == 2
    assert table.count("social worker, Vale Council") == 2
    assert table.count("For the person&#39;s care") == 3 or table.count("For the person's care") == 3


def test_who_has_looked_goes_back_to_the_first_look_page_by_page(world: World, ada: str) -> None:
    client, address = world.user(), f"/people/{ada}/who-has-looked/"
    for _ in range(59):
        client.get(f"/people/{ada}/")
    first = client.get(address).content.decode()
    assert first.count('<tr class="nhsuk-table__row">') == 50 + 1
    older = first.split('class="app-pager"')[1].split('href="')[1].split('"')[0]
    second = client.get(older).content.decode()
    # 59 looks and the first page of the log itself; what came after the first page is not repeated.
    assert second.count('<tr class="nhsuk-table__row">') == 10 + 1


def _break_the_log() -> None:
    """From here on the database refuses every row of the access log."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER broken BEFORE INSERT ON base_access BEGIN SELECT RAISE(FAIL, 'the disk is full'); END"
            )
        else:
            cursor.execute(
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
            )
            cursor.execute("CREATE TRIGGER broken BEFORE INSERT ON base_access FOR EACH ROW EXECUTE FUNCTION broken()")


@pytest.mark.parametrize("address", [*PAGES.values(), "search", "search for nobody"])
def test_nothing_is_shown_when_the_log_cannot_be_written(world: World, ada: str, address: str) -> None:
    client, entry = world.user(), entry_id("Condition/c1")
    _break_the_log()
    answer = _ask(client, address, ada, entry)
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Sorry, something went wrong" in page
    assert answer["X-Request-Reference"] in page
    for told in ("FENWICK", "Fenwick", "Ada", "999", "Asthma", "Nobody found"):
        assert told not in page.replace(answer["X-Request-Reference"], "")


def _ask(client: Client, address: str, person: str, entry: int) -> Any:
    if address.startswith("search"):
        return search(client, family_name="Fenwick" if address == "search" else "Zzz")
    return client.get(address.format(person=person, entry=entry))
