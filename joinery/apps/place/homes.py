"""The care homes and home care branches that bodies run: whoever answers for a group answers for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from joinery.apps.base.columns import marks, select
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.sql import AsAt, newest_first, statements
from joinery.calc.succession import Reach

_FORMS = ("care_home", "home_care")
_RUNS = ("operated_by", "owned_by")


def with_homes(reach: Sequence[Reach], as_at: AsAt) -> tuple[Reach, ...]:
    """What a post in a group reaches: these relationships, and of every home that the bodies among them run on the
    day, and what came into it, those which began within the same days."""
    homes = _homes(sorted({window.organisation for window in reach}), as_at)
    if not homes:
        return tuple(reach)
    line = lineage_of({home for each in homes.values() for home in each}, as_at)[0]
    more = (
        Reach(earlier, window.from_date, window.to_date)
        for window in reach
        for home in homes.get(window.organisation, ())
        for earlier in sorted(line.arrivals(home))
    )
    return tuple(dict.fromkeys((*reach, *more)))


def _homes(codes: Sequence[str], as_at: AsAt) -> dict[str, list[str]]:
    """The homes and branches, by the body that runs or owns them on the day: itself, or through others."""
    runs = statements(as_at, "s", on=f"s.target_id = u.id AND s.kind IN ({marks(_RUNS)})")
    # Of who operates a body only the last word counts; several may own it.
    last = (
        f"SELECT c.id FROM {statements(as_at, 'c')} WHERE c.organisation_id = s.organisation_id AND c.kind = s.kind "
        f"AND {as_at.holds('c')} ORDER BY {newest_first('c')} LIMIT 1"
    )
    form = (
        f"SELECT f.value FROM {statements(as_at, 'f')} WHERE f.organisation_id = u.id AND f.kind = 'form' "
        f"AND {as_at.holds('f')} ORDER BY {newest_first('f')} LIMIT 1"
    )
    sql = (
        "WITH RECURSIVE under(top, id) AS ("
        f"SELECT o.code, o.id FROM place_organisation o WHERE o.code IN ({marks(codes)}) "
        f"UNION SELECT u.top, s.organisation_id FROM under u JOIN {runs} "
        f"WHERE {as_at.holds('s')} AND (s.kind = 'owned_by' OR s.id = ({last}))) "
        "SELECT u.top, h.code FROM under u JOIN place_organisation h ON h.id = u.id "
        f"WHERE h.code <> u.top AND ({form}) IN ({marks(_FORMS)}) ORDER BY u.top, h.code"
    )
    found: dict[str, list[str]] = {}
    for top, home in select(sql, [*codes, *_RUNS, *as_at.day, *as_at.day, *as_at.day, *_FORMS]):
        found.setdefault(top, []).append(home)
    return found
