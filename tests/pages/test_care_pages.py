"""Referrals on pages: from whoever asks, to who answers, and what the person reads of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from joinery.apps.base.columns import select
from joinery.apps.care import actions, facts
from joinery.apps.place.actions import set_home
from joinery.apps.record.facts import founding_records
from tests.pages.measure import MOST_OF_LIST, MOST_OF_PERSON
from tests.pages.test_linking_pages import text
from tests.pages.test_privacy_pages import herself, user_of
from tests.pages.test_statements import counted
from tests.pages.world import ACTOR, COUNCIL, OTHER_SURGERY, SURGERY, TRUST, World, patient, person_id

NURSING = "district-nursing"
ASKED = {"urgency": "routine", "reason": "Help with a dressing", "words": "Her son opens the door"}


@pytest.fixture
def ada(world: World) -> str:
    """A person of one surgery; the trust, which she does not know yet, runs a service."""
    set_home(code=COUNCIL, actor=ACTOR, at=world.at)
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number="9990004714"))
    offers(world, NURSING, TRUST, "District nursing")
    return person_id("Patient/p1")


def offers(world: World, code: str, body: str, name: str, kind: str = "district_nursing") -> None:
    actions.offer_service(
        code=code, organisation=body, kind=kind, name=name, about="", areas=(), actor=ACTOR, at=world.at
    )


def joins(world: World, client: Client, body: str, service: str = NURSING, manages: bool = False) -> int:
    return actions.add_member(
        service=service, user_id=user_of(client), organisation=body, manages=manages, from_date=world.at.date(),
        actor=ACTOR, at=world.at,
    )  # fmt: skip


def nurse(world: World, name: str = "Bo Lane", manages: bool = False) -> Client:
    client = world.user("community_nurse", TRUST, name)
    joins(world, client, TRUST, manages=manages)
    return client


def refers(client: Client, person: str, service: str = NURSING, **said: str) -> str:
    """Refer by the form and its check; returns the address of the referral."""
    address = f"/people/{person}/refer/{service}/"
    form = ASKED | said
    checked = client.post(address, form | {"stage": "check"})
    assert "Confirm and send" in checked.content.decode(), text(checked)
    answer = client.post(address, form | {"stage": "send"})
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"])


def steps(client: Client, address: str, to: str, **said: str) -> Any:
    number = re.search(r'name="number" value="(\d+)"', client.get(f"{address}step/{to}/").content.decode())
    assert number, text(client.get(address))
    return client.post(f"{address}step/{to}/", {"number": number[1]} | said)


def test_a_referral_goes_from_who_asks_to_who_starts_and_everybody_sees_whose_turn_it_is(
    world: World, ada: str
) -> None:
    gp, bo = world.user("gp", SURGERY, "Tom Hale"), nurse(world)
    assert bo.get(f"/people/{ada}/").status_code == 403
    chosen = text(gp.get(f"/people/{ada}/refer/"))
    assert "District nursing" in chosen and "Vale Community Health" in chosen
    address = refers(gp, ada)

    # The sender sees who has it and by when, on the referral and on the person's page
    page = text(gp.get(address))
    for said in ("FENWICK, Ada", "Help with a dressing", "Her son opens the door", "Bo Lane", "Sent"):
        assert said in page
    assert "We have seen it" not in page
    assert "District nursing has been asked, and answers by" in text(gp.get(f"/people/{ada}/"))

    # it waits for the nurse, who may open the record now, and takes it on step by step
    listed = text(bo.get("/work/"))
    assert "FENWICK, Ada" in listed and "For my team (1)" in listed
    assert bo.get(f"/people/{ada}/").status_code == 200
    for to, shown in (("acknowledged", "Seen"), ("accepted", "Accepted"), ("started", "Under way")):
        assert steps(bo, address, to).status_code == 302
        assert shown in text(bo.get(address))
    assert "is helping the person now" in text(gp.get(f"/people/{ada}/"))
    assert "Choose why" in text(steps(bo, address, "ended"))
    assert steps(bo, address, "ended", reason="done", words="It has healed").status_code == 302
    assert "It has healed" in text(gp.get(address))
    assert "that ended in the last 3 months" in text(gp.get(f"/people/{ada}/"))
