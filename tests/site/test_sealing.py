"""Sealing by several processes at once, in a database that others write to and somebody puts back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import URL, Deployment

# Seals again and again while it is fed lines; each process starts by making the key if there is none.
SEALER = """
import sys
from joinery.site import setup
setup.load()
from django.conf import settings
from django.utils import timezone
from joinery.apps.base import seal
print("ready", flush=True)
sys.stdin.readline()
print(sum(seal.seal(keys=seal.Keys(settings.KEYS), at=timezone.now()) for _ in range(30)), flush=True)
"""
# Every change of this table is captured.
ROW = "INSERT INTO place_organisation (code) VALUES ('C{0}')"


def test_two_sealers_at_once_seal_every_row_once(deployment: Deployment) -> None:
    assert not (deployment.data / "keys/seal.key").exists()
    for number in range(20):
        deployment.sql(ROW.format(number))
    sealers = [
        subprocess.Popen(
            [sys.executable, "-c", SEALER],
            env=deployment.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for sealer in sealers:
        assert sealer.stdout is not None and sealer.stdout.readline() == "ready\n"
    for sealer in sealers:
        assert sealer.stdin is not None
        sealer.stdin.write("\n")
        sealer.stdin.flush()
    for number in range(20, 40):
        deployment.sql(ROW.format(number))
    sealed = sum(int(sealer.communicate(timeout=120)[0]) for sealer in sealers)

    found = deployment.json("audit", "verify")
    assert (found["ok"], found["problems"]) == (True, [])
    assert found["rows"] == sealed and found["rows"] + found["unsealed"] == 40


@pytest.mark.skipif(bool(URL), reason="a database in one file is SQLite's")
def test_a_database_file_put_back_to_an_older_copy_is_noticed(deployment: Deployment, tmp_path: Path) -> None:
    file = deployment.data / "joinery.sqlite3"
    deployment.sql(ROW.format(1))
    deployment.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(file, tmp_path / "older")
    deployment.json("backup", tmp_path / "seals")  # a backup seals first

    shutil.copy(tmp_path / "older", file)
    deployment.sql(ROW.format(2))
    deployment.json("backup", tmp_path / "seals again")
    found = deployment.json("audit", "verify")
    assert not found["ok"] and any("known outside the database" in p for p in found["problems"])
