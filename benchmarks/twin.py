"""The twin beside C and SimPy on one place, in turns; what shared luck saves; how it grows; threads.

python -m benchmarks.twin speed|luck|growth [--reps N]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.twin_c import compiled
from benchmarks.twin_place import PEOPLE, place
from joinery.calc.twin import kernel
from joinery.calc.twin.simulate import Runs, run
from tests.oracles.twin import Loose, World

# As the prototype was measured: 565 days of which 200 warm up; luck over six years of which one does.
DAYS, WARMUP = 565, 200
YEARS_DAYS, YEARS_WARMUP = 2_190, 365
MORE_SLOTS = {"homecare": 156}


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def speed(reps: int) -> dict[str, float]:
    """CPU milliseconds a replication: the kernel's, C's and SimPy's, in turns."""
    here = place()
    run(here, 1)
    ours = kernel.go_on
    figures: dict[str, list[float]] = {"kernel": [], "c": [], "simpy": []}
    with TemporaryDirectory() as folder:
        in_c = compiled(Path(folder))
        for turn in range(3):
            answers = []
            for name, kernel.go_on in (("kernel", ours), ("c", in_c)):
                figures[name].append(timed(lambda: answers.append(run(here, DAYS, WARMUP, reps))) / reps)  # noqa: B023
            kernel.go_on = ours
            if not np.array_equal(answers[0].midnights, answers[1].midnights):
                raise SystemExit("C and the kernel differ")
            figures["simpy"].append(timed(lambda turn=turn: World(here, DAYS, WARMUP, Loose(turn)).run()))  # type: ignore[misc]
    medians = {name: 1_000 * float(np.median(times)) for name, times in figures.items()}
    return {f"{name}_ms": time_ms for name, time_ms in medians.items()} | {
        "per_s": 1_000 / medians["kernel"],
        "c_per_s": 1_000 / medians["c"],
        "simpy_per_s": 1_000 / medians["simpy"],
        "events_per_s": float(run(here, DAYS, WARMUP).events[0]) / medians["kernel"] * 1_000,
    }


def luck(reps: int) -> dict[str, float]:
    """How many times smaller the variance of what six more places change is, where both runs share their luck."""
    before, after = place(), place(**MORE_SLOTS)
    base, shared, other = (
        run(each, YEARS_DAYS, YEARS_WARMUP, reps, seed, workers=2)
        for each, seed in ((before, 1), (after, 1), (after, 2))
    )

    def ratio(figure: Callable[[Runs], np.ndarray]) -> float:
        return float(np.var(figure(other) - figure(base)) / np.var(figure(shared) - figure(base)))

    return {
        "acute_used_times": ratio(lambda runs: runs.used_days[:, 0]),
        "acute_ready_times": ratio(lambda runs: runs.ready_days[:, 0]),
        "acute_waiting_times": ratio(lambda runs: runs.waiting_days[:, 0]),
        "homecare_used_times": ratio(lambda runs: runs.used_days[:, 1]),
    }


def growth(reps: int) -> dict[str, float]:
    """CPU nanoseconds an event for places of 50,000 to 1,000,000 people; and two threads beside one."""
    figures = {}
    for people in (50_000, 140_000, 500_000, 1_000_000):
        here = place(people / PEOPLE)
        run(here, 1)
        start = time.process_time()
        runs = run(here, DAYS, WARMUP, reps)
        used = time.process_time() - start
        figures[f"ns_an_event_{people}"] = 1e9 * used / int(runs.events.sum())
        figures[f"ms_{people}"] = 1_000 * used / reps
    here, walls, used_cpu = place(), [], []
    for workers in (1, 2):
        wall, cpu = time.perf_counter(), time.process_time()
        run(here, DAYS, WARMUP, 10 * reps, workers=workers)
        walls.append(time.perf_counter() - wall)
        used_cpu.append(time.process_time() - cpu)
    return figures | {"threads_times_faster": walls[0] / walls[1], "threads_cpu_times": used_cpu[1] / used_cpu[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("speed", "luck", "growth"))
    parser.add_argument("--reps", type=int, default=20)
    arguments = parser.parse_args()
    what = {"speed": speed, "luck": luck, "growth": growth}[arguments.what]
    print(json.dumps(what(arguments.reps)))


if __name__ == "__main__":
    main()
