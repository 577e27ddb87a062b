"""The people of the place: households of plausible names, ages and addresses, as columns."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import NamedTuple

from joinery.site.demo import names
from joinery.site.demo.events import definitions

OLDER_SHARE = 0.46  # of households are headed by somebody of about 77; they are smaller, so about 35 % of people
PRACTICES = ("Z90001", "Z90002")
TITLES = {"male": ("Mr",), "female": ("Mrs", "Miss", "Ms")}


class Person(NamedTuple):
    """One person. Texts are "" and dates None where there is nothing; `nhs_number` is ten digits or ""."""

    person: int
    nhs_number: str
    title: str
    given_name: str
    family_name: str
    preferred_name: str
    birth_date: date
    gender: str  # male, female, other, unknown
    ethnicity: str  # NHS ethnic category, 2001 list
    address_1: str
    address_2: str
    postcode: str
    household: int
    gp_practice: str
    death_date: date | None = None
    restricted: bool = False  # where they live must not be found out

    def age_years(self, on: date) -> int:
        """Completed years of age on a date."""
        before_birthday = (on.month, on.day) < (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - before_birthday


@dataclass(frozen=True, slots=True)
class People:
    """The same as columns of equal length; row n is person n."""

    person: tuple[int, ...]
    nhs_number: tuple[str, ...]
    title: tuple[str, ...]
    given_name: tuple[str, ...]
    family_name: tuple[str, ...]
    preferred_name: tuple[str, ...]
    birth_date: tuple[date, ...]
    gender: tuple[str, ...]
    ethnicity: tuple[str, ...]
    address_1: tuple[str, ...]
    address_2: tuple[str, ...]
    postcode: tuple[str, ...]
    household: tuple[int, ...]
    gp_practice: tuple[str, ...]
    death_date: tuple[date | None, ...]
    restricted: tuple[bool, ...]

    @classmethod
    def of(cls, rows: Iterable[Person]) -> "People":
        """Columns from people in order."""
        return cls(*zip(*rows, strict=True))

    def __len__(self) -> int:
        return len(self.person)

    def rows(self) -> list[Person]:
        """The same people one row at a time."""
        return list(map(Person._make, zip(*(getattr(self, f.name) for f in fields(self)), strict=True)))


def population(people: int, seed: int, as_of: date) -> list[Person]:
    """Exactly `people` people, the first being Mrs Margaret Smith and the second her son. Deaths come later."""
    rng = random.Random(f"{seed}/people")
    taken = {"9990001111"}
    made = _smiths(taken, rng)
    household = 2
    while len(made) < people:
        for member in _household(rng, as_of):
            number = "" if rng.random() < 0.012 else names.made_up_nhs_number(rng, taken)
            made.append(member._replace(person=len(made), household=household, nhs_number=number))
        household += 1
    return made[:people]


def _smiths(taken: set[str], rng: random.Random) -> list[Person]:
    """Mrs Smith, whom tests and screenshots know, and her son David in his own house.

    Her number is the nearest valid one to 999 000 1114, which fails the check digit.
    """
    streets = definitions("place")["streets"]
    margaret = Person(
        0,
        "9990001111",
        "Mrs",
        "Margaret",
        "Smith",
        "Peggy",
        date(1941, 3, 3),
        "female",
        "A",
        "14 Chelmer Road",
        "Wexcombe",
        streets["Chelmer Road"],
        0,
        "Z90001",
    )
    david = Person(
        1,
        names.made_up_nhs_number(rng, taken),
        "Mr",
        "David",
        "Smith",
        "",
        date(1966, 9, 18),
        "male",
        "A",
        "7 Tern Way",
        "Wexcombe",
        streets["Tern Way"],
        1,
        "Z90001",
    )
    return [margaret, david]


def _household(rng: random.Random, as_of: date) -> list[Person]:
    """One household: a couple or one person, and perhaps children or a grown-up child.

    Spouses mostly share a family name; brothers and sisters are sometimes twins; a grown-up son is sometimes
    called exactly what his father is. All three defeat careless matching.
    """
    older = rng.random() < OLDER_SHARE
    age = min(102, max(62, round(rng.gauss(77, 9)))) if older else rng.randint(20, 72)
    ethnicity = names.ethnic_category(rng) if not older or rng.random() < 0.4 else "A"
    line, postcode = names.address(rng)
    in_care_home = older and age > 80 and rng.random() < 0.10
    if in_care_home:
        home = definitions("place")["care_home"]
        line, postcode = home["line"], home["postcode"]
    family = names.family_name(rng, ethnicity)
    shared = (ethnicity, family, line, postcode, rng.choices(PRACTICES, (3, 2))[0])
    gender = rng.choice(("female", "female", "male")) if age > 80 else rng.choice(("female", "male"))
    members = [_member(rng, as_of, age, gender, shared)]
    if in_care_home:
        return members
    if rng.random() < (0.45 if older else 0.55):
        other = "male" if gender == "female" else "female"
        spouse = _member(rng, as_of, max(19, age + rng.randint(-5, 5)), other, shared)
        if rng.random() < 0.2:
            spouse = spouse._replace(family_name=names.family_name(rng, ethnicity))
        members.append(spouse)
    if 26 <= age <= 48 and rng.random() < 0.6:
        members += _children(rng, as_of, age, shared)
    if age > 58 and rng.random() < 0.10:
        members.append(_grown_up_child(rng, as_of, members[0], shared))
    return members


def _children(rng: random.Random, as_of: date, parent_age: int, shared: tuple) -> list[Person]:
    """One to three children, two of them twins now and then."""
    oldest = min(17, parent_age - 20)
    children = [
        _member(rng, as_of, rng.randint(0, oldest), rng.choice(("female", "male")), shared)
        for _ in range(rng.choice((1, 2, 2, 3)))
    ]
    if len(children) > 1 and rng.random() < 0.15:
        children[1] = children[1]._replace(birth_date=children[0].birth_date)
        while children[1].given_name == children[0].given_name:
            year = children[1].birth_date.year
            name = names.given_name(rng, children[1].ethnicity, children[1].gender, year)
            children[1] = children[1]._replace(given_name=name)
    return children


def _grown_up_child(rng: random.Random, as_of: date, parent: Person, shared: tuple) -> Person:
    """A son or daughter still, or again, at home; half the sons of a father carry his name."""
    age = parent.age_years(as_of) - rng.randint(24, 34)
    child = _member(rng, as_of, age, rng.choice(("female", "male")), shared)
    if child.gender == parent.gender and rng.random() < 0.5:
        return child._replace(given_name=parent.given_name)
    return child


def _member(rng: random.Random, as_of: date, age: int, gender: str, shared: tuple) -> Person:
    """One person of a given age; number, household and row are filled in by the caller."""
    ethnicity, family, line, postcode, practice = shared
    birth_date = as_of - timedelta(days=round(age * 365.25) + rng.randint(14, 364))
    given = names.given_name(rng, ethnicity, gender, birth_date.year)
    title = rng.choice(TITLES[gender]) if age >= 16 else ""
    short = names.nicknames(given)
    preferred = rng.choice(short) if short and rng.random() < 0.15 else ""
    restricted = rng.random() < 0.006
    return Person(
        -1,
        "",
        title,
        given,
        family,
        preferred,
        birth_date,
        gender,
        ethnicity,
        line,
        "Wexcombe",
        postcode,
        -1,
        practice,
        None,
        restricted,
    )
