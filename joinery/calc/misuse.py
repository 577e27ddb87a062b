"""Looks at records that a privacy officer should ask about: at whom, and when.

A pattern is a question, never an answer: a nurse may rightly open the record of a neighbour. What is not said
agrees with nothing. The patterns are what privacy officers of the NHS commonly ask about, recalled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from joinery.calc.linkage.ladder import name_key

# Of one look, by whose record it was.
OF_A_LOOK = {
    "own_record": "It looks like their own record",
    "colleague": "It looks like the record of somebody they work with",
    "same_surname": "The person has the same last name",
    "neighbour": "The person lives at the same postcode",
}
# Of somebody's whole day.
OF_A_DAY = {
    "after_hours": "They opened records outside the usual hours",
    "many_in_a_row": "They opened many records in a short time",
}
PATTERNS = OF_A_LOOK | OF_A_DAY

_TITLES = {"DR", "MISS", "MR", "MRS", "MS", "PROF", "SISTER"}


@dataclass(frozen=True, slots=True)
class Someone:
    """Who somebody is, as far as it is compared: names as `name_key` writes them, a postcode without spaces.

    A user's last name may have several words, so there may be several `family_names`.
    """

    family_names: frozenset[str]
    given_name: str = ""
    postcode: str = ""


def someone(family_name: str, given_name: str, postcode: str = "") -> Someone:
    """Somebody as a record names them."""
    key = name_key(family_name)
    return Someone(frozenset({key} if key else ()), _first(given_name), name_key(postcode))


def user_named(name: str, postcode: str = "") -> Someone:
    """Somebody as their account names them: a first name and a last name, of one word or of several.

    >>> sorted(user_named("Dr Ana van der Berg").family_names)
    ['BERG', 'DERBERG', 'VANDERBERG']
    """
    words = [word for word in map(name_key, name.split()) if word]
    if words and words[0] in _TITLES:
        del words[0]
    families = frozenset("".join(words[n:]) for n in range(1, len(words)))
    return Someone(families or frozenset(words), words[0] if len(words) > 1 else "", name_key(postcode))


def of_a_look(viewer: Someone, person: Collection[Someone], colleagues: Collection[Someone], own: bool) -> list[str]:
    """The patterns of one look, in the order of `OF_A_LOOK`; `own`: the record is known to be the viewer's.

    `person` is who each of the person's records says that they are, `colleagues` who works where the viewer does.

    >>> of_a_look(user_named("Ann Lee"), [someone("Lee", "Joe")], [], own=False)
    ['same_surname']
    """
    if own or any(_one(viewer, said) for said in person):
        return ["own_record"]
    found = []
    if any(_one(colleague, said) for colleague in colleagues for said in person):
        found.append("colleague")
    if any(viewer.family_names & said.family_names for said in person):
        found.append("same_surname")
    if viewer.postcode and any(viewer.postcode == said.postcode for said in person):
        found.append("neighbour")
    return found


def _one(a: Someone, b: Someone) -> bool:
    """Whether two may be one: both names agree, and no postcode says otherwise."""
    named = bool(a.family_names & b.family_names and a.given_name and a.given_name == b.given_name)
    return named and not (a.postcode and b.postcode and a.postcode != b.postcode)


def _first(given_name: str) -> str:
    """The first of somebody's given names, as compared."""
    return name_key(next(iter(given_name.split()), ""))


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a day is unusual: `people` opened outside the hours from `from_time` up to `to_time`, or `in_a_row`
    of them within `minutes`."""

    from_time: time
    to_time: time
    people: int
    in_a_row: int
    minutes: int


def of_a_day(opened: Sequence[tuple[datetime, str]], limits: Limits, any_hour: bool) -> dict[str, list[datetime]]:
    """The patterns of what one user opened in a day (when, by local time, and whose), and when it was.

    `any_hour`: their work goes round the clock, so that no hour is unusual. A person counts once.

    >>> usual = Limits(time(7), time(20), people=1, in_a_row=30, minutes=60)
    >>> list(of_a_day([(datetime(2026, 11, 2, 23), "p1")], usual, any_hour=False))
    ['after_hours']
    """
    opened = sorted(opened)
    found: dict[str, list[datetime]] = {}
    late = [(at, who) for at, who in opened if not limits.from_time <= at.time() < limits.to_time]
    if not any_hour and len({who for _, who in late}) >= limits.people:
        found["after_hours"] = [at for at, _ in late]
    row = _fullest(opened, timedelta(minutes=limits.minutes))
    if len({who for _, who in row}) >= limits.in_a_row:
        found["many_in_a_row"] = [at for at, _ in row]
    return found


def _fullest(opened: Sequence[tuple[datetime, str]], span: timedelta) -> Sequence[tuple[datetime, str]]:
    """The looks of the span in which most people were opened, the first such span; `opened` is in order."""
    best, most, start = opened[:0], 0, 0
    counts: dict[str, int] = {}
    for end, (at, who) in enumerate(opened):
        counts[who] = counts.get(who, 0) + 1
        while at - opened[start][0] >= span:
            gone = opened[start][1]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            start += 1
        if len(counts) > most:
            best, most = opened[start : end + 1], len(counts)
    return best
