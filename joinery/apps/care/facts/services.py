"""What the place offers, to whom, and who works in it."""

from __future__ import annotations

from datetime import date

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.facts import person_facts, place_facts
from joinery.apps.care.rules import Rules, rules_on
from joinery.apps.care.services import ServiceNow, bodies_around, offered
from joinery.apps.place import facts as place
from joinery.apps.record import facts as record


@place_facts
def services(on: date, closed: bool = False) -> tuple[ServiceNow, ...]:
    """The services of the place on a day, by kind and name; with `closed`, those that are no more as well."""
    found = [each for each in offered(on).services.values() if closed or not each.closed]
    return tuple(sorted(found, key=lambda each: (each.kind_text, each.name)))


@place_facts
def service(code: str, on: date) -> ServiceNow | None:
    """One service, or None."""
    return offered(on).services.get(code)


@place_facts
def services_for(area: str, on: date) -> tuple[ServiceNow, ...]:
    """The services that take referrals of who lives in an LSOA, by kind and name. Where it is not known, all that take
    any."""
    able = [each for each in services(on) if each.open]
    around = bodies_around(area, on) if any(each.areas for each in able) else None
    return tuple(each for each in able if each.serves(around))


@person_facts
def home_area(viewing: Viewing, of: record.PersonRecords) -> str:
    """The LSOA where the person of the viewing lives; empty when it is not known, or withheld."""
    postcode = record.home_postcode(viewing, of)
    return (place.lsoa_of(postcode, place.as_at(viewing.at.date())) or "") if postcode else ""


@place_facts
def rules(on: date) -> Rules:
    """How urgent referrals can be, how soon each step is due, kinds of services, and reasons."""
    return rules_on(on)
