"""The records that are a user's own, or those of people they act for."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.access_log import Look, Viewing, open_viewing
from joinery.apps.base.action import Actor, Refused
from joinery.apps.record.actions.viewing import REFUSALS
from joinery.apps.record.circumstances import situations
from joinery.apps.record.facts.own_access import own_people
from joinery.calc.access import OWN_RECORD, may_open_many


def list_own_people(*, actor: Actor, at: datetime) -> Viewing:
    """Whose records a user may see as the person, or as who acts for them. Raises Refused when there are none."""
    people = [each.person_id for each in own_people(actor.user_id or 0, at.date())]
    known = {person: each.known for person, each in situations(people, actor.user_id, at).items()}
    decisions = may_open_many((), known, OWN_RECORD, at.date())
    allowed = [person for person in people if decisions[person].allowed]
    if not allowed:
        raise Refused("no_own_access", REFUSALS["withheld" if people else "no_own_access"])
    return open_viewing(
        actor=actor, at=at, look=Look("own_list", OWN_RECORD, decisions[allowed[0]]), person_ids=allowed
    )
