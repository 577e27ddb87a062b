"""Intake of a council's Client Level Data: made-up events of made-up people, a few of them faulty."""

from __future__ import annotations

import argparse
import csv
import json
import resource
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.measure import cpu_seconds, deployment

EVENTS_A_PERSON = 5
KINDS = ("Request", "Assessment", "Service", "Service", "Review")
COMPONENTS = ("Day support", "Meals", "Equipment", "Transport", "Home support or domiciliary care")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=200_000)
    chosen = options.parse_args()
    with deployment() as folder:
        print(json.dumps(take(folder, chosen.rows)))


def take(folder: Path, rows: int) -> dict[str, float]:
    """Take the file, and once more: CPU seconds of both, and the most memory that was used, in MB."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.feeds import feed_of
    from joinery.apps.place.actions import OrganisationDetails, register_organisation
    from joinery.apps.record.actions import take_file
    from joinery.site.commands.take import spare_collector

    actor, at = Actor.system("benchmark"), datetime.now(UTC)
    register_organisation(details=OrganisationDetails("BENCH", "Sender", "council"), actor=actor, at=at)
    path = write(folder / "cld.csv", feed_of("cld").part("cld").columns, rows)
    spare_collector()
    spent = []
    for _ in range(2):
        before = cpu_seconds()
        taken = take_file(path=path, feed="cld", organisation_code="BENCH", actor=actor, at=at)
        spent.append(cpu_seconds() - before)
    if taken.unchanged != taken.rows:
        raise SystemExit(f"the same file again is not unchanged: {taken}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": taken.rows, "first_cpu_s": spent[0], "second_cpu_s": spent[1], "peak_mb": peak}


def write(path: Path, columns: tuple[str, ...], rows: int) -> Path:
    """The file. One row in a hundred holds a word of release 1, one in a hundred lacks what it must hold."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for n in range(rows):
            writer.writerow(event(n))
    return path


def event(n: int) -> dict[str, str]:
    person, kind = n // EVENTS_A_PERSON, KINDS[n % EVENTS_A_PERSON]
    start = date(2025, 10, 1) + timedelta(days=n * 13 % 300)
    end = start + timedelta(days=n % 90)
    row = {
        "LA_Code": "999",
        "Reporting_Period_Start_Date": "2025-10-01",
        "Reporting_Period_End_Date": "2026-09-30",
        "NHS_Number": nhs_number(person) if person % 10 else "",
        "LA_Person_Unique_Identifier": f"P{person}",
        "GP_Practice_Code": f"Z{person % 40:05}",
        "Gender": ("Female", "Male")[person % 2],
        "Ethnicity": "White: English, Welsh, Scottish, Northern Irish or British",
        "Date_of_Birth": str(date(1930, 1, 1) + timedelta(days=person * 7 % 20_000)),
        "Client_Type": "Service user",
        "Primary_Support_Reason": "Physical Support: Personal care support" if n % 100 else "",
        "Postcode": f"ZZ{person % 90 + 10} {person % 10}WZ",
        "Accommodation_Status": "Registered care home" if n % 100 != 1 else "Unknown",
        "Has_Unpaid_Carer": "No",
        "Client_Funding_Status": "Fully social care funded",
        "Event_Type": kind,
        "Event_Reference": f"E{n}",
        "Event_Start_Date": str(start),
        "Event_End_Date": str(end) if kind != "Service" or n % 2 else "",
        "Event_Outcome": "NFA: Other",
    }
    return row | _own(kind, n)


def nhs_number(n: int) -> str:
    """A number of the range for tests, valid where there is a check digit."""
    digits = f"999{n:06}"
    check = -sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return f"{digits}{check}" if check < 10 else ""


def _own(kind: str, n: int) -> dict[str, str]:
    """What rows of one kind say."""
    if kind == "Request":
        return {"Request_Route_of_Access": "Community / Other route"}
    if kind == "Assessment":
        return {"Assessment_Type": "Long term assessment", "Method_of_Assessment": "In person"}
    if kind == "Review":
        return {"Review_Reason": "Planned", "Method_of_Review": "In person"}
    return {
        "Service_Type": "Long term support: Community",
        "Service_Component": COMPONENTS[n % 5],
        "Delivery_Mechanism": "CASSR commissioned support",
        "Provider_CQC_Location_ID": f"1-{n % 40:09}",
        "Unit_Cost": f"{20 + n % 9}.50",
        "Cost_Frequency_Unit_Type": "Hourly",
        "Planned_units_per_week": f"{7 + n % 21}",
    }


if __name__ == "__main__":
    main()
