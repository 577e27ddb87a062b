"""What a decision about people rests on: who is involved, what they object to, and what the viewer was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from joinery.apps.base.columns import as_day, marks, select, stored
from joinery.apps.record.sql import HOLDS, OWN_ACCESS_HOLDS, links, relationships
from joinery.calc.access import NOTHING_KNOWN, Circumstances, Involvement, Objection

_NOBODY = -1  # no user has this id


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a person for a decision; the items `granted` to the viewer, each with the organisation in
    whose post, and those `kept_back` from the person's own view."""

    known: Circumstances = NOTHING_KNOWN
    granted: frozenset[tuple[int, str]] = frozenset()
    kept_back: frozenset[int] = frozenset()


def situations(person_ids: Sequence[str], user_id: int | None, at: datetime) -> dict[str, Situation]:
    """The situation of each of these people before a viewer, by one statement."""
    day, now, viewer = connection.ops.adapt_datefield_value(at.date()), stored(at), user_id or _NOBODY
    values = [
        *person_ids, *([day, day, *person_ids] * 2), day, viewer, now, now, viewer, day, day, viewer, now, now,
    ]  # fmt: skip
    found: dict[str, list[tuple[Any, ...]]] = {person: [] for person in person_ids}
    granted = set()
    for person, *said in select(_statement(marks(person_ids)), values) if person_ids else ():
        if said[0] == "granted":
            granted.add((said[5], said[1]))
        else:
            found[person].append(tuple(said))
    return {person: _situation(rows, frozenset(granted)) for person, rows in found.items()}


def _statement(people: str) -> str:
    """Rows of person, what, two codes of organisations, since, until, and a number; `people` are marks."""
    return (
        f"WITH mine AS (SELECT k.person_id, k.record_id FROM {links()} WHERE k.person_id IN ({people})) "
        "SELECT r.person_id, 'involved', o.code, '', CAST(r.from_date AS text), CAST(r.to_date AS text), "
        f"CASE WHEN r.passed THEN 1 ELSE 0 END FROM ({relationships(f'IN ({people})')}) r "
        "JOIN place_organisation o ON o.id = r.organisation_id WHERE r.from_date <= %s "
        "UNION ALL SELECT mine.person_id, t.kind, COALESCE(o.code, ''), COALESCE(w.code, ''), NULL, NULL, t.item_id "
        f"FROM mine JOIN record_restriction t ON t.record_id = mine.record_id AND t.kind <> 'sealed_name' AND {HOLDS} "
        "LEFT JOIN place_organisation o ON o.id = t.organisation_id "
        "LEFT JOIN place_organisation w ON w.id = t.writer_id "
        "UNION ALL SELECT mine.person_id, 'override', '', '', NULL, NULL, NULL FROM mine "
        "JOIN record_override v ON v.record_id = mine.record_id AND v.user_id = %s AND v.at <= %s AND v.until_at > %s "
        "UNION ALL SELECT mine.person_id, a.kind, '', '', NULL, NULL, NULL FROM mine "
        f"JOIN record_ownaccess a ON a.record_id = mine.record_id AND a.user_id = %s AND {OWN_ACCESS_HOLDS} "
        "UNION ALL SELECT '', 'granted', g.organisation, '', NULL, NULL, g.item_id FROM record_grant g "
        "WHERE g.user_id = %s AND g.at <= %s AND g.until_at > %s"
    )


def _situation(rows: Sequence[tuple[Any, ...]], granted: frozenset[tuple[int, str]]) -> Situation:
    kinds = {row[0] for row in rows}
    kept_back = {row[5] for row in rows if row[0] == "own_view"}
    known = Circumstances(
        # Several records may show one relationship.
        involved=tuple(dict.fromkeys(_involvement(row) for row in rows if row[0] == "involved")),
        objected=tuple(Objection(row[1], row[2]) for row in rows if row[0] == "objection"),
        override="override" in kinds,
        own=next((kind for kind in ("own", "carer") if kind in kinds), ""),
        withheld_from_own=None in kept_back,
    )
    return Situation(known, granted, frozenset(kept_back - {None}))


def _involvement(row: tuple[Any, ...]) -> Involvement:
    _, organisation, _, began, ended, passed = row
    return Involvement(organisation, as_day(began) or date.min, bool(passed), as_day(ended))
