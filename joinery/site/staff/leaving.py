"""Leavers: who has no role left, and no record of their own to see, is cut off."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from joinery.apps.base.action import Actor
from joinery.apps.base.actions import end_user
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record


def end_leavers(*, actor: Actor, at: datetime, of: Collection[int] | None = None) -> int:
    """End the accounts of leavers (of some users only, by id); returns how many. It is safe to repeat."""
    gone = place.left(at.date(), of)
    gone = gone and gone - record.own_access_users(at.date())
    for user_id in sorted(gone):
        end_user(user_id=user_id, actor=actor, at=at)
    return len(gone)
