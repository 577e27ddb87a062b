"""The returns: exact columns, no names, true to the lives they come from, and wrong only where it is written down."""

import json
import random
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from joinery.site.demo import misreporting
from joinery.site.demo.build import build
from joinery.site.demo.writers import Record, apc, capacity, cld, ecds
from joinery.site.demo.writers.tables import Period, month_before, quarter_before

AS_OF = date(2026, 11, 21)
# Module by module. Source of these and of the lists: as in definitions/feeds/cld.toml.
CLD = """
LA_Code Reporting_Period_Start_Date Reporting_Period_End_Date
NHS_Number LA_Person_Unique_Identifier GP_Practice_Code Gender Ethnicity Date_of_Birth Date_of_Death Client_Type
Primary_Support_Reason Postcode Accommodation_Status Employment_Status Has_Unpaid_Carer Autism_Spectrum_Disorder_ASD
Visual_Impairment Hearing_Impairment Dementia Client_Funding_Status
Event_Type Event_Reference Event_Start_Date Event_End_Date Event_Description Event_Outcome
Request_Route_of_Access Assessment_Type Eligible_Needs_Identified Method_of_Assessment
Service_Type Service_Component Delivery_Mechanism Provider_CQC_Location_ID
Review_Reason Review_Outcomes_Achieved Method_of_Review
Total_Hrs_Caring_per_week No_of_adults_being_cared_for Adult_1_Linked_Person_ID Adult_2_Linked_Person_ID
Adult_3_Linked_Person_ID Unit_Cost Cost_Frequency_Unit_Type Planned_units_per_week
"""
# Lists of release 2, as far as the place's lives use them.
LISTS = {
    "Event_Type": {"Request", "Assessment", "Service", "Review"},
    "Client_Type": {"Service user", "Unpaid carer"},
    "Service_Type": {
        "", "Short term support: ST-Max", "Long term support: Residential care", "Long term support: Community",
        "Unpaid carer support: Direct to unpaid carer",
    },
    "Delivery_Mechanism": {"", "Direct payment", "CASSR commissioned support"},
    "Assessment_Type": {"", "Short term assessment", "Long term assessment"},
    "Cost_Frequency_Unit_Type": {"", "Hourly", "Weekly", "Per session", "One-off"},
    "Event_Outcome": {
        "", "Progress to assessment, review or reassessment", "Progress to support planning or services",
        "Continuation of support or services", "NFA: Information and advice or signposting", "NFA: Deceased",
        "NFA: Support ended as planned", "NFA: Support ended for other reason",
    },
}  # fmt: skip


def rows(place: Any, feed: str, *, sound: bool = True) -> list[dict[str, str]]:
    """The rows of a return's files; those only in which nothing is wrong, unless all are asked for."""
    spoilt = {(row["file"], row["key"]) for row in place.table("defects")}
    return [
        record
        for path, records in place.records.items()
        if path.startswith(f"{feed}/")
        for record in records
        if not sound or (path, place.key(path, record)) not in spoilt
    ]


def test_the_columns_are_those_of_the_nation(place: Any) -> None:
    assert list(cld.COLUMNS) == CLD.split()
    for feed, columns in (("cld", cld.COLUMNS), ("apc", apc.COLUMNS), ("ecds", ecds.COLUMNS)):
        for path in place.manifest.folder.glob(f"{feed}/*/*.csv"):
            assert path.read_text("utf-8").splitlines()[0].split(",") == list(columns)


def test_words_are_on_the_lists(place: Any) -> None:
    for row in rows(place, "cld"):
        assert {name: row[name] for name, words in LISTS.items() if row[name] not in words} == {}


def test_a_quarter_tells_of_its_twelve_months(place: Any) -> None:
    (first, last) = quarter_before(AS_OF, 1)
    assert str(last) == "2026-09-30" and first == date(2026, 7, 1)
    for row in place.records["cld/999/2026q3.csv"]:
        period = row["Reporting_Period_Start_Date"], row["Reporting_Period_End_Date"]
        assert period == ("2025-10-01", "2026-09-30")
    for row in rows(place, "cld"):
        since, until = row["Reporting_Period_Start_Date"], row["Reporting_Period_End_Date"]
        if row["Event_Type"] != "Service" and (since, until) != ("2026-04-01", "2027-03-31"):
            assert since <= row["Event_End_Date"] <= until
        assert row["Event_Start_Date"] <= (row["Event_End_Date"] or "9999")
    assert {row["Event_Type"] for row in rows(place, "cld")} == LISTS["Event_Type"]
    carers = [row for row in rows(place, "cld") if row["Client_Type"] == "Unpaid carer"]
    assert carers and all(row["No_of_adults_being_cared_for"] == "1" for row in carers)


def test_the_return_agrees_with_the_case_system(place: Any) -> None:
    services = {row["service_id"]: row for row in place.records["council/999/2026-11-21/service.csv"]}
    people = {row["person_id"] for row in place.records["council/999/2026-11-21/person.csv"]}
    told = [row for row in rows(place, "cld") if row["Event_Type"] == "Service"]
    assert len(told) > 100
    for row in told:
        assert services[row["Event_Reference"]]["start_date"] == row["Event_Start_Date"]
        assert row["LA_Person_Unique_Identifier"] in people


def test_a_resubmission_holds_what_was_sent_before_it(place: Any) -> None:
    first, again = (place.records[f"cld/999/2026q2{name}.csv"] for name in ("", "-again"))
    assert {row["Reporting_Period_End_Date"] for row in first} == {"2027-03-31"}
    assert {row["Reporting_Period_End_Date"] for row in again} == {"2026-06-30"}
    split = {r["key"] for r in place.table("defects") if r["field"] == "Event_Reference"}
    assert {row["Event_Reference"] for row in first} - {row["Event_Reference"] for row in again} <= split


def test_hospital_returns_hold_no_name_number_or_address(place: Any) -> None:
    text = "\n".join(path.read_text("utf-8") for path in place.manifest.folder.glob("[ae][pc][cd]*/*/*.csv"))
    assert text.count("\n") > 100
    assert not any(number and number in text for number in place.people.nhs_number)
    assert not set(re.findall(r"\b[A-Z][a-z]+\b", text)) & {*place.people.given_name, *place.people.family_name}
    assert not set(place.people.postcode) & set(re.split(r"[,\n]", text))


def test_spells_are_the_visits_of_the_hospitals_messages(place: Any) -> None:
    told = [m["text"] for path, found in place.records.items() if path.startswith("adt") for m in found]
    left = {
        pv1[19].split("^")[0]
        for text in told
        if "|ADT^A03^" in text
        for pv1 in [next(line for line in text.split("\r") if line.startswith("PV1")).split("|")]
    }
    spells = rows(place, "apc")
    assert len(spells) > 20 and {spell["Hospital_Spell_No"] for spell in spells} <= left
    for spell in spells:
        came, ready, went = (
            date.fromisoformat(spell[name]) for name in ("Admission_Date", "Discharge_Ready_Date", "Discharge_Date")
        )
        assert came <= ready <= went and int(spell["Der_Spell_LoS"]) == (went - came).days
        assert (spell["Discharge_Method"] == "4") == (spell["Discharge_Destination"] == "79")


def test_a_month_of_spells_is_the_month_in_which_they_ended(place: Any) -> None:
    for path, found in place.records.items():
        if path.startswith("apc"):
            assert {row["Discharge_Date"][:7] for row in found} == {path[-11:-4]}
    months = {path[-11:-4] for path in place.records if path.startswith(("apc", "ecds"))}
    assert min(months) >= "2025-11" and max(months) == "2026-10"


def test_attendances_end_in_a_ward_or_at_home(place: Any) -> None:
    attendances = rows(place, "ecds")
    ends = Counter(row["Discharge_Destination_SNOMED_CT"] for row in attendances)
    assert ends["306706006"] > 10 and ends["306689006"] > 10
    for row in attendances:
        arrived, left = (row[f"{name}_Date"] + row[f"{name}_Time"] for name in ("Arrival", "EC_Departure"))
        assert arrived < left
        assert bool(row["EC_Decision_To_Admit_Date"]) == (row["Discharge_Destination_SNOMED_CT"] == "306706006")
    known = {row["Der_Pseudo_NHS_Number"] for row in rows(place, "apc")} - {""}
    assert known & {row["Der_Pseudo_NHS_Number"] for row in attendances}


def test_beds_add_up_and_staff_are_said_once(place: Any) -> None:
    for path in (path for path in place.records if path.startswith("capacity") and str(AS_OF) in path):
        homes: dict[str, list[dict[str, str]]] = {}
        for row in place.records[path]:
            homes.setdefault(row["location_id"], []).append(row)
        for *types, total in homes.values():
            assert total["bed_type"] == capacity.TOTAL
            assert not any(row[name] for row in types for name in capacity.STAFF) and total["care_staff"]
            for name in capacity.BEDS:
                assert sum(int(row[name]) for row in types) == int(total[name])
            for row in [*types, total]:
                free = int(row["maximum_capacity"]) - int(row["occupied"]) - int(row["reserved"])
                assert free >= 0 and row["accepting_admissions"] == ("Y" if free else "N")
            assert datetime.fromisoformat(total["updated_at"]).date() < AS_OF


@pytest.mark.parametrize("feed", sorted(misreporting.BREAKS))
def test_each_known_behaviour_occurs(place: Any, feed: str) -> None:
    seen = {row["defect"] for row in place.table("defects") if row["file"].startswith(f"{feed}/")}
    expected = set(misreporting.BREAKS[feed])
    if feed == "cld":
        expected |= {"cost_change_new_service", "open_service_vanished", "period_misstated", "resubmitted", "repeated"}
    assert seen == expected | ({"repeated"} if feed in ("apc", "ecds") else set())


def test_rates_are_kept_and_nothing_is_broken_twice() -> None:
    body = dict.fromkeys(ecds.COLUMNS, "x") | {"Arrival_Date": "2026-03-01", "EC_Departure_Date": "2026-03-01"}
    whole = [
        Record(at + 1, "attendance", str(at), datetime(2026, 3, 1), body | {"EC_Ident": str(at)})  # noqa: DTZ001
        for at in range(400)
    ]
    records, defects = misreporting.spoil("ecds", whole, random.Random(1))
    counts = Counter(defect.change.defect for defect in defects)
    assert counts == {
        "left_before_arrival": 4, "invalid_code": 4, "no_diagnosis": 12, "blank_mandatory": 2, "repeated": 2,
    }  # fmt: skip
    assert len({defect.local_id for defect in defects}) == len(defects) and len(records) == 402
    assert whole[0].body == body | {"EC_Ident": "0"}  # what was given is left as it is


def test_periods_cross_the_turn_of_the_year() -> None:
    assert month_before(date(2026, 3, 31), 3) == Period(date(2025, 12, 1), date(2025, 12, 31))
    assert month_before(date(2024, 3, 1), 1) == Period(date(2024, 2, 1), date(2024, 2, 29))
    assert quarter_before(date(2026, 1, 1), 1) == Period(date(2025, 10, 1), date(2025, 12, 31))
    assert quarter_before(date(2026, 12, 31), 2) == Period(date(2026, 4, 1), date(2026, 6, 30))


@pytest.mark.parametrize("as_of", [date(2027, 1, 2), date(2024, 2, 29)])
def test_quarters_of_other_dates(tmp_path: Path, as_of: date) -> None:
    names = {s.path.name for s in build(tmp_path, people=60, seed=2, as_of=as_of).submissions if s.feed == "cld"}
    expected = {date(2027, 1, 2): ("2026q3", "2026q4"), date(2024, 2, 29): ("2023q3", "2023q4")}[as_of]
    assert names == {f"{expected[0]}.csv", f"{expected[0]}-again.csv", f"{expected[1]}.csv"}


def test_the_registers_files_are_of_the_layouts_that_the_directory_reads(place: Any) -> None:
    records = [json.loads(line) for line in (place.manifest.folder / "ods/2026-11-20.json").open(encoding="utf-8")]
    codes = {record["Organisation"]["OrgId"]["extension"] for record in records}
    assert codes == {"ZQ3", "Z90001", "Z90002", "ZH1", "ZH101"}
