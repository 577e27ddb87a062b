"""Who may open a record and read an entry, as a table."""

from __future__ import annotations

from datetime import date

import pytest

from joinery.calc.access import (
    ARRANGING_ROLES,
    CARING_ROLES,
    DIRECT_CARE,
    REVIEWING_ROLES,
    ROLES,
    Involvement,
    Post,
    may_arrange,
    may_list,
    may_mend,
    may_open,
    may_read,
    may_review,
)
from joinery.calc.succession import EARLIEST, Reach

SINCE = date(2026, 1, 1)
GP = Post("gp", "Z90001")
NURSE = Post("community_nurse", "ZC1")
LEAD = Post("integration_lead", "999")
OFFICER = Post("records_officer", "Z90001")
UNKNOWN = Post("gardener", "Z90001")


def involved_since(day: date, *codes: str) -> list[Involvement]:
    return [Involvement(code, day) for code in codes]


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
    decision = may_open(posts, involved_since(SINCE, *involved), purpose)
    assert decision.reason == reason
    assert decision.allowed is (reason == "involved")
    assert (decision.post is not None) is decision.allowed


@pytest.mark.parametrize("role", ROLES)
def test_only_roles_whose_work_is_care_open_records(role: str) -> None:
    assert may_open((Post(role, "1"),), involved_since(SINCE, "1"), DIRECT_CARE).allowed is (role in CARING_ROLES)


@pytest.mark.parametrize(
    ("restricted", "source", "purpose", "readable"),
    [
        (False, "Z90001", DIRECT_CARE, True),
        (False, "999", DIRECT_CARE, True),
        (True, "Z90001", DIRECT_CARE, True),
        (True, "999", DIRECT_CARE, False),
        (False, "Z90001", "research", False),
        (True, "Z90001", "research", False),
    ],
)
def test_a_restricted_entry_is_read_only_where_it_was_written(
    restricted: bool, source: str, purpose: str, readable: bool
) -> None:
    decision = may_open((GP,), involved_since(SINCE, "Z90001", "999"), purpose)
    assert may_read(restricted, source, decision) is readable


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
    decision = may_open((AFTER_A_MERGER,), involved_since(began, organisation), DIRECT_CARE)
    assert decision.allowed is meets
    assert decision.inside == ({organisation} if meets else set())


def test_a_reach_ends_before_its_last_day() -> None:
    post = Post("gp", "B", (Reach("A", to_date=MERGED),))
    assert post.meets(Involvement("A", date(2026, 3, 31)))
    assert not post.meets(Involvement("A", MERGED))


def test_restricted_entries_are_read_inside_every_organisation_that_the_post_meets_and_in_no_other() -> None:
    involved = [*involved_since(date(2020, 1, 1), "A", "B"), *involved_since(MERGED, "AB")]
    decision = may_open((AFTER_A_MERGER,), involved, DIRECT_CARE)
    assert decision.inside == {"A", "AB"}
    assert [code for code in ("A", "B", "AB", "C") if may_read(True, code, decision)] == ["A", "AB"]


def test_a_list_shows_restricted_entries_only_of_organisations_that_the_post_always_meets() -> None:
    assert may_list(AFTER_A_MERGER).inside == {"A"}
    assert may_list(GP).inside == {"Z90001"}


def test_an_involvement_that_went_on_elsewhere_is_met_only_by_posts_that_still_wait_where_it_was() -> None:
    gone = Involvement("A", SINCE, passed=True)
    assert may_open((Post("gp", "A"),), [gone], DIRECT_CARE).allowed
    passed = Post("gp", "A1", (Reach("A", EARLIEST, MERGED), Reach("A1", MERGED)))
    assert not may_open((passed,), [gone], DIRECT_CARE).allowed


@pytest.mark.parametrize("role", ROLES)
def test_only_roles_that_look_after_the_directory_may_change_it(role: str) -> None:
    assert may_arrange((Post(role, "1"),)) is (role in ARRANGING_ROLES)
    assert not may_arrange(())


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


@pytest.mark.parametrize("role", ROLES)
def test_only_roles_that_put_right_who_is_who_may_compare_records(role: str) -> None:
    assert may_review((Post(role, "1"),)).allowed is (role in REVIEWING_ROLES)


def test_a_records_officer_reviews_whoever_is_cared_for_by_whom_and_reads_restricted_parts_at_home_alone() -> None:
    decision = may_review((GP, OFFICER))
    assert (decision.post, decision.reason) == (OFFICER, "reviewer")
    assert may_read(True, "Z90001", decision)
    assert not may_read(True, "ZC1", decision)
    assert may_review(()).reason == "no_post"
    assert may_review((GP, LEAD)).reason == "role"
