"""`definitions/feeds/mods.toml`, parsed: what a line must hold, and the line of a timeline it makes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from joinery.definitions import parsed


class Fields(msgspec.Struct, frozen=True):
    """Fields by name, each with its form: those that must be filled and those that may be.

    Of `any_of` one must be filled; `codes` are closed lists.
    """

    must: Mapping[str, str] = {}
    may: Mapping[str, str] = {}
    any_of: tuple[str, ...] = ()
    codes: Mapping[str, tuple[str, ...]] = {}


class LineDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a line of the timeline is made, `when` each of its fields holds one of its codes."""

    kind: str
    at: tuple[str, ...]
    title: str
    until: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    banner: str = ""
    sensitivity: str = ""
    when: Mapping[str, tuple[str, ...]] = {}


class TypeDefinition(Fields, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One class of MODS: the fields of its body, what it `needs` of the envelope, the lines it may make."""

    type: str
    needs: tuple[str, ...] = ()
    line: tuple[LineDefinition, ...] = ()


class ModsDefinition(msgspec.Struct, frozen=True):
    """What the feed's definition says beside its head, which `base.feeds` reads."""

    schema: str
    modes: tuple[str, ...]
    gone_status: tuple[str, ...]
    shown_status: str
    sensitive: Mapping[str, str]
    envelope: Fields
    type: tuple[TypeDefinition, ...]
    gender: Mapping[str, str]


@cache
def definition() -> ModsDefinition:
    """`definitions/feeds/mods.toml`."""
    text = files("joinery.definitions").joinpath("feeds/mods.toml").read_text("utf-8")
    return parsed(text, ModsDefinition)


@cache
def types() -> dict[str, TypeDefinition]:
    """The types of line that are known, by name."""
    return {each.type: each for each in definition().type}
