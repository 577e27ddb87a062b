"""Pages of series: those that a place has, uploading one, and how a body's goes on through reorganisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpResponse

from joinery.apps.base.action import Refused
from joinery.apps.measures import facts
from joinery.apps.measures.actions import Layout, Taken, Wanted, upload_series
from joinery.calc.series import STEPS, figure_words, following
from joinery.site.context import Request
from joinery.site.jinja import longdate
from joinery.site.line_chart import draw
from joinery.site.place.forms import Form
from joinery.site.place.looking import Look, acting, arranges, page, refusal, show
from joinery.site.uploads import is_too_large, kept

FIELDS = (
    "name", "unit", "kind", "value", "numerator", "denominator", "organisation", "period", "each", "by",
)  # fmt: skip
KINDS = {
    "count": "A count, such as visits",
    "ratio": "A ratio of two counts, such as patients seen in time out of all patients",
    "level": "Another figure that cannot be added up, such as a percentage or a median",
}
EACH = {step: step.replace("_", " ").capitalize() for step in STEPS}
# Larger files are for the command line, which holds no visitor's request open.
MOST_MEGABYTES = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table of figures, in words: `parts` from which bodies it comes, `missing` from which not."""

    period: str
    value: str
    parts: str
    missing: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A body of which a part came: what is said of it, and its figures until then."""

    heading: str
    sentence: str
    code: str
    lines: tuple[Line, ...]


@page
def index(request: Request, look: Look) -> HttpResponse:
    """The series that there are; whoever arranges the directory may upload another."""
    taken = None
    form = Form.of(request.POST, FIELDS, kind="count", each="month")
    if request.method == "POST":
        if not arranges(request):
            return refusal(request)
        taken = _upload(request, form)
    context = {
        "series": facts.series_list(),
        "form": form,
        "errors": form.errors,
        "taken": taken,
        "kinds": KINDS,
        "each_choices": EACH,
    }
    return show(request, "measures/series.jinja", look, context)


@page
def bodies(request: Request, look: Look, series_id: int) -> HttpResponse:
    """The bodies of one series, as they stand on a day."""
    series = facts.series_of(series_id)
    if series is None:
        raise Http404
    context = {"series": series, "bodies": facts.series_bodies(series_id, look.as_at)}
    return show(request, "measures/bodies.jinja", look, context)


@page
def body(request: Request, look: Look, series_id: int, code: str) -> HttpResponse:
    """The series of one body, drawn and as a table, with what it took over from."""
    if "\0" in code:  # which no code has, and PostgreSQL cannot be asked for
        raise Http404
    found = facts.series_page(series_id, code, look.as_at)
    if found is None:
        raise Http404
    marks = sorted({joining.on for joining in found.joinings})
    context: dict[str, Any] = {
        "series": found.series,
        "body": found.body,
        "lines": _lines(found.points, found.names, found.body.code),
        "several": any(len(point.parts) > 1 or point.missing for point in found.points),
        "beside": [_beside(each, found.names) for each in found.apart],
        "heir": found.went_to,
        "marks": [(day, [j for j in found.joinings if j.on == day]) for day in marks],
        "chart": draw(list(_drawn(found)), marks),
    }
    return show(request, "measures/body.jinja", look, context)


def _drawn(found: facts.SeriesPage) -> Iterator[tuple[date, float | None, bool]]:
    """What the chart shows: a gap where periods were left out, unless they are days, which many series leave out."""
    expected = found.points[0].start if found.points else date.min
    for point in found.points:
        if point.start > expected and found.series.step != "day":
            yield expected, None, False
        yield point.start, point.value, bool(point.missing)
        expected = following(point.start, found.series.step)


def _lines(points: Iterable[facts.SeriesPoint], names: Mapping[str, str], own: str) -> tuple[Line, ...]:
    def part(code: str, value: float | None) -> str:
        return f"{names.get(code, code)}{'' if value is None else f' {figure_words(value)}'}"

    return tuple(
        Line(
            point.period,
            "Not added up" if point.value is None else figure_words(point.value),
            "; ".join(part(*each) for each in point.parts) if [code for code, _ in point.parts] != [own] else "",
            ", ".join(names.get(code, code) for code in point.missing),
        )
        for point in points
    )


def _beside(each: facts.Apart, names: Mapping[str, str]) -> Beside:
    day, part = longdate(each.on), each.part or "a part of it"
    if each.estimate and each.share is not None:
        sentence = (
            f"On {day} {each.to} took over {part}, stated as {each.share:.0%}. These are estimates: that share of "
            "every figure before the split. They are not in the figures above."
        )
    else:
        sentence = (
            f"On {day} {each.to} took over {part}. These are the figures before the split, not divided. "
            "They are not in the figures above."
        )
    return Beside(f"{each.name} before {day}", sentence, each.code, _lines(each.points, names, each.code))


def _upload(request: Request, form: Form) -> Taken | None:
    """Take the file that was sent; None when the form has errors, or the file was refused."""
    sent = request.FILES.get("file")
    if is_too_large(request) or (sent and (sent.size or 0) > MOST_MEGABYTES * 1_000_000):
        form.wrong("file", f"Choose a file of at most {MOST_MEGABYTES} MB, or use the command line for a larger one")
    elif sent is None:
        form.wrong("file", "Choose a CSV file")
    if not form["by"]:
        form.needed("name", "Enter the name of the series")
    kind = form.chosen("kind", KINDS, "Choose what kind of figures they are")
    each = form.chosen("each", EACH, "Choose how long a period is")
    if kind == "ratio":
        form.needed("numerator", "Enter the column above the line")
        form.needed("denominator", "Enter the column below the line")
    if form.errors or not isinstance(sent, TemporaryUploadedFile):
        return None
    ratio = kind == "ratio"
    wanted = Wanted(
        form["name"],
        "" if ratio else form["value"],
        form["numerator"] if ratio else "",
        form["denominator"] if ratio else "",
    )
    layout = Layout((wanted,), form["organisation"], form["period"], form["by"], each)
    try:
        with kept(sent) as path:
            return upload_series(path=path, layout=layout, unit=form["unit"], kind=kind, **acting(request))
    except Refused as refused:
        form.refused(refused, {"unreadable_file": "file", "name": "name", "series": "name", "percentage": "kind"})
        return None
