"""How well records are linked, group by group: who is left alone more often than others.

A group is what any record of a person says of them, or what the record itself lacks. Sums are exact here;
whoever publishes them hides small ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, NamedTuple

import orjson
from django.db import connection

from joinery.apps.base.columns import as_day, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place import facts as place
from joinery.apps.record.ethnicity import GROUPS, group_said
from joinery.apps.record.merges import MERGED
from joinery.apps.record.people import postcode_in
from joinery.apps.record.sql import details, links

# First year of age in each band; the last has no end.
_AGES = {0: "Under 18", 18: "18 to 39", 40: "40 to 64", 65: "65 to 79", 80: "80 and over"}
_BY = {"rule": "by_number", "reviewer": "by_people", "score": "by_score"}
# The postcodes that the NHS keeps for people without one; those with 3V are for no fixed abode.
_NO_FIXED = ("ZZ99 3V", "ZZ993V", "NO FIXED")


NUMBER, NUMBERED = "NHS number on the record", {True: "With a valid number", False: "Without one"}
_ORDER = ("Everybody", NUMBER, "Ethnic group", "Age", "Home", "Name")


@dataclass(frozen=True, slots=True)
class GroupLinked:
    """How the records of one group are linked; `about` is by what people are grouped, `group` the words for it.

    `alone` are records whose person no other source knows. The others are linked by the NHS number, by
    people, by score, or because a hospital merged two numbers: each counted once, by the first of these.
    Of `not_gp` records, sent by others than general practices, `without_gp` have no record of a practice
    beside them, though nearly everybody has one. `waiting` are those that wait for people to look.
    """

    about: str
    group: str
    records: int
    people: int
    alone: int
    by_number: int
    by_people: int
    by_score: int
    by_hospital: int
    not_gp: int
    without_gp: int
    waiting: int


COUNTED = tuple(each.name for each in fields(GroupLinked))[2:]


class _Record(NamedTuple):
    record_id: int
    person_id: str
    gp: bool
    numbered: bool
    merged: bool


@dataclass(slots=True)
class _Person:
    """What the records of one person come to; `numbered` whether any record has a number, and any has none."""

    sources: set[int] = field(default_factory=set)
    numbered: set[bool] = field(default_factory=set)
    gp: bool = False
    birth_date: date | None = None
    home: str = ""
    letters: bool = False
    ethnicity: str = ""

    def groups(self, on: date) -> tuple[tuple[str, str], ...]:
        """The groups that the person is in, one of each kind."""
        return (
            ("Everybody", "All records"),
            ("Ethnic group", GROUPS[self.ethnicity]),
            ("Age", _age(self.birth_date, on)),
            ("Home", self.home or "Another address"),
            ("Name", "Letters beyond A to Z" if self.letters else "Letters A to Z only"),
        )


@place_facts
def linking_quality(on: date) -> tuple[GroupLinked, ...]:
    """Every group on a day, those of one kind together. Reads every record, which takes a minute for a million."""
    records, people = _read(on)
    _read_ethnicity({each.record_id: people[each.person_id] for each in records})
    groups = {person_id: person.groups(on) for person_id, person in people.items()}
    ties, waits = _ties({each.record_id: each.person_id for each in records}), _waiting()
    alike: Counter[tuple[Any, ...]] = Counter()  # records that count alike, counted once
    for each in records:
        person = people[each.person_id]
        how = _how(each, person, ties.get(each.record_id, ()))
        about = *groups[each.person_id], (NUMBER, NUMBERED[each.numbered])
        alike[about, how, each.gp, person.gp, each.record_id in waits] += 1
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (about, how, gp, with_gp, waiting), many in alike.items():
        for group in about:
            said = {"records": 1, how: 1, "not_gp": not gp, "without_gp": not gp and not with_gp, "waiting": waiting}
            counts[group].update({name: many for name, true in said.items() if true})
    for person_id, person in people.items():
        for group in (*groups[person_id], *((NUMBER, NUMBERED[numbered]) for numbered in person.numbered)):
            counts[group]["people"] += 1
    found = [GroupLinked(*group, *(count[name] for name in COUNTED)) for group, count in counts.items()]
    return tuple(sorted(found, key=_rank))


def _how(record: _Record, person: _Person, ties: Collection[str]) -> str:
    if len(person.sources) == 1:
        return "alone"
    return next((_BY[channel] for channel in _BY if channel in ties and not record.merged), "by_hospital")


def _rank(each: GroupLinked) -> tuple[int, int, str]:
    known = (*GROUPS.values(), *_AGES.values())
    return _ORDER.index(each.about), known.index(each.group) if each.group in known else len(known), each.group


def _age(born: date | None, on: date) -> str:
    if born is None:
        return "Not known"
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return next(words for first, words in reversed(_AGES.items()) if years >= first or not first)


def _read(on: date) -> tuple[list[_Record], dict[str, _Person]]:
    """Every linked record, and what the records of each person come to."""
    homes = place.postcodes_of("care_home", place.as_at(on))
    senders = [sender for (sender,) in select("SELECT DISTINCT organisation_id FROM record_source")]
    practices = {b.id for b in place.briefs(senders, place.as_at(on)).values() if b.form == "gp_practice"}
    sql = (
        "SELECT k.record_id, k.person_id, r.source_id, so.organisation_id, d.nhs_number <> '', k.reason, d.birth_date, "
        f"CAST(d.address AS text), d.family_name, d.given_name FROM {links()} "
        "JOIN record_sourcerecord r ON r.id = k.record_id JOIN record_source so ON so.id = r.source_id "
        f"JOIN {details(on='d.record_id = k.record_id')} ORDER BY k.record_id"
    )
    records, people = [], defaultdict[str, _Person](_Person)
    for record, person_id, source, sender, numbered, reason, born, address, family, given in _stream(sql):
        gp = sender in practices
        records.append(_Record(record, person_id, gp, bool(numbered), reason == MERGED))
        person = people[person_id]
        person.sources.add(source)
        person.numbered.add(bool(numbered))
        person.gp = person.gp or gp
        person.birth_date = person.birth_date or as_day(born)
        person.home = person.home or _home(address, homes)
        person.letters = person.letters or not (family.isascii() and given.isascii())
    return records, people


def _home(address: str, homes: frozenset[str]) -> str:
    """What kind of home an address is, as it is stored; empty for most."""
    if any(words in address.upper() for words in _NO_FIXED):
        return "No fixed address"
    return "Postcode of a care home" if postcode_in(orjson.loads(address)) in homes else ""


def _read_ethnicity(people: Mapping[int, _Person]) -> None:
    """Fill in the group that the sources of each person state. One that has words for Travellers knows more
    than one whose list has none."""
    sql = (
        "SELECT r.id, so.feed, v.body, s.header FROM record_sourcerecord r "
        "JOIN record_source so ON so.id = r.source_id AND so.feed IN ('fhir', 'council') "
        "JOIN record_item i ON i.source_id = r.source_id AND i.key = r.local_id "
        "JOIN record_itemversion v ON v.item_id = i.id AND NOT v.late "
        "JOIN record_submission s ON s.id = v.submission_id AND s.published_at IS NOT NULL ORDER BY r.id, v.id"
    )
    said: dict[int, str] = {}
    for record, feed, body, header in _stream(sql):
        said[record] = group_said(feed, bytes(body), header) or said.get(record, "")
    for record, group in said.items():
        person = people.get(record)
        if person and (not person.ethnicity or group == "traveller"):
            person.ethnicity = group


def _ties(person_of: Mapping[int, str]) -> dict[int, set[str]]:
    """The channels by which each record is held to be one person with another of that person's."""
    sql = (
        "SELECT m.record_id, m.other_id, m.channel, m.verdict FROM record_matchevent m "
        "JOIN record_submission s ON s.id = m.submission_id AND s.published_at IS NOT NULL ORDER BY m.id"
    )
    newest = {(record, other, channel): verdict for record, other, channel, verdict in _stream(sql)}
    found: dict[int, set[str]] = defaultdict(set)
    for (record, other, channel), verdict in newest.items():
        if verdict == "same" and person_of.get(record) == person_of.get(other):
            found[record].add(channel)
            found[other].add(channel)
    return found


def _waiting() -> set[int]:
    """The records of pairs that wait for people."""
    sql = (
        "SELECT w.record_id, w.other_id, w.why FROM record_reviewitem w "
        "JOIN record_submission s ON s.id = w.submission_id AND s.published_at IS NOT NULL ORDER BY w.id"
    )
    newest = {(record, other): why for record, other, why in _stream(sql)}
    return {record for pair, why in newest.items() if why for record in pair}


def _stream(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(2000):
            yield from rows
