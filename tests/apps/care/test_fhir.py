"""Every referral, in every state, makes resources that are valid FHIR R4."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from string import ascii_letters

import orjson
from hypothesis import given
from hypothesis import strategies as st

from joinery.apps.care import fhir
from joinery.apps.care.fhir import Asked
from joinery.apps.care.states import STATES
from joinery.apps.place.facts import Brief
from joinery.apps.record.fhir.validate import validate

# What people type: any text but U+0000, which no form lets through.
_words = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=50).map(str.strip)
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
