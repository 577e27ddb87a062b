"""For whom something waits, over all users at once: so that they can be told that it does, and nothing of what."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.columns import stored
from joinery.apps.base.facts import place_facts
from joinery.apps.care.facts.team import asked_to_take_on
from joinery.apps.care.owners import Owner
from joinery.apps.care.referrals import Referral, open_referrals
from joinery.apps.care.rules import climbs_at
from joinery.apps.care.services import offered

_UNSEEN = "r.id IN (SELECT n.referral_id FROM care_unseennote n)"


@place_facts
def waited_for(at: datetime) -> frozenset[int]:
    """The users for whom something waits: their turn with a referral, a note that they have not read, or an answer to
    who asks them to take somebody on."""
    found = open_referrals(at, "1 = 1", [], offered(at.date()), ended=_UNSEEN)
    # Many have the same owners, one and the same tuple.
    owners = {id(each.owners): each.owners for each in found}
    turn = asked_to_take_on(at).union(owner.user_id for those in owners.values() for owner in those)
    return turn.union(*(_readers(each) for each in found if each.notes_for_sender or each.notes_for_service))


@place_facts
def due_for(at: datetime, due_by: datetime) -> dict[int, datetime]:
    """The users whose turn it is with what is due by a moment, and since when the newest of that waits for them."""
    newest: dict[int, datetime] = {}
    for each in open_referrals(at, "w.due_at <= %s", [stored(due_by)], offered(at.date())):
        since = {owner.why: _since(each, owner) for owner in each.owners}
        for owner in each.owners:
            newest[owner.user_id] = max(since[owner.why], newest.get(owner.user_id, since[owner.why]))
    return newest


def _since(each: Referral, owner: Owner) -> datetime:
    """Since when it waits for an owner: for whom it climbed to, since it did."""
    if owner.why in ("named", each.owners[0].why) or each.due_at is None:
        return each.since_at
    return each.due_at if owner.why == "manager" else climbs_at(each.urgency, each.due_at)


def _readers(each: Referral) -> frozenset[int]:
    """Who has a note to read."""
    of_sender = each.sender_ids if each.notes_for_sender else frozenset()
    return of_sender | (each.service_ids if each.notes_for_service else frozenset())
