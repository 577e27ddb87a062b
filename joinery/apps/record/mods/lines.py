"""From one line of a provider's export to a row of intake: whose it is, and the line it makes.

What a line must hold and which words it makes is said in `definitions/feeds/mods.toml`, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from joinery.apps.record.care import care_rules, care_said
from joinery.apps.record.mods.checks import Said, check, missing
from joinery.apps.record.mods.definition import TypeDefinition, definition, types
from joinery.apps.record.mods.person import details_of
from joinery.apps.record.rows import DetailsRow, EntryRow, Issue, Moment, Row, capital, end_of, moment_of
from joinery.apps.record.wording import fill

PERSON = "Subject"
MOST_UID_CHARACTERS, MOST_SYSTEM_CHARACTERS = 200, 60
MOST_ISSUES = 20
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_sorted = msgspec.json.Encoder(order="sorted").encode

_NOT_TEXT = "The line is not UTF-8, or holds the character U+0000. Write the export as UTF-8 and send it again."
_NOT_AN_OBJECT = "The line is not one whole JSON object. Write one object on each line, without line breaks in it."
_NOT_KNOWN = "There is no such type. Use a type of the feed's reference page, or leave the line out."


def row_of(body: bytes, position: int) -> Row:
    """One line as a row; with what is wrong with it, it will be quarantined."""
    where = f"line {position}"
    line = _read(body)
    if isinstance(line, str):
        rule = "encoding" if line is _NOT_TEXT else "json"
        return Row(position, body, issues=(Issue(where, rule, "", line),))
    said = check(f"{where}, ", line, definition().envelope)
    (key, local_id), kind = _whose(line), types().get(said.words.get("type", ""))
    if kind is None and "type" in said.words:
        said.issues.append(Issue(f"{where}, type", "code", said.words["type"][:80], _NOT_KNOWN))
    said.issues += _too_long(where, line)
    made = Row(position, body, key, local_id=local_id)
    if kind is not None and not said.issues:
        # The same said with its names in another order is no other version.
        made.content = _sorted(line)
        _take(made, line, kind, said)
    made.issues = tuple(said.issues[:MOST_ISSUES])
    return made


def _read(body: bytes) -> dict[str, Any] | str:
    """The JSON object of a line, or what is wrong with it."""
    try:
        # No database holds a text with a NUL in it, be it written as it is or escaped.
        if "\0" in body.decode("utf-8") or b"\\u0000" in body:
            return _NOT_TEXT
        line = _decode(body)
    except UnicodeDecodeError:
        return _NOT_TEXT
    except (msgspec.MsgspecError, RecursionError, ArithmeticError):
        return _NOT_AN_OBJECT
    return _flat(line) if isinstance(line, dict) else _NOT_AN_OBJECT


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    """The line with what its `change` says beside the rest, as `change.at` and so on."""
    change = line.get("change")
    return line | {f"change.{name}": value for name, value in change.items()} if isinstance(change, dict) else line


def _whose(line: Mapping[str, Any]) -> tuple[str, str]:
    """The key of the thing and of the person, even of a line that has faults.

    The system is part of the key: versions begin again at 1 when a provider changes its system. Of type and
    system neither holds a slash, or the key could be another thing's: such a line has faults, and no key.
    """
    named = (line.get("type"), line.get("change.system"), line.get("uid"))
    parts = [part.strip() if isinstance(part, str) else "" for part in named]
    about = parts[2] if parts[0] == PERSON else line.get("subject")
    about = about.strip() if isinstance(about, str) else ""
    whole = all(parts) and "/" not in parts[0] + parts[1]
    return "/".join(parts)[:300] if whole else "", f"{PERSON}/{about}"[:255] if about else ""


def _too_long(where: str, line: Mapping[str, Any]) -> list[Issue]:
    """Names too long to be a key, or that could make two things one."""
    found = []
    for name in ("uid", "subject"):
        if isinstance(line.get(name), str) and len(line[name]) > MOST_UID_CHARACTERS:
            message = f"{name} is longer than {MOST_UID_CHARACTERS} characters."
            found.append(Issue(f"{where}, {name}", "length", line[name][:80], message))
    system = line.get("change.system")
    if isinstance(system, str) and (len(system) > MOST_SYSTEM_CHARACTERS or "/" in system):
        message = f"change.system must have {MOST_SYSTEM_CHARACTERS} characters at most, and no slash."
        found.append(Issue(f"{where}, change.system", "form", system[:80], message))
    return found


def _take(made: Row, line: Mapping[str, Any], kind: TypeDefinition, said: Said) -> None:
    """Fill the row with what the line says; adds to `said.issues` what is wrong with it."""
    where = f"line {made.position}, "
    changed = moment_of(said.words["change.at"])
    made.stated_at, made.version = changed.at if changed else None, line["version"]
    if not (kind.type == PERSON or "subject" in kind.needs):
        made.local_id = ""
    gone, rule = definition().gone_status, care_rules("mods").get(kind.type)
    if rule:
        made.care = care_said(rule, said.words, made.stated_at)
    if said.holds("status", gone):
        # What was entered in error need not be right in anything else.
        _take_back(made, kind)
        return
    said.issues += missing(where, kind.needs, said)
    if kind.type == PERSON and said.words.get("subject", said.words["uid"]) != said.words["uid"]:
        message = "The subject of a Subject must be its own uid, or empty."
        said.issues.append(Issue(f"{where}subject", "form", said.words["subject"][:80], message))
    body = line.get("body")
    if not isinstance(body, dict):
        said.issues.append(Issue(f"{where}body", "required", "", "body is empty. It must be an object of fields."))
        return
    found = check(f"{where}body.", body, kind)
    # Only what is empty can be excused, and only on a line of which nothing is worked out.
    excusable = kind.line and {issue.rule for issue in found.issues} == {"required"}
    absent = said.words.get("absent", "") if excusable else ""
    said.issues += [] if absent else found.issues
    if said.issues:
        return
    sensitive = definition().sensitive
    sensitivity = next((name for code, name in sensitive.items() if said.holds("sensitivity", (code,))), "")
    if rule:
        made.care = care_said(rule, found.words | said.words, made.stated_at)
    if kind.type == PERSON:
        made.details = details_of(body, found.words, restricted=bool(sensitivity))
    elif found.holds("status", gone):
        _take_back(made, kind)
    elif made.local_id:
        made.entry = _entry(kind, said, found, absent, sensitivity)


def _take_back(made: Row, kind: TypeDefinition) -> None:
    """The thing was never so: a person says nothing any more, a line goes."""
    if kind.type == PERSON:
        made.details = DetailsRow()
    elif made.local_id and kind.line:
        made.entry = EntryRow()


def _entry(kind: TypeDefinition, said: Said, found: Said, absent: str, sensitivity: str) -> EntryRow | None:
    dates = {"changed": said.words["change.at"]}
    if "date" in said.words:
        clock = said.words.get("time")
        dates["date"] = f"{said.words['date']}T{clock}" if clock else said.words["date"]
    values = Said(dates | found.words, found.codes)
    line = next((each for each in kind.line if all(found.holds(*when) for when in each.when.items())), None)
    if line is None:
        return None
    made = EntryRow(
        moment=_moment(values.first(line.at)),
        until_at=end_of(_moment(values.first(line.until))),
        kind=line.kind,
        sensitivity=sensitivity or line.sensitivity,
    )
    if absent:
        # Nothing was said of it, which is never the same as that there is nothing.
        made.title, made.detail = f"{line.kind}: not given", absent
        return made
    made.title = capital(fill(line.title, values.words) or line.kind)[:300]
    made.detail = ". ".join(capital(part) for each in line.detail if (part := fill(each, values.words)))
    made.banner = line.banner if said.holds("status", (definition().shown_status,)) else ""
    return made


def _moment(text: str) -> Moment | None:
    return moment_of(text) if text else None
