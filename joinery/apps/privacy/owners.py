"""Whom a task waits for: worked out when somebody asks, so that it waits for nobody who has left."""

from __future__ import annotations

from collections.abc import Sequence

from joinery.apps.place.facts import Holder

OFFICER, LEAD = "privacy_officer", "integration_lead"


def owners(
    holders: Sequence[Holder], *, organisation: str, home: str, barred: frozenset[int], overdue: bool
) -> tuple[Holder, ...]:
    """Who may answer a task of an organisation: its privacy officers, and when it is overdue also those of the place.

    An organisation without one is answered for by the `home` body's, or its integration lead; a place without
    those by any other. `barred` is whom the task is about: nobody answers for their own look. Empty only when
    nobody else holds either role.
    """
    able = [holder for holder in holders if holder.user_id not in barred]
    officers = [holder for holder in able if holder.role == OFFICER]
    leads = [holder for holder in able if holder.role == LEAD]
    own = [holder for holder in officers if holder.organisation == organisation]
    central = next(filter(None, (_at(home, officers), _at(home, leads), officers, leads)), [])
    chosen = own + (central if overdue else []) if own else central
    return tuple({holder.user_id: holder for holder in chosen}.values())


def _at(organisation: str, holders: Sequence[Holder]) -> list[Holder]:
    return [holder for holder in holders if holder.organisation == organisation]
