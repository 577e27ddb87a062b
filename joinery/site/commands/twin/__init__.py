"""`joinery twin …`: what each command takes. A module beside this one does what it says."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

YEAR_DAYS = 365.25
MOST_YEARS = 100
MOST_REPS = 1_000_000
MOST_WORKERS = 1_000
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(d|w|y|)")
_UNITS = {"d": 1.0, "": 1.0, "w": 7.0, "y": YEAR_DAYS}
_PLACE = "a place file, or the name of a scenario that comes with Joinery"


def add(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add the nouns of `twin`; `command` makes one with its help and `--json`."""
    words = "Run a place forward: what a change does to beds, waits and costs before it is made."
    nouns = commands.add_parser("twin", help=words, description=words).add_subparsers(metavar="NOUN", required=True)

    def noun(name: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery twin {name} {example}".strip(), nouns)
        made.set_defaults(module=f"twin.{name}", noun=name)
        return made

    check = noun("check", "Read a place file, and say how busy each station would be.", "reference")
    check.add_argument("place", metavar="PLACE", help=_PLACE)

    run = noun("run", "Run a place forward.", "place.toml --years 5 --reps 1000")
    run.add_argument("place", metavar="PLACE", help=_PLACE)
    _running(run, "a figure")

    compare = noun("compare", "Run two places with the same people and luck.", "place.toml changed.toml --years 5")
    compare.add_argument("place", metavar="PLACE", help=_PLACE)
    compare.add_argument(
        "changed", nargs="?", metavar="CHANGED",
        help="the changed place (default: PLACE is the changed one, beside what it is based on)",
    )  # fmt: skip
    _running(compare, "the difference of a figure")


def _running(noun: argparse.ArgumentParser, what: str) -> None:
    """The options of what runs."""
    noun.add_argument("--years", type=_years, default=5.0, metavar="N", help="how long, after the warm-up (default 5)")
    noun.add_argument(
        "--warmup", type=_days, default="1y", metavar="TIME",
        help="how long first, uncounted: 90d, 26w, 1y (default 1y); 0 with today's census",
    )  # fmt: skip
    noun.add_argument("--reps", type=_whole(1, MOST_REPS), default=100, metavar="N", help="replications (default 100)")
    noun.add_argument(
        "--seed", type=_whole(0, 2**32 - 1), default=1, metavar="N", help="another seed, other luck (default 1)"
    )
    noun.add_argument(
        "--workers",
        type=_whole(1, MOST_WORKERS),
        metavar="N",
        help="threads (default: all processors); the result is the same",
    )
    noun.add_argument(
        "--precise", type=_precise, metavar="FIGURE=WIDTH",
        help=f"go on until {what} is known within WIDTH of its unit, such as 'occupied acute=2'",
    )  # fmt: skip
    noun.add_argument(
        "--most", type=_whole(1, MOST_REPS), default=10_000, metavar="N", help="of replications then (default 10000)"
    )
    noun.add_argument(
        "--charts", type=Path, metavar="DIR", help="draw what happens day by day (SVG and PNG), and write it (CSV)"
    )


def _years(text: str) -> float:
    try:
        years = float(text)
    except ValueError:
        years = math.nan
    if not (years <= MOST_YEARS and years * YEAR_DAYS >= 1):
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no time to run for: from a day to {MOST_YEARS} years")
    return years


def _days(text: str) -> int:
    found = _TIME.fullmatch(text)
    if not found or (days := round(float(found[1]) * _UNITS[found[2]])) > MOST_YEARS * YEAR_DAYS:
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no time: write 90d, 26w or 1y, {MOST_YEARS} years at most")
    return days


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number that lies between two."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text[:19]) <= most):
            raise argparse.ArgumentTypeError(f"{text[:40]!a} is no whole number from {least} to {most:,}")
        return int(text)

    return read


def _precise(text: str) -> tuple[str, float]:
    figure, _, width = text.rpartition("=")
    try:
        half = float(width)
    except ValueError:
        half = 0.0
    if not figure.strip() or not 0 < half < math.inf:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!a}: write a figure and a width above 0, such as 'occupied acute=2'"
        )
    return figure.strip(), half


def workers(arguments: argparse.Namespace) -> int:
    """How many threads to run on."""
    return int(arguments.workers or os.cpu_count() or 1)
