"""The access log: one entry for each person that was shown, written before anything is shown."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.action import Actor
from joinery.apps.base.models import Access
from joinery.calc.access import PURPOSES, Decision

# What the log can say, in the words that people read.
WHAT = {
    "opened": "Opened the record",
    "located": "Found by the NHS number that there is a record",
    "listed": "Saw the name in a list of search results",
    "searched": "Searched and found nobody",
    "refused": "Tried to open the record and was refused",
    "original": "Looked at where an entry came from",
    "log": "Looked at who has looked",
    "kept_back": "Looked at what is kept back of the record",
    "joined": "Looked at how we know that the records are one person",
    "details": "Looked at who says what of name, dates and address",
    "compared": "Compared two records, to say whether they are one person",
    "own_access": "Looked at who sees the record as the person or for them",
    "team": "Looked at who is around the person",
    "quarantine": "Looked at a row that could not be taken",
    "asked": "Asked to read an entry that is withheld",
    "own_list": "Saw the name in the list of records that are theirs to see",
    "work_list": "Saw the name in a list of work",
    "referral": "Looked at what was asked of a service",
    "checked": "Saw whose record it is",
    "message": "Sent or asked for what was written here, system to system",
    "rows": "A job read rows without names",
}
WHY = PURPOSES


@dataclass(frozen=True, slots=True)
class Look:
    """What is being shown, for what purpose, and the decision that allowed or refused it."""

    what: str
    purpose: str
    decision: Decision


def log_access(*, actor: Actor, at: datetime, look: Look, person_ids: Sequence[str]) -> str:
    """Write one row a person (or one without a person) in one statement; returns the event's id."""
    event = secrets.token_hex(8)
    post = look.decision.post
    shown: Sequence[str | None] = person_ids or [None]
    Access.objects.bulk_create(
        Access(
            event=event,
            at=at,
            user_id=actor.user_id,
            actor=actor.name,
            role=post.role if post else "",
            organisation=post.organisation if post else "",
            purpose=look.purpose,
            what=look.what,
            person_id=person,
            allowed=look.decision.allowed,
            reason=look.decision.reason,
        )
        for person in shown
    )
    return event


@dataclass(frozen=True, slots=True)
class Viewing:
    """A look that was decided on and logged: what person facts need before they answer.

    `person_ids` is whom it covers: one for a page about a person, several for a list. Of withheld items (ids of
    record's) some may be `granted` to the viewer; some may be `kept_back` from the person's own view.
    """

    event: str
    actor: Actor
    at: datetime
    purpose: str
    decision: Decision
    person_ids: tuple[str, ...]
    granted: frozenset[int] = frozenset()
    kept_back: frozenset[int] = frozenset()

    @property
    def person_id(self) -> str:
        """The one person of a page about one person; raises ValueError for a list."""
        (person_id,) = self.person_ids
        return person_id


def open_viewing(*, actor: Actor, at: datetime, look: Look, person_ids: Sequence[str]) -> Viewing:
    """Log the look, then hand out the viewing. Raises ValueError when the decision refused it."""
    event = log_access(actor=actor, at=at, look=look, person_ids=person_ids)
    if not look.decision.allowed:
        raise ValueError("a refused look opens no viewing")
    return Viewing(event, actor, at, look.purpose, look.decision, tuple(person_ids))
