"""Names, numbers and addresses for made-up people. Every function draws from the generator it is given."""

import random

import nhs_number

from joinery.site.demo.events import definitions


def ethnic_category(rng: random.Random) -> str:
    """An NHS ethnic category (2001 list, one letter) in the place's proportions."""
    shares = definitions("names")["shares"]
    return rng.choices(list(shares), list(shares.values()))[0]


def family_name(rng: random.Random, ethnicity: str) -> str:
    """A family name common among people of the ethnic category."""
    names = definitions("names")
    return rng.choice(names["family"][names["groups"][ethnicity]])


def given_name(rng: random.Random, ethnicity: str, gender: str, birth_year: int) -> str:
    """A given name plausible for the person's gender and year of birth."""
    names = definitions("names")
    cohorts = names["given"][names["groups"][ethnicity]][gender]
    cohort = max((int(first) for first in cohorts if int(first) <= birth_year), default=1900)
    return rng.choice(cohorts[str(cohort)])


def nicknames(given: str) -> list[str]:
    """The short forms other people use for a given name; often none."""
    return definitions("names")["nicknames"].get(given, [])


def made_up_nhs_number(rng: random.Random, taken: set[str]) -> str:
    """A valid NHS number from the range kept for testing (999), not in `taken`; it is added there."""
    while True:
        stem = f"999{rng.randrange(1_000_000):06d}"
        check = nhs_number.calculate_checksum(stem)
        number = f"{stem}{check}"
        if check != 10 and number not in taken and number != "9999999999":
            taken.add(number)
            return number


def address(rng: random.Random) -> tuple[str, str]:
    """First line and postcode of a house in the place."""
    streets = definitions("place")["streets"]
    street = rng.choice(list(streets))
    return f"{rng.randint(1, 60)} {street}", streets[street]


def phone(person: int) -> str:
    """A mobile number from the range Ofcom keeps for drama (07700 900000 to 900999)."""
    return f"07700 900{person % 1000:03d}"
