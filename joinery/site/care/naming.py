"""What services are called, and whom a list of work is about, of those whose records the reader may open."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from joinery.apps.base.access_log import Viewing
from joinery.apps.care.facts import ServiceNow
from joinery.apps.record import actions as record_actions
from joinery.apps.record import facts as record
from joinery.site.context import Request, standing_of
from joinery.site.place.looking import acting


def service_words(service: ServiceNow) -> str:
    """A service and who runs it; once where both are called the same."""
    return ", ".join(dict.fromkeys((service.name, service.body_name)))


def list_of(request: Request, person_ids: Collection[str]) -> Viewing:
    """A viewing of those of these people whom the user may be told of."""
    return record_actions.list_people(person_ids=person_ids, posts=standing_of(request).posts, **acting(request))


def names_of(viewing: Viewing) -> Mapping[str, record.FoundPerson]:
    """The people of a list, by their ids."""
    return {each.person_id: each for each in record.found_people(viewing)} if viewing.person_ids else {}
