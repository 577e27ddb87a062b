"""The twin's place in Ciw 3, as its notebooks would build it: blocking by queues of no room.

python -m benchmarks.peers.ciw_twin [--days N]
"""

from __future__ import annotations

import argparse
import json
import time

import ciw

from benchmarks.twin_place import BANDS, IN_LONG_TERM_CARE, RATES_PER_DAY, RETURNS, place, season
from joinery.calc.twin.network import Stay

DAYS = 565
NEVER = float("inf")


def network(days: int) -> ciw.network.Network:
    """A class of people a band; home is a node for those who will return, and the way out for the others."""
    here = place()
    home = len(here.stations)
    arrivals, services, routing = {}, {}, {}
    for band, (name, rate, returns) in enumerate(zip(BANDS, RATES_PER_DAY, RETURNS, strict=True)):
        by_day = [rate * season(day) for day in range(days + 1)]
        emergency = ciw.dists.PoissonIntervals(by_day, list(range(1, days + 2)), days)
        arrivals[name] = [emergency, *[None] * home]
        services[name] = [
            *(_service(station.stays[band]) for station in here.stations),
            ciw.dists.Exponential(1 / here.home_delays[band].mean_days),
        ]
        rows = [[*here.routes[at][band][:home], here.routes[at][band][home] * returns] for at in range(home)]
        routing[name] = [*rows, [1.0, *[0.0] * home]]
    there = [1e-9] * IN_LONG_TERM_CARE
    arrivals[BANDS[-1]][home - 1] = ciw.dists.Sequential([*there, NEVER])
    return ciw.create_network(
        arrival_distributions=arrivals,
        service_distributions=services,
        routing=routing,
        number_of_servers=[*(station.places[0][1] for station in here.stations), NEVER],
        queue_capacities=[NEVER, *[0] * (home - 1), NEVER],
    )


def _service(stay: Stay) -> ciw.dists.Distribution:
    if stay.shape == "exponential":
        return ciw.dists.Exponential(1 / stay.mean_days)
    return ciw.dists.Lognormal(*stay.logs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    days = parser.parse_args().days
    start = time.process_time()
    ciw.seed(1)
    simulation = ciw.Simulation(network(days))
    simulation.simulate_until_max_time(days)
    used = time.process_time() - start
    acute = [each for each in simulation.get_all_records() if each.node == 1]
    here = sum(each.exit_date - each.service_start_date for each in acute) / days
    print(json.dumps({"rows": len(acute), "days_per_s": days / used, "acute_occupied": here}))


if __name__ == "__main__":
    main()
