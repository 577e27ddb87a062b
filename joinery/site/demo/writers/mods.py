"""A care provider's export in the classes of MODS: JSON Lines, gzipped, and a manifest beside it.

One line is one version of one thing. The first file of a provider holds everything, the next what has changed.
The layout of the fields is our own.
"""

import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from joinery.site.demo import names
from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import NOBODY, Event, definitions
from joinery.site.demo.population import Person
from joinery.site.demo.writers import EARLIEST, Book, Copy, Ids, Record, Window, capacity, episodes

PERSON = "Subject"
SYSTEM = "Tidewater Care"
STAFF_ENTERED_AT = datetime(2020, 1, 6, 9, tzinfo=UTC)
REVIEW_DAYS = 182
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# What a Legal line says until when it holds; a DoLS authorisation at most a year (MCA 2005, schedule A1).
REVIEWED_AFTER_DAYS, EXPIRES_AFTER_DAYS = {"ReSPECT": 365}, {"DoLS": 365}
WRITTEN_ANEW = ("Need", "Risk")  # a later version is what was seen later; of other things it is a correction
ALERT_CATEGORIES = {"key_safe": "access", "dog": "environment"}

Body = dict[str, Any]
Built = tuple[str, Body]


def rows(copies: list[Copy], book: Book, everyone: list[Person], ids: Ids, window: Window) -> list[Record]:
    """Every line that the provider would send for a window: the newest version of whatever changed in it."""
    records = [*_staff(ids), *_occupancy(ids, window)]
    for copy in copies:
        person = copy.person.person
        told = book.rows(person, window.until)
        if not told:
            continue
        subject = ids(PERSON, (person, copy.number))
        died_at = book.death(person, window.until)
        records.append(_subject(copy, subject, told, died_at, ids))
        if not copy.number:
            records += _lines(copy, subject, [_until_death(rows, died_at) for rows in episodes(told)], everyone, ids)
    return [record for record in records if record.updated_at >= window.since]


def _until_death(rows: list[Event], died_at: datetime | None) -> list[Event]:
    """The episode of something that ends with the person's life, with that end."""
    ends = died_at and rows[0].event in ("admitted", "visits_agreed")
    return [*rows, rows[-1]._replace(at=died_at, event="died")] if ends and died_at else rows


def _lines(copy: Copy, subject: str, recorded: list[list[Event]], everyone: list[Person], ids: Ids) -> list[Record]:
    """A line for each thing that was recorded about a person, and for a question not asked or not answered."""
    records = []
    for rows in recorded:
        build = BUILDERS.get(rows[0].event)
        if build:
            kind, body = build(rows, everyone)
            key, at = ids(kind, rows[0].episode), rows[-1].at
            happened = at if kind in WRITTEN_ANEW else rows[0].at
            records.append(_record(copy, kind, key, len(rows), at, ids, body, subject, happened))
    if recorded and not any(record.kind == "Allergy" for record in records):
        key, at = ids("Allergy", (copy.person.person, "question")), min(rows[0].at for rows in recorded)
        assertion = "not_asked" if int(key, 16) % 3 else "unavailable"
        records.append(_record(copy, "Allergy", key, 1, at, ids, {"assertion": assertion}, subject))
    return records


def _record(
    copy: Copy,
    kind: str,
    key: str,
    version: int,
    at: datetime,
    ids: Ids,
    body: Body,
    subject: str = "",
    happened: datetime | None = None,
) -> Record:
    """A line: the envelope that all types share, and the body of this one."""
    here = (happened or at).astimezone(LONDON)
    ended = body.get("end") or body.get("discharged_at")
    line = {
        "type": kind,
        "uid": key,
        "version": version,
        "subject": subject or None,
        "location": ids.organisation,
        "date": here.date().isoformat(),
        "time": here.strftime("%H:%M"),
        "actors": [_worker(ids, key)],
        "change": {
            "at": at.isoformat(),
            "type": "updated" if version > 1 else "created",
            "by": _worker(ids, key),
            "system": SYSTEM,
            "reason": None,
        },
        "status": "completed" if ended else "active",
        "sensitivity": "restricted" if copy.person.restricted and kind == PERSON else "normal",
        "absent": None,
        "body": {name: value for name, value in body.items() if value not in ("", None, [])},
    }
    return Record(copy.person.person, kind, key, at, line)


# -- the provider -----------------------------------------------------------------------------------


def _workers(ids: Ids) -> list[dict[str, str]]:
    return [row for row in definitions("place")["care_workers"] if row["provider"] == ids.organisation]


def _worker(ids: Ids, key: str) -> str:
    """Who wrote a line: one of the provider's people, the same for the same line."""
    workers = _workers(ids)
    return ids("CareWorker", workers[int(key, 16) % len(workers)]["id"])


def _about_nobody(kind: str, key: str, at: datetime, ids: Ids, body: Body) -> Record:
    nobody = Person(NOBODY, "", "", "", "", "", at.date(), "unknown", "", "", "", "", -1, "")
    return _record(Copy(nobody), kind, key, 1, at, ids, body)


def _staff(ids: Ids) -> list[Record]:
    return [
        _about_nobody(
            "CareWorker",
            ids("CareWorker", row["id"]),
            STAFF_ENTERED_AT,
            ids,
            {name: row[name] for name in ("name", "role", "phone")},
        )
        for row in _workers(ids)
    ]


def _occupancy(ids: Ids, window: Window) -> list[Record]:
    """A home's beds of the morning before: the same figures as in its return of capacity."""
    home = definitions("returns")["homes"].get(ids.organisation)
    if home is None:
        return []
    day = window.until.date()
    told = [row.body for row in capacity.rows(home["provider"], ids.seed, day) if isinstance(row.body, dict)]
    of_all = next(b for b in told if (b["location_id"], b["bed_type"]) == (ids.organisation, capacity.TOTAL))
    beds, occupied, kept = (int(of_all[name]) for name in capacity.BEDS)
    at = window.until - timedelta(hours=20)
    body = {"beds": beds, "occupied": occupied, "available": beds - occupied - kept, "at": at.isoformat()}
    return [_about_nobody("Occupancy", ids("Occupancy", day), at, ids, body)]


# -- the person -------------------------------------------------------------------------------------


def _subject(copy: Copy, key: str, told: list[Event], died_at: datetime | None, ids: Ids) -> Record:
    """The person as the provider holds them: known since the care began, changed when they died."""
    held = copy.person
    name: Body = {"use": "legal", "family": held.family_name, "given": held.given_name, "prefix": held.title}
    preferred = {"use": "preferred", "family": held.family_name, "given": held.preferred_name}
    body = {
        "nhs_number": held.nhs_number,
        "nhs_status": "02" if held.nhs_number else "03",
        "names": [name, preferred] if held.preferred_name else [name],
        "birth_date": _text(held.birth_date),
        "gender": held.gender,
        "ethnicity": held.ethnicity,
        "addresses": [{"use": "home", "lines": [held.address_1, held.address_2], "postcode": held.postcode}],
        "gp_practice": held.gp_practice,
        "language": "en",
        "interpreter": False,
        "death_date": _day(died_at) if died_at else "",
    }
    first = told[0].at
    return _record(copy, PERSON, key, 1 + bool(died_at), died_at or first, ids, body, key, first)


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(at: datetime) -> str:
    """The English calendar date of a moment."""
    return at.astimezone(LONDON).date().isoformat()


def _coded(word: str, text: str) -> Body:
    return {"code": word, "text": text}


# -- what is recorded -------------------------------------------------------------------------------


def _need(episode: list[Event], *_: Any) -> Built:
    row, first = episode[-1], episode[0]
    category = _coded(row.code, definitions("clinical")["needs"][row.code]["name"])
    return "Need", {"category": category, "text": row.value, "start": _day(first.at)}


def _risk(episode: list[Event], *_: Any) -> Built:
    row, first = episode[-1], episode[0]
    category = _coded(row.code, definitions("clinical")["risks"][row.code]["name"])
    return "Risk", {"category": category, "text": row.value, "start": _day(first.at)}


def _goal(episode: list[Event], *_: Any) -> Built:
    row = episode[-1]
    return "Goal", {"text": row.value, "target_date": _day(row.at + timedelta(days=REVIEW_DAYS))}


def _plan(episode: list[Event], *_: Any) -> Built:
    first, last = episode[0], episode[-1]
    return "CarePlan", {
        "title": first.value,
        "category": _coded(first.code, first.code.replace("_", " ").capitalize()),
        "start": _day(first.at),
        "review_due": _day(last.at + timedelta(days=REVIEW_DAYS)),
        "agreed_with": ["the person"],
    }


def _service(episode: list[Event], *_: Any) -> Built:
    first, row = episode[0], episode[-1]
    return "Service", {
        "description": row.code,
        "type": ["home care"],
        "start": _day(first.at),
        "end": _day(row.at) if row.event == "died" else "",
        "schedule": f"{row.value} a week",
        "funding": "social care",
    }


def _medicine(episode: list[Event], *_: Any) -> Built:
    first, last = episode[0], episode[-1]
    return "MedicationItem", {
        "text": definitions("clinical")["medicines"][first.code]["name"],
        "dose": first.value,
        "start": _day(first.at),
        "end": _day(last.at) if last.event == "medicine_stopped" else "",
    }


def _allergy(episode: list[Event], *_: Any) -> Built:
    row = episode[-1]
    known = definitions("clinical")["allergies"][row.code]
    agent = _coded(row.code, f"Allergy to {known['name'].lower()}")
    return "Allergy", {"agent": agent, "type": known["category"], "reaction": row.value}


def _no_allergy(*_: Any) -> Built:
    return "Allergy", {"assertion": "none_known"}


def _incident(episode: list[Event], *_: Any) -> Built:
    row = episode[-1]
    known = definitions("clinical")["incidents"][row.code]
    words = ": ".join(filter(None, (known["name"], row.value)))
    return "Incident", {
        "what": _coded(row.code, words),
        "at": row.at.isoformat(),
        "harm": known["harm"],
        "informed": ["next of kin"],
        "reported_to_cqc": False,
    }


def _observation(episode: list[Event], *_: Any) -> Built:
    row = episode[-1]
    known = definitions("clinical")["measurements"][row.code]
    return "Observation", {"code": _coded(row.code, known["name"]), "value": float(row.value), "unit": known["unit"]}


def _legal(episode: list[Event], *_: Any) -> Built:
    row = episode[-1]
    review, expiry = REVIEWED_AFTER_DAYS.get(row.code), EXPIRES_AFTER_DAYS.get(row.code)
    return "Legal", {
        "kind": row.code,
        "decision": _coded(row.value, row.value[:1].upper() + row.value[1:].replace("_", " ")),
        "made_on": _day(row.at),
        "review_on": _day(row.at + timedelta(days=review)) if review else "",
        "expires_on": _day(row.at + timedelta(days=expiry)) if expiry else "",
        "seen_original": True,
        "document": "In the folder in the room" if row.service == "care_home_orchard" else "With the family",
    }


def _proxy(episode: list[Event], everyone: list[Person]) -> Built:
    """Somebody in the person's life; for an attorney, for what."""
    row = episode[-1]
    other, *roles = row.value.split()
    related = everyone[int(other)]
    authority = {"lpa_health": "LPA-HW", "lpa_property": "LPA-PF"}
    return "Proxy", {
        "name": {"family": related.family_name, "given": related.given_name},
        "relationship": row.code,
        "authority": [authority[role] for role in roles if role in authority],
        "phone": names.phone(related.person),
    }


def _alert(episode: list[Event], *_: Any) -> Built:
    first, last = episode[0], episode[-1]
    ended = last.event == "alert_ended"
    return "Alert", {
        "code": first.code,
        "text": first.value,
        "category": ALERT_CATEGORIES.get(first.code, ""),
        "status": "no_longer_needed" if ended else "active",
        "start": _day(first.at),
        "end": _day(last.at) if ended else "",
    }


def _stay(episode: list[Event], *_: Any) -> Built:
    first, last = episode[0], episode[-1]
    died = last.event == "died"
    return "Stay", {
        "admitted_at": first.at.isoformat(),
        "from": first.code,
        "reason": first.value,
        "room": str(1 + first.person % 38),
        "discharged_at": last.at.isoformat() if died else "",
        "to": "Died" if died else "",
    }


def _note(episode: list[Event], *_: Any) -> Built:
    return "DailyNote", {"text": episode[-1].value, "author": "Care worker"}


BUILDERS: dict[str, Callable[..., Built]] = {
    "need_recorded": _need,
    "risk_recorded": _risk,
    "goal_set": _goal,
    "plan_agreed": _plan,
    "visits_agreed": _service,
    "medicine_started": _medicine,
    "allergy_recorded": _allergy,
    "no_known_allergies": _no_allergy,
    "incident": _incident,
    "measured": _observation,
    "legal_recorded": _legal,
    "relationship_recorded": _proxy,
    "alert_raised": _alert,
    "admitted": _stay,
    "note_written": _note,
}


# -- files ------------------------------------------------------------------------------------------


def pack(records: list[Record], organisation: str, day: str) -> dict[str, list[Record]]:
    """One file a day, without lines too: then nothing has changed."""
    return {f"mods/{organisation}/{day}.jsonl.gz": records}


def encode(path: str, records: list[Record]) -> bytes:
    """The bytes of a file; gzip carries no time, so that the same lines are the same bytes."""
    lines = "".join(f"{ENCODER.encode(record.body)}\n" for record in records)
    return gzip.compress(lines.encode(), 6, mtime=0)


def manifest(path: str, data: bytes, organisation: str, window: Window) -> tuple[str, bytes]:
    """Path and bytes of the manifest of a file: whose it is, of what time, its lines and SHA-256."""
    full = window.since == EARLIEST
    body = {
        "provider_ods": organisation,
        "cqc_location_id": organisation,
        "system": SYSTEM,
        "system_version": "4.2",
        "schema": "joinery-mods/1",
        "mode": "full" if full else "delta",
        "from": None if full else window.since.isoformat(),
        "to": window.until.isoformat(),
        "lines": gzip.decompress(data).count(b"\n"),
        "sha256": hashlib.sha256(data).hexdigest(),
        "generated_at": window.until.isoformat(),
    }
    return path.replace(".jsonl.gz", ".manifest.json"), (json.dumps(body, indent=2) + "\n").encode()
