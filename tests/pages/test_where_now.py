"""The top of a person's page says where they are, who says so and how old that is; never "at home"."""

from __future__ import annotations

from pathlib import Path

from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record.actions import take_file
from tests.apps.record.adt_sending import STORY, W7, file_of, message, pv1
from tests.pages.measure import MOST_OF_PERSON, statements
from tests.pages.world import ACTOR, SURGERY, World, alert_row, patient, person_id, person_row

KNOWN = patient("p1", "Marlowe", "Edith", born="1940-02-29", number="9990001014")


def tells(world: World, *messages: bytes) -> None:
    """The hospital sends these messages."""
    path = Path(world.folder) / "messages.hl7"
    path.write_bytes(file_of(messages))
    take_file(path=path, feed="adt", organisation_code="RZZ", actor=ACTOR, at=world.at)


def page(world: World) -> str:
    return world.user().get(f"/people/{person_id('Patient/p1')}/").content.decode()


def with_hospital(world: World) -> None:
    details = OrganisationDetails("RZZ", "Example Hospital", "health_service")
    register_organisation(details=details, actor=ACTOR, at=world.at)
    world.sends(SURGERY, KNOWN)


def test_a_place_without_a_hospital_says_nothing_of_hospitals(world: World) -> None:
    with_hospital(world)
    assert "Where now" not in page(world)


def test_a_person_of_whom_the_hospital_has_not_spoken(world: World) -> None:
    with_hospital(world)
    tells(world, message("A28", 1, "20261101100000", pid="PID|1||H9^^^RZZPAS||OAK^ANN||19500102|2"))
    assert "No hospital that sends here has said anything about this person" in page(world)


def test_a_person_in_a_bed_and_out_of_it(world: World) -> None:
    with_hospital(world)
    tells(world, *STORY)
    shown = page(world)
    for words in ("RZZW7, bed BAY2-06", "12 November 2026", "Example Hospital"):
        assert words in shown
    tells(world, message("A03", 900, "20261113150000", pv1(W7)))
    shown = page(world)
    assert "<strong>No open stay recorded</strong> by Example Hospital, which last sent 3 hours ago" in shown
    assert "at home" not in shown


def test_two_open_stays_are_told_as_two(world: World) -> None:
    with_hospital(world)
    tells(world, STORY[0], message("A01", 300, "20261106100000", pv1(W7, visit="V2")))
    assert "2 open stays." in page(world)


def test_a_person_with_many_stays_takes_as_many_statements(world: World) -> None:
    with_hospital(world)
    tells(world, *(message("A01", n, "20261106100000", pv1(W7, visit=f"V{n}")) for n in range(40)))
    world.council_sends("person", person_row("c1", "Marlowe", "Edith", born="1940-02-29", number="9990001014"))
    world.council_sends("alert", alert_row("a1", "c1", "Key safe"))
    client, address = world.user(), f"/people/{person_id('Patient/p1')}/"
    with statements() as ran:
        shown = client.get(address).content.decode()
    assert "40 open stays." in shown
    assert len(ran.of_page) <= MOST_OF_PERSON


def test_an_allergy_that_the_hospital_states_is_on_the_page_and_is_not_lost_by_an_update_without_it(
    world: World,
) -> None:
    with_hospital(world)
    tells(world, STORY[0] + b"\rAL1|1|DA|91936005^Allergy to penicillin^SCT|5|RASH")
    assert "Allergy to penicillin" in page(world)
    tells(world, *STORY[1:])
    shown = page(world)
    assert "Allergy to penicillin" in shown and "Not restated since 9 November 2026" in shown
