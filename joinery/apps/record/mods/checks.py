"""Checking what a line holds against its definition, and turning each value into words on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from joinery.apps.record.mods.definition import Fields
from joinery.apps.record.rows import Issue, moment_of

MOST_NUMBER = 10**15
MOST_CODE = 200  # characters that are compared
MOST_VERSION = 2**31 - 1  # what every database holds in an integer
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")

# The words for a value, and its codes; None when it has not the form that was asked for.
Form = tuple[str, frozenset[str]] | None


@dataclass(slots=True)
class Said:
    """What fields hold: `words` as text for the page, `codes` as they were sent. Empty ones are in neither."""

    words: dict[str, str] = field(default_factory=dict)
    codes: dict[str, frozenset[str]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def holds(self, name: str, codes: tuple[str, ...]) -> bool:
        """Whether a field holds one of these codes, however it is spelt; `""` stands for an empty field."""
        held = self.codes.get(name)
        return "" in codes if held is None else any(plain_code(code[:MOST_CODE]) in _compared(codes) for code in held)

    def first(self, names: tuple[str, ...]) -> str:
        """The words of the first of these fields that is filled; empty when none is."""
        return next((self.words[name] for name in names if name in self.words), "")


@lru_cache(maxsize=4096)
def plain_code(text: str) -> str:
    """A code as it is compared, however its sender spells it.

    >>> plain_code("Health and welfare"), plain_code("LPA-HW")
    ('health_and_welfare', 'lpa_hw')
    """
    return _NOT_PLAIN.sub("_", text.lower()).strip("_")


@cache
def _compared(codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(plain_code(code) for code in codes if code)


def check(where: str, held: Mapping[str, Any], fields: Fields) -> Said:
    """What `held` says, and every rule of `fields` that it breaks. `where` is its place, with what follows it."""
    said = Said()
    for name, value in held.items():
        form = fields.must.get(name) or fields.may.get(name)
        # What is not defined is kept with the line and not read; null and nothing are not known.
        if form is None or value is None or value in ("", [], {}):
            continue
        read = FORMS[form](value)
        if read is None:
            said.issues.append(_issue(where, name, form, value, f"{name} is not {_MEANT[form]}"))
        elif read[0]:
            said.words[name], said.codes[name] = read
    said.issues += missing(where, fields.must, said)
    said.issues += _none_of(where, fields.any_of, said)
    said.issues += _off_list(where, held, fields, said)
    return said


def missing(where: str, names: Iterable[str], said: Said) -> list[Issue]:
    """An issue for each of these fields that is empty; one that is filled wrongly has its own."""
    wrong = {issue.path for issue in said.issues}
    empty = [name for name in names if name not in said.words and f"{where}{name}" not in wrong]
    return [_issue(where, name, "required", "", f"{name} is empty. It must be filled.") for name in empty]


def _none_of(where: str, names: tuple[str, ...], said: Said) -> list[Issue]:
    """An issue when all of these fields are empty, and there are any."""
    if not names or len(missing(where, names, said)) < len(names):
        return []
    return [_issue(where, names[0], "required", "", f"One of these must be filled: {', '.join(names)}.")]


def _off_list(where: str, held: Mapping[str, Any], fields: Fields, said: Said) -> Iterator[Issue]:
    for name in (each for each in fields.codes if each in said.words):
        allowed = fields.codes[name]
        if not all(code in allowed for code in listed(held[name])):
            yield _issue(where, name, "code", held[name], f"{name} must be one of: {', '.join(allowed)}.")
        said.words[name] = said.words[name].replace("_", " ")


def _issue(where: str, name: str, rule: str, value: Any, message: str) -> Issue:
    shown = str(value)[:80] if isinstance(value, str | bool | Decimal) else ""
    return Issue(f"{where}{name}", rule, shown, message)


# -- forms ----------------------------------------------------------------------------------------


def _text(value: Any) -> Form:
    return (value.strip(), frozenset({value})) if isinstance(value, str) else None


def _coded(value: Any) -> Form:
    """Text, or `{code, text}`: the text is shown, the code is compared."""
    if not isinstance(value, dict):
        return _text(value)
    said = [value.get(name) for name in ("text", "code")]
    if any(each is not None and not isinstance(each, str) for each in said) or not any(said):
        return None
    return next(each.strip() for each in said if each), frozenset(each for each in said if each)


def _texts(value: Any) -> Form:
    known = [read for each in listed(value) if (read := _coded(each)) is not None]
    if len(known) < len(listed(value)):
        return None
    codes = frozenset(code for _, each in known for code in each)
    return ", ".join(words for words, _ in known if words), codes


def _count(value: Any) -> Form:
    counts = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_VERSION
    return (str(value), frozenset()) if counts else None


def _quantity(value: Any) -> Form:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return (str(value)[:40], frozenset()) if -MOST_NUMBER < value < MOST_NUMBER else None
    return _text(value)


def _flag(value: Any) -> Form:
    word = "yes" if value else "no"
    return (word, frozenset({word})) if isinstance(value, bool) else None


def _date(value: Any) -> Form:
    try:
        whole = isinstance(value, str) and len(value) == 10 and date.fromisoformat(value)
    except ValueError:
        return None
    return (value, frozenset()) if whole else None


def _clock(value: Any) -> Form:
    return (value, frozenset()) if isinstance(value, str) and _CLOCK.fullmatch(value) else None


def _moment(value: Any) -> Form:
    found = moment_of(value) if isinstance(value, str) else None
    return (value, frozenset()) if found and found.precision in ("day", "minute") else None


def _name(value: Any) -> Form:
    """Text, or `{family, given}`; given names are text or a list of it."""
    if not isinstance(value, dict):
        return _text(value)
    parts = [*listed(value.get("given")), value.get("family")]
    if len(parts) < 2 or not all(isinstance(part, str) and part.strip() for part in parts):
        return None
    return " ".join(part.strip() for part in parts), frozenset()


def _names(value: Any) -> Form:
    """A list of names with their parts: who somebody is cannot be compared by one text."""
    read = [_name(each) if isinstance(each, dict) else None for each in listed(value)]
    return read[0] if all(read) else None


def _addresses(value: Any) -> Form:
    """A list of `{lines, postcode}`, or of text."""
    for each in listed(value):
        lines = [*listed(each.get("lines")), each.get("postcode") or ""] if isinstance(each, dict) else [each]
        if not all(isinstance(line, str) for line in lines):
            return None
    return "given", frozenset()


def listed(value: Any) -> list[Any]:
    """A list as it is, nothing as no element, anything else as one."""
    return value if isinstance(value, list) else [] if value is None else [value]


FORMS: dict[str, Callable[[Any], Form]] = {
    "text": _text,
    "coded": _coded,
    "texts": _texts,
    "count": _count,
    "quantity": _quantity,
    "flag": _flag,
    "date": _date,
    "clock": _clock,
    "moment": _moment,
    "name": _name,
    "names": _names,
    "addresses": _addresses,
}
_MEANT = {
    "text": 'text. Write it in quotes: "…".',
    "coded": 'text, nor a code with its text. Write it as {"code": "…", "text": "…"}.',
    "texts": 'a list of texts. Write it as ["…", "…"].',
    "count": "a whole number from 0. Write it without quotes.",
    "quantity": "a number or text.",
    "flag": "yes or no. Write it as true or false, without quotes.",
    "date": "a date. Write it as 2026-03-31.",
    "clock": "a time of day. Write it as 14:05.",
    "moment": "a date or time. Write it as 2026-03-31T14:05:00Z.",
    "name": 'a name. Write it as {"family": "…", "given": "…"}.',
    "names": 'a list of names. Write it as [{"family": "…", "given": "…"}].',
    "addresses": 'a list of addresses. Write it as [{"lines": ["…"], "postcode": "…"}].',
}
