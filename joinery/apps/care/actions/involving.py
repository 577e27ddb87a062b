"""Letting whoever holds what was asked for a person open their record, and nobody for longer than that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.fhir import file_referrals, file_teams
from joinery.apps.care.involved import involved_bodies, records_around, who_takes_part
from joinery.apps.care.models import InvolvedBody
from joinery.apps.care.referrals import referral_at
from joinery.apps.care.services import Offered, offered
from joinery.apps.place import facts as place

BATCH_RECORDS = 500


def tell(referral_ids: Collection[int], actor: Actor, at: datetime, offer: Offered | None = None) -> None:
    """File how some referrals stand now, and who may see the people because of it."""
    if referral_ids:
        involve(file_referrals(referral_ids=referral_ids, actor=actor, at=at), actor, at, offer)


def involve(record_ids: Collection[int], actor: Actor, at: datetime, offer: Offered | None = None) -> int:
    """Bring up to date which organisations are involved with the people of some records because of what is open for
    them; returns how many began or ended to be."""
    records, changed = sorted(record_ids), 0
    offer = offer or offered(at.date()) if records else None
    for first in range(0, len(records), BATCH_RECORDS):
        batch = records[first : first + BATCH_RECORDS]
        if offer:
            changed += _involve(batch, offer, actor, at)
    return changed


def _involve(batch: Sequence[int], offer: Offered, actor: Actor, at: datetime) -> int:
    was, now = involved_bodies(batch), who_takes_part(batch, offer, at)
    if was == now:
        return 0
    bodies = place.by_codes(sorted({code for _, code in was ^ now}), place.as_at(at.date()))
    for code in {code for _, code in was - now}:
        ended = [record_id for record_id, body in was - now if body == code]
        InvolvedBody.objects.filter(organisation_id=bodies[code].id, record_id__in=ended).delete()
    InvolvedBody.objects.bulk_create(
        InvolvedBody(record_id=record_id, organisation_id=bodies[code].id) for record_id, code in sorted(now - was)
    )
    file_teams(about=was ^ now, actor=actor, at=at)
    return len(was ^ now)


@action("care.reach", targets=("code",))
def reach(*, code: str, actor: Actor, at: datetime) -> None:
    """Let who holds a referral by now see the person: it may have climbed to them since anything was filed of it.

    Raises Refused for who does not hold it.
    """
    now = referral_at(code, at)
    if now is None or actor.user_id is None or not now.waits_for_user(actor.user_id):
        raise Refused("not_yours", "This referral does not wait for you.")
    involve([now.record_id], actor, at)


@action("care.involve_batch")
def involve_batch(*, record_ids: Sequence[int], actor: Actor, at: datetime) -> int:
    """Bring up to date who may see some people; returns how many organisations began or ended to be involved."""
    return involve(record_ids, actor, at)


def due(*, actor: Actor, at: datetime) -> int:
    """Bring up to date who may see whom, where time alone has changed it: members come and go by their dates, meetings
    pass. Returns how many organisations began or ended to be involved. Safe to repeat."""
    records, changed = records_around(at), 0
    for first in range(0, len(records), BATCH_RECORDS):
        changed += involve_batch(record_ids=records[first : first + BATCH_RECORDS], actor=actor, at=at)
    return changed
