"""Make the model that ships, joinery/definitions/linkage/place.json, from made-up people of several seeds.

    .venv/bin/python -m benchmarks.place_model

A place with few records uses it as it is. Only how common names are is kept from the made-up people; of dates
of birth and postcodes, which are the place's own, every one counts as common as one is on average.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from benchmarks.people import table
from joinery.calc.linkage import batch
from joinery.calc.linkage.blocking import Files
from joinery.calc.linkage.comparisons import RULES
from joinery.calc.linkage.fields import FIELDS, columns

OUT = Path(__file__).parents[1] / "joinery" / "definitions" / "linkage" / "place.json"
# Plain and harder people; the seeds that bars are measured on are others.
SEEDS = ((101, False), (102, True), (103, False), (104, True))
PERSONS_EACH = 15_000
NAMES = 1_500
# A date or postcode is given the share that it has on average, from the made-up people's own u.
OF_THE_PLACE = ("birth_date", "postcode")


def main() -> None:
    people = pa.concat_tables([table(PERSONS_EACH, seed=seed, harder=harder) for seed, harder in SEEDS])
    said = columns(people.select([column for column in people.column_names if column in FIELDS]))
    trained = batch.train(Files([said]), name="place", rules=RULES)
    for warning in trained.warnings:
        print(warning)
    head = json.loads(trained.text)
    shares = {column: list(listed.values()) for column, listed in head["term_frequencies"].items()}
    head["term_frequencies"] = {
        column: {} if column in OF_THE_PLACE else dict(list(listed.items())[:NAMES])
        for column, listed in head["term_frequencies"].items()
    }
    for comparison in head["splink"]["comparisons"]:
        for level in comparison["comparison_levels"]:
            column = level.get("tf_adjustment_column")
            if column in OF_THE_PLACE:
                level["tf_minimum_u_value"] = level["u_probability"]
            elif column and len(shares[column]) > NAMES:
                level["tf_minimum_u_value"] = shares[column][NAMES]
    OUT.write_text(json.dumps(head, indent=1, ensure_ascii=False) + "\n")
    print(f"{OUT.name}: {OUT.stat().st_size:,} bytes, link from {head['link_bits']} bits")


if __name__ == "__main__":
    main()
