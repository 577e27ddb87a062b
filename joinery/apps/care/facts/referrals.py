"""Referrals: where each stands for whoever works on it, and what is told of it to who may see the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select, stored
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.care.referrals import OVER, Referral, referral_at
from joinery.apps.care.rules import rules_on
from joinery.apps.care.states import STATES, STEPS
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record

LATELY_DAYS = 90
GIVEN, MOVED = "Given to somebody", "Moved with its service"


@place_facts
def referral(code: str, at: datetime) -> Referral | None:
    """One referral as it stands, or None."""
    return referral_at(code, at)


@place_facts
def code_of_outside(organisation: str, outside_id: str) -> str | None:
    """The code of the referral that a system outside knows under its own id, or None."""
    rows = select(
        "SELECT r.code FROM care_referral r JOIN place_organisation o ON o.id = r.organisation_id "
        "WHERE o.code = %s AND r.outside_id = %s",
        [organisation, outside_id],
    )
    return rows[0][0] if rows else None


@dataclass(frozen=True, slots=True)
class PersonReferral:
    """A referral of a person as their page tells of it; `over` when nobody is to do anything more."""

    code: str
    reason: str
    service_name: str
    service_kind: str
    state: str
    waits_for: str
    user_name: str
    sender_name: str
    urgency_text: str
    asked_at: datetime
    since_at: datetime
    due_at: datetime | None
    overdue: bool
    over: bool

    @property
    def state_text(self) -> str:
        """Where it stands, in words."""
        return STATES[self.state].words

    @property
    def next_step(self) -> str:
        """What comes next, in words; empty when it is over."""
        return STATES[self.state].next_step


# Where a referral stands: its last step. Of a service, its newest terms.
_LAST = (
    "JOIN care_referralstep w ON w.referral_id = r.id AND NOT EXISTS "
    "(SELECT 1 FROM care_referralstep n WHERE n.referral_id = r.id AND n.number > w.number) "
)
_TERMS = (
    "JOIN care_serviceterms t ON t.id = (SELECT x.id FROM care_serviceterms x WHERE x.service_id = w.service_id "
    "ORDER BY x.from_date DESC, x.id DESC LIMIT 1) "
)


@person_facts
def referrals_of(viewing: Viewing, of: record.PersonRecords) -> tuple[PersonReferral, ...]:
    """The referrals of the person of the viewing: the open ones, what is due first first, then those that were over in
    the last 90 days, newest first. One statement."""
    records = [known.record_id for known in of.known]
    rows = select(
        "SELECT r.code, r.reason, t.name, t.kind, w.state, u.name, s.name, r.urgency, r.asked_at, "
        "COALESCE(o.since_at, w.at), o.due_at FROM care_referral r "
        f"{_LAST}{_TERMS}LEFT JOIN care_openreferral o ON o.referral_id = r.id "
        "LEFT JOIN base_user u ON u.id = w.user_id LEFT JOIN base_user s ON s.id = r.user_id "
        f"WHERE r.record_id IN ({marks(records)}) AND (o.referral_id IS NOT NULL OR w.at > %s)",
        [*records, stored(viewing.at - timedelta(days=LATELY_DAYS))],
    )
    found = [_person_referral(row, viewing.at) for row in rows]
    over = sorted((each for each in found if each.over), key=lambda each: each.since_at, reverse=True)
    still = sorted((each for each in found if not each.over), key=lambda each: each.due_at or each.since_at)
    return (*still, *over)


def _person_referral(row: tuple[Any, ...], at: datetime) -> PersonReferral:
    code, reason, name, kind, state, user, sender, urgency, asked_at, since_at, due_at = row
    rules, due = rules_on(at.date()), as_moment(due_at) if due_at else None
    known = rules.urgencies.get(urgency)
    return PersonReferral(
        code, reason, name, rules.kinds.get(kind, kind), state, STATES[state].waits_for, user or "", sender or "",
        known.words if known else urgency, as_moment(asked_at), as_moment(since_at), due,
        due is not None and due <= at, state in OVER,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step of a referral, in words; `service_name` is where it was then, `user_name` who took it on."""

    number: int
    state: str
    text: str
    service_name: str
    user_name: str
    reason_text: str
    words: str
    by: str
    by_name: str
    at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Note:
    """A message of one `side` to the other; `seen_at` is none while it waits to be seen."""

    note_id: int
    side: str
    words: str
    by: str
    by_name: str
    at: datetime
    seen_by_name: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Story:
    """What was asked for a person, every step since, and what the two sides wrote to each other."""

    reason: str
    words: str
    follows: str
    steps: tuple[StoryStep, ...]
    notes: tuple[Note, ...]


@person_facts
def referral_story(viewing: Viewing, of: Referral) -> Story:
    """What is told of a referral of the person of the viewing. Raises ValueError when it is about another."""
    if of.person_id != viewing.person_id:
        raise ValueError("the referral is about somebody else")
    rows = select(
        "SELECT r.reason, r.words, f.code, w.number, w.state, t.name, u.name, w.reason, w.words, w.by, w.at, w.due_at "
        f"FROM care_referral r JOIN care_referralstep w ON w.referral_id = r.id {_TERMS}"
        "LEFT JOIN base_user u ON u.id = w.user_id LEFT JOIN care_referral f ON f.id = r.follows_id "
        "WHERE r.id = %s ORDER BY w.number",
        [of.referral_id],
    )
    notes = select(
        "SELECT n.id, n.side, n.words, n.by, n.at, x.by, x.at FROM care_referralnote n "
        "LEFT JOIN care_noteseen x ON x.note_id = n.id WHERE n.referral_id = %s ORDER BY n.id",
        [of.referral_id],
    )
    actors = {row[9] for row in rows} | {row[3] for row in notes} | {row[5] for row in notes if row[5]}
    names = place.actor_names(actors)
    reason, words, follows = rows[0][:3]
    steps = tuple(_story_step(row[3:], before, names) for row, before in zip(rows, [None, *rows], strict=False))
    return Story(reason, words, follows or "", steps, tuple(_note(row, names) for row in notes))


def _story_step(row: tuple[Any, ...], before: tuple[Any, ...] | None, names: dict[str, str]) -> StoryStep:
    number, state, service, user, reason, words, by, at, due_at = row
    moment = as_moment(at)
    reasons = rules_on(moment.date()).reasons.get(state, {})
    return StoryStep(
        number, state, _step_text(state, before, words), service, user or "", reasons.get(reason, reason), words, by,
        names[by], moment, as_moment(due_at) if due_at else None,
    )  # fmt: skip


def _step_text(state: str, before: tuple[Any, ...] | None, words: str) -> str:
    """What was done. A step that changes neither where it stands nor says anything gave it to somebody."""
    if before is None:
        return STATES[state].words
    if before[4] == state and (not words or (state, state) not in STEPS):
        return GIVEN if not words else MOVED
    step = STEPS[before[4], state]
    return step.words[0].upper() + step.words[1:]


def _note(row: tuple[Any, ...], names: dict[str, str]) -> Note:
    number, side, words, by, at, seen_by, seen_at = row
    return Note(
        number, side, words, by, names[by], as_moment(at), names[seen_by] if seen_by else "",
        as_moment(seen_at) if seen_at else None,
    )  # fmt: skip
