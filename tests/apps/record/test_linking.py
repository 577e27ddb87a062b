"""What people decide about records, seen through the door: joined, parted and taken back, whatever came since."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Refused
from joinery.apps.base.columns import select
from joinery.apps.record.actions import (
    answer_pair,
    join_people,
    run_linking,
    split_records,
    whole,
    withdraw_decision,
)
from joinery.apps.record.actions.whole import keep_model
from joinery.apps.record.compared import linking_model, model_named, model_text
from joinery.apps.record.pairs import events_with_merges, founders_of, linked_to, statements, waiting, whose
from joinery.calc.linkage.identity import Said, replay
from joinery.calc.linkage.ladder import content
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, COMMUNITY, GP, patient, send
from tests.support import examples

pytestmark = pytest.mark.django_db
EXAMPLES = examples(15, drill=400)
N1, N2 = sending.nhs_number(1), sending.nhs_number(2)
ANN, BEN = ("Ash", "Ann", "1941-03-03"), ("Birch", "Benjamin", "1962-07-19")
AT_GP, AT_COMMUNITY = f"{GP} Patient/a", f"{COMMUNITY} Patient/x"


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def say(folder: Path, local: str, number: str, *details: str, sender: str = GP, updated: str = "") -> None:
    send(folder, json.dumps(patient(local, number, *details, updated)).encode(), sender)


def record_id(record: str) -> int:
    code, local = record.split(" ", 1)
    ((found,),) = select(
        "SELECT r.id FROM record_sourcerecord r JOIN record_source s ON s.id = r.source_id "
        "JOIN place_organisation o ON o.id = s.organisation_id WHERE o.code = %s AND r.local_id = %s",
        [code, local],
    )
    return int(found)


def state() -> dict[str, frozenset[str]]:
    """Everybody's records, by the id under which they are known."""
    return sending.people()


def join(one: str, other: str) -> str:
    return join_people(
        person_id=sending.person_of(one), other_id=sending.person_of(other), by=(1, 2), note="", actor=ACTOR, at=AT
    )


def part(record: str) -> str:
    person = sending.person_of(record)
    return split_records(person_id=person, record_ids=[record_id(record)], note="", actor=ACTOR, at=AT)


def take_back(one: str, other: str) -> None:
    withdraw_decision(record_id=record_id(one), other_id=record_id(other), note="", actor=ACTOR, at=AT)


def test_a_merge_taken_back_leaves_no_trace_though_everything_was_edited_since(tmp_path: Path) -> None:
    say(tmp_path, "a", N1, *ANN)
    say(tmp_path, "x", N2, *BEN, sender=COMMUNITY)
    before = state()
    old = sending.person_of(AT_COMMUNITY)
    kept = join(AT_GP, AT_COMMUNITY)
    assert state() == {kept: frozenset([AT_GP, AT_COMMUNITY])}
    assert whose(old) == kept
    say(tmp_path, "a", N1, "Ashby", "Ann", "1941-03-03", updated="2026-03-30T10:00:00Z")
    say(tmp_path, "x", N2, "Birch", "Ben", "1962-07-19", sender=COMMUNITY, updated="2026-03-30T10:00:00Z")
    take_back(AT_GP, AT_COMMUNITY)
    assert state() == before
    assert whose(old) == old


def test_who_was_told_apart_stays_apart_whatever_is_sent(tmp_path: Path) -> None:
    say(tmp_path, "a", N1, *ANN)
    say(tmp_path, "x", N1, *ANN, sender=COMMUNITY)
    before = state()
    person = sending.person_of(AT_GP)
    parted = part(AT_COMMUNITY)
    assert state() == {person: frozenset([AT_GP]), parted: frozenset([AT_COMMUNITY])}
    say(tmp_path, "x", N1, "Ash", "Annie", "1941-03-03", sender=COMMUNITY, updated="2026-03-30T10:00:00Z")
    say(tmp_path, "b", N1, *ANN)
    assert not any({AT_GP, AT_COMMUNITY} <= records for records in state().values())
    take_back(AT_GP, AT_COMMUNITY)
    assert set(state().values()) == {frozenset([AT_GP, AT_COMMUNITY, f"{GP} Patient/b"])}
    assert before.keys() == state().keys()


def test_two_people_join_and_one_keeps_apart(tmp_path: Path) -> None:
    say(tmp_path, "a", N1, *ANN)
    say(tmp_path, "x", N2, *ANN, sender=COMMUNITY)
    pair: dict[str, Any] = {"record_id": record_id(AT_GP), "other_id": record_id(AT_COMMUNITY)}
    said: dict[str, Any] = {"blind": True, "note": "", "actor": ACTOR}
    assert answer_pair(**pair, **said, answer="same", user_id=1, at=AT) == "open"
    assert len(state()) == 2
    with pytest.raises(Refused, match="answered this pair already"):
        answer_pair(**pair, **said, answer="same", user_id=1, at=AT)
    assert answer_pair(**pair, **said, answer="same", user_id=2, at=AT + timedelta(minutes=1)) == "same"
    assert len(state()) == 1 and not waiting([pair["record_id"]])
    take_back(AT_GP, AT_COMMUNITY)
    assert len(state()) == 2
    later = AT + timedelta(minutes=2)
    assert answer_pair(**pair, **said, answer="different", user_id=1, at=later) == "apart"
    assert len(state()) == 2 and not waiting([pair["record_id"]])


def test_what_cannot_be_done_is_refused_with_what_to_do(tmp_path: Path) -> None:
    say(tmp_path, "a", N1, *ANN)
    say(tmp_path, "x", N2, *BEN, sender=COMMUNITY)
    a, b = sending.person_of(AT_GP), sending.person_of(AT_COMMUNITY)
    how: dict[str, Any] = {"note": "", "actor": ACTOR, "at": AT}
    for refused, code in (
        (lambda: join_people(person_id=a, other_id=b, by=(1, 1), **how), "two_people"),
        (lambda: join_people(person_id=a, other_id=a, by=(1, 2), **how), "same_already"),
        (lambda: join_people(person_id=a, other_id="nobody", by=(1, 2), **how), "nobody"),
        (lambda: split_records(person_id=a, record_ids=[record_id(AT_GP)], **how), "all"),
        (lambda: split_records(person_id=a, record_ids=[record_id(AT_COMMUNITY)], **how), "not_theirs"),
        (lambda: take_back(AT_GP, AT_COMMUNITY), "no_decision"),
    ):
        with pytest.raises(Refused) as caught:
            refused()
        assert caught.value.code == code


def test_the_whole_place_at_once_finds_what_arrivals_found(tmp_path: Path) -> None:
    for at in range(12):
        say(tmp_path, f"p{at}", sending.nhs_number(100 + at), "Ash", f"Ann{'abcdefghijkl'[at]}", f"19{40 + at}-03-03")
        number = sending.nhs_number(100 + at) if at % 2 else ""
        say(tmp_path, f"q{at}", number, "Ash", f"Ann{'abcdefghijkl'[at]}", f"19{40 + at}-03-03", sender=COMMUNITY)
    before, held = state(), select("SELECT COUNT(*) FROM record_matchevent")
    done = run_linking(actor=ACTOR, at=AT)
    assert (done.changed, done.moved, done.people_before, done.people) == (0, 0, len(before), len(before))
    assert state() == before and select("SELECT COUNT(*) FROM record_matchevent") == held


def test_a_model_that_another_version_made_is_left_for_the_one_that_ships(tmp_path: Path) -> None:
    say(tmp_path, "a", N1, *ANN)
    theirs = json.loads(model_text())
    theirs["name"] = "theirs"
    keep_model(text=json.dumps(theirs), actor=ACTOR, at=AT)
    assert linking_model().name == run_linking(actor=ACTOR, at=AT).model == "theirs"
    theirs["splink"]["comparisons"][0]["comparison_levels"].pop()
    theirs["name"] = "older"
    keep_model(text=json.dumps(theirs), actor=ACTOR, at=AT)
    say(tmp_path, "b", "", *ANN)
    done = run_linking(actor=ACTOR, at=AT)
    assert done.model == "place" and "Another version" in done.warnings[0]
    assert model_named("older") is None


def test_a_model_that_learnt_no_persons_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LEAST_TO_TRAIN", 4)
    for at in range(4):
        say(tmp_path, f"p{at}", "", *ANN)
    with pytest.raises(Refused, match="model in use stays"):
        run_linking(actor=ACTOR, at=AT, train=True)
    assert linking_model().name == "place"


LOCALS = [f"{GP} Patient/1", f"{GP} Patient/2", f"{COMMUNITY} Patient/3", f"{COMMUNITY} Patient/4"]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("say"),
            st.sampled_from(LOCALS),
            st.tuples(st.sampled_from(["", N1, N2]), st.sampled_from([ANN, BEN, ("Ash", "Anne", "1941-03-30")])),
        ),
        st.tuples(st.just("join"), st.sampled_from(LOCALS), st.sampled_from(LOCALS)),
        st.tuples(st.just("part"), st.sampled_from(LOCALS), st.none()),
        st.tuples(st.just("take back"), st.sampled_from(LOCALS), st.sampled_from(LOCALS)),
    ),
    min_size=3,
    max_size=10,
)


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_after_any_history_who_is_who_is_a_replay_of_its_events(steps: list[Any]) -> None:
    with transaction.atomic(), tempfile.TemporaryDirectory() as folder:
        for at, step in enumerate(steps, start=1):
            do(Path(folder), at, *step)
            records = {record for (record,) in select("SELECT DISTINCT record_id FROM record_details")}
            now = linked_to(records)
            assert now.keys() == records
            said = {s.record_id: Said(s.nhs_number, content(s.details)) for s in statements("d.record_id", records)}
            people = replay(said, founders_of(records), events_with_merges(records), str)
            assert (people.person_of, people.founded) == (now, [])
        transaction.set_rollback(True)


def do(folder: Path, at: int, what: str, one: str, more: Any) -> None:
    """One step of a history; what is refused changes nothing, and is no part of it."""
    there = {record for records in state().values() for record in records}
    if what == "say":
        number, details = more
        sender, local = one.split(" Patient/")
        say(folder, local, number, *details, sender=sender, updated=f"2026-01-{at:02}T10:00:00Z")
        return
    if one not in there or (more and more not in there):
        return
    before = state()
    try:
        if what == "join":
            join(one, more)
        elif what == "part":
            part(one)
            assert all(records == {one} or one not in records for records in state().values())
        else:
            take_back(one, more)
    except Refused:
        assert state() == before
