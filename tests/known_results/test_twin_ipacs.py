"""The published IPACS parameters, run by the twin, beside what IPACS itself made of them.

Where its method is sound, the two agree within three standard errors of its five runs. Where and why they
differ is in docs/explanation/the-twin.md.
"""

from __future__ import annotations

import itertools
import math
import secrets
from pathlib import Path

import numpy as np
import pytest

from joinery.calc.twin.network import Arrivals, Held, Place, Station, Stay
from joinery.calc.twin.place_file.census import steady_days
from joinery.calc.twin.simulate import Runs, run
from tests.conftest import missing
from tests.known_results.places import ENDLESS
from tests.oracles.ipacs import ARRIVALS, NODES, RUNS, STAYS, Ipacs

DAYS = 181
REPS = 60
SCENARIOS = tuple(itertools.product(STAYS, ARRIVALS))


@pytest.fixture(scope="module")
def ipacs(shared: Path) -> Ipacs:
    folder = shared / "ipacs"
    if not folder.is_dir():
        missing("shared", f"there is no {folder}")
    return Ipacs(folder)


def beds(ipacs: Ipacs, stay: str, arrivals: str, *, as_found: bool) -> Runs:
    """The six services with beds, with their places and people at the start, or empty and with room for all."""
    stays = [Stay.from_logs(*ipacs.stay(node, stay)) for node in NODES]
    places = [ipacs.places(node) if as_found else ENDLESS for node in NODES]
    leave_for_good = ((0.0,) * (len(NODES) + 1) + (1.0,),)
    census = [
        held
        for at, node in enumerate(NODES)
        if as_found
        for held in (
            *(Held(0, at, days) for days in steady_days(stays[at], ipacs.at_start(node, "occ"))),
            *(Held(0, None, 0.0, waiting_for=at) for _ in range(ipacs.at_start(node, "dtoc"))),
        )
    ]
    place = Place(
        name="Bristol, North Somerset and South Gloucestershire",
        bands=("65+",),
        stations=tuple(
            Station(node, ((0, count),), (each,)) for node, count, each in zip(NODES, places, stays, strict=True)
        ),
        arrivals=tuple(
            Arrivals(node, at, tuple((rate,) for rate in ipacs.arrivals(node, arrivals)), repeat_days=7)
            for at, node in enumerate(NODES)
        ),
        routes=(leave_for_good,) * (len(NODES) + 1),
        census=tuple(census),
    )
    return run(place, DAYS, reps=REPS, seed=secrets.randbelow(2**32))


@pytest.mark.parametrize(("stay", "arrivals"), SCENARIOS)
def test_people_in_place_agree_but_for_the_queue_that_never_leaves(ipacs: Ipacs, stay: str, arrivals: str) -> None:
    """With room for all, in the last month: IPACS has its first queue in its beds for ever, on top of everybody."""
    ours = beds(ipacs, stay, arrivals, as_found=False).midnights[:, -31:, :, 0].mean(axis=(0, 1))
    for at, node in enumerate(NODES):
        theirs = np.mean(ipacs.found(node, "S1Cap", stay, arrivals, "occ")[-31:]) - ipacs.at_start(node, "dtoc")
        assert theirs == pytest.approx(ours[at], abs=3 * math.sqrt(ours[at] / RUNS)), node


@pytest.mark.parametrize(("stay", "arrivals"), SCENARIOS)
def test_queues_grow_alike_where_more_come_than_can_go(ipacs: Ipacs, stay: str, arrivals: str) -> None:
    """In the second half, for every service that needs a tenth more places than it has."""
    runs = beds(ipacs, stay, arrivals, as_found=True)
    waiting = runs.midnights[:, :, :, 2].mean(axis=0)
    days = DAYS // 2
    for at, (node, each) in enumerate(zip(NODES, runs.place.stations, strict=True)):
        rate = np.mean(ipacs.arrivals(node, arrivals))
        (length,), places = each.stays, each.places_on(1)[0]
        if rate * length.mean_days < 1.1 * places:
            continue
        theirs = ipacs.found(node, "BCap", stay, arrivals, "niq")
        # The spread of who came in these days, and of who left: stays that follow each other in as many places.
        spread = days * (rate + places / length.mean_days * length.cv**2)
        # Three standard errors of theirs, which are what they are, and four of ours, which are new each time.
        near = 3 * math.sqrt(spread / RUNS) + 4 * math.sqrt(spread / REPS)
        growth = waiting[DAYS - 1, at] - waiting[DAYS - 1 - days, at]
        assert theirs[-1] - theirs[-1 - days] == pytest.approx(growth, abs=near), node
