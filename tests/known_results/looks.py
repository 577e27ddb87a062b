"""How a simulated figure is held against theory.

Seeds are fresh each time, so that no lucky seed can be kept. A figure is right when theory lies in the 99 %
interval of its mean over replications. Where it does not, the test looks twice more, with other seeds and each time
twice the replications, and fails only for a figure that was wrong all three times: by chance, one in a million.
Even with a thousand figures, all tests together raise a false alarm less than once in a thousand runs. That holds for
means of many runs, which are nearly normal: a figure that is the same in almost every run is no figure for this.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

LOOKS = 3
Z99 = 2.5758293035489004


class Figure(NamedTuple):
    """A figure of each replication, and what theory says of its mean."""

    found: np.ndarray
    theory: float

    def interval(self) -> tuple[float, float]:
        """The 99 % interval of the mean, by Student's t to the first order of 1 / replications."""
        reps = len(self.found)
        t = Z99 + (Z99**3 + Z99) / 4 / (reps - 1)
        half = t * float(np.std(self.found, ddof=1)) / math.sqrt(reps)
        mean = float(np.mean(self.found))
        return mean - half, mean + half

    def right(self) -> bool:
        low, high = self.interval()
        return low <= self.theory <= high


Look = Callable[[int, int], Mapping[str, Figure]]


def agree(look: Look, reps: int) -> None:
    """Fail for the figures of `look(seed, reps)` that theory contradicts in every look."""
    wrong: list[str] | None = None
    said: dict[str, str] = {}
    for again in range(LOOKS):
        seed = secrets.randbelow(2**32)
        figures = look(seed, reps * 2**again)
        wrong = [name for name in (figures if wrong is None else wrong) if not figures[name].right()]
        if not wrong:
            return
        for name in wrong:
            low, high = figures[name].interval()
            said[name] = f"{name}: {low:.6g} to {high:.6g}, theory {figures[name].theory:.6g} (seed {seed})"
    raise AssertionError("three times outside the 99 % interval\n" + "\n".join(said[name] for name in wrong or ()))
