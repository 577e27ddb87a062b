"""`joinery link files`: an analyst's files linked without a deployment, and what it says of files it cannot use."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.linking_quality import cluster_pairs
from benchmarks.people import Record, records
from joinery.__main__ import main
from joinery.calc.units import parse_nhs_number
from joinery.site.commands.link.columns import guessed, our_name
from joinery.site.commands.link.reading import year_first

PERSONS = 400
OURS = ("nhs_number", "given_name", "family_name", "birth_date", "gender", "postcode")
THEIRS = ("NHS No", "Forename", "Surname", "DOB", "Sex", "Post Code")

Linked = tuple[dict[str, Any], list[dict[str, str]]]
Link = Callable[..., Linked]


def write(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(header), *map(list, rows)])
    return path


def people_file(path: Path, people: list[Record], header: Iterable[str] = OURS) -> Path:
    return write(path, ["id", *header], ([each.record, *(getattr(each, name) for name in OURS)] for each in people))


@pytest.fixture(scope="module")
def people() -> list[Record]:
    return list(records(PERSONS, seed=301))


def run(folder: Path, *files: Path, columns: Mapping[str, Any] | None = None) -> Linked:
    """Run the command; its JSON and the rows that it wrote."""
    words = ["link", "files", *map(str, files), "--out", str(folder / "clusters.csv"), "--json"]
    if columns is not None:
        (folder / "map.yaml").write_text(json.dumps(columns), "utf-8")
        words += ["--columns", str(folder / "map.yaml")]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(words) == 0
    with (folder / "clusters.csv").open(encoding="utf-8", newline="") as file:
        return json.loads(said.getvalue()), list(csv.DictReader(file))


@pytest.fixture
def link(tmp_path: Path) -> Link:
    """Runs the command in the test's folder."""
    return partial(run, tmp_path)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory, people: list[Record]) -> Linked:
    """One file of five feeds, linked; two records say nothing."""
    folder = tmp_path_factory.mktemp("feeds")
    file = people_file(folder / "feeds.csv", people)
    with file.open("a", encoding="utf-8") as more:
        more.write("a,,UNKNOWN,UNKNOWN,1900-01-01,,\nb,,UNKNOWN,UNKNOWN,1900-01-01,,\n")
    return run(folder, file, columns={name: name for name in OURS} | {"id": "id"})


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command, which must refuse without writing; gives what it says."""

    def run(*files: Path, columns: str = "") -> str:
        out = tmp_path / "clusters.csv"
        words = ["link", "files", *map(str, files), "--out", str(out)]
        if columns:
            (tmp_path / "map.yaml").write_text(columns, "utf-8")
            words += ["--columns", str(tmp_path / "map.yaml")]
        assert main(words) == 1
        assert not out.exists()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return said

    return run


def test_a_row_for_each_record_in_the_order_of_the_file(feeds: Linked, people: list[Record]) -> None:
    answer, rows = feeds
    assert [row["row"] for row in rows] == [str(row) for row in range(1, len(people) + 3)]
    assert {row["file"] for row in rows} == {"feeds.csv"}
    assert [row["id"] for row in rows] == [*(str(each.record) for each in people), "a", "b"]
    assert answer["records"] == len(rows) and answer["clusters"] == len({row["cluster"] for row in rows})


def test_most_records_of_a_person_are_together_and_few_people_are(feeds: Linked, people: list[Record]) -> None:
    found = cluster_pairs([row["cluster"] for row in feeds[1][:-2]], [each.person for each in people])
    assert found.precision > 0.99 and found.recall > 0.95


def test_the_links_say_all_that_made_a_cluster(feeds: Linked) -> None:
    _, rows = feeds
    together = {row["row"]: row["cluster"] for row in rows}
    linked = [row for row in rows if row["linked_to_row"]]
    assert len(linked) == len(rows) - len(set(together.values()))  # one fewer than each cluster has records
    assert all(together[row["linked_to_row"]] == row["cluster"] for row in linked)
    assert all(row["why"] for row in linked)
    scored = [row for row in linked if row["bits"]]
    assert scored and all(0 <= float(row["probability"]) <= 1 for row in scored)


def test_two_valid_nhs_numbers_are_never_one_person(feeds: Linked, people: list[Record]) -> None:
    numbers: dict[str, set[str]] = {}
    for each, row in zip(people, feeds[1], strict=False):
        numbers.setdefault(row["cluster"], set()).update(filter(None, [parse_nhs_number(each.nhs_number)]))
    assert max(map(len, numbers.values())) == 1


def test_records_that_say_nothing_are_each_alone(feeds: Linked) -> None:
    clusters = [row["cluster"] for row in feeds[1]]
    assert all(clusters.count(cluster) == 1 for cluster in clusters[-2:])


def test_two_files_with_headers_of_their_own(link: Link, tmp_path: Path, people: list[Record]) -> None:
    gp = [each for each in people if each.feed == "gp"]
    others = [each for each in people if each.feed != "gp"]
    first = people_file(tmp_path / "gp.csv", gp)
    second = people_file(tmp_path / "others.csv", others, THEIRS)
    columns = {name: name for name in OURS} | {"files": {"others.csv": dict(zip(OURS, THEIRS, strict=True))}}
    answer, rows = link(first, second, columns=columns)
    assert [each["records"] for each in answer["files"]] == [len(gp), len(others)]
    assert any(row["file"] == "others.csv" and row["linked_to_file"] == "gp.csv" for row in rows)
    guess, same = link(first, second)  # the same, guessed from the headers
    assert [row["cluster"] for row in same] == [row["cluster"] for row in rows]
    assert "others.csv: guessed" in " ".join(guess["warnings"])


def test_files_without_duplicates_are_linked_one_to_one(link: Link, tmp_path: Path, people: list[Record]) -> None:
    gp = list({each.person: each for each in people if each.feed == "gp"}.values())
    hospital = list({each.person: each for each in people if each.feed == "hospital"}.values())
    files = people_file(tmp_path / "gp.csv", gp), people_file(tmp_path / "hospital.csv", hospital)
    _, rows = link(*files, columns={name: name for name in OURS} | {"no_duplicates_within_file": True})
    seen = [(row["file"], row["cluster"]) for row in rows]
    assert len(seen) == len(set(seen))
    found = cluster_pairs([row["cluster"] for row in rows], [each.person for each in gp + hospital])
    assert found.precision > 0.99 and found.recall > 0.95


def test_the_order_of_the_records_changes_nothing(link: Link, tmp_path: Path, people: list[Record]) -> None:
    def who(given: list[Record]) -> set[frozenset[int]]:
        _, rows = link(people_file(tmp_path / "feeds.csv", given))
        clusters: dict[str, set[int]] = {}
        for each, row in zip(given, rows, strict=True):
            clusters.setdefault(row["cluster"], set()).add(each.record)
        return {frozenset(cluster) for cluster in clusters.values()}

    some = people[:300]
    assert who(some) == who(some[::-1])


def test_another_countrys_number_is_compared_as_any_other(link: Link, tmp_path: Path, people: list[Record]) -> None:
    rows = ([f"{each.person:07d}", each.given_name, each.family_name, each.birth_date] for each in people)
    file = write(tmp_path / "febrl.csv", ["soc_sec_id", "given_name", "surname", "dob"], rows)
    columns = {"nhs_number": "soc_sec_id", "given_name": "given_name", "family_name": "surname", "birth_date": "dob"}
    answer, _ = link(file, columns=columns)
    assert "number" in answer["columns"] and any("fail their check" in each for each in answer["warnings"])


def test_it_needs_neither_django_nor_a_deployment(tmp_path: Path, people: list[Record]) -> None:
    file = people_file(tmp_path / "feeds.csv", people)
    code = (
        "import sys, joinery.__main__ as m\n"
        f"code = m.main(['link', 'files', {str(file)!r}, '--out', {str(tmp_path / 'out.csv')!r}])\n"
        "assert code == 0 and 'django' not in sys.modules, code"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"feeds.csv", "out.csv"}


BASIC = "given_name: first\nfamily_name: last\nbirth_date: born\n"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("given_name: [first", "is not YAML"),
        ("- first\n- last\n", "holds no lines such as"),
        ("given_nam: first\n", "Did you mean given_name?"),
        ("given_name: frist\nfamily_name: last\n", "Did you mean first?"),
        ("given_name: {a: b}\n", "is no column"),
        ("given_name: first\n", "at least 2 fields"),
        (BASIC + "dates: american\n", "dates: is one of"),
        (BASIC + "truth: born\n", "is the truth"),
        (BASIC + "other: [born]\n", "is both birth_date and born"),
        (BASIC + "no_duplicates_within_file: maybe\n", "true or false"),
        (BASIC + "no_duplicates_within_file: true\n", "nothing to link"),
        (BASIC + "files: {other.csv: {given_name: first}}\n", "files that were not given: other.csv"),
        (BASIC + "other: [colour]\n", "has no column 'colour'"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_in_words(
    refused: Callable[..., str], tmp_path: Path, columns: str, words: str
) -> None:
    file = write(tmp_path / "a.csv", ["first", "last", "born"], [["Ann", "Shore", "1950-02-01"]] * 3)
    assert words in refused(file, columns=columns)


def test_files_that_cannot_be_used_are_refused_in_words(refused: Callable[..., str], tmp_path: Path) -> None:
    header = ["forename", "surname", "dob"]
    good = write(tmp_path / "good.csv", header, [["Ann", "Shore", "1950-02-01"]] * 3)
    assert "There is no file" in refused(tmp_path / "nowhere.csv")
    assert "must be different" in refused(good, good)
    assert "one file or two" in refused(good, good, good)
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "empty.csv is empty" in refused(empty)
    assert "no rows" in refused(write(tmp_path / "bare.csv", header, []))
    assert "twice" in refused(write(tmp_path / "twice.csv", ["dob", "dob", "surname"], [["", "", "Shore"]]))
    torn = write(tmp_path / "torn.csv", header, [["Ann", "Shore", "1950-02-01"], ["Ann", "Shore"]])
    assert "torn.csv: row 2 has 2 cells, where 3 are expected" in refused(torn)
    wide = tmp_path / "wide.csv"
    wide.write_bytes("forename,surname\nAnn,Shore\n".encode("utf-16"))
    assert "is not UTF-8" in refused(wide)
    parquet = tmp_path / "people.parquet"
    parquet.write_bytes(b"PAR1\x15\x04\x15\x10,dob,surname\n")
    assert "is a Parquet file" in refused(parquet)
    nobody = write(tmp_path / "nobody.csv", header, [["UNKNOWN", "UNKNOWN", "1900-01-01"]] * 2)
    assert "say nothing that can be compared" in refused(nobody)
    strange = write(tmp_path / "strange.csv", ["a", "b"], [["Ann", "Shore"]])
    assert "strange.csv has a, b." in refused(strange)
    beside = write(tmp_path / "beside.csv", ["postcode", "sex"], [["XA1 1AA", "F"]])
    assert "every file has, and there is none" in refused(good, beside)


def test_which_columns_are_guessed_and_which_are_left_out() -> None:
    found = guessed(["rec_id", "First Name", "last_name", "Date of Birth", "zip", "cluster"])
    assert list(found.fields) == ["given_name", "family_name", "birth_date", "postcode"]
    assert found.left_out == ("rec_id", "cluster")
    assert our_name("DOB") == "birth_date"


@pytest.mark.parametrize(
    ("text", "order", "iso"),
    [
        ("21/02/1950", "dmy", "1950-02-21"),
        ("2/21/1950 00:00", "mdy", "1950-02-21"),
        ("3rd April 1950", "dmy", "1950-04-03"),
        ("19500403.0", "ymd", "19500403"),
        ("1950-04-03", "mdy", "1950-04-03"),
        ("spring 1950", "dmy", "spring 1950"),
    ],
)
def test_dates_in_their_usual_forms(text: str, order: str, iso: str) -> None:
    assert year_first(text, order) == iso


def test_months_before_days_are_found_out(link: Link, tmp_path: Path, people: list[Record]) -> None:
    def american(day: str) -> str:
        return f"{day[5:7]}/{day[8:]}/{day[:4]}" if day else ""

    header = ["forename", "surname", "dob", "postcode"]
    rows = ([each.given_name, each.family_name, american(each.birth_date), each.postcode] for each in people)
    answer, _ = link(write(tmp_path / "us.csv", header, rows))
    assert "us.csv: dates were read with the month first." in answer["warnings"]
