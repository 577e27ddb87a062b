"""Which records become one person: the strongest pair first, and nothing against a veto."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.calc.linkage.cluster import Clusters, cluster, strongest_first, torn_between
from tests.oracles.identity import conflict, join, torn
from tests.support import examples

EXAMPLES = examples(100, drill=20_000)
ANN, BOB, CAT = "9990000018", "9992223334", "9990000026"
RECORDS = 7

positions = st.integers(0, RECORDS - 1)
pair = st.tuples(positions, positions)
pairs = st.lists(pair, max_size=14)
few_pairs = st.lists(pair.filter(lambda p: p[0] != p[1]), max_size=3)
numbers = st.lists(st.sampled_from(["", ANN, BOB, CAT]), min_size=RECORDS, max_size=RECORDS)
files = st.lists(st.integers(0, 2), min_size=RECORDS, max_size=RECORDS)


def sets(groups: Sequence[Sequence[int]]) -> set[frozenset[int]]:
    return {frozenset(group) for group in groups}


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    pairs,
    few_pairs,
    numbers,
    few_pairs,
    few_pairs,
    files,
    st.sets(positions, max_size=2),
    st.integers(2, RECORDS),
    st.sampled_from([0.0, 0.3, 0.6, 1.0]),
)
def test_groups_and_refusals_are_those_of_the_plain_way(
    wanted: list[tuple[int, int]],
    decided: list[tuple[int, int]],
    held: list[str],
    apart: list[tuple[int, int]],
    contradictions: list[tuple[int, int]],
    of_file: list[int],
    between: set[int],
    largest: int,
    least_support: float,
) -> None:
    made = cluster(
        RECORDS,
        wanted,
        held,
        decided=decided,
        apart=apart,
        contradictions=contradictions,
        files=of_file,
        torn=between,
        largest=largest,
        least_support=least_support,
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
        between,
        least_support,
    )
    assert sets(made.groups()) == groups
    assert sorted(made.refused) == sorted(refused)


@settings(max_examples=EXAMPLES, deadline=None)
@given(pairs, numbers, few_pairs, files, st.integers(1, 4))
def test_no_group_holds_what_a_veto_keeps_apart(
    wanted: list[tuple[int, int]], held: list[str], apart: list[tuple[int, int]], of_file: list[int], largest: int
) -> None:
    for group in cluster(RECORDS, wanted, held, apart=apart, files=of_file, largest=largest).groups():
        assert len(group) <= largest
        for a in group:
            assert all(held[a] == held[b] for b in group if held[a] and held[b])
            assert all((a, b) not in apart for b in group)
            assert all(a == b or not of_file[a] or of_file[a] != of_file[b] for b in group)


@settings(max_examples=EXAMPLES, deadline=None)
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


def test_one_pair_does_not_join_two_groups_that_nothing_else_joins() -> None:
    two_families = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (2, 3)]
    made = cluster(6, two_families, least_support=0.3)
    assert made == Clusters([0, 0, 0, 3, 3, 3], [((2, 3), "too_few")])
    assert len(cluster(6, two_families).groups()) == 1


def test_two_numbers_never_meet_through_a_record_without_one() -> None:
    made = cluster(4, [(0, 1), (0, 3), (1, 2)], [ANN, "", CAT, ANN])
    assert made == Clusters([0, 0, 2, 0], [((1, 2), "numbers_conflict")])


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(positions, positions, st.integers(0, 8)), max_size=8), numbers, few_pairs)
def test_who_is_torn_between_two_people_is_found_as_the_plain_way_finds_it(
    scored: list[tuple[int, int, int]], held: list[str], apart: list[tuple[int, int]]
) -> None:
    plain = torn(scored, dict(enumerate(held)), {frozenset(p) for p in apart})
    assert torn_between(scored, held, apart) == plain


def test_an_initial_that_fits_either_twin_is_joined_to_neither_until_people_say_to_whom() -> None:
    scored = [(0, 1, 29.0), (0, 2, 27.5), (0, 3, 20.0)]
    held = ["", ANN, BOB, ""]
    between = torn_between(scored, held)
    made = cluster(4, strongest_first(scored), held, torn=between)
    assert (between, made.groups()) == ({0}, [[0], [1], [2], [3]])
    assert {why for _, why in made.refused} == {"torn"}
    assert torn_between([(0, 1, 29.0), (0, 2, 25.0)], held) == set()  # sixteen to one
    assert torn_between(scored, held, apart=[(2, 0)]) == set()
    assert torn_between([*scored, (2, 0, inf)], held) == set()


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
