"""How long to wait before something that failed is tried again."""

from __future__ import annotations

from datetime import timedelta

LONGEST = timedelta(hours=1)


def pause_after(failures: int) -> timedelta:
    """The pause after so many failures in a row: each is twice the one before, up to an hour.

    >>> [pause_after(failures).seconds // 60 for failures in (0, 1, 2, 3, 7, 1000)]
    [0, 1, 2, 4, 60, 60]
    """
    return min(timedelta(minutes=2 ** min(failures - 1, 10)), LONGEST) if failures else timedelta()
