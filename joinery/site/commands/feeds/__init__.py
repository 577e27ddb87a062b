"""`joinery feeds …`: what each command takes. The module beside this one does what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joinery.definitions import FEEDS
from joinery.site.commands import number


def add(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add `feeds` and its nouns; `command` makes one with its help and `--json`."""
    words = "Show who sends what, give rows that could not be taken back to their sender, and take them again."
    top = command("feeds", words, "joinery feeds", commands)
    top.set_defaults(module="feeds.nouns", noun="list")
    nouns = top.add_subparsers(metavar="NOUN")

    def noun(name: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery feeds {name} {example}".strip(), nouns)
        made.set_defaults(noun=name)
        return made

    noun("list", "Show every source: when it last sent, how its rows ended, and whether it is late.", "")
    returned = noun("returned", "Write the quarantined rows of a file for their sender.", "12 --out rows.csv")
    returned.add_argument("submission", type=number, metavar="N", help="the number of the file: see its page")
    returned.add_argument("--out", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    retake = noun("retake", "Take quarantined rows again as they are, after a definition was mended.", "--feed council")
    retake.add_argument("--feed", choices=FEEDS, help="of this feed only")
    retake.add_argument("--from", dest="sender", default="", metavar="CODE", help="of this sender only")
    variant = noun("variant", "Say how a sender's files differ.", "liquid.toml --feed council --from 999")
    variant.add_argument("file", type=Path, metavar="FILE", help="a TOML file: name, columns, codes, day_first ...")
    variant.add_argument("--feed", choices=FEEDS, required=True, help="of this feed")
    variant.add_argument("--from", dest="sender", required=True, metavar="CODE", help="of this sender")
