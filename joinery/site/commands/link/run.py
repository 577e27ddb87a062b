"""`joinery link run`: all records of the deployment, linked again as one batch."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from joinery.site.commands import say
from joinery.site.commands.place.common import acting, get_ready, refusals


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Link everything; what people decided stands. Warnings say what to look at, and are no failure."""
    get_ready()
    from joinery.apps.record.actions import run_linking

    with refusals():
        done = run_linking(train=arguments.train, **acting())
    say(f"{done.records:,} records compared by the model {done.model}.")
    say(
        f"{done.same:,} pairs are one person, {done.unsure:,} may be, {done.apart:,} contradict each other; "
        f"{done.changed:,} of these are new. {done.waiting:,} pairs wait for people to look."
    )
    say(f"{done.people_before:,} people before, {done.people:,} now; {done.moved:,} records moved.")
    for warning in done.warnings:
        say(f"joinery: {warning}")
    return asdict(done) | {"warnings": list(done.warnings)}, 0
