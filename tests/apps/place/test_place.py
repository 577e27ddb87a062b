"""Organisations, and who works in which of them from when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import add_user
from joinery.apps.base.models import ActionEntry
from joinery.apps.place.actions import OrganisationDetails, add_membership, register_organisation
from joinery.apps.place.facts import as_at, organisation, organisation_names, standing
from joinery.apps.place.models import Edition, Membership, Organisation, Statement
from joinery.calc.access import ROLES, Post

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("tests")
AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
TODAY = AT.date()
DAY = timedelta(days=1)


def register(code: str, name: str = "Harbour Surgery", form: str = "gp_practice", at: datetime = AT) -> int:
    return register_organisation(details=OrganisationDetails(code, name, form), actor=ACTOR, at=at)


@pytest.fixture
def user_id() -> int:
    return add_user(email="tom@place.example", name="Tom", password=None, actor=ACTOR, at=AT)


def join(user_id: int, role: str = "gp", code: str = "Z1", from_date: date = TODAY) -> int:
    return add_membership(user_id=user_id, organisation_code=code, role=role, from_date=from_date, actor=ACTOR, at=AT)


def test_an_organisation_registered_again_is_renamed_from_then_on_and_keeps_its_id() -> None:
    first = register("Z1", "Harbour Surgery")
    assert register("Z1", "Harbour Group Practice", at=AT + DAY) == first
    assert Organisation.objects.count() == 1
    for day, name in ((TODAY, "Harbour Surgery"), (TODAY + DAY, "Harbour Group Practice")):
        found = organisation("Z1", as_at(day))
        assert found is not None and (found.id, found.name, found.sector) == (first, name, "health")
    before = Statement.objects.count(), Edition.objects.count()
    register("Z1", "Harbour Group Practice", at=AT + 2 * DAY)
    assert (Statement.objects.count(), Edition.objects.count()) == before


@pytest.mark.parametrize("details", [("Z1", "Harbour", "weather"), (" ", "Harbour", "other"), ("Z1", " ", "other")])
def test_details_that_say_too_little_or_an_unknown_form_are_refused(details: tuple[str, str, str]) -> None:
    with pytest.raises(Refused) as refused:
        register(*details)
    assert refused.value.code == ("form" if details[2] == "weather" else "details")
    assert organisation(details[0], as_at(TODAY)) is None and not Organisation.objects.exists()


def test_a_membership_counts_from_its_first_day_up_to_its_last_not_included(user_id: int) -> None:
    register("Z1")
    made = join(user_id)
    assert standing(user_id, TODAY - DAY).posts == ()
    assert standing(user_id, TODAY).posts == (Post("gp", "Z1"),)

    Membership.objects.filter(pk=made).update(to_date=TODAY + 10 * DAY)
    assert standing(user_id, TODAY + 9 * DAY).posts == (Post("gp", "Z1"),)
    assert standing(user_id, TODAY + 10 * DAY).posts == ()


def test_someone_with_two_posts_is_shown_by_the_first_and_holds_both(user_id: int) -> None:
    register("Z1", "Harbour Surgery")
    register("999", "Wexcombe Council", "council")
    join(user_id, "gp", "Z1")
    join(user_id, "social_worker", "999")
    where = standing(user_id, TODAY)
    assert where.posts == (Post("gp", "Z1"), Post("social_worker", "999"))
    assert (where.role_text, where.organisation_name) == (ROLES["gp"], "Harbour Surgery")


def test_someone_without_a_post_stands_nowhere(user_id: int) -> None:
    where = standing(user_id, TODAY)
    assert (where.posts, where.role_text, where.organisation_name) == ((), "", "")


@pytest.mark.parametrize(("role", "code", "reason"), [("wizard", "Z1", "role"), ("gp", "Z404", "organisation")])
def test_a_role_or_organisation_that_is_not_there_is_refused(user_id: int, role: str, code: str, reason: str) -> None:
    register("Z1")
    with pytest.raises(Refused) as refused:
        join(user_id, role, code)
    assert refused.value.code == reason and not Membership.objects.exists()
    entry = ActionEntry.objects.latest("id")
    assert (entry.outcome, entry.reason) == ("refused", reason)
    assert entry.targets == {"user_id": user_id, "organisation_code": code, "role": role}


def test_names_are_given_for_the_codes_that_are_known() -> None:
    register("Z1", "Harbour Surgery")
    assert organisation_names(["Z1", "Z404", "Z1"], TODAY) == {"Z1": "Harbour Surgery"}
