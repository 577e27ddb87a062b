"""fhir.resources (R4B): validation of the same resources, already parsed, and nothing else."""

from __future__ import annotations

import argparse
import gzip
import json

from fhir.resources.R4B import get_fhir_model_class

from benchmarks.measure import bundles, cpu_seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundles", type=int, default=10)
    chosen = options.parse_args()
    resources = []
    for file in bundles(chosen.bundles):
        resources += [entry["resource"] for entry in json.loads(gzip.decompress(file.read_bytes()))["entry"]]
    models = {kind: get_fhir_model_class(kind) for kind in {each["resourceType"] for each in resources}}
    for model in models.values():
        model.model_fields  # noqa: B018 (a model is built on first use, which is not what is measured)
    before = cpu_seconds()
    for each in resources:
        models[each["resourceType"]].model_validate(each)
    print(json.dumps({"rows": len(resources), "cpu_s": cpu_seconds() - before}))


if __name__ == "__main__":
    main()
