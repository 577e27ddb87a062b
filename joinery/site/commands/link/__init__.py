"""`joinery link …`: what each command takes. A module beside this one does what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., argparse.ArgumentParser]


def add(command: Command, commands: Any) -> None:
    """Add the nouns of `link`; `command` makes one with its help and `--json`."""
    words = "Find the records that are about the same person."
    nouns = commands.add_parser("link", help=words, description=words).add_subparsers(metavar="NOUN", required=True)

    def noun(name: str, module: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery link {name} {example}".strip(), nouns)
        made.set_defaults(module=f"link.{module}", noun=name)
        return made

    _files(noun)


def _files(noun: Command) -> None:
    files = noun(
        "files", "files", "Link the people in one or two CSV files, without a deployment.",
        "gp.csv council.csv --out clusters.csv",
    )  # fmt: skip
    files.add_argument("files", nargs="+", type=Path, metavar="FILE.csv", help="one file, or two")
    files.add_argument(
        "--columns", type=Path, metavar="MAP.yaml",
        help="which column is what (default: guessed from their names)",
    )  # fmt: skip
    files.add_argument("--out", type=Path, required=True, metavar="CLUSTERS.csv", help="write a row for each record")
