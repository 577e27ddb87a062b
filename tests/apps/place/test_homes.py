"""Who answers for a group answers for each of its homes and branches: which these are on a day, and what is reached."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import add_user
from joinery.apps.place.actions import OrganisationDetails, add_membership, merge, register_organisation, relate
from joinery.apps.place.facts import standing
from joinery.calc.access import DIRECT_CARE, Circumstances, Involvement, Post, may_open

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 3, 9, tzinfo=UTC)
TODAY = AT.date()
DAY = timedelta(days=1)
WHO = {"actor": Actor.system("tests"), "at": AT}
FORMS = {
    "G1": "care_provider", "G2": "care_provider", "SUB": "care_provider", "H1": "care_home", "H2": "care_home",
    "H3": "care_home", "B1": "home_care", "OFFICE": "other",
}  # fmt: skip


@pytest.fixture(autouse=True)
def group() -> None:
    """G1 runs H1 and a branch, and owns SUB, which runs H2; H3 is G2's."""
    for code, form in FORMS.items():
        register_organisation(details=OrganisationDetails(code, code, form), **WHO)
    for code, kind, target in (
        ("H1", "operated_by", "G1"), ("B1", "operated_by", "G1"), ("OFFICE", "operated_by", "G1"),
        ("SUB", "owned_by", "G1"), ("H2", "operated_by", "SUB"), ("H3", "operated_by", "G2"),
    ):  # fmt: skip
        relate(code=code, kind=kind, target=target, on=TODAY, **WHO)


def post(code: str, role: str = "care_home_manager", on: date = TODAY, given: date = TODAY) -> Post:
    user = add_user(email=f"{role}@{code}.example", name=code, password=None, **WHO)
    add_membership(user_id=user, organisation_code=code, role=role, from_date=given, **WHO)
    return next(iter(standing(user, on).posts))


def reached(post: Post, on: date = TODAY, began: date = TODAY) -> set[str]:
    """The bodies whose people the post may see, of whom it cares for since a day."""
    known = {code: Circumstances((Involvement(code, began),)) for code in (*FORMS, "NEW")}
    return {code for code, each in known.items() if may_open((post,), each, DIRECT_CARE, on).allowed}


def test_a_group_reaches_its_homes_and_branches_and_a_home_only_itself() -> None:
    assert reached(post("G1")) == {"G1", "H1", "H2", "B1"}
    assert reached(post("SUB", "home_care_manager")) == {"SUB", "H2"}
    assert reached(post("H1")) == {"H1"}


def test_other_roles_stand_for_where_they_are_held() -> None:
    assert reached(post("G1", "community_nurse")) == {"G1"}
    assert post("G1", "integration_lead").reach == ()


def test_a_home_that_changes_hands_is_seen_by_whom_it_has_come_to() -> None:
    sold = TODAY + 10 * DAY
    relate(code="H1", kind="operated_by", target="G2", on=sold, **WHO)
    before, since = post("G1", on=sold - DAY), post("G1", "home_care_manager", on=sold)
    assert ("H1" in reached(before), "H1" in reached(since, sold)) == (True, False)
    assert reached(post("G2", on=sold), sold) == {"G2", "H1", "H3"}


def test_a_group_that_takes_over_another_sees_who_comes_from_then_on() -> None:
    merged = TODAY + 10 * DAY
    merge(codes=["G2"], into=OrganisationDetails("G1", "G1", "care_provider"), on=merged, **WHO)
    mine = post("G1", on=merged + DAY)
    assert "H3" not in reached(mine, merged + DAY, began=TODAY), "a merger alone gives nobody sight of anybody"
    assert "H3" in reached(mine, merged + DAY, began=merged)
    theirs = post("G2", on=merged + DAY)
    assert "H3" in reached(theirs, merged + DAY, began=TODAY), "and takes it from nobody"


def test_homes_that_become_one_stay_in_sight() -> None:
    merged = TODAY + 10 * DAY
    merge(codes=["H1", "H2"], into=OrganisationDetails("NEW", "NEW", "care_home"), on=merged, **WHO)
    relate(code="NEW", kind="operated_by", target="G1", on=merged, **WHO)
    assert reached(post("G1", on=merged), merged) >= {"NEW", "H1", "H2", "B1"}
