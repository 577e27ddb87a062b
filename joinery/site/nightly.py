"""What is due once a day: each app's `actions.due`, in the order of the river.

Nothing that anybody sees depends on it having run. Each job is safe to repeat.
"""

from __future__ import annotations

import logging
from datetime import datetime

from joinery.apps.base.action import Actor
from joinery.apps.record import actions as record

logger = logging.getLogger("joinery.nightly")
# Downstream apps add theirs after record's.
JOBS = (("record", record.due),)


def run(at: datetime) -> dict[str, int]:
    """Run every job; returns how much each did."""
    actor = Actor.system("nightly")
    done = {name: job(actor=actor, at=at) for name, job in JOBS}
    logger.info("nightly", extra={"kept": done})
    return done
