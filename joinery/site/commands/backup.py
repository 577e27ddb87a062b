"""`joinery backup`: a consistent copy of the database while it is in use, and apart from it the keys.

With it goes what a listener has acknowledged and nobody has taken yet: it is nowhere else.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import io
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import orjson

from joinery import __version__
from joinery.site import setup
from joinery.site.commands import Problem, say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Write FILE (database and manifest) and FILE.keys (what signs and seals); neither may exist yet."""
    setup.load()
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from joinery.apps.base import seal
    from joinery.apps.base.keys import Keys

    target, keys_target = arguments.file, Path(f"{arguments.file}.keys")
    for path in (target, keys_target):
        if path.exists():
            raise Problem(f"{path} exists. Choose another name: a backup never overwrites one.")
    if not target.absolute().parent.is_dir():
        raise Problem(f"There is no folder {target.absolute().parent}. Make it first.")
    try:
        setup.refuse_unready()
    except setup.NotReady as not_ready:
        raise Problem(str(not_ready)) from None
    # Sealed up to now, so that what is restored can be verified to its last row.
    try:
        seal.seal(keys=Keys(settings.KEYS), at=timezone.now())
    except seal.BrokenChain as broken:
        say(f"joinery: {broken}")  # the more reason to keep a copy of all that is there
    # Keys before database: a head that is newer than the copy would look like a log cut short.
    keys = {path.name: path.read_bytes() for path in sorted(settings.KEYS.iterdir()) if path.is_file()}
    with tempfile.TemporaryDirectory(dir=settings.JOINERY_DATA) as folder:
        # Before the database: a message that is taken meanwhile is in both, and then unchanged; never in neither.
        waiting = _copy_inbox(settings.JOINERY_DATA / "inbox" / "adt", Path(folder) / "inbox" / "adt")
        copy = Path(folder) / "database"
        (_copy_sqlite if connection.vendor == "sqlite" else _dump_postgresql)(copy)
        digest = file_digest(copy)
        manifest = {
            "version": __version__,
            "database": connection.vendor,
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "sha256": digest,
            "sealed": sealed_digest(settings.KEYS, digest),
            "demo": settings.DEMO,
        }
        _write(keys_target, keys, {})
        files = {"database": copy} | _demo(settings.JOINERY_DATA)
        files |= {path.relative_to(folder).as_posix(): path for path in waiting}
        _write(target, {"manifest.json": orjson.dumps(manifest)}, files)
    say(f"Wrote {target} and {keys_target}. Keep the keys in another place than the backup.")
    return {"file": str(target), "keys": str(keys_target), "bytes": target.stat().st_size, "sha256": digest}, 0


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed_digest(keys: Path, digest: str) -> str:
    """The database's digest under the sealing key: shows that keys and backup belong together."""
    return hmac.new((keys / "seal.key").read_bytes(), digest.encode(), hashlib.sha256).hexdigest()


def _copy_sqlite(target: Path) -> None:
    from django.conf import settings

    source = sqlite3.connect(str(settings.DATABASES["default"]["NAME"]))
    copy = sqlite3.connect(target)
    with source, copy:
        source.backup(copy)
    # One file that stands alone: a copy in WAL mode would bring its journal with it.
    copy.execute("PRAGMA journal_mode=DELETE")
    copy.close()
    source.close()


def _dump_postgresql(target: Path) -> None:
    from django.conf import settings

    postgresql_tool("pg_dump", "--format=custom", f"--file={target}", database=settings.DATABASES["default"])


def postgresql_tool(program: str, *options: str, database: dict[str, Any]) -> None:
    """Run one of PostgreSQL's own programs on a database, as Django's settings describe it."""
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = os.environ | {name: str(database[of]) for name, of in names.items() if database[of]}
    # Debian keeps them beside the server, of several versions perhaps: the newest reads them all.
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda p: float(p.parts[-3]))
    found = shutil.which(program) or next(map(str, reversed(beside)), program)
    try:
        done = subprocess.run([found, *options], env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Problem(f"{program} is not installed. Install the PostgreSQL client programs.") from None
    if done.returncode:
        raise Problem(f"{program} failed: {done.stderr.strip()}")


def _copy_inbox(inbox: Path, to: Path) -> list[Path]:
    """Copy the files of messages that wait to be taken, while they come and go; returns the copies."""
    copied = []
    for path in sorted(p for p in inbox.glob("*/*") if p.suffix in (".part", ".hl7")):
        # One that is handed over meanwhile has another name; one that is gone is in the database.
        for found in (path, path.with_suffix(".hl7")):
            copy = to / found.relative_to(inbox)
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                shutil.copy(found, copy)
            except FileNotFoundError:
                continue
            copied.append(copy)
            break
    return copied


def _demo(data: Path) -> dict[str, Path]:
    path = data / "demo.json"
    return {"demo.json": path} if path.exists() else {}


def _write(target: Path, contents: dict[str, bytes], files: dict[str, Path]) -> None:
    """Write an archive that only its owner may read, whole or not at all."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    with tarfile.open(part, "w:gz", compresslevel=3) as tar:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
        for name, path in files.items():
            tar.add(path, arcname=name)
    part.replace(target)
