"""Messages about a referral from one side to the other."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.actions.referring import ABSENT, said
from joinery.apps.care.models import NoteSeen, ReferralNote, UnseenNote
from joinery.apps.care.referrals import Referral, referral_at
from joinery.apps.care.states import SENDER, SERVICE


@action("care.write_note", targets=("code", "side"))
def write_note(*, code: str, words: str, side: str = "", actor: Actor, at: datetime) -> None:
    """Write to the other side of a referral. Who may act for both, or for none (a part of the software), says for
    which `side` they write. Raises Refused."""
    now, sides = _seen_by(code, actor, at)
    if side and side not in sides:
        raise Refused("side", "You are not of that side.")
    if not side and len(sides) != 1:
        raise Refused("side", "Say for which side you write.")
    words = said(words, "Write your message")
    written = {"referral_id": now.referral_id, "side": side or next(iter(sides))}
    note = ReferralNote.objects.create(**written, words=words, by=actor.name, at=at)
    UnseenNote.objects.create(note_id=note.pk, **written)


@action("care.see_notes", targets=("code", "last_note_id"))
def see_notes(*, code: str, last_note_id: int, actor: Actor, at: datetime) -> None:
    """Say that the messages to one's own side are seen, up to the last that was shown. Raises Refused."""
    now, sides = _seen_by(code, actor, at)
    to_us = [side for side, other in ((SENDER, SERVICE), (SERVICE, SENDER)) if other in sides]
    waiting = UnseenNote.objects.filter(referral_id=now.referral_id, side__in=to_us, note_id__lte=last_note_id)
    seen = list(waiting.values_list("note_id", flat=True))
    # Somebody else may see them in the same moment; the first counts.
    NoteSeen.objects.bulk_create((NoteSeen(note_id=note, by=actor.name, at=at) for note in seen), ignore_conflicts=True)
    UnseenNote.objects.filter(note_id__in=seen).delete()


def _seen_by(code: str, actor: Actor, at: datetime) -> tuple[Referral, frozenset[str]]:
    now = referral_at(code, at)
    if now is None:
        raise Refused("absent", ABSENT)
    sides = frozenset({SENDER, SERVICE}) if actor.user_id is None else now.sides_of(actor.user_id)
    if not sides:
        raise Refused("not_yours", "This referral is between others.")
    return now, sides
