"""What the answers about two records come to: a table, and two rules that no table may break."""

from __future__ import annotations

from itertools import product

import pytest

from joinery.calc.linkage.review import ANSWERS, STATES, WAITING, Answer, Verdict, verdict

SAME, DIFFERENT, CANNOT_TELL = ANSWERS


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([], "open"),
        ([SAME], "open"),
        ([SAME, SAME], "same"),
        ([DIFFERENT], "apart"),
        ([DIFFERENT, DIFFERENT], "apart"),
        ([SAME, DIFFERENT], "disagreed"),
        ([SAME, DIFFERENT, SAME], "same"),
        ([SAME, DIFFERENT, DIFFERENT], "apart"),
        ([SAME, DIFFERENT, CANNOT_TELL], "disagreed"),
        ([CANNOT_TELL], "open"),
        ([CANNOT_TELL, SAME], "open"),
        ([CANNOT_TELL, SAME, SAME], "same"),
        ([CANNOT_TELL, DIFFERENT], "apart"),
        ([CANNOT_TELL, CANNOT_TELL], "unclear"),
        ([CANNOT_TELL, CANNOT_TELL, SAME], "unclear"),
        ([CANNOT_TELL, CANNOT_TELL, SAME, SAME], "same"),
    ],
)
def test_two_for_a_merge_and_one_against_it(answers: list[Answer], state: Verdict) -> None:
    for order in (answers, answers[::-1]):
        assert verdict({f"user {n}": answer for n, answer in enumerate(order)}) == state


@pytest.mark.parametrize("answers", [a for length in range(5) for a in product(ANSWERS, repeat=length)])
def test_no_merge_without_two_who_say_so_and_none_against_half_of_them(answers: tuple[Answer, ...]) -> None:
    state = verdict({str(n): answer for n, answer in enumerate(answers)})
    if state == "same":
        assert answers.count(SAME) >= 2
        assert answers.count(SAME) > answers.count(DIFFERENT)
    if state in WAITING or state == "unclear":
        assert answers.count(DIFFERENT) == answers.count(SAME) or DIFFERENT not in answers
    assert state in STATES


def test_one_person_who_answers_twice_is_one_person() -> None:
    assert verdict({"ann": SAME} | {"ann": SAME}) == "open"
