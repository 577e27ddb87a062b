"""Tables of text: the fast way of reading a record gives what the csv module gives."""

from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from joinery.apps.base.tables import Table, are_plain


@given(st.text(alphabet='a,"; \t', max_size=14), st.sampled_from(",;\t"))
@example('a,"b,c",,""', ",")
@example('"a""b",c', ",")
@example('a "b",c', ",")
def test_a_record_of_one_line_is_what_the_csv_module_says_or_left_to_it(line: str, delimiter: str) -> None:
    table = Table(Path(), "utf-8", delimiter)
    if any(are_plain([f"{line}\r\n".encode()], table)):
        said = next(csv.reader([f"{line}\r\n"], delimiter=delimiter, strict=True))
        assert table.split(f"{line}\r\n") == said


PIECES = ('"', '""', ",", "a", "é", " ", "\n", "\r\n", "\r", "\0", "\ufeff", '"a,b"', ',"",', "a,b\r\n")


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.sampled_from(["utf-8-sig", "cp1252"]))
@example('a,b\n"c\n\nd"\n', "utf-8-sig")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_portions_a_table_is_read_its_records_are_the_same(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding, "replace"))
    table = Table(path, encoding, ",")
    whole = list(table.records())
    for most in (1, 3):
        batches = list(table.batches(most))
        assert [table.text(line) for lines, _ in batches for line in lines] == [body for body, _, _ in whole]
        assert all(len(lines) <= most for lines, _ in batches)
    skipped = [line for lines, _ in table.batches(2, skip=2) for line in lines]
    assert [table.text(line) for line in skipped] == [body for body, _, _ in whole][2:]


@given(st.lists(st.lists(st.text('a,"é\n ', max_size=4), min_size=2, max_size=3), max_size=9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_writes_is_read_back(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    found = list(Table(path, "utf-8-sig", ",").records())
    assert [cells for _, cells, _ in found] == [row for row in rows if any(row)]
    assert not any(wrong for _, _, wrong in found)


def test_a_byte_that_is_no_text_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n\xff,1\nc,d\n")
    table = Table(path, "utf-8-sig", ",")
    assert [table.raw(text) for text, _, _ in table.records()] == [b"a,b\n", b"\xff,1\n", b"c,d\n"]
