"""How well records are linked, group by group: who is left alone more often than others.

A group is what any record of a person says of them, or what the record itself lacks. Sums are exact here;
whoever publishes them hides small ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from joinery.apps.base.columns import as_day, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place import facts as place
from joinery.apps.record.ethnicity import GROUPS, group_said
from joinery.apps.record.merges import MERGED
from joinery.apps.record.sql import details, links

# First year of age in each band; the last has no end.
_AGES = {0: "Under 18", 18: "18 to 39", 40: "40 to 64", 65: "65 to 79", 80: "80 and over"}
_BY = {"rule": "by_number", "reviewer": "by_people", "score": "by_score"}
# The postcodes that the NHS keeps for people without one; those with 3V are for no fixed abode.
_NO_FIXED = ("ZZ99 3V", "ZZ993V", "NO FIXED")


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


class _Record(NamedTuple):
    record_id: int
    person_id: str
    source_id: int
    gp: bool
    numbered: bool
    reason: str


@dataclass(slots=True)
class _Person:
    """What the records of one person come to."""

    sources: set[int] = field(default_factory=set)
    gp: bool = False
    birth_date: date | None = None
    home: str = ""
    letters: bool = False
    ethnicity: str = ""


@place_facts
def linking_quality(on: date) -> tuple[GroupLinked, ...]:
    """Every group on a day, those of one kind together, all records first. Reads all records: a minute at a million."""
    records, people = _read(on)
    _read_ethnicity({each.record_id: people[each.person_id] for each in records})
    ties, waits = _ties(), _waiting()
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in records:
        person = people[each.person_id]
        how = _how(each, person, ties.get(each.record_id, set()))
        for group in _groups(each, person, on):
            count = counts[group]
            seen[group].add(each.person_id)
            count["records"] += 1
            count[how] += 1
            count["not_gp"] += not each.gp
            count["without_gp"] += not each.gp and not person.gp
            count["waiting"] += each.record_id in waits
    found = [
        GroupLinked(
            *group, count["records"], len(seen[group]), count["alone"], count["by_number"], count["by_people"],
            count["by_score"], count["by_hospital"], count["not_gp"], count["without_gp"], count["waiting"],
        )
        for group, count in counts.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: (_ORDER.index(each.about), _rank(each))))


def _how(record: _Record, person: _Person, ties: set[str]) -> str:
    if len(person.sources) == 1:
        return "alone"
    if record.reason == MERGED:
        return "by_hospital"
    return next((_BY[channel] for channel in _BY if channel in ties), "by_hospital")


_ORDER = ("Everybody", "NHS number on the record", "Ethnic group", "Age", "Home", "Name")
_RANKS = (*GROUPS.values(), *_AGES.values(), "Not known")


def _rank(each: GroupLinked) -> tuple[int, str]:
    return (_RANKS.index(each.group) if each.group in _RANKS else -1), each.group


def _groups(record: _Record, person: _Person, on: date) -> Iterator[tuple[str, str]]:
    """The groups that a record is in: one of each kind."""
    yield "Everybody", "All records"
    yield "NHS number on the record", "With a valid number" if record.numbered else "Without one"
    yield "Ethnic group", GROUPS[person.ethnicity]
    yield "Age", _age(person.birth_date, on)
    yield "Home", person.home or "Another address"
    yield "Name", "Letters beyond A to Z" if person.letters else "Letters A to Z only"


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
        records.append(_Record(record, person_id, source, gp, bool(numbered), reason))
        person = people[person_id]
        person.sources.add(source)
        person.gp = person.gp or gp
        person.birth_date = person.birth_date or as_day(born)
        person.home = person.home or _home(address.upper(), homes)
        person.letters = person.letters or not (family.isascii() and given.isascii())
    return records, people


def _home(address: str, homes: frozenset[str]) -> str:
    """What kind of home an address is, as the text of a list that ends with the postcode."""
    if any(words in address for words in _NO_FIXED):
        return "No fixed address"
    return "Postcode of a care home" if address[-12:].strip('"] ').replace(" ", "")[-7:] in homes else ""


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


def _ties() -> dict[int, set[str]]:
    """The channels by which each record is held to be one person with another."""
    sql = (
        "SELECT m.record_id, m.other_id, m.channel, m.verdict FROM record_matchevent m "
        "JOIN record_submission s ON s.id = m.submission_id AND s.published_at IS NOT NULL ORDER BY m.id"
    )
    newest = {(record, other, channel): verdict for record, other, channel, verdict in _stream(sql)}
    found: dict[int, set[str]] = defaultdict(set)
    for (record, other, channel), verdict in newest.items():
        if verdict == "same":
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
