"""The way out of place. Nothing here is about people who are cared for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from joinery.apps.base.facts import place_facts
from joinery.apps.place.models import Membership, Organisation
from joinery.calc.access import ROLES, Post


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user is in the place on a day: posts, and the first of them in words."""

    posts: tuple[Post, ...]
    role_text: str
    organisation_name: str


@place_facts
def standing(user_id: int, on: date) -> Standing:
    """The posts that a user holds on a day, in the order in which they were given."""
    rows = list(
        Membership.objects.filter(Q(to_date=None) | Q(to_date__gt=on), user_id=user_id, from_date__lte=on)
        .order_by("id")
        .values_list("role", "organisation__code", "organisation__name")
    )
    posts = tuple(Post(role, code) for role, code, _ in rows)
    if not rows:
        return Standing((), "", "")
    return Standing(posts, ROLES.get(rows[0][0], rows[0][0]), rows[0][2])


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """An organisation's id, code, name and sector."""

    id: int
    code: str
    name: str
    sector: str


@place_facts
def organisation(code: str) -> OrganisationName | None:
    """The organisation with this code, or None."""
    row = Organisation.objects.filter(code=code).values_list("id", "code", "name", "sector").first()
    return OrganisationName(*row) if row else None


@place_facts
def organisation_names(codes: Iterable[str]) -> dict[str, str]:
    """Names of organisations by code."""
    return dict(Organisation.objects.filter(code__in=set(codes)).values_list("code", "name"))
