"""Log lines: JSON, one a line, with nothing in them about a person, and the reference that the page shows."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import add_user
from joinery.apps.base.models import User
from joinery.apps.place.actions import OrganisationDetails, add_membership, register_organisation
from joinery.apps.record.actions import take_file
from joinery.apps.record.models import Person
from joinery.site.logs import JsonFormatter
from tests.site.feeds import patient_file

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),  # static files are collected by `joinery migrate`
]

ACTOR = Actor.system("tests")
AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
SECRETS = ("okonkwo", "ifeoma", "9990001111", "999 000 1111", "1941-03-03", "tom@place.example", "tom hale", "hunter22")


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What the deployment's log says, read when the test asks for it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)

    class Lines(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return iter([json.loads(line) for line in stream.getvalue().splitlines()])

    yield Lines()
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def person_id(tmp_path: Path) -> str:
    """A person whom a practice knows, and Tom, who works there."""
    register_organisation(details=OrganisationDetails("Z1", "Harbour", "gp_practice"), actor=ACTOR, at=AT)
    tom = add_user(email="tom@place.example", name="Tom Hale", password="hunter22-hunter22", actor=ACTOR, at=AT)
    add_membership(user_id=tom, organisation_code="Z1", role="gp", from_date=AT.date(), actor=ACTOR, at=AT)
    add_user(email="eve@place.example", name="Eve Roe", password=None, actor=ACTOR, at=AT)
    take_file(path=patient_file(tmp_path / "p.json"), feed="fhir", organisation_code="Z1", actor=ACTOR, at=AT)
    return Person.objects.get().pk


def client(email: str = "", **given: Any) -> Client:
    made = Client(raise_request_exception=False, **given)
    if email:
        made.force_login(User.objects.get(email=email))
    return made


def visit(person_id: str) -> dict[str, Any]:
    """Pages and failures of every kind, by name: the answers."""
    tom, eve = client("tom@place.example"), client("eve@place.example")
    search = {"family_name": "Okonkwo", "given_name": "Ifeoma", "nhs_number": "999 000 1111"}
    return {
        "logged in": client().post("/log-in/", {"login": "tom@place.example", "password": "hunter22-hunter22"}),
        "wrong password": client().post("/log-in/", {"login": "tom@place.example", "password": "hunter22"}),
        "found": tom.post("/", search),
        "opened": tom.get(f"/people/{person_id}/"),
        "looked": tom.get(f"/people/{person_id}/who-has-looked/"),
        "refused": eve.get(f"/people/{person_id}/"),
        "no entry": tom.get(f"/people/{person_id}/entries/99/"),
        "bad cursor": tom.get(f"/people/{person_id}/?after=okonkwo"),
        "no page": tom.get("/ifeoma/okonkwo/?q=9990001111"),
        "no csrf": client(enforce_csrf_checks=True).post("/log-in/", search),
        "bad host": client().get("/help/", headers={"host": "ifeoma_okonkwo!"}),
        "suspect": client().get("/suspect/?name=Ifeoma Okonkwo"),
        "failed": client().get("/fail/?name=Ifeoma Okonkwo"),
    }


EXPECTED = {
    "logged in": 302,
    "wrong password": 200,
    "found": 200,
    "opened": 200,
    "looked": 200,
    "refused": 403,
    "no entry": 404,
    "bad cursor": 400,
    "no page": 404,
    "no csrf": 403,
    "bad host": 400,
    "suspect": 400,
    "failed": 500,
}
# A page that says why in words of its own needs no reference to be helped with.
ERROR_PAGES = ("no entry", "no page", "no csrf", "bad host", "suspect", "failed")


@pytest.fixture
def answers(settings: Any, person_id: str, lines: Any) -> dict[str, Any]:
    settings.ROOT_URLCONF = "tests.site.failing_urls"
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    return visit(person_id)


def test_every_request_leaves_a_line_that_says_nothing_about_a_person(
    answers: dict[str, Any], lines: list[dict[str, Any]], person_id: str
) -> None:
    assert {name: answer.status_code for name, answer in answers.items()} == EXPECTED
    assert b"okonkwo" in answers["opened"].content.lower()  # the pages do say who it is
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["status"] for line in requests] == list(EXPECTED.values())
    for line in lines:
        said = json.dumps(line, ensure_ascii=False).lower()
        assert [word for word in (*SECRETS, person_id) if word in said] == []
        assert {"at", "level", "logger", "event"} <= set(line)


def test_each_error_page_shows_the_reference_that_its_log_line_carries(
    answers: dict[str, Any], lines: list[dict[str, Any]]
) -> None:
    logged = {line["reference"]: line for line in lines if line["event"] == "request"}
    for name in ERROR_PAGES:
        reference = answers[name].headers["X-Request-Reference"]
        assert reference in answers[name].content.decode(), name
        assert logged[reference]["status"] == EXPECTED[name]


def test_a_failure_can_be_found_by_its_reference_down_to_the_line_of_code(
    answers: dict[str, Any], lines: list[dict[str, Any]]
) -> None:
    (failure,) = [line for line in lines if line.get("error") == "ValueError"]
    assert failure["reference"] == answers["failed"].headers["X-Request-Reference"]
    assert failure["level"] == "error" and "failing_urls.py:" in failure["where"][-1]


def test_messages_of_other_libraries_are_named_by_place_and_not_repeated(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("somebody.else").error("could not read Ifeoma Okonkwo")
    logging.getLogger("django.security.DisallowedHost").error("Invalid host: ifeoma")
    logging.getLogger("joinery.tests").error(ValueError("Okonkwo"))
    said = [line["event"] for line in lines]
    assert len(said) == 3 and all(event.startswith("test_logs:") for event in said)
