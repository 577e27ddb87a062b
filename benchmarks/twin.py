"""The twin beside C and SimPy on one place, in turns; what shared luck saves; how it grows; threads.

python -m benchmarks.twin speed|luck|growth [--days N] [--reps N]
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

# As an earlier trial of ours was measured: 565 days, and luck over six years; a third or a sixth of them to warm up.
DAYS, YEARS_DAYS = 565, 2_190
TURNS = 3
MORE_SLOTS = {"homecare": 156}


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def speed(days: int, reps: int) -> dict[str, float]:
    """Days that the kernel, C and SimPy run in a CPU second. Raises SystemExit where C says something else."""
    here, ours = place(), kernel.go_on
    run(here, 1)
    spent: dict[str, list[float]] = {"kernel": [], "c": [], "simpy": []}
    with TemporaryDirectory() as folder:
        in_c = compiled(Path(folder))
        for turn in range(TURNS):
            answers: list[Runs] = []
            for name, kernel.go_on in (("kernel", ours), ("c", in_c)):
                spent[name].append(timed(lambda: answers.append(run(here, days, days // 3, reps))) / reps)  # noqa: B023
            kernel.go_on = ours
            spent["simpy"].append(timed(lambda: World(here, days, days // 3, Loose(turn)).run()))  # noqa: B023
            if not np.array_equal(answers[0].midnights, answers[1].midnights):
                raise SystemExit("C and the kernel do not say the same")
    figures = {f"{name}_days_per_s": days / float(np.median(times)) for name, times in spent.items()}
    events = float(answers[0].events.mean())
    return figures | {
        "times_c": figures["c_days_per_s"] / figures["kernel_days_per_s"],
        "times_simpy": figures["kernel_days_per_s"] / figures["simpy_days_per_s"],
        "events_per_s": events / days * figures["kernel_days_per_s"],
    }


def luck(days: int, reps: int) -> dict[str, float]:
    """How many times smaller the variance of what six more places change is, where both runs share their luck."""
    before, after = place(), place(**MORE_SLOTS)
    base, shared, other = (
        run(each, days, days // 6, reps, seed, workers=2) for each, seed in ((before, 1), (after, 1), (after, 2))
    )

    def ratio(figure: Callable[[Runs], np.ndarray]) -> float:
        return float(np.var(figure(other) - figure(base)) / np.var(figure(shared) - figure(base)))

    return {
        "acute_used_times": ratio(lambda runs: runs.used_days[:, 0]),
        "acute_ready_times": ratio(lambda runs: runs.ready_days[:, 0]),
        "acute_waiting_times": ratio(lambda runs: runs.waiting_days[:, 0]),
        "homecare_used_times": ratio(lambda runs: runs.used_days[:, 1]),
    }


def growth(days: int, reps: int) -> dict[str, float]:
    """CPU nanoseconds an event for places of 50,000 to 1,000,000 people; and two threads beside one."""
    figures = {}
    for people in (50_000, 140_000, 500_000, 1_000_000):
        here = place(people / PEOPLE)
        run(here, 1)
        start = time.process_time()
        runs = run(here, days, days // 3, reps)
        used = time.process_time() - start
        figures[f"ns_{people}"] = 1e9 * used / int(runs.events.sum())
    here, walls, used_cpu = place(), [], []
    for workers in (1, 2):
        wall, cpu = time.perf_counter(), time.process_time()
        run(here, days, days // 3, 10 * reps, workers=workers)
        walls.append(time.perf_counter() - wall)
        used_cpu.append(time.process_time() - cpu)
    return figures | {"threads_times": walls[0] / walls[1], "threads_cpu_times": used_cpu[1] / used_cpu[0]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("what", choices=("speed", "luck", "growth"))
    options.add_argument("--days", type=int)
    options.add_argument("--reps", type=int)
    chosen = options.parse_args()
    measure, days, reps = {
        "speed": (speed, DAYS, 20),
        "luck": (luck, YEARS_DAYS, 200),
        "growth": (growth, DAYS, 5),
    }[chosen.what]
    print(json.dumps(measure(chosen.days or days, chosen.reps or reps)))


if __name__ == "__main__":
    main()
