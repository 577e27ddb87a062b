"""Lives: people columns and event columns, a function of how many, the seed and the date.

Stays in hospital are a run of the twin (`stays`); all else is told person by person.
"""

import random
from datetime import date, timedelta

from joinery.site.demo import cases, lives_council, lives_health
from joinery.site.demo.diary import Diary, at_clock
from joinery.site.demo.events import Event, Events
from joinery.site.demo.lives_health import Stay
from joinery.site.demo.margaret import david, margaret
from joinery.site.demo.population import People, Person, population
from joinery.site.demo.stays import stays

FIRST_BY_CHANCE = 2  # behind Mrs Smith and David
# Whatever opens an episode, and the event that closes it when the person dies.
CLOSED_BY_DEATH = {
    "service_started": ("service_ended", "died", "NFA: Deceased"),
    "worker_allocated": ("worker_released", "", ""),
    "alert_raised": ("alert_ended", "", ""),
    "medicine_started": ("medicine_stopped", "", "Deceased"),
}


def histories(people: int, seed: int, as_of: date) -> tuple[People, Events]:
    """People and everything that happened to them up to the day before `as_of`.

    Each person draws from generators of their own, one for each part of life, so that changing how nurses are
    made up does not move a single appointment. What they share is the hospital: one person more may move
    anybody's stay, and what follows from it. Raises ValueError for fewer than two people.
    """
    if people < 2:
        raise ValueError("the place needs at least two people: Mrs Smith and her son")
    persons = population(people - cases.count(people), seed, as_of)
    persons += cases.people_after(persons, people, seed)
    households: dict[int, list[Person]] = {}
    for person in persons:
        households.setdefault(person.household, []).append(person)
    by_chance = [each for each in persons[FIRST_BY_CHANCE:] if not cases.told(each.person, people)]
    in_hospital = stays(by_chance, seed, as_of)
    told, rows = [], []
    for person in persons:
        diary = Diary(person, as_of)
        case = cases.told(person.person, people)
        _live(diary, seed, households[person.household], in_hospital.get(person.person, []), case)
        death_date = None if case else _death_date(diary, random.Random(f"{seed}/death/{person.person}"))
        told.append(person._replace(death_date=death_date))
        rows += _until_death(diary, death_date) if death_date else diary.rows
    return People.of(told), Events.of(rows)


def _live(diary: Diary, seed: int, household: list[Person], in_hospital: list[Stay], told: cases.Told | None) -> None:
    """Fill one diary: Mrs Smith's from her story, most others' by chance, those of `cases` from what is told."""
    person = diary.person.person
    if person == 0:
        margaret(diary)
        return
    lives_health.general_practice(diary, random.Random(f"{seed}/general_practice/{person}"))
    if told is not None:
        cases.live(diary, random.Random(f"{seed}/cases/{person}"), told.known_to)
        return
    lives_health.community(diary, random.Random(f"{seed}/community/{person}"))
    if person == 1:
        david(diary)
        return
    lives_council.council(diary, random.Random(f"{seed}/council/{person}"), household)
    lives_health.hospital(diary, random.Random(f"{seed}/hospital/{person}"), in_hospital)
    lives_health.emergency_department(diary, random.Random(f"{seed}/emergency_department/{person}"))


def _death_date(diary: Diary, rng: random.Random) -> date | None:
    """The day of death of the few who died in the last year; Mrs Smith and David are alive."""
    share = 0.14 if diary.age_years() >= 85 else 0.04 if diary.age_years() >= 70 else 0.001
    if diary.person.person < 2 or rng.random() >= share:
        return None
    return diary.days_ago(rng.randint(5, 365))


def _until_death(diary: Diary, death_date: date) -> list[Event]:
    """The life up to the day before death, then the death and the closing of whatever was open."""
    lived = [row for row in diary.rows if row.at.date() < death_date]
    open_episodes: dict[int, Event] = {}
    closing = {end for end, _, _ in CLOSED_BY_DEATH.values()}
    for row in sorted(lived, key=lambda row: row.at):
        if row.event in CLOSED_BY_DEATH:
            open_episodes[row.episode] = row
        elif row.event in closing:
            open_episodes.pop(row.episode, None)
    after = at_clock(death_date + timedelta(days=2), 10, 0)
    person = diary.person
    died = Event(person.person, at_clock(death_date, 5, 30), "died", person.gp_practice, "general_practice")
    closed = []
    for row in open_episodes.values():
        event, code, value = CLOSED_BY_DEATH[row.event]
        closed.append(row._replace(at=after, event=event, code=code or row.code, value=value))
    return [*lived, died, *closed]
