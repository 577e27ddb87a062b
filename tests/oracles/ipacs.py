"""The published parameters of a discharge model, IPACS, and what that model made of them.

Bristol, North Somerset and South Gloucestershire, 2022: nhs-bnssg-analytics/ipacs-model, DOI 10.5281/zenodo.7845908.
A scenario is one of two tables of arrivals, one of three of stays, and one of two of places: `BCap` is what there
was, `S1Cap` more than anyone needs.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

NODES = tuple(f"{pathway}_{council}" for pathway in ("P2", "P3") for council in ("B", "NS", "SG"))
STAYS = ("Blos", "S1los", "S2los")
ARRIVALS = ("BArr", "S1Arr")
# Its own outputs are means of so many runs: queues of whole people come in fifths.
RUNS = 5
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Logs(NamedTuple):
    """A lognormal stay: mean and standard deviation of its logarithm, in days."""

    mu: float
    sigma: float


@dataclass(frozen=True)
class Ipacs:
    """The parameters, by node (pathway and council) and scenario, and the outputs by their column."""

    folder: Path

    @cached_property
    def _sheets(self) -> dict[str, list[dict[str, Any]]]:
        return dict(_sheets(self.folder / "IPACS_params.xlsx"))

    def arrivals(self, node: str, scenario: str) -> list[float]:
        """The mean number of each day from 1 January 2023 on."""
        rows = [r for r in self._sheets["arrivals"] if (r["node"], r["scenario"]) == (node, scenario)]
        return [r["arrivals"] for r in sorted(rows, key=lambda r: r["date"])]

    def stay(self, node: str, scenario: str) -> Logs:
        (row,) = (r for r in self._sheets["los"] if (r["node"], r["scenario"]) == (node, scenario))
        return Logs(row["mu"], row["sigma"])

    def places(self, node: str) -> int:
        (row,) = (r for r in self._sheets["capacity"] if (r["node"], r["scenario"]) == (node, "BCap"))
        return int(row["capacity"])

    def at_start(self, node: str, measure: str) -> int:
        """How many are in place (`occ`) or wait (`dtoc`) at the start."""
        (row,) = (r for r in self._sheets["initial conditions"] if (r.get("node"), r.get("measure")) == (node, measure))
        return int(row["value"])

    @cached_property
    def _found(self) -> list[dict[str, str]]:
        with (self.folder / "bed_testing_using_IPACS_params.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def found(self, node: str, places: str, stay: str, arrivals: str, measure: str) -> list[float]:
        """What IPACS made of it, day by day: people in place (`occ`) or waiting (`niq`)."""
        return [float(row[f"{node}_{places}_{stay}_{arrivals}__{measure}"]) for row in self._found]


def _sheets(path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each sheet of a workbook by name, as rows by the words of its first row."""
    with zipfile.ZipFile(path) as book:
        shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        texts = ["".join(part.text or "" for part in each.iter(f"{_MAIN}t")) for each in shared]
        named = ElementTree.fromstring(book.read("xl/workbook.xml")).find(f"{_MAIN}sheets")
        for number, sheet in enumerate(named if named is not None else (), 1):
            rows = list(_rows(ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")), texts))
            heads = rows[0] if rows else {}
            yield (
                sheet.get("name", ""),
                [{heads[at]: value for at, value in row.items() if at in heads} for row in rows[1:]],
            )


def _rows(sheet: ElementTree.Element, texts: list[str]) -> Iterator[dict[str, Any]]:
    """The cells of each row by the letters of their column."""
    for row in sheet.iter(f"{_MAIN}row"):
        cells = {}
        for cell in row:
            value = cell.findtext(f"{_MAIN}v")
            if value is not None:
                cells[re.sub(r"\d", "", cell.get("r", ""))] = (
                    texts[int(value)] if cell.get("t") == "s" else _read(value)
                )
        if cells:
            yield cells


def _read(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
