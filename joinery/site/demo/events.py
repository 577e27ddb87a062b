"""The event schema: what can happen to a person in a place, as columns.

Everything the demo writes, and everything the twin forecasts, is rows of these eight columns. The schema is
fixed: a new feed may need a new event code, never a new column. `reference()` writes its page in the docs.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

NOBODY = -1  # `person` of an event about a service, such as its number of places
NO_EPISODE = -1


class Event(NamedTuple):
    """One row. `at` is a UTC datetime; everything else is an integer or text, never None."""

    person: int
    at: datetime
    event: str
    organisation: str
    service: str = ""
    code: str = ""
    value: str = ""
    episode: int = NO_EPISODE


@dataclass(frozen=True, slots=True)
class Events:
    """Equal-length columns, sorted by time, then person, then episode. See `COLUMNS` for what each one holds."""

    person: tuple[int, ...]
    at: tuple[datetime, ...]
    event: tuple[str, ...]
    organisation: tuple[str, ...]
    service: tuple[str, ...]
    code: tuple[str, ...]
    value: tuple[str, ...]
    episode: tuple[int, ...]

    @classmethod
    def of(cls, rows: Iterable[Event]) -> "Events":
        """Columns from rows in any order. Raises ValueError for an event or service that is not on the lists."""
        # The sort is stable, so two things at the same minute keep the order in which they were told.
        ordered = sorted(rows, key=lambda row: (row.at, row.person, row.episode))
        services = definitions("place")["services"]
        for row in ordered:
            if row.event not in EVENTS or (row.service and row.service not in services):
                raise ValueError(f"not in the event schema: {row.event!r} at service {row.service!r}")
        return cls(*zip(*ordered, strict=True)) if ordered else cls(*((),) * len(fields(cls)))

    def __len__(self) -> int:
        return len(self.person)

    def rows(self) -> Iterator[Event]:
        """The same events one row at a time, in order."""
        columns = (getattr(self, field.name) for field in fields(self))
        return map(Event._make, zip(*columns, strict=True))


@cache
def definitions(name: str, folder: str = "demo") -> dict[str, Any]:
    """A definition file, such as the demo's `place`, `names`, `clinical` or `defects`, parsed once."""
    file = resources.files("joinery.definitions") / folder / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


class Kind(NamedTuple):
    """What an event code means and what the `code` and `value` columns hold beside it."""

    meaning: str
    code: str
    value: str


COLUMNS = {
    "person": "row of the person in the people columns; -1 where the event is about a service",
    "at": "when it happened, UTC",
    "event": "what happened, from the list below",
    "organisation": "code of the organisation that records it",
    "service": "the service or setting it happens in, from the list below; empty where none applies",
    "code": "what exactly: a SNOMED CT identifier, a national code or a list word",
    "value": "number or words as text; empty where there is nothing to add",
    "episode": "joins the events of one stay, visit, package, problem, course of medicine or alert; -1 for none",
}

EVENTS = {
    "registered": Kind("joined a general practice", "", ""),
    "moved_home": Kind("changed address", "home or care_home", "the new address, one line"),
    "died": Kind("died", "", ""),
    "relationship_recorded": Kind(
        "a person in their life was recorded", "relationship word", "row of the other person, then roles"
    ),
    "relationship_ended": Kind("that relationship ended", "relationship word", "row of the other person"),
    "problem_recorded": Kind("a health problem was recorded", "SNOMED CT", "remark"),
    "problem_ended": Kind("the problem is over", "SNOMED CT", ""),
    "allergy_recorded": Kind("an allergy was recorded", "SNOMED CT", "reaction"),
    "allergy_ended": Kind("the allergy was withdrawn", "SNOMED CT", "reason"),
    "no_known_allergies": Kind("asked, and there are no allergies", "SNOMED CT", ""),
    "medicine_started": Kind("a medicine was prescribed", "medicine word", "how to take it"),
    "medicine_changed": Kind("the dose changed", "medicine word", "how to take it now"),
    "medicine_stopped": Kind("the medicine was stopped", "medicine word", "reason"),
    "measured": Kind("something was measured", "SNOMED CT", "the number; blood pressure as 142/84"),
    "immunised": Kind("a vaccination was given", "SNOMED CT", ""),
    "contact": Kind(
        "a professional saw or spoke to the person", "face_to_face, telephone, home_visit, letter", "reason"
    ),
    "referred": Kind("asked to be taken on by a service; the wait starts", "reason word or route", "reason"),
    "accepted": Kind("the service agreed to take the person", "primary support reason, for a council", ""),
    "declined": Kind("the service did not take the person", "reason word", "reason"),
    "referral_closed": Kind("the service has finished with the request", "CLD event outcome or reason word", ""),
    "arrived": Kind("came to an emergency department", "arrival mode", "complaint"),
    "admitted": Kind("took a bed or a place to stay", "admission method", "reason"),
    "moved_ward": Kind("moved within the stay", "ward word", ""),
    "expected_to_leave": Kind("a date to leave was set", "", "date"),
    "ready": Kind("no longer needs the place; a hold starts if not gone", "service waited for", "reason"),
    "discharged": Kind("left the place", "discharge destination", "discharge method"),
    "contact_received": Kind("the council was asked for help", "CLD route of access", "reason"),
    "contact_resolved": Kind("the council answered", "CLD event outcome", ""),
    "assessment_started": Kind("an assessment was begun", "assessment type", "worker"),
    "assessed": Kind("the assessment or review was completed", "assessment type", "CLD event outcome"),
    "service_started": Kind("a service began to be given", "CLD service component", "amount and unit a week"),
    "service_changed": Kind("the amount changed", "CLD service component", "amount and unit a week"),
    "service_paused": Kind("paused, such as for a hospital stay", "reason word", "reason"),
    "service_resumed": Kind("resumed", "", ""),
    "service_ended": Kind("ended", "reason word", "reason"),
    "worker_allocated": Kind("a named worker took the person on", "lead, second, OT or duty", "worker"),
    "worker_released": Kind("the worker's part ended", "", ""),
    "alert_raised": Kind("a warning to others was raised", "SNOMED CT or alert word", "words shown"),
    "alert_ended": Kind("the warning ended", "SNOMED CT or alert word", ""),
    "incident": Kind("something went wrong, such as a fall", "incident word", "what happened"),
    "visits_agreed": Kind("a care provider agreed what it gives, or changed it", "CLD service component", "how much"),
    "plan_agreed": Kind("a care provider's plan was agreed", "home_care or care_home", "its title"),
    "plan_reviewed": Kind("that plan was looked at again", "home_care or care_home", "what came of it"),
    "need_recorded": Kind("a need for support was written down, or anew", "need word", "words"),
    "risk_recorded": Kind("a risk was written down, or anew", "risk word", "words"),
    "goal_set": Kind("what the person wants to reach", "", "words"),
    "legal_recorded": Kind("a legal decision was put on file", "ReSPECT, LPA, DoLS or MCA", "what was decided"),
    "note_written": Kind("a note of the day", "", "words"),
    "places_open": Kind("the number of places a service can fill", "", "number"),
}


def reference() -> str:
    """The schema as a Markdown page; `docs/reference/demo-events.md` is this text and a test compares them."""
    place = definitions("place")
    lines = [
        "# Events of the demonstration place",
        "",
        "Written from `joinery/site/demo/events.py`: do not edit by hand.",
        "",
        "A life in the demonstration place is rows of eight columns, one list a column, sorted by time. The feed"
        " writers read nothing else. Forecasts by the twin use the same columns, and stays in hospital are one.",
        "",
        *_table(("Column", "Holds"), COLUMNS.items()),
        "## Events",
        "",
        *_table(("Event", "Meaning", "Code", "Value"), ((name, *kind) for name, kind in EVENTS.items())),
        "## Services",
        "",
        *_table(
            ("Service", "Name", "Setting", "Provided by"),
            ((key, row["name"], row["setting"], row["provider"]) for key, row in place["services"].items()),
        ),
        "## Organisations",
        "",
        *_table(
            ("Code", "Name", "Kind"),
            ((key, row["name"], row["kind"]) for key, row in place["organisations"].items()),
        ),
    ]
    return "\n".join(lines)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table; the first column is set as code."""
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    lines += [f"| `{first}` | {' | '.join(rest)} |" for first, *rest in rows]
    return [*lines, ""]
