"""What is run, in which environment and at which size."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from benchmarks.measure import ROOT

OURS, PEERS = ".venv", ".venv-bench"
# The peers are slow enough for a part of the bundles to tell; Joinery takes the same part beside them.
PART = 10


@dataclass(frozen=True, slots=True)
class Task:
    """One process that prints its figures. `quick` are the arguments of a run that only shows that it works;
    one that runs `once` gives the same figures in every round, or takes too long to fill its tables again."""

    name: str
    module: str
    arguments: str = ""
    quick: str = ""
    environment: str = OURS
    once: bool = False

    def command(self, quick: bool) -> str:
        arguments = self.quick if quick else self.arguments
        return f"{self.environment}/bin/python -m benchmarks.{self.module} {arguments}".strip()

    def run(self, quick: bool) -> dict[str, float]:
        """The figures. Raises SystemExit, with what it said, when it fails."""
        done = subprocess.run(self.command(quick).split(), cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{self.command(quick)} failed:\n{done.stderr[-2000:]}")
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return figures


TASKS = (
    Task("gauge", "validate_alone", quick="--bundles 2"),
    Task("bundles", "take_fhir", quick="--bundles 2"),
    Task("ndjson", "take_fhir", "--ndjson", quick="--ndjson --bundles 2"),
    Task("part", "take_fhir", f"--bundles {PART}", quick="--bundles 2"),
    Task("sekmet", "peers.sekmet", f"--bundles {PART}", quick="--bundles 2", environment=PEERS),
    Task("fhir_resources", "peers.fhir_resources", f"--bundles {PART}", quick="--bundles 2", environment=PEERS),
    Task("page", "person_page", quick="--entries 600 --pages 3"),
    Task("access", "access_decision", quick="--rounds 3"),
    Task("work", "my_work", quick="--items 200 --rounds 3"),
    Task("writers", "writers", quick="--writers 4 --seconds 2 --referrals 8", once=True),
    Task("seal", "seal_log", quick="--rows 20000"),
    Task("csv", "take_csv", quick="--rows 1000"),
    Task("adt", "adt", quick="--messages 300"),
    Task("python_hl7", "peers.python_hl7", "--messages 1000", quick="--messages 300", environment=PEERS),
    Task("returns", "take_returns", quick="--rows 1000"),
    Task("directory", "directory", quick="--questions 5"),
    Task("duckdb", "peers.duckdb_directory", quick="--questions 5", environment=PEERS),
    Task("twin", "twin", "speed", quick="speed --days 40 --reps 2"),
    Task("ciw", "peers.ciw_twin", quick="--days 15", environment=PEERS),
    Task("twin_luck", "twin", "luck", quick="luck --days 1200 --reps 3", once=True),
    Task("twin_growth", "twin", "growth", quick="growth --days 20 --reps 1", once=True),
    Task("febrl3", "linking", "febrl3", quick="febrl1", once=True),
    Task("febrl4", "linking", "febrl4", quick="febrl1", once=True),
    Task("historical", "linking", "historical", quick="febrl1", once=True),
    Task("five_feeds", "linking", "five_feeds --seeds 5", quick="five_feeds --persons 400", once=True),
    Task("harder_feeds", "linking", "harder_feeds --seeds 5", quick="harder_feeds --persons 400", once=True),
    Task("american", "linking", "american", quick="american", once=True),
    Task("linking", "linking_cost", quick="--persons 400"),
    Task("splink", "peers.splink_notebook", quick="--persons 4000"),
    Task("real_time", "real_time", quick="--records 3000 --arriving 100", once=True),
    Task("splink_between", "peers.splink_between", quick="--records 3000 --asked 2", once=True),
)
