"""`joinery series …`: what each command takes. The module beside this one does what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from joinery.calc.series import STEPS
from joinery.site.commands import number

KINDS = ("count", "ratio", "level")


def add(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add the nouns of `series`; `command` makes one with its help and `--json`."""
    words = "Upload series of figures by organisation, and show how each goes on through reorganisation."
    nouns = commands.add_parser("series", help=words, description=words).add_subparsers(metavar="NOUN", required=True)

    def noun(name: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery series {name} {example}".strip(), nouns)
        made.set_defaults(module="series.figures", noun=name)
        return made

    upload = noun("upload", "Take a CSV file of figures by organisation and period.", "ed.csv --series Attendances=att")
    upload.add_argument("file", type=Path, metavar="FILE", help="a CSV file with a header")
    upload.add_argument(
        "--series", action="append", default=[], metavar="NAME[=COL]",
        help="a series, and the column of its figures; may be repeated",
    )  # fmt: skip
    upload.add_argument("--unit", default="", metavar="WORDS", help="what is counted: visits, days, %%")
    upload.add_argument("--value", default="", metavar="COL", help="column of the figures")
    upload.add_argument("--numerator", default="", metavar="COL", help="of a ratio: the column above the line")
    upload.add_argument("--denominator", default="", metavar="COL", help="of a ratio: the column below the line")
    upload.add_argument("--organisation", default="", metavar="COL", help="column of the organisation's code")
    upload.add_argument("--period", default="", metavar="COL", help="column of the period")
    upload.add_argument("--by", default="", metavar="COL", help="column that tells several series apart")
    upload.add_argument("--each", choices=STEPS, default="month", help="how long a period is (default: month)")
    upload.add_argument(
        "--kind", choices=KINDS, default="", help="level: figures that cannot be added up, such as percentages"
    )
    noun("list", "List the series.", "")
    show = noun("show", "Show the series of a body, with what it took over from.", "Attendances --for R0A")
    show.add_argument("name", help="of the series")
    show.add_argument("--for", dest="code", required=True, metavar="CODE", help="the body")
    show.add_argument("--at", type=date.fromisoformat, metavar="DATE", help="the day (default: today)")
    show.add_argument("--known-at", type=date.fromisoformat, metavar="DATE", help="as was known at the end of this day")
    show.add_argument("--proposal", type=number, metavar="N", help="look through this proposal")
