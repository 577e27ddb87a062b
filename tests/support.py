"""A deployment of its own for a test: its folder, its database and the command line that works on it.

Tables that are append-only cannot be emptied after a test, so whatever needs commits, other processes
or a live server gets a copy of a deployment that was migrated once.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

URL = os.environ.get("JOINERY_DATABASE", "")
ROOT = Path(__file__).parents[1]


def examples(usual: int, *, drill: int) -> int:
    """How many random histories a test tries: `drill` of them under `make drill`. On PostgreSQL a third of the usual:
    what they say is tried in full on SQLite, and here that the other database says so too."""
    if os.environ.get("JOINERY_DRILL"):
        return drill
    return max(5, usual // 3) if URL else usual


@dataclass
class Deployment:
    """A deployment in `data`, and in the PostgreSQL database `database` where the run is on PostgreSQL."""

    data: Path
    database: str = ""
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.env = os.environ | {"JOINERY_DATA": str(self.data), "PYTHONPATH": str(ROOT)}
        self.env.pop("JOINERY_DATABASE", None)
        self.env.pop("DJANGO_SETTINGS_MODULE", None)
        if URL:
            self.env["JOINERY_DATABASE"] = database_url(self.database)

    def run(self, *args: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `joinery` with these arguments to its end."""
        command = [sys.executable, "-m", "joinery", *map(str, args)]
        return subprocess.run(
            command, env=self.env, cwd=self.data.parent, capture_output=True, text=True, timeout=timeout, check=False
        )

    def json(self, *args: object) -> dict[str, Any]:
        """The answer of `joinery ... --json`, which must be the one line on standard output."""
        done = self.run(*args, "--json")
        lines = done.stdout.splitlines()
        assert len(lines) == 1, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(lines[0])
        return answer

    def start(self, *args: object) -> subprocess.Popen[str]:
        """Start `joinery` with these arguments and leave it running."""
        command = [sys.executable, "-m", "joinery", *map(str, args)]
        return subprocess.Popen(
            command, env=self.env, cwd=self.data.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def connect(self) -> Any:
        """A raw DB-API connection in autocommit, as anybody with the database's password has it."""
        if URL:
            import psycopg

            return psycopg.connect(database_url(self.database), autocommit=True)
        return sqlite3.connect(self.data / "joinery.sqlite3", isolation_level=None, timeout=30)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own; returns its rows, if it has any."""
        connection = self.connect()
        try:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


def database_url(name: str) -> str:
    """The address of another database on the server of this run."""
    return urlsplit(URL)._replace(path=f"/{name}").geturl()


def on_server(statement: str) -> None:
    """Run one statement on the PostgreSQL server of this run, outside any transaction."""
    import psycopg

    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def empty_deployment(folder: Path) -> Iterator[Deployment]:
    """A deployment that holds nothing yet, in `folder`; its database is dropped at the end."""
    if not URL:
        yield Deployment(folder)
        return
    name = f"joinery_{secrets.token_hex(6)}"
    on_server(f'CREATE DATABASE "{name}"')
    try:
        yield Deployment(folder, name)
    finally:
        on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def copied_deployment(source: Deployment, folder: Path) -> Iterator[Deployment]:
    """A copy of a deployment that nobody is using."""
    shutil.copytree(source.data, folder)
    if not URL:
        yield Deployment(folder)
        return
    name = f"joinery_{secrets.token_hex(6)}"
    on_server(f'CREATE DATABASE "{name}" TEMPLATE "{source.database}"')
    try:
        yield Deployment(folder, name)
    finally:
        on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def locked(what: str) -> Iterator[None]:
    """Somebody else, on a connection of their own, holds the deployment's lock of this name."""
    from django.db import connection

    from joinery.apps.base.action import one_at_a_time

    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with one_at_a_time(what):
                held.set()
                done.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        yield
    finally:
        done.set()
        thread.join()


def free_port() -> int:
    """A port on this machine that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
