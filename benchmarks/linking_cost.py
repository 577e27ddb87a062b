"""What linking costs: made-up people normalised, a model trained, pairs, vetoes, clusters. CPU time, all in one.

Its peer is benchmarks.peers.splink_notebook, on the same people and with as many threads.
"""

from __future__ import annotations

import argparse
import json
import os

from benchmarks.measure import cpu_seconds
from benchmarks.people import table
from joinery.calc.linkage import fields
from joinery.site.commands.link.linking import link

COLUMNS = ["nhs_number", "given_name", "family_name", "birth_date", "postcode", "gender"]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.linking_cost", description=__doc__)
    options.add_argument("--persons", type=int, default=40_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    import splink  # noqa: F401  loading it is not what is measured, here or at its peer

    said = table(chosen.persons, seed=chosen.seed).select(COLUMNS)
    before = cpu_seconds()
    records = fields.columns(said)
    normalised = cpu_seconds()
    linked = link([records], no_duplicates=False, threads=os.cpu_count() or 1)
    seconds = cpu_seconds() - before
    pairs = linked.linked_pairs
    print(json.dumps({"rows": len(records), "cpu_s": seconds, "normalise_s": normalised - before, "pairs": pairs}))


if __name__ == "__main__":
    main()
