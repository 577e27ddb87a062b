"""A care provider's export: lines that the record can read, Mrs Smith's story, and defects only where it is said."""

import gzip
import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.record.mods.files import Export, open_export
from joinery.apps.record.rows import Row
from joinery.site.demo import corruptor
from joinery.site.demo.corruptor import Defect
from joinery.site.demo.events import definitions
from joinery.site.demo.histories import histories
from joinery.site.demo.lives_provider import HARBOUR, ORCHARD
from joinery.site.demo.writers import Book, Ids, Record, Window, books, mods, mods_delivery

AS_OF = date(2026, 11, 21)
DAYS = (AS_OF - timedelta(days=1), AS_OF)
TYPES = {
    "Subject", "CareWorker", "Proxy", "Need", "Risk", "Alert", "Goal", "CarePlan", "Service", "MedicationItem",
    "Allergy", "Incident", "Observation", "Legal", "Stay", "Occupancy", "DailyNote",
}  # fmt: skip


@dataclass
class Sent:
    """What a provider sends on two days: records, what is wrong with them, and the bytes by path."""

    clean: list[list[Record]]
    records: list[list[Record]]
    defects: list[list[Defect]]
    files: dict[str, bytes]


def provider(organisation: str, people: int = 500, seed: int = 1, as_of: date = AS_OF) -> Sent:
    persons, events = histories(people, seed, as_of)
    everyone, book, ids = persons.rows(), books(events).get(organisation, Book({}, {})), Ids(seed, organisation)
    rates = definitions("defects")["care_provider"]
    copies = corruptor.copies(everyone, sorted(book.by_person), organisation, rates, seed)

    def rows(day: date, full: bool) -> list[Record]:
        return mods.rows(copies, book, everyone, ids, Window.ending(day, full))

    before, rng = as_of - timedelta(days=1), random.Random(f"{seed}/{organisation}")
    clean = [rows(before, full=True), rows(as_of, full=False)]
    made = [
        mods_delivery.spoil(clean[0], rng),
        mods_delivery.next_day(clean[1], clean[0], rows(as_of - timedelta(days=60), full=True), rng),
    ]
    files = {}
    for day, (records, _), full in zip((before, as_of), made, (True, False), strict=True):
        for path, packed in mods.pack(records, organisation, str(day)).items():
            files[path] = mods.encode(path, packed)
            name, data = mods.manifest(path, files[path], organisation, Window.ending(day, full))
            files[name] = data
    return Sent(clean, [records for records, _ in made], [defects for _, defects in made], files)


@pytest.fixture(scope="module")
def sent() -> dict[str, Sent]:
    return {organisation: provider(organisation) for organisation in (HARBOUR, ORCHARD)}


def read(folder: Path, made: Sent, organisation: str) -> list[tuple[Export, list[Row]]]:
    """Both files as the record reads them."""
    found = []
    for path, data in made.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    for path in made.files:
        if path.endswith(".gz"):
            export = open_export(folder / path, organisation)
            found.append((export, list(export.rows)))
    return found


def line(record: Record) -> dict[str, Any]:
    assert isinstance(record.body, dict)
    return record.body


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(sent: dict[str, Sent]) -> None:
    assert provider(ORCHARD).files == sent[ORCHARD].files
    assert provider(ORCHARD, seed=2).files != sent[ORCHARD].files


@pytest.mark.parametrize("organisation", [HARBOUR, ORCHARD])
@pytest.mark.parametrize(("people", "as_of"), [(2, AS_OF), (60, date(2024, 2, 29))])
def test_small_places_and_other_dates_are_readable(organisation: str, people: int, as_of: date, tmp_path: Path) -> None:
    for export, rows in read(tmp_path, provider(organisation, people, 3, as_of), organisation):
        assert export.part in ("mods full", "mods delta") and (rows or export.part == "mods delta")


@pytest.mark.parametrize("organisation", [HARBOUR, ORCHARD])
def test_only_lines_that_are_said_to_be_broken_cannot_be_taken(
    sent: dict[str, Sent], organisation: str, tmp_path: Path
) -> None:
    made = sent[organisation]
    (first, rows), (second, later) = read(tmp_path, made, organisation)
    assert (first.part, second.part) == ("mods full", "mods delta")
    broken = {key for _, key, change in made.defects[0] if change.defect in ("field_missing", "unknown_type")}
    assert {row.key.split("/")[-1] for row in rows if row.issues} == broken
    assert not [row.issues for row in later if row.issues]
    assert len(rows) == len(made.records[0]) and len(later) == len(made.records[1])


def test_every_type_is_there_in_the_end(sent: dict[str, Sent]) -> None:
    assert {record.kind for made in sent.values() for day in made.clean for record in day} == TYPES
    first = provider(HARBOUR, 2).files[f"mods/{HARBOUR}/2026-11-20.jsonl.gz"]
    assert {json.loads(text)["type"] for text in gzip.decompress(first).splitlines()} >= {"Subject", "Legal", "Proxy"}


def test_things_hang_on_subjects_and_nothing_lies_after_the_file(sent: dict[str, Sent]) -> None:
    for made in sent.values():
        subjects = {record.local_id for record in made.clean[0] if record.kind == "Subject"}
        new = {record.local_id for record in made.clean[1] if record.kind == "Subject"}
        for day, records in zip(DAYS, made.clean, strict=True):
            for record in records:
                assert record.updated_at < Window.ending(day, full=True).until
                assert line(record)["subject"] in (subjects | new if record.person >= 0 else {None})


def test_versions_grow_and_the_second_day_brings_new_ones(sent: dict[str, Sent]) -> None:
    first, second = sent[HARBOUR].clean
    before = {record.local_id: line(record)["version"] for record in first}
    newer = [record for record in second if record.local_id in before]
    assert newer and all(line(record)["version"] > before[record.local_id] for record in newer)
    assert {record.kind for record in newer if record.person == 0} == {"CarePlan", "Service"}


def test_mrs_smith_has_her_plan_her_risk_and_her_son(sent: dict[str, Sent]) -> None:
    hers = {record.kind: line(record)["body"] for record in sent[HARBOUR].clean[0] if record.person == 0}
    assert hers["Subject"]["nhs_number"] == "9990001111"
    assert hers["CarePlan"]["title"] == "Help at home, morning and evening"
    assert hers["Risk"]["category"]["code"] == "falls"
    assert (hers["Proxy"]["name"]["given"], "LPA-HW" in hers["Proxy"]["authority"]) == ("David", True)
    assert (hers["Legal"]["kind"], hers["Legal"]["decision"]["code"]) == ("LPA", "health_and_welfare")
    assert hers["Allergy"]["agent"]["code"] == "91936005" and "end" not in hers["Service"]
    made = sent[HARBOUR]
    touched = {key for defects in made.defects for _, key, _ in defects}
    for clean, records in zip(made.clean, made.records, strict=True):
        assert not touched & {record.local_id for record in clean if record.person == 0}
        assert [r for r in records if r.person == 0] == [r for r in clean if r.person == 0]


def test_allergies_known_none_and_not_asked_are_told_apart(sent: dict[str, Sent]) -> None:
    lines = [line(record) for made in sent.values() for record in made.clean[0] if record.kind == "Allergy"]
    said = Counter(each["body"].get("assertion", "agent") for each in lines)
    assert set(said) == {"agent", "none_known", "not_asked", "unavailable"}


def test_the_home_counts_its_beds_as_in_its_return(sent: dict[str, Sent]) -> None:
    (bodies,) = [
        [line(record)["body"] for record in day if record.kind == "Occupancy"] for day in sent[ORCHARD].clean[1:]
    ]
    assert len(bodies) == 1 and 0 < bodies[0]["occupied"] <= bodies[0]["beds"]
    assert not [record for record in sent[HARBOUR].clean[0] if record.kind == "Occupancy"]


def test_each_kind_of_defect_occurs(sent: dict[str, Sent]) -> None:
    seen = {change.defect for made in sent.values() for defects in made.defects for _, _, change in defects}
    assert seen == {"field_missing", "unknown_type", "repeated", "lower_version", "same_version_changed"}


def test_every_defect_is_really_there(sent: dict[str, Sent]) -> None:
    for made in sent.values():
        held = {(record.kind, record.local_id): line(record) for record in made.clean[0]}
        for records, defects in zip(made.records, made.defects, strict=True):
            for kind, key, change in defects:
                found = [line(record) for record in records if (record.kind, record.local_id) == (kind, key)]
                check(change.defect, change.field, held[kind, key], found)


def check(defect: str, field: str, held: dict[str, Any], found: list[dict[str, Any]]) -> None:
    """One defect: the lines found, and the line as it should have been on the first day."""
    if defect == "field_missing":
        assert field in held["body"] and all(field not in each["body"] for each in found)
    elif defect == "unknown_type":
        assert [each["type"] for each in found] == ["Mood"]
    elif defect == "repeated":
        assert len(found) == 2 and found[0] == found[1]
    elif defect == "lower_version":
        assert min(each["version"] for each in found) < held["version"]
    else:
        (same,) = [each for each in found if each["version"] == held["version"]]
        assert defect == "same_version_changed" and same["body"][field] != held["body"][field]
