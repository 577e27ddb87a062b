"""`joinery place …`: what each command takes. A module beside this one does what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from joinery.site.commands import number

Command = Callable[..., argparse.ArgumentParser]


def add(command: Command, commands: Any) -> None:
    """Add the nouns of `place`; `command` makes one with its help and `--json`."""
    words = "Ask about the directory of organisations, fill it and change it."
    place = commands.add_parser("place", help=words, description=words)
    nouns = place.add_subparsers(metavar="NOUN", required=True)

    def noun(name: str, module: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery place {name} {example}".strip(), nouns)
        made.set_defaults(module=f"place.{module}", noun=name)
        return made

    _start(noun)
    _questions(noun)
    _changes(noun)
    _proposals(noun)


def _start(noun: Command) -> None:
    start = noun("start", "start", "Start a real place, without any demonstration data.", "E06000027")
    start.add_argument(
        "code", help="of the council or board that it serves (ODS, GSS or CASSR); or a new code, with --name"
    )
    start.add_argument("--name", default="", help="name of the place, where the code is a new one")
    start.add_argument("--email", default="", help="email address of the first user, its integration lead")
    start.add_argument("--lead", default="", metavar="NAME", help="name of the first user")

    take = noun("take", "take", "Take directory files: ODS, CQC, ONS lookups and postcodes, definitions.", "ods.json")
    take.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files, or folders of files")
    take.add_argument("--on", type=_day, metavar="DATE", help="the day that a file speaks of that does not say it")


def _questions(noun: Command) -> None:
    for name, words, example in (
        ("show", "Say what is known of a body on a day.", "QJK --at 2026-01-01"),
        ("successors", "Say what took over from a body, up to a day.", "QNQ"),
        ("predecessors", "Say from what a body took over, up to a day.", "QRL"),
        ("history", "Say what a body was over time, and what led to it and came of it.", "QJK"),
    ):
        made = noun(name, "questions", words, example)
        made.add_argument("code", help="of the body: its own, or another by which it is known")
        _view(made)

    made = noun("responsible", "questions", "Say which bodies answer for an area.", "--lsoa E01000001 --at 2026-04-01")
    area = made.add_mutually_exclusive_group(required=True)
    area.add_argument("--lsoa", metavar="CODE", help="the area")
    area.add_argument("--postcode", metavar="PC", help="a postcode in the area")
    _view(made)

    atoms = noun(
        "atoms",
        "atoms",
        "Find the boundary atoms of sets of boundaries: areas that are together in all of them.",
        "--set icb@2026-03-31 --set icb@2026-04-01 --out atoms.csv",
    )
    atoms.add_argument(
        "--set", dest="sets", action="append", required=True, type=_level_on, metavar="LEVEL@DATE",
        help="a level, such as icb, council or neighbourhood, on a day; may be repeated",
    )  # fmt: skip
    _proposal(atoms, "say which atoms the boundaries of this proposal would cut")
    atoms.add_argument("--out", type=Path, metavar="FILE.csv", help="write each area, its atom and its bodies")


def _changes(noun: Command) -> None:
    merge = noun("merge", "changes", "Merge bodies.", "ZN1 ZN2 --into ZN4 --name Shore --on 2027-04-01")
    merge.add_argument("codes", nargs="+", metavar="CODE", help="the bodies that end")
    merge.add_argument("--into", required=True, metavar="CODE", help="the body that takes over, new or there already")
    merge.add_argument("--name", default="", help="name of a new body")
    merge.add_argument("--form", default="", help="form of a new body (default: that of the first that ends)")

    split = noun("split", "changes", "Split a body.", "QNQ --part QRL=E06000036 --part QXU --on 2027-04-01")
    split.add_argument("code", help="the body that ends")
    split.add_argument(
        "--part", dest="parts", action="append", required=True, metavar="CODE[=AREA,…]",
        help="a body that takes over, and the areas that it takes over; once for each",
    )  # fmt: skip
    split.add_argument("--name", dest="names", action="append", default=[], metavar="CODE=NAME", help="of a new body")
    split.add_argument("--form", default="", help="form of new bodies (default: that of the body that ends)")

    move = noun("move", "changes", "Move a body or an LSOA.", "E07000041 --from E10000008 --to E06000064")
    move.add_argument("code", help="what moves: a district, a neighbourhood, an LSOA")
    move.add_argument("--from", dest="left", required=True, metavar="CODE", help="the body that it leaves")
    move.add_argument("--to", required=True, metavar="CODE", help="the body that it joins")

    rename = noun("rename", "changes", "Give a body another name.", "ZN1 Quayside --on 2027-04-01")
    rename.add_argument("code", help="the body, which stays the same")
    rename.add_argument("name", help="its new name")

    lead = noun("lead", "changes", "Name the person who answers for a body.", "ZN1 --name Ada --from 2026-04-01")
    lead.add_argument("code", help="the body")
    lead.add_argument("--name", required=True, help="of the person")

    new = noun("add", "changes", "Add a body.", "ZN5 --name Hillside --form neighbourhood")
    new.add_argument("code", help="its code, which was never used before")
    new.add_argument("--name", required=True, help="its name")
    new.add_argument("--form", required=True, help="what it is: neighbourhood, council_company, …")

    for made in (merge, split, move):
        made.add_argument("--instrument", default="", metavar="WORDS", help="in law: transfer scheme, order, …")
        made.add_argument("--contracts", default="", choices=("novated", "re-made"), help="what becomes of contracts")
    for made in (merge, split, move, rename, lead, new):
        option = "--from" if made in (lead, new) else "--on"
        made.add_argument(
            option, dest="on", type=_day, metavar="DATE",
            help="since when (default: before records began)" if made is new else "the day (default: today)",
        )  # fmt: skip
        _proposal(made, "add it to this proposal (default: it counts at once)")


def _proposals(noun: Command) -> None:
    propose = noun("propose", "proposals", "Begin a proposal: changes held beside the present.", "Shore")
    propose.add_argument("title", help="so that others know which it is")
    noun("proposals", "proposals", "List the proposals.", "")
    for name, words in (("adopt", "Make a proposal count from now on."), ("drop", "Set a proposal aside for good.")):
        noun(name, "proposals", words, "12").add_argument("proposal", type=number, metavar="N", help="its number")

    noun("waiting", "waiting", "List what waits for a decision because its body was split or closed.", "")
    decide = noun("decide", "waiting", "Decide where goes on what waits.", "17 --to ZN2")
    what = decide.add_mutually_exclusive_group(required=True)
    what.add_argument("membership", nargs="?", type=number, metavar="MEMBERSHIP", help="its number")
    what.add_argument("--people", metavar="CODE", help="everybody who still waits at this body")
    how = decide.add_mutually_exclusive_group(required=True)
    how.add_argument("--to", metavar="CODE", help="a body that took over")
    how.add_argument("--end", type=_day, metavar="DATE", help="end it on this day (of people: today)")


def _view(made: argparse.ArgumentParser) -> None:
    made.add_argument("--at", type=_day, metavar="DATE", help="the day (default: today)")
    made.add_argument("--known-at", type=_day, metavar="DATE", help="as was known at the end of this day")
    _proposal(made, "look through this proposal")


def _proposal(made: argparse.ArgumentParser, words: str) -> None:
    made.add_argument("--proposal", type=number, metavar="N", help=words)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day. Write it as 2026-04-01.") from None


def _level_on(text: str) -> tuple[str, date]:
    level, _, day = text.partition("@")
    return level, _day(day)
