"""Every benchmark still runs, at a tiny size, and the page that they wrote says what it must."""

from __future__ import annotations

import re
import shutil
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.report import BARS, PEERS, Run, as_page
from benchmarks.tasks import OURS, TASKS, Task
from benchmarks.tasks import PEERS as PEERS_ENVIRONMENT

ROOT = Path(__file__).parents[2]
HEADINGS = ["Performance", "Machine", "Bars", "Peers", "How it is measured"]
# Some differ in size alone.
OUR_TASKS = {(task.module, task.quick): task for task in TASKS if task.environment == OURS}
PEER_TASKS = [task for task in TASKS if task.environment == PEERS_ENVIRONMENT]
# A benchmark on real input needs the shared data; the others make their own.
ON_REAL_INPUT = {"validate_alone", "take_fhir"}
# Nobody in another's record; nothing lost between many who write at once.
HOPED_TO_BE_NONE = ("contaminated", "lost", "gaps", "ownerless", "failed", "changed", "away")
# These ask the packages of .venv-bench for their people.
IN_PEERS = {"febrl1", "american"}


@pytest.mark.parametrize("task", OUR_TASKS.values(), ids=lambda task: task.name)
def test_a_benchmark_runs(task: Task, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if task.module in ON_REAL_INPUT:
        request.getfixturevalue("shared")
    if task.quick in IN_PEERS and not (ROOT / PEERS_ENVIRONMENT).is_dir():
        pytest.skip("the people are in packages of .venv-bench; make bench makes it")
    if task.module == "twin" and not shutil.which("gcc"):
        pytest.skip("the twin is measured beside C, which needs gcc")
    # The interpreter of this run rather than .venv/bin/python, which a wheel's or a tool's run may not have.
    command = f"{sys.executable} -m benchmarks.{task.module} {task.quick}"
    monkeypatch.setattr(Task, "command", lambda self, quick: command)
    monkeypatch.setenv("JOINERY_BENCH_COPY", str(request.getfixturevalue("migrated").data))
    figures = task.run(quick=True)
    assert figures
    counted = {name: value for name, value in figures.items() if not any(word in name for word in HOPED_TO_BE_NONE)}
    assert all(value > 0 for name, value in counted.items() if not name.endswith("cpu_s"))
    assert all(value >= 0 for value in figures.values())


@pytest.mark.parametrize("task", PEER_TASKS, ids=lambda task: task.name)
def test_a_peer_runs_where_it_is_installed(task: Task, shared: Path) -> None:
    if not (ROOT / PEERS_ENVIRONMENT).is_dir():
        pytest.skip("there is no .venv-bench; make bench makes it")
    assert task.run(quick=True)["rows"] > 100


def test_a_benchmark_that_fails_is_not_counted() -> None:
    with pytest.raises(SystemExit, match="no such option|unrecognized arguments"):
        Task("wrong", "take_csv", quick="--no-such-option").run(quick=True)


def test_the_page_holds_every_bar_and_peer_with_medians_of_the_rounds() -> None:
    figures = defaultdict(lambda: 1.0, rows=100.0)
    rounds = tuple({task.name: figures | {"first_cpu_s": seconds} for task in TASKS} for seconds in (1.0, 2.0, 50.0))
    page = as_page(Run(date(2026, 11, 21), {"Cores": "2"}, rounds))
    assert headings(page) == HEADINGS
    assert "21 November 2026" in page
    assert all(bar.what in page for bar in BARS)
    assert all(peer.peer in page for peer in PEERS)
    (bundles,) = [line for line in page.splitlines() if BARS[0].what in line]
    cells = [cell.strip() for cell in bundles.split("|")]
    assert cells[2:7] == ["at least 2,000", "at least 2,500", "50", "2 to 100", "0.02"]
    assert cells[7] == "floor missed, goal missed"


def test_the_written_page_is_of_a_whole_run() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert headings(page) == HEADINGS
    assert all(bar.what in page for bar in BARS)
    assert re.search(r"\| Load average at the start +\| \d+\.\d", page)


def test_the_machine_is_described() -> None:
    assert {"Cores", "Load average at the start", "Python"} <= measure.machine().keys()


def test_the_peers_are_pinned_with_hashes_and_without_addresses() -> None:
    pinned = (ROOT / "requirements" / "bench.txt").read_text("utf-8")
    assert "://" not in pinned
    for line in (ROOT / "requirements" / "bench.in").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.search(rf"^{re.escape(line)} \\\n    --hash=sha256:", pinned, re.MULTILINE), line


def headings(page: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", page, re.MULTILINE)
