"""What was true on a day, and what was known then: the directory against one of plain lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joinery.apps.base.action import Actor
from joinery.apps.place import actions, facts
from joinery.apps.place.actions.editions import Entry, adopt, as_json, write
from joinery.apps.place.actions.reconcile import ids_of
from joinery.apps.place.models import Edition
from tests.oracles.directory import SINGLE, Directory, Said, View
from tests.support import examples

EXAMPLES = examples(40, drill=2_000)
ACTOR = Actor.system("tests")
BODIES = ("A", "B", "C", "D")
AREAS = ("E1", "E2")
START = date(2026, 4, 1)
FORMS = {"A": "district", "B": "icb", "C": "region", "D": "place"}

pytestmark = pytest.mark.django_db


def day(number: int) -> date:
    return START + timedelta(days=number)


def at(number: int) -> datetime:
    return datetime(2026, 4, 1, 9, tzinfo=UTC) + timedelta(hours=number)


DAYS = [day(number) for number in range(5)]
days = st.sampled_from(DAYS)
bodies = st.sampled_from(BODIES)


@st.composite
def sayings(draw: st.DrawFn) -> Said:
    kind = draw(st.sampled_from(["open", "open", "name", "form", "part_of", "part_of", "area", "succeeded_by"]))
    body, other = draw(st.lists(bodies, min_size=2, max_size=2, unique=True))
    value = {"name": draw(st.sampled_from(["One", "Two"])), "form": FORMS[body], "area": draw(st.sampled_from(AREAS))}
    relation = kind in ("part_of", "succeeded_by")
    return Said(0, body, kind, value.get(kind, ""), other if relation else "", draw(days))


@st.composite
def said_by(draw: st.DrawFn, edition: int, of: Said) -> Said:
    """The same thing as another edition says it: with a last day, for some areas, or taken back."""
    follows = of.kind == "succeeded_by"
    later = days.filter(lambda day: day > of.start) if of.start < max(DAYS) else st.none()
    end = None if follows else draw(st.one_of(st.none(), later))
    areas = draw(st.sampled_from([(), (), ("E1",), ("E2",)])) if follows else ()
    return replace(of, edition=edition, end=end, areas=frozenset(areas), withdrawn=draw(st.integers(0, 5)) == 0)


def unlike(said: Said) -> tuple[object, ...]:
    """One edition says one thing of a key, and one thing of a single-valued kind from a day on."""
    return (said.body, said.kind, said.start) if said.kind in SINGLE else said.key


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[Said]], list[tuple[str, int]]]:
    """What some editions say, and what becomes of each, in any order: adopted, dropped, or left a draft."""
    said = draw(st.lists(sayings(), min_size=4, max_size=10, unique_by=lambda said: said.key))
    some = st.lists(st.sampled_from(said), min_size=1, max_size=7, unique_by=unlike)
    editions = [[draw(said_by(number, of)) for of in draw(some)] for number in range(draw(st.integers(1, 4)))]
    fates = [
        (draw(st.sampled_from(["adopt", "adopt", "drop", "leave"])), number)
        for number in draw(st.permutations(range(len(editions))))
    ]
    return editions, fates


def say(edition_id: int, said: list[Said], ids: dict[str, int]) -> None:
    entries = [
        Entry(
            ids[s.body], s.kind, s.value, ids[s.target] if s.target else None, s.start, s.end,
            detail=as_json({"areas": sorted(s.areas)} if s.areas else {}), withdrawn=s.withdrawn,
        )
        for s in said
    ]  # fmt: skip
    write(edition_id, entries)


def check(view: View, on: date, known_at: datetime | None, draft: int | None) -> None:
    way = facts.as_at(on, known_at, draft)
    for code in BODIES:
        body = facts.show(code, way)
        if body is None:
            assert view.life(code) == (None, None)
            assert not view.parents(code, on) and not view.children(code, on)
            continue
        brief = body.brief
        assert (brief.from_date, brief.to_date) == view.life(code)
        assert brief.name == (view.value(code, "name", on) or code)
        assert brief.form == view.value(code, "form", on)
        assert [s.value for s in body.of("name")] in ([brief.name], [])
        assert {(s.other.code, s.undecided) for s in body.of("part_of") if s.other} == view.parents(code, on)
        assert {s.other.code for s in body.of("part_of", incoming=True) if s.other} == view.children(code, on)
        for question, onward in ((facts.successors, True), (facts.predecessors, False)):
            found = {(edge.body.code, edge.to.code, edge.on) for edge in question(code, way) or ()}
            assert found == view.successions(code, on, onward)
    for area in AREAS:
        assert {r.body.code for r in facts.responsible(area, way)} == view.responsible(area, on)


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(histories(), st.lists(st.integers(-1, 5), min_size=2, max_size=2, unique=True))
def test_every_question_is_answered_as_from_plain_lists(
    history: tuple[list[list[Said]], list[tuple[str, int]]], asked: list[int]
) -> None:
    editions, fates = history
    with transaction.atomic():
        ids = ids_of(BODIES)
        drafts = [actions.propose(title=f"Edition {n}", actor=ACTOR, at=at(0)) for n, _ in enumerate(editions)]
        for draft, said in zip(drafts, editions, strict=True):
            say(draft, said, ids)
        directory = Directory([s for said in editions for s in said])
        moments = [at(0)]
        for moment, (fate, number) in enumerate(fates, start=1):
            if fate == "adopt":
                adopt(Edition.objects.get(pk=drafts[number]), at(moment))
                directory.adopted.append(number)
            elif fate == "drop":
                actions.drop_proposal(edition_id=drafts[number], actor=ACTOR, at=at(moment))
            moments.append(at(moment))
        # As known at every earlier moment, and now through each draft that is left.
        for on in map(day, asked):
            for moment, known_at in enumerate(moments):
                known = sum(fate == "adopt" for fate, _ in fates[:moment])
                check(View(directory, known), on, known_at, None)
            for fate, number in fates:
                if fate == "leave":
                    check(View(directory, len(directory.adopted), number), on, None, drafts[number])
                    check(View(directory, 0, number), on, at(-1), drafts[number])
        transaction.set_rollback(True)
