"""Whom a referral waits for: worked out when somebody asks, so that it waits for nobody who has left.

Nearest first: who is named, the service, the body that runs it, who co-ordinates the person's care, the place. The
nearest that has anybody today holds it; what is overdue reaches those further out as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from joinery.apps.place.facts import Holder

CO_ORDINATOR, LEAD = "care_co_ordinator", "integration_lead"
# How far a referral has climbed.
IN_TIME, OVERDUE, LONG_OVERDUE = range(3)


class Owner(NamedTuple):
    """Somebody for whom a referral waits, and why it is them: they are `named`, a `member` or `manager` of the
    service, care for people at its `body`, are the person's `co_ordinator`, or answer for the `place`."""

    user_id: int
    name: str
    why: str


class Turn(NamedTuple):
    """One side of a referral: who is named of it (or None), its service (a code, or empty), and the body behind it as
    it is called today (empty when that is no more). `asked` is the side that asked: its user counts while they hold a
    post at the body; that of a service while they are of it. `co_ordinator` is the person's (or None)."""

    user_id: int | None
    service: str
    body: str
    asked: bool
    co_ordinator: int | None = None


@dataclass(frozen=True)
class Here:
    """Who is there today: all who can log in and hold a role, and who of them are members and managers of services.

    `caring` are the roles that care for people, `home` the code of the body that the deployment serves.
    """

    holders: Sequence[Holder]
    members: Mapping[str, Sequence[int]]
    managers: Mapping[str, Sequence[int]]
    caring: frozenset[str]
    home: str
    names: dict[int, str] = field(init=False)
    bodies: dict[int, set[str]] = field(init=False)
    carers: dict[str, list[int]] = field(init=False)
    # By role and body; under no body those of all.
    roles: dict[tuple[str, str], list[int]] = field(init=False)

    def __post_init__(self) -> None:
        bodies: dict[int, set[str]] = {}
        carers: dict[str, list[int]] = {}
        roles: dict[tuple[str, str], list[int]] = {}
        for holder in self.holders:
            bodies.setdefault(holder.user_id, set()).add(holder.organisation)
            for body in ("", holder.organisation):
                roles.setdefault((holder.role, body), []).append(holder.user_id)
            if holder.role in self.caring:
                carers.setdefault(holder.organisation, []).append(holder.user_id)
        names = {holder.user_id: holder.user_name for holder in self.holders}
        for name, value in (("names", names), ("bodies", bodies), ("carers", carers), ("roles", roles)):
            object.__setattr__(self, name, value)

    def of_service(self, code: str) -> list[int]:
        """The members and managers of a service who are there today."""
        return self._there((*self.members.get(code, ()), *self.managers.get(code, ())))

    def owners(self, turn: Turn, climbed: int = IN_TIME) -> tuple[Owner, ...]:
        """Who holds a referral whose turn this is. Empty only when nobody holds any role in the place."""
        found = self._nearest(turn)
        if climbed:
            found += self._climbed(turn, climbed)
        return self._as_owners(found)

    def able(self, turn: Turn, climbed: int = IN_TIME) -> frozenset[int]:
        """Who may act for this side, whoever's turn it is: its owners, the service, and whom it has climbed to."""
        found = {user for user, _ in self._nearest(turn)} | set(self.of_service(turn.service))
        return frozenset(found | {user for user, _ in self._climbed(turn, climbed)})

    def _nearest(self, turn: Turn) -> list[tuple[int, str]]:
        if turn.user_id is not None and turn.user_id in self.bodies and self._counts(turn):
            return [(turn.user_id, "named")]
        return next(filter(None, self._further(turn)), [])

    def _counts(self, turn: Turn) -> bool:
        """Whether who is named is still of the side that they are named for."""
        if turn.asked:
            return turn.body in self.bodies[turn.user_id or 0]
        near = self.of_service(turn.service) or [user for user, _ in next(filter(None, self._further(turn)), [])]
        return turn.user_id in near

    def _further(self, turn: Turn) -> Iterable[list[tuple[int, str]]]:
        """From near to far, those who hold it where nobody is named."""
        yield _because("member", self._there(self.members.get(turn.service, ())))
        yield _because("manager", self._there(self.managers.get(turn.service, ())))
        yield _because("body", self.carers.get(turn.body, ()) if turn.body else ())
        yield from self._co_ordinators(turn)
        yield _because("place", self.names)

    def _co_ordinators(self, turn: Turn) -> Iterable[list[tuple[int, str]]]:
        """Who holds the threads of the person's care, or answers for the place."""
        own = turn.co_ordinator
        yield _because("co_ordinator", [own] if own in self.bodies and own is not None else ())
        yield _because("place", self.roles.get((CO_ORDINATOR, self.home), ()))
        yield _because("place", self.roles.get((LEAD, self.home), ()) or self.roles.get((LEAD, ""), ()))

    def _climbed(self, turn: Turn, climbed: int) -> list[tuple[int, str]]:
        """Whom else it has reached: the managers, or when there are none, and in any case later, the co-ordinator."""
        if not climbed:
            return []
        found = _because("manager", self._there(self.managers.get(turn.service, ())))
        if climbed == LONG_OVERDUE or not found:
            found = found + next(filter(None, self._co_ordinators(turn)), [])
        return found

    def _there(self, users: Iterable[int]) -> list[int]:
        return [user for user in users if user in self.bodies]

    def _as_owners(self, found: Iterable[tuple[int, str]]) -> tuple[Owner, ...]:
        """Each once, for the first reason."""
        kept: dict[int, Owner] = {}
        for user, why in found:
            kept.setdefault(user, Owner(user, self.names[user], why))
        return tuple(kept.values())


def _because(why: str, users: Iterable[int]) -> list[tuple[int, str]]:
    return [(user, why) for user in users]
