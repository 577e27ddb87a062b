"""The top of a person's page, read in a hurry: short lists first, each line with its source, doubts in words."""

from __future__ import annotations

import re
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from tests.pages.measure import MOST_OF_PERSON, statements
from tests.pages.test_nothing import box, words
from tests.pages.world import COUNCIL, SURGERY, World, flag, no_known_allergy, patient, person_id, person_row, problem

NUMBER = "9990004714"
ADA = patient("p1", "Fenwick", "Ada", number=NUMBER)


def medicine(local_id: str, of: str, text: str, on: str = "2026-01-05") -> dict[str, object]:
    return {
        "resourceType": "MedicationStatement",
        "id": local_id,
        "status": "active",
        "subject": {"reference": f"Patient/{of}"},
        "medicationCodeableConcept": {"text": text},
        "effectiveDateTime": on,
        "dosage": [{"text": "One a day"}],
    }


def shown(client: Client) -> str:
    return words(client.get(f"/people/{person_id('Patient/p1')}/").content.decode())


def test_the_newest_medicines_stand_first_and_the_others_are_counted_and_folded_away(world: World) -> None:
    world.sends(SURGERY, ADA, *(medicine(f"m{n}", "p1", f"Medicine {n}", f"2026-01-{n + 1:02}") for n in range(12)))
    client = world.user()
    html = client.get(f"/people/{person_id('Patient/p1')}/").content.decode()
    section = re.search(r'aria-label="Medicines">(.*?)</section>', html, re.S)
    assert section
    first, folded = section[1].split("<details", 1)
    assert re.findall(r"<strong>(.*?)</strong>", first) == [f"Medicine {n}" for n in range(11, 3, -1)]
    assert "Medicine 11: One a day Quay Surgery, 12 January 2026" in words(first)
    assert "4 more medicines" in words(folded)
    assert re.findall(r"<strong>(Medicine .*?)</strong>", folded) == [f"Medicine {n}" for n in (3, 2, 1, 0)]


def test_no_source_has_spoken_of_medicines_or_problems(world: World) -> None:
    world.sends(SURGERY, ADA)
    for heading in ("Medicines", "Problems"):
        edge, says = box(world.user(), heading)
        assert edge == "app-safety--not-received"
        assert f"No organisation has sent {heading.lower()} for this person, so there may be some." in says


def test_a_late_source_is_told_at_the_top_and_in_the_sections_that_depend_on_it(world: World) -> None:
    now = world.at
    world.at = now - timedelta(days=3)
    world.sends(SURGERY, ADA, no_known_allergy("a1", "p1"), problem("c1", "p1", "Gout"))
    world.at = now
    world.council_sends("person", person_row("w1", "Fenwick", "Ada", number=NUMBER))
    client = world.user()
    page = shown(client)
    late = page.index("Late. Newer entries may be missing. Not received from Quay Surgery since")
    assert late < page.index("Allergies")
    days = (timezone.localdate() - timezone.localdate(now - timedelta(days=3))).days  # 4 in the first hours of a day
    assert f"{days} days ago; expected daily" in page
    for heading in ("Allergies", "Medicines", "Problems", "Alerts"):
        assert "Late. Not received from Quay Surgery since" in box(client, heading)[1]
    assert "Not received from Vale Council since" not in page


def test_a_source_that_is_not_late_is_not_told_as_late(world: World) -> None:
    world.sends(SURGERY, ADA)
    assert "Late." not in shown(world.user())


def test_a_word_of_caution_stands_with_a_decision_about_resuscitation(world: World) -> None:
    world.sends(SURGERY, ADA, flag("f1", "p1", "DNACPR decision"))
    says = box(world.user(), "Alerts")[1]
    assert "DNACPR decision A copy here is not the order: act on the signed original. Quay Surgery" in says


def test_a_person_with_2000_medicines_and_problems_takes_as_many_statements(world: World) -> None:
    world.sends(SURGERY, patient("p2", "Fenwick", "Bea"), medicine("m0", "p2", "Aspirin"))
    world.sends(SURGERY, ADA, *(medicine(f"x{n}", "p1", f"Medicine {n}") for n in range(1000)))
    world.sends(SURGERY, *(problem(f"c{n}", "p1", f"Problem {n}") for n in range(1000)))
    world.council_sends("person", person_row("w1", "Fenwick", "Ada", number=NUMBER))
    client, counts = world.user("social_worker", COUNCIL), []
    gp = world.user()
    for reader, who in ((gp, "p2"), (client, "p1")):
        address = f"/people/{person_id(f'Patient/{who}')}/"
        with statements() as ran:
            html = reader.get(address).content.decode()
        counts.append(len(ran.of_page))
    assert counts[0] <= counts[1] <= MOST_OF_PERSON
    assert "992 more medicines" in words(html)
    # No page carries them all: the timeline does, a page at a time.
    assert html.count("<strong>Medicine") == 208
    assert "792 more are on the timeline." in words(html)
