"""What the place offers on a day, who works in it, and who is there at all: read together, for all that asks whom
something waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import orjson
from django.db import connection

from joinery.apps.base.columns import as_day, select
from joinery.apps.care.owners import Here
from joinery.apps.care.rules import rules_on
from joinery.apps.place import facts as place
from joinery.calc.access import ROLES, Post, posts_with
from joinery.calc.succession import Lineage

# Who cares for people does this; it stands in definitions/access.toml.
REFER = "refer"


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a service, up to, not including, `to_date`; `body` is the code of where they hold a post for it, as
    it is today. It counts while they do, and can log in."""

    member_id: int
    user_id: int
    name: str
    body: str
    manages: bool
    from_date: date
    to_date: date | None
    counts: bool


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """A service as it is on a day. `body` (a code) runs it: the one that was named, or that took over from it.

    `areas` are codes of the bodies whose area it serves; none: everybody. One that is `closed` passed what it had to
    its `successor` (a code, or empty).
    """

    service_id: int
    code: str
    name: str
    kind: str
    kind_text: str
    about: str
    body: str
    body_name: str
    areas: tuple[str, ...]
    open: bool
    closed: bool
    successor: str
    from_date: date
    members: tuple[Member, ...] = ()

    def has(self, user_id: int) -> bool:
        """Whether a user works in it, or manages it."""
        return any(member.user_id == user_id for member in self.members if member.counts)

    def serves(self, around: Collection[str] | None) -> bool:
        """Whether it serves who lives in the area of these bodies. None: where they live is not known."""
        return not self.areas or around is None or not set(self.areas).isdisjoint(around)

    def managed_by(self, user_id: int) -> bool:
        """Whether a user manages it."""
        return any(member.user_id == user_id and member.manages for member in self.members if member.counts)


@dataclass(frozen=True)
class Offered:
    """All services on a day, open or not, by code, and who is there today; `names` are those of bodies by
    their code.

    `co_ordinators` are the record and the user of everybody's named co-ordinator, who agreed and has not ended it: of
    two for one person the one who agreed last comes last.
    """

    on: date
    services: Mapping[str, ServiceNow]
    here: Here
    lineage: Lineage
    names: Mapping[str, str]
    co_ordinators: tuple[tuple[int, int], ...]

    def now(self, code: str) -> str:
        """The service that goes on with one: itself while it is not closed."""
        seen: set[str] = set()
        while code not in seen and self.services[code].closed and self.services[code].successor:
            seen.add(code)
            code = self.services[code].successor
        return code

    def heir(self, body: str) -> str:
        """The body that goes on with one; empty where nobody has decided."""
        return self.lineage.heir(body, self.on) or ""


# Two kinds of rows in one statement, for a page has few: services with each of their members, and people's named
# co-ordinators.
_COLUMNS = 18


def _only(given: Mapping[int, str]) -> str:
    """The columns of a kind of row that has few of them."""
    return ", ".join(given.get(column, "NULL") for column in range(_COLUMNS))


_AROUND = (
    "SELECT s.id, s.code, t.name, t.kind, t.about, o.code, t.areas, t.open, t.closed, sc.code, t.from_date, "
    "m.id, m.user_id, u.name, mo.code, m.manages, m.from_date, m.to_date FROM care_service s "
    "JOIN care_serviceterms t ON t.id = (SELECT n.id FROM care_serviceterms n WHERE n.service_id = s.id "
    "AND n.from_date <= %s ORDER BY n.from_date DESC, n.id DESC LIMIT 1) "
    "JOIN place_organisation o ON o.id = t.organisation_id LEFT JOIN care_service sc ON sc.id = t.successor_id "
    "LEFT JOIN care_servicemember m ON m.service_id = s.id AND m.from_date <= %s "
    "AND (m.to_date IS NULL OR m.to_date > %s) LEFT JOIN base_user u ON u.id = m.user_id "
    "LEFT JOIN place_organisation mo ON mo.id = m.organisation_id "
    f"UNION ALL SELECT {_only({0: 'a.id', 11: 'p.record_id', 12: 'p.user_id'})} FROM care_teampart p "
    "JOIN care_teampartstep a ON a.part_id = p.id AND a.step = 'agreed' WHERE p.part = 'co_ordinator' "
    "AND p.user_id IS NOT NULL AND NOT EXISTS "
    "(SELECT 1 FROM care_teampartstep e WHERE e.part_id = p.id AND e.step = 'ended') ORDER BY 1, 12"
)


def offered(on: date) -> Offered:
    """What the place offers on a day, and who is there: three statements."""
    day = connection.ops.adapt_datefield_value(on)
    found = select(_AROUND, [day, day, day])
    rows = [row for row in found if row[1] is not None]
    staff = place.staffed(on, {code for row in found for code in (row[5], row[14]) if code})
    posts = {(holder.user_id, holder.organisation) for holder in staff.holders}
    services: dict[str, ServiceNow] = {}
    members: dict[str, list[Member]] = defaultdict(list)
    for row in rows:
        if row[1] not in services:
            services[row[1]] = _service(row[:11], staff, on)
        if row[11] is not None:
            members[row[1]].append(_member(row[11:], staff, posts, on))
    services = {code: replace(each, members=tuple(members[code])) for code, each in services.items()}
    agreed = tuple((row[11], row[12]) for row in found if row[1] is None)
    return Offered(on, services, _here(services, staff), staff.lineage, staff.names, agreed)


def bodies_around(area: str, on: date) -> frozenset[str] | None:
    """The codes of the bodies that answer for an LSOA on a day; None where it is not known."""
    return frozenset(each.body.code for each in place.responsible(area, place.as_at(on))) if area else None


def _service(row: tuple[Any, ...], staff: place.Staffed, on: date) -> ServiceNow:
    number, code, name, kind, about, body, areas, is_open, closed, successor, from_date = row
    now = staff.lineage.heir(body, on) or body
    return ServiceNow(
        service_id=number, code=code, name=name, kind=kind, kind_text=rules_on(on).kinds.get(kind, kind), about=about,
        body=now, body_name=staff.names.get(now, now),
        areas=tuple(orjson.loads(areas) if isinstance(areas, str) else areas), open=bool(is_open and not closed),
        closed=bool(closed), successor=successor or "", from_date=as_day(from_date) or date.min,
    )  # fmt: skip


def _member(row: tuple[Any, ...], staff: place.Staffed, posts: set[tuple[int, str]], on: date) -> Member:
    number, user_id, name, body, manages, from_date, to_date = row
    now = staff.lineage.heir(body, on) or body
    counts = (user_id, now) in posts
    return Member(
        number, user_id, name, now, bool(manages), as_day(from_date) or date.min, as_day(to_date), counts
    )  # fmt: skip


def _here(services: Mapping[str, ServiceNow], staff: place.Staffed) -> Here:
    members = {
        manages: {
            code: tuple(dict.fromkeys(m.user_id for m in service.members if m.counts and m.manages is manages))
            for code, service in services.items()
        }
        for manages in (False, True)
    }
    return Here(staff.holders, members[False], members[True], caring_roles(), staff.home)


@cache
def caring_roles() -> frozenset[str]:
    """The roles that care for people, and so refer them."""
    return frozenset(role for role in ROLES if posts_with([Post(role, "")], REFER))
