"""The demo place, built once for all its tests."""

import csv
import gzip
import json
import re
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


# What tells one row of a return from another, and what the truth calls it.
KEYS = {
    "council": ("source_id",), "cld": ("Event_Reference",), "apc": ("APCS_Ident",), "ecds": ("EC_Ident",),
    "capacity": ("location_id", "bed_type"),
}  # fmt: skip
KINDS = {"cld": "event", "apc": "spell", "ecds": "attendance", "capacity": "capacity"}


@dataclass
class Place:
    """What was built, read back from its files."""

    manifest: Manifest
    people: People
    events: Events
    # By path below the folder: the FHIR resources, messages or CSV rows of the file; broken ones apart, as text.
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)

    def key(self, path: str, record: dict[str, Any]) -> str:
        """The local id of a record."""
        columns = KEYS.get(path.split("/")[0], ("id",))
        return "/".join(record[column] for column in columns)

    def kind(self, path: str, record: dict[str, Any]) -> str:
        """What the truth says it is."""
        feed, named = path.split("/")[0], path.rsplit("/", 1)[1].removesuffix(".csv")
        if feed == "mods":
            return record["type"]
        return KINDS.get(feed) or record.get("resourceType") or named

    def table(self, name: str) -> list[dict[str, str]]:
        """truth, defects or census, as dictionaries."""
        with (self.manifest.folder / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def read(place: Place) -> None:
    """Fill in the records of every file but the registers."""
    for sent in place.manifest.submissions:
        name = str(sent.path.relative_to(place.manifest.folder))
        if sent.feed in KEYS:
            with sent.path.open(encoding="utf-8", newline="") as file:
                place.records[name] = list(csv.DictReader(file))
        elif sent.feed == "adt":
            _read_messages(place, name, sent.path.read_bytes().decode("utf-8", "surrogateescape"))
        elif sent.feed == "mods":
            lines = gzip.decompress(sent.path.read_bytes()).decode().splitlines()
            place.records[name] = [line | {"id": line["uid"]} for line in map(json.loads, lines)]
        elif name.endswith(".ndjson.gz"):
            _read_lines(place, name, gzip.decompress(sent.path.read_bytes()).decode())
        elif sent.feed == "fhir":
            entries = json.loads(sent.path.read_bytes())["entry"]
            place.records[name] = [entry["resource"] for entry in entries]


def _read_messages(place: Place, name: str, text: str) -> None:
    """A message has the id of its patient when it registers them, else its own number."""
    place.records[name], place.broken[name] = [], []
    for message in re.split(r"\r(?=MSH)", text):
        head = message.split("\r")[0].split("|")
        if not message.startswith("MSH|"):
            place.broken[name].append(message)
            continue
        event = head[8].split("^")[1]
        own = re.search(r"([0-9a-f]{16})\^\^\^(ZH1PAS)", message)
        assert own
        known = ("Patient", f"{own[2]}/{own[1]}") if event == "A28" else (event, head[9])
        place.records[name].append({"resourceType": known[0], "id": known[1], "text": message})


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
