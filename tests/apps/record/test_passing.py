"""A community trust is split by area: who goes on seeing whom, and who begins to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from joinery.apps.base.action import Refused
from joinery.apps.base.actions import add_user
from joinery.apps.place import actions as place
from joinery.apps.place import facts
from joinery.apps.place.actions import OrganisationDetails, Part
from joinery.apps.record.actions import Criteria, due, open_record, pass_relationships, search_people
from joinery.apps.record.facts import waiting_people
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, COMMUNITY, patient, send

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SPLIT = AT.date() + 30 * DAY
AFTER = AT + 31 * DAY
BY = {"actor": ACTOR, "at": AT}
PLACES = """title = "Two halves"
[[organisation]]
code = "N1"
name = "North"
form = "neighbourhood"
areas = ["E01999001"]
[[organisation]]
code = "N2"
name = "South"
form = "neighbourhood"
areas = ["E01999002"]
"""
POSTCODES = "pcds,dointr,doterm,lsoa21\nZZ1 1AA,202001,,E01999001\nZZ1 2AA,202001,,E01999002\n"
HOMES = {"anne": "ZZ1 1AA", "bert": "ZZ1 2AA", "cora": ""}


@pytest.fixture(autouse=True)
def world(tmp_path: Path) -> None:
    """Three people known to a trust that is split on a day: one in the north, one in the south, one nobody knows."""
    sending.register()
    for name, content in (("halves.toml", PLACES), ("postcodes.csv", POSTCODES)):
        path = tmp_path / name
        path.write_text(content)
        taken = place.take_directory_file(path=path, **BY)
        assert taken.taken == 2 and not taken.quarantined, taken
    for number, (name, postcode) in enumerate(HOMES.items()):
        said = patient(name, sending.nhs_number(10 * number), name.title(), "A", "1941-03-03")
        if postcode:
            said["address"] = [{"line": ["1 Quay Road"], "postalCode": postcode}]
        send(tmp_path, sending.bundle([said]), COMMUNITY)
    parts = [
        Part(OrganisationDetails("NORTH", "North Community", "community_trust"), areas=("E01999001",)),
        Part(OrganisationDetails("SOUTH", "South Community", "community_trust"), areas=("N2",)),
    ]
    place.split(code=COMMUNITY, parts=parts, on=SPLIT, **BY)


def nurse(organisation: str, since: date, name: str = "Nell") -> int:
    user = add_user(email=f"{name}@{organisation}.example", name=name, password=None, **BY)
    place.add_membership(user_id=user, organisation_code=organisation, role="community_nurse", from_date=since, **BY)
    return user


def sees(user: int, at: datetime) -> set[str]:
    """Whom a user may open, which must be whom a search finds."""
    posts = facts.standing(user, at.date()).posts
    opened, found = set(), set()
    for name in HOMES:
        person = sending.person_of(f"{COMMUNITY} Patient/{name}")
        try:
            open_record(person_id=person, posts=posts, actor=ACTOR, at=at)
            opened.add(name)
        except Refused:
            pass
        viewing = search_people(criteria=Criteria(family_name=name), posts=posts, actor=ACTOR, at=at).viewing
        found |= {name} if person in viewing.person_ids else set()
    assert opened == found
    return opened


def test_who_saw_a_person_goes_on_seeing_them_while_nothing_is_decided() -> None:
    before = nurse(COMMUNITY, AT.date())
    assert sees(before, AT) == sees(before, AFTER) == set(HOMES)
    assert facts.standing(before, AFTER.date()).waits
    due(actor=ACTOR, at=AFTER)
    assert sees(before, AFTER) == set(HOMES), "a nurse who waits keeps people who have gone on"


def test_people_go_on_by_the_area_in_which_they_live_and_the_rest_wait() -> None:
    north, south = nurse("NORTH", SPLIT), nurse("SOUTH", SPLIT)
    assert sees(north, AFTER) == sees(south, AFTER) == set(), "nothing is passed on before it is settled"
    assert [w.people for w in waiting_people(AFTER.date())] == [3]
    assert due(actor=ACTOR, at=AFTER) == 2
    assert (sees(north, AFTER), sees(south, AFTER)) == ({"anne"}, {"bert"})
    (waits,) = waiting_people(AFTER.date())
    assert (waits.body.code, waits.people) == (COMMUNITY, 1)
    assert {choice.code for choice in waits.choices} == {"NORTH", "SOUTH"}
    assert due(actor=ACTOR, at=AFTER) == 0, "and again changes nothing"


def test_a_person_decides_for_those_whom_no_area_tells_apart() -> None:
    south = nurse("SOUTH", SPLIT)
    due(actor=ACTOR, at=AFTER)
    with pytest.raises(Refused, match="took over"):
        pass_relationships(ended=COMMUNITY, organisation_code="Z90001", actor=ACTOR, at=AFTER)
    assert pass_relationships(ended=COMMUNITY, organisation_code="SOUTH", actor=ACTOR, at=AFTER) == 1
    assert sees(south, AFTER) == {"bert", "cora"}
    assert waiting_people(AFTER.date()) == ()
    with pytest.raises(Refused, match="waits"):
        pass_relationships(ended=COMMUNITY, organisation_code="SOUTH", actor=ACTOR, at=AFTER)


def test_a_nurse_who_goes_on_at_one_half_parts_from_the_people_of_the_other() -> None:
    before = nurse(COMMUNITY, AT.date())
    due(actor=ACTOR, at=AFTER)
    (waits,) = facts.waiting(AFTER.date())
    place.pass_membership(membership_id=waits.membership_id, organisation_code="NORTH", actor=ACTOR, at=AFTER)
    assert facts.waiting(AFTER.date()) == ()
    assert sees(before, AFTER) == {"anne", "cora"}, "cora waits still, so whoever knew her keeps her"
    assert sees(before, AT) == set(HOMES)


def test_nothing_is_passed_on_before_the_day(tmp_path: Path) -> None:
    assert due(actor=ACTOR, at=AT) == 0
    assert waiting_people(AT.date()) == ()
    assert sees(nurse(COMMUNITY, AT.date()), datetime(AT.year, AT.month, AT.day, tzinfo=UTC)) == set(HOMES)


def test_when_nobody_goes_on_with_people_nobody_sees_them_through_the_body_that_ended() -> None:
    before = nurse(COMMUNITY, AT.date())
    due(actor=ACTOR, at=AFTER)
    assert pass_relationships(ended=COMMUNITY, organisation_code=None, actor=ACTOR, at=AFTER) == 1
    assert waiting_people(AFTER.date()) == ()
    assert sees(before, AFTER) == {"anne", "bert"}
    assert sees(before, AFTER - DAY) == set(HOMES), "until the day of the decision they were seen"
