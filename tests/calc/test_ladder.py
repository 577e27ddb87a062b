"""When records that share an NHS number are one person."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.calc.linkage.cluster import cluster
from joinery.calc.linkage.ladder import (
    MOST_OF_ONE_NUMBER,
    Details,
    agrees,
    content,
    ladder_pairs,
    name_key,
    same_people,
)

DAY, OTHER_DAY = date(1950, 1, 2), date(1948, 5, 6)
ANN = Details("Smith", "Ann", DAY)


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        (Details("Smith", "Ann", DAY), (True, "birth_date")),
        (Details("Jones", "Ann", DAY), (True, "birth_date")),
        (Details("", "", DAY), (True, "birth_date")),
        (Details("SMITH", "ann", date(1950, 2, 1)), (True, "names")),  # day and month the other way round
        (Details("SMITH", "ann", date(1951, 1, 2)), (True, "names")),  # one part of the date is wrong
        (Details("SMITH", "ann", OTHER_DAY), (False, "conflict")),  # a mother and a daughter of one name
        (Details("Smith", "Ann", None), (True, "names")),
        (Details("Smith", "John", OTHER_DAY), (False, "conflict")),  # a spouse
        (Details("Smith", "", None), (False, "nothing_to_compare")),
        (Details("", "", None), (False, "nothing_to_compare")),
        (Details("Smith", "", OTHER_DAY), (False, "conflict")),
        (Details("Smith", "John", None), (False, "conflict")),
    ],
)
def test_a_shared_number_needs_the_date_of_birth_or_both_names(other: Details, answer: tuple[bool, str]) -> None:
    assert agrees(ANN, other) == agrees(other, ANN) == answer


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("O'Neill-Żak", "ONEILLZAK"),
        ("de la Cruz", "DELACRUZ"),
        ("Zoë", "ZOE"),
        ("Müller", "MULLER"),
        ("Weiß", "WEISS"),
        ("", ""),
        ("—", ""),
        ("李", "李"),
    ],
)
def test_names_are_compared_by_their_letters(name: str, key: str) -> None:
    assert name_key(name) == key


JONES = Details("Jones", "Ann", DAY)
UNDATED = Details("Smith", "Ann", None)
NOBODY = Details("", "", None)
JOHN = Details("Smith", "John", OTHER_DAY)
MIXED = Details("Smith", "Ann", OTHER_DAY)  # John's date of birth on Ann's record


@pytest.mark.parametrize(
    ("records", "groups"),
    [
        ([], []),
        ([ANN], [[0]]),
        ([ANN, JONES], [[0, 1]]),
        ([ANN, JOHN], [[0], [1]]),
        # A record in the middle joins two that cannot be compared ...
        ([UNDATED, JONES, ANN], [[0, 1, 2]]),
        ([UNDATED, JONES], [[0], [1]]),
        # ... but never two that contradict each other.
        ([ANN, JOHN, MIXED], [[0], [1, 2]]),
        ([NOBODY, NOBODY], [[0], [1]]),
    ],
)
def test_who_is_who_among_records_of_one_number(records: list[Details], groups: list[list[int]]) -> None:
    assert same_people(records) == groups


any_details = st.builds(
    Details,
    st.sampled_from(["Smith", "Jones", ""]),
    st.sampled_from(["Ann", "John", ""]),
    st.sampled_from([DAY, OTHER_DAY, None]),
)


@given(st.lists(any_details, max_size=7).flatmap(lambda rs: st.tuples(st.just(rs), st.permutations(range(len(rs))))))
def test_the_order_of_the_records_changes_nothing(made: tuple[list[Details], list[int]]) -> None:
    records, order = made
    groups = {frozenset(group) for group in same_people(records)}
    shuffled = {frozenset(order[i] for i in group) for group in same_people([records[i] for i in order])}
    # Records that say the same may stand for one another, unless they say too little to be joined.
    assert shuffled == groups


@given(st.lists(any_details, max_size=7))
def test_every_record_is_in_one_group_and_no_group_holds_a_contradiction(records: list[Details]) -> None:
    groups = same_people(records)
    assert sorted(position for group in groups for position in group) == list(range(len(records)))
    for group in groups:
        for a in group:
            assert len(group) == 1 or any(agrees(records[a], records[b])[0] for b in group if b != a)
            for b in group:
                both_said = all([records[a].birth_date, records[b].birth_date]) and all(
                    name for r in (records[a], records[b]) for name in (r.family_name, r.given_name)
                )
                assert agrees(records[a], records[b])[0] or not both_said


@given(st.lists(any_details, max_size=7))
def test_the_pairs_of_a_number_joined_one_by_one_are_who_is_who(records: list[Details]) -> None:
    rungs = ladder_pairs(records)
    agreed = [r for r in rungs if r.reason != "conflict"]
    agreed.sort(key=lambda r: (r.reason, *sorted((content(records[r.left]), content(records[r.right])))))
    made = cluster(
        len(records),
        [(r.left, r.right) for r in agreed],
        contradictions=[(r.left, r.right) for r in rungs if r.reason == "conflict"],
    )
    assert made.groups() == same_people(records)


def test_a_number_that_everybody_has_says_nothing() -> None:
    assert ladder_pairs([ANN] * MOST_OF_ONE_NUMBER)
    assert not ladder_pairs([ANN] * (MOST_OF_ONE_NUMBER + 1))
