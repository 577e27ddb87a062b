"""CPU time, the machine, and a deployment to measure on. Standard library only, for peers import this too."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("JOINERY_SHARED") or ROOT.parent / "shared" / "data")


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended, in user and system mode, in seconds."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def cpu_seconds_of(pid: int) -> float:
    """CPU time of another running process in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, str]:
    """What a figure depends on, as it was at this moment."""
    return {
        "Cores": str(os.cpu_count()),
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Load average at the start": f"{os.getloadavg()[0]:.1f}",
    }


def bundles(most: int) -> list[Path]:
    """The first of the 85 Synthea bundles, gzipped."""
    found = sorted((SHARED / "synthea").glob("*.json.gz"))
    if not found:
        raise SystemExit(f"There are no Synthea bundles in {SHARED}. JOINERY_SHARED names the folder.")
    return found[:most]


@contextmanager
def deployment(database: str = "") -> Iterator[Path]:
    """A new deployment on SQLite, or in an empty database of PostgreSQL, with Django loaded on it; gone afterwards.

    JOINERY_BENCH_COPY names one that is ready, to copy rather than to make anew: for tests, which start many.
    """
    with TemporaryDirectory(prefix="joinery-bench-") as folder:
        if ready := os.environ.get("JOINERY_BENCH_COPY"):
            shutil.copytree(ready, folder, dirs_exist_ok=True)
        os.environ["JOINERY_DATA"] = folder
        os.environ.pop("JOINERY_DATABASE", None)
        if database:
            os.environ["JOINERY_DATABASE"] = database
        os.environ["JOINERY_SECOND_FACTOR"] = "nobody"  # its users log in by no page
        from joinery.site import setup

        setup.load()
        setup.ensure()
        yield Path(folder)
