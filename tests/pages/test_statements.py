"""The number of SQL statements of a page does not grow with what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.pages.measure import MOST_OF_LIST, MOST_OF_PERSON, statements
from tests.pages.world import (
    ORGANISATIONS,
    SURGERY,
    TRUST,
    World,
    alert_row,
    allergy,
    entry_id,
    flag,
    numbers_far_apart,
    patient,
    person_id,
    person_row,
    problem,
    search,
)

NUMBERS = ("9990003009", "9990003017")


def counted(client: Client, address: str) -> int:
    with statements() as ran:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(ran.of_page)


def test_a_list_of_fifty_takes_as_many_statements_as_a_list_of_two(world: World) -> None:
    numbers = numbers_far_apart()
    names = ["Fenwick" if n < 2 else "Fenn" for n in range(60)]
    world.sends(SURGERY, *(patient(f"p{n}", name, f"Ada{n}", number=next(numbers)) for n, name in enumerate(names)))
    client = world.user()
    counts = []
    for family_name, found in (("Fenwick", "2 people found"), ("Fen", "More than 50 people found")):
        with statements() as ran:
            page = search(client, family_name=family_name).content.decode()
        assert found in page
        counts.append(len(ran.of_page))
    assert counts[0] == counts[1] <= MOST_OF_LIST


def _send_everything(world: World, local_id: str, number: str, entries: int) -> None:
    """One person at five sources: FHIR from two surgeries, a trust and the council, and the council's tables."""
    world.council_sends("person", person_row(local_id, "Fenwick", "Ada", number=number))
    world.council_sends("alert", alert_row(f"alert-{local_id}", local_id, "Key safe"))
    for organisation in ORGANISATIONS:
        world.sends(
            organisation.code,
            patient(local_id, "Fenwick", "Ada", number=number),
            allergy(f"a-{local_id}", local_id, "Latex"),
            flag(f"f-{local_id}", local_id, "Risk of falls"),
            *(
                problem(f"c-{local_id}-{n}", local_id, f"Problem {n}", on=f"2025-0{n % 9 + 1}-07")
                for n in range(entries)
            ),
        )


def test_a_record_takes_as_many_statements_with_2000_entries_of_five_sources_as_with_two_of_one(world: World) -> None:
    short = patient("short", "Fenwick", "Bea", number=NUMBERS[0])
    world.sends(SURGERY, short, allergy("a", "short", "Nuts"), problem("c", "short", "Gout"))
    _send_everything(world, "long", NUMBERS[1], entries=500)
    client = world.user()
    for tail in ("", "who-has-looked/"):
        few, many = (counted(client, f"/people/{person_id(f'Patient/{who}')}/{tail}") for who in ("short", "long"))
        # A council, which the short record has not, is asked whether it sent its table of alerts.
        assert many - few in (0, 1)
        assert many <= MOST_OF_PERSON


def test_who_has_looked_takes_as_many_statements_after_three_looks_as_after_sixty(world: World) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    address = f"/people/{person_id('Patient/p1')}/"
    clients = [world.user(name=f"Reader {n}") for n in range(5)]
    counts = []
    for looks in (1, 12):
        for client in clients * looks:
            assert client.get(address).status_code == 200
        counts.append(counted(clients[0], f"{address}who-has-looked/"))
    assert counts[0] == counts[1] <= MOST_OF_LIST


@pytest.mark.parametrize("sent", [1, 40])
def test_where_a_line_came_from_takes_few_statements(world: World, sent: int) -> None:
    notes: list[Any] = [problem("c1", "p1", "Gout", note=f"Version {n}") for n in range(sent)]
    world.sends(TRUST, patient("p1", "Fenwick", "Ada"), problem("c0", "p1", "Asthma"))
    for note in notes:
        world.sends(TRUST, note)
    client = world.user("community_nurse", TRUST)
    address = f"/people/{person_id('Patient/p1')}/entries/{entry_id('Condition/c1')}/"
    assert counted(client, address) <= MOST_OF_PERSON
    assert client.get(address).content.decode().count('<tr class="nhsuk-table__row">') == sent + 1
