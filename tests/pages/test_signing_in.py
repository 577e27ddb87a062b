"""Logging in: by password with a second factor, what a session lasts, and that nothing typed is lost."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from joinery.apps.base.actions import add_user
from joinery.apps.place.actions import add_membership
from joinery.apps.record.actions import give_own_access
from tests.pages.world import ACTOR, SURGERY, World, patient, person_id

EMAIL, PASSWORD = "asha@quay.example", "correct horse battery"


@pytest.fixture(autouse=True)
def no_tries_counted() -> None:
    cache.clear()


@pytest.fixture
def asha(world: World) -> int:
    """A GP who has a password, and no second factor yet."""
    user_id = add_user(email=EMAIL, name="Asha Rao", password=PASSWORD, actor=ACTOR, at=world.at)
    add_membership(
        user_id=user_id, organisation_code=SURGERY, role="gp", from_date=world.at.date(), actor=ACTOR, at=world.at
    )
    return user_id


def log_in(client: Client, login: str = EMAIL, password: str = PASSWORD) -> Any:
    return client.post("/log-in/", {"login": login, "password": password})


def now_code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def add_app(client: Client) -> tuple[str, list[str]]:
    """Add an app to the account; its key, and the codes to print."""
    secret = re.search(r"Key: <code[^>]*>(\w+)", client.get("/account/app/").content.decode())[1]
    answer = client.post("/account/app/", {"code": now_code(secret)})
    assert answer["Location"] == "/account/codes/"
    page = client.get("/account/codes/").content.decode()
    codes = [code.replace(" ", "") for code in re.findall(r"<li><code[^>]*>([\d ]+)</code>", page)]
    assert len(set(codes)) == 10
    return secret, codes


def test_who_holds_a_role_must_add_a_second_factor_and_is_asked_for_it_from_then_on(asha: int, settings: Any) -> None:
    settings.SECOND_FACTOR = True
    client = Client()
    assert log_in(client)["Location"] == "/"
    assert client.get("/")["Location"] == client.get("/place/")["Location"] == "/account/"
    assert "Before you go on" in client.get("/account/").content.decode()
    assert client.get("/help/").status_code == 200
    _, codes = add_app(client)
    assert client.get("/").status_code == 200
    client = Client()
    assert log_in(client)["Location"] == "/log-in/code/"
    assert client.get("/")["Location"].startswith("/log-in/")
    wrong = client.post("/log-in/code/", {"code": "000000"})
    assert "That code is not right" in wrong.content.decode()
    assert client.get("/")["Location"].startswith("/log-in/")
    assert client.post("/log-in/code/", {"code": codes[0]})["Location"] == "/"
    assert client.get("/").status_code == 200
    again = Client()
    log_in(again)
    assert again.post("/log-in/code/", {"code": codes[0]}).status_code == 200
    assert again.get("/")["Location"].startswith("/log-in/")


def age(client: Client, minutes: float, of: str = "seen_at") -> None:
    """As if so many minutes had passed since the session was last seen in use, or since it began."""
    session = client.session
    session[of] -= int(minutes * 60)
    session.save()


@pytest.mark.parametrize(
    ("of", "minutes", "lasts"),
    [("seen_at", 14.9, True), ("seen_at", 15, False), ("began_at", 719, True), ("began_at", 720, False)],
)
def test_a_session_lasts_15_minutes_without_use_and_12_hours_in_all(
    asha: int, of: str, minutes: float, lasts: bool
) -> None:
    client = Client()
    log_in(client)
    key = client.session.session_key
    age(client, minutes, of)
    answer = client.get("/place/?on=2026-01-01")
    assert (answer.status_code == 200) == lasts
    if lasts:
        return
    assert answer["Location"] == "/log-in/?next=%2Fplace%2F%3Fon%3D2026-01-01"
    assert client.session.session_key != key
    assert not client.session.exists(key)
    page = client.get(answer["Location"]).content.decode()
    assert ("15 minutes" if of == "seen_at" else "12 hours") in page
    assert "What you typed" not in page


def test_the_page_after_a_session_ended_is_only_reached_by_logging_in(asha: int) -> None:
    client = Client()
    log_in(client)
    age(client, 20)
    assert client.get("/help/").status_code == 200
    assert client.get("/")["Location"].startswith("/log-in/")


TYPED = {"family_name": "Fenwick-<b>", "given_name": "", "csrfmiddlewaretoken": "x", "new_password": "never kept"}


def test_what_was_typed_when_the_session_ended_is_kept_for_its_user_and_sent_once_they_say_so(asha: int) -> None:
    client = Client()
    log_in(client)
    age(client, 20)
    assert client.post("/?a=1", TYPED)["Location"] == "/log-in/?next=%2Flog-in%2Funsent%2F"
    assert "What you typed is kept" in client.get("/log-in/").content.decode()
    assert client.get("/log-in/unsent/")["Location"].startswith("/log-in/")
    assert client.post("/log-in/", {"login": EMAIL, "password": PASSWORD})["Location"] == "/log-in/unsent/"
    page = client.get("/log-in/unsent/").content.decode()
    assert "Family name</dt>" in page
    assert page.count("Fenwick-&lt;b&gt;") == 2
    assert 'action="/?a=1"' in page
    assert "never kept" not in page
    sent = client.post("/?a=1", {"family_name": "Fenwick-<b>"})
    assert "Nobody found" in sent.content.decode()
    assert client.get("/log-in/unsent/")["Location"] == "/"


def test_what_was_typed_is_shown_to_nobody_else_and_can_be_thrown_away(asha: int, world: World) -> None:
    other = add_user(email="other@quay.example", name="Other", password=PASSWORD, actor=ACTOR, at=world.at)
    assert other
    client = Client()
    log_in(client)
    age(client, 20)
    client.post("/", TYPED)
    log_in(client, "other@quay.example")
    assert client.get("/log-in/unsent/")["Location"] == "/"
    client.post("/log-out/")
    log_in(client)
    assert client.get("/log-in/unsent/")["Location"] == "/"
    age(client, 20)
    client.post("/", TYPED)
    log_in(client)
    assert client.post("/log-in/unsent/")["Location"] == "/"
    assert client.get("/log-in/unsent/")["Location"] == "/"


def test_a_file_is_not_kept_and_the_page_says_so(asha: int, tmp_path: Any) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    client = Client()
    log_in(client)
    age(client, 20)
    with path.open("rb") as file:
        client.post("/feeds/upload/", {"feed": "fhir", "file": file})
    log_in(client)
    page = client.get("/log-in/unsent/").content.decode()
    assert "Files are not kept" in page
    assert "Send it now" not in page


@pytest.mark.parametrize("late", ["/log-in/", "/account/password/"])
def test_no_password_is_ever_kept(asha: int, late: str) -> None:
    client = Client()
    log_in(client)
    age(client, 20)
    client.post(late, {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"})
    assert "another long one" not in str(dict(client.session.items()))
    assert PASSWORD not in str(dict(client.session.items()))


def test_a_forged_form_that_comes_too_late_is_refused_and_not_kept(asha: int) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/log-in/")
    token = client.cookies["csrftoken"].value
    client.post("/log-in/", {"login": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": token})
    age(client, 20)
    assert client.post("/", TYPED).status_code == 403
    assert "Fenwick" not in str(dict(client.session.items()))


def test_the_session_is_written_down_once_a_minute_at_most(asha: int, django_assert_max_num_queries: Any) -> None:
    client = Client()
    log_in(client)
    before = client.session["seen_at"]
    for _ in range(3):
        client.get("/help/")
    assert client.session["seen_at"] == before
    age(client, 2)
    client.get("/help/")
    assert client.session["seen_at"] >= before


def test_somebody_without_an_email_address_logs_in_by_login_name_in_any_case(asha: int, world: World) -> None:
    add_user(email="", name="Ann Hill", password=PASSWORD, actor=ACTOR, at=world.at)
    for login in ("ann.hill", " Ann.Hill "):
        client = Client()
        assert log_in(client, login).status_code == 302
        assert client.get("/account/").status_code == 200
    assert "is not right" in log_in(Client(), "ann.hill", "wrong").content.decode()


def test_tries_to_guess_a_password_or_a_code_are_stopped_after_five(asha: int) -> None:
    client = Client()
    log_in(client)
    secret, codes = add_app(client)
    client = Client()
    for _ in range(5):
        assert "is not right" in log_in(client, password="wrong password").content.decode()
    assert "Too many tries" in log_in(client).content.decode()
    cache.clear()
    log_in(client)
    for _ in range(5):
        assert "is not right" in client.post("/log-in/code/", {"code": "000000"}).content.decode()
    for right in (now_code(secret), codes[0]):
        assert "Too many tries" in client.post("/log-in/code/", {"code": right}).content.decode()


def test_behind_a_proxy_tries_are_counted_by_who_makes_them_and_no_header_of_theirs_helps(
    asha: int, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.ACCOUNT_RATE_LIMITS = {"login": "3/m/ip", "login_failed": "60/m/ip"}

    def tried(seen: str) -> int:
        answer = Client().post("/log-in/", {"login": "x", "password": "y"}, headers={"x-forwarded-for": seen})
        return int(answer.status_code)

    assert [tried(f"198.51.100.{n}, 203.0.113.7") for n in range(4)] == [200, 200, 200, 429]
    assert tried("203.0.113.8") == 200


def test_secrets_of_second_factors_are_not_readable_in_the_database(asha: int) -> None:
    from allauth.mfa.models import Authenticator

    client = Client()
    log_in(client)
    secret, _ = add_app(client)
    kept = " ".join(str(each.data) for each in Authenticator.objects.all())
    assert "secret" in kept and "seed" in kept
    assert secret not in kept


def test_changing_how_one_logs_in_asks_who_is_there_unless_they_have_just_logged_in(asha: int) -> None:
    client = Client()
    log_in(client)
    assert client.get("/account/app/").status_code == 200
    session = client.session
    session["account_authentication_methods"][-1]["at"] = time.time() - 400
    session.save()
    for page in ("/account/app/", "/account/passkeys/"):
        assert client.get(page)["Location"] == f"/log-in/again/?next={page.replace('/', '%2F')}"
    assert client.post("/log-in/again/?next=/account/app/", {"password": "wrong"}).status_code == 200
    assert client.get("/account/app/").status_code == 302
    onward = client.post("/log-in/again/", {"password": PASSWORD, "next": "/account/app/"})
    assert onward["Location"] == "/account/app/"
    assert client.get("/account/app/").status_code == 200


def test_an_app_and_its_codes_are_renewed_and_removed_by_whoever_shows_one(asha: int) -> None:
    client = Client()
    log_in(client)
    _, codes = add_app(client)
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 400
    session.save()
    asked = client.get("/account/codes/new/")["Location"].replace("/again/", "/again/code/")
    page = client.get(asked).content.decode()
    assert 'name="next" value="/account/codes/new/"' in page
    assert client.post("/log-in/again/code/", {"code": "1"}).status_code == 200
    right = {"code": f"{codes[0][:4]} {codes[0][4:]}", "next": "/account/codes/new/"}
    assert client.post("/log-in/again/code/", right)["Location"] == "/account/codes/new/"
    assert "9 of them are not used yet" in client.get("/account/codes/new/").content.decode()
    assert client.post("/account/codes/new/")["Location"] == "/account/codes/"
    assert codes[1][:4] + " " + codes[1][4:] not in client.get("/account/codes/").content.decode()
    assert client.get("/account/app/")["Location"] == "/account/app/remove/"
    assert "Your printed codes go with it" in client.get("/account/app/remove/").content.decode()
    assert client.post("/account/app/remove/")["Location"] == "/account/"
    assert "Printed codes" not in client.get("/account/").content.decode()
    assert log_in(Client())["Location"] == "/"


def test_a_new_password_logs_every_other_browser_out(asha: int) -> None:
    client, elsewhere = Client(), Client()
    log_in(client)
    log_in(elsewhere)
    form = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    short = client.post("/account/password/", form | {"password1": "short", "password2": "short"})
    assert "at least 12 characters" in short.content.decode()
    assert client.post("/account/password/", form)["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302


def test_an_account_that_was_ended_is_cut_off_in_the_middle_of_a_session(asha: int, world: World) -> None:
    from joinery.apps.base.actions import end_user

    client = Client()
    log_in(client)
    end_user(user_id=asha, actor=ACTOR, at=world.at)
    assert client.get("/")["Location"].startswith("/log-in/")
    assert log_in(Client()).status_code == 200


ODD = ["", "x", "[]", "{}", "7", "null", '"x"', '{"id": 7}', '{"response": 7}', '{"response": {"userHandle": 7}}',
       '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {}}', "{" * 5000, "\x00"]  # fmt: skip


def test_a_forged_answer_of_a_passkey_is_refused_in_words(asha: int) -> None:
    client = Client()
    log_in(client)
    add_app(client)
    second = Client()
    log_in(second)
    for credential in ODD:
        sent = {"credential": credential}
        assert "did not work" in Client().post("/log-in/passkey/", sent).content.decode()
        assert client.post("/account/passkeys/", sent | {"passwordless": "on"}).status_code == 200
        assert second.post("/log-in/code/", sent).status_code == 200
        cache.clear()
    assert second.get("/")["Location"].startswith("/log-in/")


def test_a_wall_board_shows_beds_and_opens_nothing_else_for_12_hours(world: World) -> None:
    client = world.user("integration_lead")
    assert "Show the beds on this screen" in client.get("/feeds/beds/").content.decode()
    assert client.post("/board/start/")["Location"] == "/board/"
    board = client.get("/board/")
    page = board.content.decode()
    assert "Care-home beds" in page
    assert board["Refresh"] == "60"
    assert "Log out" not in page
    assert "<form" not in page
    for path in ("/", "/feeds/beds/", "/place/", "/account/", "/people/0a1b2c/"):
        assert client.get(path)["Location"].startswith("/log-in/"), path
    age(client, 719, "board_until")
    assert client.get("/board/").status_code == 200
    age(client, 1, "board_until")
    assert client.get("/board/")["Location"] == "/log-in/"
    assert client.get("/board/")["Location"] == "/log-in/"


def test_only_who_holds_a_role_starts_a_wall_board(world: World) -> None:
    assert Client().get("/board/")["Location"] == "/log-in/"
    client = world.user("")
    assert client.post("/board/start/").status_code == 403
    assert client.get("/board/")["Location"] == "/feeds/beds/"


def test_what_was_left_in_a_session_is_deleted_with_it(asha: int) -> None:
    from joinery.site.nightly import run

    client = Client()
    log_in(client)
    age(client, 20)
    client.post("/", TYPED)
    key, today = client.session.session_key, datetime.now(UTC)
    Session.objects.filter(pk=key).update(expire_date=today - timedelta(minutes=1))
    assert run(today)["sessions"] == 1
    assert not Session.objects.filter(pk=key).exists()


def test_without_the_keys_no_code_opens_an_account(asha: int, settings: Any) -> None:
    """A deployment may be restored from a backup without its keys."""
    client = Client()
    log_in(client)
    secret, codes = add_app(client)
    settings.SECRET_KEY = "another key altogether, as of another deployment"
    client = Client()
    log_in(client)
    for code in (now_code(secret), codes[0], now_code("")):
        assert "is not right" in client.post("/log-in/code/", {"code": code}).content.decode()


def test_who_is_here_for_their_own_record_comes_to_their_own_page_and_may_do_without_a_second_factor(
    world: World, settings: Any
) -> None:
    settings.SECOND_FACTOR = True
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    user_id = add_user(email="", name="Ada Fenwick", password=PASSWORD, actor=ACTOR, at=world.at)
    give_own_access(
        person_id=person_id("Patient/p1"), user_id=user_id, kind="own", from_date=world.at.date(), actor=ACTOR,
        at=world.at,
    )  # fmt: skip
    client = Client()
    assert log_in(client, "ada.fenwick")["Location"] == "/mine/"
    assert client.get("/mine/", follow=True).status_code == 200
    add_app(client)
    assert log_in(Client(), "ada.fenwick")["Location"] == "/log-in/code/"
