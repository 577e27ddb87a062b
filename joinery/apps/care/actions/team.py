"""Who is around a person: taking a part, handing it over without a gap, ending it."""

from __future__ import annotations

from datetime import date, datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.care.facts.team import CO_ORDINATOR, HOLDS, OFFERED, PARTS, PartHeld, parts_held, team_part
from joinery.apps.care.fhir import file_team
from joinery.apps.care.models import OpenReferral, TeamPart, TeamPartStep
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record
from joinery.calc.access import Post, may_do

MOST_NAME, MOST_LINE = 200, 300
# Parts that only somebody with a post in the place can have.
OF_STAFF = frozenset({TeamPart.Part.CO_ORDINATOR, TeamPart.Part.PROFESSIONAL})


@action("care.add_part", targets=("record_id", "part", "user_id"))
def add_part(
    *,
    record_id: int,
    part: str,
    actor: Actor,
    at: datetime,
    user_id: int | None = None,
    name: str = "",
    words: str = "",
    from_date: date | None = None,
) -> int:
    """Give somebody a part in a person's care; returns its id. `words` say how to reach them, or what they do.

    Of the co-ordinator it is an offer, which they agree to or not, unless it is whoever acts. Raises Refused when the
    actor's role does not arrange care, the part is none of ours, nobody is named, or they have it already.
    """
    _caring(actor, at)
    if part not in PARTS:
        raise Refused("part", "Choose what they are to the person.")
    post = _post_of(user_id, at) if user_id is not None else None
    if part in OF_STAFF and post is None:
        raise Refused("user", "Choose somebody who has a role in a service of the place today.")
    name = " ".join(name.replace("\0", "").split())[:MOST_NAME]
    if user_id is None and not name:
        raise Refused("name", "Enter a name.")
    held = parts_held(record_id, at)
    if any(each.part == part and _same(each, user_id, name) and each.state in (OFFERED, HOLDS) for each in held):
        raise Refused("already", "They have this part already, or have been asked.")
    body = place.by_codes([post.organisation], place.as_at(at.date()))[post.organisation] if post else None
    given = TeamPart.objects.create(
        record_id=record_id, part=part, user_id=user_id, organisation_id=body.id if body else None,
        name="" if user_id is not None else name, words=" ".join(words.replace("\0", "").split())[:MOST_LINE],
        from_date=from_date or at.date(), by=actor.name, at=at,
    )  # fmt: skip
    if part != CO_ORDINATOR or user_id == actor.user_id:
        _agree(given.pk, record_id, held, actor, at)
    file_team(record_id=record_id, actor=actor, at=at)
    return given.pk


@action("care.answer_part", targets=("part_id",))
def answer_part(*, part_id: int, agree: bool, actor: Actor, at: datetime, words: str = "") -> None:
    """Take on a part that was offered, or not. Whoever had it before is relieved in the same moment.

    Raises Refused when it was not offered to the actor, or has been answered.
    """
    part = team_part(part_id, at)
    if part is None or part.user_id is None or part.user_id != actor.user_id:
        raise Refused("not_yours", "This was not offered to you.")
    if part.state != OFFERED:
        raise Refused("answered", "You have answered this already.")
    if not agree:
        _step(part_id, TeamPartStep.Step.NO, words, actor, at)
        return
    _agree(part_id, part.record_id, parts_held(part.record_id, at), actor, at)
    file_team(record_id=part.record_id, actor=actor, at=at)


@action("care.end_part", targets=("part_id",))
def end_part(*, part_id: int, actor: Actor, at: datetime, words: str = "") -> None:
    """End a part, or take an offer back. The co-ordinator's ends by another's agreeing while anything is open.

    Raises Refused otherwise, and when the actor's role does not arrange care.
    """
    _caring(actor, at)
    part = team_part(part_id, at)
    if part is None or part.state not in (OFFERED, HOLDS):
        raise Refused("absent", "This part has ended already.")
    if part.part == CO_ORDINATOR and part.state == HOLDS:
        records = record.records_of_same(part.record_id)
        if OpenReferral.objects.filter(referral__record_id__in=records).exists():
            raise Refused(
                "gap", "Something is under way for this person. Ask somebody else to be co-ordinator: when they agree, "
                "this part ends by itself.",
            )  # fmt: skip
    _step(part_id, TeamPartStep.Step.ENDED, words, actor, at)
    file_team(record_id=part.record_id, actor=actor, at=at)


def _agree(part_id: int, record_id: int, held: tuple[PartHeld, ...], actor: Actor, at: datetime) -> None:
    """The part is taken on; a person has one co-ordinator, so whoever was that before is no more."""
    _step(part_id, TeamPartStep.Step.AGREED, "", actor, at)
    if TeamPart.objects.filter(pk=part_id, part=CO_ORDINATOR).exists():
        for each in held:
            if each.part == CO_ORDINATOR and each.state == HOLDS and each.part_id != part_id:
                _step(each.part_id, TeamPartStep.Step.ENDED, "Handed over", actor, at)
                if each.record_id != record_id:  # two records that were found to be about one person
                    file_team(record_id=each.record_id, actor=actor, at=at)


def _step(part_id: int, step: str, words: str, actor: Actor, at: datetime) -> None:
    said = words.replace("\0", "").strip()[:MOST_LINE]
    TeamPartStep.objects.create(part_id=part_id, step=step, words=said, by=actor.name, at=at)


def _same(part: PartHeld, user_id: int | None, name: str) -> bool:
    if user_id is not None or part.user_id is not None:
        return part.user_id == user_id
    return part.name.casefold() == name.casefold()


def _post_of(user_id: int, at: datetime) -> Post | None:
    return next(iter(place.standing(user_id, at.date()).posts), None)


def _caring(actor: Actor, at: datetime) -> None:
    if actor.user_id is None:  # a part of the system acts for somebody who was asked already
        return
    if not may_do(place.standing(actor.user_id, at.date()).posts, "refer").allowed:
        raise Refused("role", "Your role does not arrange people's care.")
