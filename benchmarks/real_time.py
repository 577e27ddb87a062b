"""One record that arrives against everybody: found, scored and kept, on a deployment of a million records.

Each of the records that arrive lacks an NHS number, which is the hard case. Measured is one transaction:
everybody who may be the same person is looked up and scored, then the record, its details, its keys and
what was found are inserted and committed, with SQLite's synchronous=FULL. Prints milliseconds of wall and
CPU time, and what share was linked to a record of the same person, of all and of those that were linked at all.
`peers.splink_between` asks Splink itself the same.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

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
    looking: list[float] = field(default_factory=list)
    right: int = 0
    wrong: int = 0

    def figures(self) -> dict[str, float]:
        told = {"rows": float(len(self.wall)), "right_percent": 100 * self.right / len(self.wall)}
        told["right_of_linked_percent"] = 100 * self.right / max(1, self.right + self.wrong)
        for name, each in (("wall", self.wall), ("cpu", self.cpu), ("looking", self.looking)):
            cuts = statistics.quantiles(each, n=100)
            told |= {f"{name}_ms": cuts[49], f"{name}_p95_ms": cuts[94], f"{name}_p99_ms": cuts[98]}
        return told | {"wall_most_ms": max(self.wall), "per_s": 1000 / told["wall_ms"]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=RECORDS)
    options.add_argument("--arriving", type=int, default=ARRIVING)
    chosen = options.parse_args()
    with deployment():
        from joinery.site.commands.take import spare_collector

        submission_id, person_of, arriving = fill(chosen.records, chosen.arriving)
        spare_collector()
        print(json.dumps(arrive(arriving, person_of, submission_id).figures()))


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
    select("PRAGMA wal_checkpoint(TRUNCATE)")  # what filling left to be written is not an arrival's to write
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


def arrive(arriving: Sequence[Record], person_of: dict[int, int], submission_id: int) -> Times:
    """Take each record in a transaction of its own."""
    from joinery.apps.record.compared import linking_model
    from joinery.calc.linkage.fields import nicknames

    nicknames("")  # the first question of a process reads the list of short names, once
    model, times = linking_model(), Times()
    for number, record in enumerate(arriving, max(person_of) + 1):
        record.nhs_number = ""
        row = said(record)
        wall, cpu = time.perf_counter(), time.process_time()
        looked, found = take(number, row, submission_id)
        times.wall.append(1000 * (time.perf_counter() - wall))
        times.cpu.append(1000 * (time.process_time() - cpu))
        times.looking.append(1000 * (looked - wall))
        best = found[0] if found and found[0][1].bits >= model.link_bits else None
        if best is not None:
            same = person_of[best[0]] == record.person
            times.right, times.wrong = times.right + same, times.wrong + (not same)
        person_of[number] = record.person
    return times


def take(number: int, row: Any, submission_id: int) -> tuple[float, list[tuple[int, Any]]]:
    """Look for the record that arrives, and keep it and what was found; when looking ended, and what was found."""
    from django.db import transaction

    from joinery.apps.base.columns import insert_rows
    from joinery.apps.record.actions.keys import insert_compared
    from joinery.apps.record.compared import comparable, linking_model
    from joinery.apps.record.matching import candidates
    from joinery.apps.record.models import Details, MatchEvent, SourceRecord

    columns = ("record_id", "other_id", "submission_id", "channel", "verdict", "bits", "model", "levels")
    with transaction.atomic():
        model = linking_model()
        found = candidates(comparable(row), model, submission_id=submission_id)
        looked = time.perf_counter()
        insert_rows(SourceRecord, ("id", "source_id", "local_id"), [(number, 1, f"r{number}")])
        insert_rows(Details, DETAILS, [details_row(number, number, submission_id, row)])
        insert_compared([(number, number, row)])
        events = [
            (other, number, submission_id, "score", "same" if score.bits >= model.link_bits else "unsure")
            + (score.bits, model.name, score.code, "system:linkage", "", "2026-11-22 09:00:00")
            for other, score in found
        ]
        insert_rows(MatchEvent, (*columns, "made_by", "note", "at"), events)
    return looked, found


if __name__ == "__main__":
    main()
