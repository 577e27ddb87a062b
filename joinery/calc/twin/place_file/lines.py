"""On which line of a TOML text each table and key stands, which the standard parser does not tell."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Key = tuple[str | int, ...]


def lines_of(text: str) -> dict[Key, int]:
    """The line, from 1, of every table and key of a TOML text that parses; entries of `[[x]]` are numbered from 0.

    >>> lines_of('[place]\\nname = "Wexcombe"\\n[[census]]\\ndays = [\\n  1,\\n]')[("census", 0, "days")]
    4
    """
    lines: dict[Key, int] = {}
    table: Key = ()
    entries: Counter[Key] = Counter()
    for number, statement in _statements(text):
        if statement.lstrip().startswith("["):
            table = _table(tomllib.loads(statement), entries)
            lines.setdefault(table, number)
        else:
            for path in _paths(tomllib.loads(statement)):
                lines.setdefault((*table, *path), number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header and each key with its value, and the line it begins on: the fewest lines that parse alone."""
    begun: list[str] = []
    start = 1
    for number, line in enumerate(text.split("\n"), start=1):
        if not begun:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            start = number
        begun.append(line)
        statement = "\n".join(begun)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        yield start, statement
        begun = []


def _table(parsed: Mapping[str, Any], entries: Counter[Key]) -> Key:
    """The key of the table that a header opens. `entries` counts those of each `[[x]]` so far."""
    key: Key = ()
    inner: Any = parsed
    while inner:
        (name, inner), *_ = inner.items()
        key = (*key, name)
        if isinstance(inner, list):
            entries[key] += 1
            return (*key, entries[key] - 1)
        if key in entries:
            key = (*key, entries[key] - 1)
    return key


def _paths(parsed: Mapping[str, Any]) -> Iterator[Key]:
    for name, value in parsed.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *path) for path in _paths(value))
