"""How returns go wrong: the known behaviours of real submissions, made at stated rates and written down.

A break says which columns of a row change and to what; a row that it does not suit it leaves alone. Rates are
in `definitions/demo/defects.toml`; of each break there is at least one wherever a row suits it. The rows of
Mrs Smith are never touched. Sources: DHSC, methodology of its Client Level Data
tables (github.com/DataS-DHSC/ASC-CLD-LA-Dashboard, 2026); of other returns, our own assumptions.
"""

import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from joinery.site.demo.corruptor import Defect
from joinery.site.demo.events import definitions
from joinery.site.demo.writers import Change, Ids, Record, capacity
from joinery.site.demo.writers.tables import Period

T = TypeVar("T")
Body = dict[str, str]
WHOLE_FILE = ""  # the key of a defect that is in every row
MRS_SMITH = 0
FEE_RISE = 1.05  # a made-up yearly rise in what a provider is paid


class Break(NamedTuple):
    """One way to break a row; `person_wide` breaks every row of the person alike."""

    change: Callable[[Body], Body]
    person_wide: bool = False


def _set(column: str, value: str, where: tuple[str, str] | None = None) -> Break:
    """Put a value in a column that holds another, and, if told so, only where a column has a certain value."""
    return Break(lambda body: {column: value} if body[column] and (not where or body[where[0]] == where[1]) else {})


def _april(body: Body) -> Body:
    """A service begun before the financial year is said to begin with it, as after a change of systems."""
    end = body["Reporting_Period_End_Date"]
    april = f"{int(end[:4]) - (end[5:] < '04-01')}-04-01"
    going_on = _service(body) and body["Event_Start_Date"] < april < (body["Event_End_Date"] or end)
    return {"Event_Start_Date": april} if going_on else {}


def _service(body: Body) -> bool:
    return body["Event_Type"] == "Service"


def _another_reason(body: Body) -> Body:
    now = body["Primary_Support_Reason"]
    other = "Mental Health Support" if now != "Mental Health Support" else "Learning Disability Support"
    return {"Primary_Support_Reason": other} if body["Client_Type"] == "Service user" else {}


BREAKS: dict[str, dict[str, Break]] = {
    "cld": {
        "never_closed": Break(
            lambda b: {"Event_End_Date": "", "Event_Outcome": ""} if _service(b) and b["Event_End_Date"] else {}
        ),
        "start_reset_to_april": Break(_april),
        "dummy_birth_date": Break(lambda b: {"Date_of_Birth": "1900-01-01"} if b["Date_of_Birth"] else {}, True),
        "release_1_value": _set("Accommodation_Status", "Unknown", where=("Event_Type", "Request")),
        "release_1_reason": _set(
            "Primary_Support_Reason", "Social Support: Support to Carer", where=("Client_Type", "Unpaid carer")
        ),
        "conflicting_support_reason": Break(_another_reason),
        "blank_mandatory": _set("Event_Start_Date", ""),
        "invalid_code": _set("Delivery_Mechanism", "Commissioned", where=("Event_Type", "Service")),
    },
    "apc": {
        "ready_after_discharge": Break(lambda b: {"Discharge_Ready_Date": _later(b["Discharge_Date"])}),
        "own_care_home_as_councils": _set("Discharge_Destination", "65", where=("Discharge_Destination", "85")),
        "invalid_code": _set("Discharge_Destination", "20"),
        "number_not_traced": Break(
            lambda b: (
                {"Der_Pseudo_NHS_Number": "", "NHS_Number_Trace_Status": "04"} if b["Der_Pseudo_NHS_Number"] else {}
            )
        ),
        "not_grouped": _set("Spell_Core_HRG_SUS", "UZ01Z"),
        "blank_mandatory": _set("Admission_Date", ""),
    },
    "ecds": {
        "left_before_arrival": Break(lambda b: {"EC_Departure_Date": _later(b["Arrival_Date"], -1)}),
        "invalid_code": _set("EC_Acuity_SNOMED_CT", "3"),
        "no_diagnosis": _set("Diagnosis_01", ""),
        "blank_mandatory": _set("Arrival_Date", ""),
    },
    "capacity": {
        "more_than_fit": Break(
            lambda b: {"occupied": str(int(b["maximum_capacity"]) + 2)} if b["bed_type"] != capacity.TOTAL else {}
        ),
        "old_figures": Break(lambda b: {"updated_at": _later(b["updated_at"], -45)}),
        "blank_mandatory": _set("maximum_capacity", ""),
    },
}


def _later(moment: str, days: int = 1) -> str:
    """An ISO date or moment some days later."""
    return f"{date.fromisoformat(moment[:10]) + timedelta(days=days)}{moment[10:]}"


def spoil(
    feed: str, records: list[Record], rng: random.Random, already: Iterable[Defect] = ()
) -> tuple[list[Record], list[Defect]]:
    """A return with rows broken and rows repeated, none of them twice, nor any that is broken `already`."""
    rates, records, defects = definitions("defects")[feed], list(records), list[Defect]()
    broken = {defect.local_id for defect in already}
    whole = {at for at, r in enumerate(records) if r.person != MRS_SMITH and r.local_id not in broken}
    for name, breaks in BREAKS[feed].items():
        fit = [at for at in sorted(whole) if _differs(records[at], breaks)]
        for first in _chosen(fit, rates[name], len(records), rng):
            if first not in whole:
                continue  # with the rest of a person's rows
            person = records[first].person
            for at in [at for at in fit if records[at].person == person] if breaks.person_wide else [first]:
                whole.discard(at)
                records[at], made = _broken(records[at], name, breaks)
                defects += made
    for at in sorted(_chosen(sorted(whole), rates["repeated"], len(records), rng), reverse=True):
        records.insert(at, records[at])
        defects.append(Defect(records[at].kind, records[at].local_id, Change("repeated", "", "", "")))
    return records, defects


def _chosen(fit: list[T], rate: float, of: int, rng: random.Random) -> list[T]:
    """Some of what fits, so many of `of`: at least one, unless it is never to happen."""
    return rng.sample(fit, min(len(fit), max(1, round(rate * of)) if rate else 0))


def _body(record: Record) -> Body:
    assert isinstance(record.body, dict)
    return record.body


def _differs(record: Record, breaks: Break) -> bool:
    body = _body(record)
    return any(body[column] != value for column, value in breaks.change(body).items())


def _broken(record: Record, name: str, breaks: Break) -> tuple[Record, list[Defect]]:
    body = _body(record)
    changes = {column: now for column, now in breaks.change(body).items() if now != body[column]}
    made = [
        Defect(record.kind, record.local_id, Change(name, column, body[column], now)) for column, now in changes.items()
    ]
    return record._replace(body=body | changes), made


def period_misstated(records: list[Record], period: Period) -> tuple[list[Record], list[Defect]]:
    """The financial year is said to be the period, though the events are those of the twelve months sent."""
    first = date(period.last.year - (period.last.month < 4), 4, 1)
    now = {
        "Reporting_Period_Start_Date": str(first),
        "Reporting_Period_End_Date": str(first.replace(year=first.year + 1) - timedelta(days=1)),
    }
    was = dict(zip(now, map(str, period), strict=True))
    kind = records[0].kind if records else "event"
    made = [Defect(kind, WHOLE_FILE, Change("period_misstated", name, was[name], now[name])) for name in now]
    return [record._replace(body=_body(record) | now) for record in records], made


def cost_changed(records: list[Record], ids: Ids, rng: random.Random) -> tuple[list[Record], list[Defect]]:
    """A dearer price makes a new service of some that go on: the old one ends, with a new reference a new begins."""
    rate, made, defects = definitions("defects")["cld"]["cost_change_new_service"], list[Record](), list[Defect]()
    chosen = set(_chosen([r.local_id for r in records if _goes_on(r)], rate, len(records), rng))
    for record in records:
        if record.local_id not in chosen:
            made.append(record)
            continue
        body = _body(record)
        period = Period(*(date.fromisoformat(body[f"Reporting_Period_{end}_Date"]) for end in ("Start", "End")))
        changed = period.last - timedelta(days=30)
        ended = {
            "Event_End_Date": str(changed - timedelta(days=1)),
            "Event_Outcome": "NFA: Support ended for other reason",
        }
        again = {
            "Event_Reference": ids("event", f"{record.local_id}/2"),
            "Event_Start_Date": str(changed),
            "Unit_Cost": f"{float(body['Unit_Cost']) * FEE_RISE:.2f}",
        }
        made.append(record._replace(body=body | ended))
        made.append(record._replace(body=body | again, local_id=again["Event_Reference"]))
        for key, change in ((record.local_id, ended), (again["Event_Reference"], again)):
            defects += [
                Defect(record.kind, key, Change("cost_change_new_service", column, body[column], now))
                for column, now in change.items()
            ]
    return made, defects


def _goes_on(record: Record) -> bool:
    """An open service older than the last month, paid by time."""
    body = _body(record)
    lately = _later(body["Reporting_Period_End_Date"], -60)
    by_time = body["Cost_Frequency_Unit_Type"] != "One-off"
    goes_on = _service(body) and not body["Event_End_Date"] and body["Event_Start_Date"] < lately
    return goes_on and by_time and record.person != MRS_SMITH


def vanished(records: list[Record], before: list[Record], rng: random.Random) -> tuple[list[Record], list[Defect]]:
    """Open services of the submission before that this one leaves out, without ever having been closed."""
    rate = definitions("defects")["cld"]["open_service_vanished"]
    told = {record.local_id for record in before if _service(_body(record)) and not _body(record)["Event_End_Date"]}
    fit = [r.local_id for r in records if r.local_id in told and r.person != MRS_SMITH]
    gone = set(_chosen(fit, rate, len(records), rng))
    kept = [record for record in records if record.local_id not in gone]
    return kept, [Defect("event", key, Change("open_service_vanished", "", "", "")) for key in sorted(gone)]


def sent_again() -> list[Defect]:
    """A quarter sent once more as a whole, on top of what was sent before."""
    return [Defect("event", WHOLE_FILE, Change("resubmitted", "", "", ""))]
