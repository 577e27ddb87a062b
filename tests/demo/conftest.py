"""The demo place, built once for all its tests."""

import csv
import gzip
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from joinery.site.demo.build import Manifest, build
from joinery.site.demo.events import Events
from joinery.site.demo.histories import histories
from joinery.site.demo.population import People

AS_OF = date(2026, 11, 21)


@dataclass
class Place:
    """What was built, read back from its files."""

    manifest: Manifest
    people: People
    events: Events
    # By path below the folder: the FHIR resources or CSV rows of the file; broken lines apart, as text.
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)

    def key(self, path: str, record: dict[str, Any]) -> str:
        """The local id of a record."""
        return record["source_id"] if path.endswith(".csv") else record["id"]

    def table(self, name: str) -> list[dict[str, str]]:
        """truth or defects, as dictionaries."""
        with (self.manifest.folder / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def read(place: Place) -> None:
    """Fill in the records of every file."""
    folder = place.manifest.folder
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.startswith("council") and path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                place.records[name] = list(csv.DictReader(file))
        elif path.name.endswith(".ndjson.gz"):
            _read_lines(place, name, gzip.decompress(path.read_bytes()).decode())
        elif name.startswith("fhir") and path.is_file():
            entries = json.loads(path.read_bytes())["entry"]
            place.records[name] = [entry["resource"] for entry in entries]


def _read_lines(place: Place, name: str, text: str) -> None:
    place.records[name], place.broken[name] = [], []
    for line in text.splitlines():
        try:
            place.records[name].append(json.loads(line))
        except json.JSONDecodeError:
            place.broken[name].append(line)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder: Path = tmp_path_factory.mktemp("place")
    people, events = histories(500, 1, AS_OF)
    built = Place(build(folder, people=500, seed=1, as_of=AS_OF), people, events)
    read(built)
    return built
