"""Who works where, as their managers see it: the role, until when, and when it is to be looked at again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.base.facts import place_facts, staff_rules
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.memberships import Held, held_on, where_now
from joinery.apps.place.sql import AsAt, as_stored
from joinery.calc.access import ROLES
from joinery.calc.succession import Lineage


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One role of one user at one body, now or soon. `login` is the email address or the login name.

    `to_date` is the first day on which it is held no more; None: it goes on. `posts` counts the roles that the
    user has or will have anywhere. `looked_at` is the day on which it was last given, prolonged or looked at.
    """

    membership_id: int
    user_id: int
    name: str
    login: str
    role: str
    body: str
    body_name: str
    from_date: date
    to_date: date | None
    given_by: str
    last_login: datetime | None
    posts: int
    looked_at: date

    @property
    def role_text(self) -> str:
        """The role in words."""
        return ROLES.get(self.role, self.role)

    @property
    def last_day(self) -> date | None:
        """The last day on which it is held; None: it goes on."""
        return self.to_date and self.to_date - timedelta(days=1)

    def ends_soon(self, on: date) -> bool:
        """True when few days are left of it."""
        return self.to_date is not None and (self.to_date - on).days <= staff_rules(on).ends_soon_days

    def due(self, on: date) -> date:
        """The day on which it is to be looked at again."""
        return self.looked_at + timedelta(days=staff_rules(on).review_every_days)

    def is_due(self, on: date) -> bool:
        """True from the day on which it is to be looked at again."""
        return self.due(on) <= on

    def is_overdue(self, on: date) -> bool:
        """True when nobody has looked at it in time."""
        return self.due(on) + timedelta(days=staff_rules(on).review_within_days) < on


@place_facts
def left(on: date, of: Collection[int] | None = None) -> frozenset[int]:
    """The users (their ids) who can log in and neither have a role on a day nor will: of some, or of all who once
    had one."""
    who = (
        f"u.id IN ({marks(list(of))})"
        if of is not None
        else ("EXISTS (SELECT 1 FROM place_membership h WHERE h.user_id = u.id)")
    )
    rows = select(
        f"SELECT u.id FROM base_user u WHERE u.is_active AND {who} AND NOT EXISTS "
        "(SELECT 1 FROM place_membership m WHERE m.user_id = u.id AND (m.to_date IS NULL OR m.to_date > %s))",
        [*(of or ()), as_stored(on)],
    )
    return frozenset(row[0] for row in rows)


@place_facts
def staff(on: date, codes: Collection[str] | None = None) -> tuple[StaffMember, ...]:
    """Who has a role, or will have, at some bodies (None: at any), by body and name.

    A role stands at the body that goes on with the one where it was given.
    """
    where, values, line = "1 = 1", list[str](), Lineage({}, ())
    names: dict[str, str] = {}
    if codes is not None:
        line, names = lineage_of(codes, AsAt(on))
        values = sorted({*codes, *(edge.body for edge in line.edges)})
        where = f"o.code IN ({marks(values)})"
    held, given, moved = held_on(on, where, values, or_later=True)
    if codes is None and moved:
        line, names = lineage_of({code for each in held for code in each.bodies}, AsAt(on))
    stand = {each.id: where_now(each, line, on) for each in held}
    stand = {key: code for key, code in stand.items() if codes is None or code in codes}
    found = _members([each for each in held if each.id in stand], stand, given | names, on)
    return tuple(sorted(found, key=lambda m: (m.body_name, m.name, m.membership_id)))


def _members(held: list[Held], stand: dict[int, str], names: dict[str, str], on: date) -> list[StaffMember]:
    sql = (
        "SELECT m.id, u.name, COALESCE(u.email, u.login_name, ''), m.to_date, m.given_by, u.last_login, "
        "(SELECT COUNT(*) FROM place_membership x WHERE x.user_id = u.id AND (x.to_date IS NULL OR x.to_date > %s)), "
        "(SELECT MAX(r.at) FROM place_accessreview r WHERE r.membership_id = m.id) "
        f"FROM place_membership m JOIN base_user u ON u.id = m.user_id WHERE m.id IN ({marks(held)})"
    )
    rows = {row[0]: row[1:] for row in select(sql, [as_stored(on), *(each.id for each in held)])} if held else {}
    found = []
    for each in held:
        name, login, to_date, given_by, last_login, posts, reviewed = rows[each.id]
        found.append(
            StaffMember(
                membership_id=each.id, user_id=each.user_id, name=name, login=login, role=each.role,
                body=stand[each.id], body_name=names.get(stand[each.id], stand[each.id]),
                from_date=each.given, to_date=as_day(to_date), given_by=given_by,
                last_login=as_moment(last_login) if last_login else None, posts=posts,
                looked_at=max(each.given, as_moment(reviewed).date()) if reviewed else each.given,
            )
        )  # fmt: skip
    return found
