"""What the checkers of TOML and of tables find wrong, in the words of a place file, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")
_EXPECTED = re.compile(r"Expected (.+?)(?: (>=|<=|>|<) (\S+?))?(?:, got (.+))?")
# What people write otherwise.
_HOW = (
    "Text stands in straight quotes, a thousand is 1_000, a date is 2026-04-01, "
    'a name with a space is "home care", and what is in braces stands on one line'
)
_WORDS = {
    "`float`": "a number",
    "`int`": "a whole number",
    "`str`": "text",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "a table",
    "`date`": "a date such as 2026-04-01",
    "`datetime`": "a date with a time",
    "`float | array | str`": 'a share, a list of shares, or "rest"',
}
_BOUNDS = {"<=": "of at most", ">=": "of at least", ">": "above", "<": "below"}
# The bounds that only shares have: whoever passes them writes per cent.
_PER_CENT = {("<=", "1.0"), (">", "-1.0")}


def toml_fault(words: str, line: str) -> str:
    """A text that is no TOML, from what the parser says and the line that it stopped at.

    >>> toml_fault("Cannot overwrite a value", "places = 81")
    "this is no TOML: Cannot overwrite a value: 'places = 81'"
    """
    fault = f"this is no TOML: {words}: {line.strip()!r}"
    return fault if words.startswith("Cannot") else f"{fault}. {_HOW}"


def table_fault(words: str, kind: type[msgspec.Struct], path: Sequence[str]) -> str:
    """A table that is not of its kind, from what msgspec says of the key at `path` in it.

    >>> from joinery.calc.twin.place_file.keys import StationTable
    >>> table_fault("Object contains unknown field `place`", StationTable, ())
    'there is no key place. Is places meant?'
    """
    if words.startswith("Object missing required field"):
        return words.replace("Object missing required field", "missing:").replace("`", "")
    if unknown := _UNKNOWN.fullmatch(words):
        return _unknown(unknown[1], _within(kind, path))
    if words.startswith("Invalid enum value"):
        return f"{words.removeprefix('Invalid enum value ')} is none of {', '.join(_choices(_within(kind, path)))}"
    if words.startswith("Invalid RFC3339"):
        return f"{_WORDS['`date`']} is needed"
    return _unexpected(words)


def _unexpected(words: str) -> str:
    found = _EXPECTED.fullmatch(words)
    if not found:
        return words
    what, bound, end, got = found.groups()
    if (bound, end) in _PER_CENT:
        return f"a share {_BOUNDS[bound]} {float(end):g} is needed: 5 % is 0.05"
    if what == "`array` of length":
        what, bound, end = f"a list of {end}", None, None
    got = "a fraction" if got == "`float`" else _WORDS.get(got, got)
    wanted = _WORDS.get(what, what.replace("`", "")) + (f" {_BOUNDS[bound]} {float(end):,.12g}" if bound else "")
    return f"{wanted} is needed{f', not {got}' if got else ''}"


def _unknown(name: str, there: list[Any]) -> str:
    keys = [each.encode_name for kind in there if isinstance(kind, inspect.StructType) for each in kind.fields]
    near = get_close_matches(name, keys, n=1, cutoff=0.6)
    return f"there is no key {name}. " + (f"Is {near[0]} meant?" if near else f"There are {', '.join(keys)}")


def _choices(there: list[Any]) -> list[str]:
    return [str(value) for kind in there if isinstance(kind, inspect.LiteralType) for value in kind.values]


def _within(kind: type[msgspec.Struct], path: Sequence[str]) -> list[Any]:
    """The types that may stand at a path of keys inside a table."""
    there = _plain(inspect.type_info(kind))
    for name in path:
        fields = [each for of in there if isinstance(of, inspect.StructType) for each in of.fields]
        there = [kind for each in fields if each.encode_name == name for kind in _plain(each.type)]
    return there


def _plain(kind: Any) -> list[Any]:
    """The types of a union, and of the entries of a list."""
    if isinstance(kind, inspect.Metadata):
        return _plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [each for one in kind.types for each in _plain(one)]
    return [kind, *_plain(kind.item_type)] if isinstance(kind, inspect.VarTupleType) else [kind]
