"""What can be said of a body, and what kinds of body there are: the vocabulary of the directory.

A source says things (`Saying`); the directory keeps them as dated statements. A kind with `reverse`
is a relation to another body, any other kind is a value of the body itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

# From before records began.
EARLIEST = date(1, 1, 1)
# What a statement of kind `code` names the scheme of: `gss:E54000037`.
SCHEMES = ("ods", "gss", "cassr", "cqc", "ukprn")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of statement: `single` ones cannot overlap in time; `per_value` ones belong to their
    value (an area lies in one body of a form at a time); `ods` is the id of the ODS relationship."""

    words: str
    reverse: str = ""
    ods: str = ""
    single: bool = False
    per_value: bool = False

    @property
    def relation(self) -> bool:
        """True for a relation to another body."""
        return bool(self.reverse)


# ODS relationship ids: those of the NHS's ORD API, read in public code that uses it.
KINDS: Mapping[str, Kind] = {
    "open": Kind("open", single=True),
    "legal": Kind("legal existence", single=True),
    "name": Kind("name", single=True),
    "form": Kind("form", single=True),
    "role": Kind("ODS role"),
    "code": Kind("other code"),
    "area": Kind("covers the area", per_value=True),
    "premises": Kind("at the premises", single=True),
    "beds": Kind("beds", single=True),
    "care_home": Kind("care home", single=True),
    "rating": Kind("CQC rating", single=True),
    "lead": Kind("lead", single=True),
    "part_of": Kind("is part of", "has as a part", "RE2"),
    "directed_by": Kind("is directed by", "directs", "RE3"),
    "commissioned_by": Kind("is commissioned by", "commissions", "RE4"),
    "in_geography_of": Kind("is located in the area of", "has in its area", "RE5"),
    "operated_by": Kind("is operated by", "operates", "RE6", single=True),
    "partner_of": Kind("is a partner of", "is a partner of", "RE8"),
    "nominated_payee_for": Kind("is nominated payee for", "has as nominated payee", "RE9"),
    "shares_leadership_with": Kind("shares its leadership with", "shares its leadership with"),
    "owned_by": Kind("is owned by", "owns"),
    "faces": Kind("works with the board", "works with the council"),
    "succeeded_by": Kind("was succeeded by", "took over from"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of body: its words, the level of the place at which it stands, and its sector.

    `both` is a body of health and social care alike.
    """

    words: str
    level: str
    sector: str


# From the person outwards: the order in which pages show them.
LEVELS: Mapping[str, str] = {
    "neighbourhood": "Neighbourhoods",
    "place": "Places",
    "hwb": "Health and wellbeing boards",
    "district": "District councils",
    "council": "Councils with adult social services",
    "sub_icb": "Sub-ICB locations",
    "icb": "Integrated care boards",
    "icp": "Integrated care partnerships",
    "region": "NHS regions",
    "department": "Departments and national bodies",
    "provider": "Providers of care",
    "site": "Care homes, practices and other sites",
    "earlier": "Commissioners and authorities of earlier years",
}
# Levels that are a set of boundaries: an area lies in at most one body of each on a day.
AREA_LEVELS = ("neighbourhood", "place", "hwb", "district", "council", "sub_icb", "icb", "icp", "region", "earlier")

FORMS: Mapping[str, Form] = {
    "neighbourhood": Form("Neighbourhood", "neighbourhood", "both"),
    "neighbourhood_team": Form("Neighbourhood team", "provider", "both"),
    "pcn": Form("Primary care network", "provider", "health"),
    "place": Form("Place partnership", "place", "both"),
    "hwb": Form("Health and wellbeing board", "hwb", "both"),
    "district": Form("District council", "district", "social_care"),
    "council": Form("Council", "council", "social_care"),
    "county": Form("County council", "council", "social_care"),
    "unitary": Form("Unitary council", "council", "social_care"),
    "metropolitan_borough": Form("Metropolitan borough council", "council", "social_care"),
    "london_borough": Form("London borough council", "council", "social_care"),
    "combined_authority": Form("Combined authority", "department", "both"),
    "sub_icb": Form("Sub-ICB location", "sub_icb", "health"),
    "icb": Form("Integrated care board", "icb", "health"),
    "icp": Form("Integrated care partnership", "icp", "both"),
    "region": Form("NHS region", "region", "health"),
    "national_body": Form("National body", "department", "health"),
    "department": Form("Government department", "department", "both"),
    "nhs_trust": Form("NHS trust", "provider", "health"),
    "foundation_trust": Form("NHS foundation trust", "provider", "health"),
    "community_trust": Form("NHS community trust", "provider", "health"),
    "care_trust": Form("Care trust", "provider", "both"),
    "care_provider": Form("Care provider", "provider", "social_care"),
    "council_company": Form("Council-owned company", "provider", "social_care"),
    "staff_mutual": Form("Staff mutual", "provider", "both"),
    "joint_venture": Form("Joint venture", "provider", "both"),
    "charity": Form("Charity", "provider", "both"),
    "hospice": Form("Hospice", "site", "health"),
    "gp_practice": Form("GP practice", "site", "health"),
    "trust_site": Form("Hospital or trust site", "site", "health"),
    "care_home": Form("Care home", "site", "social_care"),
    "home_care": Form("Home care service", "site", "social_care"),
    "social_care_site": Form("Social care site", "site", "social_care"),
    "stp": Form("Sustainability and transformation partnership", "icb", "health"),
    "ccg": Form("Clinical commissioning group", "sub_icb", "health"),
    "pct": Form("Primary care trust", "earlier", "health"),
    "pcg": Form("Primary care group", "earlier", "health"),
    "ha": Form("Health authority", "earlier", "health"),
    "dha": Form("District health authority", "earlier", "health"),
    "aha": Form("Area health authority", "earlier", "health"),
    "rha": Form("Regional health authority", "region", "health"),
    "sha": Form("Strategic health authority", "region", "health"),
    "regional_office": Form("NHS regional office", "region", "health"),
    "area_team": Form("NHS England area team", "earlier", "health"),
    "health_service": Form("Health service", "provider", "health"),
    "other": Form("Other body", "provider", "both"),
}


def level_of(form: str) -> str:
    """The level at which a form of body stands."""
    return FORMS.get(form, FORMS["other"]).level


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that a source says, by codes: about `code`, from one day up to, not including, another."""

    code: str
    kind: str
    value: str = ""
    target: str = ""
    from_date: date = EARLIEST
    to_date: date | None = None
    certainty: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row or record of a file: what it says, or why it cannot be taken."""

    position: int
    body: str
    sayings: tuple[Saying, ...]
    issues: tuple[str, ...] = ()
