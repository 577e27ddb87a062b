"""`joinery twin compare`: two places with the same people and luck, and the national trend beside them."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.calc.twin.compare import Difference, differences, replicate
from joinery.calc.twin.intervals import Interval
from joinery.calc.twin.outcome import MEASURES, Name
from joinery.calc.twin.place_file import PlaceFile
from joinery.site.commands import Problem, say
from joinery.site.commands.twin.charts import draw_comparison, refuse_unwritable
from joinery.site.commands.twin.common import (
    in_words,
    interval_in_words,
    interval_json,
    is_main,
    open_place,
    place_problems,
    plan_of,
    precision_of,
    progress,
    ran_json,
    rounded,
    tell_table,
    tell_traffic,
)

HEADING = ("A", "B", "B - A", "its 95 % interval", "")
TREND_HEADING = ("A, trend", "B, trend", "B - A, trend")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Run both, and say the difference of every figure with its interval."""
    refuse_unwritable(arguments.charts)
    base, changed = _places(arguments)
    trend = changed.trend or base.trend
    places = [base.place, changed.place]
    with place_problems():
        if trend:
            places += [trend.of(each) for each in places]
        for place in places:
            tell_traffic(place)
        plan, precision = plan_of(arguments), precision_of(arguments)
        runs = replicate(places, plan, precision, progress())
        found = differences(*runs)
    ran = ran_json(plan, precision, runs)
    say(f"A: {base.place.name}. B: {changed.place.name}. * where nought lies outside the interval.")
    heading = HEADING + (TREND_HEADING if trend else ())
    tell_table(heading, [_row(each) for each in found if is_main(each.name) and (each.base or each.changed)])
    answer = {
        "base": base.place.name,
        "changed": changed.place.name,
        "trend": places[2].name if trend else None,
        **ran,
        "differences": [_json(each) for each in found],
        "charts": draw_comparison(runs[0], runs[1], arguments.charts),
    }
    return answer, 0


def _places(arguments: argparse.Namespace) -> tuple[PlaceFile, PlaceFile]:
    """The place as it is, and as it is changed."""
    first = open_place(arguments.place)
    if arguments.changed:
        return first, open_place(arguments.changed)
    if not first.base:
        raise Problem(f"{arguments.place} is not based on another place. Give a second place to compare it with.")
    return first.base, first


def _row(each: Difference) -> tuple[Name, tuple[str, ...]]:
    """The figure's columns: of HEADING, and of TREND_HEADING where there is a trend."""
    unit = MEASURES[each.name.measure].unit
    found = each.difference
    sure = found.low is not None and found.high is not None and not found.low <= 0 <= found.high
    cells = (
        in_words(each.base, unit),
        in_words(each.changed, unit),
        _signed(found, unit),
        interval_in_words(found, unit),
        "*" * sure,
    )
    if each.beyond_trend is None:
        return each.name, cells
    beyond = _signed(each.beyond_trend, unit)
    return each.name, (*cells, in_words(each.trend, unit), in_words(each.with_trend, unit), beyond)


def _signed(found: Interval, unit: str) -> str:
    return f"{'+' if found.mean > 0 else ''}{in_words(found.mean, unit)}"


def _json(each: Difference) -> dict[str, Any]:
    return {
        "measure": each.name.measure,
        "of": each.name.of,
        "unit": MEASURES[each.name.measure].unit,
        "base": rounded(each.base),
        "changed": rounded(each.changed),
        "difference": interval_json(each.difference),
        "trend": rounded(each.trend),
        "with_trend": rounded(each.with_trend),
        "beyond_trend": interval_json(each.beyond_trend),
    }
