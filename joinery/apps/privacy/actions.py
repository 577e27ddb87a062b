"""The way into privacy: opening a record in an emergency, asking, reporting, answering, and noticing.

Each becomes a task that somebody answers for, with a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from joinery.apps.base import facts as base
from joinery.apps.base.access_log import Look, log_access
from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.place import facts as place
from joinery.apps.privacy.facts import ANSWERS, last_check, task
from joinery.apps.privacy.models import LookCheck, PrivacyAnswer, PrivacyTask
from joinery.apps.privacy.noticing import unusual
from joinery.apps.privacy.rules import rules_on
from joinery.apps.record import actions as record
from joinery.calc.access import PRIVACY, Decision, Post

MOST_WORDS = 2_000
# After a longer pause older days are not gone through any more.
MOST_DAYS = 31


@action("privacy.break_glass", targets=("person_id", "reason"))
def break_glass(
    *, person_id: str, posts: tuple[Post, ...], reason: str, words: str, actor: Actor, at: datetime
) -> None:
    """Open a person's record in an emergency, and ask a named person to review that within a day.

    Raises Refused when the user's role may not, the reason is none of ours or not said in words.
    """
    opened = record.override_record(person_id=person_id, posts=posts, reason=reason, words=words, actor=actor, at=at)
    _raise(
        kind=PrivacyTask.Kind.OVERRIDE, record_id=opened.record_id, answers=opened.organisation,
        about=(actor.user_id, opened.organisation), looked_at=at, codes=[reason], words=words, actor=actor, at=at,
    )  # fmt: skip


@action("privacy.ask_to_read", targets=("item_id",))
def ask_to_read(
    *, record_id: int, item_id: int, source: str, words: str, organisation: str, actor: Actor, at: datetime
) -> None:
    """Ask whoever wrote a withheld entry (`source`, its code) to open it to this user, in a post at `organisation`.

    Raises Refused when nothing is said of why, or the user has asked already and waits.
    """
    words = _said(words, "Say what you need to know, and why")
    if _waiting(kind=PrivacyTask.Kind.ASK_TO_READ, item_id=item_id, raised_by=actor.name):
        raise Refused("asked", "You have asked for this entry already, and the answer is not there yet.")
    _raise(
        kind=PrivacyTask.Kind.ASK_TO_READ, record_id=record_id, item_id=item_id, answers=source,
        about=(actor.user_id, organisation), words=words, actor=actor, at=at,
    )  # fmt: skip


@action("privacy.report_look", targets=("record_id",))
def report_look(*, record_id: int, look: base.Look, words: str, actor: Actor, at: datetime) -> None:
    """Report a look at a person that seems wrong, to whoever answers for where it was made from.

    Raises Refused when nothing is said of why, or this user has reported it already and waits.
    """
    words = _said(words, "Say what seems wrong")
    if _waiting(kind=PrivacyTask.Kind.REPORTED_LOOK, event=look.event, raised_by=actor.name):
        raise Refused("reported", "You have reported this look already, and the answer is not there yet.")
    _raise(
        kind=PrivacyTask.Kind.REPORTED_LOOK, record_id=record_id, event=look.event, answers=look.organisation,
        about=(look.user_id, look.organisation), looked_at=look.at, words=words, actor=actor, at=at,
    )  # fmt: skip


@action("privacy.answer_task", targets=("task_id", "verdict"))
def answer_task(*, task_id: int, verdict: str, words: str, actor: Actor, at: datetime) -> None:
    """Answer a task, once; an entry that is granted can be read from now on, for a while.

    Raises Refused when it does not wait for this user, or no verdict and no reason is given.
    """
    waits = task(task_id, at)
    if waits is None or actor.user_id is None:
        raise Refused("absent", "There is no such task.")
    if waits.answered:
        raise Refused("answered", f"{waits.answered.by_name} has answered this already.")
    if not waits.waits_for(actor.user_id):
        raise Refused("not_yours", "This waits for somebody else.")
    if verdict not in ANSWERS[waits.kind]:
        raise Refused("verdict", "Choose what you found")
    words = _said(words, "Say why")
    PrivacyAnswer.objects.create(task_id=task_id, verdict=verdict, words=words, by=actor.name, at=at)
    if verdict == PrivacyAnswer.Verdict.GRANTED and waits.item_id and waits.about_user_id:
        record.grant_reading(
            item_id=waits.item_id, organisation_code=waits.about_organisation, user_id=waits.about_user_id,
            until_at=at + timedelta(days=rules_on(at.date()).grant_days), actor=actor, at=at,
        )  # fmt: skip


def _said(words: str, otherwise: str) -> str:
    words = words.replace("\0", "").strip()[:MOST_WORDS]
    if not words:
        raise Refused("words", otherwise)
    return words


def _waiting(**of: Any) -> bool:
    return PrivacyTask.objects.filter(answer__isnull=True, **of).exists()


def _raise(
    *,
    kind: str,
    record_id: int | None,
    answers: str,
    about: tuple[int | None, str],
    actor: Actor,
    at: datetime,
    words: str = "",
    codes: Sequence[str] = (),
    item_id: int | None = None,
    event: str = "",
    looked_at: datetime | None = None,
) -> None:
    """Keep a task. `answers` is the code of the organisation that answers, `about` who acted, and for which."""
    body = place.by_codes([answers], place.as_at(at.date())).get(answers)
    PrivacyTask.objects.create(
        kind=kind, record_id=record_id, item_id=item_id, event=event, organisation_id=body.id if body else None,
        about_user_id=about[0], about_organisation=about[1], looked_at=looked_at, codes=list(codes), words=words,
        raised_by=actor.name, at=at, due_at=rules_on(at.date()).due_at(kind, at),
    )  # fmt: skip


def due(*, actor: Actor, at: datetime) -> int:
    """Go through the looks of each day that is over for unusual ones; returns how many tasks that made.

    Safe to repeat: each day is gone through once, a month back at most.
    """
    today = timezone.localtime(at).date()
    last = last_check()
    first = max(last + timedelta(days=1) if last else today - timedelta(days=1), today - timedelta(days=MOST_DAYS))
    days = [first + timedelta(days=n) for n in range((today - first).days)]
    return sum(check_looks(day=day, actor=actor, at=at) for day in days)


@action("privacy.check_looks")
def check_looks(*, day: date, actor: Actor, at: datetime) -> int:
    """Go through the looks of a day, by local time, for unusual ones; returns how many tasks that made."""
    if LookCheck.objects.filter(day=day).exists():
        return 0
    log_access(actor=actor, at=at, look=Look("rows", PRIVACY, Decision(True, "job")), person_ids=[])
    start, end = (timezone.make_aware(datetime.combine(each, time())) for each in (day, day + timedelta(days=1)))
    looks = base.opened_between(start, end)
    found = unusual(looks, day, rules_on(day))
    quiet = _quiet(at - timedelta(days=rules_on(day).quiet_days))
    new = [each for each in found if not quiet.get((each.user_id, each.record_id), set()) >= set(each.codes)]
    for each in new:
        _raise(
            kind=PrivacyTask.Kind.UNUSUAL_LOOK, record_id=each.record_id, event=each.event,
            answers=each.organisation, about=(each.user_id, each.organisation), looked_at=each.looked_at,
            codes=each.codes, words=each.words, actor=actor, at=at,
        )  # fmt: skip
    LookCheck.objects.create(day=day, looks=len(looks), tasks=len(new), at=at)
    return len(new)


def _quiet(since: datetime) -> dict[tuple[int | None, int | None], set[str]]:
    """Patterns that were listed since then, by user and record: those that wait, or were in order."""
    listed = PrivacyTask.objects.filter(kind=PrivacyTask.Kind.UNUSUAL_LOOK, at__gte=since)
    found: dict[tuple[int | None, int | None], set[str]] = defaultdict(set)
    for user_id, record_id, codes in listed.exclude(answer__verdict=PrivacyAnswer.Verdict.WRONG).values_list(
        "about_user_id", "record_id", "codes"
    ):
        found[user_id, record_id] |= set(codes)
    return found
