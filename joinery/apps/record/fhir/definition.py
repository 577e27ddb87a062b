"""`definitions/feeds/fhir.toml`, parsed: which elements make a line, and what stands at the top of the page."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class EntryDefinition:
    """How one type of resource makes a line; elements are paths, already split at the dots."""

    kind: str
    at: tuple[tuple[str, ...], ...]
    until: tuple[tuple[str, ...], ...]
    title: tuple[tuple[str, ...], ...]
    detail: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class BannerDefinition:
    """Where one type of resource stands at the top of the page: when not, and which codes say otherwise."""

    name: str
    element: str
    over: frozenset[str]
    codes: dict[str, str]


@dataclass(frozen=True, slots=True)
class ListDefinition:
    """What a list of this code says when it is empty, kept back or known to be partial: names of banners."""

    code: str
    empty: str
    held: str
    part: str


@dataclass(frozen=True, slots=True)
class FhirDefinition:
    """The feed definition as read from its file."""

    entries: dict[str, EntryDefinition]
    gone_status: frozenset[str]
    sensitive: dict[str, str]
    nhs_number_system: str
    unsaid: frozenset[str]
    banners: dict[str, BannerDefinition]
    lists: tuple[ListDefinition, ...]
    list_held: frozenset[str]
    list_part: frozenset[str]
    list_unsaid: frozenset[str]


@cache
def definition() -> FhirDefinition:
    """`definitions/feeds/fhir.toml`, parsed."""
    text = files("joinery.definitions").joinpath("feeds/fhir.toml").read_text("utf-8")
    said = tomllib.loads(text)

    def paths(entry: dict[str, Any], name: str) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(path.split(".")) for path in entry.get(name, ()))

    return FhirDefinition(
        entries={
            entry["type"]: EntryDefinition(
                entry["kind"], *(paths(entry, name) for name in ("at", "until", "title", "detail"))
            )
            for entry in said["entry"]
        },
        gone_status=frozenset(said["gone_status"]),
        sensitive=said["sensitive"],
        nhs_number_system=said["nhs_number_system"],
        unsaid=frozenset(said["unsaid"]),
        banners={
            kind: BannerDefinition(each["name"], each["element"], frozenset(each["over"]), each.get("codes", {}))
            for each in said["banner"]
            for kind in each["types"]
        },
        lists=tuple(ListDefinition(**each) for each in said["list"]),
        list_held=frozenset(said["list_held"]),
        list_part=frozenset(said["list_part"]),
        list_unsaid=frozenset(said["list_unsaid"]),
    )
