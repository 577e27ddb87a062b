"""The command line: `joinery VERB [NOUN]`. Nothing heavy is imported before a command is chosen.

Exit codes: 0 done, 1 refused or a problem found, 2 the command itself is wrong. `--json` prints one
line on standard output; everything else that is said goes to standard error.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from joinery import __version__
from joinery.definitions import FEEDS
from joinery.site.commands import (
    Problem,
    bars,
    feeds,
    in_a_line,
    link,
    of_file,
    place,
    port,
    seconds,
    series,
    staff,
    twin,
)

Command = Callable[..., argparse.ArgumentParser]
_SURROGATE = re.compile("[\ud800-\udfff]")  # what Python makes of a byte that is no text


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples keep their lines."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with an argument in a line that ends, however long the argument is."""

    def error(self, message: str) -> NoReturn:
        super().error(in_a_line(message))


def parser() -> argparse.ArgumentParser:
    """Every command, its options and an example."""
    top = _Parser(
        prog="joinery",
        description="Joins up health and social care for one place.",
        epilog="Example: joinery demo --people 500\n\n"
        "JOINERY_DATA names the deployment's folder (now: joinery-data here), "
        "JOINERY_DATABASE a PostgreSQL database.",
        formatter_class=_Formatter,
    )
    top.add_argument("--version", action="version", version=f"joinery {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, words: str, example: str, to: Any = commands) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = to.add_parser(
            name, help=words, description=words, epilog=f"Example: {example}", formatter_class=_Formatter
        )
        made.add_argument("--json", action="store_true", help="print one line of JSON")
        return made

    demo = command("demo", "Build the demonstration place and serve it.", "joinery demo --people 500")
    demo.add_argument("--people", type=int, default=500, help="how many people (default 500)")
    demo.add_argument("--seed", type=int, default=1, help="another seed makes other people")
    demo.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the day it is there (default: today)")
    demo.add_argument("--port", type=port, default=8000, help="where to serve (default 8000)")
    demo.add_argument("--no-serve", action="store_true", help="build only")
    demo.set_defaults(module="demo")

    run = command("run", "Serve the pages, and seal the logs each minute.", "joinery run --port 8000")
    run.add_argument("--host", default="127.0.0.1", help="address to serve on (default: this machine only)")
    run.add_argument("--port", type=port, default=8000, help="where to serve (default 8000)")
    run.set_defaults(module="run")

    migrate = command("migrate", "Bring the database to this version.", "joinery migrate")
    migrate.set_defaults(module="migrate")

    _intake(command)
    bars.add(command, commands)
    feeds.add(command, commands)
    link.add(command, commands)
    place.add(command, commands)
    series.add(command, commands)
    staff.add(command, commands)
    twin.add(command, commands)

    audit = commands.add_parser("audit", help="Check the logs.", description="Check the logs.")
    audits = audit.add_subparsers(metavar="NOUN", required=True)
    verify = command("verify", "Check that no log row was changed, added or lost.", "joinery audit verify", audits)
    verify.set_defaults(module="audit_verify")

    backup = command("backup", "Copy the deployment, while it runs.", "joinery backup monday.joinery")
    backup.add_argument("file", type=Path, help="the file to write; its keys go to FILE.keys: keep them apart")
    backup.set_defaults(module="backup")

    restore = command("restore", "Make a deployment from a backup.", "joinery restore monday.joinery")
    restore.add_argument("file", type=Path, help="the backup")
    restore.add_argument("--keys", type=Path, help="the keys of the backup (default: FILE.keys)")
    restore.set_defaults(module="restore")
    return top


def _intake(command: Command) -> None:
    """The commands by which files and messages come in."""
    take = command("take", "Take files that a service sent.", "joinery take --feed fhir bundle.json --from Z90001")
    take.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files, or folders of files")
    take.add_argument("--feed", required=True, choices=FEEDS, help="what kind of files they are")
    take.add_argument("--from", dest="sender", default="", metavar="CODE", help="code of the sending organisation")
    take.set_defaults(module="take")

    listen = command("listen", "Take a hospital's ADT messages over MLLP.", "joinery listen --port 2575 --from RZZ01")
    listen.add_argument("--from", dest="sender", required=True, metavar="CODE", help="code of the sending hospital")
    listen.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    listen.add_argument("--port", type=port, default=2575, help="where to listen (default 2575)")
    listen.add_argument(
        "--private-network",
        action="store_true",
        help="listen beyond this machine: MLLP is not encrypted, so only where the network itself is private",
    )
    listen.set_defaults(module="listen")

    opt_outs = command(
        "opt-outs", "Take what the national data opt-out says of people in returns.",
        "joinery opt-outs --asked numbers.csv --allowed answer.csv",
    )  # fmt: skip
    opt_outs.add_argument("--asked", required=True, type=Path, metavar="FILE", help="the NHS numbers that were checked")
    opt_outs.add_argument("--allowed", required=True, type=Path, metavar="FILE", help="those that came back")
    opt_outs.set_defaults(module="opt_outs")

    unmerge = command(
        "unmerge", "Part a hospital's number from the one it was merged into.",
        "joinery unmerge --from RZZ01 RZZPAS/H4009999",
    )  # fmt: skip
    unmerge.add_argument("number", metavar="NUMBER", help="the number that lost, as in PID-3: AUTHORITY/NUMBER")
    unmerge.add_argument("--from", dest="sender", required=True, metavar="CODE", help="code of the hospital")
    unmerge.set_defaults(module="unmerge")

    wrong = command(
        "wrong-patients", "List the hospital visits that stood in a wrong person's record.", "joinery wrong-patients"
    )
    wrong.set_defaults(module="wrong_patients")

    watch = command("watch", "Take the files that are put into a folder.", "joinery watch --once /srv/inbox")
    watch.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="the folder (default: JOINERY_INBOX)")
    watch.add_argument("--once", action="store_true", help="take what is there, and end")
    watch.add_argument(
        "--still", type=seconds, default=10, metavar="SECONDS",
        help="how long a file must not change before it counts as whole (default 10)",
    )  # fmt: skip
    watch.set_defaults(module="watch")

    mesh = command("mesh", "Take what came to the place's MESH mailbox.", "joinery mesh --once")
    mesh.add_argument("--once", action="store_true", help="empty the mailbox once, and end")
    mesh.set_defaults(module="mesh")


def _texts(top: argparse.ArgumentParser, given: list[str]) -> list[str]:
    """What was typed, all of it text: no database keeps anything else."""
    for each in given:
        if "\0" in each or _SURROGATE.search(each):
            top.error(f"{each[:80]!a} is no text in UTF-8. Type it anew, or give the file another name.")
    return given


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    top = parser()
    chosen = top.parse_args(_texts(top, sys.argv[1:] if arguments is None else arguments))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "joinery.site.settings")
    command = importlib.import_module(f"joinery.site.commands.{chosen.module}")
    try:
        answer, code = command.run(chosen)
    except (Problem, OSError) as problem:
        words = in_a_line(of_file(problem) if isinstance(problem, OSError) else str(problem))
        sys.stderr.write(f"joinery: {words}\n")
        if chosen.json:
            sys.stdout.write(json.dumps({"error": words}) + "\n")
        return 1
    except KeyboardInterrupt:
        return 130
    if chosen.json:
        sys.stdout.write(json.dumps(answer) + "\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
