"""Charts of a run: what happens day by day, as SVG that any browser opens, as PNG for a slide or a letter, and the same
figures as CSV.

No script, no font from elsewhere, no colour that alone says anything: of two places the first is dashed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from joinery.calc.series import figure_words
from joinery.calc.twin.outcome import COUNTS, QUANTILES, fan
from joinery.site.commands import Problem, say
from joinery.site.line_chart import levels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from joinery.calc.twin.simulate import Runs

WIDTH, HEIGHT = 900, 444
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 70, 64
PNG_WIDTH = 2 * WIDTH  # so that it is sharp on a slide
MOST_POINTS = 400
MOST_NAME = 50  # characters: two places share the line of their names
TICKS = 6
FAR_ABOVE = 2  # then a line of places would only press the rest down
SHORT_DAYS = 200  # then the label of a tick has the day, too
BLUE, GREY = "#005eb8", "#4c6272"
TITLES = {
    "occupied": "people in a place",
    "delayed": "people who are ready, and hold a place",
    "waiting": "people who wait for it",
}
FILE = "days.csv"


@dataclass(frozen=True)
class Line:
    """One place on a chart: its name, QUANTILES of each midnight and, where a line of them says something, how many
    places there are."""

    name: str
    fan: NDArray[np.float64]
    colour: str = BLUE
    dashed: bool = False
    places: Sequence[int] = ()


def refuse_unwritable(folder: Path | None) -> None:
    """Say before a long run, not after it, that the charts have nowhere to go."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"Charts cannot be written to {folder}: {error.strerror}. Name another folder.") from None


def draw_run(runs: Runs, folder: Path | None) -> list[str]:
    """Draw one place. Returns the names of the files; none without a folder."""
    return _draw([(runs, BLUE, False)], folder)


def draw_comparison(base: Runs, changed: Runs, folder: Path | None) -> list[str]:
    """Draw two places on each chart, of the stations that both have."""
    return _draw([(base, GREY, True), (changed, BLUE, False)], folder)


def _draw(places: Sequence[tuple[Runs, str, bool]], folder: Path | None) -> list[str]:
    if folder is None:
        return []
    first = places[0][0]
    start = first.place.start_date + timedelta(first.warmup_days)
    written, slides = [FILE], can_write_words()
    if not slides:
        say("joinery: this machine has no font, so there are no PNG files. Install one (fonts-dejavu), or use the SVG.")
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("place", "station", "count", "date", *(f"p{round(100 * each):02}" for each in QUANTILES)))
        for station, count, lines in _fans(places):
            for line in lines:
                for day, quantiles in enumerate(line.fan.tolist()):
                    rows.writerow((line.name, station, count, start + timedelta(day), *(f"{q:g}" for q in quantiles)))
            if any(line.fan.any() for line in lines):
                name = f"{quote(station, safe=' ')}-{count}"
                picture = svg(f"{station}: {TITLES[count]}", start, lines)
                (folder / f"{name}.svg").write_text(picture, "utf-8")
                if slides:
                    (folder / f"{name}.png").write_bytes(png(picture))
                written += [f"{name}.svg", f"{name}.png"][: 1 + slides]
    charts = sum(name.endswith(".svg") for name in written)
    say(f"  {charts} charts as {'SVG and PNG' if slides else 'SVG'}, and their figures in {FILE}, are in {folder}")
    if len(first.midnights) < len(first.events):
        say(f"joinery: they show the first {len(first.midnights):,} replications, for which there was memory.")
    return written


def png(picture: str) -> bytes:
    """An SVG picture in pixels, PNG_WIDTH wide."""
    from resvg_py import svg_to_bytes

    return bytes(svg_to_bytes(svg_string=picture, width=PNG_WIDTH))


def can_write_words() -> bool:
    """Whether this machine has a font: without one, every word would be missing from a PNG, and nothing would tell."""
    words, none = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text y="9">{each}</text></svg>' for each in "M "
    )
    return png(words) != png(none)


def _fans(places: Sequence[tuple[Runs, str, bool]]) -> Iterator[tuple[str, str, list[Line]]]:
    """Each station and count, with a line for each place that has the station."""
    where = [{station.name: at for at, station in enumerate(runs.place.stations)} for runs, _, _ in places]
    for station in where[0]:
        if all(station in each for each in where):
            for count in COUNTS:
                lines = [
                    Line(runs.place.name, fan(runs, count, at), colour, dashed, _places(runs, count, at))
                    for (runs, colour, dashed), at in zip(places, (each[station] for each in where), strict=True)
                ]
                yield station, count, lines


def _places(runs: Runs, count: str, at: int) -> Sequence[int]:
    """The places on each day that is drawn, beside the people in them. Visits a day are no number of people."""
    station = runs.place.stations[at]
    if count != "occupied" or station.kind == "visits":
        return ()
    places = station.places_on(runs.days + 1)[runs.warmup_days :]
    return places if max(places) <= FAR_ABOVE * runs.midnights[:, runs.warmup_days :, at, 0].max() else ()


def svg(title: str, start: date, lines: Sequence[Line]) -> str:
    """The picture: for each line its middle, and the bands that hold half and nine tenths of the replications."""
    days = len(lines[0].fan)
    steps = levels([0.0, *(float(each) for line in lines for each in (line.fan.max(), *line.places))])
    high = steps[-1]
    shown = (
        sorted({round(at * (days - 1) / MOST_POINTS) for at in range(MOST_POINTS + 1)})
        if days > MOST_POINTS
        else range(days)
    )

    def across(day: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * day / max(days - 1, 1), 1)

    def up(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / high, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="Arial, sans-serif" font-size="14" fill="#212b32">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="18" font-weight="bold">{escape(title)}</text>',
    ]
    for step in steps:
        y = up(step)
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#d8dde0"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 5}" text-anchor="end">{figure_words(step)}</text>')
    ticks = sorted({round(at * (days - 1) / TICKS) for at in range(TICKS + 1)})
    for day in ticks:
        anchor = "start" if day == 0 else "end" if day == ticks[-1] else "middle"
        label = f"{start + timedelta(day):{'%b %Y' if days > SHORT_DAYS else '%d %b %Y'}}"
        parts.append(f'<text x="{across(day)}" y="{HEIGHT - BOTTOM + 26}" text-anchor="{anchor}">{label}</text>')
    for line in lines:
        parts += _shapes(line, [(across(day), [up(each) for each in line.fan[day]]) for day in shown])
        if line.places:
            points = " ".join(f"{across(day)},{up(line.places[day])}" for day in shown)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-dasharray="1 3"/>')
    return "\n".join([*parts, *_key(lines), "</svg>"]) + "\n"


def _shapes(line: Line, points: Sequence[tuple[float, Sequence[float]]]) -> Iterator[str]:
    """The two bands and the middle of one line; `points` are across and, for each quantile, up."""
    for low, opacity in ((0, 0.14), (1, 0.22)):
        there = [f"{x},{quantiles[low]}" for x, quantiles in points]
        back = [f"{x},{quantiles[-1 - low]}" for x, quantiles in reversed(points)]
        yield f'<polygon points="{" ".join(there + back)}" fill="{line.colour}" fill-opacity="{opacity}"/>'
    middle = " ".join(f"{x},{quantiles[len(QUANTILES) // 2]}" for x, quantiles in points)
    yield f'<polyline points="{middle}" fill="none" stroke="{line.colour}" stroke-width="2"{_dash(line)}/>'


def _key(lines: Sequence[Line]) -> Iterator[str]:
    """Which line is which, above the picture, and what the bands are, below it."""
    words = "line: middle of the replications; bands: half and nine tenths of them"
    words += "; dotted: places" * any(line.places for line in lines)
    for number, line in enumerate(lines):
        x = LEFT + number * (WIDTH - LEFT - RIGHT) // len(lines)
        yield f'<line x1="{x}" y1="46" x2="{x + 30}" y2="46" stroke="{line.colour}" stroke-width="2"{_dash(line)}/>'
        yield f'<text x="{x + 36}" y="51">{escape(_short(line.name))}</text>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 12}" font-size="12">{words}</text>'


def _short(name: str) -> str:
    """Both ends of a long name: a changed place often differs at the end alone."""
    half = MOST_NAME // 2
    return name if len(name) <= MOST_NAME else f"{name[:half]} … {name[-half:]}"


def _dash(line: Line) -> str:
    return ' stroke-dasharray="7 5"' if line.dashed else ""
