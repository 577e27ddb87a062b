"""What holds for every address of the site: who may ask, what comes with the answer, what never does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.pages.world import (
    COUNCIL,
    SURGERY,
    World,
    alert_row,
    allergy,
    entry_id,
    patient,
    person_id,
    person_row,
    problem,
    search,
)

# Nobody needs to log in for these: each says why by its name.
OPEN = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reset_password",
    "mfa_login_webauthn",
    "oidc_back",
    "accessibility",
    "privacy",
    "help",
    "healthz",
    "staff:accept",
}
NUMBER = "9990004714"
PERSONAL = ("Fenwick", "FENWICK", NUMBER, "999 000 4714", "1944", "Ropewalk", "Latex")


def addresses(patterns: list[Any], names: str = "", path: str = "") -> Iterator[tuple[str, str]]:
    """Every (name, path) of the URL map; converters become something that they take."""
    for each in patterns:
        here = path + re.sub(r"<(\w+):\w+>", lambda found: "7" if found[1] == "int" else "0a1b2c", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, f"{names}{each.namespace}:" if each.namespace else names, here)
        elif isinstance(each, URLPattern):
            yield f"{names}{each.name}", "/" + here


ADDRESSES = dict(addresses(get_resolver().url_patterns))


def test_the_url_map_is_read_whole() -> None:
    assert {"record:find", "record:person", "record:looked", "record:entry"} | OPEN <= set(ADDRESSES)


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_address_asks_to_log_in_except_those_listed(world: World, name: str, method: str) -> None:
    answer = getattr(Client(raise_request_exception=False), method)(ADDRESSES[name])
    asked = answer.status_code == 302 and answer["Location"].startswith("/log-in/")
    open_to_systems = name.startswith("bars:")  # with a key, and without a session
    assert asked == (name not in OPEN and not open_to_systems or name == "account_logout")


@pytest.fixture
def pages(world: World) -> dict[str, Any]:
    """An answer of every kind, among them all pages that show a person."""
    world.sends(
        SURGERY,
        patient("p1", "Fenwick", "Ada", number=NUMBER),
        allergy("a1", "p1", "Latex"),
        *(problem(f"c{n}", "p1", f"Problem {n}") for n in range(30)),
    )
    world.council_sends("person", person_row("w1", "Fenwick", "Ada", number=NUMBER))
    world.council_sends("alert", alert_row("x1", "w1", "Visit in pairs", audience="social_care"))
    client, other = world.user(), world.user("integration_lead", COUNCIL)
    person = f"/people/{person_id('Patient/p1')}/"
    first = client.get(person)
    older = re.search(r'href="([^"]*)" rel="next"', first.content.decode())
    assert older
    return {
        "find": client.get("/"),
        "errors": search(client, nhs_number="12", birth_day="40"),
        "found": search(client, family_name="Fenwick", birth_day="9", birth_month="2", birth_year="1944"),
        "found by number": search(client, nhs_number=NUMBER),
        "nobody": search(client, family_name="Nobody"),
        "person": first,
        "older": client.get(older[1].replace("&amp;", "&")),
        "filtered": client.get(person, {"show": "social_care"}),
        "looked": client.get(f"{person}who-has-looked/"),
        "entry": client.get(f"{person}entries/{entry_id('AllergyIntolerance/a1')}/"),
        "refused": other.get(person),
        "bad cursor": client.get(person, {"after": "x"}),
        "not found": client.get("/nowhere/"),
        "log out": client.get("/log-out/"),
        "log in": Client().get("/log-in/"),
        "log in errors": Client().post("/log-in/", {"login": "a@b.example", "password": "wrong"}),
        "forbidden form": Client(enforce_csrf_checks=True).post("/log-in/", {}),
        "accessibility": Client().get("/accessibility/"),
        "privacy": client.get("/privacy/"),
        "help": client.get("/help/"),
        "inactive": Client().get("/log-in/inactive/"),
        "to log in": Client().get(person),
    }


def test_every_answer_carries_the_policy_and_no_page_needs_more_than_it_allows(pages: dict[str, Any]) -> None:
    for name, answer in pages.items():
        assert "default-src 'none'" in answer["Content-Security-Policy"], name
        assert "unsafe" not in answer["Content-Security-Policy"], name
        assert answer["X-Frame-Options"] == "DENY", name
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert answer["Referrer-Policy"] == "same-origin", name
        page = answer.content.decode()
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|<iframe|<object|<embed", page), name
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', page), name


def test_pages_about_people_are_kept_by_no_cache(pages: dict[str, Any]) -> None:
    """On a shared computer the back button must not show a record to whoever comes next."""
    for name in ("find", "person", "older", "filtered", "looked", "entry", "refused"):
        assert "no-store" in pages[name].get("Cache-Control", ""), name


def test_the_reference_on_a_page_is_the_one_in_its_header(pages: dict[str, Any]) -> None:
    for name, answer in pages.items():
        reference = answer["X-Request-Reference"]
        assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", reference), name
        if answer.status_code != 302:
            assert set(re.findall(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", answer.content.decode())) == {reference}, name
    assert len({answer["X-Request-Reference"] for answer in pages.values()}) == len(pages)


def test_nothing_personal_stands_in_an_address_or_a_title(pages: dict[str, Any]) -> None:
    for name, answer in pages.items():
        page = answer.content.decode()
        places = re.findall(r'(?:href|action|src)="([^"]*)"', page) + re.findall(r"<title>.*?</title>", page)
        places.append(answer.get("Location", ""))
        assert not [place for place in places for said in PERSONAL if said in place], name


def test_a_search_in_an_address_is_not_a_search(world: World) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    page = world.user().get("/", {"family_name": "Fenwick"}).content.decode()
    assert "Fenwick" not in page
    assert "Find a person</h1>" in page


def test_forms_that_name_people_are_posted(pages: dict[str, Any]) -> None:
    for name, answer in pages.items():
        for form in re.findall(r"<form[^>]*>", answer.content.decode()):
            assert 'method="post"' in form, name


TYPES = {".css": "text/css", ".svg": "image/svg+xml"}


def test_every_file_that_a_page_names_is_served_with_its_type(pages: dict[str, Any]) -> None:
    found = set(re.findall(r'(?:href|src)="(/static/[^"]*)"', pages["find"].content.decode()))
    assert len(found) >= 4
    for address in found:
        answer = Client().get(address)
        kind = TYPES[address[address.rindex(".") :]]
        assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, kind)
        assert "immutable" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["/static/../settings.py", "/static/%2e%2e/keys/django.key", "/keys/django.key", "/static/joinery/"]
)
def test_no_other_file_is_served(world: World, path: str) -> None:
    assert world.user().get(path).status_code == 404


def test_logging_out_ends_the_session_and_leads_to_log_in(world: World) -> None:
    client = world.user()
    assert client.get("/").status_code == 200
    answer = client.post("/log-out/")
    assert urlsplit(answer["Location"]).path == "/log-in/"
    assert client.get("/")["Location"].startswith("/log-in/")


@pytest.mark.parametrize("onward", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_logging_in_never_leads_to_another_site(world: World, onward: str) -> None:
    client = world.user()
    answer = client.get("/log-in/", {"next": onward})
    assert answer.status_code == 302
    assert answer["Location"] == "/"
