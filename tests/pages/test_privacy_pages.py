"""Emergencies, questions and reports on pages: from whoever raises them to who answers, and back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from joinery.apps.base.action import Actor
from joinery.apps.base.columns import select
from joinery.apps.place.actions import add_membership, set_home
from joinery.apps.place.facts import standing
from joinery.apps.privacy.actions import break_glass
from joinery.apps.record.actions import give_own_access
from tests.pages.measure import MOST_OF_LIST, MOST_OF_PERSON
from tests.pages.test_linking_pages import text
from tests.pages.test_statements import counted
from tests.pages.world import (
    ACTOR,
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    TRUST,
    World,
    entry_id,
    numbers_far_apart,
    patient,
    person_id,
    problem,
)

NUMBER = "9990004714"
RESTRICTED = {"meta": {"security": [{"code": "R"}]}}
EMERGENCY = {"reason": "urgent_care", "words": "She has fallen and cannot speak"}


@pytest.fixture
def ada(world: World) -> str:
    """A person of one surgery and a trust, with an entry that the surgery keeps back, in a place of the council."""
    set_home(code=COUNCIL, actor=ACTOR, at=world.at)
    secret = problem("secret", "p1", "Something secret") | RESTRICTED
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBER), problem("gout", "p1", "Gout"), secret)
    world.sends(TRUST, patient("t1", "Fenwick", "Ada", number=NUMBER))
    return person_id("Patient/p1")


def officer(world: World, organisation: str, name: str = "Olu Brandt") -> Client:
    return world.user("privacy_officer", organisation, name)


def herself(world: World, person: str, kind: str = "own", name: str = "Ada Fenwick") -> Client:
    """Somebody without a post who was given access to a record."""
    client = world.user("", name=name)
    gives(world, client, person, kind)
    return client


def gives(world: World, client: Client, person: str, kind: str) -> None:
    on = world.at.date()
    give_own_access(person_id=person, user_id=user_of(client), kind=kind, from_date=on, actor=ACTOR, at=world.at)


def user_of(client: Client) -> int:
    return int(client.session["_auth_user_id"])


def waiting(client: Client) -> list[str]:
    """The addresses of the tasks that wait for a user."""
    page = client.get("/looks/").content.decode().partition("What you have answered")[0]
    return re.findall(r'href="(/looks/\d+/)"', page)


def answers(client: Client, address: str, verdict: str, words: str = "She told me why") -> Any:
    return client.post(address, {"verdict": verdict, "words": words})


def event_of(client: Client, person: str) -> str:
    """The event of the newest look at a person by somebody."""
    sql = "SELECT event FROM base_access WHERE person_id = %s AND user_id = %s ORDER BY id DESC LIMIT 1"
    return str(select(sql, [person, user_of(client)])[0][0])


# In an emergency


def test_an_emergency_opens_the_record_and_waits_for_a_named_person(world: World, ada: str) -> None:
    # Given a GP whose surgery is not involved, and the privacy officer of that surgery
    gp, reviewer, other = (
        world.user("gp", OTHER_SURGERY, "Tom Hale"),
        officer(world, OTHER_SURGERY),
        officer(world, TRUST),
    )
    refused = gp.get(f"/people/{ada}/")
    assert refused.status_code == 403
    assert f"/people/{ada}/emergency/" in refused.content.decode()
    page = text(gp.get(f"/people/{ada}/emergency/"))
    assert "Olu Brandt looks at your reason within 24 hours" in page
    assert "Fenwick" not in page

    # when the GP says why, the record opens
    answer = gp.post(f"/people/{ada}/emergency/", EMERGENCY)
    assert answer["Location"] == f"/people/{ada}/"
    assert "Opened in an emergency" in text(gp.get(f"/people/{ada}/"))
    assert "In an emergency" in text(gp.get(f"/people/{ada}/who-has-looked/"))

    # then it waits for the officer of the GP's surgery, and for nobody else
    assert waiting(other) == []
    (task,) = waiting(reviewer)
    listed = text(reviewer.get("/looks/"))
    assert "A record was opened in an emergency" in listed
    assert "Tom Hale" in listed
    assert "Fenwick" not in listed
    shown = text(reviewer.get(task))
    for said in ("FENWICK, Ada", EMERGENCY["words"], "urgent care", "Opened the record"):
        assert said in shown
    assert "Gout" not in shown
    assert other.get(task).status_code == gp.get(task).status_code == answers(gp, task, "in_order").status_code == 403

    # who answers once; and the officer's own look is in the log
    assert answers(reviewer, task, "in_order")["Location"] == "/looks/"
    assert waiting(reviewer) == []
    assert "There was good reason to look" in text(reviewer.get(task))
    assert "has answered this already" in text(answers(reviewer, task, "wrong"))
    assert "Saw whose record it is" in text(gp.get(f"/people/{ada}/who-has-looked/"))


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"words": EMERGENCY["words"]}, "Choose why"),
        ({"reason": "curious", "words": EMERGENCY["words"]}, "Choose why"),
        ({"reason": "urgent_care", "words": "  "}, "Say in a few words"),
    ],
)
def test_an_emergency_without_a_reason_opens_nothing(world: World, ada: str, form: dict[str, str], says: str) -> None:
    gp = world.user("gp", OTHER_SURGERY)
    page = gp.post(f"/people/{ada}/emergency/", form)
    assert page.status_code == 200
    assert says in text(page)
    assert form["words"].strip() in text(page)
    assert gp.get(f"/people/{ada}/").status_code == 403
    assert select("SELECT COUNT(*) FROM privacy_privacytask")[0][0] == 0


@pytest.mark.parametrize(
    "role", ["analyst", "staff_manager", "records_officer", "privacy_officer", "care_home_manager", ""]
)
def test_who_does_not_care_for_people_has_no_emergencies(world: World, ada: str, role: str) -> None:
    client = world.user(role, OTHER_SURGERY)
    for answer in (client.get(f"/people/{ada}/emergency/"), client.post(f"/people/{ada}/emergency/", EMERGENCY)):
        assert answer.status_code == 403
    assert f"/people/{ada}/emergency/" not in client.get(f"/people/{ada}/").content.decode()
    assert select("SELECT COUNT(*) FROM record_override")[0][0] == 0


def test_an_emergency_tells_nothing_of_who_is_there(world: World, ada: str) -> None:
    gp = world.user("gp", OTHER_SURGERY)
    pages = [text(gp.get(f"/people/{person}/emergency/")) for person in (ada, "0a1b2c", "%00")]
    assert pages[0] == pages[1] == pages[2]
    for person in ("0a1b2c", "%00"):
        answer = gp.post(f"/people/{person}/emergency/", {"reason": "urgent_care", "words": "She has \0 fallen"})
        assert "There is no such record" in text(answer)


def test_nobody_reviews_their_own_emergency_and_somebody_always_does(world: World, ada: str) -> None:
    gp = world.user("gp", OTHER_SURGERY, "Tom Hale")
    add_membership(
        user_id=user_of(gp), organisation_code=OTHER_SURGERY, role="privacy_officer", from_date=world.at.date(),
        actor=ACTOR, at=world.at,
    )  # fmt: skip
    lead = world.user("integration_lead", COUNCIL, "Ruth Vale")
    assert "Ruth Vale looks at your reason" in text(gp.get(f"/people/{ada}/emergency/"))
    gp.post(f"/people/{ada}/emergency/", EMERGENCY)
    assert waiting(gp) == []
    (task,) = waiting(lead)
    # Whoever becomes the officer takes over.
    central = officer(world, COUNCIL)
    assert waiting(lead) == []
    assert waiting(central) == [task]


# Asking


def test_a_withheld_entry_is_asked_for_and_granted_to_who_asked(world: World, ada: str) -> None:
    nurse, colleague = (world.user("community_nurse", TRUST, name) for name in ("Asha Rao", "Bo Cole"))
    writer = officer(world, SURGERY)
    secret = entry_id("Condition/secret")
    record, ask = f"/people/{ada}/", f"/people/{ada}/entries/{secret}/ask/"
    assert ask in nurse.get(record).content.decode()
    assert "Olu Brandt decides, within 2 working days" in text(nurse.get(ask))
    assert "Say what you need to know" in text(nurse.post(ask, {"words": " "}))

    assert nurse.post(ask, {"words": "May I give her this medicine?"})["Location"] == "/asked/"
    assert "Olu Brandt answers by" in text(nurse.get("/asked/"))
    assert "You have asked for this entry already" in text(nurse.post(ask, {"words": "Again"}))
    (task,) = waiting(writer)
    shown = text(writer.get(task))
    assert "May I give her this medicine?" in shown
    assert "Condition/secret" in shown
    assert "Something secret" not in shown

    answers(writer, task, "granted", "Yes, but ask her first")
    assert "You may read it" in text(nurse.get("/asked/"))
    assert "Yes, but ask her first" in text(nurse.get("/asked/"))
    assert "Something secret" in text(nurse.get(record))
    assert "Something secret" not in text(colleague.get(record))
    assert nurse.get(ask).status_code == 404  # nothing is withheld from her any more


def test_an_entry_that_is_refused_stays_withheld(world: World, ada: str) -> None:
    nurse, writer = world.user("community_nurse", TRUST), officer(world, SURGERY)
    nurse.post(f"/people/{ada}/entries/{entry_id('Condition/secret')}/ask/", {"words": "Why is it secret?"})
    (task,) = waiting(writer)
    assert "Choose what you found" in text(answers(writer, task, "in_order"))
    assert "Say why" in text(answers(writer, task, "refused", " "))
    answers(writer, task, "refused", "Ring the surgery")
    assert "You may not read it" in text(nurse.get("/asked/"))
    assert "Something secret" not in text(nurse.get(f"/people/{ada}/"))


def test_only_what_is_withheld_is_asked_for(world: World, ada: str) -> None:
    world.sends(SURGERY, patient("p2", "Lowe", "Bea"), problem("other", "p2", "Asthma") | RESTRICTED)
    nurse = world.user("community_nurse", TRUST)
    for entry in (entry_id("Condition/gout"), entry_id("Condition/other"), 10**18):
        assert nurse.get(f"/people/{ada}/entries/{entry}/ask/").status_code == 404


# Reporting, and a person's own pages


def test_a_person_reports_a_look_and_reads_the_answer(world: World, ada: str) -> None:
    nurse, there = world.user("community_nurse", TRUST, "Asha Rao"), officer(world, TRUST, "Ida Marsh")
    nurse.get(f"/people/{ada}/")
    woman = herself(world, ada)
    assert woman.get("/")["Location"] == "/mine/"
    assert woman.get("/mine/")["Location"] == f"/mine/{ada}/"
    page = text(woman.get(f"/mine/{ada}/"))
    assert "Who has looked at your record" in page
    assert "Asha Rao" in page
    assert "For your care" in page
    assert page.count("Looked at who has looked") == 0  # as she has: her own looks are left out
    report = f"/people/{ada}/who-has-looked/{event_of(nurse, ada)}/"
    assert report in woman.get(f"/mine/{ada}/").content.decode()

    assert "Ida Marsh finds out" in text(woman.get(report))
    assert "Say what seems wrong" in text(woman.post(report, {"words": ""}))
    assert woman.post(report, {"words": "She is my neighbour"})["Location"] == "/asked/"
    assert "You have reported this look already" in text(woman.post(report, {"words": "Again"}))
    assert "Ida Marsh answers by" in text(woman.get("/asked/"))

    (task,) = waiting(there)
    shown = text(there.get(task))
    assert "In the words of Ada Fenwick" in shown
    assert "She is my neighbour" in shown
    assert "(this look)" in shown
    answers(there, task, "wrong", "She should not have looked. We are sorry.")
    assert "There was no good reason to look. Ida Marsh says: She should not have looked." in text(woman.get("/asked/"))


def test_a_person_sees_her_record_by_the_page_of_all_others(world: World, ada: str) -> None:
    woman = herself(world, ada)
    page = woman.get(f"/people/{ada}/")
    assert "Gout" in text(page)
    assert "Something secret" not in text(page)
    assert ">People</a>" not in page.content.decode()
    assert select("SELECT DISTINCT purpose FROM base_access WHERE allowed") == [("own_record",)]
    assert select("SELECT COUNT(*) FROM base_access WHERE NOT allowed")[0][0] == 0


def test_who_acts_for_two_people_chooses_by_name(world: World, ada: str) -> None:
    world.sends(SURGERY, patient("p2", "Lowe", "Bea"))
    daughter = herself(world, ada, "carer", "Jane Lowe")
    bea = person_id("Patient/p2")
    gives(world, daughter, bea, "carer")
    page = text(daughter.get("/mine/"))
    assert "FENWICK, Ada" in page
    assert "LOWE, Bea" in page
    assert "Who has looked at this record" in text(daughter.get(f"/mine/{bea}/"))


def test_nobody_sees_the_pages_of_a_person_by_their_post(world: World, ada: str) -> None:
    gp = world.user()
    assert gp.get(f"/people/{ada}/").status_code == 200
    assert gp.get(f"/mine/{ada}/").status_code == 403
    assert "You cannot see your own record here yet" in text(gp.get("/mine/"))
    other = herself(world, ada)
    world.sends(SURGERY, patient("p2", "Lowe", "Bea"))
    assert other.get(f"/mine/{person_id('Patient/p2')}/").status_code == 403


def test_a_look_at_somebody_else_is_not_reported_here(world: World, ada: str) -> None:
    world.sends(SURGERY, patient("p2", "Lowe", "Bea"))
    bea, gp = person_id("Patient/p2"), world.user()
    gp.get(f"/people/{bea}/")
    for event in (event_of(gp, bea), "0" * 16, "x" * 200, "%00"):
        assert gp.get(f"/people/{ada}/who-has-looked/{event}/").status_code == 404


def test_staff_report_a_look_from_who_has_looked(world: World, ada: str) -> None:
    nurse, gp = world.user("community_nurse", TRUST, "Asha Rao"), world.user()
    nurse.get(f"/people/{ada}/")
    report = f"/people/{ada}/who-has-looked/{event_of(nurse, ada)}/"
    assert report in gp.get(f"/people/{ada}/who-has-looked/").content.decode()
    gp.post(report, {"words": "She left in spring"})
    assert len(waiting(officer(world, TRUST))) == 1


# Who may, and the clock


@pytest.mark.parametrize("role", ["gp", "records_officer", "staff_manager", "analyst", ""])
def test_only_who_answers_for_privacy_sees_what_waits(world: World, ada: str, role: str) -> None:
    client = world.user(role, OTHER_SURGERY)
    assert client.get("/looks/").status_code == 403
    assert client.get("/looks/1/").status_code == 404
    assert "/looks/" not in client.get("/help/").content.decode()


def test_what_is_overdue_waits_for_the_place_as_well(world: World, ada: str) -> None:
    world.at -= timedelta(days=3)
    gp, own, central = (
        world.user("gp", OTHER_SURGERY),
        officer(world, OTHER_SURGERY, "Olu Brandt"),
        officer(world, COUNCIL),
    )
    user, on = user_of(gp), world.at.date()
    break_glass(person_id=ada, posts=standing(user, on).posts, **EMERGENCY, actor=Actor.user(user), at=world.at)
    assert waiting(own) == waiting(central) != []
    assert "Overdue" in text(central.get("/looks/"))


def test_statements_do_not_grow_with_what_waits(world: World, ada: str) -> None:
    own = officer(world, OTHER_SURGERY)
    numbers = numbers_far_apart()
    counts = []
    for some in (1, 6):
        for n in range(some):
            gp = world.user("gp", OTHER_SURGERY, f"Reader {some}{n}")
            world.sends(SURGERY, patient(f"q{some}{n}", "Lowe", f"Bea{n}", number=next(numbers)))
            gp.post(f"/people/{person_id(f'Patient/q{some}{n}')}/emergency/", EMERGENCY)
        task = waiting(own)[0]
        counts.append((counted(own, "/looks/"), counted(own, task)))
    assert counts[0] == counts[1]
    assert counts[0][0] <= MOST_OF_LIST
    assert counts[0][1] <= MOST_OF_PERSON
    woman = herself(world, ada)
    woman.get("/mine/")
    few = counted(woman, f"/mine/{ada}/")
    for _ in range(9):
        woman.get(f"/people/{ada}/")
    assert few == counted(woman, f"/mine/{ada}/") <= MOST_OF_LIST
