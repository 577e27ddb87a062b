"""The pages of the staff: who may do what to whom, and that a leaver is out at once."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from joinery.apps.base.models import Invitation, User
from joinery.apps.place.actions import add_membership
from joinery.apps.place.models import AccessReview, Membership
from tests.pages.measure import MOST_OF_LIST, statements
from tests.pages.world import ACTOR, COUNCIL, OTHER_SURGERY, SURGERY, TRUST, World

PASSWORD = "heron ladder biscuit"  # noqa: S105 (of nobody)
NEXT_YEAR = date.today() + timedelta(days=300)  # noqa: DTZ011 (what a page takes as a date to come)


@pytest.fixture(autouse=True)
def nobody_tried_before() -> None:
    cache.clear()  # the tries of other tests are counted there


@pytest.fixture
def manager(world: World) -> Client:
    return world.user("staff_manager", SURGERY, "Mo Manager")


@pytest.fixture
def lead(world: World) -> Client:
    return world.user("integration_lead", COUNCIL, "Ruth Vale")


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).replace("&#39;", "'").split())


def last(on: date = NEXT_YEAR) -> dict[str, str]:
    return {"last_day": str(on.day), "last_month": str(on.month), "last_year": str(on.year)}


def added(client: Client, **form: str) -> Any:
    known = {"name": "Ann Hill", "email": "ann@hill.example", "body": SURGERY, "role": "gp", "postcode": ""}
    return client.post("/staff/add/", known | last() | form)


def code_on(page: Any) -> str:
    found = re.search(r'app-invitation__code">([^<]*)<', page.content.decode())
    assert found, words(page)
    return found[1]


def accepted(code: str, password: str = PASSWORD) -> Any:
    """Somebody at another computer types in a code, and chooses a password."""
    visitor = Client(raise_request_exception=False)
    typed = visitor.post("/invitation/", {"code": code})
    assert typed.status_code == 302, words(typed)
    return visitor.post("/invitation/", {"password": password, "again": password})


def membership_of(name: str) -> Membership:
    return Membership.objects.filter(user__name=name).latest("id")


def member_page(name: str) -> str:
    return f"/staff/{membership_of(name).pk}/"


def test_somebody_added_gets_a_printed_code_once_and_logs_in_with_it(manager: Client) -> None:
    sheet = added(manager)
    assert sheet["Cache-Control"] == "no-store"
    assert "Ann Hill" in words(sheet) and "ann@hill.example" in words(sheet) and "/invitation/" in words(sheet)
    code = code_on(sheet)
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4} [2-9A-HJ-NP-Z]{4} [2-9A-HJ-NP-Z]{4}", code)
    assert code.replace(" ", "") not in str(list(Invitation.objects.values()))

    client = Client(raise_request_exception=False)
    assert "Error" in words(client.post("/log-in/", {"login": "ann@hill.example", "password": PASSWORD}))
    assert "You can log in now" in words(accepted(code.lower().replace(" ", "-")))
    assert client.post("/log-in/", {"login": "Ann@hill.example", "password": PASSWORD}).status_code == 302
    assert "Ann Hill, GP – Quay Surgery" in words(client.get("/"))

    again = Client().post("/invitation/", {"code": code})
    assert again.status_code == 200 and "was used already" in words(again)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "Enter the name"),
        ("email", "ann at hill", "like name@example.org"),
        ("email", f"ann@{'.'.join(['h' * 60] * 4)}.example", "254 characters at most"),
        ("postcode", "ZZ11 1ABC D", "like ZZ1 1AB"),
        ("role", "", "Choose the role"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(manager: Client, field: str, typed: str, said: str) -> None:
    answer = added(manager, **{field: typed})
    assert answer.status_code == 200 and said in words(answer)
    assert User.objects.count() == 1


def test_who_has_no_e_mail_address_logs_in_by_name(manager: Client) -> None:
    first = added(manager, email="", name="Zoë O'Neil")
    second = added(manager, email="", name="Zoe O Neil")
    assert "zoe.o.neil2" in words(second)
    for sheet, login in ((first, "zoe.o.neil"), (second, "Zoe.O.Neil2")):
        assert "You can log in now" in words(accepted(code_on(sheet)))
        assert Client().post("/log-in/", {"login": login, "password": PASSWORD}).status_code == 302


def test_a_code_serves_nobody_who_guesses_is_late_or_has_an_older_one(manager: Client) -> None:
    older = code_on(added(manager))
    newer = code_on(manager.post(f"{member_page('Ann Hill')}invite/"))
    for wrong in (older, "", "ABCD EFGH JKMN", "x" * 5000, "\0"):
        answer = Client().post("/invitation/", {"code": wrong})
        assert answer.status_code == 200 and "Error" in words(answer), wrong
    for said, password, again in (
        ("Choose a password", "", ""),
        ("differ", PASSWORD, "other"),
        ("at least 12", "short", "short"),
        ("too common", "1q2w3e4r5t6y", "1q2w3e4r5t6y"),
    ):
        visitor = Client()
        visitor.post("/invitation/", {"code": newer})
        assert said in words(visitor.post("/invitation/", {"password": password, "again": again}))
    Invitation.objects.update(expires_at=Invitation.objects.latest("id").at)
    assert "serves no more" in words(Client().post("/invitation/", {"code": newer}))
    assert not User.objects.get(name="Ann Hill").has_usable_password()


def test_whoever_is_invited_again_has_lost_the_second_factor_too(manager: Client) -> None:
    accepted(code_on(added(manager)))
    user = User.objects.get(name="Ann Hill")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "lost"})
    code = code_on(manager.post(f"{member_page('Ann Hill')}invite/"))
    assert Authenticator.objects.filter(user=user).exists()
    accepted(code, PASSWORD + " again")
    assert not Authenticator.objects.filter(user=user).exists()


def test_a_code_that_was_typed_in_opens_no_later_invitation_and_not_for_long(manager: Client) -> None:
    thief = Client()
    thief.post("/invitation/", {"code": code_on(added(manager))})
    assert "Welcome, Ann Hill" in words(thief.get("/invitation/"))
    manager.post(f"{member_page('Ann Hill')}invite/")
    thief.post("/invitation/", {"password": PASSWORD, "again": PASSWORD})
    assert not User.objects.get(name="Ann Hill").has_usable_password()

    slow = Client()
    slow.post("/invitation/", {"code": code_on(manager.post(f"{member_page('Ann Hill')}invite/"))})
    session = slow.session
    session["invitation_typed_at"] -= 16 * 60
    session.save()
    assert "Type in the code" in words(slow.get("/invitation/"))


def test_an_invitation_ends_the_session_of_whoever_used_the_computer_before(manager: Client) -> None:
    code = code_on(added(manager))
    manager.post("/invitation/", {"code": code})
    assert manager.get("/staff/").status_code == 302


def test_too_many_codes_are_refused_for_a_while(world: World) -> None:
    visitor = Client()
    answers = {visitor.post("/invitation/", {"code": str(n)}).status_code for n in range(61)}
    assert answers == {200, 429}
    assert visitor.get("/invitation/").status_code == 200


def test_a_leaver_is_out_at_once_and_comes_back_only_with_a_new_invitation(manager: Client) -> None:
    accepted(code_on(added(manager)))
    leaver = Client(raise_request_exception=False)
    leaver.post("/log-in/", {"login": "ann@hill.example", "password": PASSWORD})
    assert leaver.get("/").status_code == 200

    assert manager.post(f"{member_page('Ann Hill')}end/").status_code == 302
    assert leaver.get("/")["Location"].startswith("/log-in/")
    refused = Client().post("/log-in/", {"login": "ann@hill.example", "password": PASSWORD})
    assert refused.get("Location") != "/"
    assert "Ann Hill" not in words(manager.get("/staff/"))

    accepted(code_on(added(manager)), PASSWORD + " again")
    assert leaver.get("/")["Location"].startswith("/log-in/"), "the old session came back"
    assert User.objects.filter(name="Ann Hill").count() == 1
    assert Client().post("/log-in/", {"login": "ann@hill.example", "password": PASSWORD}).status_code == 200


def test_who_keeps_another_role_keeps_the_account_and_loses_the_role_at_once(world: World, manager: Client) -> None:
    two = world.user("gp", SURGERY, "Dr Two")
    user = User.objects.get(name="Dr Two")
    kept = {"organisation_code": TRUST, "role": "community_nurse", "from_date": world.at.date()}
    add_membership(user_id=user.pk, **kept, actor=ACTOR, at=world.at)
    here = Membership.objects.get(user=user, role="gp")
    assert "They keep 1 other role" in words(manager.get(f"/staff/{here.pk}/"))
    manager.post(f"/staff/{here.pk}/end/")
    assert "Dr Two, community nurse – Vale Community Health" in words(two.get("/"))


def test_a_manager_reaches_their_own_body_and_the_roles_of_the_table_alone(
    world: World, manager: Client, lead: Client
) -> None:
    world.user("gp", OTHER_SURGERY, "Dr Elsewhere")
    world.user("records_officer", SURGERY, "Rae Records")
    elsewhere, officer, own = (membership_of(n) for n in ("Dr Elsewhere", "Rae Records", "Mo Manager"))
    listed = words(manager.get("/staff/"))
    assert "Rae Records" in listed and "Dr Elsewhere" not in listed and "Ruth Vale" not in listed
    before = list(Membership.objects.order_by("id").values())
    for each in (elsewhere, officer, own):
        for path in ("", "end/", "invite/"):
            answer = manager.post(f"/staff/{each.pk}/{path}", {"role": "gp"} | last())
            assert answer.status_code == 404, (each, path)
    assert manager.get("/staff/999999999999999999999/").status_code == 404
    for form in ({"body": OTHER_SURGERY}, {"role": "integration_lead"}, {"role": "staff_manager"}, {"role": "king"}):
        assert "Choose" in words(added(manager, **form)), form
    own_email = User.objects.get(name="Mo Manager").email
    assert "Nobody gives themselves a role" in words(added(manager, email=own_email))
    assert list(Membership.objects.order_by("id").values()) == before and not Invitation.objects.exists()

    assert "Dr Elsewhere" in words(lead.get("/staff/"))
    assert code_on(added(lead, role="staff_manager", body="Hill Surg"))
    assert lead.post(f"/staff/{elsewhere.pk}/end/").status_code == 302


def test_nobody_is_handed_an_account_with_the_roles_of_others(world: World, manager: Client, lead: Client) -> None:
    """A manager could otherwise give a doctor of elsewhere a role here, and take over all that they may see."""
    world.user("gp", OTHER_SURGERY, "Dr Elsewhere")
    email = User.objects.get(name="Dr Elsewhere").email
    answer = added(manager, name="Made up", email=email)
    assert answer.status_code == 302 and not Invitation.objects.exists()
    page = manager.get(answer["Location"])
    assert "Dr Elsewhere" in words(page) and "cannot hand out their account" in words(page)
    assert manager.post(f"{answer['Location']}invite/").status_code == 404
    assert code_on(lead.post(f"{answer['Location']}invite/"))


def test_a_role_has_a_last_day_that_can_be_put_off_by_a_year_at_most(manager: Client) -> None:
    added(manager, email="")
    given = membership_of("Ann Hill")
    assert given.to_date == NEXT_YEAR + timedelta(days=1)
    for form, said in (
        ({"last_day": "", "last_month": "", "last_year": ""}, "Enter the last day"),
        (last(date(2001, 2, 3)), "must be today or later"),
        (last(NEXT_YEAR + timedelta(days=200)), "or earlier"),
        ({"last_day": "31", "last_month": "2", "last_year": "2027"}, "real date"),
    ):
        assert said in words(manager.post(member_page("Ann Hill"), {"role": "gp"} | form))
    put_off = NEXT_YEAR + timedelta(days=20)
    assert manager.post(member_page("Ann Hill"), {"role": "gp"} | last(put_off)).status_code == 302
    given.refresh_from_db()
    assert given.to_date == put_off + timedelta(days=1)

    manager.post(member_page("Ann Hill"), {"role": "community_nurse"} | last())
    given.refresh_from_db()
    assert given.role == "gp" and given.to_date < put_off
    assert membership_of("Ann Hill").role == "community_nurse"


def test_the_review_is_a_task_list_that_climbs_when_nobody_does_it(world: World, manager: Client, lead: Client) -> None:
    def long_ago(name: str, days: int) -> None:
        Membership.objects.filter(user__name=name).update(from_date=world.at.date() - timedelta(days=days))

    for name in ("Mo Manager", "Ruth Vale"):
        long_ago(name, 10)
    for name, body, days in (("Due Day", SURGERY, 95), ("Over Due", SURGERY, 120), ("No Manager", TRUST, 95)):
        world.user("gp", body, name)
        long_ago(name, days)
    here, climbed = words(manager.get("/staff/review/")), words(lead.get("/staff/review/"))
    assert "Due Day" in here and "Over Due, GP Overdue" in here and "No Manager" not in here
    assert "Due Day" not in climbed and "Over Due" in climbed and "No Manager" in climbed
    assert "To review (2)" in words(manager.get("/staff/"))

    def answer(name: str, verdict: str) -> Any:
        return manager.post("/staff/review/", {"membership": str(membership_of(name).pk), "verdict": verdict})

    assert "Choose whether" in words(answer("Due Day", "perhaps"))
    assert answer("Due Day", "keep").status_code == 302
    assert answer("Over Due", "end").status_code == 302
    assert answer("No Manager", "end").status_code == 302  # not theirs: nothing is done
    assert "Nothing waits" in words(manager.get("/staff/review/"))
    assert list(AccessReview.objects.order_by("id").values_list("verdict", flat=True)) == ["keep", "end"]
    assert "Over Due" not in words(manager.get("/staff/")) and "Due Day" in words(manager.get("/staff/"))
    assert not User.objects.get(name="Over Due").is_active and User.objects.get(name="No Manager").is_active


def test_nobody_looks_at_their_own_role_unless_nobody_else_can(world: World, manager: Client, lead: Client) -> None:
    Membership.objects.update(from_date=world.at.date() - timedelta(days=95))
    assert "Nothing waits" in words(manager.get("/staff/review/"))
    waits = words(lead.get("/staff/review/"))
    assert "Mo Manager" in waits and "Ruth Vale, integration lead Vale Council" in waits
    own = {"membership": str(membership_of("Ruth Vale").pk)}
    assert "Nobody ends their own role" in words(lead.post("/staff/review/", own | {"verdict": "end"}))
    other = world.user("integration_lead", TRUST, "Ola Other")
    assert "Ruth Vale, integration lead Vale Council" not in words(lead.get("/staff/review/"))
    assert "Ruth Vale, integration lead Vale Council" in words(other.get("/staff/review/"))


@pytest.mark.parametrize("role", ["", "gp", "records_officer"])
def test_who_manages_nobody_sees_no_staff(world: World, manager: Client, role: str) -> None:
    added(manager)
    other = world.user(role, SURGERY, "No Manager")
    assert 'href="/staff/"' not in other.get("/").content.decode()
    path = member_page("Ann Hill")
    for address in ("/staff/", "/staff/add/", "/staff/review/", path):
        answer = other.get(address)
        assert answer.status_code == 403 and "Ann Hill" not in words(answer)
    for address in ("/staff/add/", "/staff/review/", path, f"{path}end/", f"{path}invite/"):
        assert other.post(address, {"membership": path.strip("/staf")}).status_code == 403
    assert membership_of("Ann Hill").to_date == NEXT_YEAR + timedelta(days=1)


def test_the_lists_take_as_many_statements_for_many_as_for_few(world: World, manager: Client, lead: Client) -> None:
    def counted(client: Client, address: str) -> int:
        client.get(address)
        with statements() as ran:
            assert client.get(address).status_code == 200
        return len(ran.of_page)

    pages = [(client, address) for client in (manager, lead) for address in ("/staff/", "/staff/review/")]
    few = [counted(*each) for each in pages]
    for n in range(12):
        world.user("gp", SURGERY, f"Dr {n}")
    Membership.objects.filter(role="gp").update(from_date=world.at.date() - timedelta(days=120))
    assert [counted(*each) for each in pages] == few and max(few) <= MOST_OF_LIST
