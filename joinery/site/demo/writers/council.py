"""The council's nightly extract: a folder of CSV files and a manifest, always the whole case system."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from joinery.site.demo import names
from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import NOBODY, Event, definitions
from joinery.site.demo.population import Person
from joinery.site.demo.writers import Book, Copy, Ids, Record, Window, episodes

# The neutral layout of council extracts. This system keeps no equipment file: equipment is a service here.
# `source_id` repeats the row's own id, for one rule over all files.
LAYOUT: dict[str, list[str]] = {
    file["part"]: file["columns"] for file in definitions("council", "feeds")["file"] if file["part"] != "equipment"
}
ROW_COLUMNS: list[str] = definitions("council", "feeds")["common"]
STAFF_ENTERED_AT = datetime(2020, 1, 6, 9, tzinfo=UTC)

# CLD (release 2) wording.
SERVICE_TYPES = {
    "Reablement": "Short term support: ST-Max",
    "Long term residential care": "Long term support: Residential care",
    "Unpaid carer universal services": "Unpaid carer support: Direct to unpaid carer",
}
COMMUNITY_SUPPORT = "Long term support: Community"
ETHNICITIES = {
    "A": "White: English, Welsh, Scottish, Northern Irish or British",
    "B": "White: Irish",
    "C": "White: Any other White background",
    "D": "Mixed or multiple ethnic groups: White and Black Caribbean",
    "H": "Asian or Asian British: Indian",
    "J": "Asian or Asian British: Pakistani",
    "K": "Asian or Asian British: Bangladeshi",
    "M": "Black, Black British, Caribbean or African: Caribbean",
    "N": "Black, Black British, Caribbean or African: African",
    "R": "Asian or Asian British: Chinese",
    "T": "White: Gypsy or Irish Traveller",  # no letter of the NHS's list
    "Z": "No data: Undeclared or not known",
}
GENDERS = {"male": "Male", "female": "Female", "other": "Other", "unknown": ""}
AUDIENCES = {
    "key_safe": "visiting_staff",
    "dog": "visiting_staff",
    "two_staff": "visiting_staff",
    "safeguarding": "social_care",
}
ALERT_WORDS = {"129839007": "falls_risk"}


def rows(copies: list[Copy], book: Book, everyone: list[Person], ids: Ids, window: Window) -> list[Record]:
    """Every row of the case system at the end of the window, file by file in layout order."""
    records = _staff(ids)
    for copy in copies:
        person = copy.person.person
        told = book.rows(person, window.until)
        if not told:
            continue
        person_id = ids("person", (person, copy.number))
        records.append(_person(copy.person, person_id, told, book.death(person, window.until)))
        for episode in episodes(told) if not copy.number else ():
            build = BUILDERS.get(episode[0].event)
            if build:
                kind, columns = build(episode, ids, everyone, book)
                key = ids(kind, episode[0].episode)
                columns = {f"{kind}_id": key, "person_id": person_id} | columns
                records.append(_row(person, kind, key, episode[-1].at, columns))
    order = list(LAYOUT)
    return sorted(records, key=lambda record: order.index(record.kind))


def _row(person: int, kind: str, key: str, at: datetime, columns: dict[str, Any]) -> Record:
    """A CSV row with every column of its file as text; whatever is not given is not known, so empty."""
    unknown = set(columns) - set(LAYOUT[kind])
    if unknown:
        raise ValueError(f"{kind}.csv has no column {sorted(unknown)}")
    known = {name: "" if value is None else str(value) for name, value in columns.items()}
    body = {name: known.get(name, "") for name in LAYOUT[kind]}
    return Record(person, kind, key, at, body | {"source_id": key, "updated_at": at.isoformat(), "deleted": "0"})


def _date(at: datetime | None) -> str:
    """The English calendar date of a moment, or empty."""
    return at.astimezone(LONDON).date().isoformat() if at else ""


def _latest(rows: list[Event], *names: str) -> Event | None:
    """The last row with one of the names, if any."""
    return next((row for row in reversed(rows) if row.event in names), None)


def _person(person: Person, person_id: str, rows: list[Event], died_at: datetime | None) -> Record:
    """One row of person.csv from the details as held and what the council has recorded."""
    carer = any(row.event == "assessment_started" and row.code == "carer" for row in rows)
    accepted = _latest(rows, "accepted")
    opened = {row.episode for row in rows if row.event in ("service_started", "worker_allocated")}
    ended = {row.episode for row in rows if row.event in ("service_ended", "worker_released")}
    in_care_home = any(row.service == "care_home_orchard" for row in rows)
    settled = (
        "Owner occupier or shared ownership scheme",
        "Tenant: Local authority or other social housing provider",
        "Owner occupier or shared ownership scheme",
    )[person.household % 3]
    columns = {
        "person_id": person_id,
        "nhs_number": person.nhs_number,
        "nhs_status": "02" if person.nhs_number else "03",
        "family_name": person.family_name,
        "given_names": person.given_name,
        "preferred_name": person.preferred_name,
        "birth_date": person.birth_date,
        "birth_date_estimated": 0,
        "gender": GENDERS[person.gender],
        "ethnicity": ETHNICITIES[person.ethnicity],
        "first_language": "en",
        "interpreter": 0,
        "death_date": _date(died_at),
        "address_1": person.address_1,
        "address_2": person.address_2,
        "postcode": person.postcode,
        "gp_practice_code": person.gp_practice,
        "accommodation_status": "Registered care home" if in_care_home else settled,
        "primary_support_reason": accepted.code if accepted else "Unknown",
        "client_type": "carer" if carer else "user",
        "case_status": "open" if opened - ended and not died_at else "closed",
        "restricted": int(person.restricted),
        "restricted_reason_code": "address" if person.restricted else "",
    }
    told = [row.at for row in rows] + ([died_at] if died_at else [])
    return _row(person.person, "person", person_id, max(told), columns)


def _contact(rows: list[Event], *_: Any) -> tuple[str, dict[str, Any]]:
    resolved = _latest(rows, "contact_resolved")
    return "contact", {
        "received_at": rows[0].at.isoformat(),
        "route": rows[0].code,
        "reason": rows[0].value,
        "outcome": resolved.code if resolved else "",
        "outcome_at": resolved.at.isoformat() if resolved else "",
    }


def _referral(rows: list[Event], ids: Ids, *_: Any) -> tuple[str, dict[str, Any]]:
    accepted, closed = _latest(rows, "accepted"), _latest(rows, "referral_closed", "declined")
    team = "discharge" if rows[0].service == "hospital_discharge_team" else "north"
    return "referral", {
        "received_at": rows[0].at.isoformat(),
        "type": rows[0].value,
        "urgency": rows[0].code,
        "team_id": ids("team", team),
        "accepted_at": accepted.at.isoformat() if accepted else "",
        "closed_at": closed.at.isoformat() if closed else "",
        "outcome": closed.code if closed else "",
    }


def _team_of(worker: str) -> str:
    """The team a worker belongs to."""
    return next(row["team"] for row in definitions("place")["workers"] if row["id"] == worker)


def _assessment(rows: list[Event], ids: Ids, *_: Any) -> tuple[str, dict[str, Any]]:
    began, done = rows[0], _latest(rows, "assessed")
    eligible = "" if not done else "Y" if "services" in done.value else "N"
    review = _date(done.at + timedelta(days=365)) if done and began.code in ("care act", "review") else ""
    return "assessment", {
        "type": began.code,
        "started_on": _date(began.at),
        "completed_on": _date(done.at) if done else "",
        "worker_id": ids("worker", began.value),
        "team_id": ids("team", _team_of(began.value)),
        "outcome": done.value if done else "",
        "eligible": eligible,
        "next_review_due": review,
    }


def _service(rows: list[Event], ids: Ids, *_: Any) -> tuple[str, dict[str, Any]]:
    started, ended = rows[0], _latest(rows, "service_ended")
    paused, resumed = _latest(rows, "service_paused"), _latest(rows, "service_resumed")
    amount = _latest(rows, "service_started", "service_changed") or started
    provider = definitions("place")["services"][started.service]
    direct = started.code == "Direct payment"
    units, unit = amount.value.split(" ", 1)
    return "service", {
        "package_id": ids("package", started.person),
        "component": started.code,
        "type": SERVICE_TYPES.get(started.code, COMMUNITY_SUPPORT),
        "delivery_mechanism": "Direct payment" if direct else "CASSR commissioned support",
        "provider_name": "" if direct else provider["provider"],
        "provider_cqc_location_id": provider.get("cqc_location", ""),
        "planned_start": _date(started.at),
        "start_date": _date(started.at),
        "end_date": _date(ended.at) if ended else "",
        "end_reason": ended.value if ended else "",
        "units_per_week": units,
        "unit": unit,
        "suspended_from": _date(paused.at) if paused else "",
        "suspended_to": _date(resumed.at) if resumed else "",
        "suspended_reason": paused.value if paused else "",
        "funding": "social care",
    }


def _allocation(rows: list[Event], ids: Ids, *_: Any) -> tuple[str, dict[str, Any]]:
    released = _latest(rows, "worker_released")
    return "allocation", {
        "worker_id": ids("worker", rows[0].value),
        "role": rows[0].code,
        "team_id": ids("team", _team_of(rows[0].value)),
        "from": _date(rows[0].at),
        "to": _date(released.at) if released else "",
    }


def _relationship(rows: list[Event], ids: Ids, everyone: list[Person], book: Book) -> tuple[str, dict[str, Any]]:
    other, *roles = rows[0].value.split()
    related, ended = everyone[int(other)], _latest(rows, "relationship_ended")
    known = related.person in book.by_person
    flags = {
        "is_carer": "carer",
        "is_next_of_kin": "next_of_kin",
        "is_emergency": "emergency",
        "has_lpa_hw": "lpa_health",
        "has_lpa_pf": "lpa_property",
    }
    return "relationship", {
        "related_person_id": ids("person", (related.person, 0)) if known else "",
        "related_name": f"{related.given_name} {related.family_name}",
        "type": rows[0].code,
        **{column: int(role in roles) for column, role in flags.items()},
        "phone": names.phone(related.person),
        "from": _date(rows[0].at),
        "to": _date(ended.at) if ended else "",
    }


def _alert(rows: list[Event], *_: Any) -> tuple[str, dict[str, Any]]:
    first, ended = rows[0], _latest(rows, "alert_ended")
    return "alert", {
        "code": ALERT_WORDS.get(first.code, first.code),
        "text": first.value,
        "from": _date(first.at),
        "to": _date(ended.at) if ended else "",
        "review_on": _date(first.at + timedelta(days=365)),
        "audience": AUDIENCES.get(first.code, "all"),
    }


BUILDERS = {
    "contact_received": _contact,
    "referred": _referral,
    "assessment_started": _assessment,
    "service_started": _service,
    "worker_allocated": _allocation,
    "relationship_recorded": _relationship,
    "alert_raised": _alert,
}


def _staff(ids: Ids) -> list[Record]:
    """The rows about nobody: teams and workers."""
    place, records = definitions("place"), []
    for worker in place["workers"]:
        columns = {name: worker[name] for name in ("name", "job", "phone", "email")}
        key = ids("worker", worker["id"])
        records.append(_row(NOBODY, "worker", key, STAFF_ENTERED_AT, {"worker_id": key} | columns))
    for team in place["teams"]:
        columns = {name: team[name] for name in ("name", "phone", "out_of_hours_phone")}
        key = ids("team", team["id"])
        records.append(_row(NOBODY, "team", key, STAFF_ENTERED_AT, {"team_id": key} | columns))
    return records


def pack(records: list[Record], organisation: str, day: str) -> dict[str, list[Record]]:
    """Records by file, every file of the layout present even when empty."""
    folder = f"council/{organisation}/{day}"
    return {f"{folder}/{kind}.csv": [r for r in records if r.kind == kind] for kind in LAYOUT}


def encode(path: str, records: list[Record]) -> bytes:
    """One CSV file: UTF-8, a header row, RFC 4180 line ends."""
    text = io.StringIO(newline="")
    kind = path.rsplit("/", 1)[1].removesuffix(".csv")
    writer = csv.DictWriter(text, (*LAYOUT[kind], *ROW_COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(record.body for record in records if isinstance(record.body, dict))
    return text.getvalue().encode()


def manifest(files: dict[str, bytes], organisation: str, window: Window) -> bytes:
    """manifest.json: whose extract, of what period, and each file's rows and SHA-256."""
    listed = [
        {"name": path.rsplit("/", 1)[1], "lines": data.count(b"\r\n") - 1, "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in files.items()
    ]
    body = {
        "organisation": organisation,
        "system": "Wexcombe case system",
        "system_version": "2026.2",
        "schema": "joinery-council/1",
        "mode": "full",
        "from": None,
        "to": window.until.isoformat(),
        "generated_at": window.until.isoformat(),
        "files": listed,
    }
    return (json.dumps(body, indent=2) + "\n").encode()
