"""What a user is in the place on a day, whatever has become of the body that took them on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from joinery.apps.base.columns import as_day, marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.homes import with_homes
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.memberships import Held, held_on, where_now
from joinery.apps.place.sql import AsAt
from joinery.calc.access import ROLES, Post, stands_for_group
from joinery.calc.succession import Lineage, Reach, Step


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user is on a day: posts, the first of them in words, and whether one of their
    memberships waits for a decision because its body ended without a plain successor."""

    posts: tuple[Post, ...]
    role_text: str
    organisation_name: str
    waits: bool = False


@place_facts
def standing(user_id: int, on: date) -> Standing:
    """The posts that a user holds on a day, in the order in which they were given."""
    held, names, moved = held_on(on, "m.user_id = %s", [user_id])
    if not held:
        return Standing((), "", "")
    if moved:
        line, more = lineage_of({code for each in held for code in each.bodies}, AsAt(on))
        names |= more
    else:
        line = Lineage({}, ())
    posts, waits = [], False
    for each in held:
        now = where_now(each, line, on)
        waits = waits or line.ended(now, on)
        reach = line.reach(each.body, each.given, each.decided) if moved else ()
        if stands_for_group(each.role):
            reach = with_homes(reach or (Reach(now),), AsAt(on))
        posts.append(Post(each.role, now, reach))
    first = posts[0]
    return Standing(tuple(posts), ROLES.get(first.role, first.role), names.get(first.organisation, ""), waits)


@dataclass(frozen=True, slots=True)
class Holder:
    """A user who holds a role today, at the organisation (its code) where the membership stands by now.

    `came_from` are the organisations that have passed it on: through those they still meet the people whom they met.
    """

    user_id: int
    user_name: str
    role: str
    organisation: str
    came_from: frozenset[str] = frozenset()


@place_facts
def holders(on: date, roles: Collection[str] = ()) -> tuple[Holder, ...]:
    """Who holds some roles on a day, or any role, and can log in; in the order in which they were given."""
    held, _, moved = held_on(on, f"m.role IN ({marks(list(roles))})" if roles else "1 = 1", list(roles))
    line = lineage_of({code for each in held for code in each.bodies}, AsAt(on))[0] if moved else Lineage({}, ())
    users = sorted({each.user_id for each in held})
    sql = f"SELECT id, name FROM base_user WHERE is_active AND id IN ({marks(users)})"
    names = dict(select(sql, users)) if users else {}
    return tuple(
        _holder(each, names[each.user_id], where_now(each, line, on) if moved else each.body)
        for each in held
        if each.user_id in names
    )


def _holder(each: Held, name: str, now: str) -> Holder:
    return Holder(each.user_id, name, each.role, now, frozenset(each.bodies - {now}))


@dataclass(frozen=True, slots=True)
class Staffed:
    """Who holds which role in the place on a day and can log in, what became of bodies, and what they are called.

    `home` is the code of the body that the deployment serves, or empty.
    """

    holders: tuple[Holder, ...]
    lineage: Lineage
    names: dict[str, str]
    home: str


@place_facts
def staffed(on: date, codes: Collection[str]) -> Staffed:
    """Everybody who holds a role on a day, with what became of the bodies where they do and of some others, in two
    statements: for lists that must say of each line whom it waits for."""
    as_at = AsAt(on)
    rows = select(
        "SELECT m.id, m.user_id, u.name, m.role, m.from_date, o.code, pe.code, po.code, p.from_date, "
        "(SELECT ho.code FROM place_home h JOIN place_organisation ho ON ho.id = h.organisation_id "
        "ORDER BY h.id DESC LIMIT 1) FROM place_membership m JOIN base_user u ON u.id = m.user_id AND u.is_active "
        "JOIN place_organisation o ON o.id = m.organisation_id LEFT JOIN place_passing p ON p.membership_id = m.id "
        "LEFT JOIN place_organisation pe ON pe.id = p.ended_id "
        f"LEFT JOIN place_organisation po ON po.id = p.organisation_id WHERE {as_at.holds('m')} ORDER BY m.id, p.id",
        as_at.day,
    )
    held: dict[int, tuple[Held, str]] = {}
    for number, user_id, name, role, given, body, ended, passed, since, _ in rows:
        each, _ = held.setdefault(number, (Held(number, user_id, role, as_day(given) or date.min, body, {}), name))
        if ended is not None:
            each.decided[ended] = Step(passed, as_day(since) or date.min)
    home = rows[0][-1] or "" if rows else ""
    bodies = {code for each, _ in held.values() for code in each.bodies}
    line, names = lineage_of({*codes, *bodies, *([home] if home else [])}, as_at)
    found = (_holder(each, name, where_now(each, line, on)) for each, name in held.values())
    return Staffed(tuple(found), line, names, home)


@place_facts
def lineage(codes: Collection[str], as_at: AsAt) -> Lineage:
    """What became of some bodies, and all that came into any of that."""
    return lineage_of(codes, as_at)[0]


@place_facts
def lineage_named(codes: Collection[str], as_at: AsAt) -> tuple[Lineage, dict[str, str]]:
    """As `lineage`, with the names of all these bodies: those of the day, or the last ones before."""
    return lineage_of(codes, as_at)
