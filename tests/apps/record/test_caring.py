"""Who may see whom begins and ends with care, as the sources tell of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.base.columns import select
from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record.actions import Criteria, NotOpened, open_record, reread_care, search_people, staging
from joinery.apps.record.actions.caring import Heard
from joinery.apps.record.models import Relationship
from joinery.calc.access import Post
from tests.apps.record import adt_sending, mods_sending, sending
from tests.apps.record.sending import ACTOR, AT, COUNCIL, GP, person_of, person_row

pytestmark = pytest.mark.django_db

TODAY = AT.date()
DAY = timedelta(days=1)
AGENCY = "1-999000201"
MANAGER = Post("care_home_manager", mods_sending.PROVIDER)
WORKER = Post("social_worker", COUNCIL)
HOME_CARE = Post("home_care_manager", AGENCY)
WARD = Post("hospital_nurse", adt_sending.HOSPITAL)
DOCTOR = Post("gp", GP)


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()
    mods_sending.register()
    adt_sending.register()
    register_organisation(details=OrganisationDetails(AGENCY, "Quay Care", "home_care"), actor=ACTOR, at=AT)


def why(record: str, post: Post, on: date = TODAY) -> str:
    """Why somebody may open the record of whom a source record is about on a day, or why not; a search agrees."""
    person, at = person_of(record), datetime.combine(on, AT.timetz())
    by: dict[str, Any] = {"posts": (post,), "actor": ACTOR, "at": at}
    found = search_people(criteria=Criteria(family_name="Ash"), **by).viewing.person_ids
    try:
        reason = open_record(person_id=person, **by).decision.reason
    except NotOpened as refused:
        assert person not in found
        return refused.code
    assert person in found
    return reason


# -- a care home ----------------------------------------------------------------------------------


def lives_there(folder: Path, *lines: mods_sending.Line, at: datetime = AT) -> None:
    taken = mods_sending.take(folder, mods_sending.encoded(lines), at=at)
    assert not taken.quarantined, taken.reasons


def stay(version: int = 1, left: str = "", **envelope: Any) -> mods_sending.Line:
    body = {"admitted_at": "2025-12-01", "discharged_at": left}
    return mods_sending.line("Stay", body={k: v for k, v in body.items() if v}, version=version, **envelope)


def test_a_home_sees_who_lives_there_until_the_day_on_which_they_leave(tmp_path: Path) -> None:
    lives_there(tmp_path, mods_sending.subject())
    assert why(mods_sending.PERSON, MANAGER) == "involved", "a home that has said nothing of the stay yet"
    lives_there(tmp_path, stay())
    assert why(mods_sending.PERSON, MANAGER) == "involved"
    lives_there(tmp_path, stay(2, left="2026-04-10"))
    assert why(mods_sending.PERSON, MANAGER, date(2026, 4, 10)) == "involved", "the last day counts"
    assert why(mods_sending.PERSON, MANAGER, date(2026, 4, 11)) == "ended", "and nothing need run for it to end"
    lives_there(tmp_path, stay(3), at=AT + 30 * DAY)
    assert why(mods_sending.PERSON, MANAGER, TODAY + 30 * DAY) == "involved", "it was not so after all"


@pytest.mark.parametrize("way", ["they left", "they died", "the stay ended", "the line was an error"])
def test_a_home_does_not_see_who_is_gone(way: str, tmp_path: Path) -> None:
    lives_there(tmp_path, mods_sending.subject(), stay())
    gone = {
        "they left": mods_sending.subject(version=2) | {"status": "inactive"},
        "they died": mods_sending.subject(version=2, death_date="2026-03-20"),
        "the stay ended": stay(2, left="2026-03-20T10:00:00Z"),
        # A stay that never was says nothing, so that the home has a record of the person is what counts.
        "the line was an error": stay(2, status="entered_in_error"),
    }
    lives_there(tmp_path, gone[way])
    assert why(mods_sending.PERSON, MANAGER) == ("involved" if way == "the line was an error" else "ended")


def test_who_comes_back_is_seen_again(tmp_path: Path) -> None:
    lives_there(tmp_path, mods_sending.subject(), stay(2, left="2026-03-01"))
    assert why(mods_sending.PERSON, MANAGER) == "ended"
    back = mods_sending.line("Stay", "Stay-2", {"admitted_at": "2026-04-02"})
    lives_there(tmp_path, back, at=AT + 3 * DAY)
    assert why(mods_sending.PERSON, MANAGER, TODAY + 3 * DAY) == "involved"


# -- a council, and who gives care for it -----------------------------------------------------------


def council(folder: Path, part: str, *rows: dict[str, str], at: datetime = AT) -> None:
    taken = sending.send(folder, sending.extract(part, rows), COUNCIL, at=at)
    assert not taken.quarantined, taken.reasons


def service(updated: str = "2026-03-30", **columns: str) -> dict[str, str]:
    row = {"service_id": "s1", "person_id": "7", "type": "Home care", "start_date": "2026-01-05"}
    return row | {"updated_at": f"{updated}T07:00:00Z", "provider_cqc_location_id": AGENCY} | columns


PERSON = f"{COUNCIL} person/7"


def test_a_council_sees_a_person_while_the_case_or_a_service_is_open(tmp_path: Path) -> None:
    council(tmp_path, "person", person_row("7", case_status="open"))
    assert why(PERSON, WORKER) == "involved"
    council(tmp_path, "service", service())
    council(tmp_path, "person", person_row("7", case_status="closed", updated_at="2026-03-31T06:00:00Z"))
    assert why(PERSON, WORKER, TODAY + 90 * DAY) == "involved", "the service goes on"
    council(tmp_path, "service", service("2026-03-31", end_date="2026-03-31"))
    assert why(PERSON, WORKER) == "involved"
    assert why(PERSON, WORKER, TODAY + DAY) == "recent"
    assert why(PERSON, WORKER, TODAY + 31 * DAY) == "ended"


def test_who_gives_a_service_for_the_council_sees_the_person_from_its_start_to_its_end(tmp_path: Path) -> None:
    council(tmp_path, "person", person_row("7", case_status="open"))
    assert why(PERSON, HOME_CARE) == "not_involved"
    council(tmp_path, "service", service(start_date="2026-04-06", end_date="2026-05-01"))
    found = [why(PERSON, HOME_CARE, date(2026, *day)) for day in ((4, 5), (4, 6), (5, 1), (5, 2))]
    assert found == ["not_involved", "involved", "involved", "ended"]
    council(tmp_path, "service", service("2026-04-10", start_date="2026-04-06"), at=AT + 10 * DAY)
    assert why(PERSON, HOME_CARE, date(2026, 6, 1)) == "involved", "it was extended"
    council(tmp_path, "service", service("2026-06-02", deleted="1"), at=AT + 63 * DAY)
    assert why(PERSON, HOME_CARE, TODAY + 64 * DAY) == "ended", "it was no service of this agency"


def test_a_service_that_was_another_persons_is_not_this_ones(tmp_path: Path) -> None:
    other = person_row("8", family_name="Ash", given_names="Bert", birth_date="1950-02-02")
    council(tmp_path, "person", person_row("7"), other)
    council(tmp_path, "service", service())
    council(tmp_path, "service", service("2026-03-31", person_id="8"))
    assert why(PERSON, HOME_CARE) == "ended"
    assert why(f"{COUNCIL} person/8", HOME_CARE) == "involved"


def test_a_provider_whom_the_directory_does_not_know_costs_nothing(tmp_path: Path) -> None:
    council(tmp_path, "service", service(provider_cqc_location_id="1-000"))
    council(tmp_path, "person", person_row("7"))
    assert why(PERSON, WORKER) == "involved"


# -- a hospital -------------------------------------------------------------------------------------


def test_a_ward_sees_who_lies_there_or_is_expected(tmp_path: Path) -> None:
    pid = adt_sending.PERSON.replace("MARLOWE^EDITH", "ASH^EDITH").replace("^^L~MARLOWE", "^^L~ASH")
    record = f"{adt_sending.HOSPITAL} RZZPAS/H4001001"

    def told(event: str, number: int, at: datetime, **when: str) -> None:
        sent = f"{at:%Y%m%d%H%M%S}"
        expected = when.pop("expected", "")
        segments = [adt_sending.pv1(**when)] + ([adt_sending.pv2(expected)] if expected else [])
        adt_sending.send(tmp_path, adt_sending.message(event, number, sent, *segments, pid=pid), at=at)

    adt_sending.send(tmp_path, adt_sending.message("A28", 1, "20260331110000", pid=pid))
    assert [why(record, WARD, TODAY + n * DAY) for n in (0, 31)] == ["recent", "ended"], "a number is no care"
    told("A05", 2, AT, expected="202604201000")
    assert why(record, WARD, date(2026, 4, 20)) == "involved"
    assert why(record, WARD, date(2026, 6, 1)) == "ended", "they did not come"
    came = AT + 20 * DAY
    told("A01", 3, came, admitted=f"{came:%Y%m%d%H%M%S}")
    assert why(record, WARD, date(2026, 6, 1)) == "involved", "they lie there until they are discharged"
    left = AT + 30 * DAY
    stamp = f"{left:%Y%m%d%H%M%S}"
    told("A03", 4, left, admitted=f"{came:%Y%m%d%H%M%S}", left=stamp)
    assert [why(record, WARD, left.date() + n * DAY) for n in (0, 1, 31)] == ["involved", "recent", "ended"]


# -- a practice ---------------------------------------------------------------------------------------


def test_a_practice_sees_who_is_registered(tmp_path: Path) -> None:
    record = f"{GP} Patient/p"

    def send(*resources: sending.Resource, at: datetime = AT) -> None:
        taken = sending.send(tmp_path, sending.bundle(resources), GP, at=at)
        assert not taken.quarantined, taken.reasons

    def registered(updated: str, **said: Any) -> sending.Resource:
        episode = {"resourceType": "EpisodeOfCare", "id": "e", "patient": {"reference": "Patient/p"}}
        return episode | {"meta": {"lastUpdated": updated}} | said

    person = sending.patient("p", family="Ash", given="Ann", born="1941-03-03", updated="2026-03-01T09:00:00Z")
    send(person, registered("2026-03-01T09:00:00Z", status="active", period={"start": "2020-01-01"}))
    assert why(record, DOCTOR) == "involved"
    over = {"start": "2020-01-01", "end": "2026-03-30"}
    send(registered("2026-03-31T09:00:00Z", status="finished", period=over))
    assert [why(record, DOCTOR, TODAY + n * DAY) for n in (0, 30)] == ["recent", "ended"]
    send(registered("2026-05-01T09:00:00Z", status="active"), at=AT + 31 * DAY)
    assert why(record, DOCTOR, TODAY + 31 * DAY) == "involved"
    inactive = person | {"active": False, "meta": {"lastUpdated": "2026-06-01T09:00:00Z"}}
    send(inactive, at=AT + 62 * DAY)
    assert [why(record, DOCTOR, TODAY + n * DAY) for n in (62, 63)] == ["involved", "recent"]


def test_another_sources_word_of_a_death_shuts_nobody_out(tmp_path: Path) -> None:
    number = sending.nhs_number(1)
    lives_there(tmp_path, mods_sending.subject())
    dead = sending.patient("p", number, "Ash", "Ann", "1941-03-03") | {"deceasedDateTime": "2026-03-20"}
    sending.send(tmp_path, sending.bundle([dead]), GP)
    assert person_of(f"{GP} Patient/p") == person_of(mods_sending.PERSON)
    assert why(mods_sending.PERSON, MANAGER) == "involved"
    assert why(mods_sending.PERSON, DOCTOR) == "recent"


# -- what is held ---------------------------------------------------------------------------------------


def test_what_an_earlier_version_took_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def relate_once(submission_id: int, source_id: int, day: date, records: set[int], *_: object) -> None:
        """As it was: whoever holds a record of somebody is involved for ever."""
        ((sender,),) = select("SELECT organisation_id FROM record_source WHERE id = %s", [source_id])
        known = set(Relationship.objects.values_list("record_id", flat=True))
        said = {"organisation_id": sender, "submission_id": submission_id, "basis": "holds_record", "from_date": day}
        for record in sorted(records - known):
            Relationship.objects.create(record_id=record, **said)

    gone = {"period": {"end": "2026-03-01"}, "patient": {"reference": "Patient/p"}, "status": "finished"}
    with monkeypatch.context() as earlier:
        earlier.setattr(staging, "stage_care", lambda *_: Heard(set()))
        earlier.setattr(staging, "relate", relate_once)
        lives_there(tmp_path, mods_sending.subject(), stay(2, left="2026-03-01"))
        council(tmp_path, "person", person_row("7", case_status="closed", updated_at="2026-02-01T06:00:00Z"))
        council(tmp_path, "service", service())
        left = sending.patient("p", family="Ash", given="Pat", born="1950-05-05")
        sending.send(tmp_path, sending.ndjson([left, {"resourceType": "EpisodeOfCare", "id": "e"} | gone]), GP)
    asked = (
        (mods_sending.PERSON, MANAGER), (PERSON, WORKER), (PERSON, HOME_CARE), (f"{GP} Patient/p", DOCTOR)
    )  # fmt: skip
    assert [why(*each) for each in asked] == ["involved", "involved", "not_involved", "involved"]
    assert reread_care(actor=ACTOR, at=AT) == 3
    assert [why(*each) for each in asked] == ["ended", "involved", "involved", "recent"]
    written = Relationship.objects.count()
    assert reread_care(actor=ACTOR, at=AT) == 0 and Relationship.objects.count() == written
