"""The commands: a module each, with `run(arguments)` giving the answer for `--json` and an exit code."""

import argparse
import math
import sys
from pathlib import Path

MOST_SAID = 1_000  # characters of a line that tells what is wrong: what was given may be of any length
LAST_PORT = 65535


class Problem(Exception):
    """A command cannot do what was asked; the message tells the user what to do."""


def say(words: str) -> None:
    """Tell the user something on standard error; standard output is for `--json`."""
    sys.stderr.write(f"{shortened(words)}\n")


def in_a_line(words: str) -> str:
    """What is wrong, in one line that ends."""
    return shortened(" ".join(words.split()))


def shortened(words: str) -> str:
    """Words that may hold what was given, with the middle left out where they go on for ever."""
    return words if len(words) <= MOST_SAID else f"{words[: MOST_SAID // 2]} … {words[-MOST_SAID // 2 :]}"


def of_file(error: OSError) -> str:
    """What keeps a file or a folder that was named from being used."""
    return f"{error.filename or 'A file'} cannot be used: {error.strerror or error}."


def refuse_no_file(*paths: Path) -> None:
    """Refuse what is no file to read: a pipe would be waited for, without end."""
    for path in paths:
        if not path.is_file():
            raise Problem(f"There is no file {path}.")


def number(text: str) -> int:
    """The number of something that the database holds, as an argument."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no number of anything here.")
    return int(text)


def port(text: str) -> int:
    """A port of this machine, as an argument."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no port. Give a number from 1 to {LAST_PORT}.")
    return int(text)


def seconds(text: str) -> float:
    """A time to wait, as an argument: a day at most."""
    try:
        given = float(text)
    except ValueError:
        given = math.nan
    if not 0 <= given <= 24 * 60 * 60:
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is no number of seconds, up to a day.")
    return given


def make_ready() -> None:
    """Load Django and make the deployment ready, or tell the user what keeps it from that."""
    from joinery.site import setup

    setup.load()
    try:
        setup.ensure()
    except setup.NotReady as not_ready:
        raise Problem(str(not_ready)) from None
