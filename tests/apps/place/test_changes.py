"""Changes of the directory: what each leaves, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from joinery.apps.base.action import Actor, Refused
from joinery.apps.place import actions, facts
from joinery.apps.place.actions import OrganisationDetails, Part, Terms
from joinery.apps.place.models import Organisation, Statement

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"actor": Actor.system("tests"), "at": datetime(2026, 3, 1, 9, tzinfo=UTC)}
LONG_AGO, ON = date(2000, 1, 1), date(2026, 4, 1)
BEFORE, LATER = ON - timedelta(days=1), ON + timedelta(days=30)


def details(code: str, form: str = "community_trust") -> OrganisationDetails:
    return OrganisationDetails(code, f"Body {code}", form)


def begin(*codes: str, form: str = "community_trust") -> None:
    for code in codes:
        actions.register_organisation(details=details(code, form), since=LONG_AGO, **WHO)


def relate(code: str, target: str, kind: str = "part_of", on: date = LONG_AGO) -> None:
    actions.relate(code=code, kind=kind, target=target, on=on, **WHO)


def merge(*codes: str, into: str, on: date = ON, **more: Any) -> None:
    actions.merge(codes=codes, into=details(into), on=on, **more, **WHO)


def split(code: str, *parts: Part, on: date = ON, **more: Any) -> None:
    actions.split(code=code, parts=parts, on=on, **more, **WHO)


def brief(code: str, on: date, **more: Any) -> Any:
    return facts.organisation(code, facts.as_at(on, **more))


def parents(code: str, on: date = LATER) -> list[tuple[str, bool]]:
    """What it is part of, and whether nobody has decided what took over from that."""
    body = facts.show(code, facts.as_at(on))
    assert body is not None
    return [(said.other.code, said.undecided) for said in body.of("part_of") if said.other]


def children(code: str, on: date = LATER) -> list[str]:
    body = facts.show(code, facts.as_at(on))
    assert body is not None
    return sorted(said.other.code for said in body.of("part_of", incoming=True) if said.other)


def edges(code: str, on: date = date.max) -> list[tuple[str, str]]:
    found = facts.successors(code, facts.as_at(on))
    assert found is not None
    return [(edge.body.code, edge.to.code) for edge in found]


def refusal(action: Callable[..., Any], **arguments: Any) -> str:
    before = Statement.objects.count()
    with pytest.raises(Refused) as refused:
        action(**arguments, **WHO)
    assert Statement.objects.count() == before
    return refused.value.code


# -- chains and orders ----------------------------------------------------------------------------


def test_a_body_that_begins_and_ends_on_one_day_is_a_step_of_the_chain_and_open_on_no_day() -> None:
    begin("A", "B", "C")
    merge("A", "B", into="AB")
    merge("AB", "C", into="ABC")
    for day in (BEFORE, ON, LATER):
        assert not brief("AB", day).is_open(day)
        assert brief("ABC", day).is_open(day) is (day >= ON)
    assert edges("A") == [("A", "AB"), ("AB", "ABC")]
    assert facts.lineage(["A"], facts.as_at(LATER)).heir("A", ON) == "ABC"


def test_nothing_happens_to_a_body_before_it_begins_or_after_it_ended_and_it_ends_once() -> None:
    begin("A", "B", "C", "D")
    merge("A", "B", into="AB")
    assert refusal(actions.close_body, code="AB", on=BEFORE) == "not_open"
    assert refusal(actions.rename, code="AB", name="New", on=BEFORE) == "not_open"
    assert refusal(actions.merge, codes=["A", "C"], into=details("X"), on=LATER) == "ended"
    # What is to end already ends then, and not sooner by another act.
    assert refusal(actions.merge, codes=["A", "C"], into=details("X"), on=BEFORE) == "ends"
    assert refusal(actions.close_body, code="A", on=BEFORE) == "ends"
    assert edges("A") == [("A", "AB")] and brief("X", LATER) is None or brief("X", LATER).from_date is None


@pytest.mark.parametrize("how", ["register", "merge", "split"])
def test_the_code_of_a_body_that_ended_is_never_used_again(how: str) -> None:
    begin("A", "B", "C", "D")
    actions.close_body(code="A", on=ON, **WHO)
    if how == "register":
        at = datetime(2026, 6, 1, tzinfo=UTC)
        with pytest.raises(Refused, match="ended"):
            actions.register_organisation(details=details("A", "care_home"), actor=WHO["actor"], at=at)
    elif how == "merge":
        assert refusal(actions.merge, codes=["B", "C"], into=details("A"), on=LATER) == "ended"
    else:
        assert refusal(actions.split, code="B", parts=[Part(details("A")), Part(details("X"))], on=LATER) == "ended"
    assert not brief("A", LATER).is_open(LATER) and brief("A", LATER).form == "community_trust"


def test_a_body_is_the_same_under_another_code_of_its_own() -> None:
    begin("A", "B")
    body = Organisation.objects.get(code="A")
    edition = actions.propose(title="codes", **WHO)
    Statement.objects.create(
        edition_id=edition, organisation=body, kind="code", value="gss:E54000001", from_date=LONG_AGO
    )
    actions.adopt_proposal(edition_id=edition, **WHO)
    assert refusal(actions.merge, codes=["A", "B"], into=details("E54000001"), on=ON) == "into"
    assert refusal(actions.merge, codes=["A", "E54000001"], into=details("AB"), on=ON) == "one"
    merge("B", into="E54000001")
    assert edges("B") == [("B", "A")]


# -- what stands in what --------------------------------------------------------------------------


def test_a_new_body_stands_where_the_old_ones_stood() -> None:
    begin("R1", "R2", form="region")
    begin("A", "B", form="icb")
    relate("A", "R1")
    relate("B", "R2")
    relate("A", "B", "shares_leadership_with")
    merge("A", "B", into="AB")
    assert sorted(parents("AB")) == [("R1", False), ("R2", False)]
    assert facts.show("AB", facts.as_at(LATER)).of("shares_leadership_with") == ()  # type: ignore[union-attr]


def test_what_ended_is_no_part_of_anything_any_more() -> None:
    begin("R", form="region")
    begin("A", "B", "C")
    for code in ("A", "B", "C"):
        relate(code, "R")
    merge("A", "B", into="AB")
    assert children("R", BEFORE) == ["A", "B", "C"]
    assert children("R", ON) == ["AB", "C"]


def test_a_county_that_becomes_one_council_with_its_districts_is_no_part_of_itself() -> None:
    begin("COUNTY", form="county")
    begin("D1", "D2", "D3", form="district")
    for code in ("D1", "D2", "D3"):
        relate(code, "COUNTY")
    merge("COUNTY", "D1", into="U")
    assert parents("U") == [] and children("U") == ["D2", "D3"]
    merge("D2", into="U", on=LATER)
    assert children("U") == ["D3"]
    assert parents("D3") == [("U", False)]


def test_a_body_that_absorbs_the_one_that_it_was_part_of_is_no_part_of_itself() -> None:
    begin("A", "B")
    relate("A", "B")
    merge("B", into="A")
    assert parents("A", BEFORE) == [("B", False)]
    assert parents("A") == [] and children("A") == []


def test_after_a_split_by_area_each_part_has_its_own_and_heirs_of_what_it_has() -> None:
    begin("R", form="region")
    begin("A", "B", form="icb")
    relate("A", "R")
    relate("B", "R")
    split("R", Part(details("R1", "region"), areas=("A",)), Part(details("R2", "region"), areas=("B",)))
    assert parents("A") == [("R1", False)] and parents("B") == [("R2", False)]
    assert children("R1") == ["A"] and children("R2") == ["B"]
    # A body that comes after A is not named by the split, and still stands where A stood.
    merge("A", into="B", on=LATER)
    begin("C", "D", form="icb")
    relate("C", "R1", on=ON)
    merge("C", "D", into="CD", on=LATER)
    assert parents("CD") == [("R1", False)]


def test_a_relation_through_a_split_and_a_merger_is_seen_from_both_ends() -> None:
    begin("R", "S", form="region")
    begin("A", "B", form="icb")
    relate("A", "R")
    split("R", Part(details("R1", "region"), areas=("A",)), Part(details("R2", "region")))
    merge("R1", "S", into="RS", on=LATER)
    assert parents("A") == [("RS", False)] and children("RS") == ["A"]
    assert children("R2", LATER) == []


# -- moving ---------------------------------------------------------------------------------------


def test_a_district_moves_and_its_neighbours_stay() -> None:
    begin("X", "Y", form="icb")
    begin("D1", "D2", form="district")
    relate("D1", "X")
    relate("D2", "X")
    actions.move(code="D1", from_code="X", to_code="Y", on=ON, terms=Terms("order", "novated"), **WHO)
    assert (children("X", BEFORE), children("Y", BEFORE)) == (["D1", "D2"], [])
    assert (children("X"), children("Y")) == (["D2"], ["D1"])
    (edge,) = facts.successors("X", facts.as_at(ON)) or ()
    assert (edge.areas, edge.part, edge.instrument, edge.contracts) == (("D1",), "Body D1", "order", "novated")
    assert brief("X", LATER).is_open(LATER)
    assert refusal(actions.move, code="D1", from_code="X", to_code="Y", on=LATER) == "not_there"
    assert refusal(actions.move, code="D2", from_code="X", to_code="X", on=LATER) == "itself"


def test_two_moves_on_one_day_are_both_kept_in_the_succession() -> None:
    begin("X", "Y", form="icb")
    begin("D1", "D2", form="district")
    for code in ("D1", "D2"):
        relate(code, "X")
        actions.move(code=code, from_code="X", to_code="Y", on=ON, **WHO)
    (edge,) = facts.successors("X", facts.as_at(ON)) or ()
    assert (edge.areas, edge.part) == (("D1", "D2"), "Body D1, Body D2")


def cover(code: str, *areas: str) -> None:
    edition = actions.propose(title="areas", **WHO)
    body = Organisation.objects.get(code=code)
    for area in areas:
        Statement.objects.create(edition_id=edition, organisation=body, kind="area", value=area, from_date=LONG_AGO)
    actions.adopt_proposal(edition_id=edition, **WHO)


def answers_for(area: str, on: date) -> list[str]:
    return [each.body.code for each in facts.responsible(area, facts.as_at(on))]


def test_what_belongs_to_a_body_through_one_that_ended_can_still_move_and_be_unrelated() -> None:
    begin("X", "Y", "Z", form="icb")
    begin("D1", "D2", form="district")
    relate("D1", "X")
    relate("D2", "X")
    cover("X", "E01000001", "E01000002")
    merge("X", "Y", into="XY")
    actions.move(code="D1", from_code="XY", to_code="Z", on=LATER, **WHO)
    actions.move(code="E01000001", from_code="XY", to_code="Z", on=LATER, **WHO)
    assert (parents("D1", ON), parents("D1")) == ([("XY", False)], [("Z", False)])
    assert (answers_for("E01000001", BEFORE), answers_for("E01000001", ON)) == (["X"], ["XY"])
    assert (answers_for("E01000001", LATER), answers_for("E01000002", LATER)) == (["Z"], ["XY"])
    actions.unrelate(code="D2", kind="part_of", target="XY", on=LATER, **WHO)
    assert parents("D2") == [] and parents("D2", ON) == [("XY", False)]


def test_areas_follow_the_parts_of_a_split() -> None:
    begin("X", form="icb")
    cover("X", "E01000001", "E01000002", "E01000003")
    split("X", Part(details("N", "icb"), areas=("E01000001",)), Part(details("S", "icb"), areas=("E01000002",)))
    assert [answers_for(f"E0100000{n}", LATER) for n in (1, 2, 3)] == [["N"], ["S"], []]
    assert facts.boundaries("icb", facts.as_at(LATER)).bodies == {"E01000001": "N", "E01000002": "S"}


def test_a_district_tells_to_which_part_of_a_split_its_areas_went() -> None:
    begin("X", form="icb")
    begin("L", form="sub_icb")
    begin("D1", "D2", form="district")
    relate("L", "X")
    cover("L", "E01000001", "E01000002")
    cover("D1", "E01000001")
    cover("D2", "E01000002")
    split("X", Part(details("N", "icb"), areas=("D1",)), Part(details("S", "icb"), areas=("D2",)))
    assert [set(answers_for(f"E0100000{n}", LATER)) & {"N", "S"} for n in (1, 2)] == [{"N"}, {"S"}]
    assert facts.boundaries("icb", facts.as_at(LATER)).bodies == {"E01000001": "N", "E01000002": "S"}


# -- proposals ------------------------------------------------------------------------------------


def test_a_proposal_is_seen_through_itself_alone_until_it_is_adopted() -> None:
    begin("A", "B")
    edition = actions.propose(title="One trust", **WHO)
    merge("A", "B", into="AB", edition_id=edition)
    assert facts.show("AB", facts.as_at(LATER)) is None and brief("A", LATER).is_open(LATER)
    assert brief("AB", LATER, draft=edition).is_open(LATER) and not brief("A", LATER, draft=edition).is_open(LATER)
    # A body that is only proposed is none for anybody else.
    assert refusal(actions.relate, code="A", kind="part_of", target="AB", on=LATER) == "organisation"
    actions.adopt_proposal(edition_id=edition, **WHO)
    assert brief("AB", LATER).is_open(LATER)
    assert refusal(actions.rename, code="A", name="X", on=BEFORE, edition_id=edition) == "decided"
    assert refusal(actions.drop_proposal, edition_id=edition) == "decided"


def test_a_dropped_proposal_never_counts() -> None:
    begin("A", "B")
    edition = actions.propose(title="One trust", **WHO)
    merge("A", "B", into="AB", edition_id=edition)
    actions.drop_proposal(edition_id=edition, **WHO)
    assert brief("A", LATER).is_open(LATER) and facts.show("AB", facts.as_at(LATER)) is None
    assert refusal(actions.adopt_proposal, edition_id=edition) == "decided"


@pytest.mark.parametrize("meanwhile", ["split", "the same proposal", "closed later", "moved", "renamed"])
def test_a_proposal_about_something_that_has_changed_since_is_not_adopted(meanwhile: str) -> None:
    begin("R1", "R2", "R3", form="region")
    begin("A", "B", "C")
    relate("A", "R1")
    edition = actions.propose(title="Changes", **WHO)
    if meanwhile == "moved":
        actions.move(code="A", from_code="R1", to_code="R2", on=ON, edition_id=edition, **WHO)
        actions.move(code="A", from_code="R1", to_code="R3", on=BEFORE, **WHO)
    elif meanwhile == "renamed":
        actions.rename(code="A", name="New", on=ON, edition_id=edition, **WHO)
        actions.rename(code="A", name="Other", on=BEFORE, **WHO)
    else:
        merge("A", "B", into="AB", edition_id=edition)
    if meanwhile == "split":
        split("A", Part(details("A1")), Part(details("A2")), on=BEFORE)
    elif meanwhile == "the same proposal":
        merge("A", "C", into="AC")
    elif meanwhile == "closed later":
        actions.close_body(code="A", on=LATER, **WHO)
    assert refusal(actions.adopt_proposal, edition_id=edition) == "overtaken"
    actions.drop_proposal(edition_id=edition, **WHO)


def test_a_proposal_about_other_things_than_have_changed_is_adopted() -> None:
    begin("A", "B", "C", "D")
    edition = actions.propose(title="One trust", **WHO)
    merge("A", "B", into="AB", edition_id=edition)
    merge("C", "D", into="CD")
    actions.rename(code="A", name="Renamed meanwhile", on=BEFORE, **WHO)
    actions.adopt_proposal(edition_id=edition, **WHO)
    assert brief("A", LATER).name == "Renamed meanwhile" and brief("AB", LATER).is_open(LATER)
