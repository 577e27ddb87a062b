"""What a message says of the person: by which number they are known, names, dates, address.

A field that is empty says nothing, a null deletes; a list that is filled replaces the list before it.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from joinery.apps.record.adt.definition import Profile, definition
from joinery.apps.record.adt.er7 import NULL, Segment, plain_time
from joinery.apps.record.rows import DetailsRow
from joinery.calc.units import parse_nhs_number

if TYPE_CHECKING:
    from joinery.apps.record.adt.message import Reading

Said = dict[str, str | list[str]]
# A date of birth that was estimated or is a default. Source: HL7 table 0445 in ITK.
_UNSURE = {"ED", "UD"}
# The name that a person goes by, the best first; and where they live. Source: HL7 tables 0200 and 0190; D and CURRENT,
# L and HOME are what Epic and Cerner send in England.
_NAME_TYPES = ("L", "", "D", "CURRENT", "U", "A")
_HOME_TYPES = ("H", "", "HOME", "P", "L")
# Numbers of a visit or an account, which some send beside those of the person. Source: HL7 table 0203.
_NO_PERSON = {"VN", "AN"}
_HIDDEN = {"ZU8": {"1", "2"}, "PV1": {"S", "Y"}}


def local_id(segment: Segment, profile: Profile, field: int = 3) -> str:
    """The number by which the sender knows the patient, as `authority/number`; empty when there is none.

    The order of repetitions means nothing: of several the profile's authority is taken, or else the first
    by the alphabet. The NHS number serves where the sender has no number of its own, and then that of a visit.
    """
    found = []
    for repetition in segment.repeats(field):
        number, authority = segment.component(repetition, 1), segment.component(repetition, 4) or ""
        if number:
            rank = (
                segment.component(repetition, 5) in _NO_PERSON,
                _is_national(segment, repetition, profile),
                authority != profile.local_authority,
            )
            found.append((rank, f"{authority}/{number}"))
    return min(found)[1] if found else ""


def _is_national(segment: Segment, repetition: str, profile: Profile) -> bool:
    """Whether a number is an NHS number, by who gave it or by its type."""
    authority, kind = segment.component(repetition, 4), segment.component(repetition, 5)
    return authority in profile.nhs_authorities or kind in profile.nhs_types


def person_said(reading: Reading, pid: Segment, pv1: Segment | None) -> Said:
    """What is said of the person, by name; empty text for what is deleted."""
    said: Said = {}
    if number := _nhs_number(pid, reading.profile):
        said["nhs_number"] = number
    reliability = {pid.component(r, 1) or "" for r in pid.repeats(32)}
    if status := max((r for r in reliability if r.startswith("NSTS")), default=""):
        said["nhs_status"] = status[4:6]
    said |= _names(pid)
    if pid.text(7) == "":
        said["born"] = ""
    elif born := reading.time(pid, 7):
        exact = born.precision in ("day", "minute") and not reliability & _UNSURE
        # Written as it stands: an hour of the night must not move it to the day before.
        said["born"] = _day(pid.text(7) or "") if exact else ""
    if (gender := pid.text(8)) is not None:
        said["gender"] = definition().gender.get(gender.upper(), "unknown") if gender else ""
    if pid.raw(11):
        said["address"] = _address(pid)
    if pid.text(29) == "":
        said["died"] = ""
    elif died := reading.time(pid, 29):
        said["died"] = _day(pid.text(29) or "") if died.precision in ("day", "minute") else ""
        said["dead"] = "Y"  # a time of death without the indicator is a death too
    if (dead := pid.text(30)) is not None and not said.get("died"):
        said["dead"] = "Y" if dead.upper() in definition().dead else ""
    for name, segment, field in (("ZU8", reading.message.first("ZU8"), 4), ("PV1", pv1, 16)):
        if segment and (code := segment.text(field)) is not None:
            said[f"hidden_{name}"] = "1" if code in _HIDDEN[name] else ""
    return said | _contacts(reading)


def is_hidden(said: Said) -> bool:
    """Whether address, telephones, next of kin and GP are hidden from all. Source: ITK, PV1-16 and ZU8-4."""
    return bool(said.get("hidden_ZU8") or said.get("hidden_PV1"))


def details_of(said: Said) -> DetailsRow:
    """The last word on everything about a person as details; a hidden address is not kept in them."""
    hidden = is_hidden(said)

    def text(name: str, most: int = 200) -> str:
        value = said.get(name, "")
        return value[:most] if isinstance(value, str) else ""

    return DetailsRow(
        nhs_number=text("nhs_number"),
        nhs_number_status=text("nhs_status", 2),
        family_name=text("family"),
        given_name=text("given"),
        title=text("title", 40),
        preferred_name=text("preferred"),
        birth_date=date.fromisoformat(text("born")) if said.get("born") else None,
        death_date=date.fromisoformat(text("died")) if said.get("died") else None,
        dead=bool(said.get("dead") or said.get("died")),
        gender=text("gender", 20),
        address=() if hidden else tuple(said.get("address") or ()),
        restricted=hidden,
    )


def _nhs_number(pid: Segment, profile: Profile) -> str:
    for repetition in pid.repeats(3):
        if _is_national(pid, repetition, profile):
            number = parse_nhs_number(pid.component(repetition, 1) or "")
            if number:
                return number
    return (parse_nhs_number(pid.text(2) or "") or "") if profile.nhs_number_in_pid2 else ""


def _names(pid: Segment) -> Said:
    """The name that the person goes by, and the preferred one."""
    by_type: dict[str, str] = {}
    for repetition in pid.repeats(5):
        by_type.setdefault((pid.component(repetition, 7) or "").upper(), repetition)
    legal = next((by_type[kind] for kind in _NAME_TYPES if kind in by_type), "")
    said: Said = {}
    if legal:
        given = [pid.component(legal, n) for n in (2, 3)]
        said["family"] = pid.component(legal, 1) or ""
        said["given"] = " ".join(filter(None, given))
        said["title"] = pid.component(legal, 5) or ""
        preferred = by_type.get("PREFERRED", "")
        said["preferred"] = (pid.component(preferred, 2) or "") if preferred else ""
    return said


def _contacts(reading: Reading) -> Said:
    """Next of kin and others (NK1) and the GP practice (PD1-3), in words."""
    said: Said = {}
    kin = reading.message.by_name.get("NK1", [])
    if kin:
        said["kin"] = [words for each in kin if (words := _kin(each))]
    pd1 = reading.message.first("PD1")
    if pd1 and pd1.raw(3):
        name, code = pd1.text(3) or "", pd1.text(3, 3) or ""
        said["practice"] = f"{name} ({code})" if name and code else name or code
    return said


def _kin(nk1: Segment) -> str:
    name = " ".join(filter(None, (nk1.text(2, n) for n in (5, 2, 1))))
    telephones = [t for r in nk1.repeats(5) if (t := nk1.component(r, 1))]
    return ", ".join(filter(None, (name, definition().relationships.get(nk1.text(3) or ""), *telephones)))


def _address(pid: Segment) -> list[str]:
    """The home address; empty when there is none, for the list is whole."""
    by_type: dict[str, str] = {}
    for repetition in pid.repeats(11):
        by_type.setdefault((pid.component(repetition, 7) or "").upper(), repetition)
    home = next((by_type[kind] for kind in _HOME_TYPES if kind in by_type), "")
    if home in ("", NULL):
        return []
    return [line for n in range(1, 6) if (line := pid.component(home, n))]


def _day(text: str) -> str:
    text = plain_time(text)
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
