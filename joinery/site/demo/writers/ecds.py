"""Emergency care: the attendances of a month. Selected columns of the set; SNOMED CT throughout, no names."""

import random
from datetime import datetime, timedelta
from typing import Any

from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import Event, definitions
from joinery.site.demo.population import Person
from joinery.site.demo.writers import Book, Copy, Ids, Record
from joinery.site.demo.writers.apc import SEXES, Visit, age, lives_in_care_home, pseudonym, reason_of, visits
from joinery.site.demo.writers.tables import Period, columns_of, day_text, lsoa, row, time_text

COLUMNS = columns_of("ecds")
FIRST_UNPLANNED = "1"
DECIDED_WITHIN = timedelta(hours=4)  # of arrival; what comes after is the wait for a bed


def rows(copies: list[Copy], book: Book, ids: Ids, period: Period, until: datetime) -> list[Record]:
    """The attendances that began within a period, as known at a moment, by their beginning; not who is still there."""
    made = []
    for copy in copies:
        for visit in visits(book, copy.person.person, until) if not copy.number else ():
            over = visit.admitted or visit.left_at
            if visit.arrived and over and period.holds(day_text(visit.arrived.at)):
                values = _attendance(visit, visit.arrived, copy.person, ids)
                values |= _patient(copy.person, visit.arrived.at, ids)
                key = values["EC_Ident"]
                made.append(row(COLUMNS, values, copy.person.person, "attendance", key, visit.arrived.at))
    return sorted(made, key=lambda record: (record.updated_at, record.local_id))


def _attendance(visit: Visit, arrived: Event, person: Person, ids: Ids) -> dict[str, Any]:
    codes, reason = definitions("returns")["emergency"], reason_of(visit)
    mode = arrived.code if arrived.code in codes["arrival"] else "own_transport"
    rng = random.Random(f"{ids.seed}/attendance/{visit.episode}")
    admitted = visit.admitted
    gone = admitted.at if admitted else visit.left_at
    decided = None
    if admitted:
        just_before = admitted.at - timedelta(minutes=rng.randrange(10, 100))
        decided = max(arrived.at, min(just_before, arrived.at + DECIDED_WITHIN))
    home = codes["to_care_home"] if lives_in_care_home(person) else codes["to_home"]
    died = not admitted and not visit.left and visit.died_at
    return {
        "EC_Ident": ids("attendance", visit.episode),
        "Attendance_Unique_Identifier": ids("emergency", visit.episode),
        "Provider_Code": ids.organisation,
        "EC_Department_Type": codes["department"],
        "EC_AttendanceCategory": FIRST_UNPLANNED,
        "Arrival_Date": day_text(arrived.at),
        "Arrival_Time": time_text(arrived.at),
        "EC_Arrival_Mode_SNOMED_CT": codes["arrival"][mode],
        "EC_Attendance_Source_SNOMED_CT": codes["source"][mode],
        "EC_Acuity_SNOMED_CT": rng.choice(codes["acuity"]),
        "EC_Chief_Complaint_SNOMED_CT": reason["complaint"],
        "EC_Decision_To_Admit_Date": day_text(decided),
        "EC_Decision_To_Admit_Time": time_text(decided),
        "EC_Departure_Date": day_text(gone),
        "EC_Departure_Time": time_text(gone),
        "EC_Discharge_Status_SNOMED_CT": codes["status"],
        "Discharge_Destination_SNOMED_CT": codes["to_ward"] if admitted else codes["to_mortuary"] if died else home,
        "Discharge_Follow_Up_SNOMED_CT": codes["no_follow_up"] if admitted or died else codes["follow_up"],
        "Diagnosis_01": reason["diagnosis"],
    }


def _patient(person: Person, at: datetime, ids: Ids) -> dict[str, Any]:
    codes = definitions("returns")["emergency"]
    return {
        "Der_Pseudo_NHS_Number": pseudonym(person, ids.seed),
        "Local_Patient_ID": ids("patient", (person.person, 0)),
        "Accommodation_Status_SNOMED_CT": codes["care_home" if lives_in_care_home(person) else "home_unknown"],
        "Sex": SEXES[person.gender],
        "Age_At_Arrival": age(person, at.astimezone(LONDON).date()),
        "Der_Postcode_LSOA_2011_Code": lsoa(person.postcode),
    }
