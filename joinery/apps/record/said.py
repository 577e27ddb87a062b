"""What a record says, field by field, in words and as it is compared by eye."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from joinery.apps.base.access_log import Viewing
from joinery.apps.record.facts.who import GENDERS
from joinery.apps.record.people import Known
from joinery.calc.access import may_read
from joinery.calc.linkage.ladder import name_key

# The fields of the golden record, in the order of a page.
FIELDS = {
    "family_name": "Last name",
    "given_name": "First names",
    "title": "Title",
    "preferred_name": "Likes to be called",
    "birth_date": "Born",
    "death_date": "Died",
    "gender": "Sex",
    "nhs_number": "NHS number",
    "address": "Address",
}
# What a record that carries a sealed name does not say.
NAMES = ("family_name", "given_name", "title", "preferred_name", "gender")
_BY_LETTERS = ("family_name", "given_name", "preferred_name", "title", "address")


def said_text(known: Known, field: str) -> str:
    """What a record says in a field, in words; empty where it says nothing. A sealed name is not said.

    Somebody known to have died has died, whether the day is known or not.
    """
    if field == "death_date" and known.dead and not known.death_date:
        return "Date not known"
    if known.name_sealed and field in ("family_name", "given_name"):
        return "Withheld"
    value = getattr(known, field)
    if field == "gender":
        return GENDERS.get(value.lower(), "Not known") if value else ""
    if field == "nhs_number" and value:
        return f"{value[:3]} {value[3:6]} {value[6:]}"
    if isinstance(value, date):
        return f"{value.day} {value:%B} {value.year}"
    return ", ".join(value) if isinstance(value, tuple) else str(value or "")


def as_compared(text: str, field: str) -> str:
    """A text of a field in the form in which two of them are the same."""
    return name_key(text) if field in _BY_LETTERS else text


def address_hidden(viewing: Viewing, known: Iterable[Known]) -> bool:
    """Whether the addresses of a person are kept from this viewer: all of them, where one source hides its own."""
    return any(k.restricted and not may_read("address", k.organisation, viewing.decision) for k in known)
