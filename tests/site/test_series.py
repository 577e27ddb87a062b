"""`joinery series`: a file goes in, and the figures of bodies that merged come out together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Deployment, copied_deployment

COUNTS = {"file", "series", "rows", "taken", "unchanged", "superseded", "quarantined", "reasons", "note"}
SUMMARY = {"id", "name", "unit", "kind", "step", "organisations", "first", "last", "uploaded_at"}
PAGE = {"at", "known_at", "proposal", "series", "unit", "kind", "body", "points", "joined", "apart", "went_to"}
POINT = {"start", "period", "value", "numerator", "denominator", "parts", "missing"}


@pytest.fixture(scope="module")
def place(migrated: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A place with two trusts that merged, and nothing else."""
    with copied_deployment(migrated, tmp_path_factory.mktemp("series") / "data") as made:
        for code in ("ZA", "ZB"):
            made.json("place", "add", code, "--name", f"Trust {code}", "--form", "nhs_trust")
        made.json("place", "merge", "ZA", "ZB", "--into", "ZAB", "--name", "Both", "--on", "2020-04-01")
        yield made


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    path = tmp_path / "wide.csv"
    path.write_text("org_code,period,att,adm\nZA,2020-01-01,5.0,1\nZB,2020-01-01,6.0,2\nZX,2020-01-01,1,1\n")
    return path


def test_a_wide_file_is_taken_listed_and_shown(place: Deployment, wide: Path) -> None:
    upload = ("series", "upload", wide, "--series", "Attendances=att", "--series", "Admissions=adm", "--unit", "visits")
    answer = place.json(*upload)
    assert set(answer) == COUNTS and answer["series"] == ["Attendances", "Admissions"]
    assert [answer[n] for n in ("rows", "taken", "unchanged", "superseded", "quarantined")] == [3, 2, 0, 0, 1]
    assert "No organisation has the code ZX" in answer["reasons"][0]
    assert place.json(*upload)["unchanged"] == 2

    listed = place.json("series", "list")["series"]
    assert [each["name"] for each in listed] == ["Admissions", "Attendances"]
    assert all(set(each) == SUMMARY for each in listed)

    shown = place.json("series", "show", "attendances", "--for", "ZAB")
    assert set(shown) == PAGE and set(shown["points"][0]) == POINT
    assert (shown["points"][0]["value"], shown["points"][0]["parts"]) == (11, {"ZA": 5, "ZB": 6})
    assert [each["code"] for each in shown["joined"]] == ["ZA", "ZB"]
    before = place.json("series", "show", "Attendances", "--for", "ZA", "--at", "2020-02-01")
    assert (before["points"][0]["value"], before["went_to"]) == (5, "")

    said = place.run("series", "show", "Attendances", "--for", "ZAB").stdout
    assert "January 2020: 11 (ZA 5, ZB 6)" in said and "1 April 2020: Trust ZA (ZA) became part of it" in said


def test_a_ratio_is_taken_by_its_two_columns(place: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "ratio.csv"
    path.write_text("trust,quarter,seen,all\nZA,2020-Q1,9,10\nZB,2020-Q1,0,90\n")
    columns = ("--numerator", "seen", "--denominator", "all", "--organisation", "trust", "--each", "quarter")
    assert place.json("series", "upload", path, "--series", "Seen", *columns, "--unit", "%")["taken"] == 2
    (point,) = place.json("series", "show", "Seen", "--for", "ZAB")["points"]
    assert (point["period"], point["value"]) == ("January to March 2020", 9)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("upload", "none.csv", "--series", "x"), "There is no file none.csv"),
        (("upload", "{}",), "Give the series a name"),
        (("upload", "{}", "--series", "x"), "no column for the value"),
        (("upload", "{}", "--series", "x", "--value", "nope"), "no column for nope"),
        (("upload", "{}", "--series", "x", "--numerator", "att"), "--numerator and --denominator together"),
        (("upload", "{}", "--series", "x=att", "--series", "y=adm", "--value", "att"), "are for one --series NAME"),
        (("show", "nothing", "--for", "ZA"), "There is no series nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(place: Deployment, wide: Path, words: tuple[str, ...], problem: str) -> None:
    done = place.run("series", *(word.format(wide) for word in words))
    assert done.returncode == 1 and problem in done.stderr and "Traceback" not in done.stderr
