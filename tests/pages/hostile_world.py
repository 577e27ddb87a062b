"""A place in which every page has something to show, and somebody of every sort to ask for it.

Where a test begins, so does it end: what it does is rolled back, so that all tests of a file share one place.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import add_user
from joinery.apps.base.columns import select
from joinery.apps.care import actions as care
from joinery.apps.measures.actions import Layout, Wanted, upload_series
from joinery.apps.measures.facts import series_list
from joinery.apps.place.actions import add_membership, propose, set_home
from joinery.apps.place.facts import adoptions
from joinery.apps.record.actions import give_own_access
from joinery.apps.record.facts import founding_records
from joinery.calc.access import ROLES
from joinery.site.logs import JsonFormatter
from tests.pages.feed_world import take_text
from tests.pages.test_linking_pages import NUMBERS, record_id
from tests.pages.test_signing_in import add_app, log_in
from tests.pages.world import (
    ACTOR,
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    TRUST,
    World,
    entry_id,
    patient,
    person_id,
    problem,
)

# What nobody but a surgery elsewhere may read; and what is withheld from all but the trust that wrote it.
CANARY, KEPT_BACK = "Zebedee-Canary", "Quetzal-Secret"
PASSWORD = "heron ladder biscuit"  # noqa: S105 (of nobody)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def _parameters(patterns: list[Any], names: str = "", path: str = "") -> Iterator[tuple[str, list[str]]]:
    for each in patterns:
        here = path + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _parameters(each.url_patterns, f"{names}{each.namespace}:" if each.namespace else names, here)
        else:
            yield f"{names}{each.name}", re.findall(r"<\w+:(\w+)>", here)


# What stands in the address of each page of the URL map.
PARAMETERS = dict(_parameters(get_resolver().url_patterns))


# Of nobody may any of these stand in a line of the log: names, numbers, words that were typed, ids of people aside.
NEVER_LOGGED = (
    CANARY, KEPT_BACK, "Fenwick", "Marsh", "Zebedee", "Quetzal", "9990004714", "999 000 4714", "1944-02-09", "Gout",
    "Tom Hale", "Penny", "Fay Factor", "quay.example", "test.example", PASSWORD, "neighbour", "DROP TABLE", "<script",
)  # fmt: skip


class _Lines(logging.Handler):
    """Keeps what the deployment's log would say."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def logged() -> Iterator[list[str]]:
    """The lines that are logged meanwhile."""
    handler = _Lines()
    logging.getLogger().addHandler(handler)
    try:
        yield handler.lines
    finally:
        logging.getLogger().removeHandler(handler)


@dataclass
class Hostile:
    """The place, what stands in its addresses, a client for each visitor, and the lines of the log."""

    world: World
    ids: dict[str, Any] = field(default_factory=dict)
    foreign: dict[str, Any] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def address(self, name: str, **but: Any) -> str:
        """The address of a page, about Ada and what is hers."""
        ids = self.ids | ({"entry_id": self.ids["withheld"]} if name == "privacy:ask" else {}) | but
        return reverse(name, kwargs={each: ids[each] for each in PARAMETERS[name]})

    def told(self) -> list[str]:
        """What the log says of anybody: nothing, however people were looked for and whatever was typed."""
        assert any('"event":"request"' in line for line in self.lines), "nothing was logged"
        people = [str(ids["person_id"]) for ids in (self.ids, self.foreign)]
        return [line for line in self.lines if any(each in line for each in (*NEVER_LOGGED, *people))]

    @contextmanager
    def untouched(self, who: str) -> Iterator[Client]:
        """A visitor's client; what it does is undone, in the database, in its cookies and in what is counted."""
        client = self.clients[who]
        kept = client.cookies
        client.cookies = copy.deepcopy(kept)
        cache.clear()
        with transaction.atomic():
            yield client
            transaction.set_rollback(True)
        client.cookies = kept

    def asks(self, who: str, method: str, address: str, data: Any = None, **more: Any) -> Any:
        """One request, without leaving a trace; what it says is the answer's `body`."""
        with self.untouched(who) as client:
            answer = getattr(client, method)(address, data, **more)
            # Also of one that comes in pieces; the database is asked while they come.
            answer.body = answer.getvalue().decode(errors="replace")
            return answer


def make(folder: Path) -> Hostile:
    """Build the place."""
    world = World(folder)
    made = Hostile(world)
    acting = {"actor": ACTOR, "at": world.at}
    set_home(code=COUNCIL, **acting)
    restricted = {"meta": {"security": [{"code": "R"}]}}
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number="9990004714"), problem("c1", "p1", "Gout"))
    world.sends(
        TRUST, patient("t1", "Fenwick", "Ada", number="9990004714"), problem("s1", "t1", KEPT_BACK) | restricted
    )
    world.sends(OTHER_SURGERY, patient("z1", CANARY, "Zoe", born="1931-03-03"), problem("z2", "z1", f"{CANARY}itis"))
    world.sends(SURGERY, patient("q1", "Marsh", "Cora", born="1950-05-05", number=NUMBERS[0]))
    world.sends(TRUST, patient("q2", "Marsh", "Cora", born="1950-05-05", number=NUMBERS[1]))
    made.ids = {
        "person_id": person_id("Patient/p1"),
        "code": SURGERY,
        "kind": "rename",
        "pk": 7,
        "proposal_id": propose(title="One surgery", **acting),
        "edition_id": adoptions(None).editions[0].id,
        "series_id": _series(folder, acting),
    }
    made.ids |= {"request_id": "0" * 32, "appointment_id": "1", "rest": "x"}  # of messages, for which one needs a key
    made.ids["record_id"], made.ids["other_id"] = sorted((record_id("Patient/q1"), record_id("Patient/q2")))
    made.foreign = {"person_id": person_id("Patient/z1"), "entry_id": entry_id("Condition/z2")}
    _rows(made, folder)
    _visitors(made)
    _looks(made)
    _care(made)
    return made


def _series(folder: Path, acting: dict[str, Any]) -> int:
    path = folder / "visits.csv"
    path.write_text(f"organisation,period,value\n{SURGERY},2026-01,7\n")
    upload_series(path=path, layout=Layout((Wanted("Visits"),)), **acting)
    return series_list()[0].id


def _rows(made: Hostile, folder: Path) -> None:
    """A row that could not be taken, of this surgery and of the other one."""
    for sender, ids, family in ((OTHER_SURGERY, made.foreign, CANARY), (SURGERY, made.ids, "Fenwick")):
        bad = f'{{"resourceType": "Patient", "id": "b1", "birthDate": "soon", "name": [{{"family": "{family}"}}]}}\n'
        taken = take_text(folder, made.world.at, bad, sender=sender, feed="fhir", name="bad.ndjson")
        assert taken.quarantined == 1
        sql = (
            "SELECT s.id, s.source_id, q.id FROM record_submission s "
            "JOIN record_quarantined q ON q.submission_id = s.id WHERE s.id = %s"
        )
        found = select(sql, [taken.submission_id])[0]
        ids.update(zip(("submission_id", "source_id", "quarantined_id"), found, strict=True))


def _visitors(made: Hostile) -> None:
    world, clients = made.world, made.clients
    for role in ROLES:
        clients[role] = world.user(role, SURGERY, f"{role} Vale")
    clients["away"] = world.user("gp", OTHER_SURGERY, "Tom Hale")
    clients["no part"] = world.user("", name="Nia Nobody")
    clients["no factor"] = world.user("gp", SURGERY, "Fay Factor")
    for kind in ("own", "carer"):
        clients[kind] = world.user("", name=f"{kind} Fenwick")
        give_own_access(
            person_id=made.ids["person_id"], user_id=user_of(clients[kind]), kind=kind, from_date=world.at.date(),
            actor=ACTOR, at=world.at,
        )  # fmt: skip
    clients["signed out"] = Client(raise_request_exception=False)
    clients["board"] = world.user("gp", SURGERY, "Bo Board")
    assert clients["board"].post("/board/start/").status_code == 302
    clients["pending"] = _pending(world)
    sql = "SELECT m.id FROM place_membership m JOIN base_user u ON u.id = m.user_id WHERE u.name = %s"
    made.ids["membership_id"] = select(sql, ["home_care_manager Vale"])[0][0]
    made.foreign["membership_id"] = select(sql, ["Tom Hale"])[0][0]


def _pending(world: World) -> Client:
    """Somebody whose password was right, and who is asked for a code."""
    login = "penny@quay.example"
    user_id = add_user(email=login, name="Penny Pending", password=PASSWORD, actor=ACTOR, at=world.at)
    on = world.at.date()
    add_membership(user_id=user_id, organisation_code=SURGERY, role="gp", from_date=on, actor=ACTOR, at=world.at)
    first, client = Client(), Client(raise_request_exception=False)
    log_in(first, login, PASSWORD)
    add_app(first)
    assert log_in(client, login, PASSWORD)["Location"] == "/log-in/code/"
    return client


def _looks(made: Hostile) -> None:
    """A look at Ada that she reports, so that it waits for the surgery's privacy officer; and one elsewhere."""
    for who, client, ids in (("gp", made.clients["gp"], made.ids), ("away", made.clients["away"], made.foreign)):
        assert client.get(f"/people/{ids['person_id']}/").status_code == 200, who
        sql = "SELECT event FROM base_access WHERE person_id = %s AND user_id = %s ORDER BY id DESC LIMIT 1"
        ids["event"] = select(sql, [ids["person_id"], user_of(client)])[0][0]
    report = f"/people/{made.ids['person_id']}/who-has-looked/{made.ids['event']}/"
    assert made.clients["own"].post(report, {"words": "Is she my neighbour?"}).status_code == 302
    made.ids["task_id"] = select("SELECT MAX(id) FROM privacy_privacytask")[0][0]
    made.ids["entry_id"] = entry_id("Condition/c1")
    made.ids["withheld"] = entry_id("Condition/s1")


def _care(made: Hostile) -> None:
    """A service of the surgery, in which the GP works, with what was asked of it and at its meeting; and elsewhere."""
    acting: dict[str, Any] = {"actor": ACTOR, "at": made.world.at}
    for ids, body, who, service in (
        (made.ids, SURGERY, "gp", "foot-clinic"),
        (made.foreign, OTHER_SURGERY, "away", "hand-clinic"),
    ):
        user_id = user_of(made.clients[who])
        said = {"organisation": body, "kind": "hospital_clinic", "name": service, "about": "", "areas": ()}
        care.offer_service(code=service, **said, **acting)
        care.add_member(
            service=service, user_id=user_id, organisation=body, manages=True, from_date=made.world.at.date(), **acting
        )
        record = founding_records([ids["person_id"]])[ids["person_id"]]
        asked = {"urgency": "routine", "reason": f"{CANARY}itis" if who == "away" else "Gout", "words": ""}
        code = care.refer(record_id=record, service=service, organisation=body, **asked, **acting)
        theirs: dict[str, Any] = {"actor": Actor.user(user_id), "at": made.world.at}
        part = care.add_part(record_id=record, part="professional", user_id=user_id, name="", words="", **theirs)
        begins = made.world.at + timedelta(days=1)
        meeting = care.plan_meeting(service=service, begins_at=begins, **theirs)
        line = care.list_person(meeting_id=meeting, record_id=record, words="Who sees her?", **theirs)
        due = begins.date()
        action = care.ask_member(listed_id=line, words="Ring her", due_date=due, user_id=user_id, **theirs)
        ids |= {
            "service": service, "referral_code": code, "to": "accepted", "part_id": part, "meeting_id": meeting,
            "action_id": action,
        }  # fmt: skip


def user_of(client: Client) -> int:
    return int(client.session["_auth_user_id"])
