"""Whom a viewer may see: involvements that are met, objections, emergencies, one's own record, and whole lists.

Every cell of the table itself is tried in tests/spec/test_access_table.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.calc.access import (
    DIRECT_CARE,
    OWN_RECORD,
    PURPOSES,
    ROLES,
    SENSITIVITIES,
    Circumstances,
    Decision,
    Involvement,
    Objection,
    Post,
    may_arrange,
    may_do,
    may_list,
    may_mend,
    may_open,
    may_open_many,
    may_read,
    may_review,
    posts_for,
    posts_with,
    roles_given_by,
)
from joinery.calc.succession import EARLIEST, Reach

SINCE = date(2026, 1, 1)
TODAY = date(2026, 11, 22)
GP = Post("gp", "Z90001")
NURSE = Post("community_nurse", "ZC1")
LEAD = Post("integration_lead", "999")
OFFICER = Post("records_officer", "Z90001")
UNKNOWN = Post("gardener", "Z90001")


def involved_since(day: date, *codes: str) -> Circumstances:
    return Circumstances(tuple(Involvement(code, day) for code in codes))


@pytest.mark.parametrize(
    ("posts", "involved", "purpose", "reason"),
    [
        ((GP,), {"Z90001"}, DIRECT_CARE, "involved"),
        ((GP,), {"999", "Z90001"}, DIRECT_CARE, "involved"),
        ((NURSE, GP), {"Z90001"}, DIRECT_CARE, "involved"),
        ((LEAD, GP), {"Z90001"}, DIRECT_CARE, "involved"),
        ((GP,), {"ZC1"}, DIRECT_CARE, "not_involved"),
        ((GP,), set(), DIRECT_CARE, "not_involved"),
        ((LEAD,), {"999"}, DIRECT_CARE, "role"),
        ((UNKNOWN,), {"Z90001"}, DIRECT_CARE, "role"),
        # The role and the relationship must meet in one post: caring elsewhere does not open it here.
        ((LEAD, NURSE), {"999"}, DIRECT_CARE, "not_involved"),
        ((GP,), {"Z90001"}, "research", "purpose"),
        ((GP,), {"Z90001"}, "", "purpose"),
        ((), {"Z90001"}, DIRECT_CARE, "no_post"),
    ],
)
def test_a_record_opens_for_a_caring_role_in_an_involved_organisation(
    posts: tuple[Post, ...], involved: set[str], purpose: str, reason: str
) -> None:
    decision = may_open(posts, involved_since(SINCE, *sorted(involved)), purpose, TODAY)
    assert decision.reason == reason
    assert decision.allowed is (reason == "involved")
    assert (decision.post is not None) is decision.allowed


# A nurse of A, which was merged into AB on 1 April 2026: what A had always, what B has got since, and what
# AB itself got.
MERGED = date(2026, 4, 1)
AFTER_A_MERGER = Post("community_nurse", "AB", (Reach("A"), Reach("AB", MERGED), Reach("B", MERGED)))


@pytest.mark.parametrize(
    ("organisation", "began", "meets"),
    [
        ("A", date(2020, 1, 1), True),
        ("A", date(2026, 5, 1), True),
        ("B", date(2026, 3, 31), False),
        ("B", MERGED, True),
        ("AB", date(2026, 3, 31), False),
        ("AB", MERGED, True),
        ("C", MERGED, False),
    ],
)
def test_a_post_meets_involvements_within_its_reach_alone(organisation: str, began: date, meets: bool) -> None:
    decision = may_open((AFTER_A_MERGER,), involved_since(began, organisation), DIRECT_CARE, TODAY)
    assert decision.allowed is meets
    assert decision.inside == ({organisation} if meets else set())


def test_a_reach_ends_before_its_last_day() -> None:
    post = Post("gp", "B", (Reach("A", to_date=MERGED),))
    assert post.meets(Involvement("A", date(2026, 3, 31)))
    assert not post.meets(Involvement("A", MERGED))


def test_restricted_entries_are_read_inside_every_organisation_that_the_post_meets_and_in_no_other() -> None:
    early, late = involved_since(date(2020, 1, 1), "A", "B"), involved_since(MERGED, "AB")
    decision = may_open((AFTER_A_MERGER,), Circumstances(early.involved + late.involved), DIRECT_CARE, TODAY)
    assert decision.inside == {"A", "AB"}
    assert [code for code in ("A", "B", "AB", "C") if may_read("restricted", code, decision)] == ["A", "AB"]


def test_a_list_shows_restricted_entries_only_of_organisations_that_the_post_always_meets() -> None:
    assert may_list(AFTER_A_MERGER).inside == {"A"}
    assert may_list(GP).inside == {"Z90001"}


def test_an_involvement_that_went_on_elsewhere_is_met_only_by_posts_that_still_wait_where_it_was() -> None:
    gone = Circumstances((Involvement("A", SINCE, passed=True),))
    assert may_open((Post("gp", "A"),), gone, DIRECT_CARE, TODAY).allowed
    passed = Post("gp", "A1", (Reach("A", EARLIEST, MERGED), Reach("A1", MERGED)))
    assert not may_open((passed,), gone, DIRECT_CARE, TODAY).allowed


MOVED = Post("gp", "Z90009", (Reach("Z90009"), Reach("Z90001"), Reach("Z90002", date(2020, 1, 1))))


@pytest.mark.parametrize(
    ("posts", "sender", "secondary_use", "reason"),
    [
        ((), "Z90001", False, "no_post"),
        ((GP,), "Z90001", False, "sender"),
        ((GP,), "ZC1", False, "not_sender"),
        ((NURSE, GP), "Z90001", False, "sender"),
        ((LEAD,), "Z90001", False, "sender"),
        ((LEAD,), "Z90001", True, "sender"),
        ((GP,), "Z90001", True, "secondary_use"),
        ((UNKNOWN,), "Z90001", False, "role"),
        ((Post("analyst", "Z90001"),), "Z90001", True, "role"),
        ((Post("analyst", "Z90001"), GP), "Z90001", False, "sender"),
        # A body that took over another wholly goes on with what it sent; one that took a part of it does not.
        ((MOVED,), "Z90001", False, "sender"),
        ((MOVED,), "Z90002", False, "not_sender"),
    ],
)
def test_rows_that_were_not_taken_are_for_their_sender_and_for_leads(
    posts: tuple[Post, ...], sender: str, secondary_use: bool, reason: str
) -> None:
    decision = may_mend(posts, sender, secondary_use)
    assert (decision.allowed, decision.reason) == (reason == "sender", reason)
    assert (decision.post is not None) == decision.allowed


def test_a_records_officer_reviews_whoever_is_cared_for_by_whom_and_reads_restricted_parts_at_home_alone() -> None:
    decision = may_review((GP, OFFICER))
    assert (decision.post, decision.reason) == (OFFICER, "reviewer")
    assert may_read("restricted", "Z90001", decision)
    assert not may_read("restricted", "ZC1", decision)
    assert may_review(()).reason == "no_post"
    assert may_review((GP, LEAD)).reason == "role"


def test_the_directory_is_changed_by_whose_duty_it_is() -> None:
    assert may_arrange((GP, LEAD)) and not may_arrange((GP,)) and not may_arrange(())


# -- objections, emergencies, one's own record ----------------------------------------------------


@pytest.mark.parametrize(
    ("objection", "refused"),
    [
        (Objection("Z90001"), {"Z90001"}),
        (Objection("999"), set()),
        # All but the organisation to which they said so.
        (Objection(writer="Z90001"), {"ZC1"}),
        (Objection(writer="999"), {"Z90001", "ZC1"}),
    ],
)
def test_an_objection_keeps_out_whom_it_names_until_there_is_an_emergency(
    objection: Objection, refused: set[str]
) -> None:
    known = replace(involved_since(SINCE, "Z90001", "ZC1"), objected=(objection,))
    for post in (GP, NURSE):
        decision = may_open((post,), known, DIRECT_CARE, TODAY)
        assert decision.reason == ("objected" if post.organisation in refused else "involved")
        assert may_open((post,), replace(known, override=True), DIRECT_CARE, TODAY).reason == "override"


def test_an_objection_holds_for_what_a_body_became_but_not_for_those_whom_a_merger_brought() -> None:
    of_b = Post("community_nurse", "AB", (Reach("B"), Reach("AB", MERGED), Reach("A", MERGED)))
    known = replace(involved_since(SINCE, "A", "B"), objected=(Objection("A"),))
    assert may_open((AFTER_A_MERGER,), known, DIRECT_CARE, TODAY).reason == "objected"
    assert may_open((of_b,), known, DIRECT_CARE, TODAY).inside == {"B"}
    to_a = replace(known, objected=(Objection(writer="A"),))
    assert may_open((AFTER_A_MERGER,), to_a, DIRECT_CARE, TODAY).allowed
    assert may_open((of_b,), to_a, DIRECT_CARE, TODAY).reason == "objected"


def test_who_never_met_the_person_is_not_told_of_an_objection_and_who_ended_is_told_of_the_end() -> None:
    objected = (Objection("Z90001"),)
    ended = Involvement("Z90001", SINCE, ended=SINCE + timedelta(days=9))
    assert may_open((GP,), Circumstances(objected=objected), DIRECT_CARE, TODAY).reason == "not_involved"
    assert may_open((GP,), Circumstances((ended,), objected), DIRECT_CARE, TODAY).reason == "ended"


def test_care_that_begins_tomorrow_opens_nothing_today() -> None:
    tomorrow = involved_since(TODAY + timedelta(days=1), "Z90001")
    assert may_open((GP,), tomorrow, DIRECT_CARE, TODAY).reason == "not_involved"


def test_an_emergency_is_the_reason_that_the_log_gives_whatever_else_would_do() -> None:
    known = replace(involved_since(SINCE, "ZC1"), override=True)
    manager = Post("care_home_manager", "ZH1")
    decision = may_open((manager, NURSE, GP), known, DIRECT_CARE, TODAY)
    assert (decision.reason, decision.post) == ("override", NURSE)
    assert may_open((manager,), known, DIRECT_CARE, TODAY).reason == "not_involved"


@pytest.mark.parametrize("own", ["own", "carer"])
def test_ones_own_record_is_withheld_where_seeing_it_would_harm(own: str) -> None:
    mine = Circumstances(own=own)
    assert may_open((), mine, OWN_RECORD, TODAY).reason == own
    assert may_open((GP,), replace(mine, withheld_from_own=True), OWN_RECORD, TODAY).reason == "withheld"
    assert may_open((GP,), mine, DIRECT_CARE, TODAY).reason == "not_involved"


def test_what_a_role_gives_is_never_more_than_the_lead_gives_and_staff_managers_make_none_of_their_own() -> None:
    everything = set(roles_given_by("integration_lead"))
    assert everything == set(ROLES)
    assert set(roles_given_by("staff_manager")) == {post.role for post in posts_for(EVERYBODY, DIRECT_CARE)}
    assert {role for role in ROLES if roles_given_by(role)} == {
        post.role for post in posts_with(EVERYBODY, "manage_staff")
    }
    assert roles_given_by("gardener") == ()


def test_a_task_that_the_table_does_not_have_is_an_error_and_not_a_yes() -> None:
    with pytest.raises(KeyError, match="fly"):
        may_do((LEAD,), "fly")


# -- whatever the posts and the person ------------------------------------------------------------

EVERYBODY = tuple(Post(role, "A") for role in ROLES)
DAYS = st.dates(date(2026, 8, 1), date(2026, 12, 31))
CODES = st.sampled_from(["A", "B", "C"])
reaches = st.builds(Reach, CODES, st.just(EARLIEST) | DAYS, st.none() | DAYS)
posts = st.builds(Post, st.sampled_from([*ROLES, "gardener"]), CODES, st.lists(reaches, max_size=3).map(tuple))
held = st.lists(posts, max_size=3).map(tuple)
involvements = st.builds(Involvement, CODES, DAYS, st.booleans(), st.none() | DAYS)
objections = st.builds(Objection, CODES | st.just(""), CODES | st.just(""))
persons = st.builds(
    Circumstances,
    st.lists(involvements, max_size=4).map(tuple),
    st.lists(objections, max_size=2).map(tuple),
    st.booleans(),
    st.sampled_from(["", "own", "carer"]),
    st.booleans(),
)
purposes = st.sampled_from([*PURPOSES, "research"]) | st.just(DIRECT_CARE)


def seen(decision: Decision) -> set[tuple[str, str]]:
    """What is read under a decision: sensitivities, by the organisation that wrote."""
    return {(each, code) for each in ("", *SENSITIVITIES) for code in "ABC" if may_read(each, code, decision)}


@given(held, persons, purposes, DAYS, st.data())
def test_a_restriction_more_never_shows_more(
    held: tuple[Post, ...], known: Circumstances, purpose: str, on: date, data: st.DataObject
) -> None:
    stricter = [
        replace(known, objected=(*known.objected, data.draw(objections))),
        replace(known, override=False),
        replace(known, own=""),
        replace(known, withheld_from_own=True),
        replace(known, involved=known.involved[1:]),
        replace(known, involved=tuple(replace(each, ended=min(each.ended or on, on)) for each in known.involved)),
    ]
    before = seen(may_open(held, known, purpose, on))
    for each in stricter:
        assert seen(may_open(held, each, purpose, on)) <= before


@given(held, posts, persons, purposes, DAYS, st.randoms())
def test_a_post_more_never_shows_less_and_their_order_changes_nothing(
    held: tuple[Post, ...], post: Post, known: Circumstances, purpose: str, on: date, random: Random
) -> None:
    before = seen(may_open(held, known, purpose, on))
    more = [*held, post]
    after = seen(may_open(tuple(more), known, purpose, on))
    assert before <= after
    random.shuffle(more)
    assert seen(may_open(tuple(more), known, purpose, on)) == after


@given(held, st.dictionaries(st.text(max_size=3), persons, max_size=4), purposes, DAYS)
def test_of_many_people_is_decided_as_of_each(
    held: tuple[Post, ...], people: dict[str, Circumstances], purpose: str, on: date
) -> None:
    alone = {person_id: may_open(held, known, purpose, on) for person_id, known in people.items()}
    assert may_open_many(held, people, purpose, on) == alone


@given(held, persons, DAYS)
def test_care_opens_a_record_exactly_where_a_caring_post_meets_it(
    held: tuple[Post, ...], known: Circumstances, on: date
) -> None:
    """The two gates, told once more and slowly: with neither objection nor emergency, and before care ends."""
    plain = Circumstances(tuple(replace(each, ended=None) for each in known.involved))
    met = {
        each.organisation
        for post in posts_for(held, DIRECT_CARE)
        for each in plain.involved
        if each.began <= on and post.meets(each)
    }
    decision = may_open(held, plain, DIRECT_CARE, on)
    assert (decision.allowed, set(decision.inside)) == (bool(met), met)
