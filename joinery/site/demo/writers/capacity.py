"""Care-home capacity: how many beds of each type are taken, kept or free, and who works in the home.

No persons. One row a bed type of a location, and one for the whole of it (`Total`), which alone carries the
staff: said in each row it would be counted more than once. Columns: as in
`definitions/feeds/capacity.toml`.
"""

import random
from datetime import date, datetime, timedelta
from typing import Any

from joinery.site.demo.diary import at_clock
from joinery.site.demo.events import NOBODY, definitions
from joinery.site.demo.writers import Record
from joinery.site.demo.writers.tables import columns_of, row

STAFF = ("nurses", "care_staff", "other_staff", "agency_nurses", "agency_care_staff", "agency_other_staff")
BEDS = ("maximum_capacity", "occupied", "reserved")
COLUMNS = columns_of("capacity")
TOTAL = "Total"
OCCUPIED = (0.82, 0.93)  # 86.0 % of beds in England were in July 2025


def providers() -> list[str]:
    """The providers of the place's care homes."""
    return sorted({home["provider"] for home in definitions("returns")["homes"].values()})


def rows(provider: str, seed: int, day: date) -> list[Record]:
    """What a provider says of its homes on a morning; each home was brought up to date on a day of its own."""
    made = []
    for location, home in definitions("returns")["homes"].items():
        if home["provider"] == provider:
            told = random.Random(f"{seed}/capacity/{location}/{day}")
            updated_at = at_clock(day - timedelta(days=told.choice((1, 1, 2, 6))), 9, told.randrange(60))
            made += _home(location, home, updated_at, seed, day)
    return made


def _home(location: str, home: dict[str, Any], updated_at: datetime, seed: int, day: date) -> list[Record]:
    made, total, accepting = [], dict.fromkeys(BEDS, 0), "N"
    for bed_type, most in home["beds"].items():
        beds = _beds(most, random.Random(f"{seed}/capacity/{location}/{bed_type}"), day)
        total = {name: total[name] + beds[name] for name in BEDS}
        offered = "Y" if sum(beds[name] for name in BEDS[1:]) < most else "N"
        accepting = max(accepting, offered)
        made.append(_row(location, bed_type, updated_at, beds | {"accepting_admissions": offered}))
    staff = dict(zip(STAFF, home["staff"], strict=True))
    return [*made, _row(location, TOTAL, updated_at, total | {"accepting_admissions": accepting} | staff)]


def _beds(most: int, rng: random.Random, day: date) -> dict[str, int]:
    """Beds by state; one more or less is taken from day to day."""
    taken = round(most * rng.uniform(*OCCUPIED)) + random.Random(f"{rng.random()}/{day}").choice((-1, 0, 0, 1))
    taken = min(most, taken)
    return dict(zip(BEDS, (most, taken, rng.randrange(2) if taken < most else 0), strict=True))


def _row(location: str, bed_type: str, updated_at: datetime, values: dict[str, Any]) -> Record:
    values = {"location_id": location, "bed_type": bed_type, "updated_at": updated_at.isoformat()} | values
    return row(COLUMNS, values, NOBODY, "capacity", key(values), updated_at)


def key(body: dict[str, Any]) -> str:
    """What tells one row of a file from another."""
    return f"{body['location_id']}/{body['bed_type']}"
