"""What makes made-up people harder to link: errors and ways of writing that our blocking does not mirror.

How often each happens is an assumption, made once and never fitted to what comes out.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Literal

from nhs_number import calculate_checksum

from benchmarks.people_names import SPELLINGS

if TYPE_CHECKING:
    from benchmarks.people import Person, Record

Trait = Literal[
    "twin",  # born the same day in the same household as another
    "near_number",  # a twin whose number was given out right after the other's
    "same_name",  # the name of another of the household
    "double_name",  # a double-barrelled surname, which each feed writes in its own way
    "spelling",  # a name that is spelt in several ways
    "no_fixed_address",
    "care_home",  # lives in a home, whose postcode many share
    "newborn",  # named Baby until the birth is registered
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NO_FIXED_ABODE = "ZZ99 3VZ"
# Feeds that write names in capitals, postcodes without a space, numbers in three groups.
CAPITALS, NO_SPACE, IN_GROUPS = ("hospital", "council"), ("community", "care_home"), ("hospital",)


def give_traits(draw: random.Random, people: list[Person], homes: list[str]) -> None:
    """Give people what makes them hard to tell, in place."""
    before: Person | None = None
    for person in people:
        traits: set[Trait] = set(person.traits)
        if "twin" in traits and before is not None:
            _make_twins_alike(draw, before, person, traits)
        if person.origin == "british" and draw.random() < 0.04:
            person.family_name = f"{person.family_name}-{draw.choice(people).family_name}"
            traits.add("double_name")
        if draw.random() < (0.25 if person.origin == "irish" else 0.004):
            person.postcode = NO_FIXED_ABODE
            traits.add("no_fixed_address")
        if person.birth < date(1945, 1, 1) and draw.random() < 0.08:
            person.postcode = draw.choice(homes)
            traits.add("care_home")
        if person.birth > date(2025, 4, 1):
            traits.add("newborn")
        if _spellings().get(person.given_name) or _spellings().get(person.family_name):
            traits.add("spelling")
        person.traits, before = frozenset(traits), person


def _make_twins_alike(draw: random.Random, first: Person, second: Person, traits: set[Trait]) -> None:
    """Half share a first letter, and half have numbers in a row: two digits apart at the least."""
    second.family_name = first.family_name
    if draw.random() < 0.5 and first.gender == second.gender:
        second.given_name = first.given_name[:1] + second.given_name[1:]
    following = next_number(first.nhs_number)
    if draw.random() < 0.5 and following:
        second.nhs_number = following
        traits.add("near_number")


def next_number(number: str) -> str:
    """The valid number that follows; "" when there is none.

    >>> next_number("9000000009")
    '9000000017'
    """
    for stem in range(int(number[:9]) + 1, int(number[:9]) + 3):
        check = calculate_checksum(f"{stem:09d}")
        if stem < 1_000_000_000 and check != 10:
            return f"{stem:09d}{check}"
    return ""


def spoil(draw: random.Random, record: Record, person: Person) -> Record:
    """The record as a feed with worse habits writes it."""
    weak = 0.5 if record.feed == "gp" else 1.0
    record = _spoil_names(draw, record, person, weak)
    record = _spoil_rest(draw, record, person, weak)
    if record.feed in CAPITALS:
        record = replace(record, given_name=record.given_name.upper(), family_name=record.family_name.upper())
    if record.feed in NO_SPACE:
        record = replace(record, postcode=record.postcode.replace(" ", ""))
    if record.feed in IN_GROUPS and record.nhs_number:
        number = record.nhs_number
        record = replace(record, nhs_number=f"{number[:3]} {number[3:6]} {number[6:]}")
    return record


def _spoil_names(draw: random.Random, record: Record, person: Person, weak: float) -> Record:
    given, family, chance = record.given_name, record.family_name, draw.random
    if "spelling" in person.traits and chance() < 0.3 * weak:
        given, family = other_spelling(draw, given), other_spelling(draw, family)
    if "double_name" in person.traits and chance() < 0.5 * weak:
        given, family = given, _other_double(draw, family)
    if chance() < 0.004 * weak and given:
        given = draw.choice(LETTERS) + given[1:]
    if chance() < 0.004 * weak and family:
        family = draw.choice(LETTERS) + family[1:]
    if chance() < 0.03 * weak:
        given = f"{given} {draw.choice(LETTERS)}"  # a middle initial
    if "newborn" in person.traits and record.feed != "gp" and chance() < 0.4:
        given, record = "Baby", replace(record, nhs_number="")
    if chance() < 0.002 * weak:
        given = "UNKNOWN"
    return replace(record, given_name=given, family_name=family)


def _spoil_rest(draw: random.Random, record: Record, person: Person, weak: float) -> Record:
    birth, postcode, number, gender = record.birth_date, record.postcode, record.nhs_number, record.gender
    chance = draw.random
    if birth and chance() < 0.002 * weak:
        birth = f"{birth[:5]}02-3{draw.randrange(2)}"  # a day that no calendar has
    if chance() < 0.002 * weak:
        birth = "1900-01-01"
    if "no_fixed_address" in person.traits:
        if chance() < 0.5 and record.feed != "gp":
            number = ""
        if birth and chance() < 0.15 * weak:
            birth = f"{birth[:4]}-01-01"
        if chance() < 0.3:
            postcode = ""
    if gender and chance() < 0.003 * weak:
        gender = "female" if gender == "male" else "male"
    return replace(record, birth_date=birth, postcode=postcode, nhs_number=number, gender=gender)


def other_spelling(draw: random.Random, name: str) -> str:
    """Another spelling of the name, or the name itself where it has one only."""
    others = [other for other in _spellings().get(name, ()) if other != name]
    return draw.choice(others) if others else name


def _other_double(draw: random.Random, family: str) -> str:
    first, dash, last = family.partition("-")
    return draw.choice((f"{first} {last}", first, last, first + last)) if dash else family


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    return {name: group for group in SPELLINGS for name in group}
