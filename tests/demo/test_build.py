"""The files: the same each time, every identifier and defect accounted for, and sound where not spoilt."""

import hashlib
import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import fhirkit
import pytest

from joinery.definitions import FEEDS
from joinery.site.demo.build import build
from joinery.site.demo.writers import mods_delivery
from joinery.site.demo.writers.council import LAYOUT, ROW_COLUMNS

AS_OF = date(2026, 11, 21)
FHIR_FIELDS = {
    "nhs_number": lambda p: next(
        (i["value"] for i in p["identifier"] if i["system"] == "https://fhir.nhs.uk/Id/nhs-number"), ""
    ),
    "given_name": lambda p: p["name"][0]["given"][0],
    "family_name": lambda p: p["name"][0]["family"],
    "birth_date": lambda p: p.get("birthDate", ""),
    "gender": lambda p: p.get("gender", ""),
    "address_1": lambda p: p["address"][0]["line"][0],
    "postcode": lambda p: p["address"][0].get("postalCode", ""),
}
CSV_FIELDS = {"given_name": "given_names"}
PERSON_IDS = ("LA_Person_Unique_Identifier", "Local_Patient_ID", "Der_Pseudo_NHS_Number")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_arguments_give_the_same_bytes(place, tmp_path: Path) -> None:
    build(tmp_path, people=500, seed=1, as_of=AS_OF)
    assert contents(tmp_path) == contents(place.manifest.folder)


def test_another_seed_is_another_place(tmp_path: Path) -> None:
    one, two = (build(tmp_path / str(seed), people=40, seed=seed, as_of=AS_OF).truth.read_bytes() for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize(("people", "as_of"), [(2, AS_OF), (30, date(2024, 2, 29)), (30, date(2027, 1, 1))])
def test_small_places_and_other_dates_build(tmp_path: Path, people: int, as_of: date) -> None:
    manifest = build(tmp_path, people=people, seed=3, as_of=as_of)
    assert manifest.people == people and all(submission.path.exists() for submission in manifest.submissions)


def test_the_manifest_lists_submissions_in_intake_order(place) -> None:
    listed = place.manifest.submissions
    paths = [str(submission.path.relative_to(place.manifest.folder)) for submission in listed]
    assert paths[:2] == ["cqc/2026-11-20.csv", "ods/2026-11-20.json"]
    assert sorted(paths[2:]) == sorted(place.records)
    feeds = [submission.feed for submission in listed]
    assert [path for path in paths if "council" in path][0] == "council/999/2026-11-20/person.csv"
    # Whoever says who people are is heard before those who only say where they were, and what was paid.
    assert feeds.index("fhir") < feeds.index("council") < feeds.index("mods") < feeds.index("adt") < feeds.index("cld")
    days = [submission.day for submission in listed]
    assert days == sorted(days) and set(days) == {date(2026, 11, 20), AS_OF}
    assert set(feeds) == set(FEEDS)
    assert place.manifest.records == sum(map(len, place.records.values())) + sum(map(len, place.broken.values()))


def test_every_local_identifier_is_in_the_truth(place) -> None:
    truth = {(row["organisation"], row["kind"], row["local_id"]) for row in place.table("truth")}
    written = set()
    for path, records in place.records.items():
        organisation = path.split("/")[1]
        for record in records:
            written.add((organisation, place.kind(path, record), place.key(path, record)))
            called = {column: record[column] for column in PERSON_IDS if record.get(column)}
            written |= {(organisation, "person", name) for name in called.values()}
    strange = {each for each in written if each[1] == mods_delivery.UNKNOWN_TYPE}
    broken = sum(map(len, place.broken.values())) + len(strange)
    assert written - strange <= truth and len(truth - written) <= broken


def test_local_identifiers_are_opaque_and_differ_by_source(place) -> None:
    owners: dict[str, set[str]] = {}
    for row in place.table("truth"):
        owners.setdefault(row["local_id"], set()).add(row["organisation"])
    assert max(map(len, owners.values())) == 1
    assert not any(number and number in owners for number in place.people.nhs_number)


def test_mrs_smith_is_never_touched(place) -> None:
    hers = {row["local_id"] for row in place.table("truth") if row["person"] == "0"}
    assert len(hers) > 50
    assert not hers & {row["key"] for row in place.table("defects")}
    counts = Counter(
        (path, place.key(path, record))
        for path, records in place.records.items()
        for record in records
        if place.key(path, record) in hers
    )
    assert set(counts.values()) == {1}


def test_every_defect_is_really_in_its_file(place) -> None:
    defects = place.table("defects")
    assert len(defects) == place.manifest.defects > 100
    owners = {(row["organisation"], row["local_id"]): row["person"] for row in place.table("truth")}
    for row in defects:
        check_defect(place, row, owners)


def check_defect(place, row: dict[str, str], owners: dict[tuple[str, str], str]) -> None:
    """One row of defects.csv against the file it names."""
    path, key, defect = row["file"], row["key"], row["defect"]
    found = [record for record in place.records[path] if key in ("", place.key(path, record))]
    if path.startswith(("adt", "mods")):  # what is wrong: test_adt_writer, test_mods_writer
        assert found or any(key in message for message in place.broken[path])
    elif defect in ("cost_change_new_service", "period_misstated"):
        assert found and {record[row["field"]] for record in found} == {row["now"]}
    elif defect == "resubmitted":
        earlier = {place.key(path, r) for r in place.records[path.replace("-again", "")]}
        assert {place.key(path, record) for record in found} <= earlier
    elif defect == "open_service_vanished":
        before = [r for r in place.records["cld/999/2026q2-again.csv"] if place.key(path, r) == key]
        assert not found and before
    elif defect == "not_json":
        assert any(key in line for line in place.broken[path])
    elif defect == "allergies_not_sent":
        about = f"Patient/{key}"
        held = [r for r in place.records[path] if r["resourceType"] in ("AllergyIntolerance", "List")]
        assert found and not any(about in json.dumps(record) for record in held)
    elif defect == "duplicate":
        organisation = path.split("/")[1]
        same = [k for (o, k), person in owners.items() if o == organisation and person == owners[o, key]]
        assert found and len(same) > 1
    elif defect == "repeated":
        assert len(found) == 2 and found[0] == found[1]
    elif defect == "late_older":
        assert min(map(seen_at, found)) < seen_at(the_day_before(place, path, key))
    elif defect == "sent_again":
        before = the_day_before(place, path, key)
        spoilt = any(r["key"] == key and "2026-11-20" in r["file"] for r in place.table("defects") if r["field"])
        assert found == [before] or (found and spoilt)
    else:
        assert row["was"] != row["now"] and [value_of(path, r, row["field"]) for r in found].count(row["now"]) >= 1


def value_of(path: str, record: dict, field: str) -> str:
    """A field of a record by the name defects.csv uses."""
    if path.endswith(".csv"):
        return record[CSV_FIELDS.get(field, field)]
    return FHIR_FIELDS[field](record) if record["resourceType"] == "Patient" else record[field]


def seen_at(record: dict) -> datetime:
    return datetime.fromisoformat(record["updated_at"] if "updated_at" in record else record["meta"]["lastUpdated"])


def the_day_before(place, path: str, key: str) -> dict:
    """The same record in any file of the same source a day earlier."""
    source = "/".join(path.split("/")[:2])
    return next(
        record
        for other, records in place.records.items()
        if other.startswith(source) and "2026-11-20" in other
        for record in records
        if place.key(other, record) == key
    )


def test_each_kind_of_defect_occurs(place) -> None:
    seen = {name for row in place.table("defects") for name in row["defect"].split("+")}
    assert seen >= {
        "nickname", "surname_typo", "old_address", "nhs_number_missing", "duplicate", "unknown_field", "bad_status",
        "thirtieth_of_february", "not_json", "uk_style_date", "unknown_code", "required_missing", "repeated",
        "allergies_not_sent", "late_older", "sent_again", "withdrawn",
    }  # fmt: skip
    dummies = {row["now"] for row in place.table("defects") if row["field"] == "nhs_number"}
    assert dummies & {"9999999999", "0000000000"}


def test_unspoilt_resources_are_valid_fhir(place) -> None:
    spoilt = {row["key"] for row in place.table("defects") if row["field"] or row["defect"] == "not_json"}
    checked = Counter()
    for path, records in place.records.items():
        for record in records if path.startswith("fhir") else ():
            if record["id"] in spoilt:
                continue
            assert fhirkit.validate(record) == [], record
            checked[record["resourceType"]] += 1
    assert set(checked) == {
        "Patient", "AllergyIntolerance", "Condition", "MedicationRequest", "Encounter", "Observation",
        "Immunization", "Flag", "List", "ServiceRequest",
    }  # fmt: skip


def test_references_stay_within_the_source(place) -> None:
    for path, records in place.records.items():
        if not path.startswith("fhir"):
            continue
        patients = {record["id"] for record in records if record["resourceType"] == "Patient"}
        for record in records:
            about = record.get("subject") or record.get("patient")
            if about:
                assert about["reference"].replace("urn:uuid:", "").split("/")[-1] in patients


def test_allergies_asserted_listed_withheld_and_absent(place) -> None:
    first = [r for path, rs in place.records.items() if "fhir/Z9" in path and "11-20" in path for r in rs]
    allergies = [record for record in first if record["resourceType"] == "AllergyIntolerance"]
    lists = [record for record in first if record["resourceType"] == "List"]
    assert any(a["code"]["coding"][0]["code"] == "716186003" for a in allergies)
    assert any("security" in a["meta"] for a in allergies)
    assert any("emptyReason" in record for record in lists) and any("entry" in record for record in lists)
    assert len(lists) < sum(record["resourceType"] == "Patient" for record in first)


def test_the_second_day_changes_repeats_and_supersedes(place) -> None:
    for source in ("fhir/Z90001", "fhir/Z90002", "fhir/ZC1", "council/999"):
        days: list[dict[tuple, list]] = []
        for day in ("2026-11-20", "2026-11-21"):
            days.append({})
            for path, records in place.records.items():
                if path.startswith(source) and day in path:
                    for record in records:
                        kind = record.get("resourceType") or path.rsplit("/", 1)[1]
                        days[-1].setdefault((kind, place.key(path, record)), []).append(record)
        first, second = days
        assert any(key not in first for key in second) or source == "council/999"
        assert any(records[0] == first.get(key, [None])[0] for key, records in second.items())
        changed = [records[0] for key, records in second.items() if key in first and records[0] not in first[key]]
        assert changed


def test_council_files_follow_the_layout_and_the_manifest(place) -> None:
    listed = sorted(place.manifest.folder.glob("council/999/*/manifest.json"))
    assert len(listed) == 2
    for path in listed:
        manifest = json.loads(path.read_bytes())
        assert {file["name"] for file in manifest["files"]} == {f"{kind}.csv" for kind in LAYOUT}
        for file in manifest["files"]:
            data = (path.parent / file["name"]).read_bytes()
            kind = file["name"].removesuffix(".csv")
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert data.decode().split("\r\n")[0].split(",") == [*LAYOUT[kind], *ROW_COLUMNS]
            name = str((path.parent / file["name"]).relative_to(place.manifest.folder))
            assert len(place.records[name]) == file["lines"]


def test_the_alert_file_has_the_columns_of_our_layout(place) -> None:
    row = place.records["council/999/2026-11-20/alert.csv"][0]
    columns = "alert_id person_id code text from to review_on audience source_id updated_at deleted"
    assert list(row) == columns.split()


def test_whoever_is_in_a_bed_is_a_patient_whom_the_truth_knows(place) -> None:
    patients = {row["local_id"]: row["person"] for row in place.table("truth") if row["feed"] == "adt"}
    census = place.table("census")
    assert len(census) >= 3 and len({(row["ward"], row["bed"]) for row in census}) == len(census)
    assert all(patients[row["patient"]] == row["person"] for row in census)
