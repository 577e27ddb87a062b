"""Lookups of the Office for National Statistics: which bodies an LSOA lies in, and what lies in what.

Any columns in any order and of any year are taken, as `definitions/directory/lookups.toml` names them.
Areas of England and Wales are taken; rows of Scotland and Northern Ireland say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from joinery.apps.base.tables import Table
from joinery.apps.place.kinds import Row, Saying
from joinery.apps.place.sources.reading import GSS_CODE, LSOA_CODE, ODS_CODE, Opened, row_of
from joinery.definitions import parsed

_COLUMN = re.compile(r"([a-z]+)(\d{2})?(cd|cdh|nm)")


class Level(msgspec.Struct, frozen=True):
    """A set of bodies: the stems of its columns, and the form of its bodies."""

    name: str
    stems: list[str]
    form: str = ""


class Definition(msgspec.Struct, frozen=True):
    """`definitions/directory/lookups.toml`."""

    level: list[Level]
    nests: dict[str, str]
    councils: dict[str, str]
    days: dict[str, date]


@cache
def definition() -> Definition:
    """The definition as it ships."""
    text = files("joinery.definitions").joinpath("directory/lookups.toml").read_text("utf-8")
    return parsed(text, Definition)


@dataclass(slots=True)
class Body:
    """The columns of one body of a row, by index; -1 where there is none."""

    level: Level
    column: str
    gss: int = -1
    ods: int = -1
    name: int = -1


@dataclass(slots=True)
class Lookup:
    """What the columns of a lookup are. `lsoa` is -1 in a lookup between bodies."""

    lsoa: int = -1
    lsoa_year: str = ""
    bodies: list[Body] = field(default_factory=list)


def lookup_of(header: list[str]) -> Lookup | None:
    """What the header is a lookup of, or None: an LSOA and a body, or two bodies of which one lies in the other."""
    found = Lookup()
    stems = {stem.lower(): level for level in definition().level for stem in level.stems}
    bodies: dict[str, Body] = {}
    for index, name in enumerate(header):
        if not (column := _COLUMN.fullmatch(name)):
            continue
        stem, year, what = column[1], column[2] or "", column[3]
        if stem == "lsoa" and what == "cd" and year >= found.lsoa_year:
            found.lsoa, found.lsoa_year = index, year
        elif level := stems.get(stem):
            body = bodies.setdefault(stem + year, Body(level, (stem + year).upper()))
            setattr(body, {"cd": "gss", "cdh": "ods", "nm": "name"}[what], index)
    found.bodies = [body for body in bodies.values() if body.gss >= 0 or body.ods >= 0]
    levels = {body.level.name for body in found.bodies}
    nested = any(definition().nests.get(level) in levels for level in levels)
    return found if (found.lsoa >= 0 and levels) or nested else None


def nearest(header: list[str]) -> tuple[str, list[str]] | None:
    """What the header lacks, when it has an LSOA."""
    if not any((found := _COLUMN.fullmatch(name)) and found[1] == "lsoa" for name in header):
        return None
    return "ONS lookup", ["a body and its year, such as LAD24CD, UTLA24CD, SICBL24CD or ICB24CD"]


def open_lookup(table: Table, lookup: Lookup, columns: int, skip: int) -> Opened:
    """Open a lookup. It replaces what an earlier lookup of the same levels said, of whatever year."""
    levels = list(dict.fromkeys(body.level.name for body in lookup.bodies))
    source = "ons:" + "+".join((["lsoa"] if lookup.lsoa >= 0 else []) + sorted(levels))
    columns_said = [f"LSOA{lookup.lsoa_year}"] if lookup.lsoa >= 0 else []
    title = "ONS lookup: " + ", ".join(columns_said + [body.column for body in lookup.bodies])
    # A day is sure only where all bodies are of one year.
    one_year = len({body.column[-2:] for body in lookup.bodies}) == 1
    days = {definition().days.get(body.column) for body in lookup.bodies if one_year} - {None}
    rows = _rows(table, lookup, columns, skip)
    return Opened(source, "snapshot", title, on=days.pop() if len(days) == 1 else None, rows=rows, note=table.note)


def _rows(table: Table, lookup: Lookup, columns: int, skip: int) -> Iterator[Row]:
    # A body or an area stands in many rows; it is said once.
    told: set[tuple[str, str, str]] = set()
    for position, body, cells, wrong in table.data(columns, skip):
        issues = [f"Row {position} {wrong}"] if wrong else [f"Row {position}: {i}" for i in _issues(cells, lookup)]
        new: list[Saying] = []
        if not issues:
            for said in _sayings(cells, lookup):
                key = (said.code, said.kind, said.target or said.value)
                if key not in told:
                    told.add(key)
                    new.append(said)
        yield row_of(position, body, new, issues)


def _cell(cells: list[str], index: int) -> str:
    return cells[index].strip() if index >= 0 else ""


def _issues(cells: list[str], lookup: Lookup) -> Iterator[str]:
    area = _cell(cells, lookup.lsoa)
    if lookup.lsoa >= 0 and not (LSOA_CODE.fullmatch(area) or area[:1] in ("S", "N", "9")):
        yield f"{area[:40]!r} is not the code of an LSOA. Get the file again."
    for body in lookup.bodies:
        gss, ods = _cell(cells, body.gss), _cell(cells, body.ods)
        if gss and not GSS_CODE.fullmatch(gss):
            yield f"{gss[:40]!r} is not a GSS code ({body.column}CD). Get the file again."
        if ods and not ODS_CODE.fullmatch(ods):
            yield f"{ods[:40]!r} is not an ODS code ({body.column}CDH). Get the file again."


def _sayings(cells: list[str], lookup: Lookup) -> Iterator[Saying]:
    area = _cell(cells, lookup.lsoa)
    if area and not LSOA_CODE.fullmatch(area):
        return
    codes: dict[str, str] = {}
    for body in lookup.bodies:
        gss, ods = _cell(cells, body.gss), _cell(cells, body.ods)
        form = body.level.form or definition().councils.get(gss[:3], "")
        code = ods or gss
        # A code of nines means that there is no such body for this area.
        if not code or not form or gss[3:] == "999999" or code in codes.values():
            continue
        codes[body.level.name] = code
        if name := _cell(cells, body.name):
            yield Saying(code, "name", name)
        yield Saying(code, "form", form)
        if ods and gss:
            yield Saying(code, "code", f"gss:{gss}")
        if area:
            yield Saying(code, "area", area)
    for inner, outer in definition().nests.items():
        if inner in codes and outer in codes:
            yield Saying(codes[inner], "part_of", target=codes[outer])
