"""Every address of the site, asked for by everybody: it opens for whom the table names, and for nobody else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.pages.hostile_world import CANARY, KEPT_BACK, PARAMETERS, Hostile
from tests.spec.pages_by_role import EVERYBODY, NOT_IN, rows, visitors

# Each test within what the module shares; who may see a page hangs on no database.
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
ROWS = rows()


def test_the_table_names_the_pages_that_there_are() -> None:
    assert set(ROWS) == set(PARAMETERS)


def test_the_table_names_visitors_that_there_are() -> None:
    assert {who for read, change in ROWS.values() for who in visitors(read) | visitors(change)} <= set(EVERYBODY)


# Pages about nobody but their reader: what else these say (there is no app to remove) is tried in test_signing_in.py.
OF_ACCOUNT = ("account_", "mfa_", "oidc_")
# They lead to the page on which to log in whoever may ask for them.
LEAD_THERE = {"account_login", "account_logout", "oidc_start"}


def became(answer: Any, name: str) -> str:
    """What came of a request. A form that is not as it must be was let in, and so was a page of the account."""
    where = answer.get("Location", "").partition("?")[0]
    if answer.status_code >= 500:
        return f"fault {answer.status_code}"
    if answer.status_code in (401, 429) and name.startswith("bars:"):
        return "key"
    if where == "/log-in/" and name not in LEAD_THERE:
        return "log in"
    if name.startswith(OF_ACCOUNT):
        return "not offered" if "not_offered" in str(answer.resolver_match.func) else "open"
    if where == "/account/":
        return "second factor"
    return {403: "refused", 404: "not there", 405: "no such method"}.get(answer.status_code, "open")


def expected(who: str, name: str, words: list[str]) -> str:
    """What should come of it."""
    allowed = visitors(words)
    if words == ["nobody_at_all"]:
        return "not offered"
    if words == ["key"]:
        return "key"
    if who in allowed and (who != "no factor" or "board" in allowed or name.startswith(OF_ACCOUNT)):
        return "open"
    if who in NOT_IN or name.startswith(OF_ACCOUNT):
        return "log in"
    if who == "no factor":
        return "second factor"
    return "no such method" if words == ["none"] else "refused"


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_opens_for_whom_the_table_names(hostile: Hostile, settings: Any, method: str) -> None:
    wrong = []
    for who in EVERYBODY:
        settings.SECOND_FACTOR = who in ("no factor", "pending")
        for name, (read, change) in ROWS.items():
            answer = hostile.asks(who, method, hostile.address(name))
            said, should = became(answer, name), expected(who, name, read if method == "get" else change)
            if said != should:
                wrong.append(f"{who}: {method} {name} is {said}, not {should}")
            wrong += [f"{who}: {name} tells {each}" for each in (CANARY, KEPT_BACK) if each in answer.body]
            # Labels and the links of errors lead to the first of several with one id.
            ids = re.findall(r'<[^>]* id="([^"]+)"', answer.body)
            wrong += [f"{who}: {name} has several of {each}" for each in {i for i in ids if ids.count(i) > 1}]
            # Titles stay in the history of a shared computer.
            title = answer.body.partition("<title>")[2].partition("</title>")[0].lower()
            wrong += [f"{who}: the title of {name} names {each}" for each in ("fenwick", "marsh") if each in title]
    assert not wrong, "\n".join(wrong)


def test_what_waits_for_a_privacy_officer_is_counted_in_the_menu_of_all_their_pages(hostile: Hostile) -> None:
    pages = ("help", "privacy:index", "place:proposals", "record:kept_back", "measures:series", "mfa_index")
    with hostile.untouched("privacy_officer") as client:
        shown = [client.get(hostile.address(name)).content.decode() for name in pages]
    assert [name for name, page in zip(pages, shown, strict=True) if ">Privacy (1<" not in page] == []
    with hostile.untouched("gp") as client:
        assert "Privacy (" not in client.get(hostile.address("help")).content.decode()


def test_no_line_of_the_log_names_anybody_whatever_page_was_asked_for(hostile: Hostile) -> None:
    hostile.asks("gp", "get", hostile.address("record:person"))
    assert hostile.told() == []
