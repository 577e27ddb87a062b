"""`definitions/feeds/adt.toml`, parsed: what senders do, and what each event and code means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from joinery.apps.record.rows import LONDON
from joinery.definitions import parsed


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of sender does. Without `facilities` (MSH-4) it is everybody's."""

    name: str
    facilities: tuple[str, ...]
    ward: tuple[int, ...]
    bed: tuple[int, ...]
    site: tuple[int, ...]
    nhs_authorities: tuple[str, ...]
    nhs_types: tuple[str, ...]
    local_authority: str
    nhs_number_in_pid2: bool
    updates_move: bool
    time_zone: ZoneInfo
    processing_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdtDefinition:
    """The feed definition as read from its file."""

    feed: str
    purpose: str
    lawful_basis: str
    cadence: str
    retention: str
    stale_after_minutes: int
    stale_at_night_after_minutes: int
    day_hours: tuple[int, int]
    profile: tuple[Profile, ...]
    events: dict[str, str]
    gender: dict[str, str]
    dead: frozenset[str]
    destinations: dict[str, str]
    states_allergies: frozenset[str]
    no_known_allergy: frozenset[str]
    allergens: dict[str, str]
    severities: dict[str, str]
    relationships: dict[str, str]


@cache
def definition() -> AdtDefinition:
    """`definitions/feeds/adt.toml`."""
    text = files("joinery.definitions").joinpath("feeds/adt.toml").read_text("utf-8")
    return parsed(text, AdtDefinition, dec_hook=lambda kind, name: kind(name))


@cache
def profile_of(facility: str) -> Profile | None:
    """The profile for a sending facility (MSH-4); None when no profile is everybody's and none names it."""
    named = [p for p in definition().profile if facility in p.facilities]
    return next(iter(named or [p for p in definition().profile if not p.facilities]), None)


def is_late(last: datetime, now: datetime) -> bool:
    """Whether a hospital that last sent anything at `last` is late: by day sooner than by night."""
    said = definition()
    silent = now - last
    if silent > timedelta(minutes=said.stale_at_night_after_minutes):
        return True
    here = now.astimezone(LONDON)
    morning, evening = said.day_hours
    day_began = here.replace(hour=morning, minute=0, second=0, microsecond=0)
    by_day = here - max(day_began, last.astimezone(LONDON))
    return morning <= here.hour < evening and by_day > timedelta(minutes=said.stale_after_minutes)
