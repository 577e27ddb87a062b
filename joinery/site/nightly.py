"""What is due once a day: each app's `actions.due`, in the order of the river.

Nothing that anybody sees depends on it having run. Each job is safe to repeat.
"""

from __future__ import annotations

import logging
from datetime import datetime

from joinery.apps.base.action import Actor
from joinery.apps.care import actions as care
from joinery.apps.privacy import actions as privacy
from joinery.apps.record import actions as record
from joinery.site.idle import forget_sessions
from joinery.site.staff.leaving import end_leavers

logger = logging.getLogger("joinery.nightly")
JOBS = (
    ("record", record.due), ("care", care.due), ("privacy", privacy.due), ("leavers", end_leavers),
    ("sessions", forget_sessions),
)  # fmt: skip


def run(at: datetime) -> dict[str, int]:
    """Run every job; returns how much each did."""
    actor = Actor.system("nightly")
    done = {name: job(actor=actor, at=at) for name, job in JOBS}
    logger.info("nightly", extra={"kept": done})
    return done
