"""A council's rows are read a column at a time: each comes to what its own words say, read one by one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.apps.base.feeds import File, feed_of
from joinery.apps.record.care import care_rules, care_said
from joinery.apps.record.council import batches_of
from joinery.apps.record.rows import EntryRow, Row, capital, end_of, moment_of
from joinery.apps.record.sheets import open_sheet
from joinery.apps.record.wording import fill

FEED = feed_of("council")
WORDS = ("", "Home care", "home care", "Y", "N", "2026-03-31", "2026-07-05T08:10:00Z", "a, b", "é 'x'")
DAYS = ("2026-03-31", "2026-01-01", "9999-12-31")
ENDED = ("", "Ended", "revoked", "active")


def cell(file: File, column: str) -> st.SearchStrategy[str]:
    """What a column may hold; nothing only where it need not be filled."""
    said: Sequence[str] = ENDED if column in file.over_when else WORDS
    if column in (*file.dates, *file.moments):
        said = DAYS
    if column in file.lists:
        said = file.lists[column]
    return st.sampled_from([word for word in ("", *said) if word or column not in file.required])


def row(file: File) -> st.SearchStrategy[dict[str, str]]:
    said = {column: cell(file, column) for column in file.columns}
    common = {"source_id": "x", "updated_at": "2026-11-20T02:00:00Z"}
    return st.fixed_dictionaries(
        said | {c: st.just(word) for c, word in common.items()} | {"deleted": st.sampled_from("001")}
    )


tables = st.sampled_from([file for file in FEED.file if file.kind]).flatmap(
    lambda file: st.tuples(st.just(file), st.lists(row(file), min_size=1, max_size=6))
)


def read(file: File, rows: Sequence[dict[str, str]]) -> list[Row]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{file.part}.csv"
        with path.open("w", encoding="utf-8", newline="") as text:
            writer = csv.DictWriter(text, [*file.columns, *FEED.common])
            writer.writeheader()
            writer.writerows(rows)
        return [each for batch in batches_of(open_sheet(path, FEED)) for each in batch]


def line_of(file: File, said: dict[str, str]) -> EntryRow:
    if said["deleted"] == "1":
        return EntryRow()
    at, until = (next((said[c] for c in columns if said[c]), "") for columns in (file.at, file.until))
    sensitivities = [names.get(said[column], "") for column, names in file.sensitive_when.items()]
    return EntryRow(
        moment_of(at),
        end_of(moment_of(until)),
        file.kind,
        capital(fill(file.title, said) or file.kind)[:300],
        ". ".join(filter(None, (fill(template, said) for template in file.detail))),
        "" if any(said[c].casefold() in words for c, words in file.over_when.items()) else file.banner,
        next(filter(None, sensitivities), ""),
    )


@settings(max_examples=40, deadline=None)
@given(tables)
def test_rows_read_by_column_say_what_each_says_by_itself(table: tuple[File, list[dict[str, str]]]) -> None:
    file, rows = table
    found = read(file, rows)
    assert len(found) == len(rows)
    for position, (row, said) in enumerate(zip(found, rows, strict=True), start=1):
        assert (row.position, row.issues) == (position, ())
        assert row.entry == line_of(file, said)
        assert row.key == f"{file.part}/{said[file.key[0]]}"
        assert row.local_id == f"person/{said['person_id']}"
        rule = care_rules("council").get(file.part)
        assert row.care == (care_said(rule, said, row.stated_at) if rule else None)
