"""Statements and changes in plain words, for pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from joinery.apps.place import facts
from joinery.site.jinja import longdate

CERTAINTY = {
    "verified": "checked against a document",
    "recalled": "recalled, not checked against a document",
    "claimed": "said by its source, not checked",
}
SOURCES = {
    "hand": "entered here",
    "ods": "NHS Organisation Data Service (ODS)",
    "cqc": "Care Quality Commission (CQC)",
    "ons": "Office for National Statistics (ONS)",
}
SCHEMES = {
    "ods": "ODS code",
    "gss": "GSS code",
    "cassr": "CASSR code",
    "cqc": "CQC id",
    "ukprn": "UKPRN",
}
ATTRIBUTES = {"beds": "Beds", "care_home": "Care home", "rating": "CQC rating", "lead": "Lead", "legal": "In law"}
INSTRUMENTS = {"transfer scheme": "Transfer scheme", "order": "Order"}
CONTRACTS = {"novated": "Novated: they go on with the new body", "re-made": "Re-made with the new body"}


def capital(text: str) -> str:
    """With a capital letter at its start."""
    return text[:1].upper() + text[1:]


def source_words(source: str) -> str:
    """Who said it, in words."""
    name, _, part = source.partition(":")
    if name == "definition":
        return f"the definition file “{part}”"
    known = SOURCES.get(name, name.upper() if name.islower() and len(name) < 6 else name)
    return f"{known}, {part}" if part else known


def span_words(start: date, end: date | None) -> str:
    """'1 April 2013 to 30 June 2022': `end` is the first day on which it is no more true."""
    if start <= facts.EARLIEST:
        return f"until {longdate(end)}" if end else ""
    return f"{longdate(start)} to {longdate(end)}" if end else f"since {longdate(start)}"


def foot_words(certainty: str, source: str, known_at: Any, start: date, end: date | None) -> str:
    """What stands small under a statement: since when, how sure, who said it, and since when it is known."""
    parts = [span_words(start, end), CERTAINTY.get(certainty, ""), source_words(source)]
    parts.append(f"known since {longdate(known_at)}" if known_at else "proposed, not decided")
    return "; ".join(part for part in parts if part)


def succession_note(each: facts.Succession) -> str:
    """What part went over, and how: 'part: north-east Hampshire; by transfer scheme; contracts re-made'."""
    share = f"{each.share:.0%}" if each.share not in (None, 1) else ""
    parts = [
        f"part: {each.part}" if each.part else "",
        f"share: {share}" if share else "",
        f"by {each.instrument}" if each.instrument else "",
        f"contracts {each.contracts}" if each.contracts else "",
        each.note,
    ]
    return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class BodyChanges:
    """What an edition says of one body, as sentences that follow its name."""

    body: facts.Brief
    sentences: tuple[str, ...]


def in_words(changes: Iterable[facts.Change]) -> tuple[BodyChanges, ...]:
    """What an edition says, by body, in the order in which it says it."""
    found: dict[int, tuple[facts.Brief, list[str]]] = {}
    for change in changes:
        found.setdefault(change.body.id, (change.body, []))[1].append(change_words(change))
    return tuple(BodyChanges(body, tuple(dict.fromkeys(words))) for body, words in found.values())


def change_words(change: facts.Change) -> str:
    """One statement of an edition as a sentence that follows the name of its body."""
    what = _what(change)
    when = f" on {longdate(change.from_date)}" if change.from_date > facts.EARLIEST else ""
    if change.withdrawn:
        return f"no longer said: {what}{when and ', from' + when.removeprefix(' on')}"
    if change.kind == "succeeded_by":
        note = "; ".join(_terms(change.detail))
        return f"{what}{when}{f' ({note})' if note else ''}"
    if change.kind == "open":
        return f"ends on {longdate(change.to_date)}" if change.to_date else f"begins{when}"
    if change.to_date:
        return f"{what} until {longdate(change.to_date)}"
    return f"{what}{when and ' from' + when.removeprefix(' on')}"


def _what(change: facts.Change) -> str:
    words = facts.KINDS[change.kind].words if change.kind in facts.KINDS else change.kind
    if change.other:
        start = "is succeeded by" if change.kind == "succeeded_by" else words
        return f"{start} {change.other.name} ({change.other.code})"
    match change.kind:
        case "open":
            return "is open"
        case "name":
            return f"is called “{change.value}”"
        case "form":
            return f"is of the form “{form_words(change.value)}”"
        case "lead":
            return f"has the lead {change.value}"
        case "area":
            return f"covers the area {change.value}"
        case _:
            return f"{words}: {change.value}" if change.value else words


def _terms(detail: Mapping[str, Any]) -> list[str]:
    said = [str(detail["part"])] if detail.get("part") else []
    if detail.get("instrument"):
        said.append(f"by {detail['instrument']}")
    if detail.get("contracts"):
        said.append(f"contracts {detail['contracts']}")
    return said


def form_words(form: str) -> str:
    """A form of body in words."""
    return facts.FORMS[form].words if form in facts.FORMS else form


def form_choices() -> dict[str, str]:
    """Every form of body, by its words."""
    return dict(sorted(((form, each.words) for form, each in facts.FORMS.items()), key=lambda pair: pair[1]))
