"""Rows of tables: what is found in one does not depend on those that it stands among."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.base.feeds import feed_of
from joinery.apps.record.mending import cells_under, columns_under, sheet_under
from joinery.apps.record.sheets import Line, open_sheet
from tests.spec.return_rules import CASES, GOOD

COLUMNS = feed_of("cld").part("cld").columns
# What stands in cells and breaks what reads many at once: quotes, marks, spaces, line ends, no text.
ODD = ("", " ", "Service ", "\x1cYes", "a,b", 'a"b', '"', "a\r\nb", "é", "\0", "\ufeff999", "=1+1", "2026-02-30")
ENDS = ("\r\n", "\n", ",,\r\n", ",x\r\n", '"\r\n', "\r\n\r\n")
rows = st.tuples(
    st.sampled_from([changes for _, changes, _, _ in CASES["cld"]]),
    st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(ODD), max_size=2),
    st.sampled_from(ENDS[:1] * 5 + ENDS),
)


def written(changes: dict[str, str], odd: dict[str, str], end: str) -> str:
    text = io.StringIO(newline="")
    row = GOOD["cld"] | changes | odd
    csv.writer(text, lineterminator="").writerow([row.get(column, "") for column in COLUMNS])
    return text.getvalue() + end


def read(folder: str, texts: Sequence[str]) -> list[Line]:
    path = Path(folder) / "cld.csv"
    path.write_text(f"{','.join(COLUMNS)}\r\n{''.join(texts)}", "utf-8", newline="")
    return list(open_sheet(path, feed_of("cld")).lines())


@settings(max_examples=30, deadline=None)
@given(st.lists(rows, min_size=1, max_size=12))
def test_a_row_is_read_among_others_as_it_is_by_itself(given: list[tuple[dict[str, str], dict[str, str], str]]) -> None:
    texts = [written(*row) for row in given]
    # A quote that is never closed reaches into what follows, among others and not by itself.
    texts = [text for text in texts if not text.endswith('"\r\n')] + [t for t in texts if t.endswith('"\r\n')][:1]
    with TemporaryDirectory() as folder:
        together = read(folder, texts)
        alone = [line for text in texts for line in read(folder, [text])]
    assert [line.position for line in together] == list(range(1, len(together) + 1))
    assert [(line.body, tuple(line.cells), line.notes) for line in together] == [
        (line.body, tuple(line.cells), line.notes) for line in alone
    ]
    said = [[(issue.rule, issue.value, issue.message) for issue in line.issues] for line in together]
    assert said == [[(issue.rule, issue.value, issue.message) for issue in line.issues] for line in alone]


@settings(max_examples=30, deadline=None)
@given(st.lists(rows, max_size=8))
def test_rows_that_are_held_are_read_by_column_as_they_are_one_by_one(
    given: list[tuple[dict[str, str], dict[str, str], str]],
) -> None:
    bodies = [written(*row).encode() for row in given]
    sheet = sheet_under(",".join(COLUMNS), "cld", feed_of("cld"), None)
    assert sheet is not None
    kept, said = columns_under(sheet, bodies, COLUMNS)
    alone = {number: sheet.named(cells) for number, body in enumerate(bodies) if (cells := cells_under(sheet, body))}
    assert kept == list(alone)
    assert said == {column: [row[column] for row in alone.values()] for column in COLUMNS}
