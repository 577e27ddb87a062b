"""The way into place: organisations and memberships."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.place.models import Membership, Organisation
from joinery.calc.access import ROLES


@dataclass(frozen=True, slots=True)
class OrganisationDetails:
    """An organisation as a definition or a feed names it; sector is `health` or `social_care`."""

    code: str
    name: str
    kind: str
    sector: str


@action("register_organisation")
def register_organisation(*, details: OrganisationDetails, actor: Actor, at: datetime) -> int:
    """Add an organisation, or bring its name and kind up to date; returns its id."""
    if details.sector not in Organisation.Sector.values:
        raise Refused("sector", f"{details.code}: sector must be one of {', '.join(Organisation.Sector.values)}.")
    organisation, _ = Organisation.objects.update_or_create(
        code=details.code,
        defaults={"name": details.name, "kind": details.kind, "sector": details.sector},
    )
    return organisation.pk


@action("add_membership", targets=("user_id", "organisation_code", "role"))
def add_membership(
    *, user_id: int, organisation_code: str, role: str, from_date: date, actor: Actor, at: datetime
) -> int:
    """Give a user a role in an organisation from a day on; returns the membership's id."""
    if role not in ROLES:
        raise Refused("role", f"There is no role {role}. Roles: {', '.join(sorted(ROLES))}.")
    organisation = Organisation.objects.filter(code=organisation_code).first()
    if organisation is None:
        raise Refused("organisation", f"No organisation has the code {organisation_code}.")
    return Membership.objects.create(user_id=user_id, organisation=organisation, role=role, from_date=from_date).pk
