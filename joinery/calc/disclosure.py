"""Counts of people as they may be published: nothing that points at a few.

Source: practice of the Department of Health and Social Care and the NHS, recalled: counts below 5 are hidden,
others rounded to 5. Rounding every count, totals too, keeps a hidden one from being worked out.
"""

from __future__ import annotations

FEWEST = 5


def rounded(count: int) -> int | None:
    """The count to the nearest 5; None for one from 1 to 4. Nothing is nothing.

    >>> [rounded(count) for count in (0, 4, 5, 7, 8, 102)]
    [0, None, 5, 5, 10, 100]
    """
    if 0 < count < FEWEST:
        return None
    return FEWEST * ((count + FEWEST // 2) // FEWEST)


def per_cent(part: int, whole: int) -> int | None:
    """The share of the rounded counts, in whole per cent; None when either is hidden or the whole is nothing.

    >>> per_cent(8, 102), per_cent(3, 102), per_cent(0, 0)
    (10, None, None)
    """
    of, all_of = rounded(part), rounded(whole)
    return None if of is None or not all_of else min(100, round(100 * of / all_of))
