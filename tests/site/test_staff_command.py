"""`joinery staff`: the first manager of a real place, and the way back for whoever is locked out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from joinery.__main__ import main
from joinery.apps.base.action import Actor
from joinery.apps.base.models import User
from joinery.apps.place.actions import OrganisationDetails, register_organisation
from tests.site.shore import today

pytestmark = pytest.mark.django_db

Command = Callable[..., tuple[int, dict[str, Any]]]
TODAY = today()
ADD = ("--role", "staff_manager", "--at", "SHORE")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """`joinery staff … --json` at a place with one body: its exit code and answer."""
    details = OrganisationDetails("SHORE", "Shore", "place")
    register_organisation(details=details, actor=Actor.system("test"), at=datetime.now(UTC))

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        code = main(["staff", *map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_first_manager_is_added_listed_invited_again_and_ended(command: Command) -> None:
    _, lead = command("add", "Lea Ord", "--email", "Lea@shore.example", *ADD, "--until", TODAY)
    assert lead["login"] == "lea@shore.example" and lead["last_day"] == TODAY.isoformat()
    _, given = command("add", "Mo Day", *ADD)
    assert given["login"] == "mo.day" and len(given["code"]) == 12
    assert given["code_until"] > (TODAY + timedelta(days=12)).isoformat()
    assert TODAY + timedelta(days=300) < date.fromisoformat(given["last_day"])

    listed = {each["name"]: each for each in command("list", "--at", "SHORE")[1]["staff"]}
    assert set(listed) == {"Lea Ord", "Mo Day"} and listed["Mo Day"]["role"] == "staff_manager"
    assert listed["Mo Day"]["membership"] == given["membership"]

    _, again = command("invite", given["membership"])
    assert again["login"] == "mo.day" and again["code"] != given["code"]
    _, more = command("add", "Lea Ord", "--email", "lea@shore.example", "--role", "gp", "--at", "SHORE")
    assert more["code"] is None and more["login"] == "lea@shore.example"

    ended = [command("end", each["membership"])[1]["user_ended"] for each in (more, given)]
    assert ended == [False, True]
    assert dict(User.objects.values_list("name", "is_active")) == {"Lea Ord": True, "Mo Day": False}
    assert [each["name"] for each in command("list")[1]["staff"]] == ["Lea Ord"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Mo", "--role", "king", "--at", "SHORE"), "There is no role king. Roles: "),
        (("add", "Mo", "--role", "gp", "--at", "NOWHERE"), "No organisation has the code NOWHERE"),
        (("add", "Mo", *ADD, "--email", "mo"), "no email address"),
        (("add", "Mo", *ADD, "--until", "2001-01-01"), "The last day must be"),
        (("add", " ", *ADD), "Give the name"),
        (("list", "--at", "NOWHERE"), "No organisation has the code NOWHERE"),
        (("invite", "999"), "joinery staff list"),
        (("end", "999"), "joinery staff list"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_is_wrong_is_said_and_nothing_is_done(command: Command, arguments: tuple[str, ...], said: str) -> None:
    code, answer = command(*arguments)
    assert code == 1 and said in answer["error"]
    assert not User.objects.exists()
