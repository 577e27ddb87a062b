"""The command line: help with examples, quick; exit codes; one line of JSON with keys that do not change."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from joinery.__main__ import parser
from joinery.site.commands import Problem
from joinery.site.commands.take import in_order
from tests.site import place_keys
from tests.site.feeds import patient_file, people_file
from tests.support import Deployment, empty_deployment, free_port

COUNTS = {"rows", "taken", "unchanged", "superseded", "quarantined"}
KEYS = {
    "migrate": {"migrated", "definitions", "reread", "linked"},
    "take": COUNTS | {"files", "failed"},
    "audit verify": {"ok", "blocks", "rows", "unsealed", "problems"},
    "backup": {"file", "keys", "bytes", "sha256"},
    "restore": {"restored", "audit_ok", "rows"},
    "demo": COUNTS | {"people", "as_of", "files"},
    "run": {"served"},
    "listen": {"accepted", "refused", "failed", "torn"},
    "opt-outs": {"asked", "allowed", "until"},
    "bars key": {"organisation", "key"},
    "bars send": {"taken", "refused", "failed", "without_key"},
    "unmerge": {"unmerged", "from", "at"},
    "wrong-patients": {"visits"},
    "watch": COUNTS | {"files", "refused", "failed", "waiting"},
    "mesh": COUNTS | {"files", "refused", "failed", "stored", "unmapped", "reports", "kept_by_mesh"},
    "feeds list": {"sources"},
    "feeds returned": {"file", "rows"},
    "feeds retake": {"taken", "unchanged", "superseded", "still_wrong"},
    "feeds variant": {"variant", "feed", "from"},
    "link files": {
        *("records", "clusters", "linked", "pairs", "unsure", "refused", "model", "link_bits", "review_bits"),
        *("columns", "files", "warnings", "out"),
    },
    "link run": {
        *("model", "records", "same", "unsure", "apart", "changed", "waiting", "people_before", "people", "moved"),
        "warnings",
    },
    "link explain": {"person", "records", "pairs", "history", "model", "prior_bits", "link_bits", "review_bits"},
    "link merge": {"person", "merged"},
    "link split": {"person", "records", "now"},
    "link undo": {"records"},
    "series upload": COUNTS | {"file", "series", "reasons", "note"},
    "series list": {"series"},
    "staff add": {"membership", "last_day", "login", "code", "code_until"},
    "staff list": {"staff"},
    "staff invite": {"membership", "login", "code", "code_until"},
    "staff end": {"membership", "user_ended"},
    "twin check": {
        *("place", "start_date", "bands", "stations", "held_at_start", "budget", "national_trend", "based_on"),
        *("assumed", "unaccounted", "warnings"),
    },
    "twin run": {
        *("place", "start_date", "days", "warmup_days", "reps", "seed", "precise"),
        *("stations", "figures", "charts"),
    },
    "twin compare": {
        *("base", "changed", "trend", "days", "warmup_days", "reps", "seed", "precise"),
        *("differences", "charts"),
    },
    "series show": {
        *("at", "known_at", "proposal", "series", "unit", "kind", "body"),
        *("points", "joined", "apart", "went_to"),
    },
} | place_keys.KEYS
KEYS_OF_A_FILE = COUNTS | {"file", "reasons", "not_read", "noted", "submission_id"}
HEAVY = ("django", "granian", "fhirkit", "orjson", "rich", "numpy", "numba")


def commands(of: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, by its words."""
    for group in of._actions:
        if isinstance(group, argparse._SubParsersAction):
            for word, sub in group.choices.items():
                yield from commands(sub, f"{name} {word}".strip())
            return
    yield name, of


def test_every_command_has_its_keys_pinned() -> None:
    assert {name for name, _ in commands(parser())} == set(KEYS)


def test_the_help_of_every_command_gives_an_example_of_that_command() -> None:
    assert "Example: joinery " in parser().format_help()
    for name, command in commands(parser()):
        words = command.format_help()
        assert f"Example: joinery {name}" in words and "--json" in words, name
        (example,) = [line for line in words.splitlines() if line.startswith("Example:")]
        parser().parse_args(example.removeprefix("Example: joinery ").split())  # and it can be typed


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, joinery.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Example" in done.stdout and done.stderr == ""


def test_help_takes_less_than_a_third_of_a_second() -> None:
    def seconds() -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "joinery", "--help"], capture_output=True, check=True)
        after = os.times()
        # Of the processor, so that a busy machine does not decide.
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert statistics.median(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["audit"],
        ["take", "--feed", "fhir"],
        ["take", "file.json"],
        ["take", "--feed", "telex", "file.json"],
        ["demo", "--people", "many"],
        ["demo", "--as-of", "tomorrow"],
        ["run", "--port", "http"],
        ["backup"],
        ["watch", "--still", "long"],
        ["place"],
        ["place", "show"],
        ["place", "show", "QJK", "--at", "yesterday"],
        ["place", "responsible"],
        ["place", "responsible", "--lsoa", "E01000001", "--postcode", "TQ1 1AA"],
        ["place", "atoms"],
        ["place", "atoms", "--set", "icb@soon"],
        ["place", "merge", "A", "B"],
        ["place", "decide", "17"],
        ["place", "decide", "17", "--people", "QNQ", "--to", "QRL"],
        ["place", "adopt", "first"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_wrong_ends_with_2_and_says_how_it_goes(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "joinery", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == "" and "usage: joinery" in done.stderr


def test_what_each_command_prints_as_json(tmp_path: Path) -> None:
    with empty_deployment(tmp_path / "data") as deployment, empty_deployment(tmp_path / "restored") as other:
        people_file(tmp_path / "sent/person.csv", 3)
        backup = tmp_path / "monday.joinery"
        said = {
            "migrate": deployment.json("migrate"),
            "take": deployment.json("take", "--feed", "council", tmp_path / "sent"),
            "backup": deployment.json("backup", backup),
            "audit verify": deployment.json("audit", "verify"),
            "restore": other.json("restore", backup),
        }
    for name, answer in said.items():
        assert set(answer) == KEYS[name], name
    (file,) = said["take"]["files"]
    assert (file["file"], file["rows"], file["taken"]) == ("person.csv", 3, 3)
    assert set(file) == KEYS_OF_A_FILE
    assert said["audit verify"]["ok"] and said["audit verify"]["rows"] > 3
    assert said["restore"]["audit_ok"] and said["restore"]["rows"] == said["audit verify"]["rows"]


def test_take_takes_what_it_can_read_and_says_what_it_cannot(deployment: Deployment, tmp_path: Path) -> None:
    good, bad = people_file(tmp_path / "person.csv", 1), tmp_path / "referral.csv"
    bad.write_bytes(b"PK\x03\x04 a workbook")
    done = deployment.run("take", "--feed", "council", bad, good, "--json")

    answer = json.loads(done.stdout)
    assert done.returncode == 1 and done.stdout.count("\n") == 1
    assert (answer["rows"], answer["taken"]) == (1, 1)
    assert [each["file"] for each in answer["files"]] == ["person.csv"]
    assert [set(each) for each in answer["failed"]] == [{"file", "error"}]
    assert "referral.csv" in answer["failed"][0]["error"] and "save it as CSV" in done.stderr
    assert "Traceback" not in done.stderr


def test_take_refuses_a_sender_that_nobody_knows(deployment: Deployment, tmp_path: Path) -> None:
    done = deployment.run("take", "--feed", "fhir", patient_file(tmp_path / "p.json"), "--from", "Z404", "--json")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    assert "No organisation has the code Z404" in done.stdout and "Traceback" not in done.stderr
    assert deployment.sql("SELECT COUNT(*) FROM record_submission") == [(0,)]


def test_folders_are_searched_for_the_feeds_files_and_people_come_first(tmp_path: Path) -> None:
    sent = tmp_path / "2026-03-02"
    for name in ("contact.csv", "person.csv", "manifest.json", "notes.txt"):
        people_file(sent / name, 1)
    assert [path.name for path in in_order([tmp_path], "council")] == ["person.csv", "contact.csv"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(Problem, match="holds no files for the fhir feed"):
        in_order([tmp_path / "empty"], "fhir")
    with pytest.raises(Problem, match="There is no file"):
        in_order([sent / "person.csv", sent / "nothing.csv"], "council")


def test_a_deployment_whose_triggers_differ_is_not_used_until_it_is_migrated(
    deployment: Deployment, tmp_path: Path
) -> None:
    file = patient_file(tmp_path / "good.json")
    source = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'base_access'"
    if "JOINERY_DATABASE" in deployment.env:
        source = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE relname = 'base_access'"
        )
    name, table = deployment.sql(source)[0]
    deployment.sql(f'DROP TRIGGER "{name}"' + (f' ON "{table}"' if "JOINERY_DATABASE" in deployment.env else ""))

    done = deployment.run("take", "--feed", "fhir", file)
    assert done.returncode == 1 and "Run: joinery migrate" in done.stderr
    verified = deployment.json("audit", "verify")
    assert not verified["ok"] and "triggers" in verified["problems"][0]

    assert deployment.run("migrate").returncode == 0
    assert deployment.json("audit", "verify")["ok"]


def test_a_deployment_of_another_version_is_not_used_until_it_is_migrated(deployment: Deployment) -> None:
    deployment.sql("DELETE FROM django_migrations WHERE app = 'account' AND name LIKE '0009%'")
    done = deployment.run("run", "--port", free_port())
    assert done.returncode == 1 and "not of this version of Joinery. Run: joinery migrate" in done.stderr


def test_verify_says_so_when_there_is_no_deployment(tmp_path: Path) -> None:
    with empty_deployment(tmp_path / "data") as nothing:
        done = nothing.run("audit", "verify")
    assert done.returncode == 1 and "no deployment here" in done.stderr and "Traceback" not in done.stderr


def test_the_deployments_folder_is_its_owners_only(deployment: Deployment) -> None:
    kept = {path.name: path.stat().st_mode & 0o777 for path in (deployment.data / "keys").iterdir()}
    assert kept["django.key"] == 0o600 and set(kept.values()) == {0o600}
    assert (deployment.data / "keys").stat().st_mode & 0o777 == 0o700
    assert deployment.data.stat().st_mode & 0o777 == 0o700
    assert os.environ["JOINERY_DATA"] != str(deployment.data)
