"""A gauge of the machine: the validator's library by itself, over the same resources as the intake."""

from __future__ import annotations

import argparse
import json

import fhirkit

from benchmarks.measure import bundles, cpu_seconds
from benchmarks.take_fhir import entries_of


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundles", type=int, default=85)
    chosen = options.parse_args()
    rows, cpu = 0, 0.0
    for file in bundles(chosen.bundles):
        bodies = [bytes(entry.resource) for entry in entries_of(file)]
        before = cpu_seconds()
        for body in bodies:
            fhirkit.validate(body)
        cpu += cpu_seconds() - before
        rows += len(bodies)
    print(json.dumps({"rows": rows, "cpu_s": cpu}))


if __name__ == "__main__":
    main()
