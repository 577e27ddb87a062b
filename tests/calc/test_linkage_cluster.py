"""Which records become one person: the strongest pair first, and nothing against a veto."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.calc.linkage.cluster import Clusters, cluster, digit_distance, strongest_first
from tests.oracles.identity import conflict, join, slips

EXAMPLES = 20_000 if os.environ.get("JOINERY_DRILL") else 100
ANN, ANN_MISTYPED, ANN_WORSE, BOB = "9990000018", "9990000078", "9990002278", "9992223334"
RECORDS = 7

positions = st.integers(0, RECORDS - 1)
pair = st.tuples(positions, positions)
pairs = st.lists(pair, max_size=14)
few_pairs = st.lists(pair.filter(lambda p: p[0] != p[1]), max_size=3)
numbers = st.lists(st.sampled_from(["", ANN, ANN_MISTYPED, ANN_WORSE, BOB]), min_size=RECORDS, max_size=RECORDS)
files = st.lists(st.integers(0, 2), min_size=RECORDS, max_size=RECORDS)


def sets(groups: Sequence[Sequence[int]]) -> set[frozenset[int]]:
    return {frozenset(group) for group in groups}


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("9990000018", "9990000018", 0),
        ("9990000018", "9990000019", 1),
        ("9990000018", "9990000081", 1),
        ("9990000018", "9909000081", 2),
        ("9990000123", "9990000231", 3),  # a digit that moved two places is no slip of neighbours
        ("1212121212", "2121212121", 5),
    ],
)
def test_slips_between_two_numbers(a: str, b: str, distance: int) -> None:
    assert digit_distance(a, b) == digit_distance(b, a) == distance


@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(st.sampled_from("012"), st.sampled_from("012")), max_size=10))
def test_slips_are_the_fewest_there_can_be(digits: list[tuple[str, str]]) -> None:
    a, b = ("".join(side) for side in zip(*digits, strict=True)) if digits else ("", "")
    assert digit_distance(a, b) == slips(a, b)


@settings(max_examples=EXAMPLES)
@given(st.text("012", min_size=10, max_size=10), st.lists(st.tuples(st.integers(0, 9), st.sampled_from("012"))))
def test_two_numbers_meet_when_at_most_two_slips_lie_between_them(number: str, changes: list[tuple[int, str]]) -> None:
    other = number
    for at, digit in changes[:5]:
        other = other[:at] + digit + other[at + 1 :]
    assert bool(cluster(2, [(0, 1)], [number, other]).refused) == (slips(number, other) > 2)


@settings(max_examples=EXAMPLES)
@given(pairs, few_pairs, numbers, few_pairs, few_pairs, files, st.integers(2, RECORDS))
def test_groups_and_refusals_are_those_of_the_plain_way(
    wanted: list[tuple[int, int]],
    decided: list[tuple[int, int]],
    held: list[str],
    apart: list[tuple[int, int]],
    contradictions: list[tuple[int, int]],
    of_file: list[int],
    largest: int,
) -> None:
    made = cluster(
        RECORDS,
        wanted,
        held,
        decided=decided,
        apart=apart,
        contradictions=contradictions,
        files=of_file,
        largest=largest,
    )
    groups, refused = join(
        range(RECORDS),
        decided,
        wanted,
        dict(enumerate(held)),
        {frozenset(p) for p in apart},
        {frozenset(p) for p in contradictions},
        dict(enumerate(of_file)),
        largest,
    )
    assert sets(made.groups()) == groups
    assert made.refused == refused


@settings(max_examples=EXAMPLES)
@given(pairs, numbers, few_pairs, files, st.integers(1, 4))
def test_no_group_holds_what_a_veto_keeps_apart(
    wanted: list[tuple[int, int]], held: list[str], apart: list[tuple[int, int]], of_file: list[int], largest: int
) -> None:
    for group in cluster(RECORDS, wanted, held, apart=apart, files=of_file, largest=largest).groups():
        assert len(group) <= largest
        for a in group:
            assert all(slips(held[a], held[b]) <= 2 for b in group if held[a] and held[b])
            assert all((a, b) not in apart for b in group)
            assert all(a == b or not of_file[a] or of_file[a] != of_file[b] for b in group)


@settings(max_examples=EXAMPLES)
@given(pairs, numbers, st.permutations(range(RECORDS)), st.data())
def test_the_order_of_records_and_pairs_changes_nothing(
    wanted: list[tuple[int, int]], held: list[str], moved: list[int], data: st.DataObject
) -> None:
    scored = [(a, b, float((a * 7 + b * 7) % 3)) for a, b in wanted]  # many ties
    content = [f"record {record}" for record in range(RECORDS)]
    plain = cluster(RECORDS, strongest_first(scored, content), held)
    elsewhere = [(moved[b], moved[a], bits) for a, b, bits in data.draw(st.permutations(scored))]
    place = {new: old for old, new in enumerate(moved)}
    again = cluster(
        RECORDS,
        strongest_first(elsewhere, [content[place[n]] for n in range(RECORDS)]),
        [held[place[n]] for n in range(RECORDS)],
    )
    assert sets(plain.groups()) == {frozenset(place[n] for n in group) for group in again.groups()}


def test_near_numbers_do_not_drift_from_one_to_the_next() -> None:
    assert (slips(ANN, ANN_MISTYPED), slips(ANN_MISTYPED, ANN_WORSE), slips(ANN, ANN_WORSE)) == (1, 2, 3)
    made = cluster(4, [(0, 1), (0, 3), (1, 2)], [ANN, ANN_MISTYPED, ANN_WORSE, ANN])
    assert made == Clusters([0, 0, 2, 0], [((1, 2), "numbers_conflict")])


def test_what_two_people_decided_overrules_all_but_told_apart() -> None:
    both = [ANN, BOB, ANN, BOB]
    assert cluster(4, [(0, 1)], both).refused == [((0, 1), "numbers_conflict")]
    assert cluster(4, [(0, 2), (1, 3)], both, decided=[(0, 1)], contradictions=[(0, 1)]).groups() == [[0, 1, 2, 3]]
    assert cluster(4, [], both, decided=[(0, 1)], apart=[(1, 0)]).refused == [((0, 1), "told_apart")]
    assert not conflict({ANN, BOB}, {ANN})


def test_a_file_in_which_nobody_is_twice_gives_each_record_its_best_partner() -> None:
    scored = [(0, 2, 9.0), (0, 3, 12.0), (1, 3, 10.0), (1, 2, 3.0)]
    made = cluster(4, strongest_first(scored), files=[1, 1, 2, 2])
    assert made.groups() == [[0, 3], [1, 2]]
    assert [why for _, why in made.refused] == ["one_file", "one_file"]


@pytest.mark.parametrize("name", ["numbers", "files"])
def test_a_column_that_misses_records_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} are given for 1 of 2 records"):
        cluster(2, [], **{name: [1]})  # type: ignore[arg-type]
