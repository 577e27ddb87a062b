"""The way out of measures: series of figures by organisation. Nothing here is about people.

A series goes on through reorganisation: a body's series holds the figures of those that passed wholly
into it (see `calc.series`). A succession by share or part is shown beside it, and never added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from joinery.apps.base.columns import as_day, as_moment, marks, select
from joinery.apps.base.facts import place_facts
from joinery.apps.measures.models import Series
from joinery.apps.measures.sql import as_stored, published_points
from joinery.apps.place import facts as place
from joinery.calc.series import Figure, Joined, carried_on, period_words, scaled
from joinery.calc.succession import Lineage


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """A series: `kind` is count, ratio or level, `step` how long its periods are. Counts are of what was uploaded."""

    id: int
    name: str
    unit: str
    kind: str
    step: str
    organisations: int = 0
    first: str = ""
    last: str = ""
    uploaded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeriesBody:
    """A body that a series speaks of on a day, with the codes under which its figures were uploaded."""

    body: place.Brief
    uploaded_as: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """A body's figure in one period. `value` is None where it cannot be worked out: nothing below the
    line of a ratio, or several bodies' figures that cannot be added up. `parts` are code and figure of
    each body, `missing` the codes of bodies that belong to it and gave none."""

    start: date
    period: str
    value: float | None
    numerator: float
    denominator: float | None
    parts: tuple[tuple[str, float | None], ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joining:
    """A body that passed wholly into this one, or into one that did, on a day."""

    on: date
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Apart:
    """A body of which only a part came, on a day: its figures before then. They are no figures of this
    body: `estimate` says that they were multiplied by the stated `share`, otherwise nobody divided them."""

    on: date
    code: str
    name: str
    to: str
    part: str
    share: float | None
    estimate: bool
    points: tuple[SeriesPoint, ...]


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """A body's series as at a day. `went_to` is the code of the body into which it has passed, if it has."""

    series: SeriesSummary
    body: place.Brief
    points: tuple[SeriesPoint, ...]
    joinings: tuple[Joining, ...]
    apart: tuple[Apart, ...]
    names: Mapping[str, str]
    went_to: str


@place_facts
def series_list() -> tuple[SeriesSummary, ...]:
    """Every series that has figures, by name."""
    sql = (
        "SELECT s.id, s.name, s.unit, s.kind, s.step, COUNT(DISTINCT p.organisation_id), MIN(p.from_date), "
        "MAX(p.from_date), MAX(u.published_at) FROM measures_series s JOIN measures_point p ON p.series_id = s.id "
        "JOIN measures_upload u ON u.id = p.upload_id AND u.published_at IS NOT NULL "
        "GROUP BY s.id, s.name, s.unit, s.kind, s.step ORDER BY s.name"
    )
    return tuple(
        SeriesSummary(
            pk, name, unit, kind, step, bodies, _words(first, step), _words(last, step), as_moment(at)
        )
        for pk, name, unit, kind, step, bodies, first, last, at in select(sql)
    )  # fmt: skip


@place_facts
def series_of(series_id: int) -> SeriesSummary | None:
    """One series, without counts of what was uploaded; None when there is none."""
    kept = Series.objects.filter(pk=series_id).first()
    return SeriesSummary(kept.pk, kept.name, kept.unit, kept.kind, kept.step) if kept else None


@place_facts
def series_named(name: str) -> SeriesSummary | None:
    """The series of this name, however its letters are cased, or None."""
    return next((each for each in series_list() if each.name.casefold() == name.strip().casefold()), None)


@place_facts
def series_bodies(series_id: int, as_at: place.AsAt) -> tuple[SeriesBody, ...]:
    """The bodies that a series speaks of, as they stand on a day, by name: the heirs of those that have ended."""
    rows = select(
        "SELECT DISTINCT p.organisation_id FROM measures_point p JOIN measures_upload u ON u.id = p.upload_id "
        "WHERE p.series_id = %s AND u.published_at IS NOT NULL",
        [series_id],
    )
    uploaded = {body.code for body in place.briefs([row[0] for row in rows], as_at).values()}
    lineage = place.lineage(uploaded, as_at)
    stands: dict[str, list[str]] = defaultdict(list)
    for code in sorted(uploaded):
        stands[_where(code, lineage, as_at.on)].append(code)
    found = place.briefs(_ids(stands), as_at).values()
    return tuple(SeriesBody(b, tuple(stands[b.code])) for b in sorted(found, key=lambda b: (b.name, b.code)))


@place_facts
def series_page(series_id: int, code: str, as_at: place.AsAt) -> SeriesPage | None:
    """The series of a body as it stands on a day, up to that day; None when there is no such series or body."""
    series = series_of(series_id)
    body = place.organisation(code, as_at) if series else None
    if series is None or body is None:
        return None
    before = place.predecessors(body.code, as_at) or ()
    lineage = place.lineage([body.code], as_at)
    bodies = {b.code: b for s in before for b in (s.body, s.to)} | {body.code: body}
    figures = _figures(series.id, bodies.values(), as_at.on)
    opened = {b.code: b.from_date for b in bodies.values() if b.from_date}

    def joined(of: str, on: date) -> list[Joined]:
        return carried_on(of, on, lineage, figures, opened, series.step)

    arrived = {c: day for c, day in lineage.arrivals(body.code).items() if day <= as_at.on}
    names = {b.code: b.name for b in bodies.values()}
    return SeriesPage(
        series,
        body,
        _points(series, joined(body.code, as_at.on)),
        tuple(sorted((Joining(day, c, names.get(c, c)) for c, day in arrived.items() if c != body.code), key=_when)),
        tuple(
            _apart(series, s, joined(s.body.code, s.on - timedelta(days=1)))
            for s in before
            if s.to.code in arrived and s.body.code not in arrived
        ),
        names,
        heir if (heir := _where(body.code, lineage, as_at.on)) != body.code else "",
    )


def _where(code: str, lineage: Lineage, on: date) -> str:
    """The body into which a body has passed wholly by a day; itself when it has not."""
    return [step.body for step in lineage.line(code) if step.from_date <= on][-1]


def _ids(codes: Collection[str]) -> list[int]:
    sql = f"SELECT id FROM place_organisation WHERE code IN ({marks(list(codes))})"
    return [row[0] for row in select(sql, list(codes))]


def _figures(series_id: int, bodies: Collection[place.Brief], on: date) -> dict[str, dict[date, Figure]]:
    """The figures of bodies that count, up to a day: by code and period."""
    codes = {body.id: body.code for body in bodies}
    points = published_points(f"p.series_id = %s AND p.organisation_id IN ({marks(list(codes))}) AND p.from_date <= %s")
    found: dict[str, dict[date, Figure]] = defaultdict(dict)
    for organisation, day, numerator, denominator in select(
        f"SELECT p.organisation_id, p.from_date, p.numerator, p.denominator {points}",
        [series_id, *codes, as_stored(on)],
    ):
        found[codes[organisation]][as_day(day) or date.min] = Figure(numerator, denominator)
    return found


def _points(series: SeriesSummary, joined: Iterable[Joined]) -> tuple[SeriesPoint, ...]:
    return tuple(
        SeriesPoint(
            each.start,
            period_words(each.start, series.step),
            None if series.kind == Series.Kind.LEVEL and len(each.parts) > 1 else _value(series, each.total),
            *each.total,
            tuple((code, _value(series, each.parts[code])) for code in sorted(each.parts)),
            each.missing,
        )
        for each in joined
    )


def _value(series: SeriesSummary, figure: Figure) -> float | None:
    """What pages show of a figure: a ratio in per cent where that is its unit."""
    if series.kind != Series.Kind.RATIO:
        return figure.numerator
    return (100 if series.unit == "%" else 1) * figure.numerator / figure.denominator if figure.denominator else None


def _apart(series: SeriesSummary, s: place.Succession, joined: list[Joined]) -> Apart:
    estimate = s.share is not None and series.kind != Series.Kind.LEVEL
    share = s.share if estimate and s.share is not None else 1
    parts = [replace(each, parts={c: scaled(f, share) for c, f in each.parts.items()}) for each in joined]
    return Apart(s.on, s.body.code, s.body.name, s.to.name, s.part, s.share, estimate, _points(series, parts))


def _when(joining: Joining) -> tuple[date, str]:
    return joining.on, joining.code


def _words(day: object, step: str) -> str:
    start = as_day(day)
    return period_words(start, step) if start else ""
