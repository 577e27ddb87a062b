"""`definitions/rules/privacy.toml`, parsed: how soon a task must be answered, and what of a day is unusual."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files

import msgspec

from joinery.calc.misuse import Limits
from joinery.calc.working_hours import working_days_after
from joinery.definitions import parsed


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules from a day on. Days of an answer are working days; `quiet_days` and `grant_days` are any."""

    valid_from: date
    override_hours: int
    reported_look_days: int
    unusual_look_days: int
    ask_to_read_days: int
    grant_days: int
    quiet_days: int
    from_time: time
    to_time: time
    any_hour_roles: tuple[str, ...]
    late_people: int
    in_a_row_people: int
    in_a_row_minutes: int

    def due_at(self, kind: str, at: datetime) -> datetime:
        """When a task of a kind that is raised at a moment must be answered."""
        if kind == "override":
            return at + timedelta(hours=self.override_hours)
        days: int = getattr(self, f"{kind}_days")
        return working_days_after(at, days)

    def limits(self) -> Limits:
        """What of a day is unusual."""
        return Limits(self.from_time, self.to_time, self.late_people, self.in_a_row_people, self.in_a_row_minutes)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rules, ...]


@cache
def _all() -> tuple[Rules, ...]:
    text = files("joinery.definitions").joinpath("rules/privacy.toml").read_text("utf-8")
    return tuple(sorted(parsed(text, _File).rules, key=lambda rules: rules.valid_from))


def rules_on(on: date) -> Rules:
    """The rules that are in force on a day: the newest that began by then, or the first ones."""
    return next((rules for rules in reversed(_all()) if rules.valid_from <= on), _all()[0])
