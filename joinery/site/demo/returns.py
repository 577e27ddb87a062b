"""The returns: which file tells of which time, from whose records, and with which defects.

All were sent before the place began, but for the capacity of the two days; they are its first day's backlog.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from joinery.site.demo import misreporting
from joinery.site.demo.corruptor import Defect
from joinery.site.demo.writers import Book, Copy, Ids, Record, Window, apc, capacity, cld, ecds, registers
from joinery.site.demo.writers.tables import Period, columns_of, day_text, encode, month_before, quarter_before

MONTHS = 12  # of hospital returns, each in a file of its own
# What a return calls the person it is about.
PERSON_IDS = {
    "cld": ("LA_Person_Unique_Identifier",),
    "apc": ("Local_Patient_ID", "Der_Pseudo_NHS_Number"),
    "ecds": ("Local_Patient_ID", "Der_Pseudo_NHS_Number"),
}


class File(NamedTuple):
    """One file of a return: what is in it, which defects are, and the day on which it came."""

    feed: str
    organisation: str
    path: str
    day: date
    records: list[Record]
    defects: list[Defect]
    data: bytes


@dataclass(frozen=True, slots=True)
class Hospital:
    """What a hospital holds: its copies of its patients, and what it has recorded."""

    copies: list[Copy]
    book: Book
    ids: Ids


def returns(case: Callable[[Window], list[Record]], council: Ids, hospital: Hospital, as_of: date) -> list[File]:
    """Every return and register of the place, in the order in which they are taken.

    `case` gives the council's case system at the end of a window.
    """
    first, seed = as_of - timedelta(days=1), council.seed
    made = [_register("cqc", f"cqc/{first}.csv", first, registers.active_locations(first))]
    made.append(_register("ods", f"ods/{first}.json", first, registers.organisation_records()))
    made += _client_level(case, council, first)
    made += _hospital("apc", hospital, first)
    made += _hospital("ecds", hospital, first)
    for day in (first, as_of):
        made += _capacity(seed, day, spoilt=day == first)
    return made


def _register(feed: str, path: str, day: date, data: bytes) -> File:
    return File(feed, "", path, day, [], [], data)


def _file(feed: str, organisation: str, name: str, day: date, records: list[Record], defects: list[Defect]) -> File:
    path = f"{feed}/{organisation}/{name}.csv"
    return File(feed, organisation, path, day, records, defects, encode(records, columns_of(feed)))


def _client_level(case: Callable[[Window], list[Record]], ids: Ids, day: date) -> list[File]:
    """Two quarters, each of the twelve months to its end, and the earlier one sent again.

    The earlier quarter first came with its period misstated. What is sent again stacks: nothing of the first
    sending is taken back.
    """
    made: list[File] = []
    before: list[Record] = []
    for quarters in (2, 1):
        last = quarter_before(day, quarters).last
        period = Period(month_before(last, 11).first, last)
        name = f"{last.year}q{(last.month + 2) // 3}"
        clean = cld.rows(case(Window.ending(last + timedelta(days=1), full=True)), period)
        rng = random.Random(f"{ids.seed}/misreport/cld/{name}")
        records, gone = misreporting.vanished(clean, before, rng) if before else (clean, [])
        records, split = misreporting.cost_changed(records, ids, rng)
        records, spoilt = misreporting.spoil("cld", records, rng, split)
        defects = [*gone, *split, *spoilt]
        if not before:
            records, misstated = misreporting.period_misstated(records, period)
            made.append(_file("cld", ids.organisation, name, day, records, defects + misstated))
            records, again = misreporting.spoil("cld", clean, rng)
            name, defects = f"{name}-again", [*again, *misreporting.sent_again()]
        made.append(_file("cld", ids.organisation, name, day, records, defects))
        before = clean
    return made


def _hospital(feed: str, hospital: Hospital, day: date) -> list[File]:
    """The last twelve whole months, a file each; a month in which nothing happened has none."""
    months = [month_before(day, back) for back in range(MONTHS, 0, -1)]
    until = Window.ending(day, full=True).until
    writer = {"apc": apc, "ecds": ecds}[feed]
    ids = hospital.ids
    records = writer.rows(hospital.copies, hospital.book, ids, Period(months[0].first, months[-1].last), until)
    rng = random.Random(f"{ids.seed}/misreport/{feed}")
    records, defects = misreporting.spoil(feed, records, rng)
    made = []
    for month in months:
        within = [record for record in records if month.holds(day_text(record.updated_at))]
        keys = {record.local_id for record in within}
        listed = [defect for defect in defects if defect.local_id in keys]
        if within:
            made.append(_file(feed, ids.organisation, f"{month.first:%Y-%m}", day, within, listed))
    return made


def _capacity(seed: int, day: date, spoilt: bool) -> list[File]:
    """What each provider of care homes said that day."""
    by_provider = {provider: capacity.rows(provider, seed, day) for provider in capacity.providers()}
    provider, *_ = by_provider
    defects: list[Defect] = []
    if spoilt:
        rng = random.Random(f"{seed}/misreport/capacity")
        by_provider[provider], defects = misreporting.spoil("capacity", by_provider[provider], rng)
    return [
        _file("capacity", sender, str(day), day, records, defects if sender == provider else [])
        for sender, records in by_provider.items()
    ]
