"""The way out of privacy: what waits for whom, what was said of it, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_day, as_moment, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.place import facts as place
from joinery.apps.privacy.models import PrivacyAnswer, PrivacyTask
from joinery.apps.privacy.owners import LEAD, OFFICER, owners
from joinery.apps.privacy.rules import Rules, rules_on
from joinery.apps.record import facts as record

MOST_LISTED = 50
KINDS = dict(PrivacyTask.Kind.choices)
VERDICTS = dict(PrivacyAnswer.Verdict.choices)
# Which answers a task of a kind can have, the one that ends it well first.
ANSWERS: Mapping[str, tuple[str, ...]] = dict.fromkeys(KINDS, ("in_order", "wrong")) | {
    PrivacyTask.Kind.ASK_TO_READ: ("granted", "refused")
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What was found about a task. `words` are for who raised it."""

    verdict: str
    words: str
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits, or waited, for an answer, without a word about whose record it is.

    `owners` may answer it now, `overdue` when it waits past `due_at`; both are empty once it is answered.
    `summary` says what was unusual of a user's whole day. `answers` are the verdicts to choose from.
    """

    task_id: int
    kind: str
    person_id: str | None
    item_id: int | None
    event: str
    organisation: str
    organisation_name: str
    about_user_id: int | None
    about_name: str
    about_organisation: str
    looked_at: datetime | None
    codes: tuple[str, ...]
    summary: str
    raised_by: str
    raised_by_name: str
    at: datetime
    due_at: datetime
    overdue: bool
    owners: tuple[place.Holder, ...]
    answered: Answered | None

    @property
    def kind_text(self) -> str:
        """What happened, in words."""
        return KINDS[self.kind]

    @property
    def answers(self) -> dict[str, str]:
        """The verdicts to choose from, in words."""
        return {verdict: VERDICTS[verdict] for verdict in ANSWERS[self.kind]}

    @property
    def owner_names(self) -> str:
        """Who may answer it now, in words."""
        return _named(self.owners)

    @property
    def answered_at(self) -> datetime:
        """When it was answered; when it was raised, while it waits."""
        return self.answered.at if self.answered else self.at

    def waits_for(self, user_id: int) -> bool:
        """Whether this user may answer it now."""
        return any(owner.user_id == user_id for owner in self.owners)


def _named(holders: Sequence[place.Holder]) -> str:
    """People in words: `Ann Lee`, `Ann Lee or Bo Cole`, or that there is nobody yet."""
    return " or ".join(holder.user_name for holder in holders) or "nobody yet: an integration lead can name somebody"


@place_facts
def waiting_tasks(user_id: int, at: datetime) -> tuple[Task, ...]:
    """The tasks that wait for a user's answer, what is due first first."""
    return tuple(task for task in _tasks("x.id IS NULL", [], at) if task.waits_for(user_id))


@place_facts
def due_for(at: datetime, due_by: datetime | None = None) -> dict[int, datetime]:
    """The users for whose answer a task waits that is due by a moment, or any, and when the newest was raised."""
    newest: dict[int, datetime] = {}
    for task in _tasks("x.id IS NULL", [], at):
        for owner in task.owners if due_by is None or task.due_at <= due_by else ():
            newest[owner.user_id] = max(task.at, newest.get(owner.user_id, task.at))
    return newest


@place_facts
def tasks_of(user_id: int, at: datetime) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """The tasks that wait for a user, what is due first first; and the last 50 that they answered, newest first."""
    where = (
        "x.id IS NULL OR x.id IN "
        f"(SELECT y.id FROM privacy_privacyanswer y WHERE y.by = %s ORDER BY y.id DESC LIMIT {MOST_LISTED})"
    )
    found = _tasks(where, [f"user:{user_id}"], at)
    answered = sorted((task for task in found if task.answered), key=lambda task: task.answered_at, reverse=True)
    return tuple(task for task in found if task.waits_for(user_id)), tuple(answered)


@place_facts
def raised_tasks(user_id: int, at: datetime) -> tuple[Task, ...]:
    """The last 50 looks that a user reported, and entries that they asked for, newest first."""
    return _tasks("t.raised_by = %s AND t.kind IN ('reported_look', 'ask_to_read')", [f"user:{user_id}"], at, True)


@place_facts
def task(task_id: int, at: datetime) -> Task | None:
    """One task, or None."""
    return next(iter(_tasks("t.id = %s", [task_id], at)), None)


@person_facts
def task_words(viewing: Viewing, of: Task) -> str:
    """What whoever raised a task about the person of the viewing wrote. Raises ValueError when it is about another."""
    if of.person_id != viewing.person_id:
        raise ValueError("the task is about somebody else")
    return str(select("SELECT words FROM privacy_privacytask WHERE id = %s", [of.task_id])[0][0])


@place_facts
def answering(organisation: str, about_user_id: int | None, at: datetime) -> str:
    """Who would answer a task of an organisation (its code) about a user, by name."""
    return _named(_Owners({organisation}, at, waits=True).of(organisation, about_user_id, overdue=False))


@place_facts
def last_check() -> date | None:
    """The last day whose looks were gone through for unusual ones."""
    return as_day(select("SELECT MAX(day) FROM privacy_lookcheck")[0][0])


@place_facts
def rules(on: date) -> Rules:
    """How soon tasks must be answered on a day, and what is unusual."""
    return rules_on(on)


class _Row(NamedTuple):
    """A task `t`, the code of the organisation that answers, and the answer `x`, if there is one."""

    task_id: int
    kind: str
    record_id: int | None
    item_id: int | None
    event: str
    organisation: str | None
    about_user_id: int | None
    about_organisation: str
    looked_at: Any
    codes: Any
    words: str
    raised_by: str
    at: Any
    due_at: Any
    verdict: str | None
    answer_words: str
    answered_by: str
    answered_at: Any


def _tasks(where: str, values: Sequence[object], at: datetime, newest: bool = False) -> tuple[Task, ...]:
    """Tasks `t` with their answers `x`: the newest 50, or all in the order in which they are due."""
    order = f"t.id DESC LIMIT {MOST_LISTED}" if newest else "t.due_at, t.id"
    found = select(
        "SELECT t.id, t.kind, t.record_id, t.item_id, t.event, o.code, t.about_user_id, t.about_organisation, "
        "t.looked_at, t.codes, t.words, t.raised_by, t.at, t.due_at, x.verdict, x.words, x.by, x.at "
        "FROM privacy_privacytask t LEFT JOIN privacy_privacyanswer x ON x.task_id = t.id "
        f"LEFT JOIN place_organisation o ON o.id = t.organisation_id WHERE {where} ORDER BY {order}",
        values,
    )
    rows = [_Row(*row) for row in found]
    if not rows:
        return ()
    people = record.people_of({row.record_id for row in rows if row.record_id is not None})
    users = {_user(row.about_user_id) for row in rows} | {row.raised_by for row in rows}
    names = place.actor_names(users | {row.answered_by for row in rows if row.verdict})
    organisations = {row.organisation or "" for row in rows}
    asked = _Owners(organisations, at, waits=any(row.verdict is None for row in rows))
    return tuple(
        Task(
            task_id=row.task_id, kind=row.kind, person_id=people.get(row.record_id or 0), item_id=row.item_id,
            event=row.event, organisation=row.organisation or "",
            organisation_name=asked.names.get(row.organisation or "", ""), about_user_id=row.about_user_id,
            about_name=names[_user(row.about_user_id)], about_organisation=row.about_organisation,
            looked_at=as_moment(row.looked_at) if row.looked_at else None,
            codes=tuple(orjson.loads(row.codes) if isinstance(row.codes, str) else row.codes),
            summary="" if row.record_id else row.words, raised_by=row.raised_by, raised_by_name=names[row.raised_by],
            at=as_moment(row.at), due_at=as_moment(row.due_at), overdue=_overdue(row, at),
            owners=() if row.verdict else asked.of(row.organisation or "", row.about_user_id, _overdue(row, at)),
            answered=_answered(row, names),
        )
        for row in rows
    )  # fmt: skip


def _user(user_id: int | None) -> str:
    return f"user:{user_id}" if user_id else ""


def _overdue(row: _Row, at: datetime) -> bool:
    return row.verdict is None and as_moment(row.due_at) <= at


def _answered(row: _Row, names: dict[str, str]) -> Answered | None:
    if row.verdict is None:
        return None
    return Answered(row.verdict, row.answer_words, row.answered_by, names[row.answered_by], as_moment(row.answered_at))


class _Owners:
    """Whom tasks of some organisations (their codes) wait for, and what those are called."""

    def __init__(self, organisations: Collection[str], at: datetime, waits: bool) -> None:
        as_at = place.as_at(at.date())
        lineage, self.names = place.lineage_named(organisations, as_at)
        # What waits at a body that has ended waits at the one that took over from it.
        self.now = {code: lineage.heir(code, as_at.on) or code for code in organisations}
        self.holders = place.holders(as_at.on, (OFFICER, LEAD)) if waits else ()
        home = place.home(as_at) if waits else None
        self.home = home.code if home else ""

    def of(self, organisation: str, about_user_id: int | None, overdue: bool) -> tuple[place.Holder, ...]:
        """Who may answer."""
        barred = frozenset({about_user_id} if about_user_id else ())
        return owners(self.holders, organisation=self.now[organisation], home=self.home, barred=barred, overdue=overdue)
