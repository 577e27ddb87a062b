"""`joinery twin check`: a place file read, and how busy each station would be."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.calc.twin.budget import places_pence_per_day
from joinery.calc.twin.place_file import PlaceFile, accounts
from joinery.site.commands import say
from joinery.site.commands.twin.common import open_place, rounded, tell_traffic, traffic_json, warnings


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Say what the file holds. A file that is wrong is a problem; a load above 1 is only said."""
    file = open_place(arguments.place)
    rows = tell_traffic(file.place)
    unaccounted = [each.table for each in accounts(file.path) if not (each.source or each.assumption)]
    assumed = [each.table for each in accounts(file.path) if each.assumption]
    if file.place.census:
        say(f"  {len(file.place.census):,} people are there at the start.")
    for payer, budget in _budget(file).items():
        of = f" of {payer}" if payer else ""
        say(f"  Budget{of}: the places cost £{budget['costs'] / 100:,.2f} of £{budget['may'] / 100:,.2f} a day.")
    if unaccounted:
        say(f"  With neither source nor assumption: {', '.join(unaccounted)}")
    place = file.place
    answer = {
        "place": place.name,
        "start_date": place.start_date.isoformat(),
        "bands": list(place.bands),
        "stations": traffic_json(rows),
        "held_at_start": len(place.census),
        "budget": _budget(file) or None,
        "national_trend": file.trend is not None,
        "based_on": file.base.place.name if file.base else None,
        "assumed": assumed,
        "unaccounted": unaccounted,
        "warnings": warnings(rows),
    }
    return answer, 0


def _budget(file: PlaceFile) -> dict[str, dict[str, Any]]:
    """By payer (or under "" where it is pooled), what the places cost and may cost a day, in pence."""
    if not file.budget:
        return {}
    may = file.budget.pence_per_day
    costs = places_pence_per_day(file.place, pooled=file.budget.pooled)
    return {payer: {"costs": rounded(costs.get(payer, 0.0)), "may": rounded(may[payer])} for payer in may}
