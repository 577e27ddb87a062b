"""People who are easily mistaken for one another, or not recognised: what linking is for, told by hand.

They are the last people of a place that has room for them. Who they are, and what each service holds of them, is
in `definitions/demo/cases.toml`; `truth/cases.csv` says which person belongs to which case.
"""

import random
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from joinery.site.demo import lives_health, lives_provider, names
from joinery.site.demo.diary import Diary, at_clock, in_hours, working_day
from joinery.site.demo.events import definitions
from joinery.site.demo.lives_council import ADVICE, COUNCIL
from joinery.site.demo.lives_health import COMMUNITY, HOSPITAL
from joinery.site.demo.population import PRACTICES, Person

FEWEST_PEOPLE = 150
NUMBER_OF_THE_ONE_BEFORE = "of the one before"


class Told(NamedTuple):
    """One person of a case. `held` is, by organisation, what it holds instead of what is true."""

    case: str
    household: int  # within the cases
    person: Person
    known_to: tuple[str, ...]
    held: dict[str, dict[str, Any]]


def count(people: int) -> int:
    """How many of a place's people are told here: all, or none when it is too small."""
    return len(_told()) if people >= FEWEST_PEOPLE else 0


def told(person: int, people: int) -> Told | None:
    """What is told of a person, of a place of so many; None for everybody else."""
    at = person - (people - count(people))
    return _told()[at] if 0 <= at < count(people) else None


def people_after(others: list[Person], people: int, seed: int) -> list[Person]:
    """The people of the cases, to stand behind all others of a place of so many."""
    rng = random.Random(f"{seed}/cases")
    taken = {person.nhs_number for person in others}
    household = others[-1].household + 1
    made: list[Person] = []
    for each in _told()[: count(people)]:
        number = names.made_up_nhs_number(rng, taken) if each.person.nhs_number else ""
        row, home = len(others) + len(made), household + each.household
        made.append(each.person._replace(person=row, nhs_number=number, household=home))
    return made


def live(diary: Diary, rng: random.Random, known_to: tuple[str, ...]) -> None:
    """What the services beside the practice record: little, but enough to know the person. All are alive."""
    for organisation in known_to:
        LIVES[organisation](diary, rng)


def held(true: Person, before: Person, organisation: str, told: Told) -> Person:
    """The person as an organisation holds them; `before` is the one listed before."""
    values = dict(told.held.get(organisation, {}))
    if values.get("nhs_number") == NUMBER_OF_THE_ONE_BEFORE:
        values["nhs_number"] = before.nhs_number
    return true._replace(**values)


@cache
def _told() -> tuple[Told, ...]:
    """Everybody in the order of the definition."""
    return tuple(
        _read(case, household, row)
        for household, case in enumerate(definitions("cases")["case"])
        for row in case["people"]
    )


def _read(case: dict[str, Any], household: int, row: dict[str, Any]) -> Told:
    line = row.get("address", case["address"])
    person = Person(
        person=-1,
        nhs_number="to be made" if row.get("nhs_number", True) else "",
        title=row["title"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        preferred_name="",
        birth_date=row["birth_date"],
        gender=row["gender"],
        ethnicity=row["ethnicity"],
        address_1=line,
        address_2="Wexcombe",
        postcode=case.get("postcode") or definitions("place")["streets"][line.partition(" ")[2]],
        household=-1,
        gp_practice=PRACTICES[0],
    )
    return Told(case["name"], household, person, tuple(row["known_to"]), row.get("held", {}))


def _nursed(diary: Diary, rng: random.Random) -> None:
    """Three visits of a district nurse."""
    nurses, asked = (COMMUNITY, "district_nursing"), in_hours(rng, working_day(diary.days_ago(rng.randint(30, 90))))
    visits = definitions("clinical")["nursing"]["visits"]
    referral = diary.write(asked, "referred", *nurses, "routine", visits[0], diary.episode())
    diary.write(asked + timedelta(days=1), "accepted", *nurses, "", "", referral)
    for week in (1, 2, 3):
        at = asked + timedelta(days=7 * week)
        diary.write(at, "contact", *nurses, "home_visit", visits[0], diary.episode())
    diary.write(asked + timedelta(days=25), "referral_closed", *nurses, "completed", "", referral)


def _advised(diary: Diary, rng: random.Random) -> None:
    """A question to the council, and its answer."""
    team, asked = (COUNCIL, "adult_social_care"), in_hours(rng, working_day(diary.days_ago(rng.randint(30, 300))))
    contact = diary.write(asked, "contact_received", *team, "Community / Other route", "Help at home", diary.episode())
    diary.write(asked + timedelta(days=1), "contact_resolved", *team, ADVICE, "", contact)


def _in_the_home(diary: Diary, rng: random.Random) -> None:
    """A place in the care home, which the council pays for; the home keeps its own record."""
    moved_in = in_hours(rng, working_day(diary.days_ago(rng.randint(200, 400))))
    component = "Long term residential care"
    diary.write(moved_in, "service_started", COUNCIL, "care_home_orchard", component, "7 days", diary.episode())
    lives_provider.care_provider(diary, rng)


def _in_hospital(diary: Diary, rng: random.Random) -> None:
    """A stay of some nights, told whether there is a bed or not."""
    day, why = diary.days_ago(rng.randint(60, 180)), rng.choice(list(lives_health.WARD_FOR))
    nights, came = rng.choice((1, 2, 3, 5, 8, 13)), at_clock(day, rng.randint(0, 23), 20)
    left = at_clock(day + timedelta(days=nights + 1), 15, 10)
    ready = at_clock(left.date() - timedelta(days=min(nights - 1, 2)), 10, 30)
    lives_health.stay(diary, rng, why, lives_health.Stay(came, came, ready, left))


LIVES = {COMMUNITY: _nursed, COUNCIL: _advised, lives_provider.ORCHARD: _in_the_home, HOSPITAL: _in_hospital}
