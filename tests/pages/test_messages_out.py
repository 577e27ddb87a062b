"""Messages to systems outside as the worker sends them: what fails stops nothing else, and is seen where it matters."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from joinery.apps.base.columns import select
from joinery.apps.base.models import User
from joinery.site.bars.sending import send_due
from tests.apps.care.caring import NURSES, REABLEMENT, Caring
from tests.pages.test_linking_pages import text
from tests.pages.world import COUNCIL, SURGERY, TRUST, World, patient
from tests.support import locked

MINUTE = timedelta(minutes=1)


class Outside(ThreadingHTTPServer):
    """The systems of two bodies: each answers with a status of its own, or hangs up (0)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.status = Counter({TRUST: 200, COUNCIL: 200})
        self.taken: list[tuple[str, str]] = []

    def endpoint(self, body: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{body}"


class _Answers(BaseHTTPRequestHandler):
    server: Outside

    def do_POST(self) -> None:
        body = self.path.split("/")[1]
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.taken.append((body, message["entry"][1]["resource"]["id"]))
        if self.server.status[body]:
            self.send_response(self.server.status[body])
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def outside() -> Iterator[Outside]:
    with Outside() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def caring(world: World, outside: Outside) -> Iterator[Caring]:
    """A GP who refers to services that two bodies outside run."""
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number="9990004714"))
    data = Path(settings.JOINERY_DATA)
    (data / "our.key").write_text("key")
    said = '[organisations.{0}]\nendpoint = "{1}"\nkeys = {{ {2} = "our.key" }}\n'
    toml = "".join(said.format(f'"{body}"', outside.endpoint(body), SURGERY) for body in (TRUST, COUNCIL))
    (data / "bars.toml").write_text(toml)
    yield Caring(world, at=world.at)
    (data / "bars.toml").unlink()


def tries(outside: Outside) -> Counter[str]:
    """How often each body was sent something since the last time that this was asked."""
    found = Counter(body for body, _ in outside.taken)
    outside.taken.clear()
    return found


def test_who_does_not_answer_holds_up_nobody_and_is_asked_less_and_less(caring: Caring, outside: Outside) -> None:
    outside.status[TRUST] = 0
    nurses = [caring.refers(NURSES), caring.refers(NURSES, urgency="today")]
    caring.refers(REABLEMENT)
    send_due(caring.at)
    assert tries(outside) == {TRUST: 1, COUNCIL: 1}, "one silence is enough for one round"
    send_due(caring.at)
    assert tries(outside) == {TRUST: 1}, "the other message has its turn"
    for minute in range(1, 121):
        send_due(caring.at + minute * MINUTE)
    # Each after 1, 2, 4, … minutes, up to an hour; what comes due while nobody answers waits for the next round.
    assert 12 <= tries(outside)[TRUST] <= 14

    outside.status[TRUST] = 200
    at = caring.at + timedelta(hours=4)
    send_due(at)
    assert tries(outside) == {TRUST: 2}
    send_due(at + timedelta(days=1))
    assert tries(outside) == {}, "each once"
    assert sorted(code for (code,) in select(SENT, [TRUST])) == sorted(nurses)


SENT = (
    "SELECT r.code FROM care_delivery d JOIN care_referral r ON r.id = d.referral_id "
    "JOIN place_organisation o ON o.id = d.organisation_id WHERE o.code = %s AND d.status = 200"
)


def test_what_says_nothing_of_a_message_is_no_refusal_of_it(caring: Caring, outside: Outside) -> None:
    at = caring.at
    caring.refers(NURSES)
    caring.refers(NURSES)
    # A key that serves no more, another address, a fault: none of them leaves a note as if the message were refused.
    for status, both in ((401, False), (307, True), (500, True), (503, False), (429, False)):
        outside.status[TRUST] = status
        at += timedelta(hours=2)
        send_due(at)
        assert tries(outside) == {TRUST: 2 if both else 1}, status
    assert select("SELECT COUNT(*) FROM care_referralnote") == [(0,)]
    outside.status[TRUST] = 422
    send_due(at + timedelta(hours=2))
    send_due(at + timedelta(hours=4))
    assert tries(outside) == {TRUST: 2}
    assert select("SELECT COUNT(*) FROM care_referralnote") == [(2,)]


def test_one_that_cannot_be_written_stops_no_other(caring: Caring, outside: Outside) -> None:
    data = Path(settings.JOINERY_DATA)
    (data / "broken.key").write_bytes(b"\xff\xfe")
    toml = (data / "bars.toml").read_text()
    (data / "bars.toml").write_text(toml.replace("our.key", "broken.key", 1))
    caring.refers(NURSES)
    caring.refers(REABLEMENT)
    send_due(caring.at)
    assert tries(outside) == {COUNCIL: 1}
    (data / "bars.toml").write_text(toml)
    send_due(caring.at + MINUTE)
    assert tries(outside) == {TRUST: 1}


def test_one_process_sends_at_a_time(caring: Caring, outside: Outside) -> None:
    caring.refers(NURSES)
    with locked("bars"):
        send_due(caring.at)
    assert tries(outside) == {}
    send_due(caring.at)
    assert tries(outside) == {TRUST: 1}


def test_silence_is_seen_on_the_referral_and_at_the_service(caring: Caring, outside: Outside) -> None:
    outside.status[TRUST] = 503
    code = caring.refers(NURSES)
    gp = Client()
    gp.force_login(User.objects.get(pk=caring.users["gp"]), "allauth.account.auth_backends.AuthenticationBackend")
    never = "has not reached Vale Community Health since"
    assert never in text(gp.get(f"/referrals/{code}/")) and "Nothing was sent yet" in text(
        gp.get(f"/referrals/{code}/")
    )
    for minute in range(2):
        send_due(caring.at + minute * MINUTE)
    for address in (f"/referrals/{code}/", f"/services/{NURSES}/"):
        page = text(gp.get(address))
        assert never in page and "did not take it, 2 times by now" in page, address
    assert never not in text(gp.get(f"/services/{REABLEMENT}/"))
    outside.status[TRUST] = 200
    send_due(caring.at + timedelta(minutes=10))
    assert never not in text(gp.get(f"/referrals/{code}/"))
