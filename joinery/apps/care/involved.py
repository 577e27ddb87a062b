"""Which organisations may see a person because their people hold what was asked for them, or are to meet about them.

Who sent a referral and who runs the service it is with are involved by the referral itself. A team may be of several
organisations: here are the others, and those whom it has climbed to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, time

from joinery.apps.base.columns import as_moment, marks, select, stored
from joinery.apps.care.referrals import Referral, open_referrals
from joinery.apps.care.services import Offered
from joinery.apps.place.facts import Holder

# Owners who are neither of the services, nor of the bodies behind the two sides.
_FURTHER = ("co_ordinator", "place")
# A record and the code of an organisation.
Pair = tuple[int, str]

# A line `l` on the list of a meeting `m` counts from being listed until the day of the meeting is over, and all that
# it asked for is done. Carries a mark for the beginning of the day.
_LISTED = (
    "care_meetingperson l JOIN care_meeting m ON m.id = l.meeting_id AND (m.begins_at >= %s OR EXISTS "
    "(SELECT 1 FROM care_meetingaction a WHERE a.person_id = l.id AND NOT EXISTS "
    "(SELECT 1 FROM care_meetingactiondone x WHERE x.action_id = a.id)))"
)


def involved_bodies(record_ids: Collection[int]) -> set[Pair]:
    """As it was worked out last for some records."""
    sql = (
        "SELECT i.record_id, o.code FROM care_involvedbody i JOIN place_organisation o ON o.id = i.organisation_id "
        f"WHERE i.record_id IN ({marks(list(record_ids))})"
    )
    return {(record_id, code) for record_id, code in select(sql, [*record_ids])}


def who_takes_part(record_ids: Collection[int], offer: Offered, at: datetime) -> set[Pair]:
    """As it is now for some records."""
    where, values = f"r.record_id IN ({marks(list(record_ids))})", [*record_ids]
    found = {
        (each.record_id, body)
        for each in open_referrals(at, where, values, offer)
        for body in bodies_of(each, offer) - {each.body, each.sender_body}
    }
    for record_id, service, _ in meetings_about(record_ids, at):
        found |= {(record_id, body) for body in _bodies_behind([offer.now(service)], offer)}
    return found


def meetings_about(record_ids: Collection[int], at: datetime) -> list[tuple[int, str, datetime]]:
    """The meetings on whose list the people of some records stand, while that counts: record, service and moment."""
    sql = (
        f"SELECT l.record_id, s.code, m.begins_at FROM {_LISTED} JOIN care_service s ON s.id = m.service_id "
        f"WHERE l.record_id IN ({marks(list(record_ids))}) ORDER BY m.begins_at"
    )
    rows = select(sql, [_begin_of_day(at), *record_ids])
    return [(record_id, service, as_moment(begins_at)) for record_id, service, begins_at in rows]


def bodies_of(each: Referral, offer: Offered) -> set[str]:
    """The organisations of all who work in the services on both sides, and of whoever else holds the referral."""
    owners = {owner.user_id for owner in each.owners}
    nearer, reached = (each.body, each.sender_body), _reached(each)
    found = {
        body
        for holder in _caring(owners, offer)
        if holder.user_id in reached or holder.organisation in nearer
        for body in (holder.organisation, *holder.came_from)
    }
    return found | _bodies_behind(filter(None, (each.service, each.from_service)), offer)


def bodies_reached(each: Referral, offer: Offered) -> set[str]:
    """Where those care for people who hold it because it has climbed to them, or because nobody nearer is there."""
    return {holder.organisation for holder in _caring(_reached(each), offer)}


def _reached(each: Referral) -> set[int]:
    return {owner.user_id for owner in each.owners if owner.why in _FURTHER}


def _caring(users: Collection[int], offer: Offered) -> Iterator[Holder]:
    """The posts of some users in which they care for people."""
    return (holder for holder in offer.here.holders if holder.user_id in users and holder.role in offer.here.caring)


def _bodies_behind(services: Iterable[str], offer: Offered) -> set[str]:
    """Where those work who are of some services today, and what has become part of that: whoever came with it does not
    meet the people whom the others knew before."""
    members = {(m.user_id, m.body) for code in services for m in offer.services[code].members if m.counts}
    came = (h.came_from for h in offer.here.holders if (h.user_id, h.organisation) in members)
    return {body for _, body in members}.union(*came)


def bodies_in(services: Iterable[str], offer: Offered) -> set[str]:
    """The organisations of those who work in some services today."""
    return {member.body for code in services for member in offer.services[code].members if member.counts}


_OPEN = "SELECT r.record_id FROM care_openreferral w JOIN care_referral r ON r.id = w.referral_id"


def records_at(service_id: int, at: datetime) -> list[int]:
    """The records of those for whom something is open at a service, or was asked by it, or whom it is to meet about."""
    ways = (
        f"{_OPEN} WHERE w.service_id = %s", f"{_OPEN} WHERE r.from_service_id = %s",
        f"SELECT l.record_id FROM {_LISTED} WHERE m.service_id = %s",
    )  # fmt: skip
    rows = select(" UNION ".join(ways), [service_id, service_id, _begin_of_day(at), service_id])
    return [record_id for (record_id,) in rows]


def records_around(at: datetime) -> list[int]:
    """The records of all for whom something is open or planned, or was when it was worked out last; in order."""
    ways = (_OPEN, f"SELECT l.record_id FROM {_LISTED}", "SELECT i.record_id FROM care_involvedbody i")
    return [record_id for (record_id,) in select(f"{' UNION '.join(ways)} ORDER BY 1", [_begin_of_day(at)])]


def _begin_of_day(at: datetime) -> object:
    return stored(datetime.combine(at.date(), time(), UTC))
