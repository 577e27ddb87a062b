"""`joinery staff …`: what each command takes. The module beside this one does what it says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any

from joinery.site.commands import number


def add(command: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add the nouns of `staff`; `command` makes one with its help and `--json`."""
    words = "Give people a role at an organisation, list who has one, and end it."
    nouns = commands.add_parser("staff", help=words, description=words).add_subparsers(metavar="NOUN", required=True)

    def noun(name: str, words: str, example: str) -> argparse.ArgumentParser:
        made = command(name, words, f"joinery staff {name} {example}".strip(), nouns)
        made.set_defaults(module="staff.nouns", noun=name)
        return made

    new = noun(
        "add", "Give somebody a role, and print an invitation for who cannot log in yet.",
        "AnnHill --role staff_manager --at E06000027 --email ann@example.org",
    )  # fmt: skip
    new.add_argument("name", help="of the person, in quotes")
    new.add_argument("--role", required=True, help="such as staff_manager, gp or social_worker")
    new.add_argument("--at", required=True, metavar="CODE", help="the organisation where they have it")
    new.add_argument("--email", default="", help="their own address; without one they get a login name")
    new.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="the last day (default: in a year)")
    listed = noun("list", "List who has a role, now or soon.", "--at E06000027")
    listed.add_argument("--at", default="", metavar="CODE", help="at this organisation only")
    invite = noun("invite", "Print a new invitation, for who lost the first or what they log in with.", "12")
    invite.add_argument("membership", type=number, metavar="N", help="the number of a role of theirs: see the list")
    end = noun("end", "End a role today; its user is logged out where it was the last.", "12")
    end.add_argument("membership", type=number, metavar="N", help="its number: see the list")
