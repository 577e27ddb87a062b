"""Small things that OWASP ASVS asks of logging in, and no other test says (see tests/spec/asvs.toml)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

import joinery
from joinery.apps.base.actions import add_user
from tests.pages.test_signing_in import EMAIL, PASSWORD, add_app, asha, log_in, no_tries_counted, now_code
from tests.pages.world import ACTOR, World

__all__ = ["asha", "no_tries_counted"]  # fixtures


def test_no_script_and_no_other_site_has_the_cookies_and_a_new_session_has_a_new_one(asha: int) -> None:
    client = Client()
    client.get("/log-in/")
    log_in(client)
    first = client.cookies["sessionid"].value
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax"), cookie.key
    client.post("/log-out/")
    log_in(client)
    assert client.cookies["sessionid"].value not in ("", first)


def test_a_code_of_an_app_serves_once(asha: int) -> None:
    client = Client()
    log_in(client)
    secret, _ = add_app(client)
    cache.clear()  # as if some minutes had passed since
    code = now_code(secret)
    answers = []
    for _ in range(2):
        client = Client()
        log_in(client)
        client.post("/log-in/code/", {"code": code})
        answers.append(client.get("/").status_code)
    assert answers == [200, 302]


@pytest.mark.parametrize(
    "wrong", [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", PASSWORD[:-1], PASSWORD.replace(" ", "")]
)
def test_a_password_counts_as_it_was_typed(asha: int, wrong: str) -> None:
    assert log_in(Client(), password=wrong).status_code == 200


def test_a_password_may_be_long_and_of_any_characters(world: World) -> None:
    password = "żółć 雨 🌧 ' OR 1=1 -- <b>" * 5
    add_user(email=EMAIL, name="Asha Rao", password=password, actor=ACTOR, at=world.at)
    assert log_in(Client(), password=password).status_code == 302
    assert log_in(Client(), password=password[:-1]).status_code == 200


def test_a_field_that_comes_twice_counts_once(asha: int) -> None:
    answer = Client().post("/log-in/", {"login": [EMAIL, "nobody@quay.example"], "password": [PASSWORD, PASSWORD]})
    assert answer.status_code == 200 and "is not right" in answer.content.decode()


def test_no_text_is_run_as_a_program() -> None:
    """Neither as Python nor by a shell, nor made into objects when it is read back."""
    refused = {"eval", "exec", "os.system", "os.popen", "pickle.loads", "pickle.load", "marshal.loads", "yaml.load"}
    found = []
    for path in sorted(Path(joinery.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                shell: list[Any] = [k for k in node.keywords if k.arg == "shell"]
                if ast.unparse(node.func) in refused or shell:
                    found.append(f"{path.name}:{node.lineno}")
    assert found == []
