"""Remembering what short texts come to: the rows of a file say the same few things over and over."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")

MOST_CHARACTERS = 60


def remember(most: int) -> Callable[[Callable[[str], R]], Callable[[str], R]]:
    """Work a function of one text out once for each of the last `most` texts of 60 characters at most.

    A longer text rarely comes twice, and would fill the memory.
    """

    def wrap(function: Callable[[str], R]) -> Callable[[str], R]:
        known = lru_cache(maxsize=most)(function)

        @wraps(function)
        def run(text: str) -> R:
            return known(text) if len(text) <= MOST_CHARACTERS else function(text)

        return run

    return wrap


def each(work: Callable[[T], R], values: Sequence[T]) -> list[R]:
    """What each value comes to, worked out once for those that are the same.

    >>> each(str.upper, ["a", "b", "a"])
    ['A', 'B', 'A']
    """
    known = {value: work(value) for value in set(values)}
    return [known[value] for value in values]
