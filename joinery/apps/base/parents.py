"""Rows that hang on a row which is not there, wherever the database does not see to that itself.

A table that grows by every row of a file has foreign keys without a check (`db_constraint=False`): what its rows hang
on is written with them or before, and goes only after them.
"""

from __future__ import annotations

from collections.abc import Iterator

from joinery.apps.base.columns import select
from joinery.apps.base.triggers import guarded_models


def missing() -> Iterator[str]:
    """What is wrong, in words: how many rows of a table hang on rows of another that are not there."""
    for model in guarded_models():
        table = model._meta.db_table
        for field in model._meta.concrete_fields:
            if field.remote_field is None or field.db_constraint:  # type: ignore[attr-defined]
                continue
            parent = field.related_model._meta  # type: ignore[union-attr]
            sql = (
                f'SELECT COUNT(*) FROM "{table}" c WHERE NOT EXISTS '
                f'(SELECT 1 FROM "{parent.db_table}" p WHERE p."{parent.pk.column}" = c."{field.column}") '
                f'AND c."{field.column}" IS NOT NULL'
            )
            ((rows,),) = select(sql)
            if rows:
                yield f"{rows:,} rows of {table} hang on rows of {parent.db_table} that are not there"
