"""The way out of record: who a person is, what must be known at once, and the timeline."""

from joinery.apps.record.facts.freshness import Freshness, freshness
from joinery.apps.record.facts.safety import Item, Section, Stated, safety
from joinery.apps.record.facts.timeline import SECTORS, Origin, Timeline, TimelineLine, Version, origin, timeline_page
from joinery.apps.record.facts.waiting import WaitingPeople, waiting_people
from joinery.apps.record.facts.whereabouts import Bed, HospitalStay, Whereabouts, beds, whereabouts
from joinery.apps.record.facts.who import (
    Banner,
    FoundPerson,
    Holdings,
    banner,
    files_taken,
    found_people,
    holdings,
    home_postcode,
    kept_apart,
    records,
)

__all__ = [
    "SECTORS",
    "Banner",
    "Bed",
    "FoundPerson",
    "Freshness",
    "Holdings",
    "HospitalStay",
    "Item",
    "Origin",
    "Section",
    "Stated",
    "Timeline",
    "TimelineLine",
    "Version",
    "WaitingPeople",
    "Whereabouts",
    "banner",
    "beds",
    "files_taken",
    "found_people",
    "freshness",
    "home_postcode",
    "holdings",
    "kept_apart",
    "origin",
    "records",
    "safety",
    "timeline_page",
    "waiting_people",
    "whereabouts",
]
