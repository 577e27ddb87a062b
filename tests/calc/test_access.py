"""Who may open a record and read an entry, as a table."""

from __future__ import annotations

import pytest

from joinery.calc.access import CARING_ROLES, DIRECT_CARE, ROLES, Post, may_open, may_read

GP = Post("gp", "Z90001")
NURSE = Post("community_nurse", "ZC1")
LEAD = Post("integration_lead", "999")
UNKNOWN = Post("gardener", "Z90001")


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
    decision = may_open(posts, frozenset(involved), purpose)
    assert decision.reason == reason
    assert decision.allowed is (reason == "involved")
    assert (decision.post is not None) is decision.allowed


@pytest.mark.parametrize("role", ROLES)
def test_only_roles_whose_work_is_care_open_records(role: str) -> None:
    assert may_open((Post(role, "1"),), frozenset({"1"}), DIRECT_CARE).allowed is (role in CARING_ROLES)


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
    decision = may_open((GP,), frozenset({"Z90001", "999"}), purpose)
    assert may_read(restricted, source, decision) is readable
