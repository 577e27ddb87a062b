"""`joinery opt-outs`: the answer of a check is taken whole, or refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import Deployment


def test_a_check_is_taken_and_what_is_wrong_is_refused_whole(deployment: Deployment, tmp_path: Path) -> None:
    asked, allowed = tmp_path / "asked.csv", tmp_path / "allowed.csv"
    asked.write_text("9990001111\n9990001112\n")
    command = ("opt-outs", "--asked", asked, "--allowed", allowed, "--json")

    def refused(words: str) -> None:
        done = deployment.run(*command)
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr

    refused("There is no file")
    allowed.write_text("")
    refused("asked.csv, line 2: this is no NHS number")  # its last digit is wrong
    asked.write_text("9990001111\n")
    allowed.write_text("999 000 4714\n")
    refused("Give the answer to this question.")
    allowed.write_text("999 000 1111,\n")
    done = deployment.run(*command)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["asked"], said["allowed"]) == (1, 1)
