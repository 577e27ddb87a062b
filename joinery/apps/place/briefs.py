"""Bodies in a few words, read many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from joinery.apps.base.columns import as_day, select
from joinery.apps.place.kinds import FORMS, Form
from joinery.apps.place.sql import LATEST, AsAt, statements


@dataclass(frozen=True, slots=True)
class Brief:
    """A body in a few words, on a day: the last known ones when it is no more. `sector` is `health`,
    `social_care` or `both`; `to_date` is the first day on which it is no more."""

    id: int
    code: str
    name: str
    form: str
    from_date: date | None = None
    to_date: date | None = None

    @property
    def kind(self) -> Form:
        """Its form, in words and with its level and sector."""
        return FORMS.get(self.form, FORMS["other"])

    @property
    def sector(self) -> str:
        """`health`, `social_care` or `both`."""
        return self.kind.sector

    def has_ended(self, on: date) -> bool:
        """True when it is no more on a day."""
        return self.to_date is not None and self.to_date <= on

    def is_open(self, on: date) -> bool:
        """True when it exists on a day, as far as is known."""
        return (self.from_date is None or self.from_date <= on) and not self.has_ended(on)


def matching(where: str, values: Sequence[Any], as_at: AsAt) -> dict[int, Brief]:
    """Bodies (alias `o`) that match a condition of SQL with its values, in one statement."""
    said = statements(as_at, on="s.organisation_id = o.id AND s.kind IN ('name', 'form', 'open')")
    sql = (
        "SELECT o.id, o.code, s.kind, s.value, s.from_date, s.to_date, "
        f"COALESCE(s_e.sequence, {LATEST}) AS rank FROM place_organisation o JOIN {said} WHERE {where} "
        # Bodies of which nothing is known, too.
        f"UNION ALL SELECT o.id, o.code, NULL, NULL, NULL, NULL, 0 FROM place_organisation o WHERE {where} "
        "ORDER BY 7 DESC"
    )
    return _chosen(select(sql, [*values, *values]), as_at.on)


def _chosen(rows: Iterable[tuple[Any, ...]], on: date) -> dict[int, Brief]:
    """Briefs of rows (id, code, kind, value, from, to, rank), those said last first."""
    best: dict[tuple[int, str], tuple[tuple[bool, date], str]] = {}
    lives: dict[int, list[tuple[date, date | None]]] = {}
    codes: dict[int, str] = {}
    for body, code, kind, value, from_date, to_date, _ in rows:
        codes[body] = code
        if kind is None:
            continue
        start, end = as_day(from_date) or date.min, as_day(to_date)
        if kind == "open":
            lives.setdefault(body, []).append((start, end))
            continue
        holds = start <= on and (end is None or on < end)
        # Not holding: the last before the day; then the first after it.
        rank = (holds, start if start <= on else date.min)
        if (body, kind) not in best or rank > best[body, kind][0]:
            best[body, kind] = (rank, value)
    found = {}
    for body, code in codes.items():
        life = lives.get(body, [])
        ends = [end for _, end in life if end is not None]
        found[body] = Brief(
            body, code, best.get((body, "name"), (None, code))[1], best.get((body, "form"), (None, ""))[1],
            min((start for start, _ in life), default=None),
            max(ends) if life and len(ends) == len(life) else None,
        )  # fmt: skip
    return found
