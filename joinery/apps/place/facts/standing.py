"""What a user is in the place on a day, whatever has become of the body that took them on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from joinery.apps.base.columns import marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.homes import with_homes
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.memberships import held_on, where_now
from joinery.apps.place.sql import AsAt
from joinery.calc.access import ROLES, Post, stands_for_group
from joinery.calc.succession import Lineage, Reach


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
    """A user who holds a role today, at the organisation (its code) where the membership stands by now."""

    user_id: int
    user_name: str
    role: str
    organisation: str


@place_facts
def holders(on: date, roles: Collection[str] = ()) -> tuple[Holder, ...]:
    """Who holds some roles on a day, or any role, and can log in; in the order in which they were given."""
    held, _, moved = held_on(on, f"m.role IN ({marks(list(roles))})" if roles else "1 = 1", list(roles))
    line = lineage_of({code for each in held for code in each.bodies}, AsAt(on))[0] if moved else Lineage({}, ())
    users = sorted({each.user_id for each in held})
    sql = f"SELECT id, name FROM base_user WHERE is_active AND id IN ({marks(users)})"
    names = dict(select(sql, users)) if users else {}
    return tuple(
        Holder(each.user_id, names[each.user_id], each.role, where_now(each, line, on) if moved else each.body)
        for each in held
        if each.user_id in names
    )


@place_facts
def lineage(codes: Collection[str], as_at: AsAt) -> Lineage:
    """What became of some bodies, and all that came into any of that."""
    return lineage_of(codes, as_at)[0]


@place_facts
def lineage_named(codes: Collection[str], as_at: AsAt) -> tuple[Lineage, dict[str, str]]:
    """As `lineage`, with the names of all these bodies: those of the day, or the last ones before."""
    return lineage_of(codes, as_at)
