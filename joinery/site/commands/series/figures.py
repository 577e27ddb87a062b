"""`joinery series upload`, `list` and `show`: figures by organisation that a place has in files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from joinery.calc.series import figure_words
from joinery.site.commands import Problem, say
from joinery.site.commands.place.common import (
    acting,
    body_json,
    get_ready,
    in_json,
    in_words,
    refusals,
    tell,
    view,
)

if TYPE_CHECKING:
    from joinery.apps.measures.actions import Wanted
    from joinery.apps.measures.facts import SeriesPage, SeriesPoint, SeriesSummary


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Do what the noun says."""
    get_ready()
    return {"upload": _upload, "list": _list, "show": _show}[arguments.noun](arguments)


def _upload(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from joinery.apps.measures.actions import Layout, upload_series

    layout = Layout(
        _wanted(arguments), arguments.organisation, arguments.period, arguments.by, arguments.each
    )  # fmt: skip
    if not arguments.file.is_file():
        raise Problem(f"There is no file {arguments.file}.")
    with refusals():
        taken = upload_series(path=arguments.file, layout=layout, unit=arguments.unit, kind=arguments.kind, **acting())
    say(
        f"{taken.file}: {taken.rows:,} rows: {taken.taken:,} taken, {taken.unchanged:,} unchanged, "
        f"{taken.superseded:,} superseded, {taken.quarantined:,} quarantined"
    )
    for line in (*filter(None, [taken.note]), *(f"quarantined: {reason}" for reason in taken.reasons)):
        say(f"  {line}")
    return asdict(taken), 0


def _wanted(arguments: argparse.Namespace) -> tuple[Wanted, ...]:
    """The series that the options ask for."""
    from joinery.apps.measures.actions import Wanted

    if bool(arguments.numerator) != bool(arguments.denominator) or (arguments.numerator and arguments.value):
        raise Problem("Give --value; or --numerator and --denominator together.")
    named = [each.partition("=")[::2] for each in arguments.series] or [("", "")]
    alone = bool(arguments.value or arguments.numerator)
    if alone and (len(named) > 1 or named[0][1]):
        raise Problem(
            "--value, --numerator and --denominator are for one --series NAME. For several: --series NAME=COL."
        )
    return tuple(
        Wanted(name.strip(), column.strip() or arguments.value, arguments.numerator, arguments.denominator)
        for name, column in named
    )


def _list(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from joinery.apps.measures.facts import series_list

    found = series_list()
    lines = [
        f"{s.name}: {s.first} to {s.last}, {s.organisations} organisations, {_kind(s)}" for s in found
    ]  # fmt: skip
    tell(arguments, lines or ["There are no series yet. Upload one: joinery series upload FILE --series NAME"])
    return {"series": [asdict(s) | {"uploaded_at": s.uploaded_at and s.uploaded_at.isoformat()} for s in found]}, 0


def _show(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    from joinery.apps.measures.facts import series_named, series_page

    as_at = view(arguments)
    series = series_named(arguments.name)
    if series is None:
        raise Problem(f"There is no series {arguments.name}. List them: joinery series list")
    page = series_page(series.id, arguments.code, as_at)
    if page is None:
        raise Problem(f"No body has the code {arguments.code}.")
    tell(arguments, _lines(page))
    answer = {
        "series": page.series.name,
        "unit": page.series.unit,
        "kind": page.series.kind,
        "body": body_json(page.body),
        "points": _points_json(page.points),
        "joined": [asdict(each) | {"on": in_json(each.on)} for each in page.joinings],
        "apart": [asdict(each) | {"on": in_json(each.on), "points": _points_json(each.points)} for each in page.apart],
        "went_to": page.went_to,
    }
    looked = {"at": in_json(as_at.on), "known_at": in_json(arguments.known_at), "proposal": arguments.proposal}
    return looked | answer, 0


def _points_json(points: Iterable[SeriesPoint]) -> list[dict[str, Any]]:
    return [asdict(point) | {"start": in_json(point.start), "parts": dict(point.parts)} for point in points]


def _kind(series: SeriesSummary) -> str:
    return f"{series.kind} by {series.step.replace('_', ' ')}{f' ({series.unit})' if series.unit else ''}"


def _lines(page: SeriesPage) -> Iterable[str]:
    yield f"{page.series.name}, {_kind(page.series)}: {page.body.name} ({page.body.code})"
    for joined in page.joinings:
        yield f"  {in_words(joined.on)}: {joined.name} ({joined.code}) became part of it"
    if page.went_to:
        yield f"  It has become part of {page.went_to}, whose series holds these figures."
    if not page.points:
        yield "  There are no figures."
    yield from (_point_line(point) for point in page.points)
    for apart in page.apart:
        of = f"{apart.name} ({apart.code}), of which {apart.part or 'a part'} came on {in_words(apart.on)}"
        how = f"estimated as {apart.share:.0%} of" if apart.estimate else "before the split, not divided:"
        yield f"  Not in these figures: {how} {of}"
        yield from (f"  {_point_line(point)}" for point in apart.points)


def _point_line(point: SeriesPoint) -> str:
    value = "cannot be added up" if point.value is None else figure_words(point.value)
    parts = ", ".join(f"{code} {figure_words(part)}" for code, part in point.parts if part is not None)
    lacking = f"; no figure from {', '.join(point.missing)}" if point.missing else ""
    return f"  {point.period}: {value}{f' ({parts})' if len(point.parts) > 1 else ''}{lacking}"
