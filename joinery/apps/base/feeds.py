"""Feed definitions: what each feed is for, how often it comes, and what its tables may hold.

`definitions/feeds/<feed>.toml` is parsed here, once, for every app. What only one form of file needs
(a FHIR resource's line, a hospital's profile) stands in the same file and is read by that form's reader.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from joinery.definitions import FEEDS, parsed

LONDON = ZoneInfo("Europe/London")
T = TypeVar("T")


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of row in a table that holds several: the columns that tell one event from another, those
    that must be filled for it, and those that may be."""

    key: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns that say something of some rows only: those in which each column of `where` holds one of its
    words. There they must or may be filled; without `where` that is so in every row."""

    where: Mapping[str, tuple[str, ...]] = {}
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a feed: its columns and their rules.

    A row that breaks a rule of a column in `required`, `one_of` or `refuse` is quarantined; with `notes`, a
    fault in any other column is counted and the row is taken. `key` tells one thing from another, together
    with the first column that is filled of each group of `one_of`.
    """

    part: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    required: tuple[str, ...] = ()
    # Words in a column that let a row leave `required` empty.
    unless: Mapping[str, tuple[str, ...]] = {}
    # Of each group of columns at least one must be filled.
    one_of: tuple[tuple[str, ...], ...] = ()
    refuse: tuple[str, ...] = ()
    notes: bool = False
    dates: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    nhs_numbers: tuple[str, ...] = ()
    patterns: Mapping[str, str] = {}
    codes: Mapping[str, tuple[str, ...]] = {}
    # Words of an earlier release of the feed: known, and to be replaced.
    earlier: Mapping[str, tuple[str, ...]] = {}
    # Pairs (from, to) of which the second must not lie before the first.
    in_order: tuple[tuple[str, str], ...] = ()
    # Numbers that together must not be more than the last of them.
    at_most: tuple[tuple[str, ...], ...] = ()
    when: tuple[When, ...] = ()
    modules: Mapping[str, tuple[str, ...]] = {}
    # What each code of a list means; the codes are a list as those of `codes` are.
    meaning: Mapping[str, Mapping[str, str]] = {}
    # The line of a timeline that a row makes: `at` and `until` name columns, the first filled counts.
    kind: str = ""
    at: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    title: str = ""
    detail: tuple[str, ...] = ()
    banner: str = ""
    # No longer at the top of the page when one of these columns holds one of its words, in any case.
    over_when: Mapping[str, tuple[str, ...]] = {}
    # Not for everybody when a column holds one of these codes, each with its sensitivity (`calc/access.py`).
    sensitive_when: Mapping[str, Mapping[str, str]] = {}
    # A row of a return: whom it is about, when, what kind of row, and which columns are no part of it. The
    # first of `subject` is the same in every return; another identifier counts within its `issuer` only.
    # What is `identifying` is never given out.
    subject: tuple[str, ...] = ()
    issuer: str = ""
    identifying: tuple[str, ...] = ()
    from_date: str = ""
    to_date: str = ""
    kind_column: str = ""
    kinds: Mapping[str, Kind] = {}
    stated: str = ""
    envelope: tuple[str, ...] = ()

    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        """The codes that a column may hold."""
        return {**self.codes, **{column: tuple(codes) for column, codes in self.meaning.items()}}


class CareRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What rows of one kind (`part`) say of their sender's care for a person; words in any case.

    It goes on where a column holds one of its words, is over where another does, and lasts from `start` to `end`
    otherwise, the first column that is filled. What is over `outright` is so whatever other rows say. `provider`
    names who gives it for the sender; with a word of `void_when` the row says nothing.
    """

    part: str
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    goes_on_when: Mapping[str, tuple[str, ...]] = {}
    over_when: Mapping[str, tuple[str, ...]] = {}
    void_when: Mapping[str, tuple[str, ...]] = {}
    outright: bool = False
    provider: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The columns of whose words it asks, each once."""
        return tuple(dict.fromkeys((*self.goes_on_when, *self.over_when, *self.void_when)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads, once."""
        return tuple(dict.fromkeys((*self.start, *self.end, *self.words, *filter(None, (self.provider,)))))


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one supplier's files differ: `columns` says its name for a column of ours, `codes` its word for
    one of ours, column by column."""

    name: str
    organisations: tuple[str, ...] = ()
    columns: Mapping[str, str] = {}
    codes: Mapping[str, Mapping[str, str]] = {}
    day_first: bool = False
    delimiter: str = ","
    encoding: Literal["utf-8", "cp1252"] = "utf-8"


class Feed(msgspec.Struct, frozen=True):
    """One feed. `store` says where its rows go: a person's timeline, the returns, or the directory."""

    feed: str
    title: str
    purpose: Literal["direct_care", "secondary_use", "provider"]
    lawful_basis: str
    cadence: str
    retention: str
    store: Literal["timeline", "returns", "directory"]
    endings: tuple[str, ...]
    # Late after so long without a file; by day and by night where a feed never stops.
    stale_after_minutes: int
    stale_at_night_after_minutes: int = 0
    day_hours: tuple[int, int] = (0, 24)
    common: tuple[str, ...] = ()
    file: tuple[File, ...] = ()
    # Who keeps a record of a person cares for them, where nothing is said; hospitals know everybody they ever saw.
    record_is_care: bool = True
    care: tuple[CareRule, ...] = ()
    variant: tuple[Variant, ...] = ()

    def part(self, name: str) -> File:
        """The table of this name. Raises KeyError when the feed has none."""
        return {file.part: file for file in self.file}[name]

    def is_late(self, last: datetime, now: datetime) -> bool:
        """Whether a sender that last sent something at `last` is late: by day sooner than by night."""
        if not self.stale_at_night_after_minutes:
            return now - last > timedelta(minutes=self.stale_after_minutes)
        if now - last > timedelta(minutes=self.stale_at_night_after_minutes):
            return True
        here = now.astimezone(LONDON)
        morning, evening = self.day_hours
        day_began = here.replace(hour=morning, minute=0, second=0, microsecond=0)
        by_day = here - max(day_began, last.astimezone(LONDON))
        return morning <= here.hour < evening and by_day > timedelta(minutes=self.stale_after_minutes)


@cache
def feed_of(name: str) -> Feed:
    """The definition of a feed as it ships. Raises KeyError for a name that is none."""
    if name not in FEEDS:
        raise KeyError(name)
    return parse_feed(files("joinery.definitions").joinpath(f"feeds/{name}.toml").read_text("utf-8"))


def parse_feed(text: str) -> Feed:
    """A definition out of TOML. Raises ValueError, naming what is wrong and where."""
    return _converted(text, Feed)


def parse_variant(text: str) -> Variant:
    """A supplier's variant out of TOML. Raises ValueError, naming what is wrong and where."""
    return _converted(text, Variant)


def _converted(text: str, kind: type[T]) -> T:
    try:
        return parsed(text, kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"The definition cannot be read: {error}") from None
