"""`joinery unmerge`: part a hospital's number again from the one into which it was merged."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site.commands import Problem, make_ready, say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Take the merge back, as a submission of its own. HL7 has no event for it."""
    make_ready()
    from django.utils import timezone

    from joinery.apps.base.action import Actor, Refused
    from joinery.apps.record.actions import unmerge

    at = timezone.now()
    try:
        unmerge(
            organisation_code=arguments.sender, local_id=arguments.number, actor=Actor.system("command line"), at=at
        )
    except Refused as refused:
        raise Problem(str(refused)) from None
    say(f"{arguments.number} is a number of its own again. Look at both people before you rely on it.")
    return {"unmerged": arguments.number, "from": arguments.sender, "at": at.isoformat(timespec="seconds")}, 0
