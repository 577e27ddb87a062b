"""`joinery twin`: what it says, prints and draws; and that threads, processes and the clock are in none of it."""

from __future__ import annotations

import csv
import io
import json
import struct
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from joinery.__main__ import main
from joinery.site.commands.twin.charts import HEIGHT, PNG_WIDTH, can_write_words, png
from joinery.site.commands.twin.common import in_words, progress
from tests.conftest import missing
from tests.site.test_command_line import KEYS

PLACE = """\
[place]
name = "Small & busy"
bands = ["all"]
start_date = 2026-04-01
people = [20_000]
source = "a test"

[arrivals.emergency]
to = "acute ward"
rate_per_day = 3
assumption = "as it comes"

[station."acute ward"]
places = 18
stay = {shape = "lognormal", mean_days = 5, cv = 1.1}
setting = "hospital"
cost_pence = 42_000
payer = "nhs"

[station.homecare]
places = 11
stay = {shape = "exponential", mean_days = 10}
setting = "home"

[route."acute ward".homecare]
p = 0.3
[route."acute ward".home]
p = "rest"
[route.homecare.home]
p = "rest"

[national_trend]
years = 5
stay_per_year = {"acute ward" = -0.02}
"""
CHANGED = '[place]\nbased_on = "place.toml"\n[station.homecare]\nplaces = 16\n'
WORDS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><text y="20">{}</text></svg>'
SHORT = ("--years", "0.5", "--warmup", "30d", "--reps", "4")
STATION = {"station", "admissions_per_day", "offered", "places", "intensity"}
FIGURE = {"measure", "of", "unit", "mean", "low", "high"}
DIFFERENCE = {"measure", "of", "unit", "base", "changed", "difference", "trend", "with_trend", "beyond_trend"}


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "place.toml").write_text(PLACE)
    (tmp_path / "changed.toml").write_text(CHANGED)
    return str(tmp_path / "place.toml")


@pytest.fixture
def changed(place: str) -> str:
    return place.replace("place.toml", "changed.toml")


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """What a command prints as JSON, which is one line, and what it says."""
    assert main(["twin", *words, "--json"]) == code
    out, said = capsys.readouterr()
    assert out.count("\n") == 1
    return json.loads(out), said


def figure(answer: dict[str, Any], measure: str, of: str) -> dict[str, Any]:
    (found,) = [
        each for each in answer.get("figures", []) + answer.get("differences", [])
        if (each["measure"], each["of"]) == (measure, of)
    ]  # fmt: skip
    return dict(found)


def test_check_says_how_busy_each_station_would_be(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer, said = told(capsys, "check", place)
    assert set(answer) == KEYS["twin check"] and {frozenset(each) for each in answer["stations"]} == {
        frozenset(STATION)
    }
    assert [(each["station"], each["offered"], each["intensity"]) for each in answer["stations"]] == [
        ("acute ward", 15.0, 0.8333), ("homecare", 9.0, 0.8182),
    ]  # fmt: skip
    assert answer["assumed"] == ["[arrivals.emergency]"] and "[station.homecare]" in answer["unaccounted"]
    assert answer["warnings"] == [] and "acute ward" in said


def test_check_warns_of_a_queue_that_only_grows(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(place).write_text(PLACE.replace("places = 11", "places = 8"))
    answer, said = told(capsys, "check", place)
    assert answer["warnings"] == ["homecare needs 9.0 places and has 8: its queue will grow and grow"]
    assert answer["warnings"][0] in said


def test_run_gives_every_figure_with_its_interval(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer, said = told(capsys, "run", place, *SHORT)
    assert set(answer) == KEYS["twin run"] and {frozenset(each) for each in answer["figures"]} == {frozenset(FIGURE)}
    assert (answer["days"], answer["warmup_days"], answer["reps"], answer["seed"]) == (213, 30, 4, 1)
    occupied = figure(answer, "occupied", "acute ward")
    assert 0 < occupied["low"] < min(occupied["mean"], 18) < occupied["high"] and occupied["unit"] == "people"
    assert figure(answer, "cost", "nhs, all")["mean"] == pytest.approx(18 * 42_000 * 365.25)
    assert (
        "\noccupied: people in a place on an average day" in said and " £2,761,290  £2,761,290 to £2,761,290\n" in said
    )
    assert said.index("load") < said.index("replications")  # the load is told before anything runs


def test_threads_and_processes_change_nothing_that_is_printed(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [told(capsys, "run", place, *SHORT, "--workers", str(workers))[0] for workers in (1, 3)]
    apart = subprocess.run(
        [sys.executable, "-m", "joinery", "twin", "run", place, *SHORT, "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answers[0] == answers[1] == json.loads(apart.stdout)
    assert told(capsys, "run", place, *SHORT, "--seed", "2")[0]["figures"] != answers[0]["figures"]


def test_threads_change_nothing_in_a_comparison(changed: str, capsys: pytest.CaptureFixture[str]) -> None:
    precise = ("--precise", "delayed_days all=60", "--most", "90")
    answers = [told(capsys, "compare", changed, *SHORT, *precise, "--workers", workers)[0] for workers in "13"]
    assert answers[0] == answers[1] and answers[0]["reps"] > 4


def test_one_replication_has_no_interval(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer, _ = told(capsys, "run", place, "--years", "0.1", "--warmup", "0", "--reps", "1")
    assert {(each["low"], each["high"]) for each in answer["figures"]} == {(None, None)}


def test_compare_tells_the_change_from_the_trend(place: str, changed: str, capsys: pytest.CaptureFixture[str]) -> None:
    alone, said = told(capsys, "compare", changed, *SHORT)
    both, _ = told(capsys, "compare", place, changed, *SHORT)
    assert alone == both and set(alone) == KEYS["twin compare"]
    assert {frozenset(each) for each in alone["differences"]} == {frozenset(DIFFERENCE)}
    assert (alone["base"], alone["changed"]) == ("Small & busy", "Small & busy, changed")
    assert alone["trend"] == "Small & busy, by the national trend"
    delayed = figure(alone, "delayed_days", "acute ward > homecare")
    assert delayed["difference"]["mean"] == pytest.approx(delayed["changed"] - delayed["base"], abs=0.001)
    assert delayed["beyond_trend"]["mean"] == pytest.approx(delayed["with_trend"] - delayed["trend"], abs=0.001)
    assert delayed["trend"] != delayed["base"] and "A: Small & busy. B: Small & busy, changed." in said
    heading, *_, row = (line for line in said.splitlines() if "B - A" in line or "acute ward > homecare" in line)
    assert heading.endswith("B - A, trend")
    assert row.split()[-1].lstrip("+") == in_words(delayed["beyond_trend"]["mean"], "days a year")
    assert figure(alone, "in_use", "homecare")["difference"]["high"] < 0


def test_compare_needs_two_places(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer, _ = told(capsys, "compare", place, code=1)
    assert answer["error"].endswith("is not based on another place. Give a second place to compare it with.")


def test_a_run_goes_on_until_a_figure_is_known(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    width = "occupied acute ward=0.4"
    answer, said = told(capsys, "run", place, *SHORT, "--precise", width)
    assert answer["precise"]["reached"] and answer["precise"]["within"] <= 0.4 and answer["reps"] >= 30
    assert f"occupied acute ward is known within {answer['precise']['within']:.4g}" in said
    few, said = told(capsys, "run", place, *SHORT, "--precise", "occupied acute ward=1e-9", "--most", "35")
    assert few["reps"] == 35 and not few["precise"]["reached"] and "that is all of --most" in said
    wrong, _ = told(capsys, "run", place, *SHORT, "--precise", "beds=1", code=1)
    assert wrong["error"].startswith("there is no figure beds. There are: occupied acute ward; ")


@pytest.mark.parametrize("noun", ["check", "run", "compare"])
def test_a_place_that_is_wrong_is_refused_with_its_lines(
    noun: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(place).write_text(PLACE.replace("p = 0.3", "p = 1.3").replace("places = 18", "places = -1"))
    answer, said = told(capsys, noun, place, code=1)
    assert answer["error"].startswith("2 things are wrong in place.toml. The first: place.toml, line 14: ")
    assert "place.toml, line 26: " in said


def test_a_shipped_scenario_goes_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "check", "reference")[0]["unaccounted"] == []
    answer, _ = told(capsys, "check", "atlantis", code=1)
    assert (
        "There is no file atlantis. Give a place file, or one of: " in answer["error"]
        and "reference" in answer["error"]
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--years", "0"],
        ["--years", "nan"],
        ["--years", "101"],
        ["--years", "a while"],
        ["--warmup", "101y"],
        ["--warmup", "soon"],
        ["--warmup", "-1d"],
        ["--reps", "0"],
        ["--reps", "1e3"],
        ["--reps", "9" * 5_000],
        ["--seed", "-1"],
        ["--most", "1000001"],
        ["--workers", "9999"],
        ["--workers", "none"],
        ["--precise", "occupied acute"],
        ["--precise", "occupied acute=-1"],
        ["--precise", "=2"],
    ],
    ids=" ".join,
)
def test_an_option_that_is_wrong_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["twin", "run", "reference", *words])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and words[0] in said and "invalid" not in said


def test_charts_show_each_station_day_by_day(
    place: str, changed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_font()
    folder = tmp_path / "new" / "charts"
    answer, said = told(capsys, "compare", changed, *SHORT, "--charts", str(folder))
    assert sorted(answer["charts"]) == sorted(each.name for each in folder.iterdir())
    assert {"days.csv", "acute ward-occupied.svg", "homecare-waiting.svg"} <= set(answer["charts"])
    assert "homecare-delayed.svg" not in answer["charts"]  # nobody is held up there
    for name in answer["charts"]:
        if name.endswith(".svg"):
            picture = ElementTree.parse(folder / name).getroot()
            assert picture.tag == "{http://www.w3.org/2000/svg}svg"
            lines = picture.findall("{*}polyline[@stroke-width]")
            assert len(lines) == 2 and len(picture.findall("{*}polygon")) == 4
            assert [bool(line.get("stroke-dasharray")) for line in lines] == [True, False]
            assert "Small & busy, changed" in [each.text for each in picture.findall("{*}text")]
            assert pixels((folder / name).with_suffix(".png").read_bytes()) == (PNG_WIDTH, 2 * HEIGHT)
    occupied = ElementTree.parse(folder / "acute ward-occupied.svg").getroot()
    assert len(occupied.findall("{*}polyline[@stroke-dasharray='1 3']")) == 2  # the places of both
    rows = [*csv.DictReader(io.StringIO((folder / "days.csv").read_text()))]
    days = sorted({date.fromisoformat(row["date"]) for row in rows})
    assert days[0] == date(2026, 5, 1) and (days[-1] - days[0]).days == len(days) - 1 == 213 - 30
    assert all(float(row["p05"]) <= float(row["p50"]) <= float(row["p95"]) for row in rows)
    assert max(float(row["p95"]) for row in rows if row["count"] == "occupied" and row["station"] == "acute ward") <= 18


def needs_font() -> None:
    if not can_write_words():
        missing("browser", "this machine has no font, which a browser would bring")


def pixels(png: bytes) -> tuple[int, int]:
    """Across and down, as the head of a PNG has them."""
    head, width, height = struct.unpack(">16sII", png[:24])
    assert head == b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    return width, height


def test_where_words_cannot_be_drawn_no_picture_goes_without_them(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_font()
    assert png(WORDS.format("beds")) != png(WORDS.format("lads"))
    monkeypatch.setattr("joinery.site.commands.twin.charts.can_write_words", lambda: False)
    answer, said = told(capsys, "run", place, *SHORT, "--charts", str(tmp_path / "charts"))
    assert {Path(name).suffix for name in answer["charts"]} == {".svg", ".csv"}
    assert "this machine has no font, so there are no PNG files" in said and "charts as SVG, " in said


def test_charts_that_have_nowhere_to_go_are_refused_before_the_run(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, said = told(capsys, "run", place, "--years", "100", "--reps", "1000000", "--charts", place, code=1)
    assert answer["error"] == f"Charts cannot be written to {place}: File exists. Name another folder."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_alone() -> None:
    terminal = Terminal()
    bar = progress(terminal)
    assert bar and progress(io.StringIO()) is None
    for done in (1, 1_500, 3_000):
        bar(done, 3_000)
    *_, half, whole = terminal.getvalue().split("\r")
    assert half == f"  {'#' * 15}{'.' * 15} 1,500 of 3,000 runs" and whole == f"  {'#' * 30} 3,000 of 3,000 runs\n"


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, "days", "?"), (0.1234, "days", "0.12"), (-12.34, "people", "-12.3"), (1234.5, "a year", "1,234"),
        (-1_234_567.0, "pence a year", "-£12,346"),
    ],
)  # fmt: skip
def test_a_figure_in_words_has_the_digits_that_say_something(value: float | None, unit: str, words: str) -> None:
    assert in_words(value, unit) == words


def blocks(language: str) -> list[str]:
    """What the how-to shows in a language."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "try-a-change-before-it-is-made.md"
    return [each.partition("```")[0] for each in page.read_text("utf-8").split(f"```{language}\n")[1:]]


def test_the_how_to_is_about_places_that_can_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = blocks("toml")
    (tmp_path / "wexcombe.toml").write_text(toml[0])
    (tmp_path / "changed.toml").write_text("\n".join(toml[3:]))
    answer, _ = told(capsys, "check", str(tmp_path / "changed.toml"))
    assert answer["based_on"] == "Wexcombe" and answer["warnings"] == []
    assert answer["budget"] and answer["national_trend"]


def test_the_how_tos_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wexcombe.toml").write_text(blocks("toml")[0])
    (code,) = blocks("python")
    monkeypatch.chdir(tmp_path)
    made: dict[str, Any] = {}
    exec(code.replace("6 * 365", "400").replace("reps=200", "reps=3"), made)
    assert made["beds"].shape == (3,) and made["changes"]["occupied", "homecare"].mean > 0
    assert made["runs"][0].midnights.shape == (3, 401, 2, 3)
