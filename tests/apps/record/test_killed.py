"""A file is wholly in or wholly out, whatever happens to the process that takes it; two can come at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.apps.record import sending
from tests.support import Deployment

DRILL = bool(os.environ.get("JOINERY_DRILL"))
ROWS, KILLS = (20_000, 8) if DRILL else (3_000, 4)
PEOPLE = 50

# What pages and the auditor see, asked by a process of its own.
LOOK = """
import json
from joinery.site import setup
setup.load()
from dataclasses import asdict
from django.conf import settings
from joinery.apps.base import seal
from joinery.apps.record.facts import holdings
print(json.dumps({**asdict(holdings()), "problems": seal.verify(keys=seal.Keys(settings.KEYS)).problems}))
"""


def look(deployment: Deployment) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=deployment.env, capture_output=True, text=True, timeout=60, check=True
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def big_file(folder: Path, name: str = "big.ndjson", rows: int = ROWS) -> Path:
    """People with NHS numbers first, then what was measured of them."""
    people = [sending.patient(f"p{n}", sending.nhs_number(n * 7), "Ash", f"A{n}", "1941-03-03") for n in range(PEOPLE)]
    measured = [sending.observation(f"o{n}", f"Patient/p{n % PEOPLE}", f"Weight {n}") for n in range(rows - PEOPLE)]
    path = folder / name
    path.write_bytes(sending.ndjson([*people, *measured]))
    return path


def counts(deployment: Deployment, *tables: str) -> list[int]:
    return [deployment.sql(f"SELECT COUNT(*) FROM record_{table}")[0][0] for table in tables]


def test_a_take_that_is_killed_at_any_moment_leaves_nothing_and_the_next_completes(
    deployment: Deployment, tmp_path: Path
) -> None:
    # Given a small file that was taken, and how long a large one needs
    small = big_file(tmp_path, "small.ndjson", PEOPLE)
    began = time.monotonic()
    assert deployment.json("take", "--feed", "fhir", small)["taken"] == PEOPLE
    longest = (time.monotonic() - began) * (1 + ROWS / 2_500)
    path = big_file(tmp_path)
    before = look(deployment)
    assert (before["people"], before["items"], before["problems"]) == (PEOPLE, PEOPLE, [])

    # When takes of it are killed, spread over their run
    out = 0
    for kill in range(KILLS):
        process = deployment.start("take", "--feed", "fhir", path)
        began = time.monotonic()
        moment = random.uniform(kill, kill + 1) / KILLS * longest
        while process.poll() is None and time.monotonic() - began < moment:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        # Then each is wholly out, unless it had been published
        seen = look(deployment)
        assert seen["problems"] == []
        if seen["submissions"] > before["submissions"]:
            assert (seen["people"], seen["items"]) == (PEOPLE, ROWS)
            break
        assert seen == before
        out += 1

    # And the next take ends complete, with nothing left of those before
    published = out < KILLS
    answer = deployment.json("take", "--feed", "fhir", path)
    wanted = {"taken": 0, "unchanged": ROWS} if published else {"taken": ROWS - PEOPLE, "unchanged": PEOPLE}
    assert {name: answer[name] for name in ("rows", *wanted, "quarantined")} == {
        "rows": ROWS,
        "quarantined": 0,
        **wanted,
    }
    assert counts(deployment, "person", "item", "itemversion", "entry") == [PEOPLE, ROWS, ROWS, ROWS - PEOPLE]
    assert deployment.sql("SELECT COUNT(*) FROM record_submission WHERE published_at IS NULL") == [(0,)]
    assert deployment.sql("SELECT COUNT(*) FROM record_itemversion WHERE number > 1") == [(0,)]
    assert deployment.json("audit", "verify")["ok"]


def test_a_take_killed_between_two_batches_is_swept_away_by_the_next(deployment: Deployment, tmp_path: Path) -> None:
    path = big_file(tmp_path, rows=3_500)
    process = deployment.start("take", "--feed", "fhir", path)
    # As soon as the first batch is in, and long before the last
    while process.poll() is None and counts(deployment, "itemversion") == [0]:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if counts(deployment, "itemversion") == [3_500]:
        pytest.skip("the take was over before it could be killed")
    seen = look(deployment)
    assert (seen["people"], seen["items"], seen["submissions"], seen["waiting_records"]) == (0, 0, 0, 0)
    other = tmp_path / "other.ndjson"
    other.write_bytes(sending.ndjson([sending.patient("else")]))
    assert deployment.json("take", "--feed", "fhir", other)["taken"] == 1
    assert counts(deployment, "itemversion", "entry", "details", "link", "person", "relationship") == [1, 0, 1, 1, 1, 1]


def test_two_processes_take_two_files_at_the_same_time(deployment: Deployment, tmp_path: Path) -> None:
    files = [big_file(tmp_path, f"{n}.ndjson", rows) for n, rows in enumerate((1_000, 2_500))]
    running = [deployment.start("take", "--feed", "fhir", path, "--json") for path in files]
    ended = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], ended
    answers = [json.loads(out) for out, _ in ended]
    assert [answer["rows"] for answer in answers] == [1_000, 2_500]
    assert sum(answer["taken"] for answer in answers) == 2_500
    assert all(answer["rows"] == answer["taken"] + answer["unchanged"] for answer in answers)
    assert counts(deployment, "person", "item", "itemversion") == [PEOPLE, 2_500, 2_500]
