"""The three kinds of facts. Every function in a `facts` module carries one of these marks.

- person facts are about named people: their first argument is a `Viewing`, so that nobody can read
  them without a decision and an entry in the access log;
- place facts hold no identifiers and may be shown to anyone signed in;
- row facts are pseudonymous columns for other apps; no view may import them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import OuterRef, Q, Subquery

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
class Stood:
    """From when up to when what is the person's now stood under another person: who looked there, saw it."""

    person_id: str
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """One entry of who has looked, in plain words; `organisation` is a code. `elsewhere`: at another person,
    under whom a part of this one's records stood then."""

    at: datetime
    who: str
    role: str
    organisation: str
    what: str
    why: str
    allowed: bool
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """A page of looks, newest first; `older` is the cursor of the next page, if there is one."""

    looks: tuple[Look, ...]
    older: str | None


@person_facts
def looks_page(viewing: Viewing, after: str = "", limit: int = 20, stood: Sequence[Stood] = ()) -> Looks:
    """Who has looked at the person of the viewing, this look included; at most 200 at a time.

    With `stood`, also who was shown the people under whom records of this one stood, while they did.
    """
    limit = min(limit, 200)
    theirs = Q(person_id=viewing.person_id)
    for each in stood:
        during = Q(at__gte=each.from_at, at__lt=each.until_at)
        theirs |= Q(person_id=each.person_id, allowed=True) & during
    rows = Access.objects.filter(theirs)
    if after:
        rows = rows.filter(id__lt=int(after))
    # The user is no foreign key: a log row outlives the user.
    name = Subquery(User.objects.filter(pk=OuterRef("user_id")).values("name")[:1])
    columns = ("id", "at", name, "actor", "role", "organisation", "what", "purpose", "allowed", "person_id")
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
            elsewhere=person_id != viewing.person_id,
        )
        for _, at, user_name, actor, role, organisation, what, purpose, allowed, person_id in found[:limit]
    )
    return Looks(looks, str(found[limit - 1][0]) if len(found) > limit else None)


@place_facts
def user_with_email(email: str) -> int | None:
    """The id of the user who signs in with an email address, or None."""
    return User.objects.filter(email=email.strip().lower()).values_list("pk", flat=True).first()
