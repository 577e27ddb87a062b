"""What a body is on a day, what it was before, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.place.kinds import FORMS, KINDS, SCHEMES, Form
from joinery.apps.place.lineage import lineage_of
from joinery.apps.place.sql import AsAt, newest_first, sequence_at, statements
from joinery.calc.succession import Lineage

MOST_RELATED = 200


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
    """A body as at a day: who it is, what is said of it, and relations both ways (200 at most of those
    that come in; `more` says that there are others)."""

    brief: Brief
    said: tuple[Said, ...]
    more: bool

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
    rows = select("SELECT id FROM place_organisation WHERE code = %s", [code])
    if not rows:
        others = [f"{scheme}:{code}" for scheme in SCHEMES]
        rows = select(
            f"SELECT s.organisation_id FROM {statements(as_at)} WHERE s.kind = 'code' AND s.value IN ({marks(others)}) "
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
    return _briefs("o.id", sorted(ids), as_at)


@place_facts
def by_codes(codes: Collection[str], as_at: AsAt) -> dict[str, Brief]:
    """Bodies by code, in one statement."""
    return {b.code: b for b in _briefs("o.code", sorted(codes), as_at).values()}


def _briefs(column: str, values: Sequence[Any], as_at: AsAt) -> dict[int, Brief]:
    sql = (
        "SELECT o.id, o.code, said.kind, said.value, said.from_date, said.to_date FROM place_organisation o "
        "LEFT JOIN (SELECT s.organisation_id, s.kind, s.value, s.from_date, s.to_date, "
        f"COALESCE(s_e.sequence, {2**31}) AS rank FROM {statements(as_at)} "
        f"WHERE s.kind IN ('name', 'form', 'open') AND s.organisation_id IN "
        f"(SELECT o.id FROM place_organisation o WHERE {column} IN ({marks(values)}))) said "
        f"ON said.organisation_id = o.id WHERE {column} IN ({marks(values)}) ORDER BY said.rank DESC"
    )
    return _chosen(select(sql, [*values, *values]), as_at.on)


def _chosen(rows: Iterable[tuple[Any, ...]], on: date) -> dict[int, Brief]:
    """Briefs of rows (id, code, kind, value, from, to), those said last first."""
    best: dict[tuple[int, str], tuple[tuple[bool, date], str]] = {}
    lives: dict[int, list[tuple[date, date | None]]] = {}
    codes: dict[int, str] = {}
    for body, code, kind, value, from_date, to_date in rows:
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


_SAID = (
    "s.kind, s.value, s.organisation_id, s.target_id, s.from_date, s.to_date, s.certainty, s.detail, "
    "s_e.source, s_e.adopted_at"
)


@place_facts
def show(code: str, as_at: AsAt) -> Body | None:
    """A body as at a day, or None when nothing is known of a body with this code.

    A relation to a body that has ended is shown with the body that took over from it.
    """
    brief = organisation(code, as_at)
    if brief is None:
        return None
    sql = f"SELECT {_SAID} FROM {statements(as_at)} WHERE {as_at.holds('s')} AND s.organisation_id = %s "
    rows = select(f"{sql} ORDER BY s.kind, {newest_first()}", [*as_at.day, brief.id])
    lineage, _ = lineage_of({brief.code}, as_at)
    came = set(lineage.arrivals(brief.code)) | {e.body for e in lineage.edges if e.successor == brief.code}
    incoming = select(
        f"SELECT {_SAID} FROM {statements(as_at)} WHERE {as_at.holds('s')} AND s.kind <> 'succeeded_by' "
        f"AND s.target_id IN (SELECT id FROM place_organisation WHERE code IN ({marks(sorted(came))})) "
        f"ORDER BY s.kind, s.organisation_id LIMIT {MOST_RELATED + 1}",
        [*as_at.day, *sorted(came)],
    )
    said = _in_words(brief, [*_single(rows), *incoming[:MOST_RELATED]], as_at)
    if not said and brief.from_date is None:
        return None  # a code that a proposal made, or that others mention
    return Body(brief, tuple(said), len(incoming) > MOST_RELATED)


def _single(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of which single-valued kinds keep only the one that was said last."""
    kept, seen = [], set()
    for row in rows:
        if not (KINDS[row[0]].single and row[0] in seen):
            kept.append(row)
        seen.add(row[0])
    return kept


def _in_words(brief: Brief, rows: list[tuple[Any, ...]], as_at: AsAt) -> list[Said]:
    ends = {row[2] for row in rows} | {row[3] for row in rows if row[3]}
    known = briefs(ends, as_at)
    ended = {b.code for b in known.values() if b.has_ended(as_at.on)}
    lineage = lineage_of(ended, as_at)[0] if ended else Lineage({}, ())
    heirs = _heirs(rows, known, lineage, as_at.on)
    by_code = by_codes(set(heirs.values()) - {""}, as_at) if heirs else {}
    said = []
    for row in rows:
        kind, value, subject, target, from_date, to_date, certainty, detail, source, known_at = row
        incoming = target is not None and subject != brief.id
        other = known[subject if incoming else target] if target is not None else None
        heir = heirs.get((subject, target)) if target is not None and kind != "succeeded_by" else None
        if incoming and heir is not None and heir != brief.code and (heir or target != brief.id):
            continue  # it went to another part of the body that is no more
        named = known[target].code if target is not None else ""
        if heir and not incoming:
            other = by_code.get(heir, other)
        passed_from = named if heir and heir != named else ""
        said.append(
            Said(
                kind, KINDS[kind].reverse if incoming else KINDS[kind].words, value, other,
                as_day(from_date) or date.min, as_day(to_date), certainty, _detail(detail), source,
                as_moment(known_at) if known_at else None, incoming, passed_from, heir == "",
            )
        )  # fmt: skip
    return said


def _heirs(
    rows: list[tuple[Any, ...]], known: Mapping[int, Brief], lineage: Lineage, on: date
) -> dict[tuple[int, int], str]:
    """For relations to a body that has ended: the code of the body that took over, or "" if none is known."""
    heirs = {}
    for row in rows:
        subject, target = row[2], row[3]
        if target is not None and known[target].has_ended(on):
            about = frozenset({known[subject].code})
            heirs[subject, target] = lineage.heir(known[target].code, on, about) or ""
    return heirs


def _detail(detail: Any) -> Mapping[str, Any]:
    said: Mapping[str, Any] = orjson.loads(detail) if isinstance(detail, str) else detail
    return said
