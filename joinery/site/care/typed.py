"""Numbers that forms of care hold: ids, and the step that a page was shown with."""

from __future__ import annotations

MOST_DIGITS = 18  # what both databases hold


def number(text: str) -> int:
    """The number that a field holds; 0, which is nobody's and fits no step, for anything else.

    >>> number("12"), number("-1"), number("²"), number("9" * 30)
    (12, 0, 0, 0)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0
