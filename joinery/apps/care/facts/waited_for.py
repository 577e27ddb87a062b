"""For whom something waits, over all users at once: so that they can be told that it does, and nothing of what."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.columns import stored
from joinery.apps.base.facts import place_facts
from joinery.apps.care.owners import Owner
from joinery.apps.care.referrals import Referral, open_referrals
from joinery.apps.care.rules import climbs_at
from joinery.apps.care.services import offered

_UNSEEN = "r.id IN (SELECT n.referral_id FROM care_unseennote n)"


@place_facts
def waited_for(at: datetime, due_by: datetime | None = None) -> dict[int, datetime]:
    """The users whose turn it is, and since when the newest of what waits has waited for them.

    Of what is due by a moment; with None of everything, with the notes that they have not read.
    """
    offer = offered(at.date())
    if due_by is None:
        found = open_referrals(at, "1 = 1", [], offer, ended=_UNSEEN)
    else:
        found = open_referrals(at, "w.due_at <= %s", [stored(due_by)], offer)
    newest: dict[int, datetime] = {}
    for each in found:
        for owner in each.owners:
            since = _since(each, owner)
            newest[owner.user_id] = max(since, newest.get(owner.user_id, since))
        for user in _readers(each) if due_by is None else ():
            newest.setdefault(user, each.since_at)
    return newest


def _since(each: Referral, owner: Owner) -> datetime:
    """Since when it has waited for an owner: for whom it climbed to, since it did."""
    if owner.why in ("named", each.owners[0].why) or each.due_at is None:
        return each.since_at
    return each.due_at if owner.why == "manager" else climbs_at(each.urgency, each.due_at)


def _readers(each: Referral) -> frozenset[int]:
    """Who has a note to read."""
    of_sender = each.sender_ids if each.notes_for_sender else frozenset()
    return of_sender | (each.service_ids if each.notes_for_service else frozenset())
