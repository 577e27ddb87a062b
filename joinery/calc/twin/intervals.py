"""What a few replications say of a mean: its interval by Student's t."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications, and the interval that holds the true mean 95 times of 100. With one replication
    there is none: `low` and `high` are None."""

    mean: float
    low: float | None
    high: float | None

    @property
    def half_width(self) -> float:
        """Half of the interval; endless where there is none."""
        return math.inf if self.low is None or self.high is None else (self.high - self.low) / 2


def interval(values: NDArray[np.float64], level: float = LEVEL) -> Interval:
    """The interval of the mean of independent values, one a replication.

    >>> round(interval(np.array([1.0, 2.0, 3.0])).half_width, 3)
    2.484
    """
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Interval(mean, None, None)
    half = student_t((1 + level) / 2, count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half)


@lru_cache
def student_t(share: float, freedom: int) -> float:
    """The value below which a Student's t with so many degrees of freedom falls with probability `share` (0.5 to 1).

    >>> round(student_t(0.975, 10), 3)
    2.228
    """
    low, high = 0.0, 1.0
    while _within(high, freedom) < 2 * share - 1:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 2 * share - 1 else (low, middle)
    return low


def _within(t: float, freedom: int) -> float:
    """The probability of a value between -t and t: the finite sums of Abramowitz and Stegun (1964), 26.7.3 and 4."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine_squared = math.cos(angle) ** 2
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0 if freedom == 1 else term
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine_squared * (k - 1) / k
        total += term
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
