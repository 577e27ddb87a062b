"""What every test shares: a deployment's folder of its own, the shared data, a browser.

JOINERY_REQUIRE names what this run may not do without, separated by commas; where it is missing, the
tests that need it fail instead of being skipped: `browser` (Chromium), `shared` (the data beside the
repository), `mesh` (the stand-in for MESH that `make test` installs), `postgres` (this run is on PostgreSQL).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

# Settings read the environment once, so this stands before anything can import them. A test never sees
# the deployment of whoever runs it.
_data = tempfile.mkdtemp(prefix="joinery-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["JOINERY_DATA"] = _data
# Tests log in without one; those of second factors ask for it.
os.environ["JOINERY_SECOND_FACTOR"] = "nobody"
os.environ["DJANGO_SETTINGS_MODULE"] = "joinery.site.settings"
# Playwright keeps an event loop running in the thread in which tests use the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

REQUIRED = {word for word in os.environ.get("JOINERY_REQUIRE", "").split(",") if word}

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SHARED = Path(os.environ.get("JOINERY_SHARED") or Path(__file__).parents[2] / "shared" / "data")


def missing(what: str, why: str) -> NoReturn:
    """Skip the test, or fail it where JOINERY_REQUIRE names what is missing."""
    if what in REQUIRED:
        pytest.fail(f"{why}, and JOINERY_REQUIRE names {what}", pytrace=False)
    pytest.skip(why)


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    # Read now, so that pytest-django finds them and sets Django up. It knows Django's engine for SQLite by name, and
    # would give each process a file where another has it in memory.
    if not on_postgres():
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = ":memory:"


# The tests of these start processes and take longest: they go first, so that none is left to one core at the end.
LONGEST = ("packaging", "benchmarks", "upgrade", "site", "pages")
DATABASES = {"db", "transactional_db", "migrated", "demonstration"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first; on PostgreSQL, without the files whose tests meet no database: on SQLite they say the same."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        room = item.path.relative_to(tests).parts[0]
        return LONGEST.index(room) if room in LONGEST else len(LONGEST)

    items.sort(key=place)
    if on_postgres():
        meeting = {item.path for item in items if meets_a_database(item)}
        here = [item for item in items if item.path in meeting and not item.get_closest_marker("any_database")]
        config.hook.pytest_deselected(items=list({*items} - {*here}))
        items[:] = here


def meets_a_database(item: pytest.Item) -> bool:
    """True when a test uses the test database, or its file works with deployments (see `tests.support`)."""
    from tests import support

    if item.get_closest_marker("any_database"):
        return False
    if item.get_closest_marker("django_db") or DATABASES & set(getattr(item, "fixturenames", ())):
        return True
    names = vars(item.module).values() if isinstance(item, pytest.Function) else ()
    return any(each is support or getattr(each, "__module__", "") == support.__name__ for each in names)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and not CHROMIUM:
        missing("browser", "there is no Chromium here")
    if item.get_closest_marker("postgres") and not on_postgres():
        missing("postgres", "this run is not on PostgreSQL")


def pytest_sessionstart(session: pytest.Session) -> None:
    if "postgres" in REQUIRED and not on_postgres():
        pytest.exit("JOINERY_REQUIRE names postgres, and the settings' database is another", returncode=1)


def on_postgres() -> bool:
    from django.db import connection

    return connection.vendor == "postgresql"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Guard the test database with the triggers that `joinery migrate` installs."""
    from django.db import connection, transaction

    from joinery.apps.base import triggers

    with django_db_blocker.unblock(), transaction.atomic():
        triggers.install(connection)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A deployment that `joinery migrate` made ready; nobody changes it, `deployment` is its copy."""
    from tests.support import empty_deployment

    with empty_deployment(tmp_path_factory.mktemp("migrated") / "data") as made:
        done = made.run("migrate")
        assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture
def deployment(migrated: Any, tmp_path: Path) -> Iterator[Any]:
    """A deployment of the test's own, ready to use, with keys and a database that no other test has."""
    from tests.support import copied_deployment

    with copied_deployment(migrated, tmp_path / "data") as made:
        yield made


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared real data, read-only: synthea/, bars/, fhir-cases/ and others."""
    if not SHARED.is_dir():
        missing("shared", f"there is no shared data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the system's Chromium, quiet on the network, rather than a browser that Playwright downloads."""
    switches = (
        "no-sandbox",  # Chromium refuses its sandbox to root, and these are our own pages
        "disable-background-networking",
        "disable-component-update",
        "disable-gpu",
        "disable-quic",
        "disable-sync",
    )
    args = [f"--{switch}" for switch in switches]
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": args}
