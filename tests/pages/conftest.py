"""What tests of pages share: built static files, a place in the test's transaction, a served demonstration."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.core.management import call_command

if TYPE_CHECKING:
    from tests.pages.site import Site
    from tests.pages.world import World

PEOPLE = 60
AS_OF = "2026-11-21"


@pytest.fixture(scope="session")
def static_files() -> None:
    """Pages name style sheets by digest, from the list that `joinery migrate` makes."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)


@pytest.fixture
def world(db: None, static_files: None, tmp_path: Path) -> World:
    """A place with its organisations, in the test's transaction."""
    from tests.pages.world import World  # pytest reads this file before Django is set up

    return World(tmp_path)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A demonstration of 60 people, built once for all the processes of a test run; nobody changes it."""
    from tests.support import Deployment

    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    built = Deployment(folder / "demonstration")
    with (folder / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (built.data / "demo.json").exists():
            done = built.run("demo", "--people", PEOPLE, "--as-of", AS_OF, "--no-serve")
            assert done.returncode == 0, done.stderr
    return built


@pytest.fixture(scope="session")
def site(demonstration: Any, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A copy of the demonstration, served by `joinery run` and open in a browser."""
    from tests.pages.site import Site
    from tests.support import copied_deployment, free_port

    folder = tmp_path_factory.mktemp("site")
    # A file, not a pipe: one that nobody reads fills up, and then the server waits for its reader.
    with copied_deployment(demonstration, folder / "data") as deployment, (folder / "log").open("wb") as log:
        address = f"http://127.0.0.1:{(port := free_port())}"
        command = [sys.executable, "-m", "joinery", "run", "--port", str(port)]
        server = subprocess.Popen(command, env=deployment.env, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(f"{address}/healthz", server)
            yield Site(deployment, address, browser)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended by itself: see its log"
        try:
            with urlopen(address, timeout=5) as answer:
                assert answer.status == 200
                return
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


@pytest.fixture(scope="module")
def hostile(
    django_db_setup: None, django_db_blocker: Any, static_files: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A place with everybody and everything in it, for all tests of a file: none leaves a trace."""
    from django.db import transaction

    from tests.pages.hostile_world import logged, make

    with django_db_blocker.unblock(), transaction.atomic(), logged() as lines:
        made = make(tmp_path_factory.mktemp("hostile"))
        made.lines = lines
        yield made
        transaction.set_rollback(True)
