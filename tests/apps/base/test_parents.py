"""A row that hangs on nothing is found, wherever the database does not refuse it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import models

from joinery.apps.base import parents
from joinery.apps.base.triggers import guarded_models

pytestmark = pytest.mark.django_db

UNCHECKED = [
    field
    for model in guarded_models()
    for field in model._meta.concrete_fields
    if isinstance(field, models.ForeignKey) and not field.db_constraint
]
NOT_THERE = 4711


def value(field: Any) -> Any:
    """Anything that a field holds."""
    if isinstance(field, models.ForeignKey):
        return NOT_THERE
    if isinstance(field, models.BinaryField):
        return b"x"
    return datetime(2026, 1, 1, tzinfo=UTC) if isinstance(field, models.DateTimeField) else 1


def test_each_row_that_hangs_on_nothing_is_counted() -> None:
    assert list(parents.missing()) == []
    assert {"record_entry", "record_itemversion", "record_returnrow"} <= {f.model._meta.db_table for f in UNCHECKED}
    for model in {field.model for field in UNCHECKED}:
        fields = [f for f in model._meta.concrete_fields if not f.null and not isinstance(f, models.AutoField)]
        model._base_manager.bulk_create([model(**{f.attname: value(f) for f in fields if f.concrete})])
    found = sorted(parents.missing())
    wanted = sorted(
        f"1 rows of {f.model._meta.db_table} hang on rows of {f.related_model._meta.db_table} that are not there"
        for f in UNCHECKED
    )
    assert found == wanted
