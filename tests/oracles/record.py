"""Who is who and what is shown, worked out slowly from everything that was ever sent.

A thing sent is a dict: `who` sent it, its `key`, the moment it was `updated`, and either what it says of a
person (`number`, `family`, `given`, `born`) or what it says about one (`about`, `title`; no title: the line
is gone).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any

from joinery.calc.linkage.fields import Fields, fields_of
from joinery.calc.linkage.identity import Event, Said, Verdict
from joinery.calc.linkage.ladder import Details, content, ladder_pairs
from joinery.calc.linkage.model import Model
from tests.oracles import identity

Thing = dict[str, Any]
AT = datetime(2026, 3, 31, tzinfo=UTC)


def newest(sent: list[Thing]) -> list[Thing]:
    """The last version of each thing, by what it says of itself."""
    return [
        thing
        for thing in sent
        if not any(
            (other["who"], other["key"]) == (thing["who"], thing["key"]) and other["updated"] > thing["updated"]
            for other in sent
        )
    ]


def record(thing: Thing) -> str:
    return f"{thing['who']} {thing['key']}"


def people(sent: list[Thing], model: Model) -> set[frozenset[str]]:
    """Which records are one person: every pair of records held against each other, then all pairs at once."""
    said = [thing for thing in newest(sent) if "number" in thing]
    events = []
    for (a, one), (b, other) in combinations(enumerate(said), 2):
        if one["number"] and one["number"] == other["number"]:
            for rung in ladder_pairs([details(one), details(other)]):
                verdict: Verdict = "apart" if rung.reason == "conflict" else "same"
                events.append(Event(a, b, "rule", verdict, AT, reason=rung.reason))
        x, y = fields(one), fields(other)
        score = model.score(x, y)
        if set(model.keys(x)) & set(model.keys(y)) and score.bits >= model.link_bits:
            events.append(Event(a, b, "score", "same", AT, score.bits))
    ruled = {event.pair for event in events if event.channel == "rule"}
    events = [event for event in events if event.channel == "rule" or event.pair not in ruled]
    says = {a: Said(thing["number"], content(details(thing))) for a, thing in enumerate(said)}
    return {frozenset(record(said[a]) for a in group) for group in identity.people(says, events)}


def details(thing: Thing) -> Details:
    return Details(thing["family"], thing["given"], date.fromisoformat(thing["born"]) if thing["born"] else None)


def fields(thing: Thing) -> Fields:
    return fields_of(
        nhs_number=thing["number"], given_name=thing["given"], family_name=thing["family"], birth_date=thing["born"]
    )


def lines(sent: list[Thing], model: Model) -> dict[frozenset[str], list[str]]:
    """The lines that each person's page shows."""
    shown = [thing for thing in newest(sent) if thing.get("about") and thing["title"]]
    return {
        group: sorted(thing["title"] for thing in shown if f"{thing['who']} {thing['about']}" in group)
        for group in people(sent, model)
    }
