"""A place file as text: its tables, those of the file it is based on, and on which line of which file each stands."""

from __future__ import annotations

import csv
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from joinery.calc.twin.network import PlaceError
from joinery.calc.twin.place_file.faults import table_fault, toml_fault
from joinery.calc.twin.place_file.keys import TABLES
from joinery.calc.twin.place_file.lines import Key, lines_of

T = TypeVar("T", bound=msgspec.Struct)

_AT = re.compile(r"^(?P<words>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_LINE = re.compile(r"(.*?)(?: \(at (?:line (\d+), column \d+|end of document)\))?", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


@dataclass(frozen=True)
class Document:
    """What a file and those it is based on say together (`toml`), and what the file itself says (`own`). `lines` gives
    file and line of every key."""

    path: Path
    toml: dict[str, Any]
    own: dict[str, Any]
    lines: dict[Key, tuple[str, int]] = field(repr=False)
    base: Document | None = None

    def wrong(self, key: Key, words: str) -> PlaceError:
        """The error that says where `key` stands, or its first part, or else the nearest table around it."""
        part = next((at for each, at in self.lines.items() if each[: len(key)] == key), None)
        while key and key not in self.lines:
            key = key[:-1]
        name, line = part or self.lines.get(key, (self.path.name, 1))
        return PlaceError(f"{name}, line {line}: {words}")

    def table(self, key: Key, kind: type[T]) -> T:
        """The table at `key`, checked. Raises PlaceError with the line of what is wrong."""
        said = self.at(key)
        if said is None:
            raise PlaceError(f"{self.path.name}: there is no {header(key)}")
        if not isinstance(said, dict):
            written = next(each for each in TABLES if each.strip("[]").split(".")[0] == key[0])
            raise self.wrong(key, f"{header(key)}: a table is needed, as {written}")
        for path, value in _values(said, key):
            if isinstance(value, float) and not math.isfinite(value):
                raise self.wrong(path, f"{header(path)}: {value} is not a number to reckon with")
        try:
            return msgspec.convert(said, kind)
        except msgspec.ValidationError as error:
            found = _AT.fullmatch(str(error))
            words, inside = (found["words"], found["path"] or "$") if found else (str(error), "$")
            inner = tuple(int(each) if each.isdigit() else each for each in re.findall(r"\w[\w-]*", inside))
            unknown = _UNKNOWN.search(words)
            where = key + inner + ((unknown[1],) if unknown else ())
            names = [each for each in inner if isinstance(each, str)]
            raise self.wrong(where, f"{', '.join([header(key), *names])}: {table_fault(words, kind, names)}") from None

    def at(self, key: Key) -> Any:
        """What stands at a key; None for nothing."""
        said: Any = self.toml
        for part in key:
            try:
                said = said[part]
            except (KeyError, IndexError, TypeError):
                return None
        return said

    def rows(self, name: str, key: Key, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
        """The rows of a CSV file in the same folder, each with its place for an error. `key` names the file."""
        path = self.path.parent / name
        try:
            file = path.open(encoding="utf-8-sig", newline="")
        except OSError as error:
            raise self.wrong(key, f"{name} cannot be read: {error.strerror}") from None
        with file:
            reader = csv.DictReader(file)
            if missing := [each for each in columns if each not in (reader.fieldnames or ())]:
                raise PlaceError(f"{name}, line 1: there is no column {', '.join(missing)}")
            try:
                for row in reader:
                    yield f"{name}, line {reader.line_num}", {each: (row[each] or "").strip() for each in columns}
            except UnicodeDecodeError:
                raise PlaceError(f"{name} is not UTF-8 text. Save it as CSV UTF-8.") from None


def open_document(path: Path) -> Document:
    """Read a file and those it is based on. Raises PlaceError, with the line, when one cannot be read."""
    return _open(path, ())


def header(key: Key) -> str:
    """A key as the file writes it.

    >>> header(("route", "acute", "home"))
    '[route.acute.home]'
    """
    if key and key[0] == "census" and len(key) > 1:
        return f"[[census]] {int(key[1]) + 1}" + "".join(f", {each}" for each in key[2:])
    return f"[{'.'.join(map(str, key))}]"


def _open(path: Path, above: tuple[Path, ...]) -> Document:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise PlaceError(f"{path.name} is not UTF-8 text.") from None
    except OSError as error:
        raise PlaceError(f"{path.name} cannot be read: {error.strerror}") from None
    try:
        toml = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words, line = _LINE.fullmatch(str(error)).groups()  # type: ignore[union-attr]  # it matches anything
        number = int(line) if line else text.count("\n") + 1
        fault = toml_fault(words, text.split("\n")[number - 1])
        raise PlaceError(f"{path.name}, line {number}: {fault}") from None
    lines = {key: (path.name, line) for key, line in lines_of(text).items()}
    place = toml.get("place")
    based_on = place.get("based_on") if isinstance(place, dict) else None
    if not isinstance(based_on, str) or not based_on:
        return Document(path, toml, toml, lines)
    below = path.parent / based_on
    if below.resolve() in (each.resolve() for each in (path, *above)):
        raise PlaceError(f"{path.name}, line {lines['place', 'based_on'][1]}: {based_on} is based on this file")
    base = _open(below, (path, *above))
    # A list is replaced as a whole, and so are the lines of its entries.
    kept = {key: at for key, at in base.lines.items() if not (key[:1] == ("census",) and "census" in toml)}
    return Document(path, _merged(base.toml, toml), toml, kept | lines, base)


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of both. A stay that names its shape replaces the other as a whole; so does any value or list."""
    merged = dict(base)
    for name, value in changes.items():
        under = merged.get(name)
        if isinstance(under, dict) and isinstance(value, dict) and "shape" not in value:
            merged[name] = _merged(under, value)
        else:
            merged[name] = value
    return merged


def _values(said: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    if isinstance(said, dict):
        for name, value in said.items():
            yield from _values(value, (*key, name))
    elif isinstance(said, list):
        for number, value in enumerate(said):
            yield from _values(value, (*key, number))
    else:
        yield key, said
