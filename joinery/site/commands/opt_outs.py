"""`joinery opt-outs`: take what the national data opt-out says of the people in returns."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import Problem, make_ready, refuse_no_file, say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Take a check: the numbers that were asked about, and those of them that may be used."""
    refuse_no_file(arguments.asked, arguments.allowed)
    make_ready()
    from django.utils import timezone

    from joinery.apps.base.action import Actor, Refused
    from joinery.apps.record.actions import take_opt_outs

    files = {"asked": arguments.asked, "allowed": arguments.allowed}
    try:
        taken = take_opt_outs(**files, actor=Actor.system("command line"), at=timezone.now())
    except Refused as refused:
        raise Problem(str(refused)) from None
    until = f"{taken.until:%-d %B %Y}"
    say(f"{taken.asked:,} people asked about: planning may use {taken.allowed:,} of them, up to {until}.")
    return {"asked": taken.asked, "allowed": taken.allowed, "until": taken.until.isoformat()}, 0
