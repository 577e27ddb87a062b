"""What @action promises: keywords only, one transaction, one entry that says nothing about a person."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from joinery.apps.base.action import NO_CODE, Actor, Refused, action, one_at_a_time
from joinery.apps.base.actions import add_user
from joinery.apps.base.models import ActionEntry, User
from tests.support import locked

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("tests")
AT = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
# Besides ids and codes, what an entry may keep: none of these says anything about a person.
# Codes of organisations, and words of closed lists.
HARMLESS = {
    *("feed", "part", "role", "file_digest", "digest", "source"),
    *("code", "codes", "ended", "target", "form", "kind", "reason", "verdict"),
    # Of two records or several, their ids; an answer, and the ids of who gave it.
    *("pair", "record_ids", "answer", "by"),
    # Codes of services and bodies, of steps of a referral, of how urgent it is, and of the referral that it follows.
    *("service", "successor", "organisation", "to", "follows", "urgency", "side", "what", "number"),
    # What became of a notice, and whether somebody takes them.
    *("outcome", "wanted"),
}


def user(email: str) -> int:
    return User.objects.create(email=email, name="Somebody", created_at=AT).pk


@action("tests.inner", targets=("user_id",))
def inner(*, email: str, actor: Actor, at: datetime, user_id: int = 0, ending: Exception | None = None) -> int:
    made = user(email)
    if ending:
        raise ending
    return made


@action("tests.outer", targets=("user_id",))
def outer(*, emails: list[str], user_id: int, actor: Actor, at: datetime, ending: Exception | None = None) -> list[int]:
    made = [inner(email=email, actor=actor, at=at) for email in emails]
    if ending:
        raise ending
    return made


def entries() -> list[tuple[str, str, str, object]]:
    return list(ActionEntry.objects.order_by("id").values_list("action", "outcome", "reason", "targets"))


def emails() -> set[str]:
    return set(User.objects.values_list("email", flat=True))


def test_an_action_takes_keywords_only() -> None:
    with pytest.raises(TypeError, match="keywords only"):
        inner("a@b.example", ACTOR, AT)  # type: ignore[misc]
    assert entries() == [] and emails() == set()


def test_the_outermost_action_leaves_one_entry_for_all_that_was_done_inside() -> None:
    made = outer(emails=["a@b.example", "c@d.example"], user_id=7, actor=ACTOR, at=AT)

    assert len(made) == 2
    assert entries() == [("tests.outer", "done", "", {"user_id": 7})]
    (entry,) = ActionEntry.objects.all()
    assert (entry.actor, entry.at) == ("system:tests", AT)


def test_an_action_after_another_leaves_its_own_entry() -> None:
    outer(emails=[], user_id=1, actor=ACTOR, at=AT)
    inner(email="a@b.example", user_id=2, actor=ACTOR, at=AT)
    assert [name for name, *_ in entries()] == ["tests.outer", "tests.inner"]


def test_a_refusal_undoes_everything_and_leaves_one_entry_with_its_code() -> None:
    refusal = Refused("too_late", "Anna Example came too late.")
    with pytest.raises(Refused, match="came too late"):
        outer(emails=["a@b.example"], user_id=7, actor=ACTOR, at=AT, ending=refusal)

    assert emails() == set()
    assert entries() == [("tests.outer", "refused", "too_late", {"user_id": 7})]


def test_a_refusal_inside_undoes_the_outermost_action_as_well() -> None:
    @action("tests.around")
    def around(*, actor: Actor, at: datetime) -> None:
        user("a@b.example")
        inner(email="c@d.example", actor=actor, at=at, ending=Refused("no", "No."))

    with pytest.raises(Refused):
        around(actor=ACTOR, at=AT)
    assert emails() == set()
    assert entries() == [("tests.around", "refused", "no", {})]


def test_a_failure_undoes_everything_and_leaves_no_entry() -> None:
    with pytest.raises(ZeroDivisionError):
        outer(emails=["a@b.example"], user_id=7, actor=ACTOR, at=AT, ending=ZeroDivisionError())
    assert emails() == set() and entries() == []
    inner(email="a@b.example", actor=ACTOR, at=AT)
    assert len(entries()) == 1  # and the next action is outermost again


def test_adding_a_user_twice_is_refused_whatever_the_case_of_the_address() -> None:
    first = add_user(email=" Anna.Example@place.example ", name="Anna Example", password=None, actor=ACTOR, at=AT)
    with pytest.raises(Refused) as refused:
        add_user(email="anna.example@PLACE.example", name="Anna", password=None, actor=ACTOR, at=AT)
    assert refused.value.code == "email_taken"
    assert User.objects.get().pk == first


def test_no_name_address_or_password_of_a_user_stands_in_an_entry() -> None:
    for _ in range(2):
        try:
            add_user(email="anna@place.example", name="Anna Example", password="correct horse", actor=ACTOR, at=AT)
        except Refused:
            continue
    said = str(list(ActionEntry.objects.values()))
    assert ActionEntry.objects.count() == 2
    for word in ("anna", "Anna", "Example", "place.example", "horse"):
        assert word not in said


def test_every_action_keeps_ids_and_codes_only() -> None:
    targets = set()
    for path in (Path(__file__).parents[3] / "joinery").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "action":
                targets |= {t for word in node.keywords if word.arg == "targets" for t in ast.literal_eval(word.value)}
    assert "submission_id" in targets  # it does read them
    assert {t for t in targets if not t.endswith(("_id", "_code")) and t not in HARMLESS} == set()


@pytest.mark.parametrize("typed", ["Anna Example", "999 000 0018", "\x00", "x" * 65, "é"])
def test_what_is_typed_in_place_of_a_code_is_not_kept(typed: str) -> None:
    @action("tests.chosen", targets=("kind", "codes"))
    def choose(*, kind: str, codes: tuple[str, ...], actor: Actor, at: datetime) -> None:
        raise Refused("kind", "Choose one of these.")

    with pytest.raises(Refused):
        choose(kind=typed, codes=("icb:QJK", typed), actor=ACTOR, at=AT)
    assert ActionEntry.objects.get().targets == {"kind": NO_CODE, "codes": ["icb:QJK", NO_CODE]}


def test_who_does_not_wait_for_a_lock_is_told_when_somebody_holds_it_and_gets_it_after_that() -> None:
    with locked("intake"):
        with pytest.raises(Refused, match="Try again in some minutes") as refused, one_at_a_time("intake", wait=False):
            raise AssertionError("two hold one lock")
        assert refused.value.code == "busy"
        with one_at_a_time("directory", wait=False):
            pass  # another lock is free
    for wait in (False, True):
        with one_at_a_time("intake", wait=wait):
            pass
