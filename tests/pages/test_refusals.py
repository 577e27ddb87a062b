"""What is refused, and that a refusal tells nothing: hostile ids, cursors, searches and names."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client

from joinery.apps.base.columns import select
from tests.pages.world import (
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    World,
    allergy,
    entry_id,
    patient,
    person_id,
    person_row,
    problem,
    search,
)

HOSTILE = "<script>alert('x')</script>\"&{{ 7*7 }}"


def without_noise(answer: Any) -> str:
    """The page without what differs between any two: the reference, the form's token, and the id that was asked for."""
    page = answer.content.decode().replace(answer["X-Request-Reference"], "REFERENCE")
    page = re.sub(r'/people/[^"]*/emergency/', "/people/ID/emergency/", page)
    return re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1TOKEN", page)


@pytest.fixture
def ada(world: World) -> str:
    """The address of somebody at one surgery only."""
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"), problem("c1", "p1", "Asthma"))
    return f"/people/{person_id('Patient/p1')}/"


def accesses() -> list[tuple[Any, ...]]:
    return select("SELECT what, person_id, allowed, reason FROM base_access ORDER BY id")


UNKNOWN = {
    "another id": "0123456789abcdef0123",
    "words": "Fenwick",
    "very long": "f" * 10_000,
    "a NUL": "abc%00def",
    "half a character": "%ED%A0%80",
    "letters of elsewhere": quote("Ṁ́ 𝔉 ‮"),
    "SQL": quote("' OR '1'='1"),
}


@pytest.mark.parametrize("tail", ["", "who-has-looked/", "entries/1/"])
@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN)
def test_an_id_of_nobody_is_refused_like_the_id_of_somebody_else(
    world: World, ada: str, unknown: str, tail: str
) -> None:
    client = world.user(organisation=OTHER_SURGERY)
    somebody = client.get(f"{ada}{tail}")
    nobody = client.get(f"/people/{unknown}/{tail}")
    assert (nobody.status_code, without_noise(nobody)) == (somebody.status_code, without_noise(somebody))
    assert somebody.status_code == 403
    assert [row[0] for row in accesses()] == ["refused", "refused"]
    assert all(not allowed for _, _, allowed, _ in accesses())


@pytest.mark.parametrize("role", ["integration_lead", ""])
def test_who_has_no_caring_role_is_refused_in_words(world: World, ada: str, role: str) -> None:
    client = world.user(role)
    for answer in (client.get(ada), search(client, family_name="Fenwick")):
        assert answer.status_code == 403
        said = "Your role does not include" if role else "Your account is not attached to an organisation today"
        assert said in answer.content.decode()
        assert "Fenwick" not in answer.content.decode()
    assert [row[3] for row in accesses()] == ["role" if role else "no_post"] * 2


def test_an_entry_of_another_person_is_not_found(world: World, ada: str) -> None:
    world.sends(SURGERY, patient("p2", "Fenwick", "Bea"), problem("c2", "p2", "Secret of Bea"))
    answer = world.user().get(f"{ada}entries/{entry_id('Condition/c2')}/")
    assert answer.status_code == 404
    assert "Secret of Bea" not in answer.content.decode()


@pytest.mark.parametrize("number", ["0", "9223372036854775807", "9223372036854775808", "9" * 200])
def test_an_entry_that_does_not_exist_is_not_found(world: World, ada: str, number: str) -> None:
    answer = world.user().get(f"{ada}entries/{number}/")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()


CURSORS = {
    "words": "newest",
    "no id": "2026-01-01T00:00:00+00:00~",
    "no zone": "2026-01-01T00:00:00~4",
    "before all time": "0001-01-01T00:00:00+14:00~4",
    "after all time": "9999-12-31T23:59:59-14:00~4",
    "a long id": f"2026-01-01T00:00:00Z~{'9' * 40}",
    "long": "~" * 5000,
}


@pytest.mark.parametrize("cursor", CURSORS.values(), ids=CURSORS)
def test_a_forged_cursor_is_a_bad_request_with_a_page_that_says_so(world: World, ada: str, cursor: str) -> None:
    answer = world.user().get(ada, {"after": cursor})
    assert answer.status_code == 400
    assert "We could not read that request" in answer.content.decode()
    assert answer["X-Request-Reference"] in answer.content.decode()


@pytest.mark.parametrize("cursor", ["words", "-1", "9" * 40, "1~1", "1\x00", "٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣"])
def test_a_forged_cursor_of_who_has_looked_is_a_bad_request(world: World, ada: str, cursor: str) -> None:
    answer = world.user().get(f"{ada}who-has-looked/", {"after": cursor})
    assert answer.status_code == 400
    assert "We could not read that request" in answer.content.decode()


def test_a_cursor_of_another_person_shows_nothing_of_theirs(world: World, ada: str) -> None:
    world.sends(SURGERY, patient("p2", "Fenwick", "Bea"), *(problem(f"b{n}", "p2", "Secret of Bea") for n in range(30)))
    client = world.user()
    page = client.get(f"/people/{person_id('Patient/p2')}/").content.decode()
    cursor = re.search(r'after=([^"&]+)', page)
    assert cursor
    answer = client.get(f"{ada}?after={cursor[1]}")
    assert answer.status_code == 200
    assert "Secret of Bea" not in answer.content.decode()


FORMS: dict[str, dict[str, str]] = {
    "NUL": {"family_name": "Zen\x00wick"},
    "only NUL": {"family_name": "\x00"},
    "SQL": {"family_name": "' OR 1=1 --", "given_name": "%_"},
    "long": {"family_name": "F" * 100_000},
    "the last letter there is": {"family_name": "\U0010ffff"},
    "letters past all others": {"family_name": "\U000e01efz\U0003134a"},
    "a year past all others": {"family_name": "F", "birth_day": "1", "birth_month": "1", "birth_year": "9" * 30},
    "a negative month": {"family_name": "F", "birth_day": "1", "birth_month": "-1", "birth_year": "1941"},
    "no such day": {"family_name": "F", "birth_day": "30", "birth_month": "2", "birth_year": "1941"},
    "digits of elsewhere": {"family_name": "F", "birth_day": "²", "birth_month": "१", "birth_year": "1941"},
    "a dummy number": {"nhs_number": "9999999999"},
    "a number in words": {"nhs_number": "nine\x00"},
    "nothing": {},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_search_of_any_sort_is_answered_and_finds_nobody_it_should_not(world: World, ada: str, form: Any) -> None:
    answer = search(world.user(), **form)
    assert answer.status_code == 200
    assert person_id("Patient/p1") not in answer.content.decode()


def test_a_form_of_a_hundred_thousand_fields_is_a_bad_request(world: World, ada: str) -> None:
    answer = world.user().post("/", {f"field{n}": "x" for n in range(100_000)})
    assert answer.status_code == 400
    assert "We could not read that request" in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/log-out/", "/log-in/"])
def test_a_form_without_its_token_is_refused(world: World, path: str) -> None:
    client = world.user()
    checked = Client(enforce_csrf_checks=True)
    if path != "/log-in/":
        checked.cookies = client.cookies
    answer = checked.post(path, {"family_name": "Fenwick", "login": "a@b.example", "password": "x"})
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
    assert client.get("/").status_code == 200


def test_what_was_sent_is_shown_as_text_wherever_it_appears(world: World) -> None:
    sent = allergy("a1", "p1", HOSTILE), problem("c1", "p1", HOSTILE, note=HOSTILE)
    hers = patient("p1", f"Fenwick {HOSTILE}", HOSTILE, number="9990004714") | {
        "name": [{"use": "official", "family": f"Fenwick {HOSTILE}", "given": [HOSTILE], "prefix": [HOSTILE[:30]]}],
        "address": [{"use": "home", "line": [HOSTILE]}],
    }
    world.sends(SURGERY, hers, *sent, name="<b onclick=alert(1)>&.ndjson")
    world.council_sends("person", person_row("w1", "Fenwick", "Ada", number="9990004714"))
    client = world.user(name=f"Asha {HOSTILE}")
    address = f"/people/{person_id('Patient/p1')}/"
    pages = [search(client, family_name="Fenwick"), search(client, family_name=HOSTILE)]
    pages += [client.get(address), client.get(f"{address}who-has-looked/")]
    pages += [client.get(f"{address}entries/{entry_id(key)}/") for key in ("AllergyIntolerance/a1", "Condition/c1")]
    for answer in pages:
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "&lt;script&gt;" in page
        assert "<script" not in page
        assert "<b " not in page
        assert "49" not in re.findall(r"alert\(.*?\{\{? ?(\w+)", page)
    assert settings.DEBUG is False


def test_a_social_worker_cannot_open_whom_only_a_surgery_knows(world: World, ada: str) -> None:
    client = world.user("social_worker", COUNCIL)
    assert "Nobody found" in search(client, family_name="Fenwick").content.decode()
    answer = client.get(ada)
    assert answer.status_code == 403
    assert "Your organisation is not involved in this person's care" in answer.content.decode().replace("&#39;", "'")
