"""How well records are linked, group by group: nobody hidden in an average, and nobody pointed at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from joinery.apps.record.facts import GroupLinked, linking_quality
from tests.pages.measure import MOST_OF_LIST, statements
from tests.pages.test_feed_pages import words
from tests.pages.world import COUNCIL, SURGERY, TRUST, World, patient, person_row

GOOD = ["9990001014", "9990002029", "9990003033", "9990004048", "9990005052", "9990006067", "9990007071", "9990008086"]
TRAVELLER = "White: Gypsy or Irish Traveller"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """The page keeps its figures for a while."""
    cache.delete("linking_quality")
    yield
    cache.delete("linking_quality")


def group(world: World, about: str, name: str) -> GroupLinked:
    (found,) = [e for e in linking_quality(world.at.date()) if (e.about, e.group) == (about, name)]
    return found


def people(world: World, numbers: list[str]) -> None:
    """Eight people of a practice, each with a number; the council knows those of `numbers` by it, and six more
    whom nobody else knows, all of them Travellers."""
    for at, number in enumerate(GOOD):
        world.sends(SURGERY, patient(f"p{at}", "Fenwick", f"Ada{at}", born=f"195{at}-03-0{at + 1}", number=number))
    rows = [
        person_row(f"c{at}", "Fenwick", f"Ada{at}", born=f"195{at}-03-0{at + 1}", number=number)
        for at, number in enumerate(numbers)
    ]
    strange = ("Connors", "Ward", "Quilligan", "Maughan", "Cash", "Doran")
    rows += [person_row(f"t{at}", name, "Miley", born=f"198{at}-10-1{at}") for at, name in enumerate(strange)]
    named = [row | {"ethnicity": TRAVELLER if row["person_id"][0] == "t" else ""} for row in rows]
    world.council_sends("person", *named)


@pytest.mark.django_db
def test_every_record_is_counted_once_by_what_ties_it(world: World) -> None:
    people(world, GOOD[:5])
    for each in linking_quality(world.at.date()):
        tied = each.by_number + each.by_people + each.by_score + each.by_hospital
        assert each.alone + tied == each.records >= each.people > 0, each
    everybody = group(world, "Everybody", "All records")
    assert (everybody.records, everybody.people, everybody.by_number, everybody.alone) == (19, 14, 10, 9)
    assert (everybody.not_gp, everybody.without_gp) == (11, 6)
    assert group(world, "NHS number on the record", "Without one").records == 6


@pytest.mark.django_db
def test_a_group_is_not_hidden_in_the_average(world: World) -> None:
    people(world, GOOD)
    travellers = group(world, "Ethnic group", "Gypsy, Roma or Traveller")
    assert (travellers.records, travellers.not_gp, travellers.without_gp) == (6, 6, 6)
    others = group(world, "Ethnic group", "Not said")
    assert (others.not_gp, others.without_gp) == (8, 0)
    page = words(world.user("integration_lead", COUNCIL).get("/review/quality/"))
    row = page.split("Gypsy, Roma or Traveller")[1][:160]
    assert "More often apart" in row and "No GP record beside it 100%" in row


@pytest.mark.django_db
def test_what_a_letter_of_the_nhs_says_counts_too_and_a_council_that_knows_travellers_knows_more(world: World) -> None:
    code = {"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland", "code": "C"}
    extension = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
        "valueCodeableConcept": {"coding": [code]},
    }
    world.sends(
        SURGERY,
        patient("p1", "Connors", "Miley", number=GOOD[0]) | {"extension": [extension]},
        patient("p2", "Nowak", "Ewa", born="1971-01-30", number=GOOD[1]) | {"extension": [extension]},
    )
    row = person_row("c1", "Connors", "Miley", number=GOOD[0]) | {"ethnicity": TRAVELLER}
    world.council_sends("person", row)
    assert group(world, "Ethnic group", "Gypsy, Roma or Traveller").records == 2
    assert group(world, "Ethnic group", "White Irish or other White").records == 1


@pytest.mark.django_db
def test_no_fixed_address_and_other_letters_are_groups(world: World) -> None:
    nowhere = {"line": ["No fixed address"], "postalCode": "ZZ99 3VZ"}
    world.sends(
        TRUST,
        patient("n1", "Connors", "Miley") | {"address": [nowhere]},
        patient("n2", "Євтушенко", "Олександр", born="1971-12-08"),
    )
    assert group(world, "Home", "No fixed address").records == 1
    assert group(world, "Name", "Letters beyond A to Z").without_gp == 1


@pytest.mark.django_db
def test_small_counts_are_not_published_and_nobody_is_named(world: World) -> None:
    people(world, GOOD[:2])
    world.sends(SURGERY, patient("child", "Fenwick", "Eve", born="2021-06-01"))
    page = world.user("integration_lead", COUNCIL).get("/review/quality/")
    said = words(page)
    assert "Under 18 Records 1 to 4 of people: 1 to 4 No GP record beside it Too few to say" in said
    assert "Fenwick" not in said and not [number for number in GOOD if number in page.content.decode()]
    assert "All records Records 15 of people: 15" in said  # of seventeen records


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "status"), [("integration_lead", 200), ("records_officer", 200), ("gp", 403)])
def test_it_is_for_those_who_can_do_something_about_it(world: World, role: str, status: int) -> None:
    assert world.user(role, COUNCIL).get("/review/quality/").status_code == status


@pytest.mark.django_db
def test_the_statements_do_not_grow_with_the_records(world: World) -> None:
    lead = world.user("integration_lead", COUNCIL)
    ran(lead)  # how many looks wait for them is remembered for a minute
    counted = [ran(lead)]
    people(world, GOOD)
    counted.append(ran(lead))
    assert counted[0] == counted[1] <= MOST_OF_LIST


def ran(client: Client) -> int:
    cache.delete("linking_quality")
    with statements() as found:
        assert client.get("/review/quality/").status_code == 200
    return len(found.of_page)
