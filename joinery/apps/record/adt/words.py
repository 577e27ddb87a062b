"""What a hospital's messages come to as lines of the timeline: for a visit one for each message that made
something happen; for a person one for each allergy, for the next of kin and for the GP practice.
"""

from __future__ import annotations

from datetime import datetime

from joinery.apps.record.adt.definition import definition
from joinery.apps.record.adt.person import Said, is_hidden
from joinery.apps.record.rows import LONDON, EntryRow, Moment, capital, moment_of
from joinery.calc.adt import Place, Step, Visit
from joinery.calc.adt_people import Standing

_KINDS = {
    "planned": "Planned admission", "admitted": "Admission", "moved": "Move", "on_leave": "Leave",
    "returned": "Leave", "discharged": "Discharge", "expected": "Expected discharge",
    "fit": "Medically fit",
}  # fmt: skip
# PID-11, PID-13 and PID-14: address and telephones.
_CONTACTS = {11, 13, 14}


def lines_of(visit: Visit) -> dict[str, EntryRow]:
    """The line of each message, by its digest. Nothing of a cancelled visit is shown."""
    if visit.state == "cancelled":
        return {}
    return {step.by: _line(step, visit) for step in visit.steps}


def standing_lines(said: Said, allergies: dict[str, Standing]) -> dict[str, EntryRow]:
    """The lines of what stands about a person, by what they are about. Whoever hides where they live has
    no next of kin and no GP practice on any page.
    """
    lines = {f"allergy {code}": _allergy(standing) for code, standing in allergies.items()}
    if is_hidden(said):
        return lines
    if kin := said.get("kin"):
        lines["kin"] = EntryRow(kind="Next of kin or contact", title=capital("; ".join(kin))[:300])
    if practice := said.get("practice"):
        lines["practice"] = EntryRow(kind="GP practice", title=str(practice)[:300])
    return lines


def _allergy(standing: Standing) -> EntryRow:
    said = standing.allergy
    silent = f"Not restated since {_day(standing.silent_at)}" if standing.silent_at else ""
    return EntryRow(
        moment=moment_of(said.noted) or Moment(standing.since_at, "minute"),
        kind="Allergy",
        title=capital(said.text)[:300],
        detail=". ".join(filter(None, (said.detail, silent))),
        banner="no_allergy" if said.none else "allergy",
    )


def words_of(place: Place | None) -> str:
    """A place as a reader says it: ward, then bed. A ward without a bed has just its name."""
    if place is None:
        return ""
    return ", ".join(filter(None, (place.ward or place.site, place.bed and f"bed {place.bed}")))


def without_contacts(body: str) -> str:
    """A message as it may be shown of somebody who hides where they live: without address, telephones,
    next of kin and GP.
    """
    field = body[3:4]
    shown = []
    for line in body.replace("\n", "\r").split("\r"):
        fields = line.split(field) if field else [line]
        if fields[0] == "PID":
            fields = ["(hidden)" if n in _CONTACTS and value else value for n, value in enumerate(fields)]
        elif fields[0] in ("NK1", "PD1"):
            fields = [fields[0], "(hidden)"]
        shown.append(field.join(fields))
    return "\r".join(shown)


def _line(step: Step, visit: Visit) -> EntryRow:
    where = words_of(step.place)
    details = []
    if step.what == "admitted":
        details.append(visit.codes.get("reason", "").capitalize())
        if "admission_inferred" in visit.notes:
            details.append("Worked out from later messages: the admission itself has not come")
    if step.what == "discharged" and (to := definition().destinations.get(visit.codes.get("destination", ""))):
        details.append(f"To: {to}")
    if step.expected_at and step.what != "expected":
        details.append(f"Expected to leave {_day(step.expected_at)}")
    if step.fit_at and step.what != "fit":
        details.append(f"Medically fit to leave since {_day(step.fit_at)}")
    return EntryRow(
        moment=Moment(step.at, "minute"),
        kind=_KINDS[step.what],
        title=capital(_title(step, where))[:300],
        detail=". ".join(filter(None, details)),
    )


def _title(step: Step, where: str) -> str:
    if step.what == "expected":
        return f"Expected to leave {_day(step.expected_at)}" if step.expected_at else "No expected discharge any more"
    if step.what == "fit":
        # What the hospital says of the patient: not the national discharge ready date, which is decided otherwise.
        return (
            f"Medically fit to leave since {_day(step.fit_at)}" if step.fit_at else "No longer medically fit to leave"
        )
    words = {
        "planned": "Admission planned", "admitted": "Admitted", "moved": "Moved", "on_leave": "Went on leave",
        "returned": "Came back from leave", "discharged": "Discharged",
    }[step.what]  # fmt: skip
    joined = {"planned": "to", "admitted": "to", "moved": "to", "discharged": "from"}.get(step.what)
    return f"{words} {joined} {where}" if where and joined else words


def _day(at: datetime) -> str:
    here = at.astimezone(LONDON)
    return f"{here.day} {here:%B %Y}"
