"""Opening a record in an emergency: with a reason, for some hours, and to be reviewed by somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.record.actions.viewing import REFUSALS
from joinery.apps.record.models import Override
from joinery.apps.record.pairs import founding_record, whose
from joinery.calc.access import Post, may_override

# A shift's first half: long enough to care for somebody, and no standing way in. Our own assumption.
OVERRIDE_HOURS = 4
LEAST_WORDS = 10  # characters
OVERRIDE_REASONS = {
    "urgent_care": "The person needs urgent care, and I need their record for it",
    "cannot_say": "The person needs care and cannot say whether I may look",
    "danger": "The person, a child or somebody else is in serious danger",
    "asked": "The person has asked me to look, here and now",
}


@dataclass(frozen=True, slots=True)
class Overridden:
    """A record that was opened in an emergency: in which post, and until when."""

    override_id: int
    person_id: str
    record_id: int
    role: str
    organisation: str
    until_at: datetime


@action("record.override", targets=("person_id", "reason"))
def override_record(
    *, person_id: str, posts: tuple[Post, ...], reason: str, words: str, actor: Actor, at: datetime
) -> Overridden:
    """Open a record to the user for four hours, although nothing else would. Raises Refused.

    The record itself is then opened, and the look logged, as ever (`open_record`).
    """
    decision = may_override(posts)
    if not decision.allowed or decision.post is None or actor.user_id is None:
        raise Refused(decision.reason, REFUSALS.get(decision.reason, REFUSALS["role"]))
    if reason not in OVERRIDE_REASONS:
        raise Refused("reason", "Choose why you must see this record now.")
    if len(words.strip()) < LEAST_WORDS:
        raise Refused("words", "Say in a few words what has happened. Whoever reviews this will read it.")
    now = whose(person_id)
    record_id = founding_record(now) if now else None
    if now is None or record_id is None:
        raise Refused("absent", "There is no such record.")
    said = {"record_id": record_id, "user_id": actor.user_id, "reason": reason, "words": words.strip()}
    if Override.objects.filter(**said, until_at__gt=at).exists():
        raise Refused("opened", "You have opened this record for this reason already.")
    made = Override.objects.create(
        **said,
        role=decision.post.role,
        organisation=decision.post.organisation,
        at=at,
        until_at=at + timedelta(hours=OVERRIDE_HOURS),
    )
    return Overridden(made.pk, now, record_id, made.role, made.organisation, made.until_at)
