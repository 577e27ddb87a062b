"""What the commands of `twin` share: opening a place, its load, the progress bar, figures in words and in JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from joinery.calc.twin.compare import Plan, Precision, watched
from joinery.calc.twin.intervals import Interval, interval
from joinery.calc.twin.network import Place, PlaceError, Traffic, traffic
from joinery.calc.twin.outcome import ALL, MEASURES, Name
from joinery.calc.twin.place_file import PlaceFile, read_place
from joinery.site.commands import Problem, say
from joinery.site.commands.twin import YEAR_DAYS, workers

if TYPE_CHECKING:
    from joinery.calc.twin.simulate import Runs

BAR_WIDTH = 30
DECIMALS = 4


@contextmanager
def place_problems() -> Iterator[None]:
    """Tell what is wrong with a place or a run as the problem that it is."""
    try:
        yield
    except ValueError as error:
        raise Problem(str(error)) from None


def open_place(named: str) -> PlaceFile:
    """A place file by its path, or a shipped scenario by its name."""
    path = Path(named)
    if not path.is_file():
        scenarios = Path(str(files("joinery.definitions"))) / "scenarios"
        known = sorted(each.stem for each in scenarios.glob("*.toml"))
        if named not in known:
            raise Problem(f"There is no file {named}. Give a place file, or one of: {', '.join(known)}.")
        path = scenarios / f"{named}.toml"
    try:
        return read_place(path)
    except PlaceError as error:
        first, *others = str(error).splitlines()
        if not others:
            raise Problem(first) from None
        for line in (first, *others):
            say(f"  {line}")
        raise Problem(f"{len(others) + 1} things are wrong in {path.name}. The first: {first}") from None


def tell_traffic(place: Place) -> tuple[Traffic, ...]:
    """Say how busy each station will be, before anything runs."""
    rows = traffic(place)
    width = max(len("station"), *(len(row.station) for row in rows))
    say(f"{place.name}, from {place.start_date}: what would come to each station, were there always places")
    say(f"  {'station':{width}}  {'places':>7}  {'admissions a day':>16}  {'places needed':>13}  {'load':>5}")
    for row in rows:
        say(
            f"  {row.station:{width}}  {row.places:7,}  {row.admissions_per_day:16,.2f}  {row.offered:13,.1f}  "
            f"{f'{row.intensity:.2f}' if row.places else 'none':>5}"
        )
    for warning in warnings(rows):
        say(f"joinery: {warning}")
    return rows


def warnings(rows: tuple[Traffic, ...]) -> list[str]:
    """What to know before a run, in words."""
    return [
        f"{row.station} needs {row.offered:,.1f} places and has {row.places:,}: its queue will grow and grow"
        for row in rows
        if row.intensity >= 1 and row.offered > 0
    ]


def traffic_json(rows: tuple[Traffic, ...]) -> list[dict[str, Any]]:
    """The load of each station; `intensity` is null where there are no places."""
    return [
        asdict(row)
        | {
            "admissions_per_day": rounded(row.admissions_per_day),
            "offered": rounded(row.offered),
            "intensity": rounded(row.intensity) if row.places else None,
        }
        for row in rows
    ]


def plan_of(arguments: argparse.Namespace) -> Plan:
    """How to run, as the options say."""
    return Plan(
        arguments.warmup + round(arguments.years * YEAR_DAYS),
        arguments.warmup,
        arguments.reps,
        arguments.seed,
        workers(arguments),
        by_day=arguments.charts is not None,
    )


def precision_of(arguments: argparse.Namespace) -> Precision | None:
    """How precisely, as the options say."""
    if not arguments.precise:
        return None
    figure, half_width = arguments.precise
    measure, _, of = figure.partition(" ")
    return Precision(Name(measure, of.strip()), half_width, arguments.most)


def ran_json(plan: Plan, precision: Precision | None, runs: Sequence[Runs]) -> dict[str, Any]:
    """What the result is a function of, with the place: neither threads nor time. Says it, too."""
    reps = len(runs[0].events)
    say(f"{reps:,} replications of {plan.days - plan.warmup_days:,} days, after {plan.warmup_days:,} that do not count")
    ran: dict[str, Any] = {
        "days": plan.days,
        "warmup_days": plan.warmup_days,
        "reps": reps,
        "seed": plan.seed,
        "precise": None,
    }
    if precision:
        half = interval(watched(runs, precision.name)).half_width
        reached = half <= precision.half_width
        say(f"joinery: {precision.name.text} is known within {half:.4g}{'' if reached else ': that is all of --most'}")
        ran["precise"] = {"figure": precision.name.text, "within": rounded(half), "reached": reached}
    return ran


def progress(to: TextIO | None = None) -> Callable[[int, int], None] | None:
    """A bar on standard error, where that is a terminal."""
    stream = to or sys.stderr
    if not stream.isatty():
        return None

    def tell(done: int, total: int) -> None:
        filled = BAR_WIDTH * done // total
        end = "\n" if done == total else ""
        stream.write(f"\r  {'#' * filled}{'.' * (BAR_WIDTH - filled)} {done:,} of {total:,} runs{end}")
        stream.flush()

    return tell


def tell_table(heading: Sequence[str], rows: Sequence[tuple[Name, Sequence[str]]]) -> None:
    """Say figures under the words of their measure, in columns."""
    names = max((len(name.of) for name, _ in rows), default=0)
    widths = [max(map(len, column)) for column in zip(heading, *(cells for _, cells in rows), strict=True)]

    def line(of: str, cells: Sequence[str]) -> str:
        columns = (f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"  {of:{names}}{''.join(columns)}".rstrip()

    say(line("", heading))
    for measure, group in groupby(rows, key=lambda row: row[0].measure):
        say(f"{measure}: {MEASURES[measure].words} ({unit_in_words(MEASURES[measure].unit)})")
        for name, cells in group:
            say(line(name.of, cells))


def rounded(value: float | None) -> float | None:
    """A figure as JSON gives it."""
    return None if value is None else round(value, DECIMALS)


def interval_json(interval: Interval | None) -> dict[str, Any] | None:
    """Mean, and the ends of the 95 % interval."""
    if interval is None:
        return None
    return {"mean": rounded(interval.mean), "low": rounded(interval.low), "high": rounded(interval.high)}


def is_main(name: Name) -> bool:
    """True for what the words show: of bands only the sum. The JSON has every figure."""
    by_band = MEASURES[name.measure].each.endswith("band")
    return not by_band or name.of == ALL or name.of.endswith(f", {ALL}")


def in_words(value: float | None, unit: str) -> str:
    """A figure with as many digits as say something; money in pounds.

    >>> in_words(1234567.0, "pence a year"), in_words(0.1234, "days")
    ('£12,346', '0.12')
    """
    if value is None:
        return "?"
    if unit.startswith("pence"):
        return f"{'-' if value < 0 else ''}£{abs(value) / 100:,.0f}"
    size = abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2}f}"


def interval_in_words(interval: Interval, unit: str) -> str:
    """From where to where; nothing where there is no interval."""
    if interval.low is None:
        return ""
    return f"{in_words(interval.low, unit)} to {in_words(interval.high, unit)}"


def unit_in_words(unit: str) -> str:
    """The unit of figures in words: pounds say themselves what they are."""
    return unit.removeprefix("pence ").strip()
