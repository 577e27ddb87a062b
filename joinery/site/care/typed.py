"""What forms of care hold: ids, the step that a page was shown with, and times of day."""

from __future__ import annotations

import re
from datetime import time

_TIME = re.compile(r"(1[0-2]|[1-9])(?:[:.]([0-5]\d))?(am|pm)|([01]\d|2[0-3])[:.]([0-5]\d)")
MOST_DIGITS = 18  # what both databases hold


def number(text: str) -> int:
    """The number that a field holds; 0, which is nobody's and fits no step, for anything else.

    >>> number("12"), number("-1"), number("²"), number("9" * 30)
    (12, 0, 0, 0)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0


def time_of_day(text: str) -> time | None:
    """A time as people write it; None for anything else, such as 2:30, which may be morning or afternoon.

    >>> [time_of_day(text) for text in ("2:30pm", "2.30 PM", "12am", "14:30", "09.15")]
    [datetime.time(14, 30), datetime.time(14, 30), datetime.time(0, 0), datetime.time(14, 30), datetime.time(9, 15)]
    >>> [time_of_day(text) for text in ("2:30", "25:00", "0pm", "14:30pm", "soon")]
    [None, None, None, None, None]
    """
    found = _TIME.fullmatch("".join(text.lower().split()))
    if not found:
        return None
    if found[3]:
        return time(int(found[1]) % 12 + 12 * (found[3] == "pm"), int(found[2] or 0))
    return time(int(found[4]), int(found[5]))
