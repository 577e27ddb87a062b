"""What took over from a body, and from what it took over: asked for a day, or drawn over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, as_moment, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.facts.bodies import Brief, Said, briefs, organisation
from joinery.apps.place.kinds import KINDS
from joinery.apps.place.sql import AsAt, newest_first, statements


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
    return _walk(code, as_at, onward=True)


@place_facts
def predecessors(code: str, as_at: AsAt) -> tuple[Succession, ...] | None:
    """Every succession that led to the body, up to the day; None when no body has the code."""
    return _walk(code, as_at, onward=False)


def _walk(code: str, as_at: AsAt, onward: bool) -> tuple[Succession, ...] | None:
    start = organisation(code, as_at)
    if start is None:
        return None
    here, there = ("organisation_id", "target_id") if onward else ("target_id", "organisation_id")
    step = statements(as_at, "x", on=f"x.{here} = w.id AND x.kind = 'succeeded_by' AND x.from_date <= %s")
    edge = statements(as_at, on=f"s.{here} = w.id AND s.kind = 'succeeded_by' AND s.from_date <= %s")
    sql = (
        f"WITH RECURSIVE walked(id) AS (SELECT %s UNION SELECT x.{there} FROM walked w JOIN {step}) "
        "SELECT s.organisation_id, s.target_id, s.from_date, s.certainty, s.detail, s_e.source "
        f"FROM walked w JOIN {edge} ORDER BY s.from_date, s.organisation_id, s.target_id, {newest_first()}"
    )
    rows = select(sql, [start.id, as_at.day[0], as_at.day[0]])
    known = briefs({body for row in rows for body in row[:2]}, as_at)
    found: dict[tuple[Any, ...], Succession] = {}
    for body, to, on, certainty, detail, source in rows:
        # Two sources may state one succession: what was said last counts.
        found.setdefault((body, to, on), _succession(known[body], known[to], on, certainty, detail, source))
    return tuple(found.values())


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
    brief = organisation(code, as_at)
    if brief is None:
        return None
    sql = (
        "SELECT s.kind, s.value, s.from_date, s.to_date, s.certainty, s.detail, s_e.source, s_e.adopted_at "
        f"FROM {statements(as_at)} WHERE s.organisation_id = %s AND s.target_id IS NULL AND s.kind <> 'area' "
        f"ORDER BY s.kind, s.from_date, {newest_first()}"
    )
    said = tuple(
        Said(
            kind, KINDS[kind].words, value, None, as_day(start) or date.min, as_day(end), certainty,
            orjson.loads(detail) if isinstance(detail, str) else detail, source, as_moment(at) if at else None,
        )
        for kind, value, start, end, certainty, detail, source, at in select(sql, [brief.id])
    )  # fmt: skip
    ever = AsAt(date.max, as_at.sequence, as_at.draft)
    return History(brief, said, _walk(code, ever, onward=False) or (), _walk(code, ever, onward=True) or ())
