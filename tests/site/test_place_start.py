"""`joinery place start` and `place take`: a real place begins empty, and with nothing made up."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site import place_keys, shore
from tests.support import Deployment, empty_deployment

SHIPPED = {"councils.toml", "districts.toml", "icb-change-2026.toml", "icbs.toml", "national.toml", "sub-icbs.toml"}
USER = ("--email", "Lead@Shore.example", "--lead", "Ada Lead")
DEMO_BODIES = "SELECT COUNT(*) FROM place_organisation WHERE code IN ('999', 'ZPL01', 'Z90001')"


def test_a_place_starts_with_englands_bodies_a_first_user_and_nothing_made_up(tmp_path: Path) -> None:
    with empty_deployment(tmp_path / "data") as place:
        answer = place.json("place", "start", "E06000027", *USER)
        assert set(answer) == place_keys.KEYS["place start"] and set(answer["home"]) == place_keys.BODY
        assert answer["home"]["name"] == "Torbay Council" and set(answer["definitions"]) == SHIPPED
        assert answer["user_added"] and len(answer["password"]) >= 12 and answer["next"][0] == "joinery run"
        assert place.sql(DEMO_BODIES) == [(0,)]
        assert place.sql("SELECT email, name FROM base_user") == [("lead@shore.example", "Ada Lead")]
        assert place.sql("SELECT role FROM place_membership") == [("integration_lead",)]

        again = place.json("place", "start", "E06000027", *USER)
        assert (again["definitions"], again["user_added"], again["password"]) == ([], False, None)
        assert place.sql("SELECT COUNT(*) FROM place_home") == [(1,)]
        assert place.json("place", "start", "E06000027")["home"] == answer["home"]

        other = place.run("place", "start", "QJK")
        assert other.returncode == 1 and "was started for Torbay Council (E06000027)" in other.stderr
        assert place.json("audit", "verify")["ok"]


@pytest.mark.any_database
def test_a_council_is_known_by_its_cassr_code_and_a_place_by_a_new_one(deployment: Deployment) -> None:
    unknown = deployment.run("place", "start", "ZPL77")
    assert unknown.returncode == 1 and "No body has the code ZPL77" in unknown.stderr
    ended = deployment.run("place", "start", "QNX")
    assert ended.returncode == 1 and "After it came: NHS Surrey and Sussex" in ended.stderr
    taken = deployment.run("place", "start", "503", "--name", "My place")
    assert taken.returncode == 1 and "is the code of Lincolnshire" in taken.stderr
    # What was refused is mended and repeated, in the same folder.
    home = deployment.json("place", "start", "ZPL77", "--name", "Shore")["home"]
    assert (home["code"], home["name"], home["form"]) == ("ZPL77", "Shore", "place")
    assert deployment.json("place", "start", "ZPL77", "--name", "Shore")["home"] == home


def test_a_first_user_needs_a_name_and_an_address_that_is_one(deployment: Deployment) -> None:
    lone = deployment.run("place", "start", "QJK", "--email", "a@b.example")
    assert lone.returncode == 1 and "--email and --lead belong together" in lone.stderr
    wrong = deployment.run("place", "start", "QJK", "--email", "nobody", "--lead", "Ada")
    assert wrong.returncode == 1 and "nobody is no email address" in wrong.stderr
    assert deployment.sql("SELECT COUNT(*) FROM base_user") == [(0,)]


def test_a_demonstration_is_never_started_as_a_place(tmp_path: Path) -> None:
    with empty_deployment(tmp_path / "data") as demo:
        demo.data.mkdir()
        (demo.data / "demo.json").write_text("{}")
        done = demo.run("place", "start", "QJK")
        assert done.returncode == 1 and "holds a demonstration" in done.stderr
        assert [path.name for path in demo.data.iterdir()] == ["demo.json"]


def test_at_a_terminal_a_password_is_asked_for_until_it_is_good_and_twice_the_same(deployment: Deployment) -> None:
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "joinery", "place", "start", "QJK", *USER]
    process = subprocess.Popen(
        command, env=deployment.env, cwd=deployment.data.parent, stdin=inner, stdout=inner, stderr=inner,
        start_new_session=True, preexec_fn=own_terminal,
    )  # fmt: skip
    os.close(inner)
    good = "three herons wading"
    shown = ""
    for prompt, typed in (("first user", "short"), ("first user", good), ("again", good)):
        shown += until(outer, prompt)
        os.write(outer, f"{typed}\n".encode())
    shown += until(outer, "Next:")
    assert process.wait(60) == 0 and "too short" in shown and good not in shown
    os.close(outer)
    assert deployment.sql("SELECT COUNT(*) FROM base_user WHERE password LIKE 'scrypt%'") == [(1,)]


def own_terminal() -> None:
    """Make standard input the terminal of the process, so that a password is asked for there."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def until(terminal: int, words: str) -> str:
    """What a terminal shows up to some words."""
    shown = ""
    while words not in shown:
        shown += os.read(terminal, 4096).decode()
    return shown


@pytest.mark.any_database
def test_an_upgrade_brings_what_changed_in_the_definitions(deployment: Deployment) -> None:
    assert deployment.json("migrate")["definitions"] == []  # nobody has started a place here
    deployment.json("place", "start", "QJK")
    assert deployment.json("migrate")["definitions"] == []
    # An earlier version shipped another file. What was adopted never changes, so it is as if that had come since.
    same = "kind, source, title, made_by, made_at, adopted_at, rows, taken, unchanged, superseded, quarantined"
    deployment.sql(
        f"INSERT INTO place_edition ({same}, file_digest, sequence) SELECT {same}, 'of before', "
        "(SELECT MAX(sequence) + 1 FROM place_edition) FROM place_edition WHERE source = 'definition:icbs'"
    )
    assert deployment.json("migrate")["definitions"] == ["icbs.toml"]
    assert deployment.json("migrate")["definitions"] == []


@pytest.mark.any_database
def test_files_are_taken_by_folder_and_counts_add_up(migrated: Deployment, tmp_path: Path) -> None:
    with shore.started(migrated, tmp_path) as place:
        again = place.json("place", "take", tmp_path / "sent")
        assert set(again) == place_keys.KEYS["place take"]
        assert (again["rows"], again["unchanged"], again["taken"]) == (5, 5, 0)
        assert [set(each) for each in again["files"]] == [place_keys.FILE] * 2

        (tmp_path / "bad.csv").write_text("colour,size\nred,4\n")
        (tmp_path / "more.csv").write_text("pcds,lsoa21cd\nZZ9 1AC,E01999803\nZZ9,E01999803\n")
        done = place.run("place", "take", tmp_path / "bad.csv", tmp_path / "more.csv", "--json")
        said = json.loads(done.stdout)
        assert done.returncode == 1 and [each["file"] for each in said["failed"]] == ["bad.csv"]
        assert (said["rows"], said["taken"], said["quarantined"]) == (2, 1, 1)
        assert "bad.csv" in done.stderr and "quarantined: row 2" in done.stderr
        assert place.json("place", "responsible", "--postcode", "ZZ9 1AC")["bodies"][0]["body"]["code"] == "ZA2"

        nothing = place.run("place", "take", tmp_path / "absent.csv")
        assert nothing.returncode == 1 and "There is no file" in nothing.stderr
        (tmp_path / "empty").mkdir()
        empty = place.run("place", "take", tmp_path / "empty")
        assert empty.returncode == 1 and "holds no directory files" in empty.stderr


def test_the_lead_of_a_started_place_signs_in_and_sees_its_name(deployment: Deployment) -> None:
    """In a process of its own, as `joinery run` has it."""
    script = (
        "import sys; from joinery.site import setup; setup.load()\n"
        "from django.test import Client\n"
        "client = Client(REMOTE_ADDR='127.0.0.1', headers={'host': 'localhost'})\n"
        "page = client.post('/log-in/', {'login': sys.argv[1], 'password': sys.argv[2]}, follow=True)\n"
        "print(page.status_code, 'app-header__place\">Torbay Council<' in page.content.decode())\n"
    )
    password = deployment.json("place", "start", "E06000027", *USER)["password"]
    done = subprocess.run(
            [sys.executable, "-c", script, "lead@shore.example", password],
        env=deployment.env, cwd=deployment.data, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "200 True", done.stderr
