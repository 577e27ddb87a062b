"""The commands: a module each, with `run(arguments)` giving the answer for `--json` and an exit code."""

import sys


class Problem(Exception):
    """A command cannot do what was asked; the message tells the user what to do."""


def say(words: str) -> None:
    """Tell the user something on standard error; standard output is for `--json`."""
    sys.stderr.write(f"{words}\n")
