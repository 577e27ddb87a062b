"""Small values that every room uses: half-open periods and NHS numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from operator import mul

import nhs_number

# Numbers that pass the mod-11 check and yet belong to nobody: every number of one repeated digit,
# and the two runs that people type to get past a required field (worked out from the check rule).
_RUNS = {"0123456789", "9876543210"}
_WEIGHTS = range(10, 1, -1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, and not including, `end`; `end` None means still open.

    >>> Period(date(2026, 4, 1), date(2026, 4, 2)).holds(date(2026, 4, 2))
    False
    """

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"a period cannot end ({self.end}) before it starts ({self.start})")

    def holds(self, day: date) -> bool:
        """True when `day` lies in the period."""
        return self.start <= day and (self.end is None or day < self.end)


def parse_nhs_number(text: str) -> str | None:
    """Ten digits when `text` is a usable NHS number, otherwise None.

    Spaces and hyphens are allowed. The check digit is mod 11 (NHS Data Dictionary); dummies that pass
    it, such as 9999999999, are refused, because a dummy shared by strangers would join their records.

    >>> parse_nhs_number("943 476 5919")
    '9434765919'
    >>> parse_nhs_number("9999999999") is None
    True
    """
    digits = text.replace(" ", "").replace("-", "").replace("\u00a0", "")
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return None
    if digits in _RUNS or digits == digits[0] * 10:
        return None
    check = -sum(map(mul, map(int, digits), _WEIGHTS)) % 11
    if check != int(digits[9]):
        return None
    # A Scottish number begins with a date of birth. It is told here by the library, which takes its time.
    return digits if digits[0] > "3" or nhs_number.is_valid(digits) else None


def age_years(born: date, on: date) -> int:
    """Whole years from `born` to the day `on`.

    >>> age_years(date(1941, 3, 3), date(2026, 3, 2))
    84
    """
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
