"""From what a feed says of a thing to the words of a line: templates, dates as they are read aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from joinery.apps.record.rows import LONDON, moment_of

_SLOT = re.compile(r"\{([a-z_|]+)\}")


def fill(template: str, row: Mapping[str, str]) -> str:
    """A template with its columns filled in; empty when a column in it is. `{a|b}` takes a, or else b.

    >>> fill("Ended {end_date}", {"end_date": "2026-03-31"})
    'Ended 31 March 2026'
    """
    filled = []
    for before, columns in _parts(template):
        filled.append(before)
        if columns:
            value = next((row[c] for c in columns if row.get(c)), "")
            if not value:
                return ""
            filled.append(shown(value))
    return "".join(filled)


@cache
def _parts(template: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A template taken apart: text, then the columns of the slot after it (none after the last)."""
    pieces = [*_SLOT.split(template), ""]
    return tuple(
        (text, tuple(filter(None, slot.split("|")))) for text, slot in zip(pieces[::2], pieces[1::2], strict=True)
    )


@lru_cache(maxsize=4096)
def shown(value: str) -> str:
    """A value as it stands in a sentence: a date, a time in London, yes and no in words, all else as it is.

    >>> shown("2026-07-05T08:10:00Z")
    '5 July 2026, 09:10'
    """
    if len(value) == 10 and value[4] == value[7] == "-":
        try:
            return _day(date.fromisoformat(value))
        except ValueError:
            return value
    if value[10:11] == "T" and (moment := moment_of(value)):
        here = moment.at.astimezone(LONDON)
        return f"{_day(here)}, {here:%H:%M}"
    return {"Y": "yes", "N": "no"}.get(value, value)


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
