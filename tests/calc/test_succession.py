"""Where things stand when bodies end, and which of them meet: against walkers that go day by day.

A walker stands at a body and, on every day, goes on for as long as the body at which it stands has passed
wholly by then, or a person has decided. The rule: a membership and a relationship meet when, on the day
the younger of the two began, both walkers stand at one body.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from joinery.calc.succession import EARLIEST, Edge, Lineage, Reach, Step
from tests.oracles import succession as oracle
from tests.support import examples

EXAMPLES = examples(300, drill=10_000)
BODIES = "ABCDE"
START = date(2026, 3, 30)
DAYS = 10


def day(number: int) -> date:
    return START + timedelta(days=number)


CALENDAR = [day(number) for number in range(-1, DAYS + 1)]


def reached(reach: tuple[Reach, ...], organisation: str, began: date) -> bool:
    return any(window.holds(organisation, began) for window in reach)


# -- random histories -----------------------------------------------------------------------------

days = st.integers(0, DAYS - 1).map(day)
bodies = st.sampled_from(BODIES)


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    body, successor = draw(st.lists(bodies, min_size=2, max_size=2, unique=True))
    areas = draw(st.sampled_from([(), (), (), ("x",), ("y",), ("x", "z")]))
    return Edge(body, successor, draw(days), not areas and draw(st.integers(0, 4)) > 0, frozenset(areas))


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    """Mergers, splits, absorptions, chains and rings, many of them on the same few days."""
    found = draw(st.lists(edges(), max_size=9))
    # A body mostly ends on the day of a succession, and now and then on another, or not at all.
    ends = {edge.body: draw(st.one_of(st.just(edge.on), st.just(edge.on), days)) for edge in found}
    ends |= draw(st.dictionaries(bodies, days, max_size=1))
    for body in draw(st.sets(bodies, max_size=2)):
        ends.pop(body, None)
    return Lineage(ends, tuple(found))


decisions = st.dictionaries(bodies, st.builds(Step, bodies, days), max_size=3)


@settings(max_examples=EXAMPLES, deadline=None)
@given(lineages(), bodies, days, decisions)
def test_a_membership_reaches_the_relationships_that_the_rule_lets_it_meet_and_no_others(
    lineage: Lineage, body: str, given_on: date, decided: dict[str, Step]
) -> None:
    passed = oracle.passes(lineage.ends, lineage.edges)
    assume(not oracle.comes_back(passed, body, decided))  # they choose among successors
    reach = lineage.reach(body, given_on, decided)
    for organisation in BODIES:
        for began in CALENDAR:
            younger = max(given_on, began)
            meets = oracle.stands(passed, body, younger, decided) == oracle.stands(passed, organisation, younger)
            assert reached(reach, organisation, began) is meets, (organisation, began, reach)


@settings(max_examples=EXAMPLES, deadline=None)
@given(lineages(), bodies, decisions)
def test_a_line_says_where_a_walker_stands_on_every_day(lineage: Lineage, body: str, decided: dict[str, Step]) -> None:
    line = lineage.line(body, decided)
    assert line[0] == Step(body, EARLIEST)
    passed = oracle.passes(lineage.ends, lineage.edges)
    for on in CALENDAR:
        assert [step.body for step in line if step.from_date <= on][-1] == oracle.stands(passed, body, on, decided)


@settings(max_examples=EXAMPLES, deadline=None)
@given(lineages(), bodies)
def test_arrivals_are_the_bodies_whose_walkers_come_by(lineage: Lineage, body: str) -> None:
    passed = oracle.passes(lineage.ends, lineage.edges)
    for other in BODIES:
        came = [on for on in CALENDAR if oracle.stands(passed, other, on) == body]
        arrived = lineage.arrivals(body).get(other)
        if came and other != body:
            assert arrived == came[0]
        # One that was gone again on the day on which it came is an arrival that no walker shows.
        elif arrived is not None and other != body:
            assert body in passed and passed[body][1] <= arrived


@settings(max_examples=EXAMPLES, deadline=None)
@given(lineages(), st.sets(st.sampled_from("xyz")).map(frozenset))
def test_an_heir_stands_on_the_day_or_nobody_has_decided(lineage: Lineage, about: frozenset[str]) -> None:
    for body in BODIES:
        for on in CALENDAR:
            heir = lineage.heir(body, on, about)
            assert heir == oracle.heir(lineage.ends, lineage.edges, body, on, about)
            assert heir is None or not lineage.ended(heir, on)


# -- the rule in examples -------------------------------------------------------------------------

MERGED = date(2026, 4, 1)
BEFORE, AFTER = MERGED - timedelta(days=1), MERGED + timedelta(days=1)
MERGER = Lineage({"A": MERGED, "B": MERGED}, (Edge("A", "AB", MERGED), Edge("B", "AB", MERGED)))
SPLIT = Lineage(
    {"A": MERGED},
    (
        Edge("A", "A1", MERGED, whole=False, areas=frozenset({"north"})),
        Edge("A", "A2", MERGED, whole=False, areas=frozenset({"south"})),
    ),
)


@pytest.mark.parametrize(
    ("body", "given_on", "organisation", "began", "meets"),
    [
        ("A", BEFORE, "A", BEFORE, True),  # what met goes on to meet
        ("A", BEFORE, "B", BEFORE, False),  # what was apart is not brought together
        ("A", BEFORE, "AB", MERGED, True),  # a relationship made later is for all who work there
        ("A", BEFORE, "B", MERGED, True),  # even if a feed still names the old body
        ("AB", AFTER, "A", BEFORE, True),  # and so is a membership given later
        ("B", AFTER, "A", BEFORE, True),
        ("AB", BEFORE, "A", BEFORE, False),
    ],
)
def test_a_merger_takes_no_access_away_and_gives_none(
    body: str, given_on: date, organisation: str, began: date, meets: bool
) -> None:
    assert reached(MERGER.reach(body, given_on), organisation, began) is meets


def test_after_a_split_a_membership_waits_and_still_meets_what_waits_with_it() -> None:
    assert SPLIT.passes("A") is None
    assert [step.body for step in SPLIT.line("A")] == ["A"]
    reach = SPLIT.reach("A", BEFORE)
    assert reached(reach, "A", BEFORE) and not reached(reach, "A1", AFTER)

    decided = {"A": Step("A1", MERGED)}
    assert [step.body for step in SPLIT.line("A", decided)] == ["A", "A1"]
    reach = SPLIT.reach("A", BEFORE, decided)
    assert reached(reach, "A", BEFORE) and reached(reach, "A1", AFTER) and not reached(reach, "A2", AFTER)


def test_an_area_decides_which_part_of_a_split_counts() -> None:
    assert SPLIT.heir("A", MERGED, frozenset({"south"})) == "A2"
    assert SPLIT.heir("A", MERGED, frozenset({"south", "north"})) is None
    assert SPLIT.heir("A", MERGED) is None
    assert SPLIT.heir("A", BEFORE) == "A"


def test_a_part_given_away_earlier_says_nothing_of_what_was_left_at_the_end() -> None:
    given_away = Edge("A", "B", BEFORE, whole=False, areas=frozenset({"north"}))
    lineage = Lineage({"A": MERGED}, (given_away, Edge("A", "C", MERGED)))
    assert lineage.passes("A") == Step("C", MERGED)
    closed = Lineage({"A": MERGED}, (given_away,))
    assert closed.passes("A") is None


def test_what_ended_in_a_ring_waits_for_somebody_to_mend_it() -> None:
    ring = Lineage({"A": BEFORE, "B": MERGED}, (Edge("A", "B", BEFORE), Edge("B", "A", MERGED)))
    assert ring.passes("A") is None and ring.heir("B", AFTER) is None
    assert reached(ring.reach("A", BEFORE), "A", BEFORE) and not reached(ring.reach("A", BEFORE), "B", BEFORE)


def test_a_chain_on_one_day_arrives_at_its_end() -> None:
    chain = Lineage({"A": MERGED, "B": MERGED}, (Edge("A", "B", MERGED), Edge("B", "C", MERGED)))
    assert chain.heir("A", MERGED) == "C" and chain.heir("A", BEFORE) == "A"
    assert chain.arrivals("C") == {"C": EARLIEST, "A": MERGED, "B": MERGED}
