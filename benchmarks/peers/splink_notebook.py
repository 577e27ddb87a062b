"""Plain Splink on the same made-up people, with settings like those of its notebooks.

Comparisons, blocking rules and training are our choice. Clustered by Splink's own connected components
above a probability of .95, its usual line. Runs in .venv, where Splink is what Joinery's own batch uses too.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from typing import Any

import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.linking_quality import cluster_pairs, groups_of, shares
from benchmarks.measure import cpu_seconds
from benchmarks.people import table

COLUMNS = ("nhs_number", "given_name", "family_name", "birth_date", "postcode", "gender")
RULES: tuple[tuple[str, ...], ...] = (
    ("nhs_number",),
    ("family_name", "birth_date"),
    ("given_name", "birth_date"),
    ("postcode", "given_name"),
    ("birth_date", "postcode"),
    ("given_name", "family_name", "outward"),
    ("given_name", "family_name", "substr(birth_date, 1, 4)"),
    ("postcode", "family_name", "substr(given_name, 1, 1)"),
    ("substr(given_name, 1, 2)", "substr(family_name, 1, 3)", "substr(birth_date, 1, 7)"),
    ("given_name", "family_name", "substr(birth_date, 6, 5)"),
)
SWAPPED = (
    "l.given_name = r.family_name and l.family_name = r.given_name "
    "and substr(l.birth_date, 1, 4) = substr(r.birth_date, 1, 4)"
)
CERTAIN = "l.nhs_number = r.nhs_number"
LINE = 0.95


def settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[
            cl.ForenameSurnameComparison("given_name", "family_name"),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("gender"),
            cl.DamerauLevenshteinAtThresholds("nhs_number", [2]),
        ],
        blocking_rules_to_generate_predictions=[*(block_on(*rule) for rule in RULES), SWAPPED],
    )


def people(persons: int, seed: int) -> tuple[Any, Any]:
    """The made-up people as Splink wants them: null for not said, the outward code beside; and the truth."""
    import duckdb

    said = table(persons, seed=seed)
    nulls = ", ".join(f"nullif({name}, '') AS {name}" for name in COLUMNS)
    con = duckdb.connect()
    con.register("said", said)
    columns = f"record, {nulls}, nullif(split_part(postcode, ' ', 1), '') AS outward, given_name || ' ' || family_name"
    return con.sql(f"SELECT {columns} AS given_name_family_name_concat FROM said").to_arrow_table(), said


def link(said: Any, threads: int) -> tuple[Any, int]:
    """Train, predict and cluster; the clusters by record, and the number of pairs scored."""
    import duckdb

    con = duckdb.connect(config={"threads": threads})
    con.register("people", said)
    api = DuckDBAPI(connection=con)
    linker = Linker(api.register("people"), settings(), log_level=logging.ERROR)
    training = linker.training
    training.estimate_probability_two_random_records_match([CERTAIN], recall=0.85)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (
        block_on("birth_date", "postcode"),
        block_on("given_name", "family_name", "substr(postcode, 1, 4)"),
        block_on("nhs_number"),
    ):
        training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=LINE)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, LINE)
    scored = con.execute(f"SELECT count(*) FROM {pairs.physical_name}").fetchone()
    rows = con.execute(f"SELECT cluster_id FROM {clusters.physical_name} ORDER BY record").fetchall()
    return [row[0] for row in rows], scored[0] if scored else 0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--persons", type=int, default=40_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    said, truth = people(chosen.persons, chosen.seed)
    before = cpu_seconds()
    clusters, pairs = link(said, os.cpu_count() or 1)
    seconds = cpu_seconds() - before
    who = truth["person"].to_pylist()
    columns = (truth[name].to_pylist() for name in ("nhs_number", "traits"))
    groups = [groups_of(number, traits) for number, traits in zip(*columns, strict=True)]
    found, by_group = cluster_pairs(clusters, who), shares(clusters, who, groups)
    figures = {
        "rows": len(who),
        "cpu_s": seconds,
        "pairs": pairs,
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "contaminated_per_10000": by_group["all"].contaminated_per_10000,
        "no_number_linked": by_group["no_number"].linked,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
