"""What a page says when there is nothing to show: five different things, and never one for another.

"No known allergies" is said only when a source has said it. Silence is said to be silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.pages.world import (
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    TRUST,
    World,
    alert_row,
    allergy,
    empty_allergy_list,
    flag,
    no_known_allergy,
    patient,
    person_id,
    person_row,
    problem,
)

NUMBER = "9990004714"
ADA = patient("p1", "Fenwick", "Ada", number=NUMBER)


def nothing_received(world: World) -> None:
    world.sends(SURGERY, ADA, problem("c1", "p1", "Asthma"))


def allergy_present(world: World) -> None:
    world.sends(SURGERY, ADA, allergy("a1", "p1", "Latex"))


def none_asserted(world: World) -> None:
    world.sends(SURGERY, ADA, no_known_allergy("a1", "p1"))


def none_recorded(world: World) -> None:
    world.sends(SURGERY, ADA, empty_allergy_list("l1", "p1"))


def withheld(world: World) -> None:
    world.sends(SURGERY, ADA)
    world.sends(TRUST, ADA, allergy("a1", "p1", "Latex", restricted=True))


def conflict(world: World) -> None:
    world.sends(SURGERY, ADA, allergy("a1", "p1", "Latex"))
    world.sends(OTHER_SURGERY, ADA, no_known_allergy("a2", "p1"))


def some_withheld(world: World) -> None:
    world.sends(SURGERY, ADA, allergy("a1", "p1", "Penicillin"))
    world.sends(TRUST, ADA, allergy("a2", "p1", "Latex", restricted=True))


def withheld_beside_none_asserted(world: World) -> None:
    world.sends(SURGERY, ADA, no_known_allergy("a1", "p1"))
    world.sends(TRUST, ADA, allergy("a2", "p1", "Latex", restricted=True))


def withheld_beside_none_recorded(world: World) -> None:
    world.sends(SURGERY, ADA, empty_allergy_list("l1", "p1"))
    world.sends(TRUST, ADA, allergy("a2", "p1", "Latex", restricted=True))


def none_asserted_in_confidence(world: World) -> None:
    world.sends(SURGERY, ADA)
    world.sends(TRUST, ADA, no_known_allergy("a1", "p1") | {"meta": {"security": [{"code": "R"}]}})


def none_asserted_then_an_error(world: World) -> None:
    world.sends(SURGERY, ADA, no_known_allergy("a1", "p1"))
    wrong = {"verificationStatus": {"coding": [{"code": "entered-in-error", "system": VERIFICATION}]}}
    corrected = {k: v for k, v in no_known_allergy("a1", "p1").items() if k != "clinicalStatus"}
    world.sends(SURGERY, corrected | wrong)


VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
Arrange = Callable[[World], None]

# What was sent -> the class of the box, what it says, what it must not say.
ALLERGIES: dict[Arrange, tuple[str, str, str]] = {
    allergy_present: ("app-safety--warning", "Latex Quay Surgery, 6 May 2024", "No known"),
    none_asserted: ("app-safety--asserted-none", "No known allergies, stated by Quay Surgery, 6 May 2024.", "received"),
    none_recorded: ("app-safety--none-recorded", "None recorded by Quay Surgery, 5 January 2026.", "No known"),
    nothing_received: (
        "app-safety--not-received",
        "Not received. No organisation has sent allergies for this person, so there may be some.",
        "No known",
    ),
    withheld: ("app-safety--withheld", "Withheld. There is something here that is not shown.", "Latex"),
    conflict: ("app-safety--warning", "The records disagree. Hill Surgery states no known allergies", "withheld"),
    some_withheld: ("app-safety--warning", "Some allergies are withheld.", "Latex"),
    withheld_beside_none_asserted: ("app-safety--withheld", "Withheld.", "No known"),
    withheld_beside_none_recorded: ("app-safety--withheld", "Withheld.", "None recorded"),
    none_asserted_in_confidence: ("app-safety--withheld", "Withheld.", "Vale Community Health"),
    none_asserted_then_an_error: ("app-safety--not-received", "Not received.", "No known"),
}


def box(client: Client, heading: str) -> tuple[str, str]:
    """The class and the words of the box of allergies or alerts."""
    page = client.get(f"/people/{person_id('Patient/p1')}/").content.decode()
    found = re.search(rf'<section class="app-safety ([\w-]+)" aria-label="{heading}">(.*?)</section>', page, re.S)
    assert found
    return found[1], words(found[2])


def words(html: str) -> str:
    """Text as it reads: tags are gaps, except where punctuation follows."""
    return re.sub(r" ([.,:])", r"\1", " ".join(re.sub(r"<[^>]+>", " ", html).split()))


@pytest.mark.parametrize("arrange", ALLERGIES, ids=lambda arrange: arrange.__name__)
def test_allergies_say_what_was_sent_and_nothing_more(world: World, arrange: Arrange) -> None:
    edge, says, never = ALLERGIES[arrange]
    arrange(world)
    shown = box(world.user(), "Allergies")
    assert shown[0] == edge
    assert says in shown[1]
    assert never not in shown[1]


@pytest.mark.parametrize("arrange", ALLERGIES, ids=lambda arrange: arrange.__name__)
def test_no_allergies_is_said_only_by_naming_who_said_it(world: World, arrange: Arrange) -> None:
    """Whatever was sent, the page has no other way of saying "no allergies"."""
    arrange(world)
    page = words(world.user().get(f"/people/{person_id('Patient/p1')}/").content.decode())
    sayings = re.findall(
        r"no (?:known )?allerg\w*(?:,? stated by [A-Z]\w+)?|allergies: none|none known|NKDA", page, re.I
    )
    expected = {
        # As a timeline line, with its source, and in the box, naming who said it.
        none_asserted: ["No known allergies, stated by Quay", "No known allergy", "No known allergy"],
        conflict: ["no known allergies", "No known allergy", "No known allergy"],
        withheld_beside_none_asserted: ["No known allergy", "No known allergy"],
    }
    assert sayings == expected.get(arrange, [])


def alert_box(client: Client) -> tuple[str, str]:
    return box(client, "Alerts")


def test_alerts_are_not_received_until_a_source_sends_its_whole_table(world: World) -> None:
    world.sends(SURGERY, ADA)
    world.council_sends("person", person_row("w1", "Fenwick", "Ada", number=NUMBER))
    client = world.user()
    assert alert_box(client)[0] == "app-safety--not-received"
    world.council_sends("alert", columns=("alert_id", "person_id", "code", "text", "from"))
    edge, says = alert_box(client)
    assert edge == "app-safety--none-recorded"
    assert "None recorded by Vale Council" in says


def test_an_alert_for_the_council_only_is_withheld_from_a_gp_and_shown_to_a_social_worker(world: World) -> None:
    world.sends(SURGERY, ADA)
    world.council_sends("person", person_row("w1", "Fenwick", "Ada", number=NUMBER))
    world.council_sends("alert", alert_row("x1", "w1", "Visit in pairs", audience="social_care"))
    edge, says = alert_box(world.user())
    assert edge == "app-safety--withheld"
    assert "Visit in pairs" not in says
    edge, says = alert_box(world.user("social_worker", COUNCIL))
    assert edge == "app-safety--flag"
    assert "Visit in pairs" in says


def test_a_restricted_line_is_withheld_from_others_everywhere_and_read_where_it_was_written(world: World) -> None:
    world.sends(SURGERY, ADA)
    world.sends(TRUST, ADA, problem("c1", "p1", "Secret clinic visit", restricted=True), flag("f1", "p1", "Falls"))
    address = f"/people/{person_id('Patient/p1')}/"
    for client, readable in ((world.user(), False), (world.user("community_nurse", TRUST), True)):
        page = client.get(address).content.decode()
        assert ("Secret clinic visit" in page) == readable
        assert ("app-line--withheld" in page) != readable


def test_a_timeline_without_lines_says_so_for_each_filter(world: World) -> None:
    world.sends(SURGERY, ADA)
    client, address = world.user(), f"/people/{person_id('Patient/p1')}/"
    assert "No organisation has sent any entries for this person." in client.get(address).content.decode()
    filtered = client.get(address, {"show": "social_care"}).content.decode()
    assert "No organisation has sent any social care entries for this person." in filtered
