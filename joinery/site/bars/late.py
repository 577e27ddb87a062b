"""What has not reached a system outside for long: the pages of the referral and of the service say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from joinery.apps.care import facts
from joinery.apps.place import facts as place
from joinery.site.bars.known import NotSetUp, known

# The worker sends each minute: what has not gone by then will hardly go by itself.
LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Late:
    """So many messages to some bodies outside have not been taken, the oldest since a moment, tried so many times."""

    names: tuple[str, ...]
    count: int
    since_at: datetime
    tries: int


def late_messages(at: datetime, *, code: str = "", service: str = "") -> Late | None:
    """What is late of one referral, or of all that are with one service (their codes); None when nothing is."""
    try:
        bodies = sorted(known(settings.JOINERY_DATA).organisations)
    except NotSetUp:  # the worker's log says so
        return None
    waiting = facts.undelivered(bodies, code) if bodies else ()
    late = [each for each in waiting if each.since_at <= at - LATE and service in ("", each.service)]
    if not late:
        return None
    names = place.organisation_names({each.to for each in late}, at.date())
    return Late(
        names=tuple(sorted(names.values())), count=len(late), since_at=min(each.since_at for each in late),
        tries=max(each.failures for each in late),
    )  # fmt: skip
