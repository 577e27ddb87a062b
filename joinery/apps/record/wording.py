"""From what a feed says of a thing to the words of a line: templates, dates as they are read aloud."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from joinery.apps.base.remember import remember
from joinery.apps.record.rows import LONDON, moment_of

if TYPE_CHECKING:
    import pyarrow

_SLOT = re.compile(r"\{([a-z_|]+)\}")


def fill(template: str, row: Mapping[str, str]) -> str:
    """A template with its columns filled in; empty when a column in it is. `{a|b}` takes a, or else b.

    >>> fill("Ended {end_date}", {"end_date": "2026-03-31"})
    'Ended 31 March 2026'
    """
    words = [
        piece if isinstance(piece, str) else shown(next((said for c in piece if (said := row.get(c))), ""))
        for piece in _pieces(template)
    ]
    return "".join(words) if all(words) else ""


def fill_each(template: str, column: Callable[[str], pyarrow.Array], count: int) -> pyarrow.Array:
    """`fill` for each of `count` rows, null for an empty one; `column` gives their cells of one."""
    from joinery.apps.record.blocks import changed, first_filled, joined, repeated, word

    pieces = _pieces(template)
    if all(isinstance(piece, str) for piece in pieces):
        return repeated(template, count)
    return joined(
        (
            word(piece) if isinstance(piece, str) else changed(first_filled(map(column, piece), count), _shown)
            for piece in pieces
        ),
        "",
    )


@cache
def _pieces(template: str) -> tuple[str | tuple[str, ...], ...]:
    """Its words as they stand, and the columns of which the first that is filled stands there."""
    words = _SLOT.split(template)
    return tuple(tuple(piece.split("|")) if at % 2 else piece for at, piece in enumerate(words) if piece)


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


def _shown(value: str) -> str | None:
    return shown(value) or None


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
