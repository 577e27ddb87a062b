"""`definitions/rules/referrals.toml`, parsed: how soon each step is due, kinds of services, and reasons."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from joinery.apps.care.states import STATES, STEPS
from joinery.calc.working_hours import Hours, Week, WorkingTime, bank_holidays, working_days_after
from joinery.definitions import parsed

NAME = "rules/referrals.toml"
_LIMIT = re.compile(r"([1-9]\d*) (minutes?|hours?|days?|working hours?|working days?)")


class Urgency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How urgent a referral is, what that means, and how soon each state must have come to an end."""

    words: str
    means: str
    sent: str
    acknowledged: str
    accepted: str
    started: str
    returned: str
    declined: str
    co_ordinator_after: str

    def limit(self, state: str) -> str:
        """How long a state may last, in words; empty for one that waits for nobody."""
        return str(getattr(self, state)) if STATES[state].waits_for else ""


class _Week(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    monday: tuple[time, time] | None = None
    tuesday: tuple[time, time] | None = None
    wednesday: tuple[time, time] | None = None
    thursday: tuple[time, time] | None = None
    friday: tuple[time, time] | None = None
    saturday: tuple[time, time] | None = None
    sunday: tuple[time, time] | None = None

    def days(self) -> tuple[Hours | None, ...]:
        return tuple(getattr(self, day) for day in self.__struct_fields__)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules from a day on. `reasons` are those of each state that asks for one, by code."""

    valid_from: date
    working_hours: _Week
    urgencies: dict[str, Urgency]
    kinds: dict[str, str]
    reasons: dict[str, dict[str, str]]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rules, ...]


@cache
def _all() -> tuple[Rules, ...]:
    return read_rules(files("joinery.definitions").joinpath(NAME).read_text("utf-8"))


def read_rules(text: str) -> tuple[Rules, ...]:
    """Rules from the text of their file, by the day on which they begin. Raises ValueError that says what is wrong."""
    try:
        found = parsed(text, _File).rules
        for rules in found:
            Week(rules.valid_from, rules.working_hours.days())
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise ValueError(f"{NAME}: {error}") from error
    asked = {to for (_, to), step in STEPS.items() if step.asks == "reason"}
    for rules in found:
        for code, urgency in rules.urgencies.items():
            limits = [urgency.limit(state) for state in STATES if STATES[state].waits_for]
            for limit in (*limits, urgency.co_ordinator_after):
                if not _LIMIT.fullmatch(limit):
                    raise ValueError(f"{NAME}, {code}: {limit} is no limit, such as 2 hours or 5 working days.")
        if set(rules.reasons) != asked or not all(rules.reasons.values()):
            raise ValueError(f"{NAME}: there must be reasons for {', '.join(sorted(asked))}, and for nothing else.")
    if len({rules.valid_from for rules in found}) != len(found) or not found:
        raise ValueError(f"{NAME}: each [[rules]] begins on a day of its own.")
    return tuple(sorted(found, key=lambda rules: rules.valid_from))


def rules_on(on: date) -> Rules:
    """The rules that are in force on a day: the newest that began by then, or the first ones."""
    return next((rules for rules in reversed(_all()) if rules.valid_from <= on), _all()[0])


@cache
def working_time() -> WorkingTime:
    """The working hours of all rules, and the bank holidays."""
    weeks = tuple(Week(rules.valid_from, rules.working_hours.days()) for rules in _all())
    return WorkingTime(weeks, bank_holidays())


def due_at(urgency: str, state: str, at: datetime) -> datetime | None:
    """When the next step is due of a referral that comes to a state at a moment; None when nobody waits."""
    known = rules_on(at.date()).urgencies[urgency]
    return after(at, known.limit(state)) if STATES[state].waits_for else None


@lru_cache(maxsize=16_384)
def climbs_at(urgency: str, due: datetime) -> datetime:
    """When what was due at a moment reaches the person's co-ordinator."""
    known = rules_on(due.date()).urgencies.get(urgency)
    return after(due, known.co_ordinator_after) if known else due


def after(at: datetime, limit: str) -> datetime:
    """The moment when a limit has passed.

    >>> from datetime import UTC
    >>> friday = datetime(2026, 11, 20, 15, tzinfo=UTC)
    >>> [f"{after(friday, limit):%a %H:%M}" for limit in ("4 hours", "4 working hours", "2 working days")]
    ['Fri 19:00', 'Mon 11:00', 'Tue 15:00']
    """
    matched = _LIMIT.fullmatch(limit)
    if matched is None:
        raise ValueError(f"{limit} is no limit")
    count, unit = int(matched[1]), matched[2].rstrip("s")
    if unit == "working hour":
        return working_time().after(at, timedelta(hours=count))
    if unit == "working day":
        return working_days_after(at, count)
    return at + timedelta(**{f"{unit}s": count})
