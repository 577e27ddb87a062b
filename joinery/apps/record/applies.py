"""Which columns apply to which rows of a table, as its definition says it."""

from __future__ import annotations

from collections.abc import Mapping

from joinery.apps.base.feeds import File, When
from joinery.calc.returns import APPLICABLE, MANDATORY, NOT_APPLICABLE, UNDETERMINED


def rules_of(file: File) -> tuple[When, ...]:
    """What a table says of columns that some rows fill and others do not."""
    kinds = (When({file.kind_column: (name,)}, kind.must, kind.may) for name, kind in file.kinds.items())
    return (*kinds, *file.when)


def fields_of(file: File, row: Mapping[str, str]) -> dict[str, int]:
    """Whether such a row must fill a column, may, or should not; columns not named here it may fill.

    That is undetermined where what decides is empty or not on its list.
    """
    rank = (NOT_APPLICABLE, UNDETERMINED, APPLICABLE, MANDATORY)
    found: dict[str, int] = {}
    for rule in rules_of(file):
        holds = _holds(file, rule, row)
        for columns, field in ((rule.must, MANDATORY), (rule.may, APPLICABLE)):
            field = field if holds else NOT_APPLICABLE if holds is False else UNDETERMINED
            for column in columns:
                found[column] = max(found.get(column, NOT_APPLICABLE), field, key=rank.index)
    return found


def _holds(file: File, rule: When, row: Mapping[str, str]) -> bool | None:
    """Whether a rule is about a row; None when that cannot be told."""
    unknown = False
    for column, words in rule.where.items():
        value = row.get(column, "")
        if value not in words:
            if value in file.lists.get(column, ()):
                return False
            unknown = True
    return None if unknown else True
