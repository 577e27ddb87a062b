"""`joinery bars key` and `send`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import get_ready, today


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Do what the noun says."""
    get_ready()
    return {"key": _key, "send": _send}[arguments.noun](arguments)


def _key(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from django.conf import settings

    from joinery.apps.place import facts
    from joinery.site.bars.known import new_key

    code = arguments.organisation
    if code not in facts.by_codes([code], facts.as_at(today())):
        raise Problem(f"No organisation has the code {code}. Register it first.")
    key = new_key(settings.KEYS, code)
    if not arguments.json:
        sys.stdout.write(f"Key (shown this once): {key}\n")
    say(f"The system of {code} sends it as: Authorization: Bearer KEY")
    return {"organisation": code, "key": key}, 0


def _send(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from django.conf import settings
    from django.utils import timezone

    from joinery.site.bars import sending
    from joinery.site.bars.known import NotSetUp, known

    counts = {"taken": 0, "refused": 0, "failed": 0, "without_key": 0}
    words = {
        "refused": "{to} refused a message ({status}): a note on the referral tells its sender.",
        "failed": "{to} could not be reached, or failed ({status}): the message goes again next time.",
        "key": "bars.toml names no key for {to}: the message waits.",
    }
    try:
        for sent in sending.send(known(settings.JOINERY_DATA), settings.JOINERY_DATA, timezone.now()):
            counts["without_key" if sent.what == "key" else sent.what] += 1
            if sent.what in words:
                say(f"joinery: {words[sent.what].format(to=sent.to, status=sent.status or 'no answer')}")
    except NotSetUp as problem:
        raise Problem(str(problem)) from None
    if not arguments.json:
        say(f"{counts['taken']} taken, {counts['refused']} refused, {counts['failed']} to go again.")
    return dict(counts), int(counts["taken"] != sum(counts.values()))
