"""The commands: a module each, with `run(arguments)` giving the answer for `--json` and an exit code."""

import sys


class Problem(Exception):
    """A command cannot do what was asked; the message tells the user what to do."""


def say(words: str) -> None:
    """Tell the user something on standard error; standard output is for `--json`."""
    sys.stderr.write(f"{words}\n")


def make_ready() -> None:
    """Load Django and make the deployment ready, or tell the user what keeps it from that."""
    from joinery.site import setup

    setup.load()
    try:
        setup.ensure()
    except setup.NotReady as not_ready:
        raise Problem(str(not_ready)) from None
