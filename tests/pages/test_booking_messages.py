"""Referrals as NHS booking and referral messages: what the contract's own examples get, and what becomes of them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from wsgiref.simple_server import make_server

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.test import Client

from joinery.apps.base.action import Actor
from joinery.apps.base.columns import select
from joinery.apps.care import actions as care
from joinery.apps.care import facts
from joinery.apps.place.actions import OrganisationDetails, register_organisation, take_directory_file
from joinery.apps.record.actions import take_file
from joinery.apps.record.fhir.validate import validate
from joinery.site.bars.known import known, new_key
from joinery.site.bars.outcomes import CODE
from joinery.site.bars.sending import send
from joinery.site.bars.writing import ODS_CODE
from tests.pages.other_place import Quiet
from tests.pages.place_world import COUNCIL as LIVES_IN
from tests.pages.place_world import LSOA, POSTCODE, write_definition, write_postcodes

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ACTOR = Actor.system("test")
AMBULANCE, NURSES = "RZZ99", "ZC1"
SENDS = "RND"  # the sender of the contract's example
NUMBER = "9990000018"
ELSEWHERE = "V09"


class System:
    """A system outside, with the key of its organisation."""

    def __init__(self, organisation: str = AMBULANCE, key: str | None = None, claims: str = "") -> None:
        self.key = new_key(settings.KEYS, organisation) if key is None else key
        self.claims = claims or organisation

    def headers(self, service: str = "nursing") -> dict[str, str]:
        names = {"resourceType": "Organization", "identifier": [{"system": ODS_CODE, "value": self.claims}]}
        return {
            "Authorization": f"Bearer {self.key}",
            "Accept": "application/fhir+json; version=1.0.0",
            "X-Request-Id": str(uuid4()),
            "X-Correlation-Id": str(uuid4()),
            "NHSD-Target-Identifier": encoded({"value": service, "system": "https://fhir.nhs.uk/Id/dos-service-id"}),
            "NHSD-End-User-Organisation": encoded(names),
            "NHSD-Requesting-Software": encoded({"resourceType": "Device"}),
        }

    def post(self, message: Any, service: str = "nursing", **headers: str) -> Any:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        content_type = headers.pop("content_type", "application/fhir+json")
        said = {k: v for k, v in (self.headers(service) | headers).items() if v}
        return Client().post("/bars/$process-message", body, content_type=content_type, headers=said)

    def get(self, path: str, **headers: str) -> Any:
        return Client().get(f"/bars/{path}", headers={k: v for k, v in (self.headers() | headers).items() if v})


def encoded(said: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(said).encode()).decode()


@pytest.fixture(autouse=True)
def place() -> None:
    cache.clear()
    for code, form in ((AMBULANCE, "foundation_trust"), (NURSES, "community_trust")):
        register_organisation(details=OrganisationDetails(code, code, form), actor=ACTOR, at=BEGAN)
    care.offer_service(
        code="nursing", organisation=NURSES, kind="district_nursing", name="District nursing", about="", areas=[],
        actor=ACTOR, at=BEGAN,
    )  # fmt: skip


def referral(**said: Any) -> dict[str, Any]:
    """A small message that is valid: the contract's examples are not all."""
    header = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-request",
        },
        "source": {"endpoint": "https://fhir.nhs.uk/Id/dos-service-id|2222222222"},
        "reason": {"coding": [{"code": said.pop("why", "new")}]},
        "focus": [{"reference": "urn:uuid:236bb75d-90ef-461f-b71e-fde7f899802c"}],
    }
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER}],
        "name": [{"family": "Ash", "given": ["Ann"]}],
        "birthDate": "1941-03-03",
    }
    request = {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "status": "active",
        "intent": "plan",
        "priority": "urgent",
        "subject": {"reference": "urn:uuid:9589fb37-87a2-48d8-968f-b371429208a8"},
        "authoredOn": "2026-01-02T09:00:00Z",
        "reasonCode": [{"text": "Wound care at home"}],
    }
    urls = ("1cbdfb97-5859-48a4-8301-d54eab818d68", "236bb75d-90ef-461f-b71e-fde7f899802c",
            "9589fb37-87a2-48d8-968f-b371429208a8")  # fmt: skip
    entries = zip(urls, (header, request | said, patient), strict=True)
    return {
        "resourceType": "Bundle", "type": "message",
        "entry": [{"fullUrl": f"urn:uuid:{url}", "resource": resource} for url, resource in entries],
    }  # fmt: skip


def held() -> list[tuple[str, str]]:
    """The referrals that there are: state and reason."""
    return select(
        "SELECT p.state, r.reason FROM care_referral r JOIN care_referralstep p ON p.referral_id = r.id AND p.number = "
        "(SELECT MAX(n.number) FROM care_referralstep n WHERE n.referral_id = r.id) ORDER BY r.id"
    )


def why_not(response: Any) -> tuple[int, str]:
    """The status, and the contract's code for it in a valid OperationOutcome."""
    outcome = response.json()
    assert validate(response.content)[1] == () and response["Content-Type"] == "application/fhir+json"
    (code,) = {each["details"]["coding"][0]["code"] for each in outcome["issue"]}
    assert code == CODE[response.status_code]
    return response.status_code, outcome["issue"][0]["diagnostics"]


def test_a_message_becomes_a_referral_once_and_is_answered_with_what_became_of_it() -> None:
    system = System()
    sent = referral()
    first = system.post(sent)
    assert first.status_code == 200, first.content
    assert validate(first.content)[1] == ()
    header, request = (entry["resource"] for entry in first.json()["entry"][:2])
    assert header["response"] == {"identifier": sent["entry"][0]["resource"]["id"], "code": "ok"}
    assert (request["status"], request["priority"], request["code"]["text"]) == ("active", "urgent", "District nursing")
    assert held() == [("sent", "Wound care at home")]
    again = system.post(sent)
    assert again.json()["entry"][1]["resource"]["id"] == request["id"] and len(held()) == 1
    read = system.get(f"ServiceRequest/{request['id']}")
    assert read.status_code == 200 and read.json()["id"] == request["id"]
    found = system.get(f"ServiceRequest?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{NUMBER}").json()
    assert [each["resource"]["id"] for each in found["entry"]] == [request["id"]]
    assert validate(json.dumps(found).encode())[1] == ()
    of_one = f"ServiceRequest?patient:identifier={NUMBER}&ServiceRequest.identifier="
    assert [system.get(of_one + each).json()["total"] for each in ("r1", "https://a.example|r1", "r2")] == [1, 1, 0]
    assert select("SELECT COUNT(*) FROM base_access WHERE what = 'message'")[0][0] == 7


def test_a_service_is_not_asked_for_who_lives_elsewhere(tmp_path: Path) -> None:
    write_postcodes(tmp_path)
    for path in (write_definition(tmp_path), tmp_path / "postcodes.csv"):
        take_directory_file(path=path, actor=ACTOR, at=BEGAN)
    said = {"organisation": NURSES, "kind": "district_nursing", "name": "Nursing", "about": "", "open": True}
    care.change_service(code="nursing", areas=[ELSEWHERE], **said, actor=ACTOR, at=datetime.now(UTC))
    message = referral()
    message["entry"][2]["resource"]["address"] = [
        {"use": "old", "postalCode": "ZZ9 9ZZ"},
        {"use": "home", "line": ["1 Quay Road"], "postalCode": POSTCODE.lower()},
    ]
    status, words = why_not(System().post(message))
    assert (status, held()) == (422, []) and "does not serve where the person lives" in words
    care.change_service(code="nursing", areas=[LIVES_IN], **said, actor=ACTOR, at=datetime.now(UTC))
    assert System().post(message).status_code == 200
    assert select("SELECT area FROM care_referral") == [(LSOA,)]


def test_what_its_sender_takes_back_is_withdrawn() -> None:
    system = System()
    system.post(referral())
    assert system.post(referral(status="revoked", why="update")).status_code == 200
    assert held()[0][0] == "withdrawn"
    assert system.post(referral(status="revoked", why="update")).status_code == 200, "and once more says the same"
    assert why_not(system.post(referral(id="r2", status="revoked")))[0] == 404


def test_what_was_returned_is_sent_again_by_an_update_and_other_updates_are_notes() -> None:
    system = System()
    code = system.post(referral()).json()["entry"][1]["resource"]["id"].replace("-", "")
    care.take_step(code=code, number=1, to="returned", words="Which wound?", actor=ACTOR, at=datetime.now(UTC))
    told = system.post(referral(why="update", note=[{"text": "The left leg"}]))
    assert told.status_code == 200, told.content
    assert held()[0][0] == "sent"
    system.post(referral(why="update", note=[{"text": "And the right"}]))
    assert select("SELECT side, words FROM care_referralnote") == [("sender", "And the right")]
    for number, to in ((3, "accepted"), (4, "started")):
        care.take_step(code=code, number=number, to=to, actor=ACTOR, at=datetime.now(UTC))
    assert why_not(system.post(referral(status="revoked")))[0] == 409
    assert held()[0][0] == "started"


# The contract's own examples of messages, and what each gets: those of an answer leave out what FHIR R4 requires.
EXAMPLES = {
    "POST-body.json": (501, "events"),
    "request/Booking (POST).json": (501, "events"),
    "request/ValidationRequest (POST) .json": (200, ""),
    "request/ValidationResponse (POST) .json": (404, "no such referral"),
    "POST-success.json": (400, "participant[0].status"),
    "response/Booking (HTTP Response) .json": (400, "participant[0].status"),
    "response/ValidationRequest (HTTP Response) .json": (400, "performer[0]"),
}


def test_the_examples_of_the_contract(shared: Path) -> None:
    folder = shared / "bars" / "examples" / "process_message"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")} == EXAMPLES.keys()
    register_organisation(details=OrganisationDetails(SENDS, SENDS, "other"), actor=ACTOR, at=BEGAN)
    system = System(SENDS)
    for name, (status, words) in EXAMPLES.items():
        response = system.post((folder / name).read_bytes())
        assert response.status_code == status, (name, response.content)
        assert status == 200 or words in why_not(response)[1]
    assert held() == [("sent", "For Validation")]
    # Its bytes are in the person's record, resource by resource.
    assert select("SELECT COUNT(*) FROM record_entry e WHERE e.kind IN ('Care plan', 'Visit', 'Referral')") == [(3,)]


@pytest.mark.parametrize("wrong", ["no key", "a wrong key", "another's key", "no session either"])
def test_who_has_no_key_of_the_organisation_gets_nowhere(wrong: str) -> None:
    known = System()
    stranger = {
        "no key": System(key=""),
        "a wrong key": System(key="x" * 43),
        "another's key": System(NURSES, claims=AMBULANCE),
        "no session either": System(key="\u00e9"),
    }[wrong]
    expected = 403 if wrong == "another's key" else 401
    code = known.post(referral()).json()["entry"][1]["resource"]["id"]
    assert why_not(stranger.post(referral(id="r9")))[0] == expected
    for path in (f"ServiceRequest/{code}", f"ServiceRequest?patient:identifier={NUMBER}", "metadata", "Slot"):
        assert why_not(stranger.get(path))[0] == expected
    assert len(held()) == 1
    nurses = System(NURSES)
    assert why_not(nurses.get(f"ServiceRequest/{code}"))[0] == 404, "it is between others"
    assert nurses.get(f"ServiceRequest?patient:identifier={NUMBER}").json()["total"] == 0


def test_what_is_hostile_or_broken_is_refused_and_leaves_nothing() -> None:
    system = System()
    named = referral()
    named["entry"][0]["resource"]["sender"] = {"reference": "urn:uuid:07939a0c-2854-46ff-9282-ad906bc93679"}
    body = {"resourceType": "Organization", "identifier": [{"system": ODS_CODE, "value": NURSES}], "name": "N"}
    named["entry"].append({"fullUrl": "urn:uuid:07939a0c-2854-46ff-9282-ad906bc93679", "resource": body})
    booking = referral()
    booking["entry"][0]["resource"]["eventCoding"]["code"] = "booking-request"
    nobody = referral()
    del nobody["entry"][2]
    wrong: list[tuple[int, Any]] = [
        (400, b" "), (400, b"{"), (400, b"[" * 100_000), (400, b'{"a":' * 100_000), (400, b"\xff\xfe"), (400, b"null"),
        (400, {"resourceType": "Patient"}), (400, {"resourceType": "Bundle", "type": "message"}),
        (400, referral(status="sent")), (400, referral(note=[{"text": "a\0b"}])), (403, named), (501, booking),
        (422, nobody), (413, b" " * 5_000_001),
    ]  # fmt: skip
    for status, message in wrong:
        assert why_not(system.post(message))[0] == status, message
    headers = [
        (400, {"X-Request-Id": ""}), (400, {"X-Correlation-Id": "1"}), (400, {"NHSD-Target-Identifier": ""}),
        (400, {"NHSD-Target-Identifier": "!!"}), (400, {"NHSD-Target-Identifier": encoded({"value": 1})}),
        (400, {"NHSD-Requesting-Software": "W10="}), (406, {"Accept": "text/html"}),
        (415, {"content_type": "text/xml"}),
    ]  # fmt: skip
    for status, said in headers:
        assert why_not(system.post(referral(), **said))[0] == status, said
    assert why_not(system.post(referral(), service="nowhere"))[0] == 404
    assert held() == [] and select("SELECT COUNT(*) FROM record_submission") == [(0,)]


def test_every_other_address_and_method_says_what_is_offered() -> None:
    system = System()
    for path in ("metadata", "MessageDefinition?context=1"):
        response = system.get(path)
        assert response.status_code == 200 and validate(response.content)[1] == (), response.content
    assert [why_not(system.get(path))[0] for path in ("Slot", "Appointment", "Appointment/1")] == [501] * 3
    assert [why_not(system.get(path))[0] for path in ("Patient/1", "x", "ServiceRequest", "ServiceRequest/0")] == [
        404, 404, 400, 404
    ]  # fmt: skip
    put = Client().put("/bars/ServiceRequest/1", b"{}", content_type="application/fhir+json", headers=system.headers())
    assert why_not(put)[0] == 405


def test_a_flood_is_slowed(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = System(key="x")
    answers = [stranger.get("metadata").status_code for _ in range(61)]
    assert set(answers[:60]) == {401} and answers[60] == 429
    assert System().get("metadata").status_code == 200, "who has a key is not kept out by who has none"


# -- two places -----------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[str]:
    """The address of this place, served over HTTP from within the test, whose connection it shares."""
    shared = connections[DEFAULT_DB_ALIAS]
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)

    def serve() -> None:
        connections[DEFAULT_DB_ALIAS] = shared
        server.serve_forever()

    signals = (request_started, request_finished)
    for signal in signals:  # which would close the connection, and the test's transaction with it
        signal.disconnect(close_old_connections)
    shared.inc_thread_sharing()
    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    shared.dec_thread_sharing()
    for signal in signals:
        signal.connect(close_old_connections)


class OtherPlace:
    """The process of another place."""

    def __init__(self, deployment: Any) -> None:
        command = [sys.executable, "-m", "tests.pages.other_place"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, env=deployment.env, **pipes)
        self.began = self.answer()

    def answer(self) -> Any:
        return json.loads(self.process.stdout.readline())

    def ask(self, **asked: str) -> Any:
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return self.answer()


def test_two_places_refer_to_each_other(deployment: Any, served: str, tmp_path: Path) -> None:
    """A referral goes to a service of the other place, its answers come back, and what is over is over at both."""
    data = Path(settings.JOINERY_DATA)
    other = OtherPlace(deployment)
    try:
        ours, theirs = new_key(settings.KEYS, NURSES), other.began["key"]
        for folder, key in ((data, theirs), (deployment.data, ours)):
            (folder / "outside.key").write_text(key)
        there = f"http://127.0.0.1:{other.began['port']}/bars"
        toml = '[organisations.{0}]\nendpoint = "{1}"\nkeys = {{ {2} = "outside.key" }}\n[services]\n{3} = "{4}"\n'
        (data / "bars.toml").write_text(toml.format(NURSES, there, AMBULANCE, "nurses-here", "nursing"))
        (deployment.data / "bars.toml").write_text(toml.format(AMBULANCE, f"{served}/bars", NURSES, "x", "nurses-here"))
        exchange(other, data, tmp_path)
    finally:
        other.process.stdin.close()
        other.process.wait(30)
        (data / "bars.toml").unlink(missing_ok=True)


def exchange(other: OtherPlace, data: Path, folder: Path) -> None:
    code = refer_ann(folder)
    outside = str(UUID(code)) if len(code) == 32 else code

    def sent() -> list[tuple[str, str]]:
        return [(each.to, each.what) for each in send(known(data), data, datetime.now(UTC))]

    def here() -> str:
        now = facts.referral(code, datetime.now(UTC))
        return now.state if now else ""

    assert (sent(), sent()) == ([(NURSES, "taken")], []), "each message goes once"
    assert other.ask(do="look", outside_id=outside) == {"state": "sent", "service": "nurses-here"}
    other.ask(do="step", to="acknowledged", outside_id=outside)
    other.ask(do="step", to="returned", outside_id=outside)
    assert (other.ask(do="send"), here()) == ([[AMBULANCE, "taken"]], "returned")
    number = facts.referral(code, datetime.now(UTC)).number
    care.take_step(code=code, number=number, to="sent", words="It is there", actor=ACTOR, at=datetime.now(UTC))
    assert sent() == [(NURSES, "taken")]
    assert other.ask(do="step", to="declined", outside_id=outside)["state"] == "declined"
    assert (other.ask(do="send"), here()) == ([[AMBULANCE, "taken"]], "declined")
    number = facts.referral(code, datetime.now(UTC)).number
    care.take_step(code=code, number=number, to="closed", words="Her daughter helps", actor=ACTOR, at=datetime.now(UTC))
    assert sent() == [(NURSES, "taken")]
    assert other.ask(do="look", outside_id=outside)["state"] == "closed"
    assert other.ask(do="send") == sent() == []


def refer_ann(folder: Path) -> str:
    """A referral of ours to the nurses, who are outside."""
    path = folder / "ann.json"
    path.write_text(json.dumps(referral()["entry"][2]["resource"]))
    take_file(path=path, feed="fhir", organisation_code=AMBULANCE, actor=ACTOR, at=datetime.now(UTC))
    ((record_id,),) = select("SELECT id FROM record_sourcerecord")
    return care.refer(
        record_id=record_id, service="nursing", urgency="today", reason="Wound care", words="Left leg",
        organisation=AMBULANCE, actor=ACTOR, at=datetime.now(UTC),
    )  # fmt: skip
