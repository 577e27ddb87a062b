"""Roles that end, are prolonged and looked at again; who has left; and the codes that let people in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.actions import accept_invitation, add_user, end_user, invite
from joinery.apps.base.facts import Invited, invitation_with_code, open_invitation, staff_rules
from joinery.apps.base.models import ActionEntry, Capture, Invitation, User
from joinery.apps.place import actions, facts
from joinery.apps.place.actions import OrganisationDetails, Part
from joinery.apps.place.models import AccessReview, Membership
from joinery.site.nightly import run
from joinery.site.staff.leaving import end_leavers

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
TODAY, DAY = AT.date(), timedelta(days=1)
BY: dict[str, Any] = {"actor": Actor.user(7), "at": AT}
RULES = staff_rules(TODAY)
PASSWORD = "heron ladder biscuit"  # noqa: S105 (of nobody)


def body(code: str, name: str, form: str = "gp_practice") -> str:
    actions.register_organisation(details=OrganisationDetails(code, name, form), **BY)
    return code


def joins(name: str, code: str, role: str = "gp", since: date = TODAY, to_date: date | None = None) -> int:
    user = User.objects.filter(name=name).first()
    user_id = user.pk if user else add_user(email="", name=name, password=None, **BY)
    given = {"user_id": user_id, "organisation_code": code, "role": role, "from_date": since, "to_date": to_date}
    return actions.add_membership(**given, **BY)


def listed(on: date, *codes: str) -> dict[str, str]:
    """Name and body of everybody at some bodies; of nobody named, at any."""
    return {each.name: each.body for each in facts.staff(on, codes or None)}


def one(on: date = TODAY) -> facts.StaffMember:
    (found,) = facts.staff(on)
    return found


@pytest.fixture
def quay() -> str:
    return body("Z1", "Quay Surgery")


def test_a_role_with_a_last_day_ends_by_itself_and_can_be_ended_earlier(quay: str) -> None:
    given = joins("Ann", quay, to_date=TODAY + 40 * DAY)
    member = one()
    assert (member.last_day, member.given_by) == (TODAY + 39 * DAY, "user:7")
    assert not member.ends_soon(TODAY)
    assert member.ends_soon(TODAY + (40 - RULES.ends_soon_days) * DAY)
    assert facts.standing(member.user_id, TODAY + 39 * DAY).posts
    assert not facts.standing(member.user_id, TODAY + 40 * DAY).posts and not facts.staff(TODAY + 40 * DAY)

    actions.end_membership(membership_id=given, on=TODAY + 5 * DAY, **BY)
    assert one().last_day == TODAY + 4 * DAY
    actions.extend_membership(membership_id=given, to_date=TODAY + 90 * DAY, **BY)
    assert one().last_day == TODAY + 89 * DAY
    actions.end_membership(membership_id=given, on=TODAY, **BY)
    for act in (
        lambda: actions.end_membership(membership_id=given, on=TODAY, **BY),
        lambda: actions.extend_membership(membership_id=given, to_date=TODAY + DAY, **BY),
        lambda: actions.review_membership(membership_id=given, verdict="keep", **BY),
        lambda: actions.review_membership(membership_id=given, verdict="end", **BY),
        lambda: actions.end_membership(membership_id=given + 1, on=TODAY, **BY),
    ):
        with pytest.raises(Refused, match="has ended already, or never was"):
            act()
    with pytest.raises(Refused, match="must be in the future"):
        actions.extend_membership(membership_id=joins("Ann", quay), to_date=TODAY, **BY)
    with pytest.raises(Refused, match="The last day must be after"):
        joins("Ann", quay, to_date=TODAY)


def test_a_role_that_begins_later_is_listed_and_not_yet_held(quay: str) -> None:
    joins("Ann", quay, since=TODAY + 7 * DAY)
    assert listed(TODAY) == {"Ann": quay}
    assert not facts.standing(one().user_id, TODAY).posts and not facts.left(TODAY)


def test_a_role_is_due_a_quarter_after_it_was_given_prolonged_or_looked_at(quay: str) -> None:
    given = joins("Ann", quay)
    due = TODAY + RULES.review_every_days * DAY
    overdue = due + (RULES.review_within_days + 1) * DAY
    assert one().due(TODAY) == due
    assert [one(day).is_due(day) for day in (due - DAY, due)] == [False, True]
    assert [one(day).is_overdue(day) for day in (overdue - DAY, overdue)] == [False, True]

    for days, act in (
        (30, lambda at: actions.review_membership(membership_id=given, verdict="keep", actor=BY["actor"], at=at)),
        (60, lambda at: actions.extend_membership(
            membership_id=given, to_date=at.date() + 99 * DAY, actor=BY["actor"], at=at)),
    ):  # fmt: skip
        act(AT + days * DAY)
        assert one().due(TODAY) == due + days * DAY
    with pytest.raises(Refused, match="keep the role or to end it"):
        actions.review_membership(membership_id=given, verdict="later", **BY)
    actions.review_membership(membership_id=given, verdict="end", actor=BY["actor"], at=AT + 70 * DAY)
    assert list(AccessReview.objects.order_by("id").values_list("verdict", flat=True)) == ["keep", "keep", "end"]
    assert not facts.staff(TODAY + 70 * DAY)


def test_managers_find_their_staff_after_bodies_merge_and_split(quay: str) -> None:
    hill, team = body("Z2", "Hill Surgery"), body("T", "Community Team", "community_trust")
    for name, code in (("Ann", quay), ("Ben", hill), ("Cat", team), ("Dan", team)):
        joins(name, code, since=TODAY - 400 * DAY)
    on = TODAY + 10 * DAY
    actions.merge(codes=[quay, hill], into=OrganisationDetails("Z9", "Shore Surgery", "gp_practice"), on=on, **BY)
    parts = [Part(OrganisationDetails(code, f"{code} Team", "community_trust")) for code in ("NORTH", "SOUTH")]
    actions.split(code=team, parts=parts, on=on, **BY)

    assert listed(TODAY, quay) == {"Ann": quay} and listed(TODAY, "Z9") == {}
    assert listed(on, quay, hill) == {} and listed(on, "Z9") == {"Ann": "Z9", "Ben": "Z9"}
    assert {each.body_name for each in facts.staff(on, ["Z9"])} == {"Shore Surgery"}
    assert listed(on, "NORTH") == {} and listed(on, team) == {"Cat": team, "Dan": team}
    (cat, _) = sorted(each.membership_id for each in facts.staff(on, [team]))
    actions.pass_membership(membership_id=cat, organisation_code="NORTH", actor=BY["actor"], at=AT + 11 * DAY)
    after = on + DAY
    assert listed(after, "NORTH") == {"Cat": "NORTH"} and listed(after, team) == {"Dan": team}
    assert listed(after) == {"Ann": "Z9", "Ben": "Z9", "Cat": "NORTH", "Dan": team}


def test_the_nightly_run_ends_the_accounts_of_those_whose_last_role_ran_out(quay: str) -> None:
    joins("Over", quay, to_date=TODAY + DAY)
    joins("Two", quay, to_date=TODAY + DAY)
    joins("Two", quay, role="social_worker")
    joins("Later", quay, since=TODAY + 30 * DAY)
    add_user(email="new@place.example", name="New", password=None, **BY)
    assert end_leavers(**BY) == 0
    assert run(AT + DAY)["leavers"] == 1 and run(AT + DAY)["leavers"] == 0
    assert set(User.objects.filter(is_active=False).values_list("name", flat=True)) == {"Over"}


def invited(name: str = "Ann Hill") -> tuple[int, str]:
    user_id = add_user(email="", name=name, password=None, **BY)
    return user_id, invite(user_id=user_id, **BY)


def accept(found: Invited, password: str | None = PASSWORD, at: datetime = AT) -> int:
    return accept_invitation(invitation_id=found.invitation_id, password=password, actor=BY["actor"], at=at)


def test_a_code_is_kept_nowhere_and_serves_once_until_it_runs_out() -> None:
    user_id, code = invited()
    kept = str([*Invitation.objects.values(), *Capture.objects.values(), *ActionEntry.objects.values()])
    assert code not in kept and Invitation.objects.get().digest not in str(list(Capture.objects.values()))
    last = AT + RULES.invitation_days * DAY
    found = invitation_with_code(f" {code[:4].lower()}-{code[4:]} ", last - timedelta(seconds=1))
    assert found is not None and (found.user_id, found.login, found.expires_at) == (user_id, "ann.hill", last)
    assert invitation_with_code(code, last) is None and open_invitation(found.invitation_id, last) is None
    with pytest.raises(Refused, match="serves no more"):
        accept(found, at=last)
    with pytest.raises(Refused, match="at least 12"):
        accept(found, "short")
    assert accept(found) == user_id  # the refused ones have not used it up
    assert User.objects.get(pk=user_id).check_password(PASSWORD)
    with pytest.raises(Refused, match="used already"):
        accept(found, "another heron ladder")


def test_who_logs_in_by_an_identity_has_no_password() -> None:
    _, code = invited()
    found = invitation_with_code(code, AT)
    assert found is not None
    assert not User.objects.get(pk=accept(found, None)).has_usable_password()


def test_an_ended_account_has_no_password_no_code_and_another_session_hash() -> None:
    user_id, code = invited()
    found = invitation_with_code(code, AT)
    assert found is not None
    accept(found)
    open_code = invite(user_id=user_id, **BY)
    before = User.objects.get(pk=user_id).get_session_auth_hash()
    end_user(user_id=user_id, **BY)
    user = User.objects.get(pk=user_id)
    assert not user.is_active and not user.has_usable_password() and user.get_session_auth_hash() != before
    assert invitation_with_code(open_code, AT) is None
    assert invitation_with_code(invite(user_id=user_id, **BY), AT) is not None
    assert User.objects.get(pk=user_id).get_session_auth_hash() != before


@pytest.mark.parametrize("act", [invite, end_user])
def test_nobody_is_invited_or_ended_who_is_not_there(act: Any) -> None:
    with pytest.raises(Refused, match="no such user"):
        act(user_id=999, **BY)


def test_login_names_are_plain_short_and_nobody_elses() -> None:
    names = ("Ann Hill", "ann  HILL", "Ánn-Hill", "王芳", "W" * 200, "'; DROP TABLE base_user")
    users = [add_user(email="", name=name, password=None, **BY) for name in names]
    logins = [User.objects.get(pk=user).login_name for user in users]
    assert logins == ["ann.hill", "ann.hill2", "ann.hill3", "user", "w" * 30, "drop.table.base.user"]
    assert Membership.objects.count() == 0
