"""The way into measures: uploading series of figures.

Each row of a file ends as exactly one of taken, unchanged, superseded and quarantined. A file is staged
2,000 rows a transaction and published by one row. What is held already is not kept again; a file that
is taken again never undoes what a later one said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from joinery.apps.base.action import Actor, Refused, action, one_at_a_time
from joinery.apps.base.columns import as_day, insert_rows, marks, select
from joinery.apps.base.tables import UnreadableFile
from joinery.apps.measures.models import UPLOAD, Point, Series, UnreadFigure, Upload
from joinery.apps.measures.reading import (
    MOST_NAME_CHARACTERS,
    MOST_UNIT_CHARACTERS,
    FigureRow,
    Layout,
    Wanted,
    open_figures,
)
from joinery.apps.measures.sql import as_stored, published_points
from joinery.apps.place import facts as place
from joinery.calc.series import STEPS, Figure

__all__ = ["Layout", "Taken", "Wanted", "upload_series"]

BATCH_ROWS = 2_000
MOST_REASONS = 20
# More than that in one file, and the column that names them is the wrong one.
MOST_SERIES = 100

Key = tuple[int, int, date]  # series, organisation, period


@dataclass(frozen=True, slots=True)
class Taken:
    """How the rows of a file ended: the four counts add up to `rows`. `reasons` are the first for
    quarantine, each once; `series` the names of the series that the file speaks of, `note` how it was read."""

    file: str
    series: tuple[str, ...] = ()
    rows: int = 0
    taken: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    reasons: tuple[str, ...] = ()
    note: str = ""


@dataclass(slots=True)
class Stage:
    """One upload on its way in. `repeat`: this very file was published before."""

    upload_id: int
    unit: str
    kind: str
    step: str
    at: datetime
    repeat: bool
    series: dict[str, int] = field(default_factory=dict)
    organisations: dict[str, int | None] = field(default_factory=dict)
    said: dict[Key, tuple[Figure, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("taken", "unchanged", "superseded", "quarantined"), 0)
    )
    # What was wrong, the first row of which it was, and how many there were.
    reasons: dict[str, tuple[int, int]] = field(default_factory=dict)


def upload_series(
    *, path: Path, layout: Layout, unit: str = "", kind: str = "", actor: Actor, at: datetime
) -> Taken:  # fmt: skip
    """Take a file of figures by organisation and period. Safe to repeat, safe to kill.

    `kind` is count, ratio or level (default: ratio with a denominator, otherwise count). Raises Refused
    when the file as a whole cannot be taken; the message says what to do, and nothing of it is kept.
    """
    kind = _kind(layout, unit, kind)
    with one_at_a_time("series", wait=actor.user_id is None):
        sweep_drafts(actor=actor, at=at)
        try:
            rows, note = open_figures(path, layout, kind == Series.Kind.LEVEL)
            stage = open_upload(path=path, layout=layout, unit=unit, kind=kind, actor=actor, at=at)
            while batch := list(islice(rows, BATCH_ROWS)):
                stage_rows(stage=stage, rows=batch, actor=actor, at=at)
        except (UnreadableFile, Refused) as problem:
            sweep_drafts(actor=actor, at=at)
            if isinstance(problem, Refused):
                raise
            raise Refused("unreadable_file", str(problem)) from None
        publish(stage=stage, actor=actor, at=at)
    four = stage.counts
    return Taken(path.name, tuple(stage.series), sum(four.values()), **four, reasons=_reasons(stage), note=note)


def _kind(layout: Layout, unit: str, kind: str) -> str:
    """The kind of the series; Refused when what is asked for cannot be."""
    ratio = all(wanted.denominator for wanted in layout.series)
    kind = kind or (Series.Kind.RATIO if ratio else Series.Kind.COUNT)
    if kind not in Series.Kind.values:
        raise Refused("kind", f"There is no kind {kind}. Kinds: {', '.join(Series.Kind.values)}.")
    if layout.step not in STEPS:
        raise Refused("step", f"There is no period {layout.step}. Periods: {', '.join(STEPS)}.")
    if not layout.series or any(not (w.name or layout.by) or len(w.name) > MOST_NAME_CHARACTERS for w in layout.series):
        raise Refused("name", f"Give the series a name of at most {MOST_NAME_CHARACTERS} characters.")
    if len(unit.strip()) > MOST_UNIT_CHARACTERS:
        raise Refused("unit", f"Say the unit in {MOST_UNIT_CHARACTERS} characters at most.")
    if len({w.name for w in layout.series}) < len(layout.series):
        raise Refused("name", "Two of the series have the same name. Give each its own.")
    if (kind == Series.Kind.RATIO) != ratio or any(w.denominator for w in layout.series) != ratio:
        raise Refused("ratio", "A ratio needs the columns of its numerator and its denominator; nothing else has them.")
    if kind == Series.Kind.COUNT and unit.strip().lower().replace(" ", "") in ("%", "percent", "percentage"):
        raise Refused(
            "percentage",
            "Percentages cannot be added up when organisations merge. Give the columns of the numerator and the "
            "denominator; or say that it is a figure that cannot be added up (kind: level).",
        )
    return kind


@action("measures.open_upload")
def open_upload(*, path: Path, layout: Layout, unit: str, kind: str, actor: Actor, at: datetime) -> Stage:
    """Open an upload that nothing reads yet."""
    digest = hashlib.sha256(repr((layout, unit, kind)).encode())
    with path.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    repeat = Upload.objects.filter(digest=digest.hexdigest(), published_at__isnull=False).exists()
    upload = Upload.objects.create(
        file_name=path.name[-255:], digest=digest.hexdigest(), made_by=actor.name[:60], made_at=at
    )
    return Stage(upload.pk, unit.strip(), kind, layout.step, at, repeat)


@action("measures.stage")
def stage_rows(*, stage: Stage, rows: Sequence[FigureRow], actor: Actor, at: datetime) -> None:
    """Stage at most 2,000 rows in one transaction; they count only when the upload is published."""
    _look_up(stage, {row.code for row in rows if not row.issues})
    placed = [(row, *_placed(stage, row)) for row in rows]
    held = _held([key for _, figures, _ in placed for key in figures])
    unread, points = [], []
    for row, figures, issues in placed:
        issues = issues or tuple(_contradictions(stage, figures))
        if issues:
            _count(stage, "quarantined", row.position, issues)
            unread.append((stage.upload_id, row.position, row.body, orjson.dumps(issues).decode()))
            continue
        new = {key: f for key, f in figures.items() if key not in stage.said and held.get(key) != f}
        stage.said.update((key, (f, row.position)) for key, f in figures.items() if key not in stage.said)
        # What another file has said since it was first taken stays.
        overtaken = {key for key in new if stage.repeat and key in held}
        points += [_point(stage, key, f) for key, f in new.items() if key not in overtaken]
        _count(stage, "taken" if len(new) > len(overtaken) else "superseded" if overtaken else "unchanged")
    insert_rows(UnreadFigure, ("upload_id", "position", "body", "reasons"), unread)
    columns = ("upload_id", "series_id", "organisation_id", "from_date", "numerator", "denominator")
    insert_rows(Point, columns, points)


@action("measures.publish")
def publish(*, stage: Stage, actor: Actor, at: datetime) -> None:
    """Make the whole file count, by one row."""
    upload = Upload.objects.get(pk=stage.upload_id)
    UPLOAD.move("published" if upload.published_at else "staged", "published")
    Upload.objects.filter(pk=upload.pk).update(published_at=at, rows=sum(stage.counts.values()), **stage.counts)


@action("measures.sweep")
def sweep_drafts(*, actor: Actor, at: datetime) -> int:
    """Delete uploads that were never published, and series without points; returns how many uploads.

    Only under the lock of uploads, where no other can be at work.
    """
    left = Upload.objects.filter(published_at=None)
    count = left.count()
    for table in (Point, UnreadFigure):
        table.objects.filter(upload__in=left).delete()
    left.delete()
    Series.objects.exclude(pk__in=Point.objects.values("series_id")).delete()
    return count


def _look_up(stage: Stage, codes: set[str]) -> None:
    """Find the bodies of codes that are new in the file: by their own codes in one statement, else by another code."""
    as_at = place.as_at(stage.at.date())
    new = sorted(codes - stage.organisations.keys())
    found = place.by_codes(new, as_at) if new else {}
    for code in new:
        body = found.get(code) or place.organisation(code, as_at)
        stage.organisations[code] = body.id if body else None


def _placed(stage: Stage, row: FigureRow) -> tuple[dict[Key, Figure], tuple[str, ...]]:
    """The figures of a row by key, or what is wrong with it."""
    if row.issues:
        return {}, row.issues
    organisation = stage.organisations[row.code]
    if organisation is None:
        return {}, (
            f"No organisation has the code {row.code[:40]}. Add it to the directory, or take an ODS file that holds "
            "it; then upload this file again.",
        )
    return {(_series(stage, name), organisation, row.start): f for name, f in row.figures.items()}, ()


def _series(stage: Stage, name: str) -> int:
    """The series of this name, made when it is new; Refused when it is kept in another way."""
    if name not in stage.series:
        if len(stage.series) >= MOST_SERIES:
            raise Refused(
                "series", f"The file has more than {MOST_SERIES} series. Is the column that names them right?"
            )
        kept, _ = Series.objects.get_or_create(
            name=name, defaults={"unit": stage.unit, "kind": stage.kind, "step": stage.step}
        )
        if (kept.kind, kept.step) != (stage.kind, stage.step) or (stage.unit and stage.unit != kept.unit):
            raise Refused(
                "series",
                f"The series {name} is there already as {kept.kind} by {kept.step.replace('_', ' ')}, in the unit "
                f"{kept.unit or '(none)'}. Say the same, or choose another name.",
            )
        stage.series[name] = kept.pk
    return stage.series[name]


def _contradictions(stage: Stage, figures: Mapping[Key, Figure]) -> Iterator[str]:
    for key, figure in figures.items():
        earlier = stage.said.get(key)
        if earlier and earlier[0] != figure:
            yield (
                f"Row {earlier[1]} gives another figure for the same organisation and period. Take out one of them; or "
                "name the column that tells them apart, to make each a series of its own."
            )
            return


def _held(keys: Sequence[Key]) -> dict[Key, Figure]:
    """The figures that count now, for some keys."""
    if not keys:
        return {}
    series, organisations, days = (sorted(set(part)) for part in zip(*keys, strict=True))
    points = published_points(
        f"p.series_id IN ({marks(series)}) AND p.organisation_id IN ({marks(organisations)}) "
        "AND p.from_date BETWEEN %s AND %s"
    )
    sql = f"SELECT p.series_id, p.organisation_id, p.from_date, p.numerator, p.denominator {points}"
    rows = select(sql, [*series, *organisations, as_stored(days[0]), as_stored(days[-1])])
    return {(s, o, as_day(day) or date.min): Figure(top, below) for s, o, day, top, below in rows}


def _point(stage: Stage, key: Key, figure: Figure) -> tuple[Any, ...]:
    series, organisation, day = key
    return stage.upload_id, series, organisation, as_stored(day), figure.numerator, figure.denominator


def _count(stage: Stage, outcome: str, position: int = 0, issues: Sequence[str] = ()) -> None:
    stage.counts[outcome] += 1
    if words := " ".join(issues):
        first, count = stage.reasons.get(words, (position, 0))
        if count or len(stage.reasons) < MOST_REASONS:
            stage.reasons[words] = (first, count + 1)


def _reasons(stage: Stage) -> tuple[str, ...]:
    """What was wrong, each once."""
    return tuple(
        f"row {first}: {words}{f' So it is with {count - 1:,} more rows.' if count > 1 else ''}"
        for words, (first, count) in stage.reasons.items()
    )
