"""What a user sees of their own account: where they are logged in, and what happened to how they log in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from joinery.apps.base.columns import select
from tests.pages.test_signing_in import EMAIL, PASSWORD, add_app, asha, log_in, no_tries_counted
from tests.pages.world import World

__all__ = ["asha", "no_tries_counted"]  # fixtures

NEW = "lantern orchard nine"
PAGE = "/account/sessions/"


def happened(client: Client) -> list[str]:
    """What the page says happened, the last first, without when."""
    return re.findall(r"<li>\d[^<]*, [\d.:apm]+: ([^<]+)</li>", client.get(PAGE).content.decode())


def evidence() -> list[str]:
    sql = "SELECT targets FROM base_actionentry WHERE action = 'note_account_event' ORDER BY id"
    return [str(row[0]) for row in select(sql)]


def test_each_log_in_and_each_try_is_an_entry_that_the_user_sees(
    asha: int,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    client = Client()
    log_in(client, password="not that one")
    log_in(client, login="nobody@quay.example")
    log_in(client)
    with django_capture_on_commit_callbacks(execute=True):
        _, codes = add_app(client)
    client.post("/log-out/")
    log_in(client)
    client.post("/log-in/code/", {"code": "000000"})
    client.post("/log-in/code/", {"code": codes[0]})
    change = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/account/password/", change).status_code == 302
    assert happened(client) == [
        "Password changed", "Logged in", "After the right password, a wrong code was typed", "Logged out",
        "App on a telephone added", "Logged in", "A wrong password was typed",
    ]  # fmt: skip
    assert len(evidence()) == 8  # those of nobody's account too
    assert not any(EMAIL in each or "nobody" in each for each in evidence())


def test_a_user_sees_their_own_sessions_alone_and_ends_those_of_other_browsers(
    asha: int,
    world: World,
) -> None:
    here, there, elsewhere = Client(), Client(), Client()
    stranger = world.user(name="Tom Hale")
    for each in (here, there, elsewhere):
        log_in(each)
    for each in (here, there, elsewhere, stranger):
        assert each.get("/help/").status_code == each.get("/").status_code == 200
    page = here.get(PAGE).content.decode()
    assert page.count("Logged in on") == 3 and page.count("This browser.") == 1
    assert stranger.get(PAGE).content.decode().count("Logged in on") == 1
    assert not any(each.session.session_key in page for each in (here, there, elsewhere))

    names = re.findall(r'name="session" value="(\w{16})"', page)
    assert len(names) == 2
    stranger.post(PAGE, {"session": names[0]})
    here.post(PAGE, {"session": "nothing"})
    assert all(each.get("/").status_code == 200 for each in (here, there, elsewhere))
    here.post(PAGE, {"session": names[0]})
    assert sorted(each.get("/").status_code for each in (here, there, elsewhere)) == [200, 200, 302]
    here.post(PAGE, {"session": "others"})
    assert [each.get("/").status_code for each in (here, there, elsewhere)] == [200, 302, 302]
    assert stranger.get("/").status_code == 200
    assert happened(here)[:2] == ["Logged out elsewhere, from the page of the account"] * 2


def test_who_logged_in_long_ago_shows_that_it_is_them_before_ending_a_session(asha: int, settings: Any) -> None:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    assert there.get("/").status_code == 200
    assert here.get(PAGE).status_code == 200
    assert here.post(PAGE, {"session": "others"})["Location"].startswith("/log-in/again/")
    assert there.get("/").status_code == 200


@pytest.mark.parametrize("word", ["Joinery", "ASHA", "quay", "Surgery"])
def test_a_new_password_holds_no_word_that_anybody_would_try(asha: int, word: str) -> None:
    client = Client()
    log_in(client)
    new = f"lantern {word} nine 77"
    answer = client.post("/account/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert f"Leave out {word.lower()}" in answer.content.decode()
    assert log_in(Client())["Location"]


@pytest.mark.parametrize("method", ["TRACE", "TRACK"])
def test_a_request_is_never_given_back(world: World, method: str) -> None:
    answer = Client().generic(method, "/help/", HTTP_X_SECRET="abc")
    assert answer.status_code == 405 and b"abc" not in answer.content
