"""Tables of text: the fast way of reading a record gives what the csv module gives."""

from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from joinery.apps.base.tables import Table


@given(st.text(alphabet='a,"; \t', max_size=14), st.sampled_from(",;\t"))
@example('a,"b,c",,""', ",")
@example('"a""b",c', ",")
@example('a "b",c', ",")
def test_a_record_of_one_line_is_what_the_csv_module_says_or_left_to_it(line: str, delimiter: str) -> None:
    table = Table(Path(), "utf-8", delimiter)
    if table.is_plain(f"{line}\r\n"):
        said = next(csv.reader([f"{line}\r\n"], delimiter=delimiter, strict=True))
        assert table.split(f"{line}\r\n") == (said or [""])
