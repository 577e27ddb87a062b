"""Whom a list of work is about: by name, of those whose records the reader may open, and logged."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from joinery.apps.record import actions as record_actions
from joinery.apps.record import facts as record
from joinery.site.context import Request, standing_of
from joinery.site.place.looking import acting


def names_of(request: Request, person_ids: Collection[str]) -> Mapping[str, record.FoundPerson]:
    """Those of these people whom the user may be told of, by their ids."""
    viewing = record_actions.list_people(person_ids=person_ids, posts=standing_of(request).posts, **acting(request))
    return {each.person_id: each for each in record.found_people(viewing)} if viewing.person_ids else {}
