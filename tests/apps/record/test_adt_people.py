"""What a hospital says of a person beside where they are: allergies, next of kin, GP practice."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from django.db import transaction

from joinery.apps.record import facts
from tests.apps.record import adt_sending as adt
from tests.apps.record.adt_sending import AMU, CAME, STORY, W7, message, pv1, send
from tests.apps.record.sending import AT, ends, opened, person_of, quarantine

pytestmark = pytest.mark.django_db
PENICILLIN = "AL1|1|DA|91936005^Allergy to penicillin^SCT|5|RASH|20010612"
NUTS = "AL1|2|FA|^Nuts"
KIN = "NK1|1|MARLOWE^SAM^^^MR^^L|9||07700900102^PRS^CP"
PRACTICE = "PD1|||MALTINGS SURGERY^^Z99001"


@pytest.fixture(autouse=True)
def _registered(db: None) -> None:
    adt.register()


def admitted(*segments: str) -> bytes:
    return b"\r".join([STORY[0], *(each.encode() for each in segments)])


def update(number: int, *segments: str, event: str = "A08") -> bytes:
    return message(event, number, f"202611{number:02}101500", pv1(AMU, admitted=CAME), *segments)


def stated() -> dict[str, str]:
    """Each allergy on the banner, and the small print beside it."""
    return {item.text: item.stated[0].detail for item in adt.safety().items}


def test_an_allergy_is_on_the_banner_with_reaction_severity_and_day(tmp_path: Path) -> None:
    assert ends(send(tmp_path, admitted(PENICILLIN, NUTS))) == (1, 0, 0, 0)
    section = adt.safety()
    assert (section.heading, section.state) == ("Allergies", "present")
    assert stated() == {
        "Allergy to penicillin": "Rash. Severity: moderate. Kind: medicine",
        "Nuts": "Kind: food",
    }
    (said,) = next(item for item in section.items if "penicillin" in item.text).stated
    assert (said.source_name, f"{said.stated_at:%Y-%m-%d}", said.precision) == ("Example Hospital", "2001-06-12", "day")


@pytest.mark.parametrize("event", ["A08", "A31"])
def test_an_update_without_allergies_deletes_none_and_says_that_they_are_not_restated(
    event: str, tmp_path: Path
) -> None:
    send(tmp_path, admitted(PENICILLIN))
    send(tmp_path, STORY[1])  # a transfer never states allergies, and so is not silent about them
    assert "Not restated" not in stated()["Allergy to penicillin"]
    send(tmp_path, update(9, event=event), update(10, event=event))
    assert stated()["Allergy to penicillin"].endswith("Not restated since 9 November 2026")
    send(tmp_path, update(11, PENICILLIN, event=event))
    assert "Not restated" not in stated()["Allergy to penicillin"]


def test_a_null_deletes_the_allergies_stated_before_it_in_whatever_order(tmp_path: Path) -> None:
    told = (admitted(PENICILLIN), update(9, 'AL1|1||""', NUTS), update(8, PENICILLIN, event="A31"))
    for order in permutations(told):
        with transaction.atomic():
            for each in order:
                assert ends(send(tmp_path, each)) == (1, 0, 0, 0)
            assert list(stated()) == ["Nuts"]
            assert ("Allergy", "Allergy to penicillin") not in adt.lines()
            transaction.set_rollback(True)


def test_the_code_is_the_allergy_and_its_text_may_be_reworded(tmp_path: Path) -> None:
    send(tmp_path, admitted(PENICILLIN), update(9, PENICILLIN.replace("Allergy to penicillin", "Penicillin allergy")))
    assert list(stated()) == ["Penicillin allergy"]


def test_that_none_is_known_is_said_as_such_and_ends_with_the_first_allergy(tmp_path: Path) -> None:
    send(tmp_path, admitted("AL1|1||716186003^No known allergies^SCT"))
    section = adt.safety()
    assert (section.state, section.statements[0].source_name) == ("asserted_none", "Example Hospital")
    send(tmp_path, update(9, NUTS))
    assert (adt.safety().state, list(stated()), adt.safety().statements) == ("present", ["Nuts"], ())


def test_silence_about_allergies_is_never_shown_as_none(tmp_path: Path) -> None:
    send(tmp_path, *STORY)
    assert (adt.safety().state, adt.safety().items) == ("not_received", ())


def test_an_allergy_without_code_or_text_is_quarantined_and_the_page_says_that_something_was_unread(
    tmp_path: Path,
) -> None:
    send(tmp_path, STORY[0])
    assert ends(send(tmp_path, update(9, "AL1|1|DA||5|RASH"))) == (0, 0, 0, 1)
    assert [reason["rule"] for _, reasons in quarantine() for reason in reasons] == ["required"]
    assert adt.safety().unread == ("Example Hospital",)


def test_a_day_that_cannot_be_read_does_not_keep_an_allergy_back(tmp_path: Path) -> None:
    send(tmp_path, admitted(PENICILLIN.replace("20010612", "long ago")))
    assert list(stated()) == ["Allergy to penicillin"]


def test_a_line_of_an_allergy_leads_to_the_message_that_says_it(tmp_path: Path) -> None:
    send(tmp_path, admitted(PENICILLIN))
    viewing, records = opened(person_of("RZZ RZZPAS/H4001001"), adt.POST)
    (line,) = [x for x in facts.timeline_page(viewing, records, limit=200).lines if x.kind_text == "Allergy"]
    origin = facts.origin(viewing, records, line.entry_id)
    assert origin is not None
    assert PENICILLIN in origin.original
    assert origin.original_format == "HL7 v2 message"


def test_kin_and_practice_are_lines_replaced_and_deleted_as_lists_are(tmp_path: Path) -> None:
    send(tmp_path, admitted(PRACTICE, KIN))
    kin, practice = (
        ("Next of kin or contact", "MR SAM MARLOWE, child, 07700900102"),
        ("GP practice", "MALTINGS SURGERY (Z99001)"),
    )
    assert {kin, practice} <= set(adt.lines())
    send(tmp_path, update(9))
    assert {kin, practice} <= set(adt.lines())
    send(tmp_path, update(10, 'PD1|||""', "NK1|1|OAK^ANN|20"))
    assert not {kin, practice} & set(adt.lines())
    assert ("Next of kin or contact", "ANN OAK, carer") in adt.lines()


@pytest.mark.parametrize("hiding", ["ZU8||1|Yes|1", "ZU8||1|Yes|2", "PV1-16"])
def test_who_hides_where_they_live_has_no_kin_practice_or_address_on_any_page(hiding: str, tmp_path: Path) -> None:
    send(tmp_path, admitted(PRACTICE, KIN))
    fields = pv1(W7, admitted=CAME).split("|")
    fields[16] = "S" if hiding == "PV1-16" else ""
    hides = message("A08", 9, "20261109101500", "|".join(fields), *([hiding] if hiding != "PV1-16" else []))
    send(tmp_path, hides, at=AT)
    assert {kind for kind, _ in adt.lines()} == {"Admission"}  # not even for the hospital's own people
    assert adt.banner().address_lines == ()
    viewing, records = opened(person_of("RZZ RZZPAS/H4001001"), adt.POST)
    (line,) = facts.timeline_page(viewing, records, limit=200).lines
    original = facts.origin(viewing, records, line.entry_id)
    assert original is not None
    assert "MARLOWE" in original.original
    for hidden in ("Maltings", "01632960101", "SAM", "MALTINGS SURGERY"):
        assert hidden not in original.original


def test_marks_inside_a_name_come_through_as_they_were_meant(tmp_path: Path) -> None:
    name = rb"O\T\B\R\C\E\D\Q\ C:\dir"
    send(tmp_path, STORY[0].replace(b"MARLOWE^EDITH", name + b"^EDITH"))
    assert adt.banner().name.startswith(r"O&B~C\D\Q\ C:\DIR, EDITH")
