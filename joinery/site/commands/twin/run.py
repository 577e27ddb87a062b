"""`joinery twin run`: a place run forward, and its figures."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.calc.twin.compare import replicate
from joinery.calc.twin.intervals import Interval, interval
from joinery.calc.twin.outcome import MEASURES, Name, figures, in_order
from joinery.site.commands.twin.charts import draw_run, refuse_unwritable
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
    tell_table,
    tell_traffic,
    traffic_json,
)


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Run, and say every figure with its interval."""
    refuse_unwritable(arguments.charts)
    file = open_place(arguments.place)
    loads = tell_traffic(file.place)
    plan, precision = plan_of(arguments), precision_of(arguments)
    with place_problems():
        (runs,) = replicate([file.place], plan, precision, progress())
    found = figures(runs)
    known = {name: interval(found[name]) for name in in_order(found)}
    ran = ran_json(plan, precision, [runs])
    tell_table(
        ("mean", "its 95 % interval"), [_row(*each) for each in known.items() if is_main(each[0]) and each[1].mean]
    )
    answer = {
        "place": file.place.name,
        "start_date": file.place.start_date.isoformat(),
        **ran,
        "stations": traffic_json(loads),
        "figures": [
            {"measure": name.measure, "of": name.of, "unit": MEASURES[name.measure].unit} | (interval_json(each) or {})
            for name, each in known.items()
        ],
        "charts": draw_run(runs, arguments.charts),
    }
    return answer, 0


def _row(name: Name, found: Interval) -> tuple[Name, tuple[str, str]]:
    unit = MEASURES[name.measure].unit
    return name, (in_words(found.mean, unit), interval_in_words(found, unit))
