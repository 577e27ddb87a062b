"""Which looks a privacy officer is asked about."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.calc.misuse import (
    OF_A_DAY,
    OF_A_LOOK,
    PATTERNS,
    Limits,
    Someone,
    of_a_day,
    of_a_look,
    someone,
    user_named,
)

ROPEWALK, QUAY = "ZZ1 1AA", "ZZ1 1AB"
NURSE = user_named("Sister Ada Fenwick", ROPEWALK)
LIMITS = Limits(time(7), time(20), people=2, in_a_row=3, minutes=60)
NOON = datetime.combine(date(2026, 11, 2), time(12))

words = st.text(alphabet="ABCÉ'- ", max_size=4)
people = st.builds(someone, words, words, st.sampled_from(["", ROPEWALK, QUAY]))
users = st.builds(user_named, words, st.sampled_from(["", ROPEWALK, QUAY]))
# Looks over three hours, at five people.
looks = st.lists(
    st.tuples(st.integers(0, 180).map(lambda minute: NOON + timedelta(minutes=minute)), st.sampled_from("abcde")),
    max_size=12,
)


@pytest.mark.parametrize(
    ("person", "found"),
    [
        (someone("Fenwick", "Ada", ROPEWALK), ["own_record"]),
        (someone("FENWICK", "ada mary"), ["own_record"]),  # as other sources write it, and no postcode
        (someone("Fenwick", "Ada", QUAY), ["same_surname"]),  # of one name, and lives elsewhere
        (someone("Fenwick", "Joe", ROPEWALK), ["same_surname", "neighbour"]),
        (someone("Fenwick", ""), ["same_surname"]),
        (someone("Smith", "Ada", "zz11aa"), ["neighbour"]),
        (someone("Smith", "Ada", QUAY), []),
        (someone("", "", ""), []),
    ],
)
def test_whose_record_a_nurse_opened(person: Someone, found: list[str]) -> None:
    assert of_a_look(NURSE, [person], [], own=False) == found
    assert of_a_look(NURSE, [person], [], own=True) == ["own_record"]


def test_each_of_a_persons_records_counts() -> None:
    married = [someone("Smith", "Jo", QUAY), someone("Fenwick", "Jo", ROPEWALK)]
    assert of_a_look(NURSE, married, [], own=False) == ["same_surname", "neighbour"]


@pytest.mark.parametrize(
    ("colleague", "found"),
    [
        (user_named("Bo Cole"), ["colleague"]),
        (user_named("Dr Bo Cole", QUAY), ["colleague"]),
        (user_named("Bo Cole", ROPEWALK), []),  # of one name, and lives elsewhere
        (user_named("Cole"), []),  # an account with a last name alone
        (user_named("Bo Cole-Hart"), []),
    ],
)
def test_a_colleague_is_somebody_of_both_names(colleague: Someone, found: list[str]) -> None:
    assert of_a_look(NURSE, [someone("Cole", "Bo", QUAY)], [colleague], own=False) == found


@pytest.mark.parametrize("name", ["Ana van der Berg", "Prof. Ana van der Berg", "ana VAN DER BERG"])
@pytest.mark.parametrize("family", ["van der Berg", "Vanderberg", "Berg"])
def test_a_last_name_of_several_words_is_found_however_it_is_kept(name: str, family: str) -> None:
    assert of_a_look(user_named(name), [someone(family, "Tom")], [], own=False) == ["same_surname"]


@given(users, st.lists(people, max_size=3), st.lists(users, max_size=3))
def test_what_is_not_said_agrees_with_nothing(viewer: Someone, said: list[Someone], colleagues: list[Someone]) -> None:
    nobody = Someone(frozenset())
    assert of_a_look(nobody, said, [nobody], own=False) == []
    assert of_a_look(viewer, [nobody], colleagues, own=False) == []


@given(users, st.lists(people, max_size=3), people, st.lists(users, max_size=2), users)
def test_knowing_more_never_hides_a_look(
    viewer: Someone, said: list[Someone], more: Someone, colleagues: list[Someone], other: Someone
) -> None:
    before = of_a_look(viewer, said, colleagues, own=False)
    for after in (
        of_a_look(viewer, [*said, more], colleagues, own=False),
        of_a_look(viewer, said, [*colleagues, other], own=False),
    ):
        assert set(before) <= set(after) or after == ["own_record"]


def test_hours_are_usual_from_their_first_minute_up_to_their_last() -> None:
    def late(*clocks: time) -> list[datetime]:
        opened = [(datetime.combine(NOON, clock), str(n)) for n, clock in enumerate(clocks)]
        return of_a_day(opened, LIMITS, any_hour=False).get("after_hours", [])

    assert late(time(7), time(19, 59)) == []
    assert late(time(6, 59), time(20)) == [datetime.combine(NOON, time(6, 59)), datetime.combine(NOON, time(20))]
    assert late(time(23)) == []  # one person is too few


def test_who_works_round_the_clock_is_not_late() -> None:
    night = [(datetime.combine(NOON, time(3, n)), str(n)) for n in range(3)]
    assert set(of_a_day(night, LIMITS, any_hour=False)) == set(OF_A_DAY)
    assert set(of_a_day(night, LIMITS, any_hour=True)) == {"many_in_a_row"}


def test_one_person_opened_often_is_not_many() -> None:
    again = [(NOON + timedelta(minutes=n), "a") for n in range(30)]
    assert of_a_day(again, LIMITS, any_hour=False) == {}


@given(looks)
def test_many_in_a_row_is_what_trying_every_span_finds(opened: list[tuple[datetime, str]]) -> None:
    """The slow way: from each look on, whom the next hour holds."""
    spans = [{who for at, who in opened if 0 <= (at - start).total_seconds() < 3600} for start, _ in opened]
    found = of_a_day(opened, LIMITS, any_hour=True).get("many_in_a_row", [])
    assert bool(found) == (max(map(len, spans), default=0) >= LIMITS.in_a_row)
    if found:
        assert max(found) - min(found) < timedelta(minutes=60)
        assert len({who for at, who in opened if min(found) <= at <= max(found)}) == max(map(len, spans))


def test_every_pattern_has_words() -> None:
    assert all(PATTERNS[code][0].isupper() for code in (*OF_A_LOOK, *OF_A_DAY))
