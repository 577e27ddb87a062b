"""A line over time, as shapes for a template to draw: no script, no colour that alone says anything.

Sizes are in units of the picture, which scales to the width that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from joinery.calc.series import figure_words

WIDTH, HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 18, 30, 30
_MOST_YEARS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    """One figure; `hollow` when something is missing from it."""

    x: float
    y: float
    hollow: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across or along the picture, with its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template draws. `lines` are the points of unbroken stretches; a gap stands for no figure."""

    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    levels: tuple[Tick, ...]
    years: tuple[Tick, ...]
    marks: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def draw(figures: Sequence[tuple[date, float | None, bool]], marks: Iterable[date]) -> Chart | None:
    """A chart of figures (first day of the period, value or None, whether something is missing) in the order
    of time, with a numbered mark for each day on which something happened. None for fewer than two values."""
    known = [(day, value) for day, value, _ in figures if value is not None]
    if len(known) < 2:
        return None
    first, last = known[0][0].toordinal(), known[-1][0].toordinal()
    steps = levels([value for _, value in known])
    low, high = steps[0], steps[-1]

    def across(day: date) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (day.toordinal() - first) / (last - first), 1)

    def up(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low), 1)

    stretches: list[list[Dot]] = [[]]
    for day, value, missing in figures:
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append(Dot(across(day), up(value), missing))
    return Chart(
        tuple(" ".join(f"{dot.x},{dot.y}" for dot in dots) for dots in stretches if len(dots) > 1),
        tuple(dot for dots in stretches for dot in dots if dot.hollow or len(dots) == 1),
        tuple(Tick(up(step), _short(step, steps[1] - steps[0])) for step in steps),
        tuple(Tick(across(day), str(day.year)) for day in _years(known[0][0], known[-1][0])),
        tuple(
            Tick(across(day), str(number))
            for number, day in enumerate(marks, start=1)
            if first <= day.toordinal() <= last
        ),
    )


def levels(values: Sequence[float]) -> list[float]:
    """Round numbers, evenly apart, that hold all values and nought: four to seven of them.

    >>> levels([3, 41])
    [0, 10, 20, 30, 40, 50]
    """
    low, high = min(0, *values), max(0, *values)
    rough = (high - low) / 5 or 1
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough * 0.999)
    step = int(step) if step >= 1 else step
    return [step * n for n in range(math.floor(low / step), math.ceil(high / step) + 1)] if high > low else [0, 1]


def _years(first: date, last: date) -> list[date]:
    """The first days of years between two days, at most six, evenly apart."""
    years = range(first.year + (first > date(first.year, 1, 1)), last.year + 1)
    every = max(1, math.ceil(len(years) / _MOST_YEARS))
    return [date(year, 1, 1) for year in years if year % every == 0] or [first]


def _short(value: float, step: float) -> str:
    """A level in few letters.

    >>> _short(0.15000000000000002, 0.05), _short(40, 10), _short(2000, 1000)
    ('0.15', '40', '2k')
    """
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if step >= size and abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return figure_words(value) if step >= 1 else f"{value:g}"
