"""What ships as data: what there is, and the one way to read a file of it. What it means is said elsewhere."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
# msgspec learns a type when it meets it first, and falls over when two threads meet it at once.
_reading = Lock()

# The feeds, as `feeds/*.toml` define them: direct care first, then returns, then registers.
FEEDS = ("adt", "fhir", "mods", "council", "capacity", "cld", "apc", "ecds", "cqc", "ods")
# The feed of what is written here and filed as FHIR. It has no file: nobody sends it.
OWN_FEED = "joinery"


def parsed(text: str, kind: type[T], dec_hook: Callable[[type, Any], Any] | None = None) -> T:
    """A definition from its text, as a Struct. Raises tomllib.TOMLDecodeError or msgspec.ValidationError."""
    said = tomllib.loads(text)
    with _reading:
        return msgspec.convert(said, kind, dec_hook=dec_hook)
