"""Taking directory files: the rows add up, twice is once, and only the difference is written."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.place import actions, facts
from joinery.apps.place.actions import Taken
from tests.support import Deployment, examples

EXAMPLES = examples(15, drill=500)
ACTOR = Actor.system("tests")
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
ON = date(2026, 4, 1)

pytestmark = pytest.mark.django_db


def take(folder: Path, name: str, content: str, on: date | None = None, at: datetime = NOW) -> Taken:
    path = folder / name
    path.write_text(content, "utf-8")
    taken = actions.take_directory_file(path=path, on=on, actor=ACTOR, at=at)
    assert taken.rows == taken.taken + taken.unchanged + taken.superseded + taken.quarantined
    return taken


def ends(taken: Taken) -> tuple[int, int, int, int]:
    """How the rows ended: taken, unchanged, superseded, quarantined."""
    return taken.taken, taken.unchanged, taken.superseded, taken.quarantined


def holds() -> dict[str, int]:
    """How many rows each table holds; an edition is an event, so it is left out."""
    tables = ("organisation", "statement", "postcode", "unreadrow", "home", "membership", "passing")
    return {table: select(f"SELECT COUNT(*) FROM place_{table}")[0][0] for table in tables}


def name(code: str, on: date, **more: Any) -> str | None:
    body = facts.show(code, facts.as_at(on, **more))
    return body.brief.name if body else None


def values(code: str, kind: str, on: date) -> list[str]:
    body = facts.show(code, facts.as_at(on))
    return [s.other.code if s.other else s.value for s in body.of(kind)] if body else []


# -- what is sent ---------------------------------------------------------------------------------


def location(code: str, called: str, **more: str) -> dict[str, str]:
    common = {"Location ID": code, "Location Name": called, "Location HSCA start date": "01/10/2020"}
    rest = {"Care home?": "Y", "Provider ID": "1-200000001", "Provider Name": "Care Ltd"}
    return common | rest | {"Location Postal Code": "TQ1 1AA", "Location UPRN ID": "100040000001"} | more


def directory(rows: Iterable[dict[str, str]]) -> str:
    """CQC's file of active locations."""
    columns = [*location("", ""), "Care homes beds"]
    lines = [",".join(columns), *(",".join(row.get(c, "") for c in columns) for row in rows)]
    return "\n".join(lines) + "\n"


def lookup(areas: dict[str, str]) -> str:
    """A lookup of LSOAs to boards, of a year whose day it does not say."""
    rows = [f"{area},{board},{board[-3:]},Board {board}" for area, board in areas.items()]
    return "\n".join(["LSOA21CD,ICB25CD,ICB25CDH,ICB25NM", *rows]) + "\n"


BOARDS = ("E54000001", "E54000002", "E54000003")
POSTCODES = "pcds,lsoa21cd,dointr,doterm\n{}"

DEFINITION = """
title = "Two trusts"
certainty = "recalled"
[[organisation]]
code = "A"
name = "Alpha"
form = "nhs_trust"
from = 2000-04-01
[[organisation]]
code = "B"
name = "Beta"
form = "nhs_trust"
from = 2000-04-01
part_of = ["A"]
[[succession]]
on = 2026-04-01
from = "A"
to = "B"
"""

FILES = {
    "places.toml": DEFINITION,
    "cqc.csv": directory([location("1-100000001", "One"), location("1-100000002", "Two", **{"Care homes beds": "9"})]),
    "lookup.csv": lookup({"E01000001": BOARDS[0], "E01000002": BOARDS[0], "E01000003": BOARDS[1]}),
}


# -- every file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_taken_again_changes_nothing(file: str, tmp_path: Path) -> None:
    first = take(tmp_path, file, FILES[file], on=ON)
    assert ends(first)[1:] == (0, 0, 0) and first.taken > 1
    before = holds()
    for later in range(2):
        again = take(tmp_path, file, FILES[file], on=ON, at=NOW + timedelta(days=later))
        assert ends(again) == (0, first.rows, 0, 0)
    assert holds() == before
    newest, _ = facts.editions(("file",), 2)
    assert (newest.state, newest.rows, newest.unchanged) == ("adopted", first.rows, first.rows)


def test_rows_that_cannot_be_read_are_quarantined_with_their_reasons_and_the_others_taken(tmp_path: Path) -> None:
    rows = [location("1-100000001", "One"), location("nonsense", "Two"), location("1-100000003", "")]
    taken = take(tmp_path, "cqc.csv", directory(rows), on=ON)
    assert ends(taken) == (1, 0, 0, 2)
    assert [reason.partition(":")[0] for reason in taken.reasons] == ["row 2", "row 3"]
    assert [row[0] for row in select("SELECT position FROM place_unreadrow ORDER BY position")] == [2, 3]
    assert name("1-100000001", ON) == "One" and name("1-100000003", ON) is None


def test_a_file_that_cannot_be_read_as_a_whole_leaves_nothing(tmp_path: Path) -> None:
    before = holds(), select("SELECT COUNT(*) FROM place_edition")
    with pytest.raises(Refused) as refused:
        take(tmp_path, "places.toml", DEFINITION + "[[succession]\n")
    assert refused.value.code == "unreadable_file"
    assert (holds(), select("SELECT COUNT(*) FROM place_edition")) == before


def test_of_a_body_that_stands_twice_in_a_file_the_later_row_counts(tmp_path: Path) -> None:
    rows = [location("1-100000001", "Old name"), location("1-100000001", "New name")]
    assert ends(take(tmp_path, "cqc.csv", directory(rows), on=ON)) == (2, 0, 0, 0)
    assert values("1-100000001", "name", ON) == ["New name"]
    before = holds()
    assert ends(take(tmp_path, "cqc.csv", directory(rows), on=ON)) == (0, 1, 1, 0)
    assert holds() == before

    entry = '[[organisation]]\ncode = "A"\nname = "{}"\n'
    content = entry.format("First") + entry.format("Second")
    take(tmp_path, "twice.toml", content)
    assert values("A", "name", ON) == ["Second"]
    before = holds()
    assert ends(take(tmp_path, "twice.toml", content)) == (0, 1, 1, 0)
    assert holds() == before


def test_every_successor_of_a_body_is_kept_though_each_stands_in_a_row_of_its_own(tmp_path: Path) -> None:
    part = '[[succession]]\non = 2026-04-01\nfrom = "A"\nto = "{}"\npart = "the {}"\n'
    three = [part.format(code, code) for code in "BCD"]
    take(tmp_path, "split.toml", "".join(three))
    taken = take(tmp_path, "split.toml", "".join(three))
    assert (taken.taken, taken.unchanged) == (0, 3)
    assert [edge.to.code for edge in facts.successors("A", facts.as_at(ON)) or ()] == ["B", "C", "D"]
    # What the file tells no more is taken back.
    take(tmp_path, "split.toml", "".join(three[:2]))
    assert [edge.to.code for edge in facts.successors("A", facts.as_at(ON)) or ()] == ["B", "C"]


# -- changes by hand ------------------------------------------------------------------------------


def test_a_change_by_hand_is_not_undone_by_yesterdays_file(tmp_path: Path) -> None:
    files = {"places.toml": DEFINITION, "cqc.csv": FILES["cqc.csv"], "lookup.csv": FILES["lookup.csv"]}
    for file, content in files.items():
        take(tmp_path, file, content, on=ON)
    who: dict[str, Any] = {"actor": ACTOR, "at": NOW}
    later = ON + timedelta(days=30)
    actions.rename(code="B", name="Beta Care", on=later, **who)
    actions.rename(code="1-100000001", name="One by hand", on=later, **who)
    actions.close_body(code="1-100000002", on=later, **who)
    boards = [facts.responsible(f"E0100000{n}", facts.as_at(ON))[0].body.code for n in (1, 3)]
    actions.move(code="E01000001", from_code=boards[0], to_code=boards[1], on=later, **who)

    before = holds()
    for file, content in files.items():
        # A snapshot that says no day of its own speaks of the day on which it is taken.
        taken = take(tmp_path, file, content, at=NOW + timedelta(days=60))
        assert (taken.taken, taken.quarantined) == (0, 0), file
    assert holds() == before
    today = (NOW + timedelta(days=60)).date()
    assert (name("B", today), name("1-100000001", today)) == ("Beta Care", "One by hand")
    closed = facts.organisation("1-100000002", facts.as_at(today))
    assert closed is not None and closed.has_ended(today)
    assert facts.responsible("E01000001", facts.as_at(today))[0].body.code == boards[1]
    assert facts.responsible("E01000002", facts.as_at(today))[0].body.code == boards[0]


def test_a_source_that_says_something_new_is_heard_after_a_change_by_hand(tmp_path: Path) -> None:
    take(
        tmp_path, "lookup.csv", lookup({"E01000001": BOARDS[0], "E01000002": BOARDS[1], "E01000003": BOARDS[2]}), on=ON
    )
    first, second, third = (facts.responsible(f"E0100000{n}", facts.as_at(ON))[0].body.code for n in (1, 2, 3))
    day = [ON + timedelta(days=30 * n) for n in range(4)]
    actions.move(code="E01000001", from_code=first, to_code=second, on=day[1], actor=ACTOR, at=NOW)
    take(tmp_path, "lookup.csv", lookup({"E01000001": BOARDS[2]}), on=day[2])
    take(tmp_path, "lookup.csv", lookup({"E01000001": BOARDS[0]}), on=day[3])
    lay = [facts.responsible("E01000001", facts.as_at(on))[0].body.code for on in day]
    assert lay == [first, second, third, first]


# -- corrections ----------------------------------------------------------------------------------


def test_a_correction_of_the_past_changes_what_is_known_now_and_not_what_was_known_then(tmp_path: Path) -> None:
    take(tmp_path, "places.toml", DEFINITION, at=NOW)
    corrected = DEFINITION.replace('name = "Alpha"\nform', 'name = "Alfa"\nform').replace("2026-04-01", "2026-05-01")
    take(tmp_path, "places.toml", corrected, at=NOW + timedelta(days=1))
    then, before = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    assert (name("A", ON), name("A", ON, known_at=then)) == ("Alfa", "Alpha")
    assert name("A", ON, known_at=before) is None
    for known_at, days in ((None, [date(2026, 5, 1)]), (then, [date(2026, 4, 1)])):
        edges = facts.successors("A", facts.as_at(date(2026, 6, 1), known_at=known_at)) or ()
        assert [edge.on for edge in edges] == days


# -- snapshots in any order -----------------------------------------------------------------------


DAYS = [date(2026, month, 1) for month in (2, 4, 6, 8)]
LOCATIONS = ("1-100000001", "1-100000002")


@contextmanager
def rolled_back() -> Iterator[Path]:
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        transaction.set_rollback(True)


def told(of: Callable[[date], Any]) -> list[Any]:
    return [of(day + timedelta(days=more)) for day in DAYS for more in (-1, 0, 1, 20)]


@st.composite
def registers(draw: st.DrawFn) -> dict[date, list[dict[str, str]]]:
    """What CQC's file said on each day: every location stands in each, with names, beds and providers that change."""
    return {
        day: [
            location(
                code,
                draw(st.sampled_from(["One", "Two", "Three"])),
                **{"Care homes beds": draw(st.sampled_from(["9", "12"]))},
                **{"Provider ID": draw(st.sampled_from(["1-200000001", "1-200000002"]))},
            )
            for code in LOCATIONS
        ]
        for day in DAYS
    }


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(registers(), st.permutations(DAYS))
def test_snapshots_of_a_register_give_the_same_directory_in_any_order(
    sent: dict[date, list[dict[str, str]]], order: list[date]
) -> None:
    def look() -> list[Any]:
        kinds = ("name", "beds", "operated_by", "premises")
        return told(lambda day: {code: [values(code, kind, day) for kind in kinds] for code in LOCATIONS})

    seen = []
    for days in (DAYS, order):
        with rolled_back() as folder:
            for day in days:
                take(folder, "cqc.csv", directory(sent[day]), on=day)
            seen.append(look())
            before = holds()
            for day in days:
                assert take(folder, "cqc.csv", directory(sent[day]), on=day).taken == 0
            assert holds() == before
    assert seen[0] == seen[1]
    for number, day in enumerate(DAYS):
        for row in sent[day]:
            shown = seen[0][4 * number + 1][row["Location ID"]][:3]
            assert shown == [[row["Location Name"]], [row["Care homes beds"]], [row["Provider ID"]]]


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(*[st.sampled_from(BOARDS)] * 2), min_size=len(DAYS), max_size=len(DAYS)),
    st.permutations(DAYS),
)
def test_snapshots_of_boundaries_give_the_same_directory_in_any_order(
    boards: list[tuple[str, str]], order: list[date]
) -> None:
    sent = dict(zip(DAYS, boards, strict=True))

    def look() -> list[Any]:
        return told(lambda day: sorted(facts.boundaries("icb", facts.as_at(day)).bodies.items()))

    seen = []
    for days in (DAYS, order):
        with rolled_back() as folder:
            for day in days:
                take(
                    folder, "lookup.csv", lookup(dict(zip(("E01000001", "E01000002"), sent[day], strict=True))), on=day
                )
            seen.append(look())
    assert seen[0] == seen[1]
    for number, day in enumerate(DAYS):
        wanted = list(zip(("E01000001", "E01000002"), (board[-3:] for board in sent[day]), strict=True))
        assert seen[0][4 * number + 1] == wanted


def test_a_location_that_a_later_file_left_out_keeps_what_an_earlier_one_said_until_then(tmp_path: Path) -> None:
    """Where order does matter: a file does not tell of what it leaves out, so the next file is taken to agree."""
    one, two = (directory([location("1-100000001", called)]) for called in ("One", "Two"))
    other = directory([location("1-100000002", "Other")])
    take(tmp_path, "cqc.csv", one, on=DAYS[0])
    take(tmp_path, "cqc.csv", other, on=DAYS[2])
    take(tmp_path, "cqc.csv", two, on=DAYS[1])
    assert [name("1-100000001", day) for day in DAYS[:3]] == ["One", "Two", "One"]


# -- killed ---------------------------------------------------------------------------------------


def big_definition(folder: Path, bodies: int) -> Path:
    path = folder / "big.toml"
    entry = '[[organisation]]\ncode = "Z{0}"\nname = "Body {0}"\nform = "other"\nfrom = 2000-04-01\n'
    path.write_text("".join(entry.format(n) for n in range(bodies)), "utf-8")
    return path


def counts(deployment: Deployment, *tables: str) -> list[int]:
    return [deployment.sql(f"SELECT COUNT(*) FROM place_{table}")[0][0] for table in tables]


def test_an_intake_that_is_killed_leaves_nothing_that_counts_and_the_next_sweeps_it_away(
    deployment: Deployment, tmp_path: Path
) -> None:
    path = big_definition(tmp_path, 18_000)
    began = counts(deployment, "edition", "statement")
    process = deployment.start("place", "take", path)
    # As soon as the first batch is in, and long before the last
    while process.poll() is None and counts(deployment, "statement") == began[1:]:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    drafts = deployment.sql("SELECT COUNT(*) FROM place_edition WHERE sequence IS NULL AND kind = 'file'")
    assert drafts == [(1,)], "the intake was over before it could be killed: make the file larger"
    assert counts(deployment, "statement")[0] > began[1]
    shown = deployment.run("place", "show", "Z1", "--at", "2026-04-01", "--json")
    assert shown.returncode != 0 and "Body 1" not in shown.stdout

    other = tmp_path / "other.toml"
    other.write_text(DEFINITION, "utf-8")
    assert deployment.json("place", "take", other)["taken"] == 3
    assert deployment.sql("SELECT COUNT(*) FROM place_edition WHERE sequence IS NULL AND kind = 'file'") == [(0,)]
    left = deployment.sql(
        "SELECT COUNT(*) FROM place_statement s JOIN place_organisation o ON o.id = s.organisation_id "
        "WHERE o.code LIKE 'Z%'"
    )
    assert left == [(0,)]
    answer = deployment.json("place", "take", path)
    assert (answer["taken"], answer["unchanged"], answer["quarantined"]) == (18_000, 0, 0)
