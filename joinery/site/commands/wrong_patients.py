"""`joinery wrong-patients`: for the privacy officer, the visits that stood in another person's record."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from joinery.site.commands import make_ready, say


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """A line for each visit and wrong person. People have opaque ids, as in the addresses of pages."""
    make_ready()
    from joinery.apps.record.facts import misfiled

    found = misfiled()
    for each in found:
        say(
            f"{each.hospital}: from {each.from_at:%Y-%m-%d %H:%M} to {each.until_at:%Y-%m-%d %H:%M} UTC a visit stood "
            f"in the record of {each.wrong_person_id}; it is now in that of {each.person_id}."
        )
    say(f"{len(found):,} visits were under a wrong patient. Who looked meanwhile: /people/ID/who-has-looked/")
    lines = [
        asdict(e) | {t: getattr(e, t).isoformat(timespec="seconds") for t in ("from_at", "until_at")} for e in found
    ]
    return {"visits": lines}, 0
