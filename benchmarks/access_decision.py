"""Deciding on a list of 200 people for one viewer, as a search does: what they have to do with services is known.

The viewer has two posts, one at a group that runs 40 care homes. Each person has six involvements, some that have
ended, and every tenth an objection.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import date, timedelta

from joinery.calc.access import DIRECT_CARE, Circumstances, Involvement, Objection, Post, may_open_many
from joinery.calc.succession import Reach

TODAY = date(2026, 11, 22)
HOMES = 40
POSTS = (
    Post("care_home_manager", "ZG1", tuple(Reach(f"ZH{n}") for n in range(HOMES))),
    Post("community_nurse", "ZT1", (Reach("ZT1"), Reach("ZT2", TODAY - timedelta(days=200)))),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=200)
    options.add_argument("--rounds", type=int, default=300)
    chosen = options.parse_args()
    print(json.dumps(decide(chosen.people, chosen.rounds)))


def decide(people: int, rounds: int) -> dict[str, float]:
    """The median CPU time of a list in milliseconds, and the share of it that opens; raises SystemExit when all
    or nobody does, for then nothing was decided."""
    known = {f"{n:020x}": _circumstances(n) for n in range(people)}
    milliseconds = []
    for _ in range(rounds):
        started = time.process_time()
        decisions = may_open_many(POSTS, known, DIRECT_CARE, TODAY)
        milliseconds.append(1000 * (time.process_time() - started))
    opened = sum(each.allowed for each in decisions.values())
    if not 0 < opened < people:
        raise SystemExit(f"{opened} of {people} records open")
    return {"list_ms": statistics.median(milliseconds), "opened_percent": 100 * opened / people}


def _circumstances(n: int) -> Circumstances:
    """What is known of the nth person."""
    began = TODAY - timedelta(days=30 + n)
    ended = TODAY - timedelta(days=n % 60) if n % 3 else None
    places = (f"ZH{n % (2 * HOMES)}", "ZT1" if n % 5 == 0 else "ZT3", "ZT2", f"ZP{n % 9}", "998", f"ZA{n % 30}")
    involved = tuple(Involvement(code, began, ended=ended if at < 3 else None) for at, code in enumerate(places))
    return Circumstances(involved, (Objection("ZT1"),) if n % 10 == 0 else ())


if __name__ == "__main__":
    main()
