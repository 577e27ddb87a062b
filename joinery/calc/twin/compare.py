"""Places side by side, with the same people and the same luck in each: what a change makes of every figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from joinery.calc.twin.intervals import Interval, interval, student_t
from joinery.calc.twin.network import Place, PlaceError
from joinery.calc.twin.outcome import COUNTS, Name, figures, in_order, join
from joinery.calc.twin.simulate import Runs, run

# With fewer replications the spread itself is too little known to stop by it.
FEWEST_REPS = 30
# Without its midnights a run is small. So as many replications as this, and as many counts of midnights (4 bytes
# each), wait in memory to lose them; and of so many counts the midnights are kept where they are wanted.
MOST_AT_ONCE = 500
MOST_COUNTS = 50_000_000


@dataclass(frozen=True)
class Difference:
    """One figure: in the place as it is and as it is changed, the means; and the interval of the difference, each
    replication with itself. By the national trend: the means with it and without the change (`trend`), and with both
    (`with_trend`), and the interval of what the change does beyond it."""

    name: Name
    base: float
    changed: float
    difference: Interval
    trend: float | None = None
    with_trend: float | None = None
    beyond_trend: Interval | None = None


@dataclass(frozen=True)
class Plan:
    """How to run: `days` with the warm-up, how many replications, on how many threads, and whether to keep what
    each midnight was like (`by_day`): of the first replications, as many as MOST_COUNTS allows."""

    days: int
    warmup_days: int = 0
    reps: int = 100
    seed: int = 1
    workers: int = 1
    by_day: bool = True


@dataclass(frozen=True)
class Precision:
    """Replicate until half the interval of a figure (or of its difference) is at most `half_width`, in its unit, and
    no more than `most_reps` times."""

    name: Name
    half_width: float
    most_reps: int = 10_000


def differences(
    base: Runs, changed: Runs, trend: Runs | None = None, with_trend: Runs | None = None
) -> list[Difference]:
    """Every figure that both places have; `trend` and `with_trend` are runs of the same two by the national trend.
    Raises ValueError unless all ran with the same luck."""
    for other in filter(None, (changed, trend, with_trend)):
        if _luck(other) != _luck(base):
            raise ValueError("a difference needs runs of the same days, seed, replications and bands")
    were, are = figures(base), figures(changed)
    found = [
        Difference(name, _mean(were[name]), _mean(are[name]), interval(are[name] - were[name]))
        for name in in_order(each for each in were if each in are)
    ]
    if not (trend and with_trend):
        return found
    would, both = figures(trend), figures(with_trend)
    return [
        replace(
            each,
            trend=_mean(would[each.name]),
            with_trend=_mean(both[each.name]),
            beyond_trend=interval(both[each.name] - would[each.name]),
        )
        for each in found
    ]


def _mean(values: NDArray[np.float64]) -> float:
    return float(np.mean(values))


def replicate(
    places: Sequence[Place],
    plan: Plan,
    precision: Precision | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Runs]:
    """Run each place by the plan; with a precision, on until it is reached: of the figure where there is one place,
    of the difference between the first two otherwise. `progress` is told how many runs are done, of how many.
    Raises PlaceError for a figure that there is none of, and for places whose bands or first days differ."""
    if len({(place.bands, place.start_date) for place in places}) > 1:
        raise PlaceError("only places with the same bands and the same first day can be compared")
    parts: list[list[Runs]] = [[] for _ in places]
    done, wanted = 0, plan.reps
    if precision:
        watched([run(place, 1) for place in places], precision.name)  # so that a misspelt name costs no time
        wanted = min(max(plan.reps, FEWEST_REPS), precision.most_reps)
    if progress:
        progress(0, wanted * len(places))  # the first run may compile for a while before it is told of
    while done < wanted:
        reps = min(wanted - done, MOST_AT_ONCE, *(_whose_days_fit(place, plan) for place in places))
        for number, place in enumerate(places):
            tell = _teller(progress, done * len(places) + number * reps, wanted * len(places))
            runs = run(place, plan.days, plan.warmup_days, reps, plan.seed, plan.workers, done, progress=tell)
            kept = max(0, _whose_days_fit(place, plan) - done) if plan.by_day else 0
            parts[number].append(replace(runs, midnights=runs.midnights[:kept].copy()))
        done += reps
        if precision and done == wanted:
            asked = _wanted(watched([join(each) for each in parts], precision.name), precision)
            wanted = min(asked, precision.most_reps)
    return [join(each) for each in parts]


def _whose_days_fit(place: Place, plan: Plan) -> int:
    """For how many replications of a place there is memory for every midnight."""
    return max(1, MOST_COUNTS // ((plan.days + 1) * len(place.stations) * len(COUNTS)))


def watched(runs: Sequence[Runs], name: Name) -> NDArray[np.float64]:
    """The values that a precision is about: a figure of one run, or its differences between the first two.

    Raises PlaceError for a figure that there is none of.
    """
    known = [figures(each) for each in runs[:2]]
    if missing := [each for each in known if name not in each]:
        there = [each.text for each in missing[0]]
        near = "".join(f"Is {each} meant? " for each in get_close_matches(name.text, there, n=1))
        raise PlaceError(f"there is no figure {name.text}. {near}There are: {'; '.join(there)}")
    return known[1][name] - known[0][name] if len(known) > 1 else known[0][name]


def _teller(progress: Callable[[int, int], None] | None, before: int, total: int) -> Callable[[int], None] | None:
    """Tells of one place's replications as a part of all runs."""
    return (lambda reps: progress(before + reps, total)) if progress else None


def _wanted(values: NDArray[np.float64], precision: Precision) -> int:
    """How many replications the spread so far asks for: as many as there are, once the interval is narrow enough.
    It goes up by half at least, and at most fourfold, as the spread is a guess too."""
    count = len(values)
    if interval(values).half_width <= precision.half_width:
        return count
    needed = (student_t(0.975, count - 1) * float(np.std(values, ddof=1)) / precision.half_width) ** 2
    return math.ceil(min(max(needed, 1.5 * count), 4 * count))


def _luck(runs: Runs) -> tuple[object, ...]:
    return runs.days, runs.warmup_days, runs.seed, runs.first_rep, len(runs.events), runs.place.bands
