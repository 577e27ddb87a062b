"""When records that share an NHS number are one person."""

from __future__ import annotations

from datetime import date
from itertools import combinations

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


def who_is_who(records: list[Details]) -> list[list[int]]:
    """Positions, grouped by person, when nothing but the number is known."""
    rungs = ladder_pairs(records)
    agreed = [r for r in rungs if r.reason != "conflict"]
    agreed.sort(key=lambda r: (r.reason, *sorted((content(records[r.left]), content(records[r.right])))))
    return cluster(
        len(records),
        [(r.left, r.right) for r in agreed],
        contradictions=[(r.left, r.right) for r in rungs if r.reason == "conflict"],
    ).groups()


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
    assert who_is_who(records) == groups


any_details = st.builds(
    Details,
    st.sampled_from(["Smith", "Jones", ""]),
    st.sampled_from(["Ann", "John", ""]),
    st.sampled_from([DAY, OTHER_DAY, None]),
)


@given(st.lists(any_details, max_size=7).flatmap(lambda rs: st.tuples(st.just(rs), st.permutations(range(len(rs))))))
def test_the_order_of_the_records_changes_nothing(made: tuple[list[Details], list[int]]) -> None:
    records, order = made
    groups = {frozenset(group) for group in who_is_who(records)}
    shuffled = {frozenset(order[i] for i in group) for group in who_is_who([records[i] for i in order])}
    # Records that say the same may stand for one another, unless they say too little to be joined.
    assert shuffled == groups


@given(st.lists(any_details, max_size=7))
def test_no_person_holds_a_conflict(records: list[Details]) -> None:
    conflicts = {(r.left, r.right) for r in ladder_pairs(records) if r.reason == "conflict"}
    for group in who_is_who(records):
        assert not conflicts & set(combinations(group, 2))
        for a in group:
            assert len(group) == 1 or any(agrees(records[a], records[b])[0] for b in group if b != a)


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        (Details("Smith", "Ann", DAY), ["birth_date"]),
        (Details("Smith", "Ann", date(1950, 2, 1)), ["names"]),
        (Details("Smith", "Anne", date(1950, 1, 12)), []),  # a letter and a digit: left to the score
        (Details("Smith", "Ann", OTHER_DAY), []),
        (Details("Smith", "John", date(1950, 2, 2)), []),  # two parts of the date agree
        (Details("Jones", "John", OTHER_DAY), ["conflict"]),
        (Details("Smith", "John", None), []),
        (Details("Smith", "", OTHER_DAY), []),
    ],
)
def test_what_a_shared_number_says_of_two_records(other: Details, reasons: list[str]) -> None:
    for records in ([ANN, other], [other, ANN]):
        assert [rung.reason for rung in ladder_pairs(records)] == reasons


def test_a_number_that_everybody_has_says_nothing() -> None:
    assert ladder_pairs([ANN] * MOST_OF_ONE_NUMBER)
    assert not ladder_pairs([ANN] * (MOST_OF_ONE_NUMBER + 1))


def test_that_two_were_both_registered_on_1_january_brings_them_no_nearer() -> None:
    ann, john = Details("Khan", "Ann", date(1950, 1, 1)), Details("Khan", "John", date(1948, 1, 1))
    assert [rung.reason for rung in ladder_pairs([ann, john])] == ["conflict"]
