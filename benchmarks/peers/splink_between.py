"""Splink asked what `benchmarks.real_time` asks: one record without an NHS number against everybody.

The same people, the same model file, the same pairs of records looked at, through `predict_between` on DuckDB in
memory. The table is made and its term frequencies are joined beforehand; nothing is inserted and nothing
made durable. Prints milliseconds of wall and CPU time of one answer.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.measure import ROOT, cpu_seconds
from benchmarks.people import Record
from benchmarks.real_time import RECORDS, split

ASKED = 12
MODEL = ROOT / "joinery" / "definitions" / "linkage" / "place.json"
SAID = ("nhs_number", "given_name", "family_name", "birth_date", "gender", "postcode")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=RECORDS)
    options.add_argument("--asked", type=int, default=ASKED)
    options.add_argument("--model", type=Path, default=MODEL)
    chosen = options.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    there, arriving = split(chosen.records, chosen.asked)
    for record in arriving:
        record.nhs_number = ""
    print(json.dumps(ask(json.loads(chosen.model.read_text()), there, arriving)))


def ask(model: dict[str, Any], there: Sequence[Record], arriving: Sequence[Record]) -> dict[str, float]:
    """Ask of each record by itself, the first time twice: the first answer of all pays for setting up."""
    import duckdb
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=duckdb.connect(":memory:", config={"threads": 2, "autoinstall_known_extensions": False}))
    known = compared(there)
    asked = pa.concat_tables([known.schema.empty_table(), compared(arriving)], promote_options="default")
    everybody = api.register(known)
    linker = Linker(everybody, settings(model), log_level=None, validate_settings=False)
    for column, lookup in shares(model, pa.concat_tables([known, asked])).items():
        linker.table_management.register_term_frequency_lookup(api.register(lookup), column)
    person_of = {record.record: record.person for record in (*there, *arriving)}
    wall, cpu, right = [], [], 0
    for place in (0, *range(len(arriving))):
        one = api.register(asked.slice(place, 1))
        started, spent = time.perf_counter(), cpu_seconds()
        found = linker.inference.predict_between(
            one, everybody, threshold_match_weight=model["review_bits"], warning_mode="never"
        ).as_pyarrow_table()
        wall.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (cpu_seconds() - spent))
        pairs = found.select(["match_weight", "record_l", "record_r"]).to_pydict()
        best = max(zip(*pairs.values(), strict=True), default=None)
        right += best is not None and person_of[best[1]] == person_of[best[2]]
    return {
        **{"rows": float(len(arriving)), "right": right},
        **{"wall_ms": statistics.median(wall[1:]), "cpu_ms": statistics.median(cpu[1:])},
        "per_s": 1000 / statistics.median(wall[1:]),
    }


def settings(model: dict[str, Any]) -> dict[str, Any]:
    """Splink's settings of the model: its own JSON, and our rules."""
    rules = [" AND ".join(f'l."{column}" = r."{column}"' for column in rule) for rule in model["rules"]]
    blocking = [{"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in rules]
    return model["splink"] | {"sql_dialect": "duckdb", "blocking_rules_to_generate_predictions": blocking}


def compared(records: Sequence[Record]) -> pa.Table:
    """What records say, in the form in which it is compared."""
    from joinery.calc.linkage.fields import columns

    table = columns(pa.table({column: [getattr(record, column) for record in records] for column in SAID}))
    return table.append_column("record", pa.array([record.record for record in records]))


def shares(model: dict[str, Any], table: pa.Table) -> dict[str, pa.Table]:
    """How common each value of a column is: what the model file lists, and the level's least for all others."""
    levels = [level for each in model["splink"]["comparisons"] for level in each["comparison_levels"]]
    least = {
        each["tf_adjustment_column"]: each["tf_minimum_u_value"] for each in levels if "tf_adjustment_column" in each
    }
    made = {}
    for column in set(least) & set(table.column_names):
        values = [value for value in set(table[column].to_pylist()) if value is not None]
        listed = [model["term_frequencies"][column].get(value, least[column]) for value in values]
        made[column] = pa.table({column: pa.array(values, pa.string()), f"tf_{column}": pa.array(listed, pa.float64())})
    return made


if __name__ == "__main__":
    main()
