"""What a person keeps back is kept back on every page, until it ends, and whoever their records are joined with."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.record import actions
from joinery.site.urls import people
from tests.pages.world import (
    ACTOR,
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    TRUST,
    Resource,
    World,
    entry_id,
    flag,
    patient,
    person_id,
    problem,
    search,
)

NUMBER, OTHER_NUMBER = "9990003009", "9990003017"
# Our own table of who reads what is labelled so outside the organisation that wrote it, in plain words.
READ_ELSEWHERE = {"social_worker": {"SDV"}}
LABELS = ("", "R", "SEX", "SDV", "adoption")


def labelled(resource: Resource, label: str) -> Resource:
    return resource | ({"meta": {"security": [{"code": label}]}} if label else {})


def man(local_id: str, given: str, number: str = NUMBER) -> Resource:
    made = patient(local_id, "Fenwick", given, number=number) | {"gender": "male"}
    made["name"][0]["prefix"] = ["Mr"]
    return made


def user_id(client: Client) -> int:
    return int(client.session["_auth_user_id"])


def record_ids(whose: str) -> list[int]:
    return [row[0] for row in select("SELECT record_id FROM record_link WHERE person_id = %s ORDER BY 1", [whose])]


def lines_of(client: Client, whose: str) -> Iterator[int]:
    """The entries of which the person's page says where they came from."""
    page = client.get(f"/people/{whose}/").content.decode()
    yield from map(int, dict.fromkeys(re.findall(r"/entries/(\d+)/", page)))


def every_page(client: Client, whose: str) -> dict[str, str]:
    """All pages about a person as somebody sees them, by address; without the addresses in them."""
    entries = [row[0] for row in select("SELECT id FROM record_entry")]
    addresses = []
    for each in people:
        name, takes = f"record:{each.name}", each.pattern.converters
        if "entry_id" in takes:
            addresses += [reverse(name, args=[whose, entry]) for entry in entries]
        elif takes:
            addresses.append(reverse(name, args=[whose]))
    answers = {address: client.get(address) for address in addresses}
    assert {answer.status_code for answer in answers.values()} <= {200, 403, 404}
    return {address: html.unescape(answer.content.decode()) for address, answer in answers.items()}


def restrict(whose: str, kind: str, world: World, **said: Any) -> int:
    return actions.restrict(person_id=whose, kind=kind, words="As asked", actor=ACTOR, at=world.at, **said)


# -- objections -----------------------------------------------------------------------------------------


@pytest.fixture
def ada(world: World) -> str:
    """Somebody known to a surgery and a trust."""
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBER), problem("c1", "p1", "Asthma"))
    world.sends(TRUST, patient("t1", "Fenwick", "Ada", number=NUMBER), problem("c2", "t1", "Leg ulcer"))
    return person_id("Patient/p1")


@pytest.mark.parametrize("said", [{"organisation_code": TRUST}, {"writer_code": SURGERY}])
def test_an_objection_keeps_an_organisation_out_until_it_ends(world: World, ada: str, said: dict[str, str]) -> None:
    gp, nurse = world.user(), world.user("community_nurse", TRUST)
    assert nurse.get(f"/people/{ada}/").status_code == 200
    objection = restrict(ada, "objection", world, **said)
    refused = nurse.get(f"/people/{ada}/")
    assert refused.status_code == 403
    assert "does not want your organisation to see this record" in refused.content.decode()
    assert f"/people/{ada}/emergency/" in refused.content.decode()
    assert "Fenwick" not in search(nurse, family_name="Fenwick").content.decode().replace('value="Fenwick"', "")
    assert gp.get(f"/people/{ada}/").status_code == 200
    actions.end_restriction(restriction_id=objection, words="She said so", actor=ACTOR, at=world.at)
    assert nurse.get(f"/people/{ada}/").status_code == 200
    with pytest.raises(Refused, match="ended already"):
        actions.end_restriction(restriction_id=objection, words="Again", actor=ACTOR, at=world.at)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"kind": "secret"}, "kind"),
        ({"words": " "}, "words"),
        ({"organisation_code": "nowhere"}, "organisation"),
        ({"organisation_code": ""}, "organisation"),
        ({"writer_code": SURGERY}, "organisation"),
        ({"names": ["John"]}, "names"),
        ({"kind": "sealed_name", "organisation_code": "", "names": ["-"]}, "names"),
        ({"kind": "own_view"}, "organisation"),
        ({"kind": "own_view", "organisation_code": "", "entry_id": 10**9}, "entry"),
        ({"entry_id": 1}, "entry"),
        ({"person_id": "nobody"}, "absent"),
    ],
)
def test_a_restriction_that_is_not_whole_is_refused_in_words(
    world: World, ada: str, said: dict[str, Any], code: str
) -> None:
    whole = {"person_id": ada, "kind": "objection", "words": "As asked", "organisation_code": TRUST}
    with pytest.raises(Refused) as refused:
        actions.restrict(**whole | said, actor=ACTOR, at=world.at)
    assert refused.value.code == code
    assert select("SELECT COUNT(*) FROM record_restriction") == [(0,)]


def test_an_objection_goes_with_the_person_when_people_are_joined_and_parted(world: World) -> None:
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBER))
    world.sends(TRUST, patient("t1", "Ash", "Bea", born="1950-01-01", number=OTHER_NUMBER))
    first, second = person_id("Patient/p1"), person_id("Patient/t1")
    restrict(second, "objection", world, organisation_code=TRUST)
    nurse = world.user("community_nurse", TRUST)
    officers = user_id(world.user("records_officer", COUNCIL)), user_id(world.user("records_officer", COUNCIL))
    own = record_ids(second)
    acting = {"note": "", "actor": ACTOR, "at": world.at}
    joined = actions.join_people(person_id=first, other_id=second, by=officers, **acting)
    assert joined == first
    assert nurse.get(f"/people/{joined}/").status_code == 403
    parted = actions.split_records(person_id=joined, record_ids=own, **acting)
    assert nurse.get(f"/people/{parted}/").status_code == 403
    assert world.user().get(f"/people/{first}/").status_code == 200
    assert select("SELECT COUNT(*) FROM record_restriction") == [(1,)]


# -- sealed names ---------------------------------------------------------------------------------------


def test_a_sealed_name_stands_on_no_page_and_finds_nobody(world: World) -> None:
    world.sends(
        SURGERY, man("p1", "Jonathan"), problem("c1", "p1", "Told Jonathan’s wife of JONATHAN FENWICK’s asthma")
    )
    world.sends(TRUST, patient("t1", "Ash", "Joan", number=NUMBER), flag("f1", "t1", "Jonathan must not be called"))
    joan = person_id("Patient/p1")
    assert joan == person_id("Patient/t1")
    gp = world.user()
    assert "Jonathan" in gp.get(f"/people/{joan}/").content.decode()
    seal = restrict(joan, "sealed_name", world, names=["Jonathan"])
    for client in (gp, world.user("community_nurse", TRUST), world.user("records_officer", COUNCIL)):
        pages = every_page(client, joan)
        assert not [address for address, page in pages.items() if "jonathan" in page.casefold()]
    page = every_page(gp, joan)[f"/people/{joan}/"]
    assert "ASH, Joan" in page and "Mr)" not in page
    assert "[withheld]" in page
    assert "Withheld" in every_page(gp, joan)[f"/people/{joan}/details/"]
    for given_name in ("Jonathan", "Jonat", ""):
        assert "ASH" not in search(gp, family_name="Fenwick", given_name=given_name).content.decode()
    for found in ({"family_name": "Ash"}, {"family_name": "Ash", "given_name": "Joan"}, {"nhs_number": NUMBER}):
        assert "ASH, Joan" in search(gp, **found).content.decode()
    actions.end_restriction(restriction_id=seal, words="At her wish", actor=ACTOR, at=world.at)
    assert "Jonathan" in gp.get(f"/people/{joan}/").content.decode()


def test_somebody_whose_every_name_is_sealed_is_called_so(world: World) -> None:
    world.sends(SURGERY, man("p1", "Jonathan"))
    restrict(person_id("Patient/p1"), "sealed_name", world, names=["Jonathan"])
    page = world.user().get(f"/people/{person_id('Patient/p1')}/").content.decode()
    assert "Name withheld" in page and "Fenwick" not in page


# -- her own view ---------------------------------------------------------------------------------------


def test_she_sees_her_own_record_without_what_is_kept_back_from_her(world: World, ada: str) -> None:
    herself, stranger = world.user("", name="Ada Fenwick"), world.user("", name="Bea Ash")
    assert herself.get(f"/people/{ada}/").status_code == 403
    given = {"person_id": ada, "user_id": user_id(herself), "actor": ACTOR, "at": world.at}
    actions.give_own_access(**given, kind="own", from_date=world.at.date())
    asthma, ulcer = entry_id("Condition/c1"), entry_id("Condition/c2")
    pages = every_page(herself, ada)
    assert "Asthma" in pages[f"/people/{ada}/"] and "Leg ulcer" in pages[f"/people/{ada}/"]
    assert "resourceType" not in pages[f"/people/{ada}/entries/{asthma}/"]
    assert "This page is for staff" in pages[f"/people/{ada}/why/"]
    assert select("SELECT DISTINCT purpose FROM base_access WHERE allowed") == [("own_record",)]
    assert stranger.get(f"/people/{ada}/").status_code == 403

    restrict(ada, "own_view", world, entry_id=ulcer)
    assert not [address for address, page in every_page(herself, ada).items() if "Leg ulcer" in page]
    assert "Asthma" in herself.get(f"/people/{ada}/").content.decode()
    assert "Leg ulcer" in world.user().get(f"/people/{ada}/").content.decode()

    whole = restrict(ada, "own_view", world)
    assert "not shown here" in herself.get(f"/people/{ada}/").content.decode()
    actions.end_restriction(restriction_id=whole, words="She is well again", actor=ACTOR, at=world.at)
    assert herself.get(f"/people/{ada}/").status_code == 200
    actions.end_own_access(person_id=ada, user_id=user_id(herself), on=world.at.date(), actor=ACTOR, at=world.at)
    assert herself.get(f"/people/{ada}/").status_code == 403
    with pytest.raises(Refused, match="ended already"):
        actions.end_own_access(person_id=ada, user_id=user_id(herself), on=world.at.date(), actor=ACTOR, at=world.at)


def test_a_nurse_does_not_open_her_own_record_by_her_post(world: World, ada: str) -> None:
    nurse = world.user("community_nurse", TRUST, name="Ada Fenwick")
    given = {"person_id": ada, "user_id": user_id(nurse), "actor": ACTOR, "at": world.at}
    actions.give_own_access(**given, kind="own", from_date=world.at.date())
    restrict(ada, "own_view", world)
    pages = every_page(nurse, ada)
    assert not [address for address, page in pages.items() if "Asthma" in page or "Leg ulcer" in page]


# -- the page -------------------------------------------------------------------------------------------


def test_what_is_kept_back_is_said_and_ended_on_a_page(world: World, ada: str) -> None:
    gp, address = world.user(), f"/people/{ada}/kept-back/"
    assert "Nothing was asked to be kept back" in gp.get(address).content.decode()
    why = {"words": "Ada asked me in Jonathan’s hearing"}
    for typed in (
        {"kind": "one", "body": "Vale Community"},
        {"kind": "others"},
        {"kind": "names", "names": "Jonathan\r\nAsh"},
        {"kind": "own_view"},
    ):
        assert gp.post(address, typed | why).status_code == 302
    page = html.unescape(gp.get(address).content.decode())
    for said in (
        "Vale Community Health is not to see this record",
        "Nobody outside Quay Surgery is to see this record",
        "Names are sealed",
        "The record is kept from the person’s own view",
        "Ada asked me in [withheld]’s hearing",
    ):
        assert said in page
    assert "Jonathan" not in page
    held = select("SELECT kind, names FROM record_restriction ORDER BY id")
    assert held == [("objection", ""), ("objection", ""), ("sealed_name", " JONATHAN ASH "), ("own_view", "")]
    numbers = re.findall(r'name="restriction" value="(\d+)"', page)
    wrong = gp.post(address, {"verb": "end", "restriction": numbers[0]}).content.decode()
    asked = wrong.partition('id="words"')[0].rpartition("<details")[2]  # where the link of the error leads
    assert " open>" in asked and f'value="{numbers[0]}"' in asked and asked.count("Say why it ends") == 1
    assert wrong.count('id="words"') == 1
    for number in numbers:
        assert gp.post(address, {"verb": "end", "restriction": number} | why).status_code == 302
    assert "ended already" in gp.post(address, {"verb": "end", "restriction": numbers[0]} | why).content.decode()
    assert "Nothing was asked to be kept back" in gp.get(address).content.decode()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({}, "Choose what is kept back"),
        ({"kind": "one"}, "Say why, and who asked for it"),
        ({"kind": "one", "words": "x"}, "Enter a code, or the start of a name"),
        ({"kind": "names", "words": "x"}, "Enter each name that is sealed"),
        ({"kind": "names", "words": "x", "names": "- -"}, "Write each name that is to be sealed"),
    ],
)
def test_a_form_that_is_not_whole_says_what_is_missing(
    world: World, ada: str, typed: dict[str, str], says: str
) -> None:
    page = world.user().post(f"/people/{ada}/kept-back/", typed)
    assert page.status_code == 200 and says in html.unescape(page.content.decode())
    assert select("SELECT COUNT(*) FROM record_restriction") == [(0,)]


def test_only_who_cares_for_the_person_or_answers_for_privacy_keeps_back(world: World, ada: str) -> None:
    typed = {"kind": "own_view", "words": "x"}
    for role, at, status in (
        ("privacy_officer", TRUST, 302),
        ("social_worker", COUNCIL, 403),  # may, but not for her
        ("community_nurse", TRUST, 403),
        ("records_officer", COUNCIL, 403),
        ("gp", OTHER_SURGERY, 403),
        ("", "", 403),
    ):
        assert world.user(role, at).post(f"/people/{ada}/kept-back/", typed).status_code == status, role
    assert select("SELECT COUNT(*) FROM record_restriction") == [(1,)]


# -- overrides and grants -------------------------------------------------------------------------------


def override(world: World, whose: str, posts: Any, actor: Any, **said: str) -> actions.Overridden:
    about = {"reason": "urgent_care", "words": "Found on the floor, confused"} | said
    return actions.override_record(person_id=whose, posts=posts, actor=actor, at=world.at, **about)


def test_an_override_opens_a_record_for_four_hours_to_who_gave_a_reason(world: World, ada: str) -> None:
    from joinery.apps.base.action import Actor
    from joinery.calc.access import Post

    client = world.user("gp", OTHER_SURGERY)
    world.at = world.at + timedelta(hours=2)
    posts, actor = (Post("gp", OTHER_SURGERY),), Actor.user(user_id(client))
    refused = client.get(f"/people/{ada}/")
    assert refused.status_code == 403
    assert f"/people/{ada}/emergency/" in refused.content.decode()
    for wrong in ({"reason": "curious"}, {"words": "quick"}):
        with pytest.raises(Refused):
            override(world, ada, posts, actor, **wrong)
    with pytest.raises(Refused, match="role"):
        override(world, ada, (Post("analyst", OTHER_SURGERY),), actor)
    assert client.get(f"/people/{ada}/").status_code == 403
    opened = override(world, ada, posts, actor)
    assert (opened.organisation, opened.role) == (OTHER_SURGERY, "gp")
    assert client.get(f"/people/{ada}/").status_code == 200
    assert world.user("gp", OTHER_SURGERY).get(f"/people/{ada}/").status_code == 403
    assert select("SELECT reason FROM base_access WHERE allowed ORDER BY id DESC LIMIT 1") == [("override",)]
    look = {"person_id": ada, "posts": posts, "actor": actor}
    assert actions.open_record(**look, at=opened.until_at - timedelta(seconds=1)).decision.reason == "override"
    with pytest.raises(actions.NotOpened) as ended:
        actions.open_record(**look, at=opened.until_at)
    assert ended.value.override_offered


def test_somebody_not_known_here_is_found_by_the_whole_number_alone(world: World, ada: str) -> None:
    client = world.user("gp", OTHER_SURGERY)
    page = search(client, nhs_number=NUMBER).content.decode()
    assert f"/people/{ada}/emergency/" in page and "Fenwick" not in page and "Ada" not in page
    assert "emergency" not in search(client, family_name="Fenwick").content.decode()
    assert select("SELECT what, person_id FROM base_access ORDER BY id")[0] == ("located", ada)


def test_a_withheld_entry_is_read_by_who_was_granted_it_until_that_ends(world: World) -> None:
    world.sends(
        SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBER), labelled(problem("c1", "p1", "Syphilis"), "STD")
    )
    world.sends(TRUST, patient("t1", "Fenwick", "Ada", number=NUMBER))
    ada, entry = person_id("Patient/p1"), entry_id("Condition/c1")
    nurse, other = world.user("community_nurse", TRUST), world.user("community_nurse", TRUST)
    page = nurse.get(f"/people/{ada}/").content.decode()
    assert "Syphilis" not in page and "Quay Surgery" in page and f"/people/{ada}/entries/{entry}/ask/" in page
    ((item,),) = select("SELECT item_id FROM record_entry WHERE id = %s", [entry])
    grant = {"item_id": item, "user_id": user_id(nurse), "actor": ACTOR, "at": world.at}
    with pytest.raises(Refused, match="31 days"):
        actions.grant_reading(**grant, organisation_code=TRUST, until_at=world.at + timedelta(days=400))
    actions.grant_reading(**grant, organisation_code=SURGERY, until_at=world.at + timedelta(days=2))
    assert "Syphilis" not in nurse.get(f"/people/{ada}/").content.decode()
    actions.grant_reading(**grant, organisation_code=TRUST, until_at=world.at + timedelta(minutes=1))
    assert "Syphilis" not in nurse.get(f"/people/{ada}/").content.decode()
    actions.grant_reading(**grant, organisation_code=TRUST, until_at=world.at + timedelta(days=2))
    assert "Syphilis" in nurse.get(f"/people/{ada}/").content.decode()
    assert "Syphilis" in nurse.get(f"/people/{ada}/entries/{entry}/").content.decode()
    assert "Syphilis" not in other.get(f"/people/{ada}/").content.decode()


# -- all of it ------------------------------------------------------------------------------------------


def test_what_may_not_be_read_leaks_on_no_page_and_what_may_is_read(world: World) -> None:
    """Every label, from every source, before every role at every source; the words in title, note and code."""
    words: dict[tuple[str, str], str] = {}
    for place in (SURGERY, TRUST, COUNCIL):
        sent: list[Resource] = [patient(f"p{place}", "Fenwick", "Ada", number=NUMBER)]
        for label in LABELS:
            word = words[place, label] = f"Zq{label or 'plain'}{place}".casefold()
            sent.append(labelled(problem(f"c{place}{label}", f"p{place}", word, note=f"{word} noted"), label))
            sent.append(labelled(flag(f"f{place}{label}", f"p{place}", f"{word} flagged"), label))
        world.sends(place, *sent)
    ada = person_id(f"Patient/p{SURGERY}")
    for role, at in (
        ("gp", SURGERY),
        ("community_nurse", TRUST),
        ("social_worker", COUNCIL),
        ("care_home_manager", TRUST),
        ("gp", OTHER_SURGERY),
        ("records_officer", COUNCIL),
        ("privacy_officer", TRUST),
        ("analyst", COUNCIL),
    ):
        pages = every_page(world.user(role, at), ada)
        involved = role not in ("records_officer", "privacy_officer", "analyst") and at != OTHER_SURGERY
        for (place, label), word in words.items():
            read = involved and (not label or place == at or label in READ_ELSEWHERE.get(role, ()))
            seen = [address for address, page in pages.items() if word in page.casefold()]
            assert bool(seen) is read, (role, at, place, label, seen)
