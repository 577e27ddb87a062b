"""`joinery migrate`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from joinery.site import setup
from joinery.site.commands import say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Migrate the database and reinstall its triggers; take new definitions, and read anew what is held."""
    setup.load()
    setup.migrate()
    from django.conf import settings
    from django.utils import timezone

    from joinery.apps.base.action import Actor
    from joinery.apps.place import facts
    from joinery.apps.record.actions import link_missing, reread_care, reread_lines

    at = timezone.now()
    started = facts.home(facts.as_at(at.date())) is not None
    taken = setup.take_definitions(demo=settings.DEMO, actor=Actor.system("migrate"), at=at) if started else []
    say("The database is of this version, and guarded.")
    if reread := reread_lines(actor=Actor.system("migrate"), at=at):
        say(f"Read {reread:,} lines anew, of which this version says more.")
    if sources := reread_care(actor=Actor.system("migrate"), at=at):
        say(f"Worked out from what {sources:,} sources sent whose care goes on.")
    linked = link_missing(actor=Actor.system("migrate"), at=at)
    if linked:
        say(
            f"Linked {linked.records:,} records anew: {linked.people_before:,} people before, {linked.people:,} now; "
            f"{linked.waiting:,} pairs wait for people to look."
        )
    if taken:
        say(f"Took the definitions that are new in this version: {', '.join(taken)}.")
    return {"migrated": True, "definitions": taken, "reread": reread, "linked": asdict(linked) if linked else None}, 0
