"""What a cell of a table may hold, and the words for what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache, reduce
from typing import NamedTuple

from joinery.apps.base.feeds import File
from joinery.apps.base.remember import remember
from joinery.apps.base.tables import day_of
from joinery.apps.record.rows import moment_of
from joinery.calc.units import parse_nhs_number

MOST_KEY_CHARACTERS = 200
MOST_DIGITS = 9
_TIME = re.compile(r"([01]\d|2[0-3]):?[0-5]\d(:?[0-5]\d)?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
# What a spreadsheet would run. Words, telephone numbers and figures may begin with a sign, and people do so.
_FORMULA = re.compile(r"=|[@+-][^\s]*[(|!]")
# What one may take for a formula, wider: it costs an apostrophe in what goes back to a sender, and no row.
_TAKEN_FOR_ONE = re.compile(r"[=@\t\r]|[+-](?![\d\s().,-]*$)")


class Fault(NamedTuple):
    """What is wrong with a cell: the rule it breaks, and what to do about it."""

    rule: str
    message: str


Check = Callable[[str], Fault | None]


def together(checks: Sequence[Check]) -> Check:
    """The checks of one column as one: the first fault counts."""
    return reduce(lambda one, other: lambda value: one(value) or other(value), checks)


def checks_of(file: File, common: Sequence[str]) -> dict[str, list[Check]]:
    """What is checked of each column that is not empty."""
    checks: dict[str, list[Check]] = {}

    def add(columns: Sequence[str], make: Callable[[str], Check]) -> None:
        for column in columns:
            checks.setdefault(column, []).append(make(column))

    ruled = {
        *file.dates,
        *file.moments,
        *file.times,
        *file.numbers,
        *file.counts,
        *file.nhs_numbers,
        *file.lists,
        *file.patterns,
    }
    add([c for c in (*file.columns, *common) if c not in ruled], _no_formula)
    add(file.dates, _date)
    add(moments_of(file, common), _moment)
    add(file.times, _time)
    add(file.numbers, _number)
    add(file.counts, _count)
    add(file.nhs_numbers, _nhs_number)
    for column, allowed in file.lists.items():
        checks.setdefault(column, []).append(_code(column, frozenset(allowed), frozenset(file.earlier.get(column, ()))))
    for column, pattern in file.patterns.items():
        checks.setdefault(column, []).append(_pattern(column, re.compile(pattern)))
    add([c for c in common if c == "deleted"], lambda c: _code(c, frozenset(("0", "1")), frozenset()))
    add([*file.key, *(c for c in ("person_id",) if c in file.columns and c not in file.key)], _length)
    return checks


def moments_of(file: File, common: Sequence[str]) -> tuple[str, ...]:
    """The columns that hold a date with a time."""
    return (*file.moments, *(c for c in common if c == "updated_at"))


@cache
def empty(column: str) -> Fault:
    """A cell that every row must fill."""
    return Fault("required", f"{column} is empty. It must be filled.")


@cache
def empty_here(column: str) -> Fault:
    """A cell that a row of this kind must fill."""
    return Fault("required", f"{column} is empty. A row of this kind must fill it.")


def none_of(columns: Sequence[str]) -> Fault:
    """Columns of which one must be filled."""
    if len(columns) == 1:
        return empty(columns[0])
    return Fault("required", f"{' and '.join(columns)} are empty. Fill one of them.")


@cache
def stray(column: str) -> Fault:
    """A cell that says nothing of a row of this kind."""
    return Fault("not-applicable", f"{column} is filled, but says nothing of a row of this kind.")


def _date(column: str) -> Check:
    fault = Fault("date", f"{column} is not a date. Write it as 2026-03-31.")
    other = _day_first(fault)
    return lambda value: None if _is_date(value) else other if day_of(value) else fault


def _moment(column: str) -> Check:
    fault = Fault("time", f"{column} is not a date or time. Write it as 2026-03-31T14:05:00Z.")
    other = _day_first(fault)
    return lambda value: None if _is_moment(value) else other if day_of(value) else fault


def _day_first(fault: Fault) -> Fault:
    """The same of a date that is written in another way, as spreadsheets do."""
    return fault._replace(message=f"{fault.message} If its sender puts the day first, say so: joinery feeds variant.")


def _time(column: str) -> Check:
    fault = Fault("time", f"{column} is not a time of day. Write it as 14:05.")
    return lambda value: None if _TIME.fullmatch(value) else fault


def _number(column: str) -> Check:
    fault = Fault("number", f"{column} is not a number. Write it as 12 or 12.50; leave it empty if it is not known.")
    return lambda value: None if value.isascii() and _NUMBER.fullmatch(value) else fault


def _count(column: str) -> Check:
    fault = Fault("number", f"{column} is not a count. Write it as 12; leave it empty if it is not known.")
    return lambda value: None if len(value) < MOST_DIGITS and value.isascii() and value.isdigit() else fault


def _nhs_number(column: str) -> Check:
    fault = Fault("nhs-number", f"{column} is not a valid NHS number. Look it up, or leave it empty.")
    return lambda value: None if nhs_number_of(value) else fault


@remember(8192)  # it is looked at when its column is checked, and again when its row is read
def nhs_number_of(text: str) -> str | None:
    """The number, as `parse_nhs_number` finds it."""
    return parse_nhs_number(text)


def _code(column: str, allowed: frozenset[str], earlier: frozenset[str]) -> Check:
    listed = ", ".join(sorted(allowed))
    wrong = Fault(
        "code", f"{column} must be one of: {listed}." if len(listed) < 400 else f"{column} is not on its list."
    )
    old = Fault("earlier-code", f"{column} holds a word of an earlier release. Use one of the present list.")
    return lambda value: None if value in allowed else old if value in earlier else wrong


def _pattern(column: str, pattern: re.Pattern[str]) -> Check:
    fault = Fault("form", f"{column} is not written as it must be ({pattern.pattern}).")
    return lambda value: None if pattern.fullmatch(value) else fault


def _no_formula(column: str) -> Check:
    fault = Fault("formula", f"{column} begins like a formula of a spreadsheet. Write it as plain text.")
    return lambda value: fault if value[0] in "=@+-" and _FORMULA.match(value) else None


def _length(column: str) -> Check:
    fault = Fault("length", f"{column} is longer than {MOST_KEY_CHARACTERS} characters.")
    return lambda value: fault if len(value) > MOST_KEY_CHARACTERS else None


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def sum_of(numbers: Iterable[str]) -> float:
    """The sum of what numbers there are."""
    return sum(number_of(text) or 0 for text in numbers)


def number_of(text: str) -> float | None:
    """A number; what is none has a fault of its own."""
    return float(text) if text.isascii() and _NUMBER.fullmatch(text) else None


def _is_moment(text: str) -> bool:
    moment = moment_of(text)
    return moment is not None and moment.precision in ("day", "minute")


def before(second: str, first: str) -> bool:
    """Whether a valid date lies before another; what is no date has a fault of its own."""
    return second < first and _is_date(second) and _is_date(first)


def harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text, whatever stands in it.

    >>> harmless("=1+1"), harmless("-12.5")
    ("'=1+1", '-12.5')
    """
    return f"'{cell}" if _TAKEN_FOR_ONE.match(cell.lstrip("'")) else cell


def as_received(cell: str) -> str:
    """The cell before `harmless`.

    >>> as_received("'=1+1"), as_received("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell[:1] == "'" and _TAKEN_FOR_ONE.match(cell.lstrip("'")) else cell
