"""What tests of a care provider's export share: a provider, lines of each type, and files of them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record.actions import Taken, take_file
from joinery.calc.access import Post
from tests.apps.record.sending import ACTOR, AT, nhs_number

PROVIDER, OTHER = "ZP1", "ZP2"
NUMBER = nhs_number(1)
MANAGER = Post("care_home_manager", PROVIDER)
NAMES = [{"use": "legal", "family": "Ash", "given": ["Ann", "May"], "prefix": "Mrs"}]
PERSON = f"{PROVIDER} Subject/SU-1"

Line = dict[str, Any]

# Each type of our layout of MODS: a whole body, and which of its fields are mandatory.
TYPES: dict[str, tuple[Line, tuple[str, ...]]] = {
    "Subject": ({"names": NAMES, "birth_date": "1941-03-03", "nhs_number": NUMBER}, ("names", "birth_date")),
    "CareOrganisation": ({"name": "Example Care"}, ("name",)),
    "CareWorker": ({"name": {"family": "Birch", "given": "Ben"}, "role": "carer"}, ("name",)),
    "Proxy": ({"name": "Sam Ash", "relationship": "son", "authority": "LPA-HW"}, ("name",)),
    "Need": ({"category": "mobility", "text": "Walks with a frame"}, ("category",)),
    "Risk": ({"category": {"code": "falls", "text": "Falls"}, "start": "2026-01-01"}, ("category",)),
    "Strength": ({"category": "family", "text": "Daughter visits"}, ("category",)),
    "Wish": ({"category": "home", "text": "To stay here"}, ("category",)),
    "Preference": ({"category": "tea", "text": "No sugar"}, ("category",)),
    "Circumstance": ({"category": "housing", "text": "Lives alone"}, ("category",)),
    "Alert": ({"text": "Large dog", "status": "active"}, ("status",)),
    "Safeguarding": ({"identified": "2026-03-01T10:00:00Z", "gp_informed": True}, ("identified",)),
    "Goal": ({"text": "Walk to the shop", "target_date": "2026-06-01", "need_uid": ["n1"]}, ("text",)),
    "Outcome": ({"goal_uid": "g1", "result": "Reached"}, ("goal_uid",)),
    "CarePlan": ({"title": "Plan for spring", "start": "2026-03-01", "goals": ["g1"]}, ("title", "start")),
    "Service": ({"description": "Morning visit", "type": ["home care"]}, ("description",)),
    "Instruction": ({"text": "Help to wash", "plan_uid": "p1"}, ("text",)),
    "Action": ({"done_at": "2026-03-30T08:00:00Z", "outcome": "refused"}, ("done_at",)),
    "Observation": ({"code": "weight", "value": 61.50, "unit": "kg"}, ("code",)),
    "MedicationItem": ({"text": "Ramipril 5 mg", "dose": "one in the morning"}, ()),
    "MedicationAdministration": ({"item_uid": "m1", "outcome": "refused", "due_at": "2026-03-30"}, ("item_uid",)),
    "Allergy": ({"agent": "Penicillin", "reaction": "Rash"}, ()),
    "Incident": ({"what": "Fell", "at": "2026-03-29T22:10:00Z", "harm": "low"}, ("what", "at")),
    "DailyNote": ({"text": "Slept well", "author": "CW-1"}, ("text", "author")),
    "Legal": ({"kind": "ReSPECT", "made_on": "2026-02-01", "decision": "DNACPR"}, ("kind", "made_on")),
    "Consent": ({"scope": "sharing", "decision": "given", "at": "2026-03-01"}, ("scope", "decision", "at")),
    "Stay": ({"admitted_at": "2025-12-01", "room": "4"}, ("admitted_at",)),
    "Occupancy": ({"at": "2026-03-30T09:00:00Z", "beds": 40, "occupied": 38}, ("at",)),
}
# Of these one field at least.
ONE_OF = {"Alert": ("code", "text"), "MedicationItem": ("code", "text"), "Allergy": ("agent", "assertion")}
NOBODYS = ("CareOrganisation", "CareWorker", "Occupancy")


def line(kind: str, uid: str = "", body: Line | None = None, version: int = 1, **envelope: Any) -> Line:
    """A line of the export about SU-1; `change` in `envelope` is laid over the change."""
    change = {"at": f"2026-03-{min(version, 31):02}T09:00:00Z", "type": "updated", "by": "CW-1", "system": "DSCR-X"}
    said: Line = {
        "type": kind,
        "uid": uid or ("SU-1" if kind == "Subject" else f"{kind}-1"),
        "version": version,
        "subject": None if kind in (*NOBODYS, "Subject") else "SU-1",
        "location": "1-9990001",
        "date": "2026-03-30",
        "time": None,
        "actors": ["CW-1"],
        "change": change | envelope.pop("change", {}),
        "status": "active",
        "sensitivity": "normal",
        "absent": None,
        "body": TYPES[kind][0] if body is None else body,
    }
    return said | envelope


def subject(uid: str = "SU-1", version: int = 1, **body: Any) -> Line:
    """A Subject line."""
    return line("Subject", uid, TYPES["Subject"][0] | body, version)


def encoded(lines: Iterable[Line]) -> bytes:
    """The lines as a file."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def register() -> None:
    """Register the provider, and another one."""
    for code in (PROVIDER, OTHER):
        register_organisation(details=OrganisationDetails(code, code, "care_provider"), actor=ACTOR, at=AT)


def manifest(folder: Path, content: bytes, name: str = "manifest.json", **said: Any) -> None:
    """Write a manifest that fits the content, but for what `said` says otherwise."""
    fitting = {
        "provider_ods": PROVIDER,
        "schema": "joinery-mods/1",
        "mode": "full",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (folder / name).write_text(json.dumps(fitting | said))


def take(folder: Path, content: bytes, name: str = "export.jsonl", sender: str = PROVIDER, at: datetime = AT) -> Taken:
    """Write the content to a file and take it."""
    path = folder / name
    path.write_bytes(content)
    taken = take_file(path=path, feed="mods", organisation_code=sender, actor=ACTOR, at=at)
    assert taken.rows == taken.taken + taken.unchanged + taken.superseded + taken.quarantined
    return taken


def packed(content: bytes) -> bytes:
    """The content compressed, the same for the same content."""
    return gzip.compress(content, mtime=0)
