"""Who is around a person: the named co-ordinator, professionals, the unpaid carer, the attorney; with dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.care.involved import bodies_in, bodies_reached, meetings_about
from joinery.apps.care.models import TeamPart
from joinery.apps.care.referrals import open_referrals
from joinery.apps.care.services import offered
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record

CO_ORDINATOR = TeamPart.Part.CO_ORDINATOR
PARTS = dict(TeamPart.Part.choices)
OFFERED, HOLDS, REFUSED, ENDED = "offered", "holds", "refused", "ended"
# What the last step of a part makes of it.
_AFTER = {None: OFFERED, "agreed": HOLDS, "no": REFUSED, "ended": ENDED}


@dataclass(frozen=True, slots=True)
class PartHeld:
    """One part in a person's care. `state`: offered, holds, refused, ended; `until_at` when it was refused or ended.

    `active` is false of a user who has left: the part is theirs no more, whatever its state.
    """

    part_id: int
    record_id: int
    part: str
    user_id: int | None
    name: str
    organisation: str
    organisation_name: str
    words: str
    state: str
    from_date: date
    until_at: datetime | None
    by: str
    by_name: str
    at: datetime
    active: bool

    @property
    def part_text(self) -> str:
        """The part in words."""
        return PARTS[self.part]

    @property
    def holds(self) -> bool:
        """Whether they have the part today."""
        return self.state == HOLDS and self.active


@dataclass(frozen=True, slots=True)
class CareTeam:
    """The people around a person: the co-ordinator, to whom that is offered, who else, and who was before."""

    co_ordinator: PartHeld | None
    offered: tuple[PartHeld, ...]
    others: tuple[PartHeld, ...]
    before: tuple[PartHeld, ...]


@person_facts
def care_team(viewing: Viewing, of: record.PersonRecords) -> CareTeam:
    """Who is around the person of the viewing, those of today in the order of the kinds of part."""
    records = [known.record_id for known in of.known]
    held = _parts(f"t.record_id IN ({marks(records)})", records, viewing.at) if records else ()
    order = list(PARTS)
    now = sorted((part for part in held if part.holds), key=lambda part: (order.index(part.part), part.from_date))
    lead = next((part for part in reversed(now) if part.part == CO_ORDINATOR), None)
    return CareTeam(
        co_ordinator=lead,
        offered=tuple(part for part in held if part.state == OFFERED and part.active),
        others=tuple(part for part in now if part is not lead),
        before=tuple(part for part in reversed(held) if part.state == ENDED or not part.active),
    )


@dataclass(frozen=True, slots=True)
class TeamAround:
    """A service because of which people can open somebody's record, by name, and the names of their organisations.

    `why`: it was `asked` for help; it `asks`, and waits for the answer; it `meets` about the person (`at`); or what was
    asked of it has `climbed` to people elsewhere.
    """

    name: str
    bodies: tuple[str, ...]
    why: str
    at: datetime | None = None


@person_facts
def teams_around(viewing: Viewing, of: record.PersonRecords) -> tuple[TeamAround, ...]:
    """The services because of which people can open the record of the person of the viewing today."""
    records, offer = [known.record_id for known in of.known], offered(viewing.at.date())

    def team(service: str, why: str, bodies: set[str], at: datetime | None = None) -> TeamAround:
        names = sorted(offer.names.get(code, code) for code in bodies)
        return TeamAround(offer.services[service].name, tuple(names), why, at)

    found = []
    for each in open_referrals(viewing.at, f"r.record_id IN ({marks(records)})", records, offer):
        found.append(team(each.service, "asked", {each.body} | bodies_in([each.service], offer)))
        if each.from_service:
            found.append(team(each.from_service, "asks", {each.sender_body} | bodies_in([each.from_service], offer)))
        if reached := bodies_reached(each, offer):
            found.append(team(each.service, "climbed", reached))
    for _, service, begins_at in meetings_about(records, viewing.at):
        found.append(team(offer.now(service), "meets", bodies_in([offer.now(service)], offer), begins_at))
    return tuple(dict.fromkeys(found))


@place_facts
def team_part(part_id: int, at: datetime) -> PartHeld | None:
    """One part, or None."""
    return next(iter(_parts("t.id = %s", [part_id], at)), None)


@place_facts
def parts_held(record_id: int, at: datetime) -> tuple[PartHeld, ...]:
    """Every part in the care of the person whom a record is about, oldest first."""
    records = sorted(record.records_of_same(record_id))
    return _parts(f"t.record_id IN ({marks(records)})", records, at)


@place_facts
def parts_on(record_ids: Sequence[int], at: datetime) -> tuple[PartHeld, ...]:
    """Every part that was given on some records, oldest first."""
    return _parts(f"t.record_id IN ({marks(record_ids)})", record_ids, at) if record_ids else ()


@place_facts
def offered_to(user_id: int, at: datetime) -> tuple[tuple[str, PartHeld], ...]:
    """What a user is asked to take on, oldest first, each with the id of the person."""
    waiting = [part for part in _parts("t.user_id = %s", [user_id], at) if part.state == OFFERED]
    people = record.people_of({part.record_id for part in waiting})
    return tuple((people[part.record_id], part) for part in waiting if part.record_id in people)


@place_facts
def asked_to_take_on(at: datetime) -> frozenset[int]:
    """The users who are asked to take something on and have not answered."""
    waiting = _parts("t.user_id IS NOT NULL AND x.step IS NULL", [], at)
    return frozenset(part.user_id for part in waiting if part.active and part.user_id is not None)


def _parts(where: str, values: Sequence[object], at: datetime) -> tuple[PartHeld, ...]:
    """Parts `t`, each with its last step, oldest first."""
    sql = (
        "SELECT t.id, t.record_id, t.part, t.user_id, COALESCE(u.name, t.name), o.code, t.words, t.from_date, t.by, "
        "t.at, x.step, x.at, u.is_active FROM care_teampart t LEFT JOIN base_user u ON u.id = t.user_id "
        "LEFT JOIN place_organisation o ON o.id = t.organisation_id LEFT JOIN care_teampartstep x ON x.part_id = t.id "
        "AND NOT EXISTS (SELECT 1 FROM care_teampartstep y WHERE y.part_id = t.id AND y.id > x.id) "
        f"WHERE {where} ORDER BY t.id"
    )
    rows = select(sql, values)
    if not rows:
        return ()
    users = {row[3] for row in rows if row[3] is not None}
    posted = {holder.user_id for holder in place.holders(at.date())} if users else set()
    bodies = place.organisation_names({row[5] for row in rows if row[5]}, at.date())
    names = place.actor_names({row[8] for row in rows})
    return tuple(_part(row, bodies, names, row[3] is None or row[3] in posted) for row in rows)


def _part(row: tuple[Any, ...], bodies: dict[str, str], names: dict[str, str], active: bool) -> PartHeld:
    part_id, record_id, part, user_id, name, code, words, from_date, by, at, step, step_at, _ = row
    day = as_day(from_date)
    if day is None:
        raise ValueError("a part without a first day")
    return PartHeld(
        part_id=part_id, record_id=record_id, part=part, user_id=user_id, name=name, organisation=code or "",
        organisation_name=bodies.get(code, code) if code else "", words=words, state=_AFTER[step], from_date=day,
        until_at=as_moment(step_at) if step in ("no", "ended") else None, by=by, by_name=names[by],
        at=as_moment(at), active=active,
    )  # fmt: skip
