"""`joinery bars …`: what each command takes. The module beside this one does what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add the nouns of `bars`; `command` makes one with its help and `--json`."""
    words = "Exchange referrals with systems outside, as NHS booking and referral messages."
    nouns = commands.add_parser("bars", help=words, description=words).add_subparsers(metavar="NOUN", required=True)

    def noun(name: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery bars {name} {example}".strip(), nouns)
        made.set_defaults(module="bars.nouns", noun=name)
        return made

    key = noun("key", "Print a key with which the system of an organisation may send messages.", "RZZ01")
    key.add_argument("organisation", metavar="CODE", help="the organisation; an earlier key of its serves no more")
    noun("send", "Send the messages that wait for bodies outside, once.", "")
