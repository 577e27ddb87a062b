"""Keeping what became of a message to a body outside."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.actions.notes import write_note
from joinery.apps.care.facts.deliveries import PASSES
from joinery.apps.care.models import Delivery, Referral
from joinery.apps.care.states import SENDER, SERVICE
from joinery.apps.place import facts as place

MOST_ANSWER = 500


@action("care.note_delivery", targets=("code", "number", "to"))
def note_delivery(*, code: str, number: int, to: str, status: int, words: str, actor: Actor, at: datetime) -> str:
    """Keep what a body outside answered to a step of a referral; returns what became of it: `taken`, `refused` for
    good, or `failed`, to go again. Of what is refused a note tells whoever it came from, who must reach them another
    way. Raises Refused."""
    body = place.by_codes([to], place.as_at(at.date())).get(to)
    referral = Referral.objects.filter(code=code).first()
    if body is None or referral is None:
        raise Refused("absent", "There is no such referral, or no such organisation.")
    words = words.replace("\0", "").strip()[:MOST_ANSWER]
    Delivery.objects.create(
        referral=referral, number=number, organisation_id=body.id, status=status, words=words, at=at
    )
    if 200 <= status < 300:
        return "taken"
    if 400 <= status < 500 and status not in PASSES:
        told = f"The system of {body.name} did not take this ({status}). Reach them another way. It says: {words}"
        # As if the other side had written it, so that it waits for the side whose message it was.
        side = SERVICE if referral.outside_id is None else SENDER
        write_note(code=code, words=told, side=side, actor=actor, at=at)
        return "refused"
    return "failed"
