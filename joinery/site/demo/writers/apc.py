"""Admitted patient care: a hospital's spells of a month, as the Secondary Uses Service gives them back.

No names; the NHS number is a pseudonym. Columns and codes: `definitions/feeds/apc.toml` names their sources.
A spell is told in the month in which it ended.
"""

from datetime import date, datetime
from typing import Any, NamedTuple

from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import Event, definitions
from joinery.site.demo.population import Person
from joinery.site.demo.writers import Book, Copy, Ids, Record, episodes
from joinery.site.demo.writers.tables import Period, columns_of, day_text, lsoa, row

COLUMNS = columns_of("apc")
SEXES = {"male": "1", "female": "2", "other": "9", "unknown": "0"}
DIED = {"method": "4", "destination": "79"}
OTHER_CARE_HOME = "85"  # neither the council's nor the NHS's


class Visit(NamedTuple):
    """One coming to the hospital: through its emergency department, into a bed, or both."""

    episode: int
    arrived: Event | None
    admitted: Event | None
    ready: Event | None
    left: Event | None
    died_at: datetime | None

    @property
    def left_at(self) -> datetime | None:
        """When the person left; whoever died before leaving left by dying."""
        return self.left.at if self.left else self.died_at


def visits(book: Book, person: int, until: datetime) -> list[Visit]:
    """A person's visits to a hospital, as known at a moment. Ready is the last day said: it counts."""
    found = []
    for episode in episodes(book.rows(person, until)):
        last = {event.event: event for event in episode}
        if "arrived" in last or "admitted" in last:
            arrived, admitted, ready, left = map(last.get, ("arrived", "admitted", "ready", "discharged"))
            found.append(Visit(episode[0].episode, arrived, admitted, ready, left, book.death(person, until)))
    return found


def reason_of(visit: Visit) -> dict[str, Any]:
    """The codes for why somebody came."""
    said = visit.admitted or visit.arrived
    words = said.value.lower() if said else ""
    reasons: list[dict[str, Any]] = definitions("returns")["reasons"]
    return next(reason for reason in reasons if any(word in words for word in reason["words"]))


def pseudonym(person: Person, seed: int) -> str:
    """What stands for an NHS number in every return of a year, or nothing where there is no number."""
    return Ids(seed, "sus")("pseudonym", person.nhs_number) if person.nhs_number else ""


def lives_in_care_home(person: Person) -> bool:
    """Whether the address is the place's care home."""
    return bool(person.address_1 == definitions("place")["care_home"]["line"])


def rows(copies: list[Copy], book: Book, ids: Ids, period: Period, until: datetime) -> list[Record]:
    """The spells that ended within a period, as known at a moment, by their last day."""
    made = []
    for copy in copies:
        for visit in visits(book, copy.person.person, until) if not copy.number else ():
            left_at = visit.left_at
            if visit.admitted and left_at and period.holds(day_text(left_at)):
                values = _spell(visit, visit.admitted, left_at, ids) | _patient(copy.person, visit.admitted.at, ids)
                key = values["APCS_Ident"]
                made.append(row(COLUMNS, values, copy.person.person, "spell", key, left_at))
    return sorted(made, key=lambda record: (record.updated_at, record.local_id))


def _spell(visit: Visit, admitted: Event, left_at: datetime, ids: Ids) -> dict[str, Any]:
    reason, codes = reason_of(visit), definitions("returns")
    emergency = admitted.code.startswith("2")
    nights = (left_at.astimezone(LONDON).date() - admitted.at.astimezone(LONDON).date()).days
    return {
        "APCS_Ident": ids("spell", visit.episode),
        "Hospital_Spell_No": ids("visit", visit.episode),
        "Provider_Code": ids.organisation,
        "Der_Provider_Site_Code": codes["site"],
        "Commissioner_Code": codes["commissioner"],
        "Admission_Date": day_text(admitted.at),
        "Admission_Method": admitted.code,
        "Patient_Classification": "1",
        "Intended_Management": "8" if emergency else "1",
        "Administrative_Category": "01",
        "Legal_Status_Classification": "01",
        "Carer_Support_Indicator": "99",
        "Discharge_Ready_Date": day_text(visit.ready.at if visit.ready else left_at),
        "Discharge_Date": day_text(left_at),
        "Discharge_Method": visit.left.value if visit.left else DIED["method"],
        "Discharge_Destination": visit.left.code if visit.left else DIED["destination"],
        "Der_Spell_LoS": nights,
        "Der_Management_Type": "EM" if emergency else "EL",
        "Der_Admit_Treatment_Function_Code": "300" if emergency else reason["function"],
        "Der_Dischg_Treatment_Function_Code": reason["function"],
        "Der_Diagnosis_All": ",".join(reason["diagnoses"]),
        "Spell_Core_HRG_SUS": reason["hrg"],
        "Local_Unitary_Authority": codes["local_authority"],
    }


def _patient(person: Person, at: datetime, ids: Ids) -> dict[str, Any]:
    """Who it was, without saying who."""
    return {
        "Der_Pseudo_NHS_Number": pseudonym(person, ids.seed),
        "NHS_Number_Trace_Status": "01" if person.nhs_number else "07",
        "Local_Patient_ID": ids("patient", (person.person, 0)),
        "Source_of_Admission": OTHER_CARE_HOME if lives_in_care_home(person) else "19",
        "Sex": SEXES[person.gender],
        "Ethnic_Group": person.ethnicity,
        "Age_At_Start_of_Spell_SUS": age(person, at.astimezone(LONDON).date()),
        "GP_Practice_Code": person.gp_practice,
        "Der_Postcode_LSOA_2011_Code": lsoa(person.postcode),
    }


def age(person: Person, on: date) -> str:
    """Completed years, or empty where the hospital has no date of birth."""
    born: date | None = person.birth_date  # a hospital's copy may lack it
    return str(person.age_years(on)) if born else ""
