"""`joinery audit verify`."""

from __future__ import annotations

import argparse
from typing import Any

from joinery.site import setup
from joinery.site.commands import Problem, say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Recompute the chain over the logs, and look for rows that hang on nothing; exit code 1 when anything is wrong."""
    setup.load()
    from django.conf import settings
    from django.db import connection

    from joinery.apps.base import parents, rights, seal, triggers
    from joinery.apps.base.keys import Keys

    if setup.is_new():
        raise Problem("There is no deployment here yet. Name its folder: JOINERY_DATA=FOLDER joinery audit verify")
    found = seal.verify(keys=Keys(settings.KEYS))
    guarded = triggers.are_current(connection)
    problems = found.problems + ([] if guarded else ["the triggers that guard the tables are missing or changed"])
    problems += parents.missing()
    if connection.vendor == "postgresql":
        problems += rights.beyond(connection)
        if rights.owns(connection, "base_access"):
            say("The role that serves owns the tables, and can take the guards off: see JOINERY_DATABASE_OWNER.")
    for problem in problems:
        say(f"joinery: {problem}")
    say(f"{found.rows:,} rows in {found.blocks:,} sealed blocks; {found.unsealed:,} rows not sealed yet.")
    answer = {
        "ok": not problems,
        "blocks": found.blocks,
        "rows": found.rows,
        "unsealed": found.unsealed,
        "problems": problems,
    }
    return answer, 0 if not problems else 1
