"""From the figures of a run to the table on the screen and the page docs/performance.md."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from benchmarks.tasks import PART, TASKS

# The figures of each task, by name.
Round = dict[str, dict[str, float]]
Figure = Callable[[Round], float]


@dataclass(frozen=True, slots=True)
class Run:
    """The rounds of one run, and the machine as it was when it began."""

    on: date
    machine: dict[str, str]
    rounds: tuple[Round, ...]
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """What is wanted of one figure. `most` says that less is better."""

    what: str
    task: str
    figure: Figure
    floor: float | None = None
    goal: float | None = None
    most: bool = False
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """Two rates of the same run, and how many times the first is the second."""

    what: str
    peer: str
    ours: Figure
    theirs: Figure


def rate(task: str, seconds: str = "cpu_s") -> Figure:
    """Rows a CPU second of a task."""
    return lambda figures: figures[task]["rows"] / figures[task][seconds]


def plain(task: str, name: str) -> Figure:
    return lambda figures: figures[task][name]


def access_percent(figures: Round) -> float:
    """What deciding on access and logging it add to the CPU time of the page."""
    page = figures["page"]
    return 100 * (page["page_cpu_ms"] / page["page_cpu_ms_without_access"] - 1)


def times_splink(figures: Round) -> float:
    """CPU time of linking, as a multiple of plain Splink's on the same records."""
    return figures["linking"]["cpu_s"] / figures["splink"]["cpu_s"]


# The floors and goals of the first part are our own.
BARS = (
    Bar("FHIR bundles, resources a CPU second", "bundles", rate("bundles", "first_cpu_s"), 2_000, 2_500),
    Bar("The same bundles again, nothing new", "bundles", rate("bundles", "second_cpu_s")),
    Bar("The same resources as NDJSON", "ndjson", rate("ndjson", "first_cpu_s"), 2_000, 2_500),
    Bar("The same NDJSON again, nothing new", "ndjson", rate("ndjson", "second_cpu_s")),
    Bar("Council's service.csv, rows a CPU second", "csv", rate("csv")),
    Bar("ADT messages acknowledged a second, one connection", "adt", plain("adt", "one_per_s"), 1_000, 1_000),
    Bar("The same, eight connections", "adt", plain("adt", "eight_per_s")),
    Bar("ADT messages taken a CPU second", "adt", rate("adt"), 1_000, 1_000),
    Bar("A council's return of 200,000 events, rows a CPU second", "returns", rate("returns", "first_cpu_s"), 15_000),
    Bar("The same return again, nothing new", "returns", rate("returns", "second_cpu_s")),
    Bar("Most memory used for it, MB", "returns", plain("returns", "peak_mb"), 500, most=True),
    Bar("Newest 20 of 100,000 entries, ms in the database", "page", plain("page", "newest_20_ms"), 5, 5, True, 2),
    Bar("Person's page, SQL statements", "page", plain("page", "statements"), 14, 14, True),
    Bar("Person's page, CPU ms", "page", plain("page", "page_cpu_ms"), digits=1),
    Bar("Added to it by the decision on access and its log, %", "page", access_percent, None, 25, True, 1),
    Bar("A decision for 200 people, ms", "access", plain("access", "list_ms"), 5, 5, True, 2),
    Bar("My work with 2,000 items, ms", "work", plain("work", "work_ms"), None, 100, True, 1),
    Bar("The same, SQL statements", "work", plain("work", "statements"), 10, 10, True),
    Bar("8 writers for a minute on SQLite, updates lost", "writers", plain("writers", "lost"), 0, 0, True),
    Bar("The same, referrals that nobody holds", "writers", plain("writers", "ownerless"), 0, 0, True),
    Bar("The same, steps a second", "writers", plain("writers", "a_second"), digits=1),
    Bar("Sealing 1,000,000 looks, CPU seconds", "seal", plain("seal", "seal_cpu_s"), None, 10, True, 1),
    Bar("Verifying them, CPU seconds", "seal", plain("seal", "verify_cpu_s"), digits=1),
    *(
        Bar(f"{what}, CPU ms", "directory", plain("directory", figure), 5, 5, True, 2)
        for what, figure in (
            ("A body as at a day", "show_ms"),
            ("A council with some 660 relations as at a day", "show_council_ms"),
            ("Successors as at a day", "successors_ms"),
            ("Predecessors as at a day", "predecessors_ms"),
            ("Who answers for an LSOA on a day", "responsible_ms"),
        )
    ),
    Bar("The twin, CPU time as a multiple of C's", "twin", plain("twin", "times_c"), 1.3, 1.15, True, 2),
    Bar("The twin, times as fast as SimPy", "twin", plain("twin", "times_simpy"), 80, 100),
    Bar("The twin, events a CPU second", "twin", plain("twin", "events_per_s")),
    *(
        Bar(f"Six more homecare slots: variance of the difference in {what}, apart / with shared luck", *figure)
        for what, figure in (
            ("acute beds in use", ("twin_luck", plain("twin_luck", "acute_used_times"), 10, 10)),
            ("acute beds blocked", ("twin_luck", plain("twin_luck", "acute_ready_times"), 10, 10)),
            ("homecare slots in use", ("twin_luck", plain("twin_luck", "homecare_used_times"), 10, 10)),
        )
    ),
    *(
        Bar(f"The twin, {people:,} people: CPU ns an event", "twin_growth", plain("twin_growth", f"ns_{people}"))
        for people in (50_000, 140_000, 500_000, 1_000_000)
    ),
    Bar("The twin on two threads, times as fast", "twin_growth", plain("twin_growth", "threads_times"), digits=2),
    Bar("The same, CPU time", "twin_growth", plain("twin_growth", "threads_cpu_times"), most=True, digits=2),
    Bar("Linking FEBRL 3, F1 of pairs", "febrl3", plain("febrl3", "f1"), 0.9880, 0.996, digits=4),
    Bar("Linking FEBRL 4, F1 of pairs", "febrl4", plain("febrl4", "f1"), 0.9972, 0.9997, digits=4),
    Bar(
        "Linking 50,000 historical records, F1 of pairs", "historical", plain("historical", "f1"), 0.697, 0.80, digits=4
    ),
    *(
        bar
        for task, where, wanted in (("five_feeds", "Five feeds", True), ("harder_feeds", "Harder feeds", False))
        for bar in (
            Bar(f"{where}: recall of pairs", task, plain(task, "recall"), 0.995 if wanted else None, 0.995, digits=4),
            Bar(
                f"{where}: contaminated records in 10,000",
                task,
                plain(task, "contaminated_per_10000"),
                1 if wanted else None,
                1,
                True,
                2,
            ),
            Bar(
                f"{where}: people without an NHS number linked right",
                task,
                plain(task, "no_number_linked"),
                0.975 if wanted else None,
                0.98,
                digits=4,
            ),
        )
    ),
    Bar("pseudopeople, five American feeds, F1 of pairs", "american", plain("american", "f1"), digits=4),
    Bar("The same, precision", "american", plain("american", "precision"), digits=4),
    Bar(
        "One record against 1,000,000 with its durable insert, ms, p99",
        "real_time",
        plain("real_time", "wall_p99_ms"),
        5,
        2,
        True,
        2,
    ),
    Bar("The same, median", "real_time", plain("real_time", "wall_ms"), most=True, digits=2),
    Bar("The same, CPU time, p99", "real_time", plain("real_time", "cpu_p99_ms"), most=True, digits=2),
    Bar(
        "The same and who is who worked out anew, p99",
        "real_time",
        plain("real_time", "whole_p99_ms"),
        most=True,
        digits=2,
    ),
    Bar(
        "Beside it, 4 KB made durable and nothing else, p99",
        "real_time",
        plain("real_time", "disk_p99_ms"),
        most=True,
        digits=2,
    ),
    Bar("Of those linked, linked right, %", "real_time", plain("real_time", "right_of_linked_percent"), digits=2),
    Bar("CPU time of linking, times plain Splink's", "linking", times_splink, 1.3, 1.3, True, 2),
    Bar(
        "Plain Splink on the same: contaminated records in 10,000",
        "splink",
        plain("splink", "contaminated_per_10000"),
        digits=2,
    ),
    Bar(
        "Plain Splink: people without an NHS number linked right",
        "splink",
        plain("splink", "no_number_linked"),
        digits=4,
    ),
)

ALL, SOME = rate("bundles", "first_cpu_s"), rate("part", "first_cpu_s")
PEERS = (
    Peer("Intake of all bundles", "fhirkit 0.1.0: validation alone, in Rust", ALL, rate("gauge")),
    Peer(f"Intake of {PART} bundles", "sekmet-fhir 0.1.1: the same, as transactions", SOME, rate("sekmet")),
    Peer(f"Intake of {PART} bundles", "fhir.resources 8.3.0 (R4B): validation alone", SOME, rate("fhir_resources")),
    *(
        Peer(f"ADT messages acknowledged, {how}", "python-hl7 0.4.5: its MLLP server, nothing kept", ours, theirs)
        for how, ours, theirs in (
            ("one connection", plain("adt", "one_per_s"), plain("python_hl7", "one_per_s")),
            ("eight connections", plain("adt", "eight_per_s"), plain("python_hl7", "eight_per_s")),
            ("a CPU second", rate("adt", "answer_cpu_s"), rate("python_hl7", "answer_cpu_s")),
        )
    ),
    Peer(
        "A body as at a day",
        "DuckDB 2.0.0, in memory: its own statements alone",
        plain("directory", "shown_per_s"),
        plain("duckdb", "shown_per_s"),
    ),
    Peer(
        "One record against 1,000,000, with its durable insert",
        "Splink 5.0.0: predict_between, nothing kept (wanted: 50 times)",
        plain("real_time", "per_s"),
        plain("splink_between", "per_s"),
    ),
    *(
        Peer("The twin, days of a place of 140,000 people", what, plain("twin", "kernel_days_per_s"), theirs)
        for what, theirs in (
            ("C, gcc -O3: the same algorithm, and equal results", plain("twin", "c_days_per_s")),
            ("SimPy 4.1.2: the same figures, its own luck", plain("twin", "simpy_days_per_s")),
            ("Ciw 3.2.7: occupancy alone (wanted: 800 times)", plain("ciw", "days_per_s")),
        )
    ),
    Peer("Linking made-up people", "Splink 5.0.0 with its notebooks' settings", rate("linking"), rate("splink")),
)

PAGE = """# Performance

Written by `make bench`, never by hand. All figures are medians of {rounds} rounds in which Joinery and its
peers took turns. Time is CPU time, user and system, of the process and its children: waiting is not counted,
but a machine that others use makes CPU time longer too. So compare ratios, never figures of different runs.

## Machine

{machine}

## Bars

A floor that is missed is a defect; a goal is what we hope for. They are meant for a quiet machine with 2 cores.

{bars}

## Peers

The same input, in the same run. Resources, or answers, a CPU second.

{peers}

The first row is a gauge: fhirkit is the library that Joinery's own validation begins with, so that ratio says
what all the rest costs, on any machine. It does not stand in for the floor. The 20,000 to 24,000
resources a second that we once measured for fhirkit are of another machine and another mix of resources, and
which of the two makes the difference has not been found out.

## How it is measured

{how}

- Intake goes through `take_file` on a new SQLite deployment with `synchronous=FULL`: every resource is
  validated, kept as received with its version, indexed, put on a timeline and linked to a person.
- The NDJSON holds the same resources with references that hold outside their bundle.
- Messages are acknowledged in seconds on the clock, which is what a sender waits for: each connection has one
  message in flight, each message is on disk before it is answered, and another process takes them meanwhile.
  How long the disk needs for that depends on the machine. The CPU second is that of the process that answers.
- sekmet-fhir runs as its own server with strict validation, and without its traffic log and simulator; only the
  CPU time of the server counts, not that of the client.
- The directory holds 100,000 bodies and about 500,000 dated relations in two editions. Its peer keeps them in
  one table with an index on either end, and answers less: no names of other bodies, nothing of successors.
- FEBRL, the historical figures and pseudopeople are linked by `joinery link files` with a map of their columns
  and nothing else: no labels, no settings for the set. Quality is that of the clusters. A record is contaminated
  when it shares a cluster with another person's; it is linked right when it shares one with its own person.
- The feeds are made up (benchmarks.people), five seeds, and figures are their means; the harder ones hold errors
  that our comparisons were not made after. Rates of errors are assumptions.
- The twin, C and SimPy run 565 days of one place in turns in one process. C works on the twin's own arrays, and
  its answers are compared. SimPy is the model of tests/oracles with the standard library's random numbers: it
  counts all that the twin counts. Ciw keeps records of stays and counts nothing else.
- The page is rendered in process by Django's test client, for a person with entries from three sources.
"""


def median(run: Run, figure: Figure) -> float:
    """The median over the rounds; of a ratio, that of the ratios within each round."""
    return statistics.median(figure(each) for each in run.rounds)


def as_table(run: Run) -> str:
    """Bars and peers as text for the screen."""
    return f"{_bars(run)}\n\n{_peers(run)}"


def as_page(run: Run) -> str:
    """The page docs/performance.md."""
    machine = _table(("", ""), [("Date", _day(run.on)), *run.machine.items()])
    commands = _table(("Task", "Command"), [(task.name, f"`{task.command(run.quick)}`") for task in TASKS])
    return PAGE.format(rounds=len(run.rounds), machine=machine, bars=_bars(run), peers=_peers(run), how=commands)


def _bars(run: Run) -> str:
    rows: list[tuple[str, ...]] = []
    for bar in BARS:
        value = median(run, bar.figure)
        spread = [bar.figure(each) for each in run.rounds]
        between = f"{_number(min(spread), bar.digits)} to {_number(max(spread), bar.digits)}"
        wanted = [_wanted(limit, bar) for limit in (bar.floor, bar.goal)]
        ends = (between, _ratio(value, bar), _verdict(value, bar), bar.task)
        rows.append((bar.what, *wanted, _number(value, bar.digits), *ends))
    heads = ("What", "Floor", "Goal", "Measured", "Lowest to highest", "Measured / goal", "Verdict", "Task")
    return _table(heads, rows)


def _peers(run: Run) -> str:
    rows = []
    for peer in PEERS:
        ratio = median(run, lambda figures, peer=peer: peer.ours(figures) / peer.theirs(figures))  # type: ignore[misc]
        rates = (_number(median(run, peer.ours)), _number(median(run, peer.theirs)))
        rows.append((peer.what, peer.peer, *rates, f"{ratio:.2f}"))
    return _table(("Joinery", "Peer", "Joinery's rate", "Peer's rate", "Joinery / peer"), rows)


def _wanted(limit: float | None, bar: Bar) -> str:
    if limit is None:
        return ""
    return f"{'at most' if bar.most else 'at least'} {limit:,.15g}"


def _ratio(value: float, bar: Bar) -> str:
    return f"{value / bar.goal:.2f}" if bar.goal else ""


def _verdict(value: float, bar: Bar) -> str:
    """Whether the floor and the goal, where there are any, are met."""
    limits = (("floor", bar.floor), ("goal", bar.goal))
    met = [(name, value <= limit if bar.most else value >= limit) for name, limit in limits if limit is not None]
    return ", ".join(f"{name} {'met' if yes else 'missed'}" for name, yes in met)


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table, its columns as wide as what is in them."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [heads, tuple("-" * max(width, 3) for width in widths), *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)
