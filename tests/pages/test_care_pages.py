"""Referrals on pages: from whoever asks, to who answers, and what the person reads of it."""

from __future__ import annotations

import re
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
from tests.pages.world import ACTOR, COUNCIL, SURGERY, TRUST, World, patient, person_id

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


def test_what_is_wrong_with_a_referral_is_said_at_the_field_and_nothing_typed_is_lost(world: World, ada: str) -> None:
    gp = world.user("gp", SURGERY)
    address = f"/people/{ada}/refer/{NURSING}/"
    page = gp.post(address, {"stage": "check", "words": "Mind the step", "from_service": "no-such"}).content.decode()
    for said in (
        "Choose how soon it is needed",
        "Say what you ask for",
        "Choose one of your own services",
        "Mind the step",
    ):
        assert said in page
    page = gp.post(address, ASKED | {"stage": "check", "reason": "x" * 201}).content.decode()
    assert "Say it in 200 characters" in page
    assert "x" * 201 in page
    changed = gp.post(address, ASKED | {"stage": "change"}).content.decode()
    assert "What do you ask for?" in changed and ASKED["words"] in changed
    assert gp.get(f"/people/{ada}/refer/no-such/").status_code == 404
    assert select("SELECT COUNT(*) FROM care_referral") == [(0,)]


def test_who_was_second_reads_what_the_first_did_and_keeps_what_they_wrote(world: World, ada: str) -> None:
    gp, bo, cy = world.user("gp", SURGERY), nurse(world), nurse(world, "Cy Dunn")
    address = refers(gp, ada)
    assert steps(bo, address, "accepted").status_code == 302
    late = text(cy.post(f"{address}step/returned/", {"number": "1", "words": "Which leg?"}))
    assert "Bo Lane was first: it is now “Accepted”" in late
    assert "Which leg?" in late
    assert "Accepted" in text(gp.get(address))
    # A step that is not theirs, or that leads nowhere from here, is none
    assert "There is no such" not in text(gp.get(address))
    assert gp.post(f"{address}step/started/", {"number": "2"}).status_code == 200
    assert gp.get(f"{address}step/started/")["Location"] == address
    assert "Under way" not in text(bo.get(address))


def test_what_needs_something_first_comes_back_and_notes_reach_the_other_side(world: World, ada: str) -> None:
    gp, bo = world.user("gp", SURGERY, "Tom Hale"), nurse(world)
    address = refers(gp, ada)
    assert "In your words" in text(bo.get(f"{address}step/returned/"))
    assert steps(bo, address, "returned", words="Which leg is it?").status_code == 302
    assert "Waits for me (1)" in text(gp.get("/work/"))
    assert "Which leg is it?" in text(gp.get(address))
    assert steps(gp, address, "sent", words="The left one").status_code == 302
    assert "For my team (1)" in text(bo.get("/work/"))

    assert "Write what the other side should know" in text(gp.post(address, {"verb": "note", "note": " "}))
    assert gp.post(address, {"verb": "note", "note": "Her son is away this week"}).status_code == 302
    assert "Notes to read (1)" in text(bo.get("/work/"))
    page = bo.get(address).content.decode()
    assert "Her son is away this week" in page
    last = re.search(r'value="seen">\s*<input type="hidden" name="number" value="(\d+)"', page)
    assert last
    assert bo.post(address, {"verb": "seen", "number": last[1]}).status_code == 302
    assert "Notes to read (0)" in text(bo.get("/work/"))
    assert "Read by Bo Lane" in text(gp.get(address))


def test_what_is_declined_is_settled_by_asking_another_service(world: World, ada: str) -> None:
    gp, bo = world.user("gp", SURGERY), nurse(world)
    offers(world, "reablement", COUNCIL, "Reablement", "reablement")
    address = refers(gp, ada)
    assert steps(bo, address, "declined", reason="no_room", words="Not before May").status_code == 302
    page = gp.get(address).content.decode()
    code = address.rstrip("/").rpartition("/")[2]
    assert f"/people/{ada}/refer/?follows={code}" in page
    follows = f"/people/{ada}/refer/reablement/?follows={code}"
    assert follows in gp.get(f"/people/{ada}/refer/?follows={code}").content.decode()
    answer = gp.post(follows, ASKED | {"stage": "send"})
    assert answer.status_code == 302, text(answer)
    assert "Closed" in text(gp.get(address))
    shown = text(gp.get(f"/people/{ada}/"))
    assert "Reablement has been asked" in shown and "that ended in the last 3 months" in shown


def test_many_are_done_at_once_each_with_its_own_answer(world: World, ada: str) -> None:
    gp, bo, cy = world.user("gp", SURGERY), nurse(world), nurse(world, "Cy Dunn", manages=True)
    codes = [refers(gp, ada, reason=f"Number {n}").rstrip("/").rpartition("/")[2] for n in range(3)]
    assert steps(bo, f"/referrals/{codes[0]}/", "acknowledged").status_code == 302
    ticked = {"chosen": [f"{code}.1" for code in codes]}
    said = text(bo.post("/work/", ticked | {"verb": "acknowledged"}))
    assert "Done: 2." in said and "Not done: 1." in said and "You changed this since" in said
    assert "Tick at least one line first" in text(bo.post("/work/", {"verb": "acknowledged"}))
    for forged in ("", ".", "x.y", f"{codes[0]}.", f"{codes[0]}.99999999999", "'; DROP.1"):
        assert bo.post("/work/", {"chosen": forged, "verb": "take"}).status_code == 200

    # A manager gives them out, and sees what everybody has
    ticked = {"chosen": [f"{code}.2" for code in codes], "user": str(user_of(bo))}
    assert "Done: 3." in text(cy.post(f"/work/{NURSING}/", ticked | {"verb": "name"}))
    team = text(cy.get(f"/work/{NURSING}/"))
    assert re.search(r"Bo Lane Open 3 Overdue 0", team), team
    assert "Waits for me (3)" in text(bo.get("/work/"))
    assert gp.get(f"/work/{NURSING}/").status_code == 403
    for order in ("due", "person", "service", "age"):
        assert text(bo.get(f"/work/?order={order}")).count("FENWICK, Ada") >= 3


def test_silence_is_said_as_such_to_who_asked_and_to_the_person(world: World, ada: str) -> None:
    gp, bo, cy = world.user("gp", SURGERY), nurse(world), nurse(world, "Cy Dunn", manages=True)
    co_ordinator = world.user("care_co_ordinator", COUNCIL, "Di Moss")
    record = founding_records([ada])[ada]
    code = actions.refer(
        record_id=record, service=NURSING, urgency="two_hours", reason="A fall", words="", organisation=SURGERY,
        actor=ACTOR, at=world.at,
    )  # fmt: skip
    assert "Nothing has happened since" in text(gp.get(f"/people/{ada}/"))
    assert "Overdue" in text(bo.get("/work/"))
    assert "Overdue elsewhere (1)" in text(cy.get("/work/"))
    own = text(herself(world, ada).get(f"/people/{ada}/"))
    assert "What you wait for" in own and "A fall" in own and "You may ask them why" in own
    assert "Refer to a service" not in own
    # It has climbed to another body: it opens there, and she is told so.
    assert co_ordinator.get(f"/people/{ada}/").status_code == 403
    assert "FENWICK, Ada" in text(co_ordinator.get(f"/referrals/{code}/"))
    assert co_ordinator.get(f"/people/{ada}/").status_code == 200
    around = text(herself(world, ada).get(f"/people/{ada}/team/"))
    assert "District nursing was asked to help you. Those who may look work at Vale Community Health." in around
    assert "has reached others, who see to it. Those who may look work at Vale Council." in around
    # Who acts for her is not spoken to as if she were.
    son = herself(world, ada, "carer", "Ian Fenwick")
    page = text(son.get(f"/people/{ada}/")) + text(son.get(f"/people/{ada}/team/"))
    assert "You may ask them why" in page and "was asked to help this person" in page
    assert "What you wait for" not in page and "around you" not in page and "your record" not in page


def test_who_holds_it_and_may_not_see_whom_it_is_about_can_act_without_a_name(world: World, ada: str) -> None:
    offers(world, "hub", COUNCIL, "Hub", "care_transfer_hub")
    lead = world.user("integration_lead", COUNCIL, "Lee Marsh")
    joins(world, lead, COUNCIL, "hub")
    address = refers(world.user("gp", SURGERY), ada, "hub")
    for page in (text(lead.get("/work/")), text(lead.get(address))):
        assert "Fenwick".upper() not in page and ASKED["reason"] not in page
    assert "Whom it is about is not shown to you" in text(lead.get(address))
    assert steps(lead, address, "sent", service=NURSING, words="It is a wound").status_code == 302
    assert facts.service(NURSING, world.at.date())
    assert "For my team (1)" in text(nurse(world).get("/work/"))


def test_lists_take_as_many_statements_with_many_as_with_few(world: World, ada: str) -> None:
    gp, bo = world.user("gp", SURGERY), nurse(world, manages=True)
    address = refers(gp, ada)
    bo.post(address, {"verb": "note", "note": "Hello"})
    pages = {"/work/": MOST_OF_LIST, f"/work/{NURSING}/": MOST_OF_LIST, "/services/": MOST_OF_LIST}
    pages |= {"/waits/": MOST_OF_LIST, address: MOST_OF_PERSON, f"/people/{ada}/": MOST_OF_PERSON}
    pages |= {f"/people/{ada}/refer/": MOST_OF_PERSON, f"/services/{NURSING}/": MOST_OF_LIST}
    few = {page: counted(bo, page) for page in pages}
    for n in range(12):
        world.sends(SURGERY, patient(f"x{n}", f"Marlowe{n}", "Eve", born=f"19{n + 30}-01-02"))
        gp.post(
            f"/people/{person_id(f'Patient/x{n}')}/refer/{NURSING}/", ASKED | {"stage": "send", "reason": f"Need {n}"}
        )
        gp.post(address, {"verb": "note", "note": f"Note {n}"})
        offers(world, f"more-{n}", COUNCIL, f"More {n}")
    many = {page: counted(bo, page) for page in pages}
    assert many == few
    assert {page: count for page, count in many.items() if count > pages[page]} == {}
