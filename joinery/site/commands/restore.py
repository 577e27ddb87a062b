"""`joinery restore`: a backup becomes a deployment, in a folder (or database) that holds none yet."""

from __future__ import annotations

import argparse
import os
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Any

import orjson

from joinery.site import setup
from joinery.site.commands import Problem, say
from joinery.site.commands.backup import file_digest, postgresql_tool, sealed_digest


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Restore FILE into the deployment that the environment names, then check its logs."""
    keys = arguments.keys or Path(f"{arguments.file}.keys")
    for path in (arguments.file, keys):
        if not path.is_file():
            raise Problem(f"There is no file {path}.")
    data = Path(os.environ.get("JOINERY_DATA", "joinery-data")).absolute()
    if data.exists() and any(data.iterdir()):
        raise Problem(f"{data} is not empty. Restore into an empty folder: JOINERY_DATA=FOLDER joinery restore …")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=data) as folder:
        unpacked = Path(folder)
        manifest = _unpack(arguments.file, keys, unpacked)
        try:
            _put(unpacked, data, manifest)
        except BaseException:
            _empty(data, but=unpacked)
            raise
    setup.migrate()
    from django.conf import settings

    from joinery.apps.base import seal
    from joinery.apps.base.keys import Keys

    found = seal.verify(keys=Keys(settings.KEYS))
    for problem in found.problems:
        say(f"joinery: {problem}")
    say(f"Restored the backup of {manifest['made_at']}; {found.rows:,} log rows verified.")
    for sender in sorted(path.name for path in (data / "inbox" / "adt").glob("*")):
        say(f"Messages from {sender} were received and not taken yet. They are, when it is listened to again.")
    answer = {"restored": manifest["made_at"], "audit_ok": not found.problems, "rows": found.rows}
    return answer, 1 if found.problems else 0


def _unpack(file: Path, keys: Path, folder: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole and belongs to the keys, both unpacked in `folder`."""
    _extract(file, folder)
    _extract(keys, folder / "keys")
    try:
        manifest: dict[str, Any] = orjson.loads((folder / "manifest.json").read_bytes())
        if file_digest(folder / "database") != manifest["sha256"]:
            raise Problem(f"{file} is damaged: its database does not have the digest that its manifest states.")
        if sealed_digest(folder / "keys", manifest["sha256"]) != manifest["sealed"]:
            raise Problem(f"The keys in {keys} are not those of {file}. Name the right ones: --keys FILE")
    except (OSError, KeyError, ValueError):
        raise Problem(f"{file} and {keys} are not a backup of Joinery and its keys.") from None
    return manifest


def _extract(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file) as tar:
            folder.mkdir(exist_ok=True, mode=0o700)
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise Problem(f"{file} cannot be read as a backup of Joinery: {error}") from None


def _put(unpacked: Path, data: Path, manifest: dict[str, Any]) -> None:
    """Make the deployment: its keys first, for settings would make new ones; then its database."""
    shutil.move(unpacked / "keys", data / "keys")
    if (unpacked / "demo.json").exists():
        shutil.move(unpacked / "demo.json", data / "demo.json")
    if (unpacked / "inbox").exists():
        shutil.move(unpacked / "inbox", data / "inbox")
        (data / "inbox").chmod(0o700)
    setup.load()
    from django.conf import settings
    from django.db import connection

    if manifest["database"] != connection.vendor:
        raise Problem(f"The backup is of {manifest['database']}, this deployment uses {connection.vendor}.")
    if connection.vendor == "sqlite":
        shutil.move(unpacked / "database", settings.DATABASES["default"]["NAME"])
        return
    if not setup.is_new():
        raise Problem("The database is not empty. Restore into an empty one.")
    connection.close()
    owner = settings.DATABASE_OWNER or settings.DATABASES["default"]
    options = ("--no-owner", "--no-privileges", "--single-transaction", f"--dbname={owner['NAME']}")
    postgresql_tool("pg_restore", *options, str(unpacked / "database"), database=owner)


def _empty(data: Path, but: Path) -> None:
    """Take away what a restore that failed had put in a folder that was empty."""
    for path in data.iterdir():
        if path.is_dir() and path != but:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
