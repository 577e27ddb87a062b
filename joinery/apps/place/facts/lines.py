"""What took over from a body, and from what it took over: asked for a day, or drawn over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.briefs import Brief
from joinery.apps.place.facts.bodies import Body, Said, briefs, organisation, show
from joinery.apps.place.sql import LATEST, AsAt, statements


@dataclass(frozen=True, slots=True)
class Succession:
    """On a day, `to` took over from `body`: all of it, a share, or a part (in words)."""

    on: date
    body: Brief
    to: Brief
    share: float | None
    part: str
    areas: tuple[str, ...]
    instrument: str
    contracts: str
    certainty: str
    note: str
    source: str


@place_facts
def successors(code: str, as_at: AsAt) -> tuple[Succession, ...] | None:
    """Every succession from the body on, up to the day; None when no body has the code."""
    start = organisation(code, as_at)
    return _walk(start, as_at)[1] if start else None


@place_facts
def predecessors(code: str, as_at: AsAt) -> tuple[Succession, ...] | None:
    """Every succession that led to the body, up to the day; None when no body has the code."""
    start = organisation(code, as_at)
    return _walk(start, as_at)[0] if start else None


def _walk(start: Brief, as_at: AsAt) -> tuple[tuple[Succession, ...], tuple[Succession, ...]]:
    """The successions that led to a body, and those from it on."""
    ways = (("before", "target_id", "organisation_id"), ("after", "organisation_id", "target_id"))
    until = "kind = 'succeeded_by' AND {}.from_date <= %s"
    walks = ", ".join(
        f"{way}(id) AS (SELECT CAST(%s AS bigint) UNION SELECT x.{there} FROM {way} w "
        f"JOIN {statements(as_at, 'x', on=f'x.{here} = w.id AND x.' + until.format('x'))})"
        for way, here, there in ways
    )
    edges = " UNION ALL ".join(
        f"SELECT '{way}', s.organisation_id, s.target_id, s.from_date, s.certainty, s.detail, s_e.source, "
        f"COALESCE(s_e.sequence, {LATEST}), s.id "
        # A cross join keeps this order: first the few bodies, then their successions.
        f"FROM {way} w CROSS JOIN {statements(as_at)} WHERE s.{here} = w.id AND s.{until.format('s')}"
        for way, here, _ in ways
    )
    (day, _) = as_at.day
    rows = select(f"WITH RECURSIVE {walks} {edges} ORDER BY 4, 2, 3, 8 DESC, 9 DESC", [start.id, day] * 2 + [day] * 2)
    known = briefs({body for row in rows for body in row[1:3]}, as_at)
    found: dict[str, dict[tuple[Any, ...], Succession]] = {"before": {}, "after": {}}
    for way, body, to, on, certainty, detail, source, *_ in rows:
        # Two sources may state one succession: what was said last counts.
        found[way].setdefault((body, to, on), _succession(known[body], known[to], on, certainty, detail, source))
    return tuple(found["before"].values()), tuple(found["after"].values())


def _succession(body: Brief, to: Brief, on: Any, certainty: str, detail: Any, source: str) -> Succession:
    said: Mapping[str, Any] = orjson.loads(detail) if isinstance(detail, str) else detail
    return Succession(
        as_day(on) or date.min, body, to, said.get("share"), said.get("part", ""), tuple(said.get("areas", ())),
        said.get("instrument", ""), said.get("contracts", ""), certainty, said.get("note", ""), source,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class History:
    """All that is said of a body over time (relations excepted), and the successions at both its ends."""

    brief: Brief
    said: tuple[Said, ...]
    before: tuple[Succession, ...]
    after: tuple[Succession, ...]


@place_facts
def history(code: str, as_at: AsAt) -> History | None:
    """A body's names, forms and life over time, and all that led to it and came of it, whatever the day."""
    body = show(code, as_at)
    return history_of(body, as_at) if body else None


@place_facts
def history_of(body: Body, as_at: AsAt) -> History:
    """The history of a body that was shown."""
    before, after = _walk(body.brief, AsAt(date.max, as_at.sequence, as_at.draft))
    return History(body.brief, body.ever, before, after)
