"""Reading who a person is from the source records linked to them: one statement, then pure choice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, marks, select
from joinery.apps.place import facts as place
from joinery.apps.record.merges import MERGED
from joinery.apps.record.sql import details, links, seals
from joinery.calc.linkage.ladder import name_key
from joinery.definitions import OWN_FEED

WITHHELD = "[withheld]"
_WORD = re.compile(r"[^\W_]+")
_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][0-9A-Z]?)\s*([0-9][A-Z]{2})\s*$")


@dataclass(frozen=True, slots=True)
class Known:
    """One source record of a person, and the details it states now (none yet for a waiting one)."""

    person_id: str
    record_id: int
    local_id: str
    source_id: int
    feed: str
    organisation: str
    organisation_name: str
    organisation_form: str
    sector: str
    nhs_number: str
    family_name: str
    given_name: str
    title: str
    preferred_name: str
    birth_date: date | None
    death_date: date | None
    dead: bool
    gender: str
    address: tuple[str, ...]
    restricted: bool
    link_reason: str
    # A name that this record carries is sealed: it says no name here, nor what would tell it.
    name_sealed: bool = False

    @property
    def hides_place(self) -> bool:
        """Whether lines must not tell where the person is: a hospital's, or what was written here, of somebody whose
        address is hidden."""
        return self.feed in ("adt", OWN_FEED) and self.restricted


@dataclass(frozen=True, slots=True)
class Seal:
    """The names of a person that nobody is shown any more, as they are compared (`name_key`)."""

    names: frozenset[str] = frozenset()

    def breaks(self, text: str) -> bool:
        """Whether a text carries a sealed name."""
        return self.masked(text) != text

    def masked(self, text: str) -> str:
        """A text with each sealed name in it taken out.

        >>> Seal(frozenset({"JOHN", "VANDYKE"})).masked("Spoke to John's wife, Ann van Dyke")
        "Spoke to [withheld]'s wife, Ann [withheld]"
        """
        if not self.names:
            return text
        words = list(_WORD.finditer(text))
        keys = [name_key(word[0]) for word in words]
        masked, end, at = "", 0, 0
        while at < len(words):
            # A name may be written as several words.
            many = next((n for n in (4, 3, 2, 1) if "".join(keys[at : at + n]) in self.names), 0)
            if many:
                last = min(at + many, len(words)) - 1
                masked, end = f"{masked}{text[end : words[at].start()]}{WITHHELD}", words[last].end()
            at += many or 1
        return masked + text[end:]

    def without_names(self, known: Known) -> Known:
        """The record as it was sent, or without all that tells a name in it that is sealed."""
        if not any(self.breaks(name) for name in (known.family_name, known.given_name, known.preferred_name)):
            return known
        return replace(known, family_name="", given_name="", preferred_name="", title="", gender="", name_sealed=True)


NO_SEAL = Seal()


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """The source records of one person and the names that are sealed: read once, used by every fact of a page."""

    known: tuple[Known, ...]
    seal: Seal = NO_SEAL


def people_of(person_ids: Sequence[str], on: date) -> dict[str, PersonRecords]:
    """The linked source records of people, best source first: the GP, then whoever wrote last.

    Organisations have the names of the day `on`. A record that carries a sealed name says no name.
    """
    sql = (
        "SELECT k.person_id, k.record_id, r.local_id, so.id, so.feed, so.organisation_id, d.nhs_number, "
        "d.family_name, d.given_name, d.title, d.preferred_name, d.birth_date, d.death_date, d.dead, "
        "d.gender, d.address, d.restricted, k.reason, sealed.names "
        f"FROM {links()} JOIN record_sourcerecord r ON r.id = k.record_id "
        "JOIN record_source so ON so.id = r.source_id "
        f"JOIN {details(on='d.record_id = k.record_id')} "
        f"LEFT JOIN ({seals(f'IN ({marks(person_ids)})')}) sealed ON sealed.person_id = k.person_id "
        f"WHERE k.person_id IN ({marks(person_ids)}) ORDER BY d.id DESC"
    )
    rows = select(sql, [*person_ids, *person_ids])
    bodies = place.briefs({row[5] for row in rows}, place.as_at(on))
    sealed: dict[str, set[str]] = defaultdict(set)
    once: dict[int, tuple[Any, ...]] = {}  # a record has a row for each time that names were sealed
    for *values, names in rows:
        sealed[values[0]] |= set((names or "").split())
        once.setdefault(values[1], tuple(values))
    found: dict[str, list[Known]] = defaultdict(list)
    for row in once.values():
        body, values = bodies[row[5]], list(row[6:])
        values[5], values[6] = as_day(values[5]), as_day(values[6])
        values[7], values[10] = bool(values[7]), bool(values[10])
        values[9] = tuple(orjson.loads(values[9]) if isinstance(values[9], str) else values[9])
        sector = sector_of(body.sector, row[4])
        found[row[0]].append(
            Known(row[0], row[1], row[2], row[3], row[4], body.code, body.name, body.form, sector, *values)
        )
    for known in found.values():
        # A number that was merged away has the last say.
        known.sort(key=lambda k: (k.link_reason == MERGED, k.organisation_form != "gp_practice"))
    seals_of = {person: Seal(frozenset(sealed[person])) for person in found}
    return {
        person: PersonRecords(tuple(seals_of[person].without_names(k) for k in known), seals_of[person])
        for person, known in found.items()
    }


def records_of(person_ids: Sequence[str], on: date) -> dict[str, tuple[Known, ...]]:
    """The records alone, of each person."""
    return {person: of.known for person, of in people_of(person_ids, on).items()}


def sector_of(sector: str, feed: str) -> str:
    """The sector of what a source sends: of a body that is both, as a care trust is, the feed decides."""
    return sector if sector != "both" else "social_care" if feed == "council" else "health"


def first(records: Sequence[Known], field: str) -> Any:
    """The golden value of a field: that of the first record that states it, or the last one's nothing."""
    return next((value for r in records if (value := getattr(r, field))), getattr(records[-1], field))


def postcode_in(address: Sequence[str]) -> str | None:
    """The postcode at the end of a line of an address, the last line first, without spaces; None without one.

    >>> postcode_in(("1 Quay Road", "Wexcombe ZZ1 1AA"))
    'ZZ11AA'
    """
    found = (_POSTCODE.search(line.upper()) for line in reversed(address))
    return next(("".join(match.groups()) for match in found if match), None)
