"""A deployment of an earlier version as a file of text: read, made real again, and dumped.

The file holds everything that such a deployment is: the migrations that were applied, the rows of every
table, the triggers, the files beside the database; and what its people were promised (`promises`).
Values stand as SQLite stored them. A column of bytes holds `text:` and UTF-8, or `hex:`.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support import URL, Deployment

Fixture = dict[str, Any]
VENDORS = ("sqlite", "postgresql")
VENDOR = VENDORS[bool(URL)]
# Applied migrations stand under `migrations`; nobody stays signed in over an upgrade.
LEFT_OUT = ("django_migrations", "django_session", "sqlite_sequence")
FILES_KEY = "throwaway_keys_and_files"
FILES = ("demo.json", "keys/django.key", "keys/seal.key", "keys/joinery.head")

# Run with the code of any later version: its old migrations make the tables as they were.
_MIGRATE_TO = """
import json, sys
from joinery.site import setup
setup.load()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
MigrationExecutor(connection).migrate([tuple(each) for each in json.loads(sys.argv[1])])
"""
# Several commands in one process: starting one takes longer than its work.
_COMMANDS = """
import json, sys
from joinery.__main__ import main
for words in json.loads(sys.argv[1]):
    main(words)
"""
COUNTS = ("rows", "taken", "unchanged", "superseded", "quarantined")


def read(path: Path) -> Fixture:
    """The fixture in a file."""
    content = path.read_bytes()
    fixture: Fixture = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    return fixture


def write(path: Path, fixture: Fixture) -> None:
    """Write a fixture, one row a line, so that a difference can be read; packed where the file's name says so."""
    content = (_expanded(fixture, "") + "\n").encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _expanded(value: Any, indent: str) -> str:
    inside = indent + " "
    if isinstance(value, dict) and value:
        items = [f"{json.dumps(key)}: {_expanded(each, inside)}" for key, each in value.items()]
        return "{\n" + ",\n".join(inside + item for item in items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
        return "[\n" + ",\n".join(inside + _expanded(each, inside) for each in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def make(fixture: Fixture, deployment: Deployment) -> None:
    """Make the deployment what the fixture says, triggers and all, in a folder and database that are empty."""
    files = fixture[FILES_KEY] | (fixture["on_postgresql"][FILES_KEY] if URL else {})
    (deployment.data / "keys").mkdir(parents=True, mode=0o700)
    for name, content in files.items():
        (deployment.data / name).write_bytes(as_bytes(content))
        (deployment.data / name).chmod(0o600)
    targets = json.dumps(list(fixture["migrations"].items()))
    subprocess.run([sys.executable, "-c", _MIGRATE_TO, targets], env=deployment.env, check=True)
    _load(deployment, tables_here(fixture), fixture["triggers"][VENDOR])


def tables_here(fixture: Fixture) -> dict[str, Any]:
    """The tables of a fixture, as they are in the database of this run."""
    tables: dict[str, Any] = fixture["tables"] | (fixture["on_postgresql"]["tables"] if URL else {})
    return tables


def _load(deployment: Deployment, tables: dict[str, Any], triggers: list[list[str]]) -> None:
    connection = deployment.connect()
    cursor = connection.cursor()
    # Moments were stored in UTC and without a zone; references between tables are looked at when committing.
    cursor.execute("SET TIME ZONE 'UTC'" if URL else "PRAGMA foreign_keys = ON")
    cursor.execute("BEGIN")
    for table, held in tables.items():
        columns = ", ".join(f'"{name}"' for name in held["columns"])
        marks = ", ".join(["%s" if URL else "?"] * len(held["columns"]))
        rows = [_values(held["columns"], row) for row in held["rows"]]
        cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', rows)
        if URL and "id" in held["columns"]:
            # Nothing where the id is not drawn from a sequence.
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id::text::bigint)) FROM \"{table}\" "
                f"WHERE pg_get_serial_sequence('{table}', 'id') IS NOT NULL"
            )
    for statements in triggers:
        for statement in statements:
            cursor.execute(statement)
    cursor.execute("COMMIT")
    connection.close()


def _values(columns: dict[str, str], row: list[Any]) -> list[Any]:
    pairs = zip(columns.values(), row, strict=True)
    return [as_bytes(value) if kind == "bytes" and value is not None else value for kind, value in pairs]


def as_bytes(text: str) -> bytes:
    """The bytes that a text of a fixture stands for."""
    kind, _, content = text.partition(":")
    return bytes.fromhex(content) if kind == "hex" else content.encode()


def as_text(content: bytes) -> str:
    """Bytes as a text of a fixture; readable where they are."""
    try:
        return f"text:{content.decode()}"
    except UnicodeDecodeError:
        return f"hex:{content.hex()}"


def tables_of(database: Path) -> dict[str, Any]:
    """Every table of an SQLite database that holds rows: its columns, with the kinds that need one, and its rows."""
    connection = sqlite3.connect(database)
    names = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
    found = {}
    for table, made in names.fetchall():
        columns = {row[1]: row[2].lower() for row in connection.execute(f'PRAGMA table_info("{table}")')}
        order = "1, 2" if "WITHOUT ROWID" in made else "rowid"
        rows = connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}').fetchall()
        if rows and table not in LEFT_OUT:
            kinds = {name: {"bool": "bool", "blob": "bytes"}.get(kind, "") for name, kind in columns.items()}
            found[table] = {"columns": kinds, "rows": [_texts(kinds, row) for row in rows]}
    connection.close()
    return found


def _texts(columns: dict[str, str], row: tuple[Any, ...]) -> list[Any]:
    write = {"bool": bool, "bytes": as_text, "": lambda value: value}
    return [None if v is None else write[kind](v) for kind, v in zip(columns.values(), row, strict=True)]


def look(
    deployment: Deployment, people: list[str], organisations: list[str], at: datetime | None = None
) -> dict[str, Any]:
    """What each user of the deployment sees of these people and organisations (`seen.py`), now or at a moment."""
    asked = json.dumps({"people": people, "organisations": organisations, "at": at and at.isoformat()})
    program = Path(__file__).with_name("seen.py")
    done = subprocess.run(
        [sys.executable, program, asked], env=deployment.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def take(deployment: Deployment, sent: dict[str, Any], folder: Path) -> dict[str, dict[str, int]]:
    """Take these files of a fixture, each as its sender's; the counts of each."""
    commands = []
    for name, file in sent.items():
        (folder / name).write_bytes(file["text"].encode())
        sender = ["--from", file["from"]] if file["from"] else []
        commands.append(["take", "--feed", file["feed"], *sender, str(folder / name), "--json"])
    done = subprocess.run(
        [sys.executable, "-c", _COMMANDS, json.dumps(commands)],
        env=deployment.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(sent), done.stderr
    return {name: {count: answer[count] for count in COUNTS} for name, answer in zip(sent, answers, strict=True)}


def rows_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table of a fixture, by column."""
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
