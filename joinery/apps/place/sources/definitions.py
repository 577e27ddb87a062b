"""Definition files of organisations (TOML): those that ship, and a place's own proposals.

An entry under `[[organisation]]` says what a body was and is, one under `[[succession]]` who came after whom.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from joinery.apps.base.tables import UnreadableFile
from joinery.apps.place.kinds import EARLIEST, FORMS, KINDS, Row, Saying
from joinery.apps.place.sources.reading import Opened, row_of

MOST_BYTES = 16 * 1024 * 1024
CERTAINTIES = ("", "verified", "recalled", "claimed")
TOP = {"title", "source", "certainty", "organisation", "succession"}
# An entry's words for kinds of statement, where they are not the kind itself.
WORDS = {
    "name": "name",
    "names": "name",
    "form": "form",
    "forms": "form",
    "roles": "role",
    "areas": "area",
}
# What a body is called holds when it is gone, too.
LASTING = ("name", "code")
SUCCESSION_DETAIL = ("part", "areas", "share", "instrument", "contracts", "note")


Sayings = Callable[[dict[str, Any], str], Iterator[Saying]]


class Wrong(Exception):
    """An entry cannot be taken; the message says why."""


def open_definition(path: Path) -> Opened:
    """Open a definition file. Raises UnreadableFile, naming the file, when it is not one."""
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise UnreadableFile(f"{path.name} is larger than {MOST_BYTES // 1024**2} MB. Split it.")
    try:
        said = tomllib.loads(raw.decode("utf-8-sig").replace("\r\n", "\n"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise UnreadableFile(f"{path.name} is not TOML: {error}. Mend it.") from None
    if unknown := sorted(said.keys() - TOP):
        raise UnreadableFile(f"{path.name}: {', '.join(unknown)} is not known. Known are {', '.join(sorted(TOP))}.")
    certainty = said.get("certainty", "")
    if certainty not in CERTAINTIES:
        raise UnreadableFile(f"{path.name}: certainty must be one of {', '.join(CERTAINTIES[1:])}.")
    for part in ("organisation", "succession"):
        entries = said.get(part, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise UnreadableFile(f"{path.name}: write each {part} under [[{part}]].")
    title = said.get("title", path.stem)
    if not isinstance(title, str):
        raise UnreadableFile(f"{path.name}: title must be words.")
    return Opened(f"definition:{path.stem}", "history", title, rows=_rows(path.name, said, certainty))


def _rows(file: str, said: dict[str, Any], certainty: str) -> Iterator[Row]:
    entries = [
        (str(entry.get(key, "no code")), position, f"[[{part}]] {number}", entry, sayings_of)
        for position, (part, key, sayings_of, number, entry) in enumerate(_numbered(said), start=1)
    ]
    # All that is said of one body stands together, as a history must.
    for code, position, where, entry, sayings_of in sorted(entries, key=lambda e: e[:2]):
        body = json.dumps(entry, default=str, ensure_ascii=False)
        name = f"{file}, {where} ({code})"
        try:
            if "\\u0000" in body:
                raise Wrong("it holds the character U+0000. Take it out.")
            made = row_of(position, body, list(sayings_of(entry, _certainty(entry, certainty))))
        except Wrong as wrong:
            made = row_of(position, body, (), (f"{name}: {wrong}",))
        yield made if not made.issues else _named(made, name)


def _numbered(said: dict[str, Any]) -> Iterator[tuple[str, str, Sayings, int, dict[str, Any]]]:
    parts: tuple[tuple[str, str, Sayings], ...] = (
        ("organisation", "code", _organisation),
        ("succession", "from", _succession),
    )
    for part, key, sayings_of in parts:
        for number, entry in enumerate(said.get(part, []), start=1):
            yield part, key, sayings_of, number, entry


def _named(row: Row, name: str) -> Row:
    return row_of(row.position, row.body, (), [i if i.startswith(name) else f"{name}: {i}" for i in row.issues])


def _certainty(entry: Mapping[str, Any], default: str) -> str:
    certainty = entry.get("certainty", default)
    if certainty not in CERTAINTIES:
        raise Wrong(f"certainty must be one of {', '.join(CERTAINTIES[1:])}.")
    return str(certainty)


def _text(entry: Mapping[str, Any], key: str) -> str:
    found = entry.get(key)
    if not isinstance(found, str) or not found.strip():
        raise Wrong(f"{key} must be there, in quotes.")
    return found.strip()


def _day(entry: Mapping[str, Any], key: str) -> date | None:
    found = entry.get(key)
    if found is not None and (not isinstance(found, date) or isinstance(found, datetime)):
        raise Wrong(f"{key} must be a date without quotes, as 2026-04-01.")
    return found


def _keepable(value: Any) -> bool:
    """Whether it can be kept as JSON: words, numbers, and lists of them."""
    if isinstance(value, list):
        return all(not isinstance(each, list) and _keepable(each) for each in value)
    return isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


def _organisation(entry: dict[str, Any], certainty: str) -> Iterator[Saying]:
    code = _text(entry, "code")
    since, until = _day(entry, "from") or EARLIEST, _day(entry, "to")
    detail = {"note": _text(entry, "note")} if "note" in entry else {}
    yield Saying(code, "open", from_date=since, to_date=until, certainty=certainty, detail=detail)
    for key, given in entry.items():
        if key in ("code", "from", "to", "certainty", "note"):
            continue
        if key == "codes":
            if not isinstance(given, dict):
                raise Wrong('codes must be a table, as { gss = "E54000037" }.')
            for scheme, values in given.items():
                for item in values if isinstance(values, list) else [values]:
                    said = _item(item, key, "code", certainty)
                    begin = since if said.from_date == EARLIEST else said.from_date
                    yield Saying(code, "code", f"{scheme}:{said.value}", "", begin, said.to_date, said.certainty)
            continue
        kind = WORDS.get(key, key)
        if kind not in KINDS or kind in ("open", "succeeded_by"):
            raise Wrong(f"{key} is not known. Look for a slip of spelling.")
        for number, item in enumerate(given if isinstance(given, list) else [given]):
            said = _item(item, key, kind, certainty)
            end = said.to_date or (None if kind in LASTING else until)
            # The first of the roles is the primary one, as in ODS.
            primary = {"primary": True} if kind == "role" and number == 0 else {}
            begin = since if said.from_date == EARLIEST else said.from_date
            yield Saying(code, kind, said.value, said.target, begin, end, said.certainty, {**said.detail, **primary})


def _item(item: Any, key: str, kind: str, certainty: str) -> Saying:
    """One thing said: words alone, or a table with the words, dates and anything more."""
    table = item if isinstance(item, dict) else {"value": item}
    used = next((name for name in ("value", "code", kind) if name in table), "value")
    number = table.get(used)
    value = str(number) if type(number) is int else "" if kind == "legal" else _text(table, used)
    if kind == "form" and value not in FORMS:
        raise Wrong(f"{value} is not a form. Forms: {', '.join(sorted(FORMS))}.")
    since, until = _day(table, "from") or EARLIEST, _day(table, "to")
    rest = {name: more for name, more in table.items() if name not in (used, "from", "to", "certainty")}
    if wrong := [name for name, more in rest.items() if not _keepable(more)]:
        raise Wrong(f"{', '.join(wrong)} within {key} cannot be kept. Use words and numbers.")
    relation = KINDS[kind].relation
    certainty = _certainty(table, certainty)
    return Saying("", kind, "" if relation else value, value if relation else "", since, until, certainty, rest)


def _succession(entry: dict[str, Any], certainty: str) -> Iterator[Saying]:
    if unknown := sorted(entry.keys() - {"on", "from", "to", "certainty", *SUCCESSION_DETAIL}):
        raise Wrong(f"{', '.join(unknown)} is not known. Look for a slip of spelling.")
    on = _day(entry, "on")
    if on is None:
        raise Wrong("on must be there: the day, as 2026-04-01.")
    share = entry.get("share", 1)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise Wrong("share must be a number from 0 to 1.")
    areas = entry.get("areas", [])
    if not isinstance(areas, list) or not all(isinstance(area, str) for area in areas):
        raise Wrong('areas must be a list of codes, as ["E06000036"].')
    for key in ("part", "instrument", "contracts", "note"):
        if key in entry:
            _text(entry, key)
    old, new = _text(entry, "from"), _text(entry, "to")
    if old == new:
        raise Wrong("a body cannot succeed itself. Change of name or form is said under [[organisation]].")
    detail = {key: entry[key] for key in SUCCESSION_DETAIL if key in entry}
    yield Saying(old, "succeeded_by", target=new, from_date=on, certainty=certainty, detail=detail)
