"""How the database looks for a newer statement: by its key, whatever it thinks of the table's size."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import connection

from joinery.apps.base.action import Actor
from joinery.apps.base.columns import select
from joinery.apps.place.actions import take_directory_file
from joinery.apps.place.sql import AsAt, of_kind, statements

pytestmark = pytest.mark.django_db

COUNCILS = Path(__file__).parents[3] / "joinery/definitions/organisations/councils.toml"


def plan(sql: str) -> str:
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    return "\n".join(str(row) for row in select(f"{explain} {sql}"))


@pytest.fixture(autouse=True)
def councils() -> None:
    take_directory_file(path=COUNCILS, actor=Actor.system("tests"), at=datetime(2026, 11, 22, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["open", "name", "part_of"])
def test_a_newer_statement_is_looked_for_by_its_key(kind: str) -> None:
    # Half of all statements have an empty value: to look among those took PostgreSQL minutes.
    found = plan(f"SELECT s.id FROM {statements(AsAt(date.max))} WHERE s.kind = '{kind}'")
    assert "statement_key" in found and "statement_value" not in found


def test_what_has_a_value_is_found_by_it() -> None:
    found = plan(f"SELECT s.id FROM {statements(AsAt(date.max))} WHERE {of_kind('code')} AND s.value = 'gss:E10000023'")
    assert "statement_value" in found
