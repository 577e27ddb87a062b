"""Who is who, seen through the door: people meet, part and are kept apart as their services say."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from joinery.apps.base.action import Refused
from joinery.apps.record.actions import Criteria, search_people
from joinery.calc.access import Post
from tests.apps.record import sending
from tests.apps.record.sending import COMMUNITY, COUNCIL, GP, patient, person_row, send

pytestmark = pytest.mark.django_db

N1, N2 = sending.nhs_number(1), sending.nhs_number(2)
AT_GP, AT_COMMUNITY, AT_COUNCIL = f"{GP} Patient/a", f"{COMMUNITY} Patient/x", f"{COUNCIL} person/7"


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def say(folder: Path, *, gp: tuple[str, ...] = (), community: tuple[str, ...] = (), council: str | None = None) -> None:
    """What each service says of the person: number, family name, given name, date of birth."""
    if gp:
        send(folder, json.dumps(patient("a", *gp)).encode(), GP)
    if community:
        send(folder, json.dumps(patient("x", *community)).encode(), COMMUNITY)
    if council is not None:
        send(folder, sending.extract("person", [person_row("7", council)]), COUNCIL)


def joined() -> bool:
    return sending.together() == {frozenset([AT_GP, AT_COMMUNITY])}


def apart() -> bool:
    return sending.together() == {frozenset([AT_GP]), frozenset([AT_COMMUNITY])}


ANN = (N1, "Ash", "Ann", "1941-03-03")
# With a number, Ann; without one nobody can tell.
MARRIED = ("Birch", "Ann", "1941-03-03")


def test_three_services_meet_in_one_person(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=(N1, "ASH", "ann"), council=f"{N1[:3]} {N1[3:6]} {N1[6:]}")
    assert sending.together() == {frozenset([AT_GP, AT_COMMUNITY, AT_COUNCIL])}
    viewing, records = sending.opened(sending.person_of(AT_GP))
    banner = sending.facts.banner(viewing, records)
    assert (banner.name, banner.nhs_number, str(banner.birth_date)) == ("ASH, Ann", N1, "1941-03-03")


def test_a_number_that_comes_later_joins_and_the_page_follows(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=("", *MARRIED))
    assert apart()
    before = sending.person_of(AT_GP)
    say(tmp_path, community=(N1, *MARRIED))
    assert joined()
    assert sending.person_of(AT_GP) == before


@pytest.mark.parametrize("number", ["0000000000", "9999999999", "1111111111", "0123456789", "9912003890", "123", "n/a"])
def test_dummies_and_misprints_join_nobody(number: str, tmp_path: Path) -> None:
    say(tmp_path, gp=(number, *ANN[1:]), community=(number, *MARRIED))
    send(tmp_path, sending.extract("person", [person_row("7", number, family_name="Cole")]), COUNCIL)
    assert sending.together() == {frozenset([AT_GP]), frozenset([AT_COMMUNITY]), frozenset([AT_COUNCIL])}


def test_a_spouse_with_the_same_number_is_kept_apart_and_both_pages_say_so(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=(N1, "Ash", "Ben", "1939-08-01"))
    assert apart()
    for record in (AT_GP, AT_COMMUNITY):
        assert sending.facts.kept_apart(*sending.opened(sending.person_of(record))) == 1


def test_a_mended_number_parts_who_was_joined_and_nobody_is_warned_any_more(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=ANN)
    assert joined()
    before = sending.person_of(AT_GP)
    say(tmp_path, community=(N2, *ANN[1:]))
    assert apart()
    assert sending.person_of(AT_GP) == before
    assert sending.facts.kept_apart(*sending.opened(before)) == 0
    say(tmp_path, gp=(N2, *ANN[1:]))
    assert joined()


@pytest.mark.parametrize("now", [("", *MARRIED), (N1, "Birch", "Ben", "1939-08-01")])
def test_a_number_withdrawn_or_details_that_no_longer_agree_part_them(now: tuple[str, ...], tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=ANN)
    say(tmp_path, community=now)
    assert apart()


def test_lines_go_where_the_person_goes(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=(N2, *ANN[1:]))
    send(tmp_path, json.dumps(sending.observation("w", "Patient/x")).encode(), COMMUNITY)
    assert sending.titles(AT_GP) == []
    say(tmp_path, community=ANN)
    assert sending.titles(AT_GP) == ["Weight"]
    say(tmp_path, community=(N2, *ANN[1:], "2026-03-30T10:00:00Z"))
    assert sending.titles(AT_GP) == []
    assert sending.titles(AT_COMMUNITY) == ["Weight"]


THREE = {"undated": (N1, "Ash", "Ann"), "whole": ANN, "married": (N1, "Birch", "Ann", "1941-03-03")}
SPOUSES = {"ann": ANN, "ben": (N1, "Ash", "Ben", "1939-08-01"), "mixed": (N1, "Ash", "Ann", "1939-08-01")}


@pytest.mark.parametrize("order", list(permutations(THREE)))
def test_a_record_that_agrees_with_two_joins_them_whenever_it_comes(order: tuple[str, ...], tmp_path: Path) -> None:
    for local in order:
        send(tmp_path, json.dumps(patient(local, *THREE[local])).encode())
    assert len(sending.together()) == 1


@pytest.mark.parametrize("order", list(permutations(SPOUSES)))
def test_a_mixed_up_record_never_joins_two_spouses(order: tuple[str, ...], tmp_path: Path) -> None:
    send(tmp_path, sending.ndjson(patient(local, *SPOUSES[local]) for local in order))
    assert sending.together() == {
        frozenset([f"{GP} Patient/ann"]),
        frozenset([f"{GP} Patient/ben", f"{GP} Patient/mixed"]),
    }


def test_a_link_is_an_event_and_saying_the_same_again_leaves_none(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN, community=ANN)
    assert sending.holds()["link"] == 2
    say(tmp_path, community=(N1, "Ash", "Annie", "1941-03-03"))
    assert sending.holds()["link"] == 2
    say(tmp_path, community=(N2, "Ash", "Annie", "1941-03-03"))
    assert sending.holds()["link"] == 3


def test_an_estimated_date_of_birth_joins_nobody(tmp_path: Path) -> None:
    say(tmp_path, gp=(N1, "Birch", "Ben", "1941-01-01"))
    row = person_row("7", N1, birth_date="1941-01-01", birth_date_estimated="Y")
    send(tmp_path, sending.extract("person", [row]), COUNCIL)
    assert sending.together() == {frozenset([AT_GP]), frozenset([AT_COUNCIL])}


def test_who_looks_elsewhere_sees_and_finds_nobody(tmp_path: Path) -> None:
    say(tmp_path, gp=ANN)
    person = sending.person_of(AT_GP)
    with pytest.raises(Refused) as refused:
        sending.opened(person, Post("social_worker", COUNCIL))
    assert refused.value.code == "not_involved"
    for posts, found in (((Post("gp", GP),), (person,)), ((Post("social_worker", COUNCIL),), ())):
        asked = Criteria(nhs_number=N1)
        answer = search_people(criteria=asked, posts=posts, actor=sending.ACTOR, at=sending.AT)
        assert (answer.viewing.person_ids, answer.more) == (found, False)
    say(tmp_path, council=N1)
    assert sending.opened(person, Post("social_worker", COUNCIL))


def test_without_a_number_a_rare_name_and_a_birth_date_are_enough_and_a_father_is_no_son(
    tmp_path: Path,
) -> None:
    say(tmp_path, gp=(N1, "Penhaligon", "Zachary", "1941-03-03"), community=("", "Penhaligon", "Zachary", "1941-03-03"))
    assert joined()
    say(tmp_path, community=("", "Penhaligon", "Zachary", "1969-11-20"))
    assert apart()
