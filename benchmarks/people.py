"""Made-up people in five feeds of one English place, with known truth.

Two kinds. The rates of the plain one are assumptions of the project. The harder one adds what
our blocking and our comparisons were not made after: first letters mistyped, spellings from other alphabets,
double-barrelled names, twins with numbers in a row, people of no fixed address, homes shared by many.

    .venv/bin/python -m benchmarks.people --persons 40000 --seed 1 --harder people.csv
"""

from __future__ import annotations

import argparse
import csv
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from nhs_number import calculate_checksum
from nicknames import NickNamer

from benchmarks.people_harder import Trait, give_traits, spoil
from benchmarks.people_names import FAMILY, GIVEN

if TYPE_CHECKING:
    import pyarrow as pa

FEEDS = ("gp", "hospital", "community", "council", "care_home")
AS_OF = date(2025, 10, 1)
# What share of people is in each feed beside the GP's, before age counts.
MEMBERS = {"hospital": 0.55, "community": 0.33, "council": 0.16, "care_home": 0.05}
ORIGINS = {"british": 86, "south_asian": 7, "irish": 2, "polish": 1.5, "arab": 1.5, "african": 1.2, "chinese": 0.8}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a feed makes each error: our own assumptions."""

    number_missing: float
    number_wrong: float
    given_typo: float
    family_typo: float
    nickname: float
    initial: float
    names_swapped: float
    birth_missing: float
    day_month_swapped: float
    birth_part_wrong: float
    birth_default: float
    old_address: float
    postcode_typo: float
    postcode_missing: float
    family_changed: float
    gender_missing: float
    duplicate: float
    number_of_another: float


RATES = {
    feed: Rates(*column)
    for feed, *column in zip(
        FEEDS,
        (0, 0.04, 0.03, 0.30, 0.50),
        (0.0002, 0.002, 0.002, 0.006, 0.010),
        (0.004, 0.015, 0.015, 0.025, 0.035),
        (0.004, 0.015, 0.015, 0.03, 0.04),
        (0.02, 0.04, 0.05, 0.10, 0.18),
        (0, 0.002, 0.002, 0.01, 0.03),
        (0.0005, 0.003, 0.003, 0.008, 0.010),
        (0, 0.001, 0.001, 0.02, 0.05),
        (0.0005, 0.004, 0.004, 0.010, 0.015),
        (0.001, 0.006, 0.006, 0.012, 0.015),
        (0.0005, 0.003, 0.003, 0.010, 0.015),
        (0.03, 0.07, 0.07, 0.12, 0.55),
        (0.002, 0.006, 0.006, 0.012, 0.015),
        (0.001, 0.01, 0.01, 0.02, 0.03),
        (0.01, 0.02, 0.02, 0.03, 0.04),
        (0.001, 0.005, 0.005, 0.02, 0.03),
        (0.005, 0.04, 0.02, 0.05, 0.06),
        (0, 0, 0, 0.002, 0.002),
        strict=True,
    )
}


@dataclass(slots=True)
class Person:
    """One person as they are; `family` is the surname now."""

    given_name: str
    family_name: str
    birth: date
    gender: str
    postcode: str
    nhs_number: str
    origin: str
    traits: frozenset[Trait] = frozenset()


@dataclass(slots=True)
class Record:
    """What one feed says of one person; `birth_date` is year, month and day as written, "" for not said.

    `person` and `traits` are the truth, which no linkage may read.
    """

    record: int
    feed: str
    nhs_number: str
    given_name: str
    family_name: str
    birth_date: str
    gender: str
    postcode: str
    person: int
    traits: str


@dataclass(frozen=True, slots=True)
class Place:
    """What people of a place share."""

    people: list[Person]
    postcodes: list[str]
    homes: list[str]


def records(persons: int, *, seed: int, harder: bool = False) -> Iterator[Record]:
    """Every record of about 2.5 a person, those of a person together. The same for the same arguments."""
    draw = random.Random(f"five feeds {seed} {harder}")
    place = make_place(draw, persons, harder)
    number = 0
    for position, person in enumerate(place.people):
        for feed in _feeds_of(draw, person):
            for _ in range(1 + (draw.random() < RATES[feed].duplicate)):
                number += 1
                yield _write(draw, place, position, feed, number, harder)


def table(persons: int, *, seed: int, harder: bool = False) -> pa.Table:
    """The same as an Arrow table of text columns, with `record` and `person` as whole numbers."""
    import pyarrow as pa

    columns: dict[str, list[object]] = {field.name: [] for field in fields(Record)}
    pairs = [(name, column.append) for name, column in columns.items()]
    for record in records(persons, seed=seed, harder=harder):
        for name, append in pairs:
            append(getattr(record, name))
    return pa.table(columns)


def make_place(draw: random.Random, persons: int, harder: bool) -> Place:
    """The people, household by household."""
    households = max(1, round(persons / 2.2))
    outward = [f"X{letter}{number}" for letter in "ABCDE" for number in range(1, 6)]
    postcodes = [_postcode(draw, outward) for _ in range(max(50, households // 15))]
    homes = [_postcode(draw, outward) for _ in range(max(2, persons // 8000))]
    numbers: set[str] = set()
    people: list[Person] = []
    before, family, origin, postcode, last = -1, "", "", "", None
    for household in sorted(draw.randrange(households) for _ in range(persons)):
        if household != before:
            before, last, origin, postcode = household, None, _origin(draw), draw.choice(postcodes)
            family = _name(draw, FAMILY[origin], 20)
        last = _person(draw, family if draw.random() >= 0.2 else "", origin, postcode, last, numbers)
        people.append(last)
    if harder:
        give_traits(draw, people, homes)
    return Place(people, postcodes, homes)


def _person(
    draw: random.Random, family: str, origin: str, postcode: str, last: Person | None, numbers: set[str]
) -> Person:
    """A person of a household, whose one before is `last`: now and then a twin, or of the same name."""
    gender = draw.choice(("male", "female"))
    years = min(max(draw.gauss(76, 10), 40), 104) if draw.random() < 0.35 else draw.uniform(0, 90)
    birth = AS_OF - timedelta(days=int(years * 365.25))
    traits: set[Trait] = set()
    if last is not None and draw.random() < 0.012:
        birth = last.birth
        traits.add("twin")
    given = _given(draw, origin, gender, birth)
    family = family or _name(draw, FAMILY[origin], 20)
    if last is not None and last.gender == gender and draw.random() < 0.01:
        given, family = last.given_name, last.family_name
        traits.add("same_name")
    return Person(given, family, birth, gender, postcode, _number(draw, numbers), origin, frozenset(traits))


def _feeds_of(draw: random.Random, person: Person) -> list[str]:
    factor = 1.9 if (AS_OF - person.birth).days > 75 * 365.25 else 0.75
    extra = 0.6 if "care_home" in person.traits else 0.0
    joined = [feed for feed, share in MEMBERS.items() if draw.random() < share * factor + extra * (feed == "care_home")]
    return ["gp", *joined]


def _write(draw: random.Random, place: Place, position: int, feed: str, number: int, harder: bool) -> Record:
    """What the feed says of the person, errors made one after another in a fixed order."""
    person, rates, chance = place.people[position], RATES[feed], draw.random
    given, family = person.given_name, person.family_name
    if chance() < rates.nickname and (short := nicknames_of(given)):
        given = draw.choice(short)
    if chance() < rates.family_changed:
        family = _name(draw, FAMILY[person.origin], 20)
    if chance() < rates.given_typo:
        given = typo(draw, given)
    if chance() < rates.family_typo:
        family = typo(draw, family)
    if chance() < rates.initial:
        given = given[:1]
    if chance() < rates.names_swapped:
        given, family = family, given
    postcode = _written_postcode(draw, place, person, feed)
    nhs_number = _written_number(draw, place, position, rates)
    gender = "" if chance() < rates.gender_missing else person.gender
    record = Record(
        number, feed, nhs_number, given, family, _written_birth(draw, person.birth, rates), gender, postcode,
        position, " ".join(sorted(person.traits)),
    )  # fmt: skip
    return spoil(draw, record, person) if harder else record


def _written_birth(draw: random.Random, birth: date, rates: Rates) -> str:
    """Year, month and day; a wrong month may make a day that no calendar has."""
    year, month, day = birth.year, birth.month, birth.day
    if draw.random() < rates.day_month_swapped and day <= 12:
        month, day = day, month
    if draw.random() < rates.birth_part_wrong:
        part = draw.randrange(3)
        if part == 0:
            year += draw.choice((-10, -1, 1, 10))
        elif part == 1:
            day = draw.randint(1, 28)
        else:
            month = draw.randint(1, 12)
    if draw.random() < rates.birth_default:
        month, day = 1, 1
    return "" if draw.random() < rates.birth_missing else f"{year:04d}-{month:02d}-{day:02d}"


def _written_postcode(draw: random.Random, place: Place, person: Person, feed: str) -> str:
    rates, postcode = RATES[feed], person.postcode
    if draw.random() < rates.old_address and "care_home" not in person.traits:
        postcode = draw.choice(place.homes if feed == "care_home" else place.postcodes)
    if draw.random() < rates.postcode_typo:
        at = draw.choice((-1, -2, -3))
        letters = list(postcode)
        letters[at] = draw.choice("123456789" if at == -3 else LETTERS.upper())
        postcode = "".join(letters)
    return "" if draw.random() < rates.postcode_missing else postcode


def _written_number(draw: random.Random, place: Place, position: int, rates: Rates) -> str:
    """The number: now and then with digits wrong, or that of the next person in the household, or none."""
    number = place.people[position].nhs_number
    if draw.random() < rates.number_wrong:
        digits, at = list(number), draw.randrange(9)
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
        if draw.random() < 0.5:
            digits[draw.randrange(10)] = draw.choice("0123456789")
        number = "".join(digits)
    if draw.random() < rates.number_of_another:
        number = place.people[(position + 1) % len(place.people)].nhs_number
    return "" if draw.random() < rates.number_missing else number


def typo(draw: random.Random, text: str) -> str:
    """One letter put in, left out, changed or swapped; never the first, and never in fewer than three letters."""
    if len(text) < 3:
        return text
    at, letters = draw.randrange(1, len(text)), list(text)
    kind = draw.randrange(4)
    if kind == 0:
        letters.insert(at, draw.choice(LETTERS))
    elif kind == 1:
        del letters[at]
    elif kind == 2 or at == len(text) - 1:
        letters[at] = draw.choice(LETTERS)
    else:
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


@cache
def nicknames_of(given: str) -> tuple[str, ...]:
    """Short forms of a given name, in order; often none."""
    return tuple(sorted(_namer().nicknames_of(given)))


@cache
def _namer() -> NickNamer:
    return NickNamer()


def _given(draw: random.Random, origin: str, gender: str, birth: date) -> str:
    age = "old" if birth.year < 1945 else "middle" if birth.year < 1980 else "young"
    return _name(draw, GIVEN[origin][f"{gender} {age}"], 6)


def _name(draw: random.Random, names: tuple[str, ...], flat: int) -> str:
    """A name, its weight 1/(rank + flat)."""
    weights = _weights(len(names), flat)
    return names[bisect(weights, draw.random() * weights[-1])]


@cache
def _weights(many: int, flat: int) -> list[float]:
    return list(accumulate(1 / (rank + flat) for rank in range(many)))


def _origin(draw: random.Random) -> str:
    return draw.choices(list(ORIGINS), list(ORIGINS.values()))[0]


def _postcode(draw: random.Random, outward: list[str]) -> str:
    inward = "".join(draw.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))
    return f"{draw.choice(outward)} {draw.randint(1, 9)}{inward}"


def _number(draw: random.Random, taken: set[str]) -> str:
    """A valid number of the 900 to 999 million, which no person has: those with 999 alone would be too near."""
    while True:
        stem = f"9{draw.randrange(100_000_000):08d}"
        check = calculate_checksum(stem)
        if check != 10 and (number := f"{stem}{check}") not in taken:
            taken.add(number)
            return number


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.people", description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--persons", type=int, default=40_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--harder", action="store_true")
    chosen = options.parse_args()
    with chosen.file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Record)])
        writer.writeheader()
        writer.writerows(map(asdict, records(chosen.persons, seed=chosen.seed, harder=chosen.harder)))


if __name__ == "__main__":
    main()
