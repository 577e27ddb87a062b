"""A hospital's messages end, in whatever order and however often, as what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from django.db import transaction

from joinery.apps.base.columns import select
from joinery.apps.record import facts
from joinery.apps.record.actions import unmerge
from joinery.calc.access import Post
from tests.apps.record import adt_sending as adt
from tests.apps.record import sending
from tests.apps.record.adt_sending import AMU, STORY, W7, message, pv1, send
from tests.apps.record.sending import ACTOR, AT, ends, holds, person_of, quarantine, together

pytestmark = pytest.mark.django_db
H1, H2 = "RZZPAS/H1", "RZZPAS/H2"


@pytest.fixture(autouse=True)
def _registered(db: None) -> None:
    adt.register()


def pid(local: str, number: str = "", family: str = "ASH", born: str = "19500102", rest: str = "") -> str:
    nhs = f"~{number}^^^NHS" if number else ""
    return f"PID|1||{local}^^^RZZPAS{nhs}||{family}^ANN^^^^^L||{born}|2{rest}"


def test_the_story_of_a_visit_is_told_on_the_page(tmp_path: Path) -> None:
    assert ends(send(tmp_path, *STORY)) == (5, 0, 0, 0)
    now = adt.where()
    (stay,) = now.stays
    assert (now.state, stay.where, stay.overdue) == ("present", "RZZW7, bed BAY2-06", False)
    assert f"{stay.since_at:%d %H:%M} {stay.expected_at:%d %H:%M}" == "05 22:45 12 12:00"
    assert adt.titles() == [
        "Expected to leave 12 November 2026",
        "Moved to RZZW7, bed BAY2-06",
        "Admitted to RZZAMU, bed B04",
    ]
    who = adt.banner()
    assert (who.name, who.preferred_name, who.nhs_number) == ("MARLOWE, EDITH ROSE", "EDIE", "9990001014")
    assert who.address_lines[0] == "Flat 2 & 3"


def test_every_order_of_the_story_one_file_each_ends_the_same(tmp_path: Path) -> None:
    seen = set()
    for number, order in enumerate(permutations(STORY)):
        if number % 5:  # every fifth order here, all 120 in tests/calc
            continue
        with transaction.atomic():
            for each in order:
                assert ends(send(tmp_path, each)) == (1, 0, 0, 0)
            seen.add((repr(adt.where().stays), tuple(adt.titles()), repr(adt.banner().address_lines)))
            transaction.set_rollback(True)
    assert len(seen) == 1


def test_twice_is_once(tmp_path: Path) -> None:
    send(tmp_path, *STORY)
    before = holds()
    assert ends(send(tmp_path, *STORY[::-1])) == (0, 5, 0, 0)
    assert ends(send(tmp_path, STORY[0], STORY[0])) == (0, 2, 0, 0)
    assert holds() == before


def test_another_message_under_a_control_id_that_was_used_is_kept_beside_the_first(tmp_path: Path) -> None:
    send(tmp_path, STORY[0])
    again = message("A02", 101, "20261106080000", pv1(W7))
    assert ends(send(tmp_path, again, STORY[0])) == (1, 1, 0, 0)
    assert adt.in_beds() == [("RZZW7", "BAY2-06")]


@pytest.mark.parametrize("event", ["A34", "A36", "A47"])
def test_what_other_senders_send_for_a_merge_and_a_new_number_is_one_too(event: str, tmp_path: Path) -> None:
    first = message("A01", 1, "20261101100000", pv1(visit="V1"), pid=pid("H1", born="19500102"))
    send(tmp_path, first, message(event, 3, "20261102090000", "MRG|H1^^^RZZPAS", pid=pid("H2", born="19500102")))
    assert adt.where(H2).stays[0].where == "RZZAMU, bed B04"


def test_a_discharge_takes_the_person_out_of_the_bed_and_its_line_goes_when_it_is_cancelled(tmp_path: Path) -> None:
    send(tmp_path, *STORY[:4])
    assert adt.where().state == "none_recorded"
    assert adt.in_beds() == []
    assert adt.titles()[0] == "Discharged from RZZW7, bed BAY2-06"
    send(tmp_path, STORY[4])
    assert adt.in_beds() == [("RZZW7", "BAY2-06")]
    assert not [title for title in adt.titles() if "Discharged" in title]


def test_a_cancelled_admission_never_happened_and_its_number_may_be_used_again(tmp_path: Path) -> None:
    send(tmp_path, STORY[0], message("A11", 102, "20261105150000", pv1()))
    assert (adt.titles(), adt.in_beds(), adt.where().state) == ([], [], "none_recorded")
    send(tmp_path, message("A01", 103, "20261105160000", pv1(W7, admitted="20261105160000")))
    assert adt.titles() == ["Admitted to RZZW7, bed BAY2-06"]


def test_an_update_alone_shows_a_stay_whose_admission_did_not_come(tmp_path: Path) -> None:
    send(tmp_path, STORY[2])
    (stay,) = adt.where().stays
    assert stay.where == "RZZW7, bed BAY2-06"
    assert any("admission itself was not received" in note for note in stay.notes)


def test_two_open_stays_are_both_shown(tmp_path: Path) -> None:
    send(tmp_path, STORY[0], message("A01", 300, "20261106100000", pv1(W7, visit="V2")))
    assert len(adt.where().stays) == 2


def test_a_merge_brings_two_numbers_together_in_either_order_and_can_be_taken_back(tmp_path: Path) -> None:
    first = message("A01", 1, "20261101100000", pv1(visit="V1"), pid=pid("H1", born="19500102"))
    other = message("A28", 2, "20261101110000", pid=pid("H2", "9990002029", born="19510304"))
    merge = message("A40", 3, "20261102090000", "MRG|H1^^^RZZPAS", pid=pid("H2", "9990002029", born="19510304"))
    late = message("A02", 4, "20261103090000", pv1(W7, visit="V1"), pid=pid("H1", born="19500102"))
    one = {frozenset({f"RZZ {H1}", f"RZZ {H2}"})}
    for order in permutations([first, other, merge, late]):
        with transaction.atomic():
            for each in order:
                send(tmp_path, each)
            assert together() == one
            assert adt.where(H2).stays[0].where == "RZZW7, bed BAY2-06"
            assert adt.banner(H1).birth_date.year == 1951
            transaction.set_rollback(True)
    send(tmp_path, first, other)
    apart, whose = together(), person_of(f"RZZ {H1}")
    send(tmp_path, merge, late)
    assert together() == one
    later = AT.replace(year=2027)
    unmerge(organisation_code="RZZ", local_id=H1, actor=ACTOR, at=later)
    (source,) = facts.feed_sources(later)
    assert (source.last_at, source.late) == (AT, True)  # it is not the hospital that sent something
    assert together() == apart
    assert person_of(f"RZZ {H1}") == whose
    assert adt.where(H1).stays[0].where == "RZZW7, bed BAY2-06"


def test_merges_in_a_circle_leave_everybody_findable(tmp_path: Path) -> None:
    people = [message("A28", n, f"2026110{n}100000", pid=pid(f"H{n}")) for n in (1, 2, 3)]
    merges = [
        message("A40", 10 + n, f"2026110{n + 3}100000", f"MRG|H{losing}^^^RZZPAS", pid=pid(f"H{into}"))
        for n, (losing, into) in enumerate([(1, 2), (2, 3), (3, 1)])
    ]
    for order in permutations(merges):
        with transaction.atomic():
            send(tmp_path, *people)
            for each in order:
                assert ends(send(tmp_path, each)) == (1, 0, 0, 0)
            assert together() == {frozenset({f"RZZ RZZPAS/H{n}" for n in (1, 2, 3)})}
            transaction.set_rollback(True)


def test_the_census_of_a_midnight_stays_as_it_was_known_and_is_corrected_beside_that(tmp_path: Path) -> None:
    midnight = datetime(2026, 11, 6, tzinfo=UTC)
    send(tmp_path, STORY[0], at=midnight - timedelta(hours=9))
    in_other = message("A01", 1, "20261105120000", pv1(W7, visit="V2", admitted="20261105120000"), pid=pid("H2"))
    send(tmp_path, in_other, at=midnight - timedelta(hours=9))
    left = message("A03", 2, "20261106090000", pv1(W7, visit="V2", left="20261105230000"), happened="20261105230000",
                   pid=pid("H2"))  # fmt: skip
    send(tmp_path, STORY[1], left, at=midnight + timedelta(hours=9))  # both happened before midnight
    ((hospital,),) = select("SELECT DISTINCT organisation_id FROM record_source", [])

    def wards(known_at: datetime, at: datetime = midnight) -> dict[str, int]:
        return {place.ward: count for place, count in facts.census(hospital, at, known_at).items()}

    assert wards(midnight) == {"RZZAMU": 1, "RZZW7": 1}
    assert wards(midnight + timedelta(days=1)) == {"RZZW7": 1}
    assert wards(midnight) == {"RZZAMU": 1, "RZZW7": 1}  # the frozen figure, still
    assert wards(midnight + timedelta(days=1), midnight - timedelta(hours=2)) == {"RZZAMU": 1, "RZZW7": 1}


@pytest.mark.parametrize("correction", ["A45", "A11 and A01"])
def test_a_visit_that_stood_under_a_wrong_patient_is_listed_for_privacy(correction: str, tmp_path: Path) -> None:
    send(tmp_path, message("A01", 1, "20261101100000", pv1(), pid=pid("H1")))
    assert facts.misfiled() == ()
    oak = pid("H2", family="OAK")
    if correction == "A45":
        right = [message("A45", 3, "20261101110000", pv1(), pid=oak)]
    else:
        right = [message("A11", 2, "20261101110000", pv1(), pid=pid("H1"))]
        right += [message("A01", 3, "20261101110500", pv1(), pid=oak)]
    for number, each in enumerate(right, start=1):
        send(tmp_path, each, at=AT + timedelta(hours=number))
    assert len(adt.where(H2).stays) == 1
    assert adt.where(H1).state == "none_recorded"
    (found,) = facts.misfiled()
    assert (found.hospital, found.wrong_person_id, found.person_id) == (
        "RZZ", person_of(f"RZZ {H1}"), person_of(f"RZZ {H2}"),
    )  # fmt: skip
    assert (found.from_at, found.until_at) == (AT, AT + timedelta(hours=len(right)))


def test_a_visit_that_a_merge_moved_was_never_under_a_wrong_patient(tmp_path: Path) -> None:
    send(tmp_path, message("A01", 1, "20261101100000", pv1(), pid=pid("H1")))
    send(tmp_path, message("A28", 2, "20261101110000", pid=pid("H2")))
    send(tmp_path, message("A40", 3, "20261102090000", "MRG|H1^^^RZZPAS", pid=pid("H2")))
    send(tmp_path, message("A02", 4, "20261103090000", pv1(W7), pid=pid("H2")))
    assert facts.misfiled() == ()


def test_a_visit_put_under_the_right_patient_leaves_the_wrong_one(tmp_path: Path) -> None:
    wrong = message("A01", 1, "20261101100000", pv1(), pid=pid("H1"))
    cancel = message("A11", 2, "20261101110000", pv1(), pid=pid("H1"))
    right = message("A01", 3, "20261101110000", pv1(), pid=pid("H2", family="OAK"))
    for order in permutations([wrong, cancel, right]):
        with transaction.atomic():
            for each in order:
                send(tmp_path, each)
            assert len(adt.where(H2).stays) == 1
            assert adt.where(H1).state == "none_recorded"
            assert adt.titles(H1) == []
            transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (STORY[0].replace(b"ADT^A01", b"ORU^R01"), "message-type"),
        (STORY[0].replace(b"ADT^A01", b"ADT^A99"), "event"),
        (STORY[0].replace(b"|P|2.4", b"|T|2.4"), "processing-id"),
        (STORY[0].replace(b"|RZZ0000000101|", b"||"), "required"),
        (STORY[0].replace(b"V900101", b""), "required"),
        (STORY[0].replace(b"9990001014^^^NHS~H4001001^^^RZZPAS", b""), "required"),
        (STORY[0].replace(b"19400229", b"19410229"), "time"),
        (STORY[0].replace(b"\rPID|", b"\rPIX|"), "segment"),
        (STORY[0].replace(b"\rPV1|", b"\rPVX|"), "segment"),
        (STORY[0].replace(b"EDIE", b"ED\0E"), "encoding"),
        (b"MSH", "header"),
        (b"MSH|abc|", "header"),
    ],
)
def test_what_cannot_be_taken_is_kept_with_where_rule_and_value(body: bytes, rule: str, tmp_path: Path) -> None:
    good = message("A28", 7, "20261101110000", pid=pid("H2"))
    assert ends(send(tmp_path, body, good)) == (1, 0, 0, 1)
    ((kept, reasons),) = quarantine()
    assert kept == body
    assert rule in {reason["rule"] for reason in reasons}
    assert all(reason["path"].startswith("message 1") and reason["message"] for reason in reasons)


def test_a_message_about_a_person_that_could_not_be_read_is_said_beside_where_they_are(tmp_path: Path) -> None:
    send(tmp_path, STORY[0])
    send(tmp_path, STORY[1].replace(b"20261105224500", b"5.11.2026"))
    assert adt.where().unread == ("Example Hospital",)
    send(tmp_path, STORY[1])
    assert adt.where().unread == ()


def test_who_hides_where_they_live_is_withheld_from_all_others(tmp_path: Path) -> None:
    sending.register()
    known = sending.patient("1", "9990001014", "Marlowe", "Edith", "1940-02-29")
    sending.send(tmp_path, sending.ndjson([known | {"address": [{"line": ["1 Elsewhere"]}]}]))
    send(tmp_path, STORY[0] + b"\rZU8||1|Yes|1")
    viewing, records = sending.opened(person_of("Z90001 Patient/1"), Post("gp", "Z90001"))
    who = facts.banner(viewing, records)
    assert (who.address_withheld, who.address_lines) == (True, ())
    now = facts.whereabouts(viewing, records, facts.freshness(viewing, records))
    assert (now.state, now.stays, now.heard_from) == ("withheld", (), ())
    lines = facts.timeline_page(viewing, records, limit=200).lines
    assert [(line.withheld, line.title) for line in lines] == [(True, "")]
    assert len(adt.where().stays) == 1


def test_a_hospital_that_is_silent_at_noon_is_late_sooner_than_at_night(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 9, 12, tzinfo=UTC)
    send(tmp_path, STORY[0])
    send(tmp_path, *STORY[1:], at=noon)
    for minutes, late in ((29, ()), (31, ("Example Hospital",))):
        assert adt.where(at=noon + timedelta(minutes=minutes)).late == late
    night = datetime(2026, 11, 10, 2, tzinfo=UTC)
    send(tmp_path, message("A01", 900, "20261110020000", pv1(visit="V9"), pid=pid("H9")), at=night)
    assert adt.where(at=night + timedelta(minutes=31)).late == ()
    assert adt.where(at=night + timedelta(hours=5, minutes=31)).late == ("Example Hospital",)


def test_beside_a_person_of_whom_no_hospital_has_spoken_nothing_is_said_to_be_so(tmp_path: Path) -> None:
    sending.register()
    sending.send(tmp_path, sending.ndjson([sending.patient("1", "9990002029", "Oak", "Ann", "1950-01-02")]))
    viewing, records = sending.opened(person_of("Z90001 Patient/1"))
    assert facts.whereabouts(viewing, records, ()).state == "not_connected"
    send(tmp_path, STORY[0])
    assert facts.whereabouts(viewing, records, ()).state == "not_received"


@pytest.mark.parametrize(
    ("rest", "dead", "died"),
    [
        ("|" * 22 + "N", False, None),
        ("|" * 22 + "Y", True, None),
        ("|" * 21 + "202611140415|Y", True, "2026-11-14"),
        ("|" * 21 + "202611140415", True, "2026-11-14"),
    ],
)
def test_death_comes_from_pid_alone(rest: str, dead: bool, died: str | None, tmp_path: Path) -> None:
    left = pv1(W7, left="20261112150500").split("|")
    left[36] = "4"
    send(tmp_path, message("A03", 5, "20261114080000", "|".join(left), pid=pid("H1", rest=rest)))
    who = adt.banner(H1)
    assert (who.dead, who.death_date and str(who.death_date)) == (dead, died)


def test_since_when_a_patient_is_medically_fit_stands_on_the_timeline(tmp_path: Path) -> None:
    fit = message("A08", 189, "20261109101500", pv1(W7), "ZU1" + "|" * 24 + "20261109", happened="20261109100000")
    send(tmp_path, *STORY[:2], fit)
    assert adt.titles()[0] == "Medically fit to leave since 9 November 2026"


def test_what_is_null_is_deleted_and_what_is_empty_is_left_alone(tmp_path: Path) -> None:
    send(tmp_path, message("A28", 1, "20261101100000", pid=pid("H1", rest="|||1 High St^^TOWN^^ZZ99 3AA")))
    send(tmp_path, message("A31", 2, "20261102100000", pid=pid("H1", born="")))
    assert adt.banner(H1).birth_date.year == 1950
    assert adt.banner(H1).address_lines[0] == "1 High St"
    send(tmp_path, message("A31", 3, "20261103100000", pid=pid("H1", rest='|||""')))
    assert adt.banner(H1).address_lines == ()


def test_a_place_named_by_an_update_moves_nobody_and_is_noted(tmp_path: Path) -> None:
    send(tmp_path, STORY[0], message("A08", 2, "20261106100000", pv1(W7)))
    (stay,) = adt.where().stays
    assert stay.where == "RZZAMU, bed B04"
    assert "A later update names another place." in stay.notes


def test_a_message_by_a_batch_by_frames_and_alone_is_the_same_message(tmp_path: Path) -> None:
    batch = b"FHS|^~\\&|PAS\rBHS|^~\\&|PAS\r" + STORY[0] + b"\r" + STORY[1] + b"\rBTS|2\rFTS|1\r"
    assert ends(send(tmp_path, content=batch)) == (2, 0, 0, 0)
    frames = b"".join(b"\x0b" + each + b"\r\x1c\r" for each in STORY[:2])
    assert ends(send(tmp_path, content=frames)) == (0, 2, 0, 0)
    lines = STORY[0].replace(b"\r", b"\n") + b"\n"
    assert ends(send(tmp_path, content=lines)) == (1, 0, 0, 0)  # other bytes, the same event
    assert adt.in_beds() == [("RZZW7", "BAY2-06")]
    assert AMU in STORY[1].decode()
