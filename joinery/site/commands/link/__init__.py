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
    _deployment(noun)
    _decisions(noun)


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


def _deployment(noun: Command) -> None:
    run = noun("run", "run", "Link all records of the deployment again, by number and by score.", "--train")
    run.add_argument("--train", action="store_true", help="learn a model from the place's own records first")

    explain = noun("explain", "explain", "Say why records are one person, or two records are not.", "1204")
    explain.add_argument("of", metavar="PERSON|RECORD", help="a person's id, or the number of a source record")
    explain.add_argument("other", nargs="?", type=_record, metavar="RECORD", help="another record: why, or why not")


def _decisions(noun: Command) -> None:
    merge = noun(
        "merge", "decide", "Say that two people are one. Two users must have said so.",
        "3c0ffee0000000000001 3c0ffee0000000000002 --by ann@place.example --by ben@place.example",
    )  # fmt: skip
    merge.add_argument("person", metavar="PERSON", help="a person's id, as in the address of their page")
    merge.add_argument("other", metavar="PERSON", help="the other's")
    merge.add_argument(
        "--by", action="append", required=True, metavar="EMAIL", help="the email address of a user; give two"
    )

    split = noun(
        "split", "decide", "Say that records are not about this person.",
        "3c0ffee0000000000001 --record 1204",
    )  # fmt: skip
    split.add_argument("person", metavar="PERSON", help="a person's id, as in the address of their page")
    split.add_argument(
        "--record", dest="records", action="append", type=_record, required=True, metavar="RECORD",
        help="the number of a source record, see explain; may be repeated",
    )  # fmt: skip

    undo = noun("undo", "decide", "Take back what people decided of two records.", "1204 1377")
    undo.add_argument("record", type=_record, metavar="RECORD", help="the number of a source record")
    undo.add_argument("other", type=_record, metavar="RECORD", help="that of the other")

    for made in (merge, split, undo):
        made.add_argument("--note", default="", metavar="WORDS", help="why, for whoever reads the history; no names")


def _record(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a record. See: joinery link explain PERSON")
    return int(text)
