"""`joinery restore`: a backup becomes a deployment, in a folder (or database) that holds none yet."""

from __future__ import annotations

import argparse
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import orjson

from joinery.site import setup
from joinery.site.commands import Problem, say
from joinery.site.commands.backup import file_digest, postgresql_tool


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Restore FILE into the deployment that the environment names, then check its logs."""
    keys = arguments.keys or Path(f"{arguments.file}.keys")
    for path in (arguments.file, keys):
        if not path.is_file():
            raise Problem(f"There is no file {path}.")
    data = Path(os.environ.get("JOINERY_DATA", "joinery-data")).absolute()
    if (data / "joinery.sqlite3").exists() or (data / "keys").exists():
        raise Problem(f"{data} holds a deployment. Restore into an empty folder: JOINERY_DATA=FOLDER joinery restore …")
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data) as folder:
        manifest = _unpack(arguments.file, Path(folder), data)
        _unpack_all(keys, data / "keys", mode=0o700)
        setup.load()
        _restore_database(Path(folder) / "database", manifest)
    setup.migrate()
    from django.conf import settings

    from joinery.apps.base import seal

    found = seal.verify(keys=seal.Keys(settings.KEYS))
    for problem in found.problems:
        say(f"joinery: {problem}")
    say(f"Restored the backup of {manifest['made_at']}; {found.rows:,} log rows verified.")
    answer = {"restored": manifest["made_at"], "audit_ok": not found.problems, "rows": found.rows}
    return answer, 1 if found.problems else 0


def _unpack(file: Path, folder: Path, data: Path) -> dict[str, Any]:
    _unpack_all(file, folder)
    manifest: dict[str, Any] = orjson.loads((folder / "manifest.json").read_bytes())
    if file_digest(folder / "database") != manifest["sha256"]:
        raise Problem(f"{file} is damaged: its database does not have the digest that its manifest states.")
    if (folder / "demo.json").exists():
        shutil.copy(folder / "demo.json", data / "demo.json")
    return manifest


def _unpack_all(file: Path, folder: Path, mode: int = 0o755) -> None:
    try:
        with tarfile.open(file) as tar:
            folder.mkdir(parents=True, exist_ok=True, mode=mode)
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Problem(f"{file} cannot be read as a backup of Joinery: {error}") from None


def _restore_database(copy: Path, manifest: dict[str, Any]) -> None:
    from django.conf import settings
    from django.db import connection

    if manifest["database"] != connection.vendor:
        raise Problem(f"The backup is of {manifest['database']}, this deployment uses {connection.vendor}.")
    if connection.vendor == "sqlite":
        connection.close()
        shutil.copy(copy, str(settings.DATABASES["default"]["NAME"]))
        return
    if not setup.is_new():
        raise Problem("The database is not empty. Restore into an empty one.")
    connection.close()
    postgresql_tool("pg_restore", "--no-owner", f"--dbname={settings.DATABASES['default']['NAME']}", str(copy))
