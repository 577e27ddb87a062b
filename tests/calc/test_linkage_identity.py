"""Who is who as a fold over events: random histories of arrivals, edits, merges, splits and what was taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, groupby
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from joinery.calc.linkage.identity import Channel, Event, People, Said, Verdict, redirect, replay, touched
from tests.oracles.identity import people
from tests.support import examples

EXAMPLES = examples(100, drill=20_000)
BEGAN = datetime(2026, 11, 5, 8, tzinfo=UTC)
ANN, BOB = "9990000018", "9992223334"
NUMBERS = ["", "", ANN, BOB]
SAYS: list[tuple[Channel, Verdict]] = [
    ("rule", "same"),
    ("rule", "apart"),
    ("rule", "none"),
    ("score", "same"),
    ("score", "same"),
    ("score", "unsure"),
    ("score", "none"),
    ("reviewer", "same"),
    ("reviewer", "apart"),
    ("reviewer", "none"),
    ("hospital", "same"),
    ("hospital", "none"),
]
LARGEST = 5

# An arrival, perhaps like an earlier record, what a record says from now on, or what somebody says of two.
arrival = st.tuples(st.just("arrive"), st.sampled_from(NUMBERS), st.sampled_from("abc"), st.none() | st.integers(0, 7))
edit = st.tuples(st.just("edit"), st.integers(0, 7), st.sampled_from(NUMBERS), st.sampled_from("abc"))
word = st.tuples(st.just("say"), st.sampled_from(SAYS), st.integers(0, 7), st.integers(0, 7), st.sampled_from([4, 9]))
acts = st.lists(st.one_of(arrival, edit, word, word), max_size=25)
lives = st.tuples(st.lists(arrival, min_size=2, max_size=5), acts).map(lambda parts: parts[0] + parts[1])
machine = st.tuples(st.just("say"), st.sampled_from(SAYS[:7]), *[st.integers(0, 7)] * 2, st.sampled_from([4, 9]))


@dataclass
class Place:
    """A place that keeps who is who up to date, one act at a time, looking only at what the act touches."""

    records: dict[int, Said] = field(default_factory=dict)
    founders: list[tuple[int, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    person_of: dict[int, str] = field(default_factory=dict)
    new_ids: Iterator[str] = field(default_factory=lambda: map("p{}".format, count(1)))

    def live(self, acts: Iterable[Any]) -> Place:
        for act in acts:
            self.act(*act)
        return self

    def nth(self, number: int) -> int:
        """The id of a record. Files are staged and published in any order, so ids do not ascend by arrival."""
        return 37 * (1 + number) % 101

    def some(self, number: int) -> int:
        return self.nth(number % len(self.records))

    def act(self, kind: str, *said: Any) -> None:
        if kind == "arrive":
            *says, like = said
            record = self.nth(len(self.records))
            if like is not None and self.records:
                self.events.append(Event(record, self.some(like), "score", "same", self.now(), 9))
            self.change(record, Said(*says))
        elif self.records and kind == "edit":
            self.change(self.some(said[0]), Said(*said[1:]))
        elif self.records:
            (channel, verdict), left, right, bits = said
            self.say(self.some(left), self.some(right), channel, verdict, bits)

    def now(self) -> datetime:
        return BEGAN + timedelta(minutes=len(self.events))

    def change(self, record: int, said: Said) -> None:
        self.records[record] = said
        self.update([record])

    def say(self, left: int, right: int, channel: Channel, verdict: Verdict, bits: float = 0) -> None:
        if left != right:
            self.events.append(Event(left, right, channel, verdict, self.now(), bits if channel == "score" else 0))
            self.update([left, right])

    def update(self, changed: list[int]) -> None:
        among, events = touched(changed, lambda asked: [e for e in self.events if asked & set(e.pair)])
        made = replay(
            {record: self.records[record] for record in among},
            self.founders,
            events,
            lambda _: next(self.new_ids),
            largest=LARGEST,
        )
        self.founders += made.founded
        self.person_of |= made.person_of

    def replayed(self, events: list[Event] | None = None, at: datetime | None = None) -> People:
        told = self.events if events is None else events
        return replay(self.records, self.founders, told, "new {}".format, at=at, largest=LARGEST)

    def people(self) -> set[frozenset[int]]:
        return together(self.person_of)


def together(person_of: dict[int, str]) -> set[frozenset[int]]:
    ordered = sorted(person_of, key=lambda record: person_of[record])
    return {frozenset(records) for _, records in groupby(ordered, key=lambda record: person_of[record])}


@settings(max_examples=EXAMPLES, deadline=None)
@given(acts)
def test_what_is_kept_act_by_act_is_what_the_events_replayed_give(lived: list[Any]) -> None:
    place = Place().live(lived)
    replayed = place.replayed()
    assert (replayed.person_of, replayed.founded) == (place.person_of, [])
    assert place.people() == people(place.records, place.events, LARGEST)


@settings(max_examples=EXAMPLES, deadline=None)
@given(acts)
def test_every_record_is_one_person_and_every_id_ever_given_leads_to_one(lived: list[Any]) -> None:
    place = Place().live(lived)
    assert place.person_of.keys() == place.records.keys()
    founded = [person for _, person in place.founders]
    assert len(set(founded)) == len(founded)
    for person in set(place.person_of.values()):
        assert redirect(person, place.founders, place.person_of) == person
    for person in founded:
        assert redirect(person, place.founders, place.person_of) in place.person_of.values()


@settings(max_examples=EXAMPLES, deadline=None)
@given(acts)
def test_who_was_told_apart_is_never_one_person(lived: list[Any]) -> None:
    place = Place()
    apart: dict[frozenset[int], bool] = {}
    for act in lived:
        place.act(*act)
        for event in place.events[-1:]:
            if event.channel == "reviewer":
                apart[frozenset(event.pair)] = event.verdict == "apart"
        for a, b in (pair for pair, stands in apart.items() if stands):
            assert place.person_of[a] != place.person_of[b]


@settings(max_examples=EXAMPLES, deadline=None)
@given(lives, acts, st.sampled_from(["reviewer", "hospital"]), st.integers(0, 7), st.integers(0, 7))
def test_a_merge_taken_back_leaves_no_trace_whatever_came_between(
    before: list[Any], between: list[Any], channel: Channel, left: int, right: int
) -> None:
    with_merge, without = Place().live(before), Place().live(before)
    a, b = with_merge.some(left), with_merge.some(right)
    assume(a != b)
    ours = (frozenset([a, b]), channel)
    with_merge.say(a, b, channel, "same")
    for act in between:
        # What the same channel says of the same two is the one thing that would overwrite the merge.
        if act[0] != "say" or (frozenset(map(with_merge.some, act[2:4])), act[1][0]) != ours:
            with_merge.act(*act)
            without.act(*act)
    with_merge.say(a, b, channel, "none")
    kept = [e for e in without.events if (frozenset(e.pair), e.channel) != ours]
    assert with_merge.people() == people(without.records, kept, LARGEST)
    assert with_merge.person_of == with_merge.replayed(kept).person_of


@settings(max_examples=EXAMPLES, deadline=None)
@given(lives, acts)
def test_all_that_was_done_being_undone_the_same_records_have_the_same_ids(before: list[Any], done: list[Any]) -> None:
    place = Place().live(before)
    person_of, records, told = dict(place.person_of), dict(place.records), list(place.events)
    place.live(act for act in done if act[0] != "arrive")
    for event in place.events[len(told) :][::-1]:
        said = [e for e in told if (e.pair, e.channel) == (event.pair, event.channel)]
        last = said[-1] if said else Event(event.left, event.right, event.channel, "none", BEGAN)
        # A hospital's merges count by when they were said: a repeated one is no longer the older one.
        if event.channel == "hospital" and said and said[-1].verdict == "same":
            return
        place.say(last.left, last.right, last.channel, last.verdict, last.bits)
    for record, said_before in records.items():
        place.change(record, said_before)
    assert place.person_of == person_of


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(arrival, min_size=2, max_size=6), st.lists(machine, max_size=15), st.data())
def test_machines_may_speak_in_any_order(arrivals: list[Any], words: list[Any], data: st.DataObject) -> None:
    place = Place().live(arrivals).live(words)
    last_word = {(e.pair, e.channel): e for e in place.events}
    shuffled = data.draw(st.permutations(list(last_word.values())))
    assert place.replayed(shuffled).person_of == place.person_of


@settings(max_examples=EXAMPLES, deadline=None)
@given(lives, acts)
def test_who_was_who_at_an_earlier_moment_can_be_replayed(before: list[Any], after: list[Any]) -> None:
    place = Place().live(before)
    person_of, moment = dict(place.person_of), BEGAN + timedelta(minutes=len(place.events) - 1)
    place.live(act for act in after if act[0] == "say")
    assert place.replayed(at=moment).person_of == person_of


def record_of(*numbers: str) -> Place:
    place = Place()
    for n, number in enumerate(numbers):
        place.change(n + 1, Said(number, chr(97 + n)))
    return place


def test_a_merge_takes_the_older_id_and_the_newer_one_leads_there_until_it_is_undone() -> None:
    place = record_of("", "", "")
    place.say(2, 3, "reviewer", "same")
    assert place.person_of == {1: "p1", 2: "p2", 3: "p2"}
    assert redirect("p3", place.founders, place.person_of) == "p2"
    place.say(1, 2, "score", "same", 9)
    assert set(place.person_of.values()) == {"p1"}
    place.say(2, 1, "reviewer", "apart")
    assert place.person_of == {1: "p1", 2: "p2", 3: "p2"}


def test_a_number_that_lost_follows_the_one_that_survives_and_has_no_say() -> None:
    place = record_of("", "", ANN, "")
    place.say(1, 4, "score", "same", 9)
    place.say(1, 2, "hospital", "same")
    assert place.person_of == {1: "p2", 2: "p2", 3: "p3", 4: "p4"}
    place.say(2, 3, "rule", "same")
    assert place.people() == {frozenset([1, 2, 3]), frozenset([4])}
    place.say(1, 2, "hospital", "none")
    assert place.person_of == {1: "p1", 2: "p2", 3: "p2", 4: "p1"}


def test_a_hospitals_merge_is_overruled_by_a_reviewer_who_told_the_two_apart() -> None:
    place = record_of("", "", ANN)
    place.say(2, 3, "rule", "same")
    place.say(1, 2, "hospital", "same")
    place.say(1, 3, "reviewer", "apart")
    assert place.people() == {frozenset([1]), frozenset([2, 3])}
    assert [(e.pair, why) for e, why in place.replayed().refused] == [((1, 2), "told_apart")]


def test_refused_pairs_say_why() -> None:
    place = record_of(ANN, BOB, ANN)
    place.say(1, 2, "score", "same", 9)
    place.say(1, 3, "rule", "apart")
    place.say(1, 3, "score", "same", 4)
    refused = place.replayed().refused
    assert [(e.pair, e.channel, why) for e, why in refused] == [
        ((1, 2), "score", "numbers_conflict"),
        ((1, 3), "score", "contradiction"),
    ]
    place.say(1, 2, "reviewer", "same")
    assert place.people() == {frozenset([1, 2]), frozenset([3])}


def test_a_record_that_fits_two_people_alike_is_its_own_until_it_is_decided() -> None:
    place = record_of(ANN, BOB, "")
    place.say(1, 3, "score", "same", 9)
    assert place.person_of[3] == "p1"
    place.say(2, 3, "score", "same", 8)
    assert place.people() == {frozenset([1]), frozenset([2]), frozenset([3])}
    assert [why for _, why in place.replayed().refused] == ["torn", "torn"]
    place.say(2, 3, "reviewer", "same")
    assert place.people() == {frozenset([1]), frozenset([2, 3])}
    place.say(2, 3, "reviewer", "apart")
    assert place.people() == {frozenset([1, 3]), frozenset([2])}


def test_an_id_that_was_never_given_leads_nowhere() -> None:
    with pytest.raises(LookupError, match="no person has or had the id p9"):
        redirect("p9", [(1, "p1")], {1: "p1"})
