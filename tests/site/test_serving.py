"""`joinery run` and `joinery demo` as processes: what they serve, refuse and leave behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from joinery.__main__ import main
from tests.support import Deployment, free_port

PATIENCE_SECONDS = 60  # for a busy machine; what is promised in seconds is asserted as such


def until(found: Callable[[], Any], what: str) -> Any:
    """What `found` answers, once it answers something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"in vain: {what}")


def healthy(port: int) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except (urllib.error.URLError, OSError):
        return None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def descendants(pid: int) -> list[int]:
    """The processes below a process, nearest first."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = [child for child, parent in parents.items() if parent == pid]
    return found + [below for child in found for below in descendants(child)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def running(deployment: Deployment) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`joinery run`, once it answers, and its port."""
    port = free_port()
    process = deployment.start("run", "--port", port)
    try:
        until(lambda: healthy(port) or process.poll() is not None, "an answer")
        assert process.poll() is None, process.communicate()[1]
        yield process, port
    finally:
        below = descendants(process.pid)
        process.kill()
        process.communicate()
        for pid in filter(alive, below):
            os.kill(pid, signal.SIGKILL)


def test_run_serves_and_seals_and_stops_when_told_leaving_nothing_behind(deployment: Deployment) -> None:
    deployment.sql("INSERT INTO place_organisation (code) VALUES ('Z1')")
    with running(deployment) as (process, port):
        said = healthy(port)
        assert said is not None and said["ok"] and said["database"] and said["triggers"]
        until(lambda: deployment.sql("SELECT COUNT(*) FROM base_sealedblock")[0][0], "a sealed block")

        second = deployment.run("run", "--port", port)
        assert second.returncode == 1 and f"Port {port} is taken" in second.stderr

        below = descendants(process.pid)
        assert len(below) >= 2
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - started < 10
        assert not any(map(alive, below)) and not listens(port)


@pytest.mark.parametrize("which", ["joinery.site.worker", "granian"])
def test_when_one_process_dies_all_are_stopped(deployment: Deployment, which: str) -> None:
    with running(deployment) as (process, port):
        below = descendants(process.pid)
        victim = next(p for p in below if which.encode() in Path(f"/proc/{p}/cmdline").read_bytes())
        os.kill(victim, signal.SIGKILL)
        assert process.wait(timeout=30) == 1
        assert "everything was stopped" in process.communicate()[1]
        assert not any(map(alive, below)) and not listens(port)


def test_a_demonstration_is_served_to_its_own_machine_only(deployment: Deployment, tmp_path: Path) -> None:
    (deployment.data / "demo.json").write_text("{}")
    done = deployment.run("run", "--host", "0.0.0.0", "--port", free_port())
    assert done.returncode == 1 and "to this machine only" in done.stderr


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:No directory at")  # static files are collected by `joinery migrate`
@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("127.8.9.1", 200), ("::1", 200), ("10.0.0.7", 403), ("8.8.8.8", 403), ("", 403), ("x", 403)],
)
def test_a_demonstration_answers_its_own_machine_only(settings: Any, address: str, status: int) -> None:
    settings.DEMO = True
    assert Client().get("/healthz", REMOTE_ADDR=address).status_code == status


def test_demo_refuses_a_taken_port_before_it_builds_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOINERY_DATA", str(tmp_path / "demo"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["demo", "--people", "2", "--port", str(port)]) == 1
    assert f"Port {port} is taken" in capsys.readouterr().err and not (tmp_path / "demo").exists()


def test_demo_refuses_a_folder_that_holds_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cat.jpg").touch()
    monkeypatch.setenv("JOINERY_DATA", str(tmp_path))
    assert main(["demo", "--people", "2", "--no-serve"]) == 1
    assert "holds something else. Choose an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["cat.jpg"]


@pytest.mark.parametrize(
    ("variable", "wrong", "words"),
    [("JOINERY_UPLOAD_MB", "abc", "a whole number of megabytes"), ("JOINERY_DATABASE", "mysql://x", "postgresql://")],
)
def test_a_wrong_variable_of_the_environment_is_told_in_a_line(
    deployment: Deployment, variable: str, wrong: str, words: str
) -> None:
    deployment.env[variable] = wrong
    done = deployment.run("migrate")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.startswith(f"joinery: {variable} must"), words in line) == (1, True, True)
