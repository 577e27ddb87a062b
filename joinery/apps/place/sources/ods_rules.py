"""`definitions/directory/ods.toml`, parsed: what roles and extracts of ODS say of a body's form."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from joinery.definitions import parsed


class FormRule(msgspec.Struct, frozen=True):
    """The form of a body that holds all of these roles."""

    form: str
    roles: list[str]


class NameRule(msgspec.Struct, frozen=True, rename={"from_date": "from"}):
    """The form of a body whose name holds these words; from that day on, where one is given."""

    words: str
    form: str
    from_date: date | None = None


class Extract(msgspec.Struct, frozen=True):
    """A CSV extract: what it lists, the role of each, and the relation to the body in the parent's column.

    `certainty` is that of the form.
    """

    name: str
    title: str
    form: str
    role: str = ""
    certainty: str = ""
    parent: str = ""
    when: list[NameRule] = []
    setting: dict[str, str] = {}


class Column(msgspec.Struct, frozen=True):
    """Where a field stands: the cell, from 1, of a row without a header, or the names in a header."""

    cell: int
    names: list[str]


class Succession(msgspec.Struct, frozen=True):
    """The files that say who came after whom, and what their reasons mean."""

    names: list[str]
    reasons: dict[str, str]


class Rules(msgspec.Struct, frozen=True):
    """The whole definition."""

    form: list[FormRule]
    extract: list[Extract]
    columns: dict[str, Column]
    succession: Succession


@cache
def rules() -> Rules:
    """The definition as it ships."""
    text = files("joinery.definitions").joinpath("directory/ods.toml").read_text("utf-8")
    return parsed(text, Rules)


def form_of(roles: set[str]) -> str:
    """The form that these roles make together.

    >>> form_of({"RO261", "RO318"})
    'icb'
    """
    return next((rule.form for rule in rules().form if roles.issuperset(rule.roles)), "other")
