"""`joinery staff`: the first manager of a real place, and the way back for whoever is locked out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support import Deployment, empty_deployment

TODAY = date.today()  # noqa: DTZ011 (the command's own day)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A place that was started, with its lead."""
    folder: Path = tmp_path_factory.mktemp("staff")
    with empty_deployment(folder / "data") as deployment:
        deployment.json("place", "start", "SHORE", "--name", "Shore", "--email", "lead@shore.example", "--lead", "Lea")
        yield deployment


def test_a_first_manager_is_added_listed_invited_again_and_ended(place: Deployment) -> None:
    given = place.json("staff", "add", "Mo Day", "--role", "staff_manager", "--at", "SHORE")
    assert given["login"] == "mo.day" and len(given["code"]) == 12
    assert given["code_until"] > (TODAY + timedelta(days=12)).isoformat()
    assert TODAY + timedelta(days=300) < date.fromisoformat(given["last_day"])

    listed = {each["name"]: each for each in place.json("staff", "list", "--at", "SHORE")["staff"]}
    assert set(listed) == {"Lea", "Mo Day"} and listed["Lea"]["last_day"] is None
    assert listed["Mo Day"]["membership"] == given["membership"] and listed["Mo Day"]["role"] == "staff_manager"

    again = place.json("staff", "invite", given["membership"])
    assert again["code"] not in (None, given["code"])
    more = place.json("staff", "add", "Lea", "--role", "staff_manager", "--at", "SHORE", "--email", "Lead@shore.example")
    assert more["code"] is None and more["login"] == "lead@shore.example"

    ended = [place.json("staff", "end", each["membership"])["user_ended"] for each in (more, given)]
    assert ended == [False, True]
    assert place.sql("SELECT name, is_active FROM base_user ORDER BY name") == [("Lea", 1), ("Mo Day", 0)]
    assert [each["name"] for each in place.json("staff", "list")["staff"]] == ["Lea"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Mo", "--role", "king", "--at", "SHORE"), "There is no role king. Roles: "),
        (("add", "Mo", "--role", "gp", "--at", "NOWHERE"), "No organisation has the code NOWHERE"),
        (("add", "Mo", "--role", "gp", "--at", "SHORE", "--email", "mo"), "no email address"),
        (("add", "Mo", "--role", "gp", "--at", "SHORE", "--until", "2001-01-01"), "The last day must be"),
        (("add", " ", "--role", "gp", "--at", "SHORE"), "Give the name"),
        (("list", "--at", "NOWHERE"), "No organisation has the code NOWHERE"),
        (("invite", "999"), "joinery staff list"),
        (("end", "999"), "joinery staff list"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)
def test_what_is_wrong_is_said_and_nothing_is_done(place: Deployment, arguments: tuple[str, ...], said: str) -> None:
    users = place.sql("SELECT COUNT(*) FROM base_user")
    done = place.run("staff", *arguments, "--json")
    assert done.returncode == 1 and said in json.loads(done.stdout)["error"]
    assert place.sql("SELECT COUNT(*) FROM base_user") == users
