"""A gauge of the machine: the validator's library by itself, over the same resources as the intake."""

from __future__ import annotations

import argparse
import gzip
import json

import fhirkit
import orjson

from benchmarks.measure import bundles, cpu_seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundles", type=int, default=85)
    chosen = options.parse_args()
    rows, cpu = 0, 0.0
    for file in bundles(chosen.bundles):
        entries = orjson.loads(gzip.decompress(file.read_bytes()))["entry"]
        bodies = [orjson.dumps(entry["resource"]) for entry in entries]
        before = cpu_seconds()
        for body in bodies:
            fhirkit.validate(body)
        cpu += cpu_seconds() - before
        rows += len(bodies)
    print(json.dumps({"rows": rows, "cpu_s": cpu}))


if __name__ == "__main__":
    main()
