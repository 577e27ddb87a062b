"""`definitions/rules/staff.toml`, parsed: how long invitations and roles last, and when they are looked at again."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from joinery.definitions import parsed


class StaffRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules from a day on; lengths are in days."""

    from_date: date
    invitation_days: int
    post_days: int
    ends_soon_days: int
    review_every_days: int
    review_within_days: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[StaffRules, ...]


@cache
def _all_rules() -> tuple[StaffRules, ...]:
    text = files("joinery.definitions").joinpath("rules/staff.toml").read_text("utf-8")
    return tuple(sorted(parsed(text, _File).rules, key=lambda each: each.from_date))


def rules_on(on: date) -> StaffRules:
    """The rules of a day; before the first ones began, those.

    >>> rules_on(date(2026, 11, 22)).invitation_days
    14
    """
    begun = [each for each in _all_rules() if each.from_date <= on]
    return begun[-1] if begun else _all_rules()[0]
