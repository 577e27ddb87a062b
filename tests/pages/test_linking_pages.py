"""Who is who on pages: explained, compared blind, decided by two, parted, redirected, and traced."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from joinery.apps.base.columns import select
from tests.pages.measure import MOST_OF_LIST, MOST_OF_PERSON, statements
from tests.pages.test_statements import counted
from tests.pages.world import (
    COUNCIL,
    OTHER_SURGERY,
    SURGERY,
    TRUST,
    World,
    numbers_far_apart,
    patient,
    person_id,
    person_row,
    search,
)

# Far apart, so that no slip of the pen leads from one to the other.
NUMBERS = ("9990004714", "9990003009")
SAME, DIFFERENT = "same", "different"


@pytest.fixture
def pair(world: World) -> str:
    """Two records alike in all but their NHS numbers, which wait: the address of their case."""
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBERS[0]))
    world.sends(TRUST, patient("t1", "Fenwick", "Ada", number=NUMBERS[1]))
    return address_of("Patient/p1", "Patient/t1")


@pytest.fixture
def joined(world: World) -> str:
    """One person of three records: two by number, and one without a number by all else. The person's id."""
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada", number=NUMBERS[0]))
    world.council_sends("person", person_row("c1", "Fenwick-Lowe", "Ada", number=NUMBERS[0]))
    world.sends(TRUST, patient("t1", "Fenwick", "Ada"))
    assert person_id("Patient/p1") == person_id("person/c1") == person_id("Patient/t1")
    return person_id("Patient/p1")


def address_of(*local_ids: str) -> str:
    ids = (record_id(each) for each in local_ids)
    return "/review/{}/{}/".format(*sorted(ids))


def record_id(local_id: str) -> int:
    return int(select("SELECT id FROM record_sourcerecord WHERE local_id = %s", [local_id])[0][0])


def officer(world: World, name: str = "Olu Brandt", organisation: str = COUNCIL) -> Client:
    return world.user("records_officer", organisation, name)


def text(answer: Any) -> str:
    """What a page says, without its tags."""
    page = answer.content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", main)).replace("&#39;", "'").replace("&nbsp;", " ")


def says(client: Client, address: str, answer: str, note: str = "") -> Any:
    return client.post(address, {"answer": answer, "note": note})


def looks() -> list[tuple[Any, ...]]:
    sql = "SELECT what, purpose, person_id, allowed FROM base_access ORDER BY id"
    return [(what, why, person, bool(allowed)) for what, why, person, allowed in select(sql)]


# Who may


@pytest.mark.parametrize("role", ["gp", "integration_lead", ""])
def test_only_a_records_officer_sees_what_waits_and_compares(world: World, pair: str, role: str) -> None:
    client = world.user(role)
    for address in ("/review/", pair):
        assert client.get(address).status_code == 403
    assert says(client, pair, SAME).status_code == 403
    assert select("SELECT COUNT(*) FROM record_review")[0][0] == 0
    assert ">Review</a>" not in client.get("/", follow=True).content.decode()
    assert ">Review</a>" in officer(world).get("/", follow=True).content.decode()


def test_a_refusal_to_compare_is_logged_and_names_nobody(world: World, pair: str) -> None:
    page = world.user("gp").get(pair)
    assert "only a records officer" in text(page)
    assert looks() == [("refused", "record_quality", None, False)]


def test_only_a_pair_that_waits_or_waited_opens(world: World, joined: str) -> None:
    client = officer(world)
    assert client.get(address_of("Patient/p1", "person/c1")).status_code == 404
    assert client.get("/review/1/99999999999999999999/").status_code == 404
    assert looks() == []


# The queue


def test_the_list_counts_what_waits_by_why_and_names_nobody(world: World, pair: str) -> None:
    page = officer(world).get("/review/")
    assert "Alike, with different NHS numbers (1)" in text(page)
    assert "Quay Surgery and Vale Community Health" in text(page)
    assert pair in page.content.decode()
    assert "fenwick" not in text(page).lower()
    assert looks() == []


def test_the_list_of_one_kind_leaves_out_the_others(world: World, pair: str) -> None:
    client = officer(world)
    assert pair in client.get("/review/?why=numbers_conflict").content.decode()
    assert "Nothing waits for you of this kind" in text(client.get("/review/?why=too_many"))


def test_a_pair_is_shown_blind_with_what_differs_marked_and_a_look_at_both_people(world: World, pair: str) -> None:
    first, second = officer(world, "Ann Bell"), officer(world, "Olu Brandt")
    says(first, pair, SAME, "the same handwriting")
    page = second.get(pair)
    assert "bits" not in text(page) and "Ann Bell" not in text(page) and "handwriting" not in text(page)
    row = page.content.decode().split("NHS number</th>")[1].split("</tr>")[0]
    assert "<mark" in row and "Differs" in row
    assert "Same" in page.content.decode().split("Born</th>")[1].split("</tr>")[0]
    shown = [look for look in looks() if look[0] == "compared"][-2:]
    assert {look[2] for look in shown} == {person_id("Patient/p1"), person_id("Patient/t1")}
    assert {look[1] for look in shown} == {"record_quality"}


def test_an_address_that_a_source_keeps_back_is_withheld_in_a_comparison(world: World, pair: str) -> None:
    hidden = patient("t1", "Fenwick", "Ada", number=NUMBERS[1]) | {"meta": {"security": [{"code": "R"}]}}
    world.at += timedelta(minutes=1)
    world.sends(TRUST, hidden)
    assert "Ropewalk" not in text(officer(world).get(pair))
    assert "Withheld" in text(officer(world).get(pair))
    assert "Ropewalk" in text(officer(world, organisation=TRUST).get(pair))


def test_an_answer_that_is_none_is_asked_for_again(world: World, pair: str) -> None:
    for answer in ("", "perhaps"):
        page = says(officer(world), pair, answer)
        assert "There is a problem" in text(page)
    assert select("SELECT COUNT(*) FROM record_review")[0][0] == 0


def test_one_who_says_different_keeps_two_apart_and_may_take_it_back(world: World, pair: str) -> None:
    client = officer(world)
    after = says(client, pair, DIFFERENT, "twins")
    page = client.get(after["Location"])
    assert after["Location"].startswith("/review/?last=")
    assert "Olu Brandt said different people" in text(page) and "The model gave it" in text(page)
    assert "They are kept apart" in text(page) and "Nothing waits for you" in text(page)

    back = client.post(pair, {"do": "take back"})
    assert "Are these two records about one person?" in text(client.get(back["Location"]))
    assert pair in client.get("/review/").content.decode()


def test_two_people_join_two_records_and_nobody_is_asked_twice(world: World, pair: str) -> None:
    first, second = officer(world, "Ann Bell"), officer(world, "Olu Brandt")
    says(first, pair, SAME)
    assert person_id("Patient/p1") != person_id("Patient/t1")
    assert "Nothing waits for you" in text(first.get("/review/"))
    assert "You have answered" in text(says(first, pair, SAME))
    page = second.get(says(second, pair, SAME)["Location"])
    assert person_id("Patient/p1") == person_id("Patient/t1")
    assert "Ann Bell said the same person" in text(page) and "They are one person now" in text(page)

    why = text(second.get(f"/people/{person_id('Patient/p1')}/why/"))
    assert "People compared them and said so: Ann Bell on" in why and "and Olu Brandt on" in why


def test_the_next_pair_comes_by_itself(world: World, pair: str) -> None:
    world.sends(SURGERY, patient("p2", "Lowe", "Bea", born="1971-07-30", number="9990003017"))
    world.sends(TRUST, patient("t2", "Lowe", "Bea", born="1971-07-30", number="9990004722"))
    client = officer(world)
    after = says(client, pair, "cannot_tell")["Location"]
    assert after.startswith(address_of("Patient/p2", "Patient/t2"))
    assert "Olu Brandt said cannot tell" in text(client.get(after))
    assert "The pair waits for somebody else" in text(client.get(after))


def test_what_others_said_of_a_pair_is_told_only_to_whom_answered(world: World, pair: str) -> None:
    says(officer(world, "Ann Bell"), pair, "cannot_tell")
    last = "-".join(pair.split("/")[2:4])
    assert "Ann Bell" not in text(officer(world).get(f"/review/?last={last}"))


# Why records are one person


def test_each_record_says_what_joins_it_in_words_and_bits(world: World, joined: str) -> None:
    page = text(world.user().get(f"/people/{joined}/why/"))
    assert "The same as record 1. The same NHS number, and the date of birth agrees." in page
    assert re.search(r"agree: [\d.]+ bits", page)
    assert "Two records picked without looking" in page
    for source in ("Quay Surgery", "Vale Council", "Vale Community Health"):
        assert source in page
    assert "What came and went" in page and "Part these records" not in page


def test_why_and_details_are_for_who_cares_and_for_records_officers_each_with_their_purpose(
    world: World, joined: str
) -> None:
    for tail, what in (("why", "joined"), ("details", "details")):
        for client, status in ((world.user(), 200), (officer(world, organisation=OTHER_SURGERY), 200)):
            assert client.get(f"/people/{joined}/{tail}/").status_code == status
        assert [look[:2] for look in looks()[-2:]] == [(what, "direct_care"), (what, "record_quality")]
        assert world.user("gp", OTHER_SURGERY).get(f"/people/{joined}/{tail}/").status_code == 403
    for address in (f"/people/{joined}/", f"/people/{joined}/who-has-looked/"):
        assert officer(world).get(address).status_code == 403
        # So no page leads an officer there.
        assert f'href="{address}"' not in officer(world).get(f"/people/{joined}/why/").content.decode()
    assert officer(world).get("/people/0123456789abcdef0123/why/").status_code == 403


def test_details_mark_who_says_otherwise(world: World, joined: str) -> None:
    page = text(world.user().get(f"/people/{joined}/details/"))
    name = page.split("Last name")[1].split("First names")[0]
    assert name.index("Fenwick") < name.index("Differs") < name.index("Fenwick-Lowe") < name.index("Vale Council")
    assert "Nothing else" in page.split("Born ")[-1]


def test_a_withheld_address_is_withheld_in_the_details_too(world: World, joined: str) -> None:
    world.at += timedelta(minutes=1)
    world.sends(TRUST, patient("t1", "Fenwick", "Ada") | {"meta": {"security": [{"code": "R"}]}})
    assert "Ropewalk" not in text(world.user().get(f"/people/{joined}/details/"))


# Parting, and what was seen under a wrong merge


def test_a_records_officer_parts_a_record_which_stays_apart_and_takes_it_back(world: World, joined: str) -> None:
    client, address = officer(world), f"/people/{joined}/why/"
    assert "Choose the records" in text(client.post(address, {"note": "x"}))
    chosen = {"records": str(record_id("Patient/t1")), "note": "his sister's"}
    assert client.post(address, chosen)["Location"] == address
    parted = person_id("Patient/t1")
    assert parted != joined
    world.at += timedelta(minutes=1)
    world.sends(TRUST, patient("t1", "Fenwick", "Ada", number=NUMBERS[0]))
    assert person_id("Patient/t1") == parted
    page = text(client.get(address))
    assert "Olu Brandt on" in page and "decided that they are different people" in page and "his sister's" in page
    assert "Vale Community Health, Patient/t1, went to another person" in page

    pair = {"record": record_id("Patient/p1"), "other": record_id("Patient/t1")}
    client.post(address, {"do": "take back"} | pair)
    assert person_id("Patient/t1") == joined
    page = text(client.get(address))
    assert "Olu Brandt took back what was decided" in page and "Olu Brandt said that they are different people" in page


def test_nobody_but_a_records_officer_parts_records(world: World, joined: str) -> None:
    answer = world.user().post(f"/people/{joined}/why/", {"records": str(record_id("Patient/t1"))})
    assert answer.status_code == 403
    assert person_id("Patient/t1") == joined


def test_a_decision_about_other_people_is_not_taken_back_here(world: World, joined: str) -> None:
    page = officer(world).post(f"/people/{joined}/why/", {"do": "take back", "record": "777", "other": "778"})
    assert "not about a record of this person" in text(page)


def test_who_looked_while_a_record_stood_in_another_persons_record_stays_traceable(world: World, joined: str) -> None:
    doctor = world.user("gp", SURGERY, "Asha Rao")
    doctor.get(f"/people/{joined}/")
    officer(world).post(f"/people/{joined}/why/", {"records": str(record_id("Patient/t1"))})
    doctor.get(f"/people/{joined}/details/")

    nurse = world.user("community_nurse", TRUST, "Nan Ito")
    page = text(nurse.get(f"/people/{person_id('Patient/t1')}/who-has-looked/"))
    assert "Asha Rao" in page and "Opened the record At that time some of these records stood" in page
    # Who looked at the other person afterwards did not see it.
    assert "Looked at who says what" not in page


# An old id


@pytest.fixture
def merged(world: World, pair: str) -> tuple[str, str]:
    """An id that was merged away, and the one it leads to."""
    old = person_id("Patient/t1")
    for name in ("Ann Bell", "Olu Brandt"):
        says(officer(world, name), pair, SAME)
    assert person_id("Patient/t1") != old
    return old, person_id("Patient/t1")


@pytest.mark.parametrize("tail", ["", "who-has-looked/", "why/", "details/", "?show=health"])
def test_an_old_id_leads_to_whom_it_is_now(world: World, merged: tuple[str, str], tail: str) -> None:
    old, now = merged
    answer = world.user().get(f"/people/{old}/{tail}")
    assert (answer.status_code, answer["Location"]) == (302, f"/people/{now}/{tail}")
    assert not [look for look in looks() if look[0] == "opened"]
    page = world.user().get(answer["Location"])
    assert page.status_code == 200
    assert looks()[-1][2] == now


def test_an_old_id_opens_nothing_that_the_new_one_does_not(world: World, merged: tuple[str, str]) -> None:
    old, now = merged
    answer = world.user("gp", OTHER_SURGERY).get(f"/people/{old}/")
    assert answer.status_code == 403 and now not in answer.content.decode()
    assert looks()[-1] == ("refused", "direct_care", now, False)


def test_an_officer_is_led_on_from_an_old_id_too(world: World, merged: tuple[str, str]) -> None:
    old, now = merged
    assert officer(world).get(f"/people/{old}/why/")["Location"] == f"/people/{now}/why/"


# Similar people


def test_who_is_like_what_was_typed_stands_below_whom_it_found(world: World) -> None:
    numbers = numbers_far_apart()
    for local_id, family in (("p1", "Fenwick"), ("p2", "Fennwick")):
        world.sends(SURGERY, patient(local_id, family, "Ada", number=next(numbers)))
    world.sends(OTHER_SURGERY, patient("p3", "Fenwik", "Ada", number=next(numbers)))
    typed = {"family_name": "Fenwick", "given_name": "Ada"}
    born = {"birth_day": "9", "birth_month": "2", "birth_year": "1944"}
    page = text(search(world.user(), **typed, **born))
    assert page.index("1 person found") < page.index("FENWICK, Ada") < page.index("Similar") < page.index("FENNWICK")
    assert "FENWIK" not in page
    # Each of them appeared in a list, and only they did.
    assert {look[2] for look in looks()} == {person_id("Patient/p1"), person_id("Patient/p2")}

    turned = {"birth_day": "2", "birth_month": "9", "birth_year": "1944"}
    nobody = text(search(world.user(), **typed, **turned))
    assert "Nobody quite like that found" in nobody and "FENWICK, Ada" in nobody


# Statements


def test_the_list_takes_as_many_statements_with_thirty_pairs_as_with_two(world: World, pair: str) -> None:
    client, numbers = officer(world), numbers_far_apart()

    def send(first: int, last: int) -> None:
        for sender in (SURGERY, TRUST):
            world.sends(
                sender,
                *(
                    patient(f"{sender}{n}", f"Name{chr(65 + n)}", "Ada", born=f"19{n + 10}-02-09", number=next(numbers))
                    for n in range(first, last)
                ),
            )

    send(0, 2)
    few = counted(client, "/review/")
    send(2, 24)
    assert len(re.findall(r"Records \d+ and \d+</a>", client.get("/review/").content.decode())) > 10
    assert counted(client, "/review/") == few <= MOST_OF_LIST


def test_a_search_with_similar_people_takes_no_more_statements_than_a_list_may(world: World) -> None:
    numbers = numbers_far_apart()
    for name in ("Fenwick", "Fennwick", "Fenwik"):
        world.sends(SURGERY, patient(name, name, "Ada", number=next(numbers)))
    client = world.user()
    asked = {"family_name": "Fenwick", "given_name": "Ada", "birth_day": "9", "birth_month": "2", "birth_year": "1944"}
    with statements() as ran:
        assert "Similar" in text(search(client, **asked))
    assert len(ran.of_page) <= MOST_OF_LIST


def test_why_and_details_take_as_many_statements_for_six_records_as_for_two(world: World) -> None:
    senders = (SURGERY, TRUST, OTHER_SURGERY)
    for sender in senders[:2]:
        world.sends(sender, patient("few", "Fenwick", "Ada", number=NUMBERS[0]))
    for sender in senders:
        world.sends(
            sender, *(patient(f"many{n}", "Lowe", "Bea", born="1950-05-05", number=NUMBERS[1]) for n in range(2))
        )
    client = world.user()
    for tail in ("why/", "details/"):
        few, many = (counted(client, f"/people/{person_id(f'Patient/{who}')}/{tail}") for who in ("few", "many0"))
        assert few == many <= MOST_OF_PERSON
