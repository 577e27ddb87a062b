"""Who sees a record because it is their own, or that of somebody they act for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_day, select
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.place.facts import as_at
from joinery.apps.record.sql import OWN_ACCESS_HOLDS, links

# A condition: own access `a` goes on after a day, given by a mark. The newest row of a user and a record counts.
_GOES_ON = (
    "(a.to_date IS NULL OR a.to_date > %s) AND NOT EXISTS (SELECT 1 FROM record_ownaccess n "
    "WHERE n.user_id = a.user_id AND n.record_id = a.record_id AND n.id > a.id)"
)


@dataclass(frozen=True, slots=True)
class OwnAccessHeld:
    """A user who sees a person's record, or will: it is their `own`, or they are a `carer` who acts for the person."""

    user_id: int
    name: str
    login: str
    kind: str
    from_date: date


@dataclass(frozen=True, slots=True)
class OwnPerson:
    """A person whose record a user may see: it is their `own`, or they are a `carer` who acts for the person."""

    person_id: str
    kind: str


@person_facts
def own_access(viewing: Viewing, on: date) -> tuple[OwnAccessHeld, ...]:
    """Who sees the record of the person of the viewing on a day as the person or for them, or will."""
    sql = (
        "SELECT a.user_id, u.name, COALESCE(u.email, u.login_name, ''), a.kind, a.from_date FROM record_ownaccess a "
        f"JOIN {links(on='k.record_id = a.record_id')} JOIN base_user u ON u.id = a.user_id "
        f"WHERE k.person_id = %s AND {_GOES_ON} ORDER BY a.kind DESC, u.name, a.id"
    )
    rows = select(sql, [viewing.person_id, as_at(on).day[0]])
    return tuple(OwnAccessHeld(user, name, login, kind, as_day(since) or on) for user, name, login, kind, since in rows)


@place_facts
def own_access_users(on: date) -> frozenset[int]:
    """The users (their ids) who see a record so on a day, or will; not whose it is."""
    rows = select(f"SELECT DISTINCT a.user_id FROM record_ownaccess a WHERE {_GOES_ON}", [as_at(on).day[0]])
    return frozenset(row[0] for row in rows)


@place_facts
def own_people(user_id: int, on: date) -> tuple[OwnPerson, ...]:
    """Whose records a user may see as the person or as who acts for them, their own first: ids and no more."""
    day = connection.ops.adapt_datefield_value(on)
    sql = (
        "SELECT DISTINCT k.person_id, a.kind FROM record_ownaccess a "
        f"JOIN {links(on='k.record_id = a.record_id')} WHERE a.user_id = %s AND {OWN_ACCESS_HOLDS} "
        "ORDER BY a.kind DESC, k.person_id"
    )
    found: dict[str, OwnPerson] = {}
    for person_id, kind in select(sql, [user_id, day, day]):
        found.setdefault(person_id, OwnPerson(person_id, kind))
    return tuple(found.values())
