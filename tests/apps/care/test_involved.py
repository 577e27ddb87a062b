"""Whoever holds what was asked for a person can open their record, at whatever body they work; and no longer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.care import actions, facts
from joinery.apps.place.actions import OrganisationDetails, merge, register_organisation
from joinery.apps.place.facts import standing
from joinery.apps.record import facts as record
from joinery.apps.record.actions import list_people, open_record
from joinery.calc.access import Post
from tests.apps.care.caring import NOON, NURSES, REABLEMENT, Caring
from tests.pages.world import ACTOR, COUNCIL, OTHER_SURGERY, SURGERY, TRUST, World, patient, person_id

LATER, DAY = NOON + timedelta(days=60), timedelta(days=1)
WORKER = ("social_worker", COUNCIL)


@pytest.fixture
def caring(db: None, tmp_path: Path) -> Caring:
    world = World(tmp_path, at=NOON - timedelta(days=7))
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    return Caring(world)


def joins(caring: Caring, name: str = "worker", service: str = NURSES, organisation: str = COUNCIL) -> int:
    """Somebody of another body begins to work in a service."""
    return actions.add_member(
        service=service, user_id=caring.users[name], organisation=organisation, actor=ACTOR, at=caring.at
    )


def ends(caring: Caring, code: str) -> None:
    for to in ("accepted", "started", "ended"):
        caring.steps(code, to, "nurse", reason="done" if to == "ended" else "")


def test_a_team_of_several_bodies_sees_the_person_until_it_is_over(caring: Caring) -> None:
    joins(caring)
    assert caring.why(*WORKER) == "not_involved"
    code = caring.refers()
    assert caring.waits_for(code) == ["nurse", "worker"]
    assert caring.why(*WORKER) == caring.why(*WORKER, at=LATER) == "involved"
    ends(caring, code)
    assert caring.why(*WORKER) == "involved", "the last day counts"
    assert caring.why(*WORKER, at=NOON + 20 * DAY) == "recent", "as long after as anybody"
    assert caring.why(*WORKER, at=LATER) == caring.why("community_nurse", TRUST, at=LATER) == "ended"


def test_who_joins_sees_what_is_open_and_who_is_last_to_leave_no_more(caring: Caring) -> None:
    code = caring.refers()
    assert caring.why(*WORKER) == "not_involved"
    caring.staff("other", "social_worker", COUNCIL)
    first, second = joins(caring), joins(caring, "other")
    assert caring.why(*WORKER) == "involved"
    actions.end_member(member_id=first, actor=ACTOR, at=NOON)
    assert caring.why(*WORKER, at=LATER) == "involved", "another of the council is there"
    actions.end_member(member_id=second, actor=ACTOR, at=NOON)
    assert caring.why(*WORKER, at=LATER) == "ended"
    assert caring.now(code).waits_for, "though it is still open"


def test_what_is_passed_on_is_seen_where_it_is_now(caring: Caring) -> None:
    caring.staff("ward", "hospital_nurse", OTHER_SURGERY)
    joins(caring, "ward", organisation=OTHER_SURGERY)
    code = caring.refers()
    assert caring.why("hospital_nurse", OTHER_SURGERY) == "involved"
    caring.steps(code, "sent", "nurse", service=REABLEMENT, words="Help at home rather")
    assert {caring.why("hospital_nurse", OTHER_SURGERY, LATER), caring.why("community_nurse", TRUST, LATER)} == {
        "ended"
    }
    assert caring.why(*WORKER, at=LATER) == "involved"
    assert select("SELECT COUNT(*) FROM care_involvedbody") == [(0,)]


def test_the_service_that_asked_sees_the_person_while_it_waits_for_an_answer(caring: Caring) -> None:
    caring.staff("ward", "hospital_nurse", OTHER_SURGERY)
    joins(caring, "ward", organisation=OTHER_SURGERY)
    code = caring.refers(by="nurse", organisation=TRUST, from_service=NURSES, to=REABLEMENT)
    assert caring.why("hospital_nurse", OTHER_SURGERY) == "involved"
    caring.steps(code, "declined", "worker", reason="no_room")
    caring.steps(code, "closed", "nurse", words="She knows")
    assert caring.why("hospital_nurse", OTHER_SURGERY, LATER) == "ended"


def test_dates_of_members_count_from_the_night_on(caring: Caring) -> None:
    caring.refers()
    actions.add_member(
        service=NURSES, user_id=caring.users["worker"], organisation=COUNCIL, from_date=(NOON + 2 * DAY).date(),
        to_date=(NOON + 4 * DAY).date(), actor=ACTOR, at=NOON,
    )  # fmt: skip
    told = []
    for days in range(1, 6):
        at = NOON + days * DAY
        told.append(actions.due(actor=Actor.system("nightly"), at=at))
    assert told == [0, 1, 0, 1, 0]
    assert [caring.why(*WORKER, at=NOON + days * DAY) for days in (1, 2, 4)] == ["not_involved", "involved", "involved"]
    assert caring.why(*WORKER, at=LATER) == "ended"


def test_whom_it_climbs_to_sees_the_person_when_they_look_at_it(caring: Caring) -> None:
    code = caring.refers(urgency="two_hours")
    late = NOON + timedelta(minutes=45)
    co_ordinator = caring.actor("co_ordinator")
    with pytest.raises(Refused, match="does not wait for you"):
        actions.reach(code=code, actor=co_ordinator, at=NOON)
    assert caring.waits_for(code, late)[-1] == "co_ordinator"
    actions.reach(code=code, actor=co_ordinator, at=late)
    assert caring.why("care_co_ordinator", COUNCIL, late) == "involved"
    caring.at = late + DAY
    caring.steps(code, "accepted", "nurse")
    assert caring.why("care_co_ordinator", COUNCIL, LATER) == "ended", "it is in time again"


def test_when_bodies_merge_what_they_had_goes_on_where_their_people_do(caring: Caring) -> None:
    caring.staff("carer", "community_nurse", TRUST)
    joins(caring)
    code, asked = caring.refers(), caring.refers(to=REABLEMENT)
    caring.steps(asked, "returned", "worker", words="Which floor?")
    for body, into, form in ((TRUST, "ZN1", "community_trust"), (SURGERY, "ZN2", "gp_practice"),
                             (COUNCIL, "ZN3", "council")):  # fmt: skip
        details = OrganisationDetails(into, into, form)
        register_organisation(details=details, actor=ACTOR, at=NOON)
        merge(codes=[body], into=details, on=(NOON + DAY).date(), actor=ACTOR, at=NOON)
    caring.at = NOON + DAY
    assert (caring.waits_for(code), caring.waits_for(asked)) == (["nurse", "worker"], ["gp"])
    assert (caring.now(code).body, caring.now(code).sender_body) == ("ZN1", "ZN2")
    assert opens(caring, "nurse") and opens(caring, "worker")
    caring.steps(code, "accepted", "nurse")
    caring.steps(asked, "sent", "gp", words="The second")
    for (member,) in select("SELECT id FROM care_servicemember"):
        actions.end_member(member_id=member, actor=ACTOR, at=caring.at)
    assert caring.waits_for(code) == ["nurse", "matron", "carer"], "who cares at the body that goes on"


def test_when_two_bodies_of_a_team_become_one_all_of_it_still_sees_its_people(caring: Caring) -> None:
    """Staff of either half meet the people whom the other half knew only where something new begins."""
    third, trust = (OrganisationDetails(code, code, "community_trust") for code in ("ZN4", TRUST))
    register_organisation(details=third, actor=ACTOR, at=NOON)
    for name, organisation in (("ward", OTHER_SURGERY), ("newcomer", third.code)):
        caring.staff(name, "hospital_nurse", organisation)
    joins(caring, "ward", organisation=OTHER_SURGERY)
    code = caring.refers()
    merge(codes=[OTHER_SURGERY, third.code], into=trust, on=(NOON + DAY).date(), actor=ACTOR, at=NOON)
    caring.at = NOON + DAY
    assert actions.due(actor=Actor.system("nightly"), at=caring.at) == 0, "nobody has come or gone"
    assert opens(caring, "ward") and not opens(caring, "newcomer")

    joins(caring, "newcomer", organisation=TRUST)
    assert caring.waits_for(code) == ["nurse", "ward", "newcomer"]
    assert opens(caring, "newcomer")
    actions.end_member(member_id=select("SELECT MAX(id) FROM care_servicemember")[0][0], actor=ACTOR, at=caring.at)
    for member in ("nurse", "matron", "ward"):
        user = [caring.users[member]]
        for (number,) in select("SELECT id FROM care_servicemember WHERE user_id = %s", user):
            actions.end_member(member_id=number, actor=ACTOR, at=caring.at)
    assert "newcomer" in caring.waits_for(code), "who cares at the body"
    assert opens(caring, "newcomer")


def opens(caring: Caring, name: str) -> bool:
    posts = standing(caring.users[name], caring.at.date()).posts
    seen = list_people(person_ids=[person_id("Patient/p1")], posts=posts, actor=caring.actor(name), at=caring.at)
    return bool(seen.person_ids)


def test_another_body_that_runs_the_service_sees_its_people(caring: Caring) -> None:
    caring.refers()
    actions.change_service(
        code=NURSES, organisation=COUNCIL, kind="district_nursing", name="Nurses", about="", areas=(), open=True,
        actor=ACTOR, at=NOON,
    )  # fmt: skip
    assert caring.why(*WORKER, at=LATER) == "involved"
    assert caring.why("community_nurse", TRUST, at=LATER) == "involved", "its nurses work there still"
    for (member,) in select(
        "SELECT m.id FROM care_servicemember m JOIN care_service s ON s.id = m.service_id WHERE s.code = %s", [NURSES]
    ):
        actions.end_member(member_id=member, actor=ACTOR, at=NOON)
    assert caring.why("community_nurse", TRUST, at=LATER) == "ended"


def test_it_takes_as_many_statements_however_much_is_open(caring: Caring) -> None:
    counts = []
    for number in range(3):  # the first makes the council a source
        for n in range(1 + 2 * number):
            caring.world.sends(SURGERY, patient(f"q{number}{n}", f"Other{number}{n}", "Bea"))
            person = person_id(f"Patient/q{number}{n}")
            actions.refer(
                record_id=record.founding_records([person])[person], service=NURSES, urgency="routine", reason="A leg",
                words=f"{number} {n}", organisation=SURGERY, actor=caring.actor("gp"), at=NOON,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as ran:
            member = joins(caring)
        counts.append(len(ran))
        actions.end_member(member_id=member, actor=ACTOR, at=NOON)
    assert counts[1] == counts[2]


def test_who_sits_in_a_meeting_sees_who_is_on_its_list_until_all_is_done(caring: Caring) -> None:
    joins(caring)
    by = {"actor": caring.actor("nurse"), "at": NOON}
    meeting = actions.plan_meeting(service=NURSES, begins_at=NOON + DAY, **by)
    assert caring.why(*WORKER) == "not_involved"
    line = actions.list_person(meeting_id=meeting, record_id=caring.ada(), words="Falls", **by)
    assert caring.why(*WORKER) == caring.why("community_nurse", TRUST) == "involved"
    asked = actions.ask_member(listed_id=line, words="Visit", due_date=(NOON + 9 * DAY).date(), **by)
    assert caring.why(*WORKER, at=LATER) == "involved", "until it is done"
    assert actions.due(actor=ACTOR, at=NOON + 3 * DAY) == 0, "something is to be done"
    actions.finish_action(action_id=asked, actor=caring.actor("nurse"), at=NOON + 3 * DAY)
    assert caring.why(*WORKER, at=LATER) == "ended"


def test_a_meeting_that_asked_for_nothing_ends_with_its_day(caring: Caring) -> None:
    joins(caring)
    by = {"actor": caring.actor("nurse"), "at": NOON}
    meeting = actions.plan_meeting(service=NURSES, begins_at=NOON + timedelta(hours=1), **by)
    actions.list_person(meeting_id=meeting, record_id=caring.ada(), words="Falls", **by)
    assert actions.due(actor=ACTOR, at=NOON + timedelta(hours=8)) == 0
    assert actions.due(actor=ACTOR, at=NOON + DAY) == 2, "the trust, and the council"
    assert caring.why(*WORKER, at=LATER) == "ended"


def test_the_page_says_because_of_what_they_may_look(caring: Caring) -> None:
    joins(caring)
    by = {"actor": caring.actor("nurse"), "at": NOON}
    caring.refers(by="nurse", organisation=TRUST, from_service=NURSES, to=REABLEMENT)
    meeting = actions.plan_meeting(service=NURSES, begins_at=NOON + DAY, **by)
    actions.list_person(meeting_id=meeting, record_id=caring.ada(), words="Falls", **by)
    viewing = open_record(
        person_id=person_id("Patient/p1"), posts=(Post("gp", SURGERY),), actor=caring.actor("gp"), at=NOON
    )
    found = facts.teams_around(viewing, record.records(viewing))
    assert [(each.name, each.why, len(each.bodies)) for each in found] == [
        ("The council-reablement", "asked", 1), ("The harbour-nurses", "asks", 2), ("The harbour-nurses", "meets", 2),
    ]  # fmt: skip
