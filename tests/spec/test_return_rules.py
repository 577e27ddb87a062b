"""Each rule of the returns, as its table says: what is noted, and what is quarantined."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from joinery.apps.base.feeds import feed_of
from joinery.apps.record.sheets import Line, open_sheet
from tests.spec.return_rules import CASES, GOOD, Case, Row

ALL = [pytest.param(feed, case, id=f"{feed}: {case[0]}") for feed, cases in CASES.items() for case in cases]


def line_of(feed: str, row: Row, folder: Path) -> Line:
    """A file of one row, read by the feed's definition."""
    text = io.StringIO()
    writer = csv.DictWriter(text, feed_of(feed).part(feed).columns)
    writer.writeheader()
    writer.writerow(row)
    path = folder / f"{feed}.csv"
    path.write_text(text.getvalue(), "utf-8")
    (line,) = open_sheet(path, feed_of(feed)).lines()
    return line


@pytest.mark.parametrize(("feed", "case"), ALL)
def test_a_row_has_the_faults_of_its_table(feed: str, case: Case, tmp_path: Path) -> None:
    _, changes, faults, quarantined = case
    line = line_of(feed, GOOD[feed] | changes, tmp_path)
    found = [(issue.path.rpartition(", ")[2], issue.rule) for issue in line.issues] + list(line.notes)
    assert sorted(found) == sorted(faults)
    assert bool(line.issues) == quarantined


@pytest.mark.parametrize("feed", GOOD)
def test_what_to_do_is_said_without_the_value(feed: str, tmp_path: Path) -> None:
    for _, changes, _, _ in CASES[feed]:
        for issue in line_of(feed, GOOD[feed] | changes, tmp_path).issues:
            assert issue.message.endswith(".")
            assert all(value not in issue.message for value in changes.values() if len(value) > 2)


@pytest.mark.parametrize("feed", GOOD)
def test_every_column_a_definition_names_is_one_of_its_columns(feed: str) -> None:
    file = feed_of(feed).part(feed)
    rules = [*file.when, *file.kinds.values()]
    named = {
        *file.key, *file.required, *file.refuse, *file.dates, *file.moments, *file.times, *file.numbers, *file.counts,
        *file.nhs_numbers, *file.lists, *file.earlier, *file.patterns, *file.unless, *file.subject, *file.identifying,
        *file.envelope, file.stated, file.from_date, file.to_date, file.kind_column, file.issuer,
        *(column for group in (*file.one_of, *file.in_order, *file.at_most) for column in group),
        *(column for rule in rules for column in (*rule.must, *rule.may)),
        *(column for rule in file.when for column in rule.where),
        *(column for kind in file.kinds.values() for column in kind.key),
        *(column for module in file.modules.values() for column in module),
    }  # fmt: skip
    assert named - {""} <= set(file.columns)
    assert set(file.modules.get("Submission", ())) <= set(file.columns)


def test_a_word_of_an_earlier_release_is_none_of_the_present_one() -> None:
    file = feed_of("cld").part("cld")
    assert all(not set(words) & set(file.lists[column]) for column, words in file.earlier.items())


@pytest.mark.parametrize("feed", ["cld", "apc", "ecds"])
def test_what_names_a_person_is_never_given_out(feed: str) -> None:
    file = feed_of(feed).part(feed)
    personal = {
        c for c in file.columns if any(w in c for w in ("NHS_Number", "Identifier", "Patient_ID", "Linked_Person"))
    }
    personal |= {"Date_of_Birth", "Postcode", "Event_Description"} & set(file.columns)
    assert personal and personal - {"NHS_Number_Trace_Status"} <= set(file.identifying)
