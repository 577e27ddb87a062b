"""One record that arrives against everybody: found, scored and kept, on a deployment of a million records.

Each of the records that arrive lacks an NHS number, which is the hard case. Measured is one transaction:
the record, its details and its keys are inserted, everybody who may be the same person is looked up and
scored, and what was found is kept and committed, with SQLite's synchronous=FULL. That transaction also works
out anew who is who, as an arrival does; this is told apart ("linking"), and together ("whole").

Prints milliseconds of wall and CPU time, and what share was linked to a record of the same person, of all and
of those that were linked at all. Beside it, taken in turn, what the disk itself takes to make 4 KB durable:
where that takes milliseconds, or the processor is busy with other things, the wall time says little.
`peers.splink_between` asks Splink itself the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.measure import deployment
from benchmarks.people import Record, records

# About 2.2 records a person.
RECORDS, ARRIVING, SEED = 1_000_000, 2_500, 1
RUN = 20_000
DETAILS = (
    *("id", "record_id", "submission_id", "nhs_number", "nhs_number_status", "family_name", "given_name"),
    *("title", "preferred_name", "family_key", "given_key", "birth_date", "death_date", "dead"),
    *("gender", "address", "restricted"),
)


@dataclass(slots=True)
class Times:
    """What each arrival took, in milliseconds, and how many were right."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    linking: list[float] = field(default_factory=list)
    linking_cpu: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    disk: list[float] = field(default_factory=list)
    right: int = 0
    wrong: int = 0

    def add(self, clocks: Sequence[tuple[float, float]]) -> None:
        """One arrival, by the clocks (wall and CPU) as it began, before and after linking, and when it was durable."""
        began, before, after, durable = clocks
        wall, cpu = (1000 * (end - start) for start, end in zip(began, durable, strict=True))
        linking, linking_cpu = (1000 * (end - start) for start, end in zip(before, after, strict=True))
        self.wall.append(wall - linking)
        self.cpu.append(cpu - linking_cpu)
        self.linking.append(linking)
        self.linking_cpu.append(linking_cpu)
        self.whole.append(wall)

    def figures(self) -> dict[str, float]:
        told = {"rows": float(len(self.wall)), "right_percent": 100 * self.right / len(self.wall)}
        told["right_of_linked_percent"] = 100 * self.right / max(1, self.right + self.wrong)
        for name in ("wall", "cpu", "linking", "linking_cpu", "whole", "disk"):
            cuts = statistics.quantiles(getattr(self, name), n=100)
            told |= {f"{name}_ms": cuts[49], f"{name}_p95_ms": cuts[94], f"{name}_p99_ms": cuts[98]}
        return told | {"wall_most_ms": max(self.wall), "per_s": 1000 / told["wall_ms"]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=RECORDS)
    options.add_argument("--arriving", type=int, default=ARRIVING)
    chosen = options.parse_args()
    with deployment() as folder:
        from joinery.site.commands.take import spare_collector

        submission_id, person_of, arriving = fill(chosen.records, chosen.arriving)
        spare_collector()
        print(json.dumps(arrive(arriving, person_of, submission_id, folder).figures()))


def split(size: int, arriving: int) -> tuple[list[Record], list[Record]]:
    """The records that are there, and those that arrive: of the weak feeds, of people known by another record."""
    there = list(records(round(size / 2.2), seed=SEED))
    draw = random.Random(SEED)
    shared = [r for before, r in zip(there, there[1:], strict=False) if before.person == r.person and r.feed != "gp"]
    chosen = draw.sample(shared, arriving)
    taken = {r.record for r in chosen}
    return [r for r in there if r.record not in taken], chosen


def said(record: Record) -> Any:
    """What a record says, as a reader of a feed hands it over. A day that no calendar has is not taken."""
    from joinery.apps.record.rows import DetailsRow

    try:
        born = date.fromisoformat(record.birth_date) if record.birth_date else None
    except ValueError:
        born = None
    address = (f"1 Quay Road, Wexcombe {record.postcode}",) if record.postcode else ()
    names = {"family_name": record.family_name, "given_name": record.given_name}
    return DetailsRow(record.nhs_number, **names, birth_date=born, gender=record.gender, address=address)


def fill(size: int, arriving: int) -> tuple[int, dict[int, int], list[Record]]:
    """The records that are there, in the tables of the deployment: the submission, and the person of each record."""
    from django.db import transaction

    from joinery.apps.base.columns import insert_rows, select
    from joinery.apps.record.models import Details, MatchDetails, SourceRecord

    there, chosen = split(size, arriving)
    source_id, submission_id = sender()
    with transaction.atomic():
        for at in range(0, len(there), RUN):
            run = [(number, record, said(record)) for number, record in enumerate(there[at : at + RUN], at + 1)]
            insert_rows(SourceRecord, ("id", "source_id", "local_id"), [(n, source_id, f"r{n}") for n, _, _ in run])
            insert_rows(Details, DETAILS, [details_row(n, n, submission_id, row) for n, _, row in run])
            insert_rows(MatchDetails, ("details_id", "record_id", "version", "fields"), compared(run))
        insert_keys()
        insert_people(len(there), submission_id)
    # What filling left to be written is not an arrival's to write. The log stays as long as it is, and is
    # written over from its start, as in a deployment that has run for a while.
    select("PRAGMA wal_checkpoint(RESTART)")
    if select("SELECT COUNT(*) FROM record_matchdetails") != [(len(there),)]:
        raise SystemExit("not every record is there")
    return submission_id, {number: record.person for number, record in enumerate(there, 1)}, chosen


def sender() -> tuple[int, int]:
    """A source, and a published submission of it."""
    from joinery.apps.base.action import Actor
    from joinery.apps.base.columns import insert_rows, select, stored
    from joinery.apps.place.actions import OrganisationDetails, register_organisation
    from joinery.apps.record.models import Source, Submission

    now = datetime.now(UTC)
    details = OrganisationDetails("BENCH", "Sender", "council")
    register_organisation(details=details, actor=Actor.system("benchmark"), at=now)
    ((organisation_id,),) = select("SELECT id FROM place_organisation WHERE code = %s", ["BENCH"])
    insert_rows(Source, ("organisation_id", "feed"), [(organisation_id, "council")])
    ((source_id,),) = select("SELECT id FROM record_source")
    columns = ("source_id", "part", "file_name", "file_digest", "header", "received_at", "published_at")
    counts = ("rows", "taken", "unchanged", "superseded", "quarantined")
    row = (source_id, "person", "people.csv", "0" * 64, "", stored(now), stored(now), *([0] * len(counts)))
    insert_rows(Submission, (*columns, *counts), [row])
    ((submission_id,),) = select("SELECT id FROM record_submission")
    return source_id, submission_id


def details_row(details_id: int, record_id: int, submission_id: int, row: Any) -> tuple[Any, ...]:
    born = row.birth_date.isoformat() if row.birth_date else None
    names = (row.family_name, row.given_name, "", "", *row.keys())
    about = (details_id, record_id, submission_id, row.nhs_number, "")
    return (*about, *names, born, None, False, row.gender, json.dumps(row.address), False)


def compared(run: Sequence[tuple[int, Record, Any]]) -> Iterator[tuple[Any, ...]]:
    from joinery.apps.record.compared import VERSION, comparable, packed

    for number, _, row in run:
        yield number, number, VERSION, packed(comparable(row))


def insert_keys() -> None:
    """The keys of all that is there, sorted by the database: a million records have twelve million."""
    from django.db import connection

    from joinery.apps.base.columns import select
    from joinery.apps.record.compared import linking_model, unpacked

    keys_of = linking_model().keys
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE unsorted (key, details_id)")
        for at in range(0, select("SELECT MAX(details_id) FROM record_matchdetails")[0][0], RUN):
            span = "SELECT details_id, fields FROM record_matchdetails WHERE details_id > %s AND details_id <= %s"
            rows = [(key, i) for i, text in select(span, [at, at + RUN]) for key in keys_of(unpacked(text))]
            cursor.executemany("INSERT INTO unsorted VALUES (%s, %s)", rows)
        cursor.execute(
            "INSERT INTO record_matchkey (key, details_id) SELECT key, details_id FROM unsorted ORDER BY 1, 2"
        )
        cursor.execute("DROP TABLE unsorted")


def insert_people(count: int, submission_id: int) -> None:
    """A person for each record that is there: nothing is held of pairs of them."""
    from joinery.apps.base.columns import insert_rows
    from joinery.apps.record.models import Link, Person

    ids = sorted(secrets.token_hex(10) for _ in range(count))
    columns = ("record_id", "person_id", "submission_id", "at", "reason")
    for at in range(0, count, RUN):
        run = list(enumerate(ids[at : at + RUN], at + 1))
        insert_rows(Person, ("id",), [(person,) for _, person in run])
        links = [(n, person, submission_id, "2026-11-22 09:00:00", "first_record") for n, person in run]
        insert_rows(Link, columns, links)


def arrive(arriving: Sequence[Record], person_of: dict[int, int], submission_id: int, folder: Path) -> Times:
    """Take each record in a transaction of its own."""
    from joinery.apps.base.columns import select
    from joinery.calc.linkage.fields import nicknames

    nicknames("")  # the first question of a process reads the list of short names, once
    times = Times()
    best = "SELECT record_id FROM record_matchevent WHERE other_id = %s AND verdict = 'same' ORDER BY bits DESC LIMIT 1"
    with (folder / "disk").open("wb") as file:
        for number, record in enumerate(arriving, max(person_of) + 1):
            record.nhs_number = ""
            times.add(take(number, said(record), submission_id))
            times.disk.append(write_durably(file))
            person_of[number] = record.person
            for (other,) in select(best, [number]):
                same = person_of[other] == record.person
                times.right, times.wrong = times.right + same, times.wrong + (not same)
    return times


def take(number: int, row: Any, submission_id: int) -> list[tuple[float, float]]:
    """Keep the record that arrives and what is found; the clocks before, around linking, and after."""
    from django.db import transaction

    from joinery.apps.base.columns import insert_rows
    from joinery.apps.record.actions.keys import insert_compared
    from joinery.apps.record.actions.linking import compare_records, relink
    from joinery.apps.record.compared import linking_model
    from joinery.apps.record.models import Details, SourceRecord

    at = datetime.now(UTC)
    clocks = [(time.perf_counter(), time.process_time())]
    with transaction.atomic():
        insert_rows(SourceRecord, ("id", "source_id", "local_id"), [(number, 1, f"r{number}")])
        insert_rows(Details, DETAILS, [details_row(number, number, submission_id, row)])
        model = linking_model()
        changed = compare_records(submission_id, at, model, insert_compared(model, [(number, number, row)]))
        clocks.append((time.perf_counter(), time.process_time()))
        relink(submission_id, at, changed)
        clocks.append((time.perf_counter(), time.process_time()))
    return [*clocks, (time.perf_counter(), time.process_time())]


def write_durably(file: BinaryIO) -> float:
    """How long the disk takes to write 4 KB over and make them durable, in milliseconds."""
    start = time.perf_counter()
    os.pwrite(file.fileno(), bytes(4096), 0)
    getattr(os, "fdatasync", os.fsync)(file.fileno())
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
