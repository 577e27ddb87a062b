"""What is filed of care: valid FHIR R4 whatever people type, as it stands, and who cares from when to when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_letters
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.apps.care import fhir
from joinery.apps.care.actions.team import add_part, end_part
from joinery.apps.care.facts.team import ENDED, HOLDS, PARTS, PartHeld
from joinery.apps.care.fhir import Asked
from joinery.apps.care.states import STATES
from joinery.apps.place.facts import Brief
from joinery.apps.record import facts as record
from joinery.apps.record.actions import open_filed
from joinery.apps.record.fhir.validate import validate
from tests.apps.care.caring import NOON, Caring
from tests.pages.world import ACTOR, COUNCIL, SURGERY, TRUST, World, patient

# What people type: any text but U+0000, which no form lets through.
_words = st.text(max_size=50).map(lambda text: text.replace("\0", "").strip())
_named = st.text(st.sampled_from(f"{ascii_letters} éß'-&"), min_size=1, max_size=40).map(str.strip).filter(bool)
_seconds = st.integers(0, 10 * 365 * 86_400)
_moments = _seconds.map(lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
_bodies = st.builds(Brief, st.just(1), st.sampled_from(["RZZ01", "999", "1-999000201"]), _named, st.just("council"))


@st.composite
def referrals(draw: st.DrawFn) -> Asked:
    sent = draw(_moments)
    stepped = sent + draw(st.timedeltas(timedelta(0), timedelta(days=90)))
    state = draw(st.sampled_from(sorted(STATES)))
    return Asked(
        code=draw(st.uuids()).hex, record_id=draw(st.integers(1)), sender_id=1, sender=draw(_bodies),
        service_name=draw(_named), kind_text=draw(_named), body=draw(_bodies),
        urgency=draw(st.sampled_from(["two_hours", "today", "two_days", "routine", "of_a_place"])),
        reason=draw(_words), words=draw(_words), sent_at=sent, outside_id=draw(_words),
        follows=draw(st.sampled_from(["", "0" * 32])), state=state,
        step_reason=draw(st.sampled_from(["", "no_room", "done", "died"])), step_words=draw(_words), stepped_at=stepped,
        due_at=stepped + timedelta(days=1) if STATES[state].waits_for else None,
        started_at=draw(st.sampled_from([None, stepped])),
    )  # fmt: skip


@given(referrals())
def test_any_referral_makes_valid_resources(asked: Asked) -> None:
    made = [fhir.service_request(asked), fhir.task(asked), fhir.episode_of_care(asked, asked.stepped_at)]
    for resource in made:
        assert validate(orjson.dumps(resource))[1] == ()
    assert {resource["id"] for resource in made} == {asked.code}


def test_every_state_has_its_words_in_fhir() -> None:
    assert STATES.keys() == fhir.REQUEST_STATUS.keys() == fhir.TASK_STATUS.keys()
    over = {"completed", "revoked"}
    for state, said in STATES.items():
        # What is declined is no longer asked of that service, though whoever asked has something to settle.
        assert (fhir.REQUEST_STATUS[state] in over) == (not said.waits_for or state == "declined")


_parts = st.builds(
    PartHeld, part_id=st.just(1), record_id=st.just(1), part=st.sampled_from(sorted(PARTS)), user_id=st.none(),
    name=_named, organisation=st.just("999"), organisation_name=st.just("Council"), words=_words,
    state=st.sampled_from([HOLDS, ENDED]), from_date=_moments.map(datetime.date), until_at=_moments,
    by=st.just("system:x"), by_name=st.just("x"), at=_moments, active=st.booleans(),
)  # fmt: skip


@given(_bodies, st.lists(_parts, max_size=4), st.booleans(), _moments)
def test_any_team_makes_a_valid_resource(body: Brief, parts: list[PartHeld], asked: bool, at: datetime) -> None:
    assert validate(orjson.dumps(fhir.care_team(1, body, parts, asked, at)))[1] == ()


@pytest.fixture
def caring(db: None, tmp_path: Path) -> Caring:
    world = World(tmp_path, at=NOON - timedelta(days=7))
    world.sends(SURGERY, patient("p1", "Fenwick", "Ada"))
    return Caring(world)


def filed(kind: str, organisation: str = SURGERY, key: str = "") -> dict[str, Any]:
    """The one resource of a type that an organisation has filed, as it reads now."""
    viewing = open_filed(organisation_code=organisation, actor=ACTOR, at=NOON, key=key)
    assert viewing is not None
    (body,) = record.filed_resources(viewing, organisation, kind).values()
    found: dict[str, Any] = orjson.loads(body)
    return found


def test_each_step_is_filed_and_care_goes_on_until_the_last(caring: Caring) -> None:
    assert caring.why("community_nurse", TRUST) == "not_involved"
    code = caring.refers(words="The left one")
    key = f"ServiceRequest/{code}"
    assert caring.why("community_nurse", TRUST) == "involved"
    request, task = filed("ServiceRequest", key=key), filed("Task", key=key)
    assert (request["status"], request["reasonCode"], task["status"]) == (
        "active",
        [{"text": "Dress her leg"}],
        "requested",
    )
    assert request["note"] == [{"text": "The left one"}] and task["focus"]["reference"] == key
    caring.steps(code, "sent", "nurse", service="council-reablement", words="For you")
    assert filed("Task", key=key)["owner"]["identifier"]["value"] == COUNCIL
    assert caring.why("community_nurse", TRUST, NOON + timedelta(days=60)) == "ended", "it was passed on"
    for to, said in (("accepted", {}), ("started", {}), ("ended", {"reason": "done"})):
        caring.steps(code, to, "worker", **said)
    assert caring.why("social_worker", COUNCIL) == "involved", "the last day counts"
    assert caring.why("social_worker", COUNCIL, NOON + timedelta(days=60)) == "ended"
    episode = filed("EpisodeOfCare", key=key)
    assert (filed("ServiceRequest", key=key)["status"], episode["status"]) == ("completed", "finished")
    assert caring.why("gp", SURGERY, NOON + timedelta(days=60)) == "involved", "whose record it is"


def test_who_takes_part_in_somebodys_care_sees_them_while_they_do(caring: Caring) -> None:
    by = {"actor": caring.actor("gp"), "at": NOON}
    add_part(record_id=caring.ada(), part="carer", name="Ellen Fenwick", **by)
    part = add_part(record_id=caring.ada(), part="professional", user_id=caring.users["nurse"], **by)
    assert caring.why("community_nurse", TRUST) == "involved"
    team = filed("CareTeam", TRUST, f"CareTeam/{caring.ada()}")
    assert [each["member"]["display"] for each in team["participant"]] == ["nurse"] and team["status"] == "active"
    assert caring.why("social_worker", COUNCIL) == "not_involved", "a daughter's part is not the council's"
    end_part(part_id=part, words="", **by)
    assert filed("CareTeam", TRUST, f"CareTeam/{caring.ada()}")["status"] == "inactive"
    assert caring.why("community_nurse", TRUST, NOON + timedelta(days=60)) == "ended"
