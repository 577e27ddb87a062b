"""`joinery place take`: files for the directory."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from joinery.site.commands import Problem, make_ready, say
from joinery.site.commands.place.common import acting
from joinery.site.commands.take import COUNTS, sentence, spare_collector

ENDINGS = (".json", ".csv", ".toml")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Take each file; one that cannot be read as a whole is said, and the others are still taken."""
    files = _files(arguments.files)
    make_ready()
    from joinery.apps.base.action import Refused
    from joinery.apps.place.actions import take_directory_file

    spare_collector()
    done, failed = [], []
    for path in files:
        try:
            taken = take_directory_file(path=path, on=arguments.on, **acting())
        except (Refused, OSError) as problem:
            failed.append({"file": path.name, "error": str(problem)})
            say(f"joinery: {problem}" if path.name in str(problem) else f"joinery: {path.name}: {problem}")
            continue
        done.append(asdict(taken))
        say(sentence(done[-1]))
        if taken.note:
            say(f"  {taken.note}")
        for reason in taken.reasons:
            say(f"  quarantined: {reason}")
    totals = {name: sum(each[name] for each in done) for name in COUNTS}
    if len(done) != 1:
        say(sentence({"file": f"{len(done)} files"} | totals))
    return totals | {"files": done, "failed": failed}, 1 if failed else 0


def _files(given: list[Path]) -> list[Path]:
    """The files given, and those in folders given, by name."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
            if not inside:
                raise Problem(f"{path} holds no directory files ({', '.join(ENDINGS)}).")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise Problem(f"There is no file {path}.")
    return found
