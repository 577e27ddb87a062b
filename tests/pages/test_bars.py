"""The bars of the person's page for a person with 100,000 entries from three sources."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from joinery.apps.base.columns import insert_rows, reserve_ids, select, stored
from joinery.apps.record.models import Entry, Item, ItemVersion
from tests.pages.measure import plan, statements
from tests.pages.world import COUNCIL, SURGERY, TRUST, World, patient, person_id, person_row, problem

ENTRIES = 100_000
NUMBER = "9990004714"
ENTRY = ("record_id", "item_id", "version_id", "submission_id", "at", "precision", "kind", "title", "detail")
NEWEST = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def long_record(world: World) -> Iterator[tuple[Client, str]]:
    """A GP, and the id of a person with 100,000 entries from a surgery, a trust and a council."""
    for organisation in (SURGERY, TRUST):
        world.sends(organisation, patient("p1", "Long", "Ada", number=NUMBER), problem("c1", "p1", "First"))
    world.council_sends("person", person_row("p1", "Long", "Ada", number=NUMBER))
    records = select(
        "SELECT r.id, r.source_id, (SELECT MAX(s.id) FROM record_submission s WHERE s.source_id = r.source_id) "
        "FROM record_sourcerecord r ORDER BY r.id"
    )
    assert len(records) == 3
    for position, record in enumerate(records):
        _fill(record, position, ENTRIES // 3 + 1)
    _gather_statistics()
    yield world.user(), person_id("Patient/p1")


def _fill(record: tuple[int, int, int], position: int, count: int) -> None:
    """Entries of one source, in an order of their own: intake order is not the order of their dates."""
    record_id, source_id, submission_id = record
    items, versions = reserve_ids(Item, count), reserve_ids(ItemVersion, count)
    insert_rows(Item, ("id", "source_id", "key"), [(i, source_id, f"Long/{i}") for i in items])
    insert_rows(
        ItemVersion,
        ("id", "item_id", "submission_id", "number", "digest", "late", "body"),
        [(v, i, submission_id, 1, b"0", False, b"{}") for v, i in zip(versions, items, strict=True)],
    )
    insert_rows(
        Entry,
        (*ENTRY, "banner", "restricted"),
        [
            (record_id, i, v, submission_id, _at(n, position, count), "minute", "Visit", f"Visit {n}", "", "", False)
            for n, (v, i) in enumerate(zip(versions, items, strict=True))
        ],
    )


def _at(n: int, position: int, count: int) -> Any:
    return stored(NEWEST - timedelta(minutes=(n * 7919) % count * 3 + position))


def _gather_statistics() -> None:
    if connection.vendor == "postgresql":  # what autovacuum does after such an intake
        with connection.cursor() as cursor:
            for table in ("entry", "itemversion", "item", "submission", "link", "details", "sourcerecord"):
                cursor.execute(f"ANALYZE record_{table}")


def deep(page): ...


@pytest.mark.django_db
def test_measure(long_record):
    client, who = long_record
    from joinery.apps.record import facts
    import time

    r = client.get(f"/people/{who}/")
    assert r.status_code == 200
    for name, q in (("first", {}), ("filtered", {"show": "social_care"})):
        with statements() as s:
            client.get(f"/people/{who}/", q)
        print(name, len(s.of_page), round(s.seconds * 1e3, 2))
        for sql, p, sec in s.ran:
            print("   ", round(sec * 1e3, 2), sql[:110])
            if "UNION ALL" in sql or "e.banner" in sql:
                print(plan(sql, p))
    import re

    after = None
    t = time.perf_counter()
    r = client.get(f"/people/{who}/")
    for i in range(100):
        m = re.search(r'href="([^"]*after=[^"]*)" rel="next"', r.content.decode())
        url = m[1].replace("&amp;", "&")
        with statements() as s:
            r = client.get(url)
    print("100 deep", round(s.seconds * 1e3, 2), time.perf_counter() - t)
    for sql, p, sec in s.ran:
        if "UNION ALL" in sql:
            print("  ", round(sec * 1e3, 2))
    far = (NEWEST - timedelta(minutes=ENTRIES - 200)).isoformat() + "~1"
    with statements() as s:
        r = client.get(f"/people/{who}/", {"after": far})
    assert r.status_code == 200
    for sql, p, sec in s.ran:
        if "UNION ALL" in sql:
            print(" deepest ", round(sec * 1e3, 2))
            print(plan(sql, p))
