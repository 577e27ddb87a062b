"""What people type into the forms of the directory, read into values; what is wrong stands next to its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from joinery.apps.base.action import Refused
from joinery.apps.place import facts
from joinery.site.place.looking import FIRST_DAY, LAST_DAY

MOST_CHARACTERS = 4000


@dataclass
class Form:
    """Fields as typed, and errors by field in the order in which they were found."""

    values: dict[str, str]
    errors: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, sent: Mapping[str, str], names: Iterable[str], **start: str) -> Form:
        """The named fields of what was sent; `start` is what fields hold before anything is."""
        return cls({name: _clean(sent.get(name, start.get(name, ""))) for name in names})

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def wrong(self, name: str, message: str) -> None:
        """Note an error of a field."""
        self.errors.append({"field": name, "message": message})

    def needed(self, name: str, message: str) -> str:
        """The text of a field that must not be empty."""
        if not self.values[name]:
            self.wrong(name, message)
        return self.values[name]

    def chosen(self, name: str, choices: Iterable[str], message: str) -> str:
        """The value of a field that must be one of some."""
        if self.values[name] not in set(choices):
            self.wrong(name, message)
        return self.values[name]

    def day(self, prefix: str, what: str, needed: bool = True) -> date | None:
        """The date of three fields: <prefix>_day, _month and _year."""
        parts = [self.values[f"{prefix}_{part}"] for part in ("year", "month", "day")]
        if not any(parts):
            if needed:
                self.wrong(f"{prefix}_day", f"Enter {what}, like 1 4 2027")
            return None
        try:
            day = date(*(int(part) for part in parts))
        except (ValueError, OverflowError):
            self.wrong(f"{prefix}_day", f"{what[0].upper()}{what[1:]} must be a real date, like 1 4 2027")
            return None
        if not FIRST_DAY <= day <= LAST_DAY:
            self.wrong(f"{prefix}_day", "The year must have 4 digits, like 2027")
            return None
        return day

    def body(self, name: str, as_at: facts.AsAt) -> facts.Brief | None:
        """The body that a field names by code, or by the start of its name where only one begins so."""
        text = self.needed(name, "Enter a code, or the start of a name")
        return self._body(name, text, as_at) if text else None

    def bodies(self, name: str, as_at: facts.AsAt, most: int) -> list[facts.Brief]:
        """The bodies that the lines of a field name."""
        lines = [line.strip() for line in self.values[name].splitlines() if line.strip()]
        if len(lines) > most:
            self.wrong(name, f"Name {most} bodies at most. There are {len(lines)} lines")
            return []
        found = [self._body(name, line, as_at) for line in lines]
        return [body for body in found if body]

    def _body(self, name: str, text: str, as_at: facts.AsAt) -> facts.Brief | None:
        found = facts.find_bodies(as_at, text[:300], limit=5)
        exact = [b for b in found.bodies if text.lower() in (b.code.lower(), b.name.lower())]
        if len(exact) == 1:
            return exact[0]
        if len(found.bodies) == 1:
            return found.bodies[0]
        if not found.bodies:
            self.wrong(name, f"No body has the code “{text[:60]}”, and no name begins so")
        else:
            some = "; ".join(f"{b.code} {b.name}" for b in found.bodies)
            self.wrong(
                name, f"Several names begin with “{text[:60]}”. Enter one code: {some}{' …' if found.after else ''}"
            )
        return None

    def refused(self, refused: Refused, fields: Mapping[str, str]) -> None:
        """Note why an action was refused, at the field that its code is about."""
        self.wrong(fields.get(refused.code, ""), refused.message)


def date_fields(*prefixes: str) -> tuple[str, ...]:
    """The names of the fields of dates."""
    return tuple(f"{prefix}_{part}" for prefix in prefixes for part in ("day", "month", "year"))


def date_values(prefix: str, day: date | None) -> dict[str, str]:
    """A date as its three fields hold it."""
    parts = (str(day.day), str(day.month), str(day.year)) if day else ("", "", "")
    return dict(zip(date_fields(prefix), parts, strict=True))


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()[:MOST_CHARACTERS]
