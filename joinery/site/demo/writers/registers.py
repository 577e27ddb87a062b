"""The registers' files for the place's own bodies, written from their definitions so that they agree with them.

Only bodies of which a register says what the directory says are in them: a council's company is to the Care
Quality Commission just a home care service, and a community trust is to the NHS any trust.
"""

import csv
import io
import json
from datetime import date, timedelta
from typing import Any

from joinery.site.demo.events import definitions

PRIMARY_ROLES = ("RO177", "RO197", "RO198", "RO261")
FORMS_OF_ODS = ("gp_practice", "foundation_trust", "trust_site", "icb")
CATEGORIES = {
    "care_home": "Residential social care",
    "home_care": "Community based adult social care services",
}
OPERATED_BY = "RE6"
CQC_FIELDS = (
    "location", "start", "care_home", "name", "beds", "rating", "rated", "uprn", "street", "city", "postcode", "type",
    "category", "provider", "provider_name", "provider_start",
)  # fmt: skip


def _bodies() -> dict[str, dict[str, Any]]:
    """The made-up bodies by code."""
    return {body["code"]: body for body in definitions("wexcombe", "organisations")["organisation"]}


def _now(said: Any, name: str = "value") -> str:
    """What holds now of something that may be said once, or once for each of several periods."""
    if isinstance(said, list):
        said = next(item for item in said if not isinstance(item, dict) or "to" not in item)
    return str(said.get(name, "")) if isinstance(said, dict) else str(said or "")


def active_locations(day: date) -> bytes:
    """The register of the Care Quality Commission: active locations, one row each."""
    bodies = _bodies()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([definitions("cqc", "directory")["columns"][field][0] for field in CQC_FIELDS])
    for body in bodies.values():
        if body.get("form") in CATEGORIES and body.get("from", day) <= day < body.get("to", date.max):
            cells = _location(body, bodies[body["operated_by"][0]])
            writer.writerow([cells.get(field, "") for field in CQC_FIELDS])
    return text.getvalue().encode()


def _location(body: dict[str, Any], provider: dict[str, Any]) -> dict[str, str]:
    home, door, rating = body["form"] == "care_home", body.get("premises", {}), body.get("rating", {})
    *street, city = door.get("address", "").split(", ")
    return {
        "location": body["code"],
        "start": f"{body['from']:%d/%m/%Y}",
        "care_home": "Y" if home else "N",
        "name": _now(body["name"]),
        "beds": _now(body.get("beds")),
        "rating": _now(rating),
        "rated": f"{rating['from']:%d/%m/%Y}" if rating else "",
        "uprn": door.get("value", "").removeprefix("uprn:"),
        "street": ", ".join(street),
        "city": city,
        "postcode": _spaced(door.get("postcode", "")),
        "type": "Social Care Org",
        "category": CATEGORIES[body["form"]],
        "provider": provider["code"],
        "provider_name": provider["name"],
        "provider_start": f"{provider['from']:%d/%m/%Y}",
    }


def _spaced(postcode: str) -> str:
    return f"{postcode[:-3]} {postcode[-3:]}" if postcode else ""


def organisation_records() -> bytes:
    """Records of the NHS Organisation Data Service: NDJSON, one body a line."""
    records = [_record(body) for body in _bodies().values() if _is_ods(body)]
    return "".join(f"{json.dumps({'Organisation': record})}\n" for record in records).encode()


def _is_ods(body: dict[str, Any]) -> bool:
    """Whether the body is open, and of a form that its roles tell."""
    form = body.get("form") or body["forms"][-1]["form"]
    return "to" not in body and bool(body.get("roles")) and form in FORMS_OF_ODS


def _record(body: dict[str, Any]) -> dict[str, Any]:
    born = body.get("from")
    roles = [{"role": role} if isinstance(role, str) else role for role in body["roles"]]
    record: dict[str, Any] = {
        "Name": body["name"].upper(),
        "OrgId": {"extension": body["code"]},
        "Status": "Active",
        "Date": [_period("Operational", {"from": born})] if born else [],
        "Roles": {
            "Role": [
                {
                    "id": role["role"],
                    "primaryRole": role["role"] in PRIMARY_ROLES,
                    "Status": "Active",
                    "Date": [_period("Operational", {"from": born} | role)] if born or "from" in role else [],
                }
                for role in roles
            ]
        },
    }
    if "operated_by" in body:
        related = [{"id": OPERATED_BY, "Target": {"OrgId": {"extension": code}}} for code in body["operated_by"]]
        record["Rels"] = {"Rel": related}
    return record


def _period(kind: str, said: dict[str, Any]) -> dict[str, str]:
    """A period as ODS dates it: its end is the last day on which it was so."""
    ends = {"End": str(said["to"] - timedelta(days=1))} if "to" in said else {}
    return {"Type": kind, "Start": str(said["from"])} | ends
