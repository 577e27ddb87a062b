"""Opening rows for a job: one entry in the access log, before anything is read."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.access_log import Look, log_access
from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.feeds import feed_of
from joinery.apps.record.opt_outs import allowed_numbers
from joinery.apps.record.returns import Rows
from joinery.calc.access import Decision


@action("record.open_rows", targets=("feed",))
def open_rows(*, feed: str, actor: Actor, at: datetime) -> Rows:
    """Let a job read the rows of a return, without what names a person, for the purpose of the feed.

    For planning and measures the national data opt-out is applied, as last checked (`take_opt_outs`).
    Raises Refused for a person, who may see no rows, and for a feed that is no return.
    """
    if actor.user_id is not None:
        raise Refused("rows", "Rows of a return are for jobs of the software. Nobody may look at them one by one.")
    if feed_of(feed).store != "returns":
        raise Refused("rows", f"{feed} is no return.")
    purpose = feed_of(feed).purpose
    log_access(actor=actor, at=at, look=Look("rows", purpose, Decision(True, "job")), person_ids=[])
    return Rows(feed, at, allowed_numbers(at) if purpose == "secondary_use" else None)
