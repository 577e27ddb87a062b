"""Notices by email: who is told when, by a mail server that may fail, and never a word about anybody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from joinery.apps.base import actions as base
from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.base.models import User
from joinery.apps.care import actions as care
from joinery.apps.place.facts import standing
from joinery.apps.privacy import actions as privacy
from joinery.site import notices
from joinery.site import settings as module
from joinery.site.notices import read_rules, send_due
from tests.apps.care.caring import NOON, NURSES, REABLEMENT, Caring
from tests.pages.mail_server import MailServer
from tests.pages.test_linking_pages import text
from tests.pages.world import ACTOR, SURGERY, TRUST, World, patient, person_id
from tests.support import locked

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FROM = "joinery@place.example"


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    """The mail server of the place."""
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings.MAIL = {"host": "127.0.0.1", "port": server.server_address[1], "timeout": 5}
        settings.MAIL_FROM, settings.HOSTS = FROM, ("joinery.place.example",)
        yield server
        server.shutdown()


@pytest.fixture
def caring(db: None, static_files: None, tmp_path: Path) -> Caring:
    """A place a week before a Tuesday, where Ada is known."""
    world = World(tmp_path, at=NOON - 7 * DAY)
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number="9990004714"))
    return Caring(world)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, of which the 3rd is a Tuesday, by the clock on the wall."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Europe/London"))


def told(mail: MailServer, at: datetime) -> list[str]:
    send_due(at)
    return mail.taken()


def client_of(caring: Caring, name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=caring.users[name]), "allauth.account.auth_backends.AuthenticationBackend")
    return client


# When


def test_whoever_something_waits_for_is_told_once_on_a_working_day(caring: Caring, mail: MailServer) -> None:
    assert told(mail, NOON) == [], "nothing waits"
    code = caring.refers(NURSES, urgency="routine")
    assert told(mail, NOON) == ["nurse"], "neither who asked, nor the manager in time"
    for later in (MINUTE, HOUR, 5 * HOUR):
        assert told(mail, NOON + later) == []
    assert told(mail, local(4, 7, 59)) == []
    assert told(mail, local(4, 18)) == [], "the working day is over"
    assert told(mail, local(5, 8)) == ["nurse"]
    for day in (7, 8):  # Saturday and Sunday
        assert told(mail, local(day, 12)) == []
    assert told(mail, local(10, 9)) == ["co_ordinator", "matron", "nurse"], "it has climbed"
    caring.at = local(10, 10)
    caring.steps(code, "returned", "nurse", words="Which leg?")
    assert told(mail, local(11, 8)) == ["gp"], "it is their turn"


def test_no_day_off_is_a_working_day(caring: Caring, mail: MailServer) -> None:
    caring.refers(NURSES)
    assert told(mail, datetime(2026, 12, 25, 9, tzinfo=UTC)) == []
    assert told(mail, datetime(2026, 12, 29, 9, tzinfo=UTC)) != []


def test_what_is_due_within_two_hours_is_told_at_once_and_when_it_climbs(caring: Caring, mail: MailServer) -> None:
    caring.at = local(7, 3)  # Saturday night
    caring.refers(REABLEMENT)
    assert told(mail, caring.at) == [], "that can wait for Monday"
    caring.refers(NURSES, urgency="two_hours")
    assert told(mail, caring.at) == ["nurse"]
    assert told(mail, local(7, 3, 14)) == []
    assert told(mail, local(7, 3, 16)) == ["matron"], "overdue, it has reached the manager"
    assert told(mail, local(7, 3, 50)) == ["co_ordinator"], "and then whoever co-ordinates"
    caring.at = local(7, 3, 52)
    caring.refers(NURSES, urgency="two_hours")
    assert told(mail, caring.at) == [], "no two within an hour"
    assert told(mail, local(7, 4)) == ["nurse"]
    assert told(mail, local(8, 12)) == ["co_ordinator", "matron"], "the second has climbed since they were told"
    assert told(mail, local(8, 23)) == [], "what they know of is no news"


def test_a_note_and_a_look_to_review_are_told_too(caring: Caring, mail: MailServer) -> None:
    code = caring.refers(NURSES)
    caring.steps(code, "acknowledged", "nurse")
    care.write_note(code=code, words="She moved", actor=caring.actor("nurse"), at=NOON)
    caring.staff("officer", "privacy_officer", TRUST)
    caring.world.sends(SURGERY, patient("p2", "Sorrel", "Mo"))
    posts = standing(caring.users["nurse"], NOON.date()).posts
    privacy.break_glass(
        person_id=person_id("Patient/p2"), posts=posts, reason="urgent_care", words="She has fallen",
        actor=caring.actor("nurse"), at=NOON,
    )  # fmt: skip
    assert told(mail, NOON) == ["gp", "nurse", "officer"]


def test_who_is_asked_to_co_ordinate_is_told_until_they_answer(caring: Caring, mail: MailServer) -> None:
    offer = care.add_part(
        record_id=caring.ada(), part="co_ordinator", user_id=caring.users["nurse"], actor=caring.actor("gp"), at=NOON
    )
    assert told(mail, NOON) == ["nurse"]
    assert told(mail, NOON + DAY) == ["nurse"]
    care.answer_part(part_id=offer, agree=True, actor=caring.actor("nurse"), at=NOON + DAY)
    assert told(mail, NOON + 2 * DAY) == []


def test_who_wants_none_has_no_address_or_has_left_gets_none(caring: Caring, mail: MailServer) -> None:
    caring.refers(NURSES)
    nurse = client_of(caring, "nurse")
    assert 'name="notices" type="checkbox" value="yes" aria-describedby="notices-hint" checked' in page_of(nurse)
    nurse.post("/account/", {"verb": "notices"})
    assert "checked" not in page_of(nurse) and told(mail, NOON) == []
    assert "You are told nothing by email." in page_of(nurse)
    nurse.post("/account/", {"verb": "something else", "notices": "yes"})
    assert told(mail, NOON) == []
    nurse.post("/account/", {"verb": "notices", "notices": "yes"})
    with pytest.raises(Refused):  # only who takes them is told, whoever asks
        base.keep_notice(user_id=0, actor=ACTOR, at=NOON)
    base.end_user(user_id=caring.users["nurse"], actor=ACTOR, at=NOON)
    assert told(mail, NOON) == ["matron"]
    User.objects.filter(pk=caring.users["matron"]).update(email=None, login_name="matron")
    assert told(mail, NOON + DAY) == []
    assert "without an email address" in page_of(client_of(caring, "matron"))


def page_of(client: Client) -> str:
    return str(client.get("/account/").content.decode())


# What


NASTY = (
    "Zebedee Quux",
    "9990004714",
    "q\r\nBcc: everybody@place.example",
    "Subject: hello\n\nhello",
    "Ω ’“ \u202e",
    "<b>",
)


def test_all_notices_are_the_same_whatever_waits(caring: Caring, mail: MailServer) -> None:
    """However many, of whom, with which words, how urgent, and whatever their receivers and services are called."""
    caring.refers(NURSES)
    for number, words in enumerate(NASTY):
        service = f"service-{number}"
        name = f"who{number}"
        caring.staff(name, "community_nurse", TRUST)
        User.objects.filter(pk=caring.users[name]).update(name=words)
        caring.offers(service, TRUST, "district_nursing", {name: False})
        for _ in range(number + 1):
            caring.refers(service, reason=words, words=words, urgency="two_hours" if number % 2 else "routine")
    send_due(NOON)
    came = list(mail.received)
    assert len(came) == len(NASTY) + 1
    (same,) = {tuple(each.same_for_all) for each in came}
    whole = b"\n".join(same).decode("ascii")
    assert "https://joinery.place.example/log-in/" in whole and f"From: {FROM}" in whole
    assert not any(each.isdigit() for each in whole.partition("\n\n")[2]), "no count, no id"
    for each in came:
        heads = message_from_bytes(each.body)
        assert heads.keys() == [
            "Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To", "Date", "Message-ID",
            "Auto-Submitted",
        ]  # fmt: skip
        assert heads["To"] == each.to and heads["Message-ID"].endswith("@place.example>")


def test_what_is_no_address_is_refused_and_would_not_be_written_to(caring: Caring, mail: MailServer) -> None:
    hostile = (
        "a@place.example\nBcc: b@place.example",
        "a@place.example, b@place.example",
        "a b@c.d",
        "ä@place.example",
    )
    for email in hostile:
        with pytest.raises(Refused, match="Enter an email address"):
            base.add_user(email=email, name="A", password=None, actor=ACTOR, at=NOON)
    caring.refers(NURSES)
    for email in hostile:  # as if one stood there from before
        User.objects.filter(pk=caring.users["nurse"]).update(email=email)
        assert told(mail, NOON) == [] and mail.connections == 0
    assert select("SELECT COUNT(*) FROM base_notice") == [(0,)]


# How


def test_nobody_is_told_twice_whatever_ends(caring: Caring, mail: MailServer) -> None:
    caring.refers(NURSES)
    with locked("notices"):
        assert told(mail, NOON) == [], "another process is at it"
    # A process that ends between keeping and sending leaves a notice that counts.
    base.keep_notice(user_id=caring.users["nurse"], actor=ACTOR, at=NOON)
    assert told(mail, NOON) == [] and told(mail, NOON + HOUR) == []


def test_a_mail_server_that_is_away_is_asked_less_and_less_and_everybody_can_see_it(
    caring: Caring, mail: MailServer
) -> None:
    caring.refers(NURSES)
    caring.refers(REABLEMENT)
    mail.away = True
    for minute in range(121):
        send_due(NOON + minute * MINUTE)
    assert mail.connections == 7, "after 0, 1, 3, 7, 15, 31 and 63 minutes"
    assert client_of(caring, "gp").get("/healthz").json()["notices"] == "failing"
    assert "None could be sent since 3 November" in text(client_of(caring, "gp").get("/account/"))
    mail.away = False
    assert told(mail, NOON + 3 * HOUR) == ["nurse", "worker"]
    assert told(mail, NOON + 4 * HOUR) == []
    assert client_of(caring, "gp").get("/healthz").json()["notices"] == "sent"
    assert "None could be sent" not in text(client_of(caring, "gp").get("/account/"))


def test_an_address_that_is_refused_stops_no_other(caring: Caring, mail: MailServer) -> None:
    caring.staff("second", "community_nurse", TRUST)
    care.add_member(service=NURSES, user_id=caring.users["second"], organisation=TRUST, actor=ACTOR, at=NOON)
    caring.refers(NURSES)
    caring.refers(REABLEMENT)
    mail.answers = {"nurse": "550 no such mailbox", "second": "450 later"}
    assert told(mail, NOON) == ["worker"]
    mail.answers = {}
    assert told(mail, NOON + 59 * MINUTE) == []
    assert told(mail, NOON + HOUR) == ["second"]
    assert told(mail, NOON + DAY) == ["nurse", "second", "worker"]


def test_nothing_goes_unencrypted_where_encryption_is_asked_for(
    caring: Caring, mail: MailServer, settings: Any
) -> None:
    settings.MAIL = settings.MAIL | {"use_tls": True}
    caring.refers(NURSES)
    assert told(mail, NOON) == [] and mail.connections == 1
    assert select("SELECT outcome FROM base_notice") == [("failed",)]


def test_nothing_is_sent_where_no_server_is_named(caring: Caring) -> None:
    caring.refers(NURSES)
    send_due(NOON)
    assert select("SELECT COUNT(*) FROM base_notice") == [(0,)]
    gp = client_of(caring, "gp")
    assert gp.get("/healthz").json()["notices"] == "off" and "This place sends none" in text(gp.get("/account/"))


# What a deployment says


def test_what_is_said_of_the_mail_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter22\n")

    def said(mail: str, sender: str = FROM, password: str = "", hosts: tuple[str, ...] = ("a.example",)) -> Any:
        for name, value in (("HOSTS", hosts), ("MAIL_FROM", sender)):
            monkeypatch.setattr(module, name, value)
        monkeypatch.setenv("JOINERY_MAIL", mail)
        monkeypatch.setenv("JOINERY_MAIL_PASSWORD", password)
        return module._mail()

    assert said("", "") == {}
    found = said("smtp://joinery%40x@mail.example", password=str(secret))
    assert (found["username"], found["password"], found["port"]) == ("joinery@x", "hunter22", 587)
    assert (found["use_tls"], found["use_ssl"]) == (True, False)
    found = said("smtps://mail.example")
    assert (found["use_tls"], found["use_ssl"], found["port"]) == (False, True, 465)
    assert said("smtp://127.0.0.1:25")["use_tls"] is False
    for wrong, words in (
        (("mail.example",), "such as smtp://"),
        (("https://mail.example",), "such as smtp://"),
        (("smtp://",), "such as smtp://"),
        (("smtp://mail.example:many",), "such as smtp://"),
        (("smtp://joinery:hunter22@mail.example",), "put it into a file"),
        (("smtp://mail.example", "Joinery"), "set JOINERY_MAIL_FROM"),
        (("smtp://mail.example", f"{FROM}\nBcc: a@b.example"), "set JOINERY_MAIL_FROM"),
        (("smtp://mail.example", FROM, str(tmp_path / "none")), "There is no file"),
        (("smtp://mail.example", FROM, "", ()), "set JOINERY_HOSTS"),
    ):
        with pytest.raises(ImproperlyConfigured, match=words) as raised:
            said(*wrong)
        assert "hunter22" not in str(raised.value)
    monkeypatch.setattr(module, "DEMO", True)
    assert said("smtp://mail.example") == {}


def test_rules_that_cannot_be_meant_are_refused() -> None:
    rule = "[[rules]]\nvalid_from = 2026-01-01\ndaily_from = 08:00:00\ndaily_to = 18:00:00\nsoon_minutes = 120\n"
    assert read_rules(f"{rule}apart_minutes = 60\n")[0].soon_minutes == 120
    assert notices.rules_on(NOON.date()) == notices.rules_on(datetime(2000, 1, 1, tzinfo=UTC).date())
    whole = f"{rule}apart_minutes = 60\n"
    for wrong in (
        "",
        rule,
        whole * 2,
        f"{rule}apart_minutes = 0",
        f"{whole}other = 1",
        whole.replace("18:", "07:"),
        "[",
    ):
        with pytest.raises(ValueError, match="rules/notices.toml"):
            read_rules(wrong)
