"""Reading the lineage around some bodies: what became of them, and all that came into any of that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, marks, select
from joinery.apps.place.sql import AsAt, newest_first, statements
from joinery.calc.succession import Edge, Lineage


def lineage_of(codes: Collection[str], as_at: AsAt) -> tuple[Lineage, dict[str, str]]:
    """The lineage around some bodies: what they became, and all that came into any of that; and names."""
    onward = statements(as_at, "x", on="x.organisation_id = w.id AND x.kind = 'succeeded_by'")
    back = statements(as_at, "x", on="x.target_id = w.id AND x.kind = 'succeeded_by'")
    sql = (
        "WITH RECURSIVE onward(id) AS ("
        f"SELECT id FROM place_organisation WHERE code IN ({marks(list(codes))}) "
        f"UNION SELECT x.target_id FROM onward w JOIN {onward}), "
        f"line(id) AS (SELECT id FROM onward UNION SELECT x.organisation_id FROM line w JOIN {back}) "
        "SELECT o.code, s.kind, s.value, t.code, s.from_date, s.to_date, s.detail FROM line JOIN "
        + statements(as_at, on="s.organisation_id = line.id AND s.kind IN ('open', 'succeeded_by', 'name')")
        + " "
        "JOIN place_organisation o ON o.id = line.id LEFT JOIN place_organisation t ON t.id = s.target_id "
        f"ORDER BY {newest_first()}"
    )
    rows = select(sql, list(codes))
    return _lineage((r[0], r[1], r[3], as_day(r[4]), as_day(r[5]), r[6]) for r in rows), _names(rows, as_at.on)


def _lineage(rows: Iterable[tuple[Any, ...]]) -> Lineage:
    """A lineage of rows (code, kind, target, from, to, detail), of one kind those said last first."""
    ends: dict[str, date] = {}
    spoken: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    edges = []
    for code, kind, target, from_date, to_date, detail in rows:
        if kind == "open":
            spoken[code].append((from_date, to_date))
        elif kind == "succeeded_by":
            edges.append(_edge(code, target, from_date, detail))
    for code, lives in spoken.items():
        if all(to_date is not None for _, to_date in lives):
            ends[code] = max(to_date for _, to_date in lives if to_date is not None)
    return Lineage(ends, tuple(edges))


def _edge(code: str, target: str, on: date, detail: Any) -> Edge:
    said = orjson.loads(detail) if isinstance(detail, str) else detail
    areas = frozenset(said.get("areas", ()))
    whole = not areas and not said.get("part") and said.get("share") in (None, 1)
    return Edge(code, target, on, whole, areas)


def _names(rows: Sequence[tuple[Any, ...]], on: date) -> dict[str, str]:
    """The name of each body on a day, or its last one before; rows come with those said last first."""
    chosen: dict[str, tuple[tuple[bool, date], str]] = {}
    for code, kind, value, _, from_date, to_date, _ in rows:
        if kind != "name":
            continue
        start, end = as_day(from_date) or date.min, as_day(to_date)
        rank = (start <= on and (end is None or end > on), start)
        if code not in chosen or rank > chosen[code][0]:
            chosen[code] = (rank, value)
    return {code: value for code, (_, value) in chosen.items()}
