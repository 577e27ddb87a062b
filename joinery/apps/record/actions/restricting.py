"""What a person, or who answers for her privacy, keeps back; and what is opened to somebody who asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db.models import Q

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.columns import select
from joinery.apps.place import facts as place
from joinery.apps.record.models import Grant, Item, OwnAccess, Restriction, RestrictionEnd
from joinery.apps.record.pairs import founding_record, records_linked_to, whose
from joinery.calc.linkage.ladder import name_key

# A withheld thing is opened for a piece of work, not for good. Our own assumption.
MOST_GRANT_DAYS = 31
_SAY_WHY = "Say in a few words why."


@action("record.restrict", targets=("person_id", "kind", "organisation_code", "writer_code", "entry_id"))
def restrict(
    *,
    person_id: str,
    kind: str,
    words: str,
    organisation_code: str = "",
    writer_code: str = "",
    names: Sequence[str] = (),
    entry_id: int | None = None,
    actor: Actor,
    at: datetime,
) -> int:
    """Keep something of a person's record back; returns the restriction's id. Raises Refused.

    An `objection` names the organisation that is not to see the record, or the writer outside which nobody is;
    a `sealed_name` each name on its own; an `own_view` the entry, or none for the whole record.
    """
    if kind not in Restriction.Kind.values:
        raise Refused("kind", f"There is no restriction {kind}. There are: {', '.join(Restriction.Kind.values)}.")
    if not words.strip():
        raise Refused("words", _SAY_WHY)
    objects, seals = kind == Restriction.Kind.OBJECTION, kind == Restriction.Kind.SEALED_NAME
    if objects != bool(organisation_code or writer_code) or (organisation_code and writer_code):
        raise Refused("organisation", "Choose one organisation for an objection, and none for anything else.")
    if entry_id is not None and kind != Restriction.Kind.OWN_VIEW:
        raise Refused("entry", "One entry alone can only be kept from the person's own view.")
    keys = dict.fromkeys(key for name in names if (key := name_key(name)))
    if seals != bool(keys):
        raise Refused("names", "Write each name that is to be sealed, and none for anything else.")
    said = {
        "record_id": _record_of(person_id),
        "kind": kind,
        "organisation_id": _organisation(organisation_code, at.date()),
        "writer_id": _organisation(writer_code, at.date()),
        "item_id": _item_of(person_id, entry_id) if entry_id is not None else None,
        "names": f" {' '.join(keys)} " if keys else "",
    }
    # A form may be sent twice: what holds already is not said again.
    held = Restriction.objects.exclude(pk__in=RestrictionEnd.objects.values("restriction_id")).filter(**said).first()
    return (held or Restriction.objects.create(**said, words=words.strip(), made_by=actor.name, at=at)).pk


@action("record.end_restriction", targets=("restriction_id",))
def end_restriction(*, restriction_id: int, words: str, actor: Actor, at: datetime) -> None:
    """Let a restriction hold no longer. Raises Refused."""
    if not words.strip():
        raise Refused("words", _SAY_WHY)
    held = Restriction.objects.filter(pk=restriction_id).exists()
    if not held or RestrictionEnd.objects.filter(restriction_id=restriction_id).exists():
        raise Refused("absent", "That restriction has ended already, or never was.")
    RestrictionEnd.objects.create(restriction_id=restriction_id, words=words.strip(), made_by=actor.name, at=at)


@action("record.grant_reading", targets=("item_id", "organisation_code", "user_id"))
def grant_reading(
    *, item_id: int, organisation_code: str, user_id: int, until_at: datetime, actor: Actor, at: datetime
) -> int:
    """Open a withheld thing to a user in their post at an organisation, for 31 days at most. Raises Refused."""
    if not at < until_at <= at + timedelta(days=MOST_GRANT_DAYS):
        raise Refused("until", f"Choose an end in the next {MOST_GRANT_DAYS} days.")
    if not Item.objects.filter(pk=item_id).exists():
        raise Refused("absent", "There is no such entry.")
    return Grant.objects.create(
        item_id=item_id, organisation=organisation_code, user_id=user_id, until_at=until_at, made_by=actor.name, at=at
    ).pk


@action("record.give_own_access", targets=("person_id", "user_id", "kind"))
def give_own_access(
    *,
    person_id: str,
    user_id: int,
    kind: str,
    from_date: date,
    to_date: date | None = None,
    actor: Actor,
    at: datetime,
) -> int:
    """Let a user see a record that is their own (`own`), or that of somebody they act for (`carer`), from a day up to,
    not including, another. Raises Refused."""
    if kind not in OwnAccess.Kind.values:
        raise Refused("kind", f"There is no access {kind}. There are: {', '.join(OwnAccess.Kind.values)}.")
    if to_date is not None and to_date <= from_date:
        raise Refused("to_date", "Choose an end after the beginning.")
    record_id = _record_of(person_id)
    others = OwnAccess.objects.filter(Q(to_date=None) | Q(to_date__gt=from_date), user_id=user_id, kind="own")
    if kind == OwnAccess.Kind.OWN and others.exclude(record_id=record_id).exists():
        raise Refused("own", "That user has a record of their own already. End that access first.")
    return OwnAccess.objects.create(
        user_id=user_id, record_id=record_id, kind=kind, from_date=from_date, to_date=to_date, made_by=actor.name, at=at
    ).pk


@action("record.end_own_access", targets=("person_id", "user_id"))
def end_own_access(*, person_id: str, user_id: int, on: date, actor: Actor, at: datetime) -> None:
    """End what a user may see of a person as their own or as who acts for them, from a day on. Raises Refused."""
    held = _own_access(person_id, user_id, on)
    if not held:
        raise Refused("absent", "That access has ended already, or never was.")
    for each in held:
        OwnAccess.objects.create(
            user_id=user_id, record_id=each.record_id, kind=each.kind, from_date=each.from_date, to_date=on,
            made_by=actor.name, at=at,
        )  # fmt: skip


def _own_access(person_id: str, user_id: int, on: date) -> list[OwnAccess]:
    """What a user holds of the records of a person that goes on after a day: the newest row of each record."""
    rows = OwnAccess.objects.filter(user_id=user_id, record_id__in=records_linked_to(whose(person_id) or ""))
    newest = {row.record_id: row for row in rows.order_by("id")}
    return [row for row in newest.values() if row.to_date is None or row.to_date > on]


def _record_of(person_id: str) -> int:
    """The record on which what is decided about a person hangs. Raises Refused."""
    now = whose(person_id)
    record = founding_record(now) if now else None
    if record is None:
        raise Refused("absent", "There is no such person.")
    return record


def _organisation(code: str, on: date) -> int | None:
    """The id of an organisation; None without a code. Raises Refused."""
    if not code:
        return None
    body = place.organisation(code, place.as_at(on))
    if body is None:
        raise Refused("organisation", f"No organisation has the code {code}.")
    return body.id


def _item_of(person_id: str, entry_id: int) -> int:
    """The item that makes an entry of a person. Raises Refused."""
    rows = select("SELECT item_id, record_id FROM record_entry WHERE id = %s", [entry_id])
    if not rows or rows[0][1] not in records_linked_to(whose(person_id) or ""):
        raise Refused("entry", "The person has no such entry.")
    return int(rows[0][0])
