"""What tests of ADT share: messages made from a few words, and what the record then says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from joinery.apps.place.actions import OrganisationDetails, register_organisation
from joinery.apps.record import facts
from joinery.apps.record.actions import Taken, take_file
from joinery.calc.access import Post
from tests.apps.record.sending import ACTOR, AT, opened, person_of

HOSPITAL = "RZZ"
POST = Post("gp", HOSPITAL)

# One visit of an invented person: in, moved, changed, out, and not out after all.
PERSON = (
    "PID|1||9990001014^^^NHS~H4001001^^^RZZPAS||MARLOWE^EDITH^ROSE^^MRS^^L~MARLOWE^EDIE^^^^^PREFERRED||19400229|2|||"
    r"Flat 2 \T\ 3^The Maltings^EXAMPLETOWN^^ZZ99 3AA^GBR^H||01632960101^PRN^PH||en|W||||||A||||||||N||NSTS01"
)


def register() -> None:
    """Register the hospital that tests send from."""
    register_organisation(
        details=OrganisationDetails(HOSPITAL, "Example Hospital", "health_service"), actor=ACTOR, at=AT
    )


def message(
    event: str, number: int, sent: str, *segments: str, happened: str = "", pid: str = PERSON, control: str = ""
) -> bytes:
    """A message of the ITK profile; `sent` and `happened` as HL7 writes times."""
    head = rf"MSH|^~\&|PAS|RZZ|ROUTE|ROUTE|{sent}||ADT^{event}|{control or f'RZZ{number:010}'}|P|2.4|||||GBR|UNICODE"
    return "\r".join([head, f"EVN||{sent}||||{happened or sent}", pid, *segments]).encode()


def pv1(
    place: str = "AMU^RZZAMU^B04^RZZ01", visit: str = "V900101", *, prior: str = "", admitted: str = "", left: str = ""
) -> str:
    """A PV1 with a place, a visit number, and when the patient came and left."""
    fields = ["PV1", "1", "I", place, "", "", prior, *[""] * 30, *[""] * 10]
    fields[19] = f"{visit}^^^RZZPAS"
    fields[44], fields[45:] = admitted, [left]
    return "|".join(fields)


def pv2(expected: str) -> str:
    return f"PV2|||||||||{expected}"


AMU, W7 = "AMU^RZZAMU^B04^RZZ01", "W7^RZZW7^BAY2-06^RZZ01"
CAME = "20261105141000"
# An admission, a move that was sent late, an update, a discharge, and its cancellation.
STORY = (
    message("A01", 101, "20261105143512", pv1(AMU, admitted=CAME), pv2("202611100000"), happened=CAME),
    message("A02", 127, "20261105231004", pv1(W7, prior=AMU, admitted=CAME), happened="20261105224500"),
    message("A08", 188, "20261109101500", pv1(W7, admitted=CAME), pv2("202611121200"), happened="20261109100000"),
    message("A03", 240, "20261112153001", pv1(W7, admitted=CAME, left="20261112150500"), happened="20261112150500"),
    message("A13", 243, "20261112154810", pv1(W7, admitted=CAME, left='""'), happened="20261112154000"),
)


def file_of(messages: Iterable[bytes]) -> bytes:
    return b"\r\n".join(messages) + b"\r"


def send(folder: Path, *messages: bytes, content: bytes = b"", at: datetime = AT) -> Taken:
    """Take a file of these messages, or with this content; its rows must add up."""
    path = folder / "messages.hl7"
    path.write_bytes(content or file_of(messages))
    taken = take_file(path=path, feed="adt", organisation_code=HOSPITAL, actor=ACTOR, at=at)
    assert taken.rows == taken.taken + taken.unchanged + taken.superseded + taken.quarantined
    return taken


def where(local: str = "RZZPAS/H4001001", at: datetime = AT) -> facts.Whereabouts:
    """Where the person is whom a number of the hospital is about."""
    viewing, records = opened(person_of(f"{HOSPITAL} {local}"), POST)
    viewing = replace(viewing, at=at)
    return facts.whereabouts(viewing, records, facts.freshness(viewing, records))


def titles(local: str = "RZZPAS/H4001001") -> list[str]:
    """The timeline of that person, newest first."""
    viewing, records = opened(person_of(f"{HOSPITAL} {local}"), POST)
    return [line.title for line in facts.timeline_page(viewing, records, limit=200).lines]


def in_beds() -> list[tuple[str, str]]:
    """Ward and bed of everybody who lies in one."""
    return [(bed.ward, bed.bed) for bed in facts.beds()]


def banner(local: str = "RZZPAS/H4001001") -> Any:
    viewing, records = opened(person_of(f"{HOSPITAL} {local}"), POST)
    return facts.banner(viewing, records)


def safety(local: str = "RZZPAS/H4001001") -> Any:
    """The allergies of that person, as a page shows them."""
    viewing, records = opened(person_of(f"{HOSPITAL} {local}"), POST)
    return facts.safety(viewing, records, facts.freshness(viewing, records))[0]


def lines(local: str = "RZZPAS/H4001001") -> list[tuple[str, str]]:
    """Kind and title of each line of the timeline, newest first."""
    viewing, records = opened(person_of(f"{HOSPITAL} {local}"), POST)
    return [(line.kind_text, line.title) for line in facts.timeline_page(viewing, records, limit=200).lines]
