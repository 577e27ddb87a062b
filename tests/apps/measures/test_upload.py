"""Uploading figures: every row is accounted for, and what is wrong with one is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.measures import actions
from joinery.apps.measures.actions import Wanted
from joinery.apps.measures.facts import series_list
from joinery.apps.measures.models import Point, Series, UnreadFigure, Upload
from tests.apps.measures.uploading import BY, four, page, register, upload, values, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def organisations() -> None:
    register("A", "B")


def test_a_file_goes_in_once_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ("A", "2019-04", 5), ("a", "2019-05-01", "1,007.0"), ("B", "2019-04", 0))
    path.write_text(path.read_text().replace("1,007.0", '"1,007.0"'))
    assert four(upload(path, unit="visits")) == (3, 0, 0, 0)
    assert four(upload(path, unit="visits")) == (0, 3, 0, 0)
    assert values("A") == {"April 2019": 5, "May 2019": 1007}
    assert values("B") == {"April 2019": 0}
    (series,) = series_list()
    assert (series.name, series.unit, series.kind, series.organisations) == ("Visits", "visits", "count", 2)
    assert (series.first, series.last) == ("April 2019", "May 2019")


def test_the_newest_upload_counts_and_an_older_file_taken_again_does_not_undo_it(tmp_path: Path) -> None:
    first = write(tmp_path / "first.csv", ("A", "2019-04", 5), ("A", "2019-05", 6))
    upload(first)
    revised = write(tmp_path / "revised.csv", ("A", "2019-04", 4), ("A", "2019-05", 6))
    assert four(upload(revised)) == (1, 1, 0, 0)
    assert four(upload(first)) == (0, 1, 1, 0)
    assert values("A") == {"April 2019": 4, "May 2019": 6}
    assert Point.objects.count() == 3


def test_a_column_taken_by_mistake_is_mended_by_taking_the_right_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ("A", "2019-04", 5, 7), header="org_code,month,right,wrong")
    for column, found in (("wrong", 7), ("right", 5)):
        assert four(upload(path, Wanted("Visits", column))) == (1, 0, 0, 0)
        assert values("A") == {"April 2019": found}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("A", "2019-04-30", 5), "'2019-04-30' is not a month, such as 2019-04"),
        (("A", "", 5), "'' is not a month"),
        (("A", "2019-04", "*"), "value: '\\*' is not a number. Leave the cell empty"),
        (("A", "2019-04", "nan"), "'nan' is not a number"),
        (("A", "2019-04", "1e999"), "'1e999' is not a number"),
        (("A", "2019-04", "-1"), "-1 is below zero"),
        (("A", "2019-04", ""), "gives no figure"),
        (("", "2019-04", 5), "The column organisation is empty"),
        (("NOPE", "2019-04", 5), "No organisation has the code NOPE. Add it to the directory, or take an ODS file"),
        (("A", "2019-04"), "has 2 cells, where 3 are expected"),
        (("A", "2019-04", '"5'), "is not valid CSV"),
    ],
)
def test_a_row_that_cannot_be_taken_is_quarantined_with_its_reason(
    tmp_path: Path, row: tuple[object, ...], reason: str
) -> None:
    taken = upload(write(tmp_path / "a.csv", ("B", "2019-04", 1), row))
    assert four(taken) == (1, 0, 0, 1)
    (kept,) = UnreadFigure.objects.all()
    assert (kept.position, kept.body) == (2, ",".join(map(str, row)))
    assert re.search(reason, taken.reasons[0]) and kept.reasons[0] in taken.reasons[0]
    assert values("A") == {}


def test_two_rows_that_contradict_each_other_are_said_with_the_way_out(tmp_path: Path) -> None:
    rows = (("A", "2019-04", "major", 5), ("A", "2019-04", "minor", 9), ("A", "2019-04", "major", 5))
    path = write(tmp_path / "a.csv", *rows, header="organisation,period,type,value")
    taken = upload(path)
    assert four(taken) == (1, 1, 0, 1)
    assert (
        taken.reasons[0].startswith("row 2: Row 1 gives another figure")
        and "column that tells them" in taken.reasons[0]
    )
    taken = upload(path, by="type")
    assert (four(taken), taken.series) == ((2, 1, 0, 0), ("Visits, major", "Visits, minor"))
    assert values("A", "Visits, minor") == {"April 2019": 9}


def test_a_long_file_names_its_series_in_a_column(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", ("A", "2019-04", "Beds", 5), ("A", "2019-04", "Staff", 9), header="org,date,what,n"
    )
    assert upload(path, Wanted("", "n"), by="what").series == ("Beds", "Staff")
    assert values("A", "Staff") == {"April 2019": 9}


def test_several_columns_are_a_series_each_and_an_empty_cell_says_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ("A", "2019-04", 5, ""), ("B", "2019-04", 6, 2), header="org_code,period,att,adm")
    assert four(upload(path, Wanted("Attendances", "att"), Wanted("Admissions", "adm"))) == (2, 0, 0, 0)
    assert values("A", "Attendances") == {"April 2019": 5} and values("A", "Admissions") == {}
    assert values("B", "Admissions") == {"April 2019": 2}


def test_a_ratio_keeps_both_its_parts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ("A", "2019-Q2", 1, 4), ("A", "2019-Q3", 0, 0), header="org,quarter,seen,all")
    wanted = Wanted("Seen in time", numerator="seen", denominator="all")
    assert four(upload(path, wanted, unit="%", step="quarter")) == (2, 0, 0, 0)
    assert values("A", "Seen in time") == {"April to June 2019": 25, "July to September 2019": None}
    half = write(tmp_path / "b.csv", ("A", "2019-Q4", 1, ""), header="org,quarter,seen,all")
    assert "all: '' is not a number" in upload(half, wanted, step="quarter").reasons[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04" + b"x" * 200, "is a workbook"),
        ("organisation,period,value\n".encode("utf-16"), "is not UTF-8 text"),
        (b"<html></html>", "a web page. Get the data as CSV\\."),
        (b"organisation,when,value\nA,2019-04,5\n", "no column for the period.*organisation, when, value"),
        (b"organisation,period,visitors\nA,2019-04,5\n", "no column for the value"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_and_nothing_of_it_kept(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (path := tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(Refused, match=words):
        upload(path)
    assert not Upload.objects.exists() and not Series.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_another_encoding_mark_or_preamble_is_read(tmp_path: Path, encoding: str) -> None:
    text = "Figures of the café\n\nOrg Code;Period;Value;\nA;Apr-19;5;\nB;01/04/2019;6;\n"
    (path := tmp_path / "a.csv").write_bytes(text.encode(encoding))
    taken = upload(path)
    assert four(taken) == (2, 0, 0, 0)
    assert ("Windows-1252" in taken.note) == (encoding == "cp1252")
    assert values("A") == values("A") | {"April 2019": 5}


def test_a_percentage_is_no_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ("A", "2019-04", -5.5))
    with pytest.raises(Refused, match="cannot be added up"):
        upload(path, unit="%")
    assert four(upload(path, unit="%", kind="level")) == (1, 0, 0, 0)
    assert values("A") == {"April 2019": -5.5}


def test_a_series_stays_what_it_was_and_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    upload(write(tmp_path / "a.csv", ("A", "2019-04", 5)), unit="visits")
    other = write(tmp_path / "b.csv", ("A", "2019-05-01", 6))
    for options in ({"unit": "hours"}, {"kind": "level"}, {"step": "day"}):
        with pytest.raises(Refused, match="Visits is there already as count by month, in the unit visits"):
            upload(other, **options)
    assert (Upload.objects.count(), Point.objects.count()) == (1, 1)


def test_a_column_with_a_value_a_row_does_not_make_a_thousand_series(tmp_path: Path) -> None:
    rows = [("A", f"{1900 + n // 12}-{n % 12 + 1:02d}", n) for n in range(200)]
    with pytest.raises(Refused, match="more than 100 series"):
        upload(write(tmp_path / "a.csv", *rows), by="value")
    assert not Series.objects.exists()


def test_an_upload_that_was_killed_is_read_by_nothing_and_swept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(**_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(actions, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            upload(write(tmp_path / "a.csv", ("A", "2019-04", 5)))
    assert Point.objects.count() == 1 and series_list() == ()
    assert four(upload(write(tmp_path / "b.csv", ("B", "2019-04", 6)))) == (1, 0, 0, 0)
    assert page("A").points == () and Upload.objects.count() == 1


CHANGES = (
    "UPDATE measures_point SET numerator = 9",
    "DELETE FROM measures_point",
    "UPDATE measures_series SET name = 'x'",
    "DELETE FROM measures_unreadfigure",
)


@pytest.mark.parametrize("sql", CHANGES)
def test_what_was_published_is_never_changed(tmp_path: Path, sql: str) -> None:
    upload(write(tmp_path / "a.csv", ("A", "2019-04", 5), ("A", "x", 5)))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        select(sql)


def test_batches_are_one_file(tmp_path: Path) -> None:
    rows = [("AB"[n % 2], f"{1500 + n // 24}-{n // 2 % 12 + 1:02d}", n) for n in range(4_500)]
    assert four(upload(write(tmp_path / "a.csv", *rows))) == (4_500, 0, 0, 0)
    assert len(page("A").points) == 2_250
    assert BY["actor"].name == Upload.objects.get().made_by
