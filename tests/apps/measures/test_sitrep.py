"""Real monthly counts of emergency departments, read where they lie, through two real mergers."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from joinery.apps.measures.actions import Wanted
from joinery.apps.measures.facts import series_bodies, series_list
from joinery.apps.place import facts as place
from joinery.apps.place.actions import merge
from tests.apps.measures.uploading import BY, four, page, register, trust, upload

pytestmark = pytest.mark.django_db
WANTED = tuple(Wanted(f"A&E {name}", name) for name in ("attendances", "breaches", "admissions"))


@pytest.fixture
def sitrep(db: None, shared: Path) -> Iterator[Path]:
    """The file; PostgreSQL took the tables for empty when it last counted, and no statement may hang on that."""
    if connection.vendor == "postgresql":
        execute("ANALYZE", "SET LOCAL statement_timeout = '5s'")
    yield shared / "sitrep" / "ae_attendances.csv"
    if connection.vendor == "postgresql":
        execute("SET LOCAL statement_timeout = 0")  # every reference is checked by one statement at the end


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_the_whole_file_goes_in_and_goes_on_through_the_mergers_of_2017_and_2018(sitrep: Path) -> None:
    rows = list(csv.DictReader(sitrep.open(newline="")))
    register(*sorted({row["org_code"] for row in rows} - {"R0A"}))
    # Central Manchester and South Manchester became one new trust; Ipswich joined Colchester, which kept its code.
    merge(codes=["RW3", "RM2"], into=trust("R0A"), on=date(2017, 10, 1), **BY)
    merge(codes=["RGQ"], into=trust("RDE"), on=date(2018, 7, 1), **BY)

    assert four(upload(sitrep, *WANTED, by="type")) == (12_765, 0, 0, 0)
    assert four(upload(sitrep, *WANTED, by="type")) == (0, 12_765, 0, 0)
    assert len(series_list()) == 9

    sent: Counter[str] = Counter()
    for row in rows:
        if row["type"] == "1":
            sent[row["org_code"]] += int(float(row["attendances"]))
    for new, old in (("R0A", ("RW3", "RM2", "R0A")), ("RDE", ("RDE", "RGQ"))):
        points = page(new, "A&E attendances, 1").points
        assert len(points) == 36 and not any(point.missing for point in points)
        assert sum(point.numerator for point in points) == sum(sent[code] for code in old)
    (series,) = (each for each in series_list() if each.name == "A&E attendances, 1")
    bodies = series_bodies(series.id, place.as_at(date(2026, 1, 1)))
    assert len(bodies) == len(sent) - 3


def test_without_the_column_of_types_the_rows_that_contradict_each_other_wait_in_quarantine(sitrep: Path) -> None:
    rows = list(csv.DictReader(sitrep.open(newline="")))
    register(*sorted({row["org_code"] for row in rows}))
    taken = upload(sitrep, WANTED[0])
    assert taken.rows == 12_765 and taken.taken == len({(row["org_code"], row["period"]) for row in rows})
    assert "column that tells them apart" in taken.reasons[0]


def test_without_a_directory_every_row_waits_in_quarantine(sitrep: Path) -> None:
    assert four(upload(sitrep, *WANTED, by="type")) == (0, 0, 0, 12_765)
