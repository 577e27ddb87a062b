"""What is written here is filed as if it had been sent: with versions, a line, and who cares from when to when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joinery.apps.base.columns import select
from joinery.apps.place import facts as place
from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record import facts
from joinery.apps.record.actions import Filing, NotOpened, file_resources, open_record
from joinery.calc.access import Post
from joinery.calc.involvement import GOES_ON, OVER
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, COUNCIL, GP, person_of, person_row

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOSPITAL, NURSES = "RZZ01", "ZC9"
PERSON = f"{COUNCIL} person/7"
ON_WARD, NURSE, WORKER = (
    Post("hospital_nurse", HOSPITAL),
    Post("community_nurse", NURSES),
    Post("social_worker", COUNCIL),
)


@pytest.fixture(autouse=True)
def known(tmp_path: Path) -> None:
    sending.register()
    for code, form in ((HOSPITAL, "foundation_trust"), (NURSES, "community_trust")):
        register_organisation(details=OrganisationDetails(code, code, form), actor=ACTOR, at=AT)
    council(tmp_path, case_status="open")


def council(folder: Path, at: datetime = AT, **columns: str) -> None:
    taken = sending.send(folder, sending.extract("person", [person_row("7", **columns)]), COUNCIL, at=at)
    assert taken.taken == 1, taken


def file(
    says: str = GOES_ON, to: str = NURSES, *, at: datetime = AT, by: str = HOSPITAL, key: str = "a1", line: bool = True,
    **said: Any,
) -> None:  # fmt: skip
    resource = {
        "resourceType": "ServiceRequest", "id": key, "status": "active", "intent": "order",
        "subject": {"reference": "Patient/1"}, "authoredOn": "2026-03-31T12:00:00Z",
        "code": {"text": "District nursing"},
    }  # fmt: skip
    (body,) = place.by_codes([by], place.as_at(at.date())).values()
    filing = Filing(record_id(), json.dumps(resource | said).encode(), says, to, line)
    file_resources(organisation_id=body.id, filings=[filing], actor=ACTOR, at=at)


def record_id() -> int:
    ((found,),) = select("SELECT id FROM record_sourcerecord WHERE local_id = 'person/7'")
    return int(found)


def why(post: Post, at: datetime = AT) -> str:
    try:
        return open_record(person_id=person_of(PERSON), posts=(post,), actor=ACTOR, at=at).decision.reason
    except NotOpened as refused:
        return refused.code


def lines(at: datetime = AT) -> list[tuple[str, str, str]]:
    viewing = open_record(person_id=person_of(PERSON), posts=(WORKER,), actor=ACTOR, at=at)
    page = facts.timeline_page(viewing, facts.records(viewing))
    return [(line.kind_text, line.title, line.source_name) for line in page.lines if line.kind_text == "Referral"]


def test_a_line_is_of_whoever_wrote_it_and_says_what_the_newest_version_says() -> None:
    assert lines() == []
    file()
    assert lines() == [("Referral", "District nursing", HOSPITAL)]
    file(at=AT + DAY, code={"text": "Rehabilitation beds"})
    assert lines() == [("Referral", "Rehabilitation beds", HOSPITAL)]
    viewing = open_record(person_id=person_of(PERSON), posts=(WORKER,), actor=ACTOR, at=AT)
    of = facts.records(viewing)
    (line,) = (line for line in facts.timeline_page(viewing, of).lines if line.kind_text == "Referral")
    origin = facts.origin(viewing, of, line.entry_id)
    assert origin is not None
    assert [version.number for version in origin.versions] == [2, 1] and "Rehabilitation beds" in origin.original
    file(key="b1", line=False)
    assert len(lines()) == 1, "what came from outside has its line already"


def test_both_sides_see_the_person_from_the_day_it_is_sent_until_the_day_it_is_over() -> None:
    assert (why(ON_WARD), why(NURSE)) == ("not_involved", "not_involved")
    file()
    assert (why(ON_WARD), why(NURSE)) == ("involved", "involved")
    file(OVER, at=AT + 9 * DAY, status="completed")
    assert (why(ON_WARD, AT + 9 * DAY), why(NURSE, AT + 9 * DAY)) == ("involved", "involved"), "the last day counts"
    assert (why(ON_WARD, AT + 60 * DAY), why(NURSE, AT + 60 * DAY)) == ("ended", "ended")
    file(at=AT + 70 * DAY, key="b1")
    assert why(NURSE, AT + 70 * DAY) == "involved", "a second referral"


def test_what_is_passed_on_ends_with_who_had_it_and_begins_with_who_has_it() -> None:
    file()
    file(to=sending.COMMUNITY, at=AT + 2 * DAY)
    assert why(Post("community_nurse", sending.COMMUNITY), AT + 2 * DAY) == "involved"
    assert why(NURSE, AT + 60 * DAY) == "ended"
    assert why(ON_WARD, AT + 60 * DAY) == "involved"


def test_two_referrals_to_one_service_end_with_the_second() -> None:
    file()
    file(key="b1")
    file(OVER, key="a1")
    assert why(NURSE, AT + 60 * DAY) == "involved"
    file(OVER, key="b1")
    assert why(NURSE, AT + 60 * DAY) == "ended"


def test_neither_ends_what_the_other_leaves_open(tmp_path: Path) -> None:
    """Who keeps the record cares as it says; who wrote here as was written; and neither speaks for the other."""
    file(by=COUNCIL)
    file(OVER, by=COUNCIL)
    assert why(WORKER, AT + 60 * DAY) == "involved", "its case is open"
    file(by=COUNCIL, key="b1")
    council(tmp_path, AT + DAY, case_status="closed", updated_at="2026-04-01T06:00:00Z")
    assert why(NURSE, AT + 60 * DAY) == "involved", "a council's row says nothing of the referral"
    assert why(WORKER, AT + 60 * DAY) == "involved", "its own referral is open"
    file(OVER, by=COUNCIL, key="b1", at=AT + 2 * DAY)
    assert why(WORKER, AT + 60 * DAY) == "ended"
    assert why(Post("gp", GP), AT) == "not_involved"


def test_what_is_no_valid_fhir_is_not_filed_and_leaves_nothing() -> None:
    with pytest.raises(ValueError, match="ServiceRequest.status"):
        file(status="sent")
    with pytest.raises(ValueError, match="id"):
        file(id=None)
    assert lines() == [] and why(NURSE) == "not_involved"
    assert select("SELECT COUNT(*) FROM record_submission WHERE part = 'filed'") == [(0,)]


def test_it_is_no_source_that_anybody_waits_for() -> None:
    file()
    assert {source.definition.feed for source in facts.feed_sources(AT)} == {"council"}


def test_filing_costs_the_same_however_much_is_filed() -> None:
    counts = []
    file(key="a0")
    for number in range(5):
        with CaptureQueriesContext(connection) as caught:
            file(key=f"b{number}")
        counts.append(len(caught))
    assert len(set(counts)) == 1
