"""Who is who and what is shown, worked out slowly from everything that was ever sent.

A thing sent is a dict: `who` sent it, its `key`, the moment it was `updated`, and either what it says of a
person (`number`, `family`, `given`, `born`) or what it says about one (`about`, `title`; no title: the line
is gone).
"""

from __future__ import annotations

from itertools import product
from typing import Any

Thing = dict[str, Any]


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


def people(sent: list[Thing]) -> set[frozenset[str]]:
    """Which records are one person: the same number, and a date of birth that agrees, or both names with near dates.

    Groups are joined two at a time, the best reason first, until nothing can be joined; never when a
    record of one and a record of the other differ in both.
    """
    said = [thing for thing in newest(sent) if "number" in thing]
    groups = [frozenset([record(thing)]) for thing in said]
    by_name = {record(thing): thing for thing in said}
    for reason in (same_in_all, same_birth_date, same_names):
        pairs = sorted(product(said, said), key=lambda pair: [content(thing) for thing in pair])
        for a, b in pairs:
            if a["number"] and a["number"] == b["number"] and reason(a, b):
                left, right = (next(g for g in groups if record(thing) in g) for thing in (a, b))
                if not any(differ(by_name[x], by_name[y]) for x in left for y in right):
                    groups = [g for g in groups if g not in (left, right)] + [left | right]
    return set(groups)


def content(thing: Thing) -> list[str]:
    return [thing["born"], thing["family"].upper(), thing["given"].upper()]


def same_birth_date(a: Thing, b: Thing) -> bool:
    return bool(a["born"]) and a["born"] == b["born"]


def same_names(a: Thing, b: Thing) -> bool:
    return all(content(a)[1:]) and content(a)[1:] == content(b)[1:] and near(a["born"], b["born"])


def near(a: str, b: str) -> bool:
    """Dates of birth that one slip of the pen explains, or of which one is missing."""
    if not a or not b:
        return True
    (year, month, day), other = a.split("-"), b.split("-")
    return [year, day, month] == other or sum(x != y for x, y in zip((year, month, day), other, strict=True)) <= 1


def same_in_all(a: Thing, b: Thing) -> bool:
    return content(a) == content(b) and (same_birth_date(a, b) or same_names(a, b))


def differ(a: Thing, b: Thing) -> bool:
    return all(content(a)) and all(content(b)) and not same_birth_date(a, b) and not same_names(a, b)


def lines(sent: list[Thing]) -> dict[frozenset[str], list[str]]:
    """The lines that each person's page shows."""
    shown = [thing for thing in newest(sent) if thing.get("about") and thing["title"]]
    return {
        group: sorted(thing["title"] for thing in shown if f"{thing['who']} {thing['about']}" in group)
        for group in people(sent)
    }
