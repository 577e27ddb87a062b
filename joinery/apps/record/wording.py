"""From what a feed says of a thing to the words of a line: templates, dates as they are read aloud."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache

from joinery.apps.base.remember import each, remember
from joinery.apps.record.rows import LONDON, moment_of

MOST_REMEMBERED_CHARACTERS = 400
_SLOT = re.compile(r"\{([a-z_|]+)\}")


def fill(template: str, row: Mapping[str, str]) -> str:
    """A template with its columns filled in; empty when a column in it is. `{a|b}` takes a, or else b.

    >>> fill("Ended {end_date}", {"end_date": "2026-03-31"})
    'Ended 31 March 2026'
    """
    return _worded(template, tuple([row.get(column, "") for column in _columns(template)]))


def fill_each(template: str, column: Callable[[str], Sequence[str]], count: int) -> list[str]:
    """`fill` for each of `count` rows of a table; `column` gives the cells of one."""
    values = zip(*map(column, columns), strict=True) if (columns := _columns(template)) else [()] * count
    return each(lambda said: _worded(template, said), list(values))


def _worded(template: str, values: tuple[str, ...]) -> str:
    if sum(map(len, values)) > MOST_REMEMBERED_CHARACTERS:  # a long text comes once, and would fill the memory
        return _filled.__wrapped__(template, values)
    return _filled(template, values)


@lru_cache(maxsize=65_536)  # rows of a table say the same few things over and over
def _filled(template: str, values: tuple[str, ...]) -> str:
    """A template with the values of its columns, in the order of `_columns`."""
    said = dict(zip(_columns(template), values, strict=True))
    empty = False

    def word(slot: re.Match[str]) -> str:
        nonlocal empty
        value = next((said[c] for c in slot[1].split("|") if said[c]), "")
        empty = empty or not value
        return shown(value)

    filled = _SLOT.sub(word, template)
    return "" if empty else filled


@cache
def _columns(template: str) -> tuple[str, ...]:
    """The columns that a template names, each once."""
    return tuple(dict.fromkeys(column for slot in _SLOT.findall(template) for column in slot.split("|")))


@remember(4096)
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
        try:
            here = moment.at.astimezone(LONDON)
        except OverflowError:  # the first hours of the year 1, which software writes where it has no date
            return value
        return f"{_day(here)}, {here:%H:%M}"
    return {"Y": "yes", "N": "no"}.get(value, value)


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
