"""Every role with every relationship, purpose and sensitivity, as the table of tests/spec/access.py says."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

import pytest

from joinery.calc.access import (
    DIRECT_CARE,
    OWN_RECORD,
    PURPOSES,
    ROLES,
    SENSITIVITIES,
    TASKS,
    Circumstances,
    Decision,
    Involvement,
    Post,
    may_do,
    may_open,
    may_override,
    may_read,
    recent_days,
)
from tests.spec import access as spec

TODAY = date(2026, 11, 22)
BEGAN = date(2026, 1, 1)
# How a viewer who works at A can stand to a person.
STANDS = {
    "current": Circumstances((Involvement("A", BEGAN),)),
    "recent": Circumstances((Involvement("A", BEGAN, ended=TODAY),)),
    "ended": Circumstances((Involvement("A", BEGAN, ended=TODAY - timedelta(days=60)),)),
    "elsewhere": Circumstances((Involvement("B", BEGAN),)),
    "override": Circumstances(override=True),
    "own": Circumstances(own="own"),
    "carer": Circumstances(own="carer"),
    "nothing": Circumstances(),
}
CARING, ANYBODY = spec.cells(spec.DIRECT_CARE), spec.cells(spec.ANYBODY)


class Answer(NamedTuple):
    """What is expected: the reason, and what is read of another's and of one's own organisation."""

    allowed: bool
    reason: str
    elsewhere: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()


def expected(role: str, stands: str, purpose: str) -> Answer:
    """The table, told in words: `role` may be empty, for somebody without a post."""
    if purpose == OWN_RECORD:
        if stands in spec.OWN_RECORD:
            return opens(spec.OWN_RECORD[stands], stands, purpose)
        return Answer(False, "not_involved")
    if not role:
        return Answer(False, "no_post")
    if purpose not in {DIRECT_CARE} | {head for _, head in ANYBODY}:
        return Answer(False, "purpose")
    if purpose != DIRECT_CARE:
        cell = ANYBODY.get((role, purpose), "no")
        return Answer(False, "role") if cell == "no" else opens(cell, "reviewer", purpose)
    if (role, "current") not in CARING:
        return Answer(False, "role")
    cell = CARING.get((role, stands), "no")
    if cell != "no":
        return opens(cell, {"current": "involved"}.get(stands, stands), purpose)
    return Answer(False, "ended" if stands in ("recent", "ended") else "not_involved")


def opens(cell: str, reason: str, purpose: str) -> Answer:
    own = spec.reads(cell) if purpose in spec.OTHERS_ALONE else frozenset(SENSITIVITIES) - {"sealed"}
    return Answer(True, reason, spec.reads(cell), own)


def read(decision: Decision, source: str) -> frozenset[str]:
    assert may_read("", source, decision) is decision.allowed
    return frozenset(each for each in SENSITIVITIES if may_read(each, source, decision))


ASKED = list(product([*ROLES, "gardener", ""], STANDS, [*PURPOSES, "research", ""]))


def test_every_role_relationship_purpose_and_sensitivity_is_decided_as_the_table_says() -> None:
    assert len(ASKED) > 1000
    for role, stands, purpose in ASKED:
        decision = may_open((Post(role, "A"),) if role else (), STANDS[stands], purpose, TODAY)
        found = Answer(decision.allowed, decision.reason, read(decision, "B"), read(decision, "A"))
        assert found == expected(role, stands, purpose), (role, stands, purpose)
        assert (decision.post is not None) == (decision.allowed and purpose != OWN_RECORD)
        assert bool(decision.relationship) == decision.allowed


def test_what_was_granted_is_read_by_who_may_open_the_record_and_a_sealed_name_never() -> None:
    for role, stands, purpose in ASKED:
        decision = may_open((Post(role, "A"),) if role else (), STANDS[stands], purpose, TODAY)
        granted = {each for each in SENSITIVITIES if may_read(each, "B", decision, granted=True)}
        assert granted == (set(SENSITIVITIES) - {"sealed"} if decision.allowed else set()), (role, stands, purpose)


def test_what_is_sensitive_in_a_way_that_nobody_knows_is_read_by_nobody() -> None:
    decision = may_open((Post("gp", "A"),), STANDS["current"], DIRECT_CARE, TODAY)
    assert not may_read("secret", "A", decision, granted=True)


def test_the_table_tells_of_everything_that_there_is() -> None:
    assert set(spec.LETTERS.values()) == set(SENSITIVITIES)
    opening = {role for role, _ in CARING | ANYBODY}
    assert opening | spec.OPENS_NOTHING == set(ROLES) and not opening & spec.OPENS_NOTHING
    assert {head for _, head in ANYBODY} | spec.NOT_FOR_OPENING | {DIRECT_CARE, OWN_RECORD} == set(PURPOSES)


@pytest.mark.parametrize("role", [*ROLES, "gardener"])
def test_only_who_could_use_it_is_offered_the_way_in_for_an_emergency(role: str) -> None:
    offered = may_override((Post(role, "A"),))
    assert offered.allowed is (CARING.get((role, "override"), "no") != "no")
    assert may_open((Post(role, "A"),), STANDS["override"], DIRECT_CARE, TODAY).allowed is offered.allowed


@pytest.mark.parametrize("role", ROLES)
def test_care_that_has_ended_opens_a_record_for_as_long_as_the_role_has(role: str) -> None:
    assert bool(recent_days(role)) is (CARING.get((role, "recent"), "no") != "no")
    for days in range(recent_days(role) + 2):
        known = Circumstances((Involvement("A", BEGAN, ended=TODAY - timedelta(days=days)),))
        assert may_open((Post(role, "A"),), known, DIRECT_CARE, TODAY).allowed is (days < recent_days(role))


def test_every_role_does_the_tasks_that_the_table_says() -> None:
    duties = spec.cells(spec.DUTIES)
    assert set(duties) == set(product(ROLES, TASKS))
    for (role, task), cell in duties.items():
        decision = may_do((Post(role, "A"),), task)
        assert (decision.allowed, decision.reason) == ((True, "duty") if cell == "yes" else (False, "role")), role
        assert may_do((), task).reason == "no_post"
