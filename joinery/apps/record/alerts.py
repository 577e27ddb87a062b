"""`definitions/rules/alerts.toml`, parsed: what kind an alert is of, by its words."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from joinery.definitions import parsed


class AlertKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of alert. `bare` stands in place of the words that were sent; `here` is where others stand;
    one that is `last` stands after all.
    """

    kind: str
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    note: str = ""
    bare: str = ""
    here: bool = False
    last: bool = False


class AlertKinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kinds, in the order in which they stand on a page."""

    alert: tuple[AlertKind, ...]


@cache
def alert_kinds() -> tuple[AlertKind, ...]:
    """Every kind, in the order of the page."""
    text = files("joinery.definitions").joinpath("rules/alerts.toml").read_text("utf-8")
    return parsed(text, AlertKinds).alert


def kind_of(title: str, detail: str) -> tuple[int, AlertKind]:
    """The kind that an alert's words fit, and its place in the order.

    >>> kind_of("DNACPR in place", "")[1].kind
    'resuscitation'
    >>> kind_of("Lasting power of attorney", "Property and financial affairs")[1].kind
    'property attorney'
    """
    kinds = alert_kinds()
    for place, each in enumerate(kinds):
        if _any_of(each.words, title) and (not each.also or _any_of(each.also, f"{title}. {detail}")):
            return (len(kinds) if each.last else place), each
    place = next(place for place, each in enumerate(kinds) if each.here)
    return place, kinds[place]


@lru_cache(maxsize=1024)
def bare_of(title: str) -> str:
    """What stands in place of a line whose story is for its own organisation alone; empty for all others.

    >>> bare_of("Safeguarding s42 enquiry: neighbour")
    'Safeguarding'
    """
    return next((each.bare for each in alert_kinds() if each.bare and _any_of(each.words, title)), "")


def _any_of(words: tuple[str, ...], text: str) -> bool:
    lower = text.casefold()
    return any(_stands(word, text if word != word.lower() else lower) for word in words)


def _stands(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
