"""Every address of the site, asked for by everybody: it opens for whom the table names, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages.hostile_world import CANARY, KEPT_BACK, PARAMETERS, Hostile
from tests.spec.pages_by_role import EVERYBODY, NOT_IN, rows, visitors

pytestmark = pytest.mark.django_db  # each test within what the module shares
ROWS = rows()


def test_the_table_names_the_pages_that_there_are() -> None:
    assert set(ROWS) == set(PARAMETERS)


def test_the_table_names_visitors_that_there_are() -> None:
    assert {who for read, change in ROWS.values() for who in visitors(read) | visitors(change)} <= set(EVERYBODY)


def became(answer: Any, name: str) -> str:
    """What came of a request."""
    where = answer.get("Location", "").partition("?")[0]
    if answer.status_code == 302 and where in ("/log-in/", "/account/") and not name.startswith(("account_", "mfa_")):
        return "log in" if where == "/log-in/" else "second factor"
    if answer.status_code == 302 and where == "/log-in/" and answer.get("Location") != "/log-in/":
        return "log in"
    named = {403: "refused", 404: "not there", 405: "no such method", 400: "bad"}
    return named.get(answer.status_code, "open" if answer.status_code < 400 else f"fault {answer.status_code}")


def expected(who: str, name: str, allowed: frozenset[str]) -> set[str]:
    """What should come of it."""
    if who in NOT_IN and who not in allowed:
        return {"log in"}
    if who == "no factor" and not (who in allowed and name.startswith(("account_", "mfa_")) or "signed out" in allowed):
        return {"second factor"}
    return {"open"} if who in allowed else {"refused"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_opens_for_whom_the_table_names(hostile: Hostile, settings: Any, method: str) -> None:
    wrong = []
    for who in EVERYBODY:
        settings.SECOND_FACTOR = who in ("no factor", "pending")
        for name, (read, change) in ROWS.items():
            answer = hostile.asks(who, method, hostile.address(name))
            said, should = became(answer, name), expected(who, name, visitors(read if method == "get" else change))
            if said not in should:
                wrong.append(f"{who}: {method} {name} is {said}, not {should}")
            wrong += [f"{who}: {name} tells {each}" for each in (CANARY, KEPT_BACK) if each in answer.body]
    assert not wrong, "\n".join(wrong)
