"""How right `joinery link files` is on labelled data: the very command, with a map of columns and no labels.

.venv/bin/python -m benchmarks.linking febrl3
.venv/bin/python -m benchmarks.linking five_feeds --seeds 5 --groups
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.linking_quality import Share, cluster_pairs, shares
from benchmarks.linking_sets import SETS, Labelled
from benchmarks.measure import ROOT, cpu_seconds


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.linking", description=__doc__)
    options.add_argument("set", choices=SETS)
    options.add_argument("--persons", type=int, default=40_000, help="of made-up feeds: about 2.2 records each")
    options.add_argument("--seeds", type=int, default=1, help="how many sets of made-up people, from --first on")
    options.add_argument("--first", type=int, default=1)
    options.add_argument("--groups", action="store_true", help="say the quality by group on standard error")
    options.add_argument("--keep", type=Path, help="a folder to keep the files in (default: none)")
    chosen = options.parse_args()
    runs = [_run(chosen, seed) for seed in range(chosen.first, chosen.first + chosen.seeds)]
    figures = {name: statistics.fmean(run[name] for run in runs) for name in runs[0]}
    figures["worst_contaminated_per_10000"] = max(run["contaminated_per_10000"] for run in runs)
    figures["worst_recall"] = min(run["recall"] for run in runs)
    print(json.dumps(figures))


def _run(chosen: argparse.Namespace, seed: int) -> dict[str, float]:
    with TemporaryDirectory(prefix="joinery-bench-") as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        data = SETS[chosen.set](chosen.persons, folder, seed)
        before = cpu_seconds()
        clusters, said = link(data, folder)
        seconds = cpu_seconds() - before
    pairs, by_group = cluster_pairs(clusters, data.people), shares(clusters, data.people, data.groups)
    sys.stderr.write(f"seed {seed}: {json.dumps({name: value for name, value in said.items() if name != 'columns'})}\n")
    if chosen.groups:
        _say_groups(by_group)
    everybody = by_group["all"]
    no_number = by_group.get("no_number", everybody)
    return {
        "rows": len(clusters),
        "cpu_s": seconds,
        "precision": pairs.precision,
        "recall": pairs.recall,
        "f1": pairs.f1,
        "contaminated_per_10000": everybody.contaminated_per_10000,
        "linked": everybody.linked,
        "no_number_linked": no_number.linked,
        "no_number_contaminated_per_10000": no_number.contaminated_per_10000,
        "link_bits": said["link_bits"],
    }


def link(data: Labelled, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The cluster of each row by `joinery link files`, and what the command said."""
    columns, out = folder / "columns.yaml", folder / "clusters.csv"
    columns.write_text(json.dumps(data.columns), "utf-8")  # which is YAML too
    command = [".venv/bin/joinery", "link", "files", *map(str, data.files), "--columns", str(columns)]
    done = subprocess.run(
        [*command, "--out", str(out), "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    with out.open(encoding="utf-8", newline="") as file:
        return [row["cluster"] for row in csv.DictReader(file)], json.loads(done.stdout)


def _say_groups(by_group: Mapping[str, Share]) -> None:
    for name, share in by_group.items():
        sys.stderr.write(
            f"  {name:18} {share.records:8,} records, contaminated {share.contaminated:6,} "
            f"({share.contaminated_per_10000:7.2f} per 10,000), linked right {share.linked:.4f}\n"
        )


if __name__ == "__main__":
    main()
