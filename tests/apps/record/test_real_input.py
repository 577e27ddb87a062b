"""Real files, read where they lie: every row is accounted for, and nothing that was sent is lost."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from django.db import transaction

from joinery.apps.base.columns import select
from joinery.apps.record.fhir.validate import validate
from tests.apps.record import sending
from tests.apps.record.sending import send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def take_all(folder: Path) -> Counter[str]:
    """Take every Synthea bundle; the counts of all of them together."""
    totals: Counter[str] = Counter()
    for path in sorted(folder.glob("*.json.gz")):
        taken = sending.take_file(
            path=path, feed="fhir", organisation_code=sending.GP, actor=sending.ACTOR, at=sending.AT
        )
        totals += Counter(rows=taken.rows, taken=taken.taken, unchanged=taken.unchanged)
        assert (taken.rows, taken.quarantined, taken.superseded) == (taken.taken + taken.unchanged, 0, 0)
    return totals


@pytest.mark.any_database
def test_all_of_synthea_goes_in_and_a_second_time_changes_nothing(shared: Path) -> None:
    sent: Counter[str] = Counter()
    for path in sorted((shared / "synthea").glob("*.json.gz")):
        sent += Counter(e["resource"]["resourceType"] for e in json.loads(gzip.decompress(path.read_bytes()))["entry"])
    assert sent.total() == 24_001

    first = take_all(shared / "synthea")
    held = Counter(key.split("/")[0] for (key,) in select("SELECT key FROM record_item"))
    # A hospital or doctor whom several bundles name is one thing, sent again unchanged.
    assert first["rows"] == 24_001
    assert first["taken"] == held.total()
    shared_kinds = {kind for kind in sent if sent[kind] != held[kind]}
    assert shared_kinds <= {"Organization", "Practitioner", "Location", "PractitionerRole"}
    assert held["Patient"] == len(sending.people()) == 85
    assert select("SELECT COUNT(*) FROM record_itemversion WHERE number > 1") == [(0,)]

    before = sending.holds()
    assert take_all(shared / "synthea") == Counter(rows=24_001, unchanged=24_001)
    assert sending.holds() == before


class Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class Bundle(msgspec.Struct):
    entry: list[Entry] = []


def examples(shared: Path) -> list[bytes]:
    """The NHS's referral examples, and HL7's cases for validators."""
    found = [path.read_bytes() for path in sorted((shared / "bars" / "examples").rglob("*.json"))]
    with gzip.open(shared / "fhir-cases" / "r4-validator-cases.jsonl.gz") as lines:
        return found + [json.loads(line)["body"].encode() for line in lines]


def test_whatever_the_validator_objects_to_is_quarantined_with_reasons_and_nothing_is_lost(
    shared: Path, tmp_path: Path
) -> None:
    wrong = 0
    for body in examples(shared):
        resource, issues = validate(body)
        wrong += bool(issues)
        with transaction.atomic():
            taken = send(tmp_path, body)
            rows, versions = sending.quarantine(), sending.bodies()
            transaction.set_rollback(True)
        assert taken.rows > 0
        assert (taken.quarantined > 0) is bool(issues)
        assert len(rows) == taken.quarantined
        assert all(reasons and all(r["rule"] and r["message"] for r in reasons) for _, reasons in rows)
        if resource is not None:
            assert all(r["path"][:1].isalpha() for _, reasons in rows for r in reasons)
        # Every row is kept as it was sent; two of the same thing in one Bundle are two versions.
        assert len(versions) == taken.taken + taken.superseded
        if resource and resource.get("resourceType") == "Bundle" and resource.get("entry"):
            listed = [bytes(entry.resource) for entry in msgspec.json.decode(body, type=Bundle).entry]
            assert Counter(b for b, _ in rows) + Counter(versions) <= Counter(listed)
            assert {b for b, _ in rows} | set(versions) == set(listed)
        else:
            assert [b for b, _ in rows] + versions == [body.removeprefix(b"\xef\xbb\xbf").strip()]
    assert wrong >= 13 + 31
