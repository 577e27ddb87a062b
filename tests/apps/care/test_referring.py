"""A referral goes from hand to hand: every step by whose turn it is, none lost, none undone unseen."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.care import actions, facts
from joinery.apps.care.rules import due_at, rules_on
from joinery.apps.care.states import REFERRAL, SENDER, SERVICE, STATES, STEPS
from joinery.apps.place.actions import add_membership, end_membership, take_directory_file
from tests.apps.care.caring import NOON, NURSES, REABLEMENT, Caring
from tests.pages.world import ACTOR, COUNCIL, SURGERY, TRUST, World, patient

ALL = sorted(STATES)
# The shortest way to each state, with whose step each is.
WAYS = {
    "sent": (), "acknowledged": ("acknowledged",), "returned": ("returned",), "accepted": ("accepted",),
    "declined": ("declined",), "started": ("accepted", "started"), "ended": ("accepted", "started", "ended"),
    "closed": ("declined", "closed"), "withdrawn": ("withdrawn",),
}  # fmt: skip
WHO = {SENDER: "gp", SERVICE: "nurse"}


@pytest.fixture
def caring(db: None, tmp_path: Path) -> Caring:
    world = World(tmp_path, at=NOON - timedelta(days=7))
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    return Caring(world)


def said(to: str) -> dict[str, str]:
    """What every step may be asked for."""
    reasons = rules_on(NOON.date()).reasons.get(to, {})
    return {"reason": next(iter(reasons), ""), "words": "Because"}


def brought_to(caring: Caring, state: str) -> str:
    code = caring.refers()
    for to in WAYS[state]:
        by = STEPS[caring.now(code).state, to].by
        caring.steps(code, to, WHO[by], **said(to))
    assert caring.now(code).state == state
    return code


def refused(caring: Caring, code: str, to: str, by: str, **more: object) -> str:
    with pytest.raises(Refused) as caught:
        caring.steps(code, to, by, **(said(to) | more))
    return caught.value.code


# The table, whole


def test_every_step_is_taken_by_whose_it_is_and_by_nobody_else(caring: Caring) -> None:
    codes = {state: brought_to(caring, state) for state in ALL}
    for (state, to), (side, name) in product(product(ALL, ALL), WHO.items()):
        step = STEPS.get((state, to))
        more = {"service": REABLEMENT} if to == "sent" and side == SERVICE else {}
        if step is None:
            assert refused(caring, codes[state], to, name, **more) == "transition"
        elif step.by != side:
            assert refused(caring, codes[state], to, name, **more) == "not_yours"
        else:
            with transaction.atomic():
                caring.steps(codes[state], to, name, **(said(to) | more))
                now = caring.now(codes[state])
                assert now.state == to
                assert now.waits_for == STATES[to].waits_for
                assert bool(now.owners) == bool(now.waits_for) == bool(now.due_at)
                transaction.set_rollback(True)


def test_every_step_that_asks_for_a_reason_or_words_is_refused_without(caring: Caring) -> None:
    for (state, to), step in STEPS.items():
        if not step.asks:
            continue
        code = brought_to(caring, state)
        more = {"service": REABLEMENT} if to == "sent" and step.by == SERVICE else {}
        assert refused(caring, code, to, WHO[step.by], reason="", words="  \0", **more) == step.asks


def test_every_open_state_of_every_urgency_has_a_clock() -> None:
    for urgency, state in product(rules_on(NOON.date()).urgencies, ALL):
        due = due_at(urgency, state, NOON)
        assert (due is not None) == bool(STATES[state].waits_for)
        assert due is None or due > NOON


def test_no_state_is_a_dead_end() -> None:
    onward = {state: {to for now, to in STEPS if now == state} for state in ALL}
    assert all(bool(onward[state]) == bool(STATES[state].waits_for) for state in ALL)
    for state, said_of in STATES.items():
        if said_of.waits_for:
            assert any(STEPS[state, to].by == said_of.waits_for for to in onward[state])
    assert set(REFERRAL.all()) == set(ALL) == set(WAYS)


# Whom a service serves

COUNCILS = """
title = "Two councils"
certainty = "recalled"
[[organisation]]
code = "V01"
name = "Hill Council"
form = "unitary"
from = 1974-04-01
areas = ["E01999101"]
[[organisation]]
code = "V02"
name = "Dale Council"
form = "unitary"
from = 1974-04-01
areas = ["E01999102"]
"""


def test_a_service_is_asked_only_for_who_lives_in_its_area(caring: Caring, tmp_path: Path) -> None:
    (tmp_path / "councils.toml").write_text(COUNCILS)
    take_directory_file(path=tmp_path / "councils.toml", actor=ACTOR, at=caring.world.at)
    actions.change_service(
        code=NURSES, organisation=TRUST, kind="district_nursing", name="Hill nurses", about="", areas=["V01"],
        open=True, actor=ACTOR, at=NOON,
    )  # fmt: skip
    assert caring.now(caring.refers(area="E01999101")).service == NURSES
    assert caring.now(caring.refers(area="")).service == NURSES, "where she lives is not known"
    with pytest.raises(Refused, match="Hill nurses does not serve where the person lives. Choose one that does."):
        caring.refers(area="E01999102")
    elsewhere = caring.refers(to=REABLEMENT, area="E01999102")
    with pytest.raises(Refused, match="does not serve"):
        caring.steps(elsewhere, "sent", "worker", service=NURSES, words="For you")
    assert [each.code for each in facts.services_for("E01999102", NOON.date())] == [REABLEMENT]


# Nothing undone unseen, nothing half


def test_of_two_who_take_a_step_at_once_one_is_told_of_the_other(caring: Caring) -> None:
    code = caring.refers()
    seen = caring.now(code).number
    caring.steps(code, "accepted", "matron")
    with pytest.raises(Refused) as caught:
        actions.take_step(
            code=code, number=seen, to="declined", reason="no_room", words="", actor=caring.actor("nurse"), at=NOON
        )
    assert caught.value.code == "changed"
    assert "matron was first" in caught.value.message and "Accepted" in caught.value.message
    assert caring.now(code).state == "accepted"
    with pytest.raises(Refused, match="You changed this since: it is now “Accepted”"):
        actions.take_step(code=code, number=seen, to="accepted", actor=caring.actor("matron"), at=NOON)


def test_a_bulk_step_answers_for_each(caring: Caring) -> None:
    codes = [caring.refers() for _ in range(4)]
    seen = {code: caring.now(code).number for code in codes}
    caring.steps(codes[1], "accepted", "matron")
    answers = actions.take_steps(
        seen=seen | {"no such": 1, codes[3]: 9}, to="acknowledged", actor=caring.actor("nurse"), at=NOON
    )
    assert [code for code, refused in answers.items() if not refused] == [codes[0], codes[2]]
    assert "matron" in answers[codes[1]]
    assert answers["no such"] == "There is no such referral."
    assert [caring.now(code).state for code in codes] == ["acknowledged", "accepted", "acknowledged", "sent"]
    with pytest.raises(Refused, match="200 at most"):
        actions.take_steps(seen={str(n): 1 for n in range(201)}, to="accepted", actor=caring.actor("nurse"), at=NOON)


def test_a_step_that_cannot_be_kept_leaves_nothing(caring: Caring) -> None:
    code = caring.refers()
    with pytest.raises(DatabaseError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE record_itemversion RENAME TO gone")
        caring.steps(code, "accepted", "nurse")
    assert caring.now(code).number == 1


def test_what_was_said_is_never_changed(caring: Caring) -> None:
    caring.refers()
    for table in ("care_referral", "care_referralstep", "care_service", "care_serviceterms"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")


# Who may, and what is asked


@pytest.mark.parametrize(
    ("by", "more", "code"),
    [
        ("lead", {"organisation": COUNCIL}, "role"),
        ("gp", {"organisation": TRUST}, "role"),
        ("gp", {"organisation": "nowhere"}, "organisation"),
        ("gp", {"urgency": "at once"}, "urgency"),
        ("gp", {"reason": " "}, "reason"),
        ("gp", {"reason": "x" * 201}, "reason"),
        ("gp", {"to": "no-such-service"}, "service"),
        ("gp", {"from_service": NURSES}, "from_service"),
        ("gp", {"follows": "nothing"}, "follows"),
    ],
)
def test_a_referral_that_cannot_be_is_refused(caring: Caring, by: str, more: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as caught:
        caring.refers(by=by, **more)
    assert caught.value.code == code
    assert select("SELECT COUNT(*) FROM care_referral")[0][0] == 0


def test_a_message_that_comes_twice_is_one_referral(caring: Caring) -> None:
    told = {"record_id": caring.ada(), "service": NURSES, "urgency": "today", "reason": "A fall", "words": ""}
    sent = told | {"organisation": SURGERY, "outside_id": "abc-1", "actor": Actor.system("bars"), "at": NOON}
    first, again = actions.refer(**sent), actions.refer(**sent)
    assert first == again == facts.code_of_outside(SURGERY, "abc-1")
    now = caring.now(first)
    assert (now.sender_id, now.sender_body) == (None, SURGERY)
    actions.take_step(
        code=first, number=1, to="withdrawn", reason="mistake", actor=Actor.system("bars"), at=NOON
    )  # fmt: skip
    assert caring.now(first).state == "withdrawn"


def test_the_same_form_sent_twice_is_one_referral_until_it_is_seen(caring: Caring) -> None:
    first = caring.refers(words="The same")
    assert caring.refers(words="The same") == first
    assert caring.refers(words="Other words") != first
    assert caring.refers(words="The same", to=REABLEMENT) != first
    caring.steps(first, "acknowledged", "nurse")
    assert caring.refers(words="The same") != first
    caring.at = NOON + timedelta(hours=1)
    assert len({caring.refers(words="Much later"), first}) == 2


def test_what_stands_in_for_a_refusal_closes_it_and_its_wait_goes_on(caring: Caring) -> None:
    code = caring.refers()
    caring.steps(code, "declined", "nurse", reason="no_room")
    assert caring.waits_for(code) == ["gp"]
    caring.at = NOON + timedelta(days=2)
    other = caring.refers(to=REABLEMENT, follows=code)
    assert caring.now(code).state == "closed"
    assert (caring.now(other).asked_at, caring.now(other).since_at) == (NOON, caring.at)
    with pytest.raises(Refused):
        caring.refers(to=REABLEMENT, follows=code)


def test_what_is_passed_on_is_a_new_turn_of_the_other_service(caring: Caring) -> None:
    code = caring.refers()
    caring.steps(code, "acknowledged", "nurse", user_id=caring.users["nurse"])
    assert refused(caring, code, "sent", "nurse", service=NURSES) == "service"
    caring.steps(code, "sent", "nurse", service=REABLEMENT, words="She needs help at home rather")
    now = caring.now(code)
    assert (now.service, now.user_id, now.state, caring.waits_for(code)) == (REABLEMENT, None, "sent", ["worker"])
    assert refused(caring, code, "accepted", "nurse") == "not_yours"


def test_somebody_of_the_service_is_named_and_the_clock_runs_on(caring: Caring) -> None:
    code = caring.refers()
    caring.steps(code, "acknowledged", "nurse")
    before = caring.now(code)
    caring.at = NOON + timedelta(hours=3)
    named = {"code": code, "number": before.number, "actor": caring.actor("matron"), "at": caring.at}
    with pytest.raises(Refused):
        actions.name_owner(user_id=caring.users["worker"], **named)
    actions.name_owner(user_id=caring.users["nurse"], **named)
    now = caring.now(code)
    assert (now.due_at, now.since_at, now.user_name) == (before.due_at, before.since_at, "nurse")
    assert [owner.why for owner in now.owners] == ["named"]


# Whom it waits for


def test_work_takes_five_statements_however_much_it_is(caring: Caring) -> None:
    counts = []
    for _ in range(2):
        caring.refers()
        with CaptureQueriesContext(connection) as ran:
            facts.my_work(caring.users["nurse"], NOON)
        counts.append(len(ran))
        for _ in range(8):
            caring.refers()
    assert counts == [5, 5]


def test_a_wait_climbs_when_it_is_overdue_and_passes_to_who_is_left(caring: Caring) -> None:
    code = caring.refers(urgency="two_hours")
    assert caring.waits_for(code) == ["nurse"]
    assert caring.waits_for(code, NOON + timedelta(minutes=15)) == ["nurse", "matron"]
    assert caring.waits_for(code, NOON + timedelta(minutes=45)) == ["nurse", "matron", "co_ordinator"]
    for name, left in (("nurse", ["matron"]), ("matron", ["co_ordinator"]), ("co_ordinator", ["lead"])):
        membership = select("SELECT id FROM place_membership WHERE user_id = %s", [caring.users[name]])[0][0]
        end_membership(membership_id=membership, on=NOON.date(), actor=ACTOR, at=NOON)
        assert caring.waits_for(code) == left


def test_who_holds_another_post_only_is_not_of_the_service_any_more(caring: Caring) -> None:
    code, nurse = caring.refers(), caring.users["nurse"]
    (membership,) = select("SELECT id FROM place_membership WHERE user_id = %s", [nurse])[0]
    add_membership(
        user_id=nurse, organisation_code=SURGERY, role="community_nurse", from_date=NOON.date(), actor=ACTOR, at=NOON
    )
    assert caring.waits_for(code) == ["nurse"]
    end_membership(membership_id=membership, on=NOON.date(), actor=ACTOR, at=NOON)
    assert caring.waits_for(code) == ["matron"]
    assert refused(caring, code, "accepted", "nurse") == "not_yours"


def test_an_answer_waits_for_a_colleague_when_who_asked_has_left(caring: Caring) -> None:
    caring.staff("partner", "gp", SURGERY)
    code = caring.refers()
    caring.steps(code, "returned", "nurse", words="Which leg?")
    assert caring.waits_for(code) == ["gp"]
    membership = select("SELECT id FROM place_membership WHERE user_id = %s", [caring.users["gp"]])[0][0]
    end_membership(membership_id=membership, on=NOON.date(), actor=ACTOR, at=NOON)
    assert caring.waits_for(code) == ["partner"]
    caring.steps(code, "sent", "partner", words="The left one")
    assert caring.waits_for(code) == ["nurse"]


# Services


def test_a_service_that_closes_passes_on_what_is_open(caring: Caring) -> None:
    open_one, over = brought_to(caring, "accepted"), brought_to(caring, "ended")
    lead = {"actor": caring.actor("lead"), "at": NOON}
    with pytest.raises(Refused, match="still open"):
        actions.close_service(code=NURSES, **lead)
    with pytest.raises(Refused, match="goes on"):
        actions.close_service(code=NURSES, successor=NURSES, **lead)
    due = caring.now(open_one).due_at
    assert actions.close_service(code=NURSES, successor=REABLEMENT, **lead) == 1
    now = caring.now(open_one)
    assert (now.service, now.state, now.due_at, caring.waits_for(open_one)) == (REABLEMENT, "accepted", due, ["worker"])
    assert caring.now(over).state == "ended"
    with pytest.raises(Refused, match="takes no referrals"):
        caring.refers()
    assert [each.code for each in facts.services(NOON.date())] == [REABLEMENT]


def test_what_was_sent_while_a_service_closed_is_found_at_its_successor(caring: Caring) -> None:
    code = caring.refers()
    service = select("SELECT id, successor_id FROM care_serviceterms ORDER BY id LIMIT 1")[0][0]
    (nurses,), (other,) = (select("SELECT id FROM care_service WHERE code = %s", [c])[0] for c in (NURSES, REABLEMENT))
    with connection.cursor() as cursor:  # as a race would leave it: closed, and the referral still there
        cursor.execute(
            "INSERT INTO care_serviceterms (service_id, organisation_id, kind, name, about, areas, open, closed, "
            "successor_id, from_date, by, at) SELECT %s, organisation_id, kind, name, about, areas, %s, %s, %s, "
            "from_date, by, at FROM care_serviceterms WHERE id = %s",
            [nurses, False, True, other, service],
        )
    assert (caring.now(code).service, caring.waits_for(code)) == (REABLEMENT, ["worker"])
    assert [each.code for each in facts.my_work(caring.users["worker"], NOON).team] == [code]


@pytest.mark.parametrize("by", ["gp", "nurse"])
def test_only_who_arranges_or_manages_changes_a_service(caring: Caring, by: str) -> None:
    told = {"actor": caring.actor(by), "at": NOON}
    for act, more in (
        (actions.offer_service, {"code": "x", "organisation": TRUST, "kind": "housing", "name": "X"}),
        (actions.close_service, {"code": NURSES}),
        (actions.add_member, {"service": NURSES, "user_id": caring.users["worker"], "organisation": COUNCIL}),
    ):
        with pytest.raises(Refused) as caught:
            act(**more, **told)
        assert caught.value.code == "role"


def test_a_manager_adds_somebody_of_another_organisation_and_ends_them(caring: Caring) -> None:
    matron = {"actor": caring.actor("matron"), "at": NOON}
    member = actions.add_member(service=NURSES, user_id=caring.users["worker"], organisation=COUNCIL, **matron)
    code = caring.refers()
    assert caring.waits_for(code) == ["nurse", "worker"]
    actions.end_member(member_id=member, **matron)
    assert caring.waits_for(code) == ["nurse"]
    with pytest.raises(Refused):
        actions.end_member(member_id=member, **matron)


# Messages


def test_a_message_waits_for_the_other_side_until_it_is_seen(caring: Caring) -> None:
    code = caring.refers()
    actions.write_note(code=code, words="She has moved to her sister's", actor=caring.actor("gp"), at=NOON)
    assert [each.code for each in facts.my_work(caring.users["nurse"], NOON).unseen] == [code]
    assert facts.my_work(caring.users["gp"], NOON).unseen == ()
    caring.steps(code, "withdrawn", "gp", reason="moved")
    assert [each.code for each in facts.my_work(caring.users["nurse"], NOON).unseen] == [code], "although it is over"
    (last,) = select("SELECT MAX(id) FROM care_referralnote")[0]
    actions.see_notes(code=code, last_note_id=last, actor=caring.actor("gp"), at=NOON)
    assert facts.my_work(caring.users["nurse"], NOON).unseen != (), "who wrote it has not seen it for the others"
    actions.see_notes(code=code, last_note_id=last, actor=caring.actor("nurse"), at=NOON)
    assert facts.my_work(caring.users["nurse"], NOON).unseen == ()
    with pytest.raises(Refused):
        actions.write_note(code=code, words="Hello", actor=caring.actor("worker"), at=NOON)


# My work


def test_work_lies_where_it_waits(caring: Caring) -> None:
    mine = caring.refers()
    caring.steps(mine, "acknowledged", "nurse", user_id=caring.users["nurse"])
    teams, late = caring.refers(), caring.refers(urgency="today")
    later = NOON + timedelta(hours=2)

    def codes(name: str) -> list[list[str]]:
        work = facts.my_work(caring.users[name], later)
        return [[each.code for each in part] for part in (work.mine, work.team, work.climbed, work.asked)]

    assert codes("nurse") == [[mine], [late, teams], [], []]
    assert codes("matron") == [[], [], [late], []]
    assert codes("gp") == [[], [], [], [late, teams, mine]]
    assert facts.my_work(caring.users["matron"], later).teams == ((NURSES, f"The {NURSES}"),)
    assert codes("worker") == [[], [], [], []]
    team = facts.team_work(NURSES, later)
    assert team is not None and team.service.code == NURSES
    assert [(load.name, load.open, load.overdue) for load in team.members] == [("nurse", 1, 0), ("matron", 0, 0)]
    assert (team.unnamed.open, team.unnamed.overdue, len(team.referrals)) == (2, 1, 3)
