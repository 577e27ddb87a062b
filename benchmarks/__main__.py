"""Run every benchmark in interleaved rounds and write docs/performance.md: `make bench`.

Peers and Joinery take turns, so a machine that others use slows them alike; only ratios outlive the run.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import ROOT, machine
from benchmarks.report import Round, Run, as_page, as_table
from benchmarks.tasks import TASKS


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--quick", action="store_true", help="one round at a tiny size, to see that it works")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--page", type=Path, default=ROOT / "docs" / "performance.md", help="the page to write")
    chosen = options.parse_args()
    on, found = machine(), datetime.now(UTC).date()
    rounds: list[Round] = []
    for number in range(1 if chosen.quick else chosen.rounds):
        figures: Round = {}
        for task in TASKS:
            if task.once and rounds:
                figures[task.name] = rounds[0][task.name]
                continue
            sys.stderr.write(f"Round {number + 1}: {task.command(chosen.quick)}\n")
            figures[task.name] = task.run(chosen.quick)
        rounds.append(figures)
    on["Load average at the end"] = machine()["Load average at the start"]
    run = Run(found, on, tuple(rounds), chosen.quick)
    print(as_table(run))
    if chosen.quick:
        sys.stderr.write("A quick run: its figures mean nothing, and no page is written.\n")
        return
    chosen.page.write_text(as_page(run), "utf-8")


if __name__ == "__main__":
    main()
