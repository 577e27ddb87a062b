"""What a body is on a day, what it was before, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.briefs import Brief, matching
from joinery.apps.place.kinds import KINDS, SCHEMES
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.sql import AsAt, newest_first, of_kind, sequence_at, statements
from joinery.calc.succession import Lineage

MOST_RELATED = 20


@dataclass(frozen=True, slots=True)
class Said:
    """One statement about a body, in words; `other` is the body at the other end of a relation.

    `passed_from` is the code of the body that the source named, where another has taken over since.
    """

    kind: str
    words: str
    value: str
    other: Brief | None
    from_date: date
    to_date: date | None
    certainty: str
    detail: Mapping[str, Any]
    source: str
    known_at: datetime | None
    incoming: bool = False
    passed_from: str = ""
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A body as at a day: who it is, what is said of it, and relations both ways (20 at most of those
    that come in; `more` says that there are others). `ever` is what is said of itself on any day. For
    the LSOAs that it covers see `areas_of`."""

    brief: Brief
    said: tuple[Said, ...]
    more: bool
    ever: tuple[Said, ...] = ()

    def of(self, kind: str, incoming: bool = False) -> tuple[Said, ...]:
        """What is said of one kind."""
        return tuple(s for s in self.said if s.kind == kind and s.incoming == incoming)


@place_facts
def as_at(on: date, known_at: datetime | None = None, draft: int | None = None) -> AsAt:
    """A way of looking at the directory: a day, what was known at a moment, through a proposal."""
    return AsAt(on, draft=draft) if known_at is None else AsAt(on, sequence_at(known_at), draft)


@place_facts
def organisation(code: str, as_at: AsAt) -> Brief | None:
    """The body with this code, or with this other code (ODS, GSS, CASSR, CQC), or None."""
    if named := by_codes([code], as_at):
        return named[code]
    others = [f"{scheme}:{code}" for scheme in SCHEMES]
    rows = select(
        f"SELECT s.organisation_id FROM {statements(as_at)} WHERE {of_kind('code')} AND s.value IN ({marks(others)}) "
        f"ORDER BY ({as_at.holds('s')}) DESC, {newest_first()} LIMIT 1",
        [*others, *as_at.day],
    )
    return briefs([row[0] for row in rows], as_at).get(rows[0][0]) if rows else None


@place_facts
def organisation_names(codes: Iterable[str], on: date) -> dict[str, str]:
    """Names of bodies by code: that of the day, or the last one before."""
    return {code: body.name for code, body in by_codes(set(codes), AsAt(on)).items()}


@place_facts
def briefs(ids: Collection[int], as_at: AsAt) -> dict[int, Brief]:
    """Bodies by id, in one statement. One of which the way of looking knows nothing has its code as name."""
    return matching(f"o.id IN ({marks(list(ids))})", list(ids), as_at)


@place_facts
def by_codes(codes: Collection[str], as_at: AsAt) -> dict[str, Brief]:
    """Bodies by code, in one statement."""
    return {b.code: b for b in matching(f"o.code IN ({marks(list(codes))})", list(codes), as_at).values()}


_SAID = "s.kind, s.value, o.code, t.code, s.from_date, s.to_date, s.certainty, s.detail, s_e.source, s_e.adopted_at"
_ENDS = "JOIN place_organisation o ON o.id = s.organisation_id LEFT JOIN place_organisation t ON t.id = s.target_id"


@place_facts
def show(code: str, as_at: AsAt) -> Body | None:
    """A body as at a day, or None when nothing is known of a body with this code.

    A relation to a body that has ended is shown with the body that took over from it.
    """
    brief = organisation(code, as_at)
    if brief is None:
        return None
    always = select(
        f"SELECT {_SAID} FROM {statements(as_at)} {_ENDS} WHERE s.organisation_id = %s "
        f"AND s.kind <> 'area' ORDER BY s.kind, {newest_first()}",
        [brief.id],
    )
    own = _single(row for row in always if _holds(row, as_at.on))
    lineage, _ = lineage_of({brief.code} | {row[3] for row in own if row[3]}, as_at)
    came = {brief.code} | {b for b in lineage.before(brief.code) if lineage.ended(b, as_at.on)}
    # Of one target the index gives the rows in order, so that reading stops early.
    named = f"IN ({marks(list(came))})" if len(came) > 1 else "= %s"
    incoming = select(
        f"SELECT {_SAID} FROM {statements(as_at)} {_ENDS} WHERE {as_at.holds('s')} AND s.kind <> 'succeeded_by' "
        f"AND s.target_id {named.replace('%s', '(SELECT i.id FROM place_organisation i WHERE i.code = %s)')} "
        f"ORDER BY s.kind, s.organisation_id LIMIT {MOST_RELATED + 1}",
        [*as_at.day, *sorted(came)],
    )
    said = _in_words(brief, [*own, *incoming[:MOST_RELATED]], lineage, as_at)
    if not said and brief.from_date is None:
        return None  # a code that a proposal made, or that others mention
    ever = tuple(_said(row) for row in always if row[3] is None)
    return Body(brief, tuple(said), len(incoming) > MOST_RELATED, ever)


@place_facts
def areas_of(code: str, as_at: AsAt) -> tuple[str, ...]:
    """The LSOAs that sources say a body covers on a day, by code."""
    brief = organisation(code, as_at)
    if brief is None:
        return ()
    sql = (
        f"SELECT DISTINCT s.value FROM {statements(as_at)} WHERE s.organisation_id = %s AND s.kind = 'area' "
        f"AND {as_at.holds('s')} ORDER BY s.value"
    )
    return tuple(row[0] for row in select(sql, [brief.id, *as_at.day]))


def _holds(row: tuple[Any, ...], on: date) -> bool:
    until = as_day(row[5])
    return (as_day(row[4]) or date.min) <= on and (until is None or until > on)


def _single(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of which single-valued kinds keep only the one that was said last."""
    kept, seen = [], set()
    for row in rows:
        if not (KINDS[row[0]].single and row[0] in seen):
            kept.append(row)
        seen.add(row[0])
    return kept


def _in_words(brief: Brief, rows: list[tuple[Any, ...]], lineage: Lineage, as_at: AsAt) -> list[Said]:
    """Statements about the body, and those that lead to it or to what it took over from."""
    heirs = {
        (row[2], row[3]): lineage.heir(row[3], as_at.on, frozenset({row[2]})) or ""
        for row in rows
        if row[3] and lineage.ended(row[3], as_at.on)
    }
    known = by_codes({code for row in rows for code in row[2:4] if code} | (set(heirs.values()) - {""}), as_at)
    said = []
    for row in rows:
        kind, subject, target = row[0], row[2], row[3]
        if target is None:
            said.append(_said(row))
            continue
        incoming = subject != brief.code
        heir = heirs.get((subject, target)) if kind != "succeeded_by" else None
        if incoming and (heir or target) != brief.code:
            continue  # it stayed where it was, or went to another part of the body that is no more
        if incoming and known[subject].has_ended(as_at.on):
            continue  # what took over from it says where it stands itself
        if not incoming and heir == brief.code:
            continue  # the body took over from the one that it stood in a relation to
        other = known[subject] if incoming else known[heir or target]
        passed_from = target if heir and heir != target else ""
        said.append(_said(row, other, incoming, passed_from, undecided=heir == ""))
    return said


def _said(
    row: tuple[Any, ...],
    other: Brief | None = None,
    incoming: bool = False,
    passed_from: str = "",
    undecided: bool = False,
) -> Said:
    kind, value, _, _, from_date, to_date, certainty, detail, source, known_at = row
    words = KINDS[kind].reverse if incoming else KINDS[kind].words
    said = orjson.loads(detail) if isinstance(detail, str) else detail
    return Said(
        kind, words, value, other, as_day(from_date) or date.min, as_day(to_date), certainty, said, source,
        as_moment(known_at) if known_at else None, incoming, passed_from, undecided,
    )  # fmt: skip
