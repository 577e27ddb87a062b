"""A populated database of each earlier version is brought to this one, and its people lose nothing.

The fixtures `v*.json` are deployments of earlier versions and what those versions' own pages said
(`promises`); `write_fixture.py` says how they were made. Landed migrations are never edited, so those of
this version make the old tables; the rows and the old triggers are put in; then `joinery migrate` runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.support import URL, Deployment, empty_deployment
from tests.upgrade import fixture as fixtures

EARLIER = sorted(Path(__file__).parent.glob("v*.json*"))
if URL:  # the oldest meets every migration, the newest every table: those between are tried on SQLite
    EARLIER = [EARLIER[0], EARLIER[-1]]
DIGEST_BYTES = 16


@pytest.fixture(scope="module", params=EARLIER, ids=lambda path: path.name.partition(".json")[0])
def old(request: pytest.FixtureRequest) -> fixtures.Fixture:
    """An earlier version's deployment, as text."""
    return fixtures.read(request.param)


@pytest.fixture(scope="module")
def upgraded(old: fixtures.Fixture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """That deployment, brought to this version."""
    folder = tmp_path_factory.mktemp("upgraded")
    with empty_deployment(folder / "data") as deployment:
        fixtures.make(old, deployment)
        if dict(MigrationLoader(None).graph.leaf_nodes()).items() - old["migrations"].items():
            refused = deployment.run("backup", folder / "early")
            assert refused.returncode == 1 and "Run: joinery migrate" in refused.stderr
        done = deployment.run("migrate")
        assert done.returncode == 0, done.stderr
        yield deployment


def test_every_seal_still_fits_and_no_log_row_is_lost(old: fixtures.Fixture, upgraded: Deployment) -> None:
    tables = fixtures.tables_here(old)
    blocks = fixtures.rows_of(tables["base_sealedblock"])
    sealed = sum(len(fixtures.as_bytes(block["digests"])) // DIGEST_BYTES for block in blocks)
    logged = sum(len(tables[log]["rows"]) for log in ("base_access", "base_actionentry", "base_capture"))
    found = upgraded.json("audit", "verify")
    assert (found["problems"], found["rows"]) == ([], sealed)
    assert found["rows"] + found["unsealed"] >= logged


def test_everybody_sees_and_may_do_what_they_did(old: fixtures.Fixture, upgraded: Deployment) -> None:
    promised: dict[str, Any] = old["promises"]
    looked_at = max(look["at"] for look in fixtures.rows_of(old["tables"]["base_access"]))
    made = datetime.fromisoformat(looked_at).replace(tzinfo=UTC) + timedelta(minutes=1)
    seen = fixtures.look(upgraded, list(promised["records"]), list(promised["organisations"]), made)
    assert seen["logs_in"] is promised["logs_in"] is True
    assert seen["organisations"] == promised["organisations"]
    assert seen["users"] == promised["users"]
    for person_id, pages in promised["records"].items():
        assert list(map(kept, seen["records"][person_id])) == list(map(kept, pages))
    for person_id, looks in promised["looks"].items():
        assert seen["looks"][person_id][-len(looks) :] == looks


def kept(page: dict[str, Any]) -> dict[str, Any]:
    """What of a page no later version may change: not the order of alerts, nor that of lines of one moment,
    nor how much a page says besides."""
    if "refused" in page:
        return page
    sections = {
        name: {
            "kinds": page[name]["kinds"],
            "items": sorted(
                [re.sub(r", \d+(:\d+)?[ap]m$", "", words) for words in item] for item in page[name]["items"]
            ),
        }
        for name in ("allergies", "alerts")
    }
    # Nobody was referred to anybody before 0.4.0.
    return {"waits": []} | page | sections | {"newest": sorted(page["newest"])}


def test_files_are_taken_again_as_before_and_a_killed_intake_leaves_nothing(
    old: fixtures.Fixture, upgraded: Deployment, tmp_path: Path
) -> None:
    promised = {name: file["again"] for name, file in old["sent"].items()}
    assert fixtures.take(upgraded, old["sent"], tmp_path) == promised
    drafts = "SELECT COUNT(*) FROM record_submission WHERE published_at IS NULL"
    assert upgraded.sql(drafts) == [(0,)]


def test_what_is_held_is_read_anew_once(upgraded: Deployment) -> None:
    # Medicines and problems stand at the top since 0.3.0; unread, the page would say that none was sent.
    shown = upgraded.sql("SELECT COUNT(*) FROM record_entry WHERE banner IN ('medicine', 'problem')")
    assert shown[0][0] > 0
    assert upgraded.json("migrate")["reread"] == 0
