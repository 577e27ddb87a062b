"""What a hospital's messages say of a person, over all their visits: details, allergies, merged numbers.

As with visits (`joinery.calc.adt`), neither order nor repetition matters. All times are instants in UTC.
The rules are our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from joinery.calc.adt import Allergy, Fact, said_order


def person(facts: Iterable[Fact]) -> dict[str, str | list[str]]:
    """The last word on each thing said of a person, over all messages about them; deleted ones left out."""
    said: dict[str, str | list[str]] = {}
    for fact in _in_order(facts):
        said |= fact.person
    return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Standing:
    """An allergy that stands: since when the hospital states it, the message (its digest) that last did,
    and since when messages that would have to state it do not, if so.
    """

    allergy: Allergy
    by: str
    since_at: datetime
    silent_at: datetime | None = None


def allergies(facts: Iterable[Fact]) -> dict[str, Standing]:
    """The allergies that stand, by their codes. A message without one deletes nothing; a null does.

    That none is known stands no longer once a message states an allergy and does not repeat it.
    """
    found: dict[str, Standing] = {}
    for fact in _in_order(facts):
        if fact.forgets_allergies:
            found.clear()
        if fact.allergies is None:
            continue
        states_one = any(not each.none for each in fact.allergies.values())
        for code, standing in list(found.items()):
            if code in fact.allergies:
                continue
            if standing.allergy.none and states_one:
                del found[code]
            elif standing.silent_at is None:
                found[code] = replace(standing, silent_at=fact.recorded)
        for code, allergy in fact.allergies.items():
            since_at = found[code].since_at if code in found else fact.recorded
            found[code] = Standing(allergy, fact.digest, since_at)
    return found


def _in_order(facts: Iterable[Fact]) -> list[Fact]:
    return sorted({fact.digest: fact for fact in facts}.values(), key=said_order)


# -- two numbers, one person ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Merge:
    """From `at`, what is known under the number `losing` is about `surviving`; empty: no longer.

    `order` decides between merges of one moment.
    """

    at: datetime
    order: str
    losing: str
    surviving: str


def survivors(merges: Iterable[Merge]) -> tuple[dict[str, str], tuple[Merge, ...]]:
    """For each number that lost, the number that stands at the end of its chain; and the merges refused
    because they would close a circle. In whatever order they are given.
    """
    into: dict[str, str] = {}
    refused = []
    for merge in sorted(set(merges)):
        if not merge.surviving:
            into.pop(merge.losing, None)
        elif _end(merge.surviving, into) == merge.losing:
            refused.append(merge)
        else:
            into[merge.losing] = merge.surviving
    return {losing: _end(losing, into) for losing in into}, tuple(refused)


def _end(number: str, into: Mapping[str, str]) -> str:
    while number in into:
        number = into[number]
    return number
