"""People and who acts for them are invited to a record, by who cares for them now and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from joinery.apps.base.models import Access, User
from joinery.apps.record.actions import give_own_access
from tests.pages.measure import MOST_OF_LIST, statements
from tests.pages.test_staff_pages import PASSWORD, accepted, code_on, nobody_tried_before, words
from tests.pages.world import ACTOR, COUNCIL, OTHER_SURGERY, SURGERY, World, patient, person_id

__all__ = ["nobody_tried_before"]


@pytest.fixture
def address(world: World) -> str:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"), patient("p2", "Ord", "Ben"))
    return f"/people/{person_id('Patient/p1')}/own-access/"


def invited(client: Client, address: str, **form: str) -> Any:
    known = {"kind": "own", "name": "Ada Fenwick", "email": "", "checked": "yes"}
    return client.post(address, known | form)


def test_a_person_without_a_smartphone_is_invited_sees_her_record_and_no_other(world: World, address: str) -> None:
    gp = world.user()
    assert "Nobody yet" in words(gp.get(address)) and address in gp.get(address[: -len("own-access/")]).content.decode()
    sheet = invited(gp, address)
    assert "You can log in now" in words(accepted(code_on(sheet)))
    assert "Ada Fenwick It is their own record" in words(gp.get(address))

    ada = Client(raise_request_exception=False)
    assert ada.post("/log-in/", {"login": "ada.fenwick", "password": PASSWORD}).status_code == 302
    record = address.removesuffix("own-access/")
    assert ada.get(record).status_code == 200
    assert ada.get(f"/people/{person_id('Patient/p2')}/").status_code == 403
    assert ada.get(address).status_code == 403 and address not in ada.get(record).content.decode()

    user = {"user": str(User.objects.get(name="Ada Fenwick").pk)}
    again = gp.post(address, user | {"verb": "again"})
    assert "You can log in now" in words(accepted(code_on(again), "another heron ladder"))
    assert ada.get(record)["Location"].startswith("/log-in/")
    assert gp.post(address, user | {"verb": "end"}).status_code == 302
    assert not User.objects.get(name="Ada Fenwick").is_active and "Nobody yet" in words(gp.get(address))
    assert gp.post(address, user | {"verb": "end"}).status_code == 302  # sent twice
    assert gp.post(address, user | {"verb": "again"}).status_code == 302
    assert set(Access.objects.filter(what="own_access").values_list("allowed", flat=True)) == {True}


def test_only_who_cares_now_and_has_the_task_invites(world: World, address: str) -> None:
    elsewhere, nurse, manager = (
        world.user("gp", OTHER_SURGERY), world.user("community_nurse"), world.user("staff_manager", COUNCIL),
    )  # fmt: skip
    users = User.objects.count()
    for client in (elsewhere, nurse, manager, world.user("")):
        assert client.get(address).status_code == 403
        assert invited(client, address).status_code == 403
    assert User.objects.count() == users + 1
    assert Access.objects.filter(what="refused", allowed=False).exists()


def test_what_is_missing_is_said_beside_its_field(world: World, address: str) -> None:
    gp = world.user()
    taken = User.objects.latest("id").email or ""
    for form, said in (
        ({"kind": ""}, "Choose who is invited"),
        ({"name": ""}, "Enter the name"),
        ({"checked": ""}, "made sure who they are"),
        ({"email": "x"}, "like name@example.org"),
        ({"email": taken}, "logs in with this address already"),
    ):
        assert said in words(invited(gp, address, **form)), form
    assert User.objects.count() == 1


def test_nobody_is_handed_an_account_that_opens_another_record_too(world: World, address: str) -> None:
    gp = world.user()
    invited(gp, address, kind="carer", name="Cora Carer")
    carer = User.objects.get(name="Cora Carer")
    other = {"person_id": person_id("Patient/p2"), "user_id": carer.pk, "kind": "carer"}
    give_own_access(**other, from_date=world.at.date(), actor=ACTOR, at=world.at)
    answer = gp.post(address, {"user": str(carer.pk), "verb": "again"})
    assert "sees more than this record" in words(answer) and "app-invitation" not in answer.content.decode()
    gp.post(address, {"user": str(carer.pk), "verb": "end"})
    assert User.objects.get(pk=carer.pk).is_active


def test_the_page_takes_as_many_statements_for_many_as_for_one(world: World, address: str) -> None:
    gp = world.user()

    def counted() -> int:
        gp.get(address)
        with statements() as ran:
            assert gp.get(address).status_code == 200
        return len(ran.of_page)

    invited(gp, address)
    few = counted()
    for n in range(5):
        invited(gp, address, kind="carer", name=f"Carer {n}")
    assert counted() == few <= MOST_OF_LIST
