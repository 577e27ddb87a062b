"""What the messages of a visit come to: one visit told in full, and lives lived at random."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joinery.calc.adt import Allergy, Fact, Place, fold
from joinery.calc.adt_people import Merge, allergies, person, survivors
from tests.oracles.adt import Life
from tests.support import examples

EXAMPLES = examples(300, drill=20_000)
AMU, W7, W8 = (Place("RZZ01", ward, bed) for ward, bed in (("AMU", "B04"), ("W7", "06"), ("W8", "01")))


def at(text: str) -> datetime:
    return datetime.strptime(text, "%d %H:%M").replace(2026, 11, tzinfo=UTC)


def fact(event: str, number: int, sent: str, place: Place | None = None, happened: str = "", **said: object) -> Fact:
    moment = at(sent)
    made = Fact(event, f"RZZ{number:07}", f"{number:x}", "a", at(happened) if happened else moment, moment, moment)
    return replace(made, place=place, **said)  # type: ignore[arg-type]


# Admitted, moved, changed, discharged, and not discharged after all.
E1 = fact("A01", 101, "05 14:35", AMU, "05 14:10", moments={"admitted": at("05 14:10"), "expected": at("10 00:00")})
E2 = fact("A02", 127, "05 23:10", W7, "05 22:45", prior=AMU, moments={"admitted": at("05 14:10")})
E3 = fact("A08", 188, "09 10:15", W7, "09 10:00", moments={"expected": at("12 12:00")})
E4 = fact("A03", 240, "12 15:30", W7, "12 15:05", moments={"discharged": at("12 15:05")}, codes={"destination": "85"})
E5 = fact("A13", 243, "12 15:48", W7, "12 15:40", moments={"discharged": None}, codes={"destination": ""})
STORY = (E1, E2, E3, E4, E5)


def test_the_examples_in_all_120_orders_end_in_one_open_visit() -> None:
    (visit,) = {repr(fold(order)): fold(order) for order in permutations(STORY)}.values()
    assert (visit.state, visit.discharged_at, visit.expected_at) == ("open", None, at("12 12:00"))
    assert [(s.place, s.from_at, s.to_at) for s in visit.stays] == [
        (AMU, at("05 14:10"), at("05 22:45")),
        (W7, at("05 22:45"), None),
    ]
    assert (visit.codes, visit.notes) == ({}, ())


def test_the_census_is_by_when_things_happened() -> None:
    visit = fold(STORY)
    assert visit.place_at(at("05 22:30")) == AMU
    assert visit.place_at(at("06 00:00")) == W7
    assert visit.place_at(at("05 14:00")) is None


def test_the_discharge_closes_the_visit_when_it_happened_and_an_update_does_not_open_it_again() -> None:
    after = fact("A08", 241, "12 15:40", W7)
    for order in permutations((E1, E2, E3, E4, after)):
        visit = fold(order)
        assert (visit.state, visit.discharged_at) == ("discharged", at("12 15:05"))
        assert visit.codes == {"destination": "85"}
        assert visit.place_at(at("12 15:05")) is None


def test_a_cancellation_that_comes_first_waits_for_its_event() -> None:
    assert fold([E1, E5]).state == fold([E1, E5, E4]).state == "open"


def test_a_cancelled_transfer_leaves_the_one_before_it() -> None:
    moves = (E1, E2, fact("A02", 130, "06 09:00", W8), fact("A12", 131, "06 09:10"))
    for order in permutations(moves):
        assert fold(order).stays[-1].place == W7


def test_who_becomes_an_inpatient_moves_to_the_ward_and_a_visit_that_is_deleted_never_was() -> None:
    becomes = replace(E2, event="A06", codes={"class": "I"})
    visit = fold((replace(E1, event="A04", codes={"class": "E"}), becomes))
    assert ([s.place for s in visit.stays], visit.codes["class"]) == ([AMU, W7], "I")
    assert fold((becomes,)).stays[0].inferred
    assert fold((E1, E2, fact("A23", 130, "06 09:00"))).state == "cancelled"


def test_since_when_a_patient_is_medically_fit_is_a_step_of_its_own_where_nothing_else_is_said() -> None:
    fit, both = (replace(E3, digest=name, moments=moments) for name, moments in (
        ("f", {"fit": at("09 00:00")}), ("b", {"fit": at("09 00:00"), "expected": at("12 12:00")}),
    ))  # fmt: skip
    gone = fact("A08", 189, "10 10:00", W7, moments={"fit": None})
    told = [[(s.what, s.fit_at) for s in fold((E1, E2, each, gone)).steps[2:]] for each in (fit, both)]
    assert told == [[(what, at("09 00:00")), ("fit", None)] for what in ("fit", "expected")]
    moved = replace(E2, moments=E2.moments | {"fit": at("09 00:00")})
    assert [(s.what, s.fit_at) for s in fold((E1, moved, fit)).steps[1:]] == [("moved", at("09 00:00"))]


def test_a_cancelled_transfer_is_the_one_that_is_named() -> None:
    moves = (E1, E2, fact("A02", 130, "06 09:00", W8), fact("A12", 131, "06 09:10", AMU, prior=W7))
    assert [s.place for s in fold(moves).stays] == [AMU, W8]


def test_messages_without_their_admission_open_a_visit_that_says_so() -> None:
    for alone in (E2, E3, E5):
        visit = fold([alone])
        assert (visit.state, visit.notes, visit.stays[-1].place) == ("open", ("admission_inferred",), W7)
    assert fold([E2]).stays[0].place == AMU
    assert fold([E2, E1]).notes == ()
    assert fold([E4]).state == "discharged"


def test_an_update_moves_nobody_unless_the_senders_updates_do() -> None:
    update = fact("A08", 150, "06 09:00", W8)
    assert (fold([E1, update]).stays[-1].place, fold([E1, update]).notes) == (AMU, ("place_disputed",))
    moved = fold([E1, replace(update, moves=True)])
    assert (moved.stays[-1].place, moved.notes) == (W8, ())
    assert fold([E1, replace(update, moves=True), fact("A02", 151, "06 10:00", W7)]).stays[-1].place == W7


def test_an_hour_that_is_struck_twice_holds_two_moves_in_the_order_of_their_counters() -> None:
    half_past = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    one, two = (
        Fact("A02", f"C{n}", str(n), "a", half_past, half_past, half_past, repeats=True, place=place)
        for n, place in ((1, W7), (2, W8))
    )
    came = Fact("A01", "C0", "0", "a", *[datetime(2026, 10, 24, 12, tzinfo=UTC)] * 3, place=AMU)
    for order in permutations((came, one, two)):
        assert [(s.place, s.from_at) for s in fold(order).stays[1:]] == [
            (W7, half_past),
            (W8, half_past + timedelta(hours=1)),
        ]


def test_when_the_clock_has_gone_back_all_that_follows_is_in_the_second_hour() -> None:
    first_hour = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    moves = [
        Fact("A02", f"C{n}", str(n), "a", *[first_hour + timedelta(minutes=m)] * 3, repeats=True, place=place)
        for n, (m, place) in enumerate([(50, W7), (10, W8), (40, AMU)])
    ]
    came = Fact("A01", "B", "b", "a", *[datetime(2026, 10, 24, 12, tzinfo=UTC)] * 3, place=W8)
    minutes = [(s.from_at - first_hour).total_seconds() / 60 for s in fold([*moves, came]).stays[1:]]
    assert minutes == [50, 70, 100]


def test_of_two_updates_that_recorded_later_counts_though_it_was_sent_first() -> None:
    later, sooner = (
        fact("A08", n, "06 10:00", moments={"expected": at(f"{day} 12:00")}) for n, day in ((1, 11), (2, 12))
    )
    later = replace(later, recorded=at("06 09:59"), sent=at("06 10:01"))
    sooner = replace(sooner, recorded=at("06 09:50"), sent=at("06 10:30"))
    for order in permutations((E1, later, sooner)):
        assert fold(order).expected_at == at("11 12:00")


def test_a_visit_of_two_people_is_the_later_ones_and_says_so() -> None:
    moved = replace(fact("A45", 160, "06 11:00"), patient="b")
    assert (fold([E1, moved]).patient, fold([E1, moved]).notes) == ("b", ("two_people",))
    never = (fact("A11", 161, "06 11:00"), replace(fact("A01", 162, "06 11:00", W7), patient="b"))
    for order in permutations((E1, *never)):
        assert (fold(order).patient, fold(order).notes, fold(order).stays[0].place) == ("b", (), W7)


def test_a_planned_admission_can_be_cancelled_by_its_own_event_only() -> None:
    planned = fact("A05", 1, "01 10:00")
    assert fold([planned]).state == "planned"
    assert fold([planned, fact("A27", 2, "01 11:00")]).state == "planned"
    assert fold([planned, fact("A38", 3, "01 11:00")]).state == "cancelled"
    assert fold([planned, E1]).state == "open"


def test_of_a_person_the_last_word_counts_and_a_null_deletes() -> None:
    first = replace(E1, person={"family": "ASH", "address": ["1 High St"], "born": "1940-02-29"})
    second = replace(E3, person={"family": "OAK", "address": ""})
    for order in permutations((first, second, E2)):
        assert person(order) == {"family": "OAK", "born": "1940-02-29"}


PENICILLIN, NUTS, NONE = Allergy("Penicillin"), Allergy("Nuts"), Allergy("No known allergies", none=True)


def test_an_allergy_stands_until_a_null_deletes_it_and_says_when_it_was_no_longer_restated() -> None:
    stated = replace(E1, allergies={"p": PENICILLIN, "n": NUTS})
    again = replace(E3, allergies={"p": PENICILLIN})
    for order in permutations((stated, E2, again)):
        found = allergies(order)
        assert {code: (each.by, each.since_at, each.silent_at) for code, each in found.items()} == {
            "p": (E3.digest, E1.recorded, None),
            "n": (E1.digest, E1.recorded, E3.recorded),
        }
    null = fact("A31", 300, "13 10:00", allergies={"n": NUTS}, forgets_allergies=True)
    for order in permutations((stated, again, null)):
        assert list(allergies(order)) == ["n"]
        assert allergies(order)["n"].silent_at is None


def test_that_none_is_known_stands_until_one_is_stated_without_it_and_beside_one_that_is_older() -> None:
    none, one = (
        fact("A08", n, f"0{n} 10:00", allergies=said) for n, said in ((6, {"0": NONE}), (7, {"p": PENICILLIN}))
    )
    silent = fact("A08", 8, "08 10:00", allergies={})
    for order in permutations((none, one, silent)):
        assert list(allergies(order)) == ["p"]
    assert list(allergies([none, silent])) == ["0"]
    assert set(allergies([none, replace(one, recorded=at("05 10:00"))])) == {"0", "p"}  # a conflict, for all to see


def test_merges_chain_and_a_circle_is_refused_in_any_order() -> None:
    merges = [Merge(at(f"0{n} 10:00"), "", a, b) for n, (a, b) in enumerate(["ab", "bc", "ca"], start=1)]
    for order in permutations(merges):
        into, refused = survivors(order)
        assert (into, refused) == ({"a": "c", "b": "c"}, (merges[2],))
    assert survivors([*merges, Merge(at("09 10:00"), "", "b", "")])[0] == {"a": "b"}


@st.composite
def lives(draw: st.DrawFn) -> Life:
    life = Life()
    for _ in range(draw(st.integers(1, 14))):
        event = draw(st.sampled_from(life.acts()))
        life.act(event, draw(st.integers(0, 5)), draw(st.integers(1, 300)), draw(st.sampled_from([0, 0, 0, 90])),
                 draw(st.booleans()))  # fmt: skip
    return life


@settings(max_examples=EXAMPLES, deadline=None)
@given(lives(), st.data())
def test_any_life_told_in_any_order_and_more_than_once_ends_as_it_was(life: Life, data: st.DataObject) -> None:
    told = data.draw(st.permutations(life.sent)) + data.draw(st.lists(st.sampled_from(life.sent), max_size=4))
    visit = fold(told)
    assert visit.state == life.state()
    if visit.state != "cancelled":
        assert [(s.place, s.from_at) for s in visit.stays] == life.stays()
        assert visit.expected_at == life.expected


first = datetime(2026, 11, 1, tzinfo=UTC)
times = st.integers(0, 2 * 24 * 60).map(lambda minutes: first + timedelta(minutes=minutes))
anything = st.builds(
    Fact,
    event=st.sampled_from(
        [f"A{n:02}" for n in (1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 21, 22, 25, 26, 27, 38, 45, 52, 53)]
    ),
    control_id=st.text("0123456789", max_size=4),
    digest=st.uuids().map(str),
    patient=st.sampled_from("ab"),
    occurred=times, recorded=times, sent=times,
    repeats=st.booleans(),
    place=st.sampled_from([None, AMU, W7]),
    prior=st.sampled_from([None, AMU]),
    moments=st.dictionaries(st.sampled_from(["admitted", "discharged", "expected"]), st.none() | times),
)  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(anything, min_size=1, max_size=7), st.data())
def test_whatever_is_sent_has_one_state_in_any_order(facts: list[Fact], data: st.DataObject) -> None:
    visit = fold(facts)
    assert fold(data.draw(st.permutations(facts)) + facts[:2]) == visit
    for before, after in zip(visit.stays, visit.stays[1:], strict=False):
        assert before.from_at < before.to_at == after.from_at


@pytest.mark.parametrize("event", ["A12", "A13", "A38", "A52"])
def test_a_cancellation_alone_is_no_trouble(event: str) -> None:
    assert fold([fact(event, 1, "01 10:00")]).state in ("open", "cancelled")
