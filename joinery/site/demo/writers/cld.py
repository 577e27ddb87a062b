"""Client Level Data, release 2: a council's events of twelve months, one row an event of one person.

Written from the council's own case system, so that the quarterly return and the nightly extract can be
checked against each other. Columns and lists: `definitions/feeds/cld.toml` names their sources; where release 2 keeps
a list that is not known here (routes, methods, reviews), the words are those of release 1 or the council's own.
"""

from datetime import date, datetime
from typing import Any

from joinery.site.demo.events import definitions
from joinery.site.demo.writers import Record
from joinery.site.demo.writers.tables import Period, columns_of, day_text, row

COLUMNS = columns_of("cld")
CARER = "Unpaid carer"
OF_SERVICE_USERS = (
    "Autism_Spectrum_Disorder_ASD", "Visual_Impairment", "Hearing_Impairment", "Dementia", "Client_Funding_Status",
)  # fmt: skip
SUPPORT_TO_CARER = {"Social Support: Support to Carer": "Social Support: Support to unpaid carer"}
SERVICE_OUTCOMES = {
    "Support ended as planned": "NFA: Support ended as planned",
    "NFA: Deceased": "NFA: Deceased",
}
ASSESSMENTS = {"OT": "Short term assessment"}
RETIRED = "Not in paid employment: Not actively seeking work or retired"
EMPLOYMENT = (RETIRED, "Paid: 16 or more hours a week", "Paid: Less than 16 hours a week", "Unknown")
FUNDING = ("Fully social care funded", "Joint client and social care funded", "Fully social care funded")


def rows(case: list[Record], period: Period) -> list[Record]:
    """The events of a period out of the case system as it stood at its end.

    Requests, assessments and reviews once they are complete; services while they are open.
    """
    files: dict[str, list[Record]] = {}
    for record in case:
        files.setdefault(record.kind, []).append(record)
    people = {record.local_id: record for record in files.get("person", ())}
    kin = _kin(files.get("relationship", ()))
    made = []
    for kind, build in BUILDERS.items():
        for record in files.get(kind, ()):
            event = build(_body(record))
            if event and _is_in(event, period):
                person = people[_body(record)["person_id"]]
                made.append(_row(record, event, person, kin, period))
    return sorted(made, key=lambda r: (r.person, _body(r)["Event_Start_Date"], r.local_id))


def _body(record: Record) -> dict[str, str]:
    assert isinstance(record.body, dict)
    return record.body


def _is_in(event: dict[str, Any], period: Period) -> bool:
    """Whether the event belongs to the period: by its end, or, for a service, by any day of it."""
    if event["Event_Type"] != "Service":
        return period.holds(event["Event_End_Date"])
    still = event["Event_End_Date"] or str(date.max)
    return bool(event["Event_Start_Date"] <= str(period.last) and still >= str(period.first))


def _row(
    record: Record, event: dict[str, Any], person: Record, kin: dict[str, dict[str, str]], period: Period
) -> Record:
    held = _body(person)
    carer = held["client_type"] == "carer"
    values = {
        "LA_Code": "999",
        "Reporting_Period_Start_Date": period.first,
        "Reporting_Period_End_Date": period.last,
        "Event_Reference": record.local_id,
        **_person(held, kin.get(held["person_id"], {})),
        **event,
    }
    if carer:
        values |= dict.fromkeys(OF_SERVICE_USERS, "")
        values |= {
            "Total_Hrs_Caring_per_week": 20 + int(held["person_id"][-1]) * 3,
            "No_of_adults_being_cared_for": 1,
            "Adult_1_Linked_Person_ID": kin.get(held["person_id"], {}).get("known", ""),
        }
    return row(COLUMNS, values, record.person, "event", record.local_id, record.updated_at)


def _person(held: dict[str, str], kin: dict[str, str]) -> dict[str, Any]:
    """The person's columns. What a case system of the place does not hold is made up from its identifier."""
    number = int(held["person_id"])
    reason = held["primary_support_reason"]
    born = held["birth_date"]
    return {
        "NHS_Number": held["nhs_number"],
        "LA_Person_Unique_Identifier": held["person_id"],
        "GP_Practice_Code": held["gp_practice_code"],
        "Gender": held["gender"],
        "Ethnicity": held["ethnicity"],
        "Date_of_Birth": born,
        "Date_of_Death": held["death_date"],
        "Client_Type": CARER if held["client_type"] == "carer" else "Service user",
        "Primary_Support_Reason": SUPPORT_TO_CARER.get(reason, reason),
        "Postcode": held["postcode"],
        "Accommodation_Status": held["accommodation_status"],
        "Employment_Status": RETIRED if born < "1960" else EMPLOYMENT[number % 4],
        "Has_Unpaid_Carer": "Yes" if kin.get("carer") else "No",
        "Autism_Spectrum_Disorder_ASD": "No",
        "Visual_Impairment": "Partial sight/sight impaired" if number % 11 == 0 else "No visual impairment",
        "Hearing_Impairment": "No hearing impairment",
        "Dementia": "Yes" if reason == "Support with Memory & Cognition" else "No",
        "Client_Funding_Status": FUNDING[number % 3],
    }


def _kin(relationships: list[Record] | tuple[()]) -> dict[str, dict[str, str]]:
    """By person: somebody of theirs whom the council knows too, and whether anybody cares for them."""
    found: dict[str, dict[str, str]] = {}
    for body in map(_body, relationships):
        kin = found.setdefault(body["person_id"], {})
        if body["related_person_id"]:
            kin.setdefault("known", body["related_person_id"])
        if body["is_carer"] == "1":
            kin["carer"] = "1"
    return found


def _day(moment: str) -> str:
    """The English date of an ISO moment, or empty."""
    return day_text(datetime.fromisoformat(moment)) if moment else ""


def _request(body: dict[str, str]) -> dict[str, Any] | None:
    if not body["outcome_at"]:
        return None
    return {
        "Event_Type": "Request",
        "Event_Start_Date": _day(body["received_at"]),
        "Event_End_Date": _day(body["outcome_at"]),
        "Event_Description": body["reason"],
        "Event_Outcome": body["outcome"],
        "Request_Route_of_Access": body["route"],
    }


def _assessment(body: dict[str, str]) -> dict[str, Any] | None:
    """An assessment, or a review, which the case system keeps among them."""
    if not body["completed_on"]:
        return None
    dates = {"Event_Start_Date": body["started_on"], "Event_End_Date": body["completed_on"]}
    told = {"Event_Description": body["type"], "Event_Outcome": body["outcome"]}
    if body["type"] == "review":
        return {"Event_Type": "Review", **dates, **told} | {
            "Review_Reason": "Planned",
            "Review_Outcomes_Achieved": "Partially achieved" if int(body["assessment_id"]) % 3 else "Fully achieved",
            "Method_of_Review": "Service user only",
        }
    return {"Event_Type": "Assessment", **dates, **told} | {
        "Assessment_Type": ASSESSMENTS.get(body["type"], "Long term assessment"),
        "Eligible_Needs_Identified": {"Y": "Yes", "N": "No"}[body["eligible"]],
        "Method_of_Assessment": "Carer only" if body["type"] == "carer" else "Service user only",
    }


def _service(body: dict[str, str]) -> dict[str, Any]:
    cost = definitions("returns")["costs"][body["component"]]
    weekly = {"Weekly": "1", "One-off": ""}
    outcome = SERVICE_OUTCOMES.get(body["end_reason"], "NFA: Support ended for other reason")
    return {
        "Event_Type": "Service",
        "Event_Start_Date": body["start_date"],
        "Event_End_Date": body["end_date"],
        "Event_Description": body["component"],
        "Event_Outcome": outcome if body["end_date"] else "",
        "Service_Type": body["type"],
        "Service_Component": body["component"],
        "Delivery_Mechanism": body["delivery_mechanism"],
        "Provider_CQC_Location_ID": body["provider_cqc_location_id"],
        "Unit_Cost": f"{cost['price']:.2f}",
        "Cost_Frequency_Unit_Type": cost["per"],
        "Planned_units_per_week": weekly.get(cost["per"], body["units_per_week"]),
    }


BUILDERS = {"contact": _request, "assessment": _assessment, "service": _service}
