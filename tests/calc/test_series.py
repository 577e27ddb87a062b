"""A series as it stands on a day, and periods as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from joinery.calc.series import STEPS, Figure, carried_on, following, period_start, period_words
from joinery.calc.succession import Edge, Lineage

JAN, FEB, APRIL = date(2020, 1, 1), date(2020, 2, 1), date(2020, 4, 1)


def test_what_passes_on_a_later_day_is_not_added_yet() -> None:
    lineage = Lineage({"A": APRIL}, (Edge("A", "B", APRIL),))
    figures = {"A": {JAN: Figure(1)}, "B": {JAN: Figure(2), FEB: Figure(3)}}
    for on, expected in ((date(2020, 3, 31), [2, 3]), (APRIL, [3, 3]), (date(2020, 1, 15), [2])):
        joined = carried_on("B", on, lineage, figures, {}, "month")
        assert [each.total.numerator for each in joined] == expected
    assert carried_on("B", APRIL, lineage, figures, {}, "month")[1].missing == ("A",)


@pytest.mark.parametrize("step", ["month", "quarter", "year", "financial_year"])
def test_a_period_is_read_from_its_own_words_and_first_day(step: str) -> None:
    start = APRIL if step == "financial_year" else JAN
    while start.year < 2024:
        assert period_start(start.isoformat(), step) == start
        if step != "quarter":
            assert period_start(period_words(start, step), step) == start
        start = following(start, step)


NONE = (
    ("2019-04-30", "month"),
    ("2019-13", "month"),
    ("0000-01", "month"),
    ("", "month"),
    ("2019-02-01", "quarter"),
    ("2019-Q5", "quarter"),
    ("2019/20", "year"),
    ("2019/21", "financial_year"),
    ("2019", "financial_year"),
)


@pytest.mark.parametrize(("text", "step"), NONE)
def test_what_is_no_such_period_is_none(text: str, step: str) -> None:
    assert step in STEPS and period_start(text, step) is None
