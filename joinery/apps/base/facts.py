"""The three kinds of facts. Every function in a `facts` module carries one of these marks.

- person facts are about named people: their first argument is a `Viewing`, so that nobody can read
  them without a decision and an entry in the access log;
- place facts hold no identifiers and may be shown to anyone signed in;
- row facts are pseudonymous columns for other apps; no view may import them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import OuterRef, Subquery

from joinery.apps.base.access_log import WHAT, WHY
from joinery.apps.base.models import Access, User
from joinery.calc.access import ROLES

if TYPE_CHECKING:
    from joinery.apps.base.access_log import Viewing

F = TypeVar("F", bound=Callable[..., Any])


def person_facts(function: F) -> F:
    """Mark a function as person facts; its first parameter must be named `viewing`."""
    if function.__code__.co_varnames[:1] != ("viewing",):
        raise TypeError(f"{function.__qualname__}: person facts take `viewing` first")
    return function


def place_facts(function: F) -> F:
    """Mark a function as place facts: nothing in its answer may identify a person cared for."""
    return function


def row_facts(function: F) -> F:
    """Mark a function as row facts: pseudonymous columns, for other apps and never for a page."""
    return function


@dataclass(frozen=True, slots=True)
class Look:
    """One entry of who has looked, in plain words; `organisation` is a code."""

    at: datetime
    who: str
    role: str
    organisation: str
    what: str
    why: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Looks:
    """A page of looks, newest first; `older` is the cursor of the next page, if there is one."""

    looks: tuple[Look, ...]
    older: str | None


@person_facts
def looks_page(viewing: Viewing, after: str = "", limit: int = 20) -> Looks:
    """Who has looked at the person of the viewing, this look included; at most 200 at a time."""
    limit = min(limit, 200)
    rows = Access.objects.filter(person_id=viewing.person_id)
    if after:
        rows = rows.filter(id__lt=int(after))
    # The user is no foreign key: a log row outlives the user.
    name = Subquery(User.objects.filter(pk=OuterRef("user_id")).values("name")[:1])
    columns = ("id", "at", name, "actor", "role", "organisation", "what", "purpose", "allowed")
    found = list(rows.order_by("-at", "-id").values_list(*columns)[: limit + 1])
    looks = tuple(
        Look(
            at=at,
            who=user_name or actor,
            role=ROLES.get(role, role),
            organisation=organisation,
            what=WHAT.get(what, what),
            why=WHY.get(purpose, purpose),
            allowed=allowed,
        )
        for _, at, user_name, actor, role, organisation, what, purpose, allowed in found[:limit]
    )
    return Looks(looks, str(found[limit - 1][0]) if len(found) > limit else None)
