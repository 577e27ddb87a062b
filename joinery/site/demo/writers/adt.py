"""The hospital's messages: HL7 v2.4 ADT in the ITK profile, one file a day in the order in which they were sent.

A message is a `Record` whose body is its text, segments ended by CR; its key is the control id. The message that
registers a patient (A28) has the patient's number for its key instead, so that the truth knows who the number is.
Mistakes and their cancellations, late messages and merges are part of what a hospital tells (`resources`); what
goes wrong on the way is made by `adt_delivery.spoil`. The fields are ITK's (`definitions/feeds/adt.toml`).
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from joinery.site.demo import names
from joinery.site.demo.corruptor import NEVER_TOUCHED
from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import Event, definitions
from joinery.site.demo.writers import Book, Copy, Ids, Record, Window, episodes

SITE = "ZH101"
ADMISSION_WARD = "amu"
GENDERS = {"male": "1", "female": "2", "other": "9", "unknown": "0"}
ALLERGY_TYPES = {"medication": "DA", "food": "FA", "environment": "EA"}
# MSH-9 by event. Source: ITK.
STRUCTURES = {
    "A01": "ADT_A01", "A02": "ADT_A02", "A03": "ADT_A03", "A08": "ADT_A01", "A11": "ADT_A09", "A12": "ADT_A09",
    "A13": "ADT_A01", "A28": "ADT_A05", "A31": "ADT_A05", "A40": "ADT_A39",
}  # fmt: skip
WITH_ALLERGIES = {"A01", "A08", "A13", "A28", "A31"}
CANCELS = {"A11": "admitted_by_mistake", "A12": "moved_by_mistake", "A13": "discharged_by_mistake"}
NULL = '""'
REGISTERED = "Patient"  # kind of the record of an A28


class Bed(NamedTuple):
    """A bed in which a patient lies, half-open; `to_at` is None while they do."""

    ward: str
    bed: str
    from_at: datetime
    to_at: datetime | None

    def location(self) -> str:
        """As PV1-3: the ward in its first component, the site in its fourth."""
        return f"{_escaped(definitions('place')['wards'][self.ward])}^^{self.bed}^{SITE}"


class _Message(NamedTuple):
    """A message before it has a number. `key` makes its delays its own."""

    event: str
    person: int
    occurred: datetime
    recorded: datetime
    sent: datetime
    segments: list[str]
    patient: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """What is known of a visit when a message is sent about it."""

    number: str
    bed: Bed
    admitted: datetime
    method: str
    reason: str
    before: Bed | None = None
    expected: str = ""
    fit: str = ""
    phone: str | None = None  # None: as held; else what PID-13 says
    left: str = ""
    outcome: tuple[str, str] = ("", "")  # PV1-36, PV1-37


def patient_id(ids: Ids, person: int, number: int = 0) -> str:
    """The patient as the record knows them: assigning authority and number (PID-3)."""
    return f"{_authority(ids)}/{ids('patient', (person, number))}"


def resources(copies: list[Copy], book: Book, ids: Ids, window: Window) -> list[Record]:
    """Every message sent in the window, in order. Needs all copies, for messages are numbered through."""
    beds = _beds(book, window.until)
    held: dict[int, list[Copy]] = defaultdict(list)
    for copy in copies:
        held[copy.person.person].append(copy)
    # The stays are in order of admission, so that the turn of one never changes.
    turns = {key: turn for turn, key in enumerate(key for key in beds if key[0] not in NEVER_TOUCHED)}
    messages = [m for own in held.values() for m in _Patient(own, book, ids, window.until).messages(beds, turns)]
    messages = sorted((m for m in messages if m.sent < window.until), key=lambda m: (m.sent, m.person))
    records = [_record(message, number, ids) for number, message in enumerate(messages, start=1)]
    return [record for record in records if record.updated_at >= window.since]


def census(book: Book, ids: Ids, at: datetime) -> list[tuple[str, str, str, str, int]]:
    """Who truly lies where at a moment: ward, bed, visit, patient and person, by ward and bed."""
    wards = definitions("place")["wards"]
    lying = [
        (wards[bed.ward], bed.bed, ids("visit", episode), patient_id(ids, person), person)
        for (person, episode), beds in _beds(book, at + timedelta(seconds=1)).items()
        for bed in beds
        if bed.from_at <= at and (bed.to_at is None or at < bed.to_at)
    ]
    return sorted(lying)


# -- who lies where ---------------------------------------------------------------------------------


def _stays(book: Book, person: int, until: datetime) -> Iterator[list[Event]]:
    """The admissions of a person; whoever dies in hospital is discharged by death."""
    died_at = book.death(person, until)
    for rows in episodes(book.rows(person, until)):
        if not any(row.event == "admitted" for row in rows):
            continue
        if died_at and rows[-1].event != "discharged":
            rows = [*rows, rows[-1]._replace(at=died_at, event="discharged", code="79", value="4")]
        yield rows


def _beds(book: Book, until: datetime) -> dict[tuple[int, int], list[Bed]]:
    """The beds of every stay, by person and episode. Whoever comes to a ward gets its first free bed."""
    moves = []
    for person in sorted(book.by_person):
        for rows in _stays(book, person, until):
            told = [row for row in rows if row.event in ("admitted", "moved_ward", "discharged")]
            for row, after in pairwise([*told, None]):
                if row and row.event != "discharged":
                    ward = row.code if row.event == "moved_ward" else ADMISSION_WARD
                    moves.append((row.at, person, row.episode, ward, after.at if after else None))
    found: dict[tuple[int, int], list[Bed]] = defaultdict(list)
    free_from: dict[str, list[datetime | None]] = defaultdict(list)
    for at, person, episode, ward, to_at in sorted(moves, key=lambda move: move[:3]):
        beds = free_from[ward]
        number = next((n for n, free in enumerate(beds) if free and free <= at), len(beds))
        beds[number : number + 1] = [to_at]
        found[person, episode].append(Bed(ward, f"{number + 1:02d}", at, to_at))
    return found


def _is_due(turn: int | None, rate: float) -> bool:
    """Whether it is the turn of this one, where so many of all are chosen."""
    return turn is not None and int((turn + 1) * rate) > int(turn * rate)


# -- what is told of a patient ----------------------------------------------------------------------


class _Patient:
    """The messages about one person. `copies` is the file on them, and perhaps a second one."""

    def __init__(self, copies: list[Copy], book: Book, ids: Ids, until: datetime) -> None:
        self.copies = copies
        self.person = copies[0].person.person
        self.ids = ids
        self.rates = definitions("defects")["messages"]
        self.died_at = book.death(self.person, until)
        self.stays = list(_stays(book, self.person, until))
        self.rows = book.rows(self.person, until)

    def messages(self, beds: dict[tuple[int, int], list[Bed]], turns: dict[tuple[int, int], int]) -> list[_Message]:
        """Everything, in the order of the stays."""
        arrived = [row.at for row in self.rows if row.event == "arrived"]
        if not arrived:
            return []
        first = min(arrived)
        told = [self._message("A28", first, copy=copy) for copy in self.copies]
        for copy in self.copies[1:]:
            losing = f"{self.ids('patient', (self.person, copy.number))}^^^{_authority(self.ids)}"
            told.append(self._message("A40", first + timedelta(hours=26), more=[_segment("MRG", {1: losing})]))
        for rows in self.stays:
            key = self.person, rows[0].episode
            told += self._stay(rows, beds[key], turns.get(key))
        if self.died_at:
            in_a_bed = any(row.code == "79" for rows in self.stays for row in rows)
            heard = self.died_at + (timedelta(minutes=40) if in_a_bed else timedelta(days=2, hours=4))
            told.append(self._message("A31", heard, died_at=self.died_at))
        return told

    def _stay(self, rows: list[Event], beds: list[Bed], turn: int | None) -> list[_Message]:
        """The messages of one visit, in order of what happened; `turn` is None where nothing may go wrong."""
        phone_goes = _is_due(turn, self.rates["phone_deleted"])
        mistaken = _is_due(turn, self.rates["mistake"])
        admitted = next(row for row in rows if row.event == "admitted")
        visit = _Visit(self.ids("visit", admitted.episode), beds[0], admitted.at, admitted.code, admitted.value.upper())
        told = self._mistake(visit, turn) if turn is not None and mistaken else []
        in_order = iter(beds[1:])
        for row in rows:
            event = "A08"
            if row.event == "admitted":
                event = "A01"
            elif row.event == "moved_ward":
                event, visit = "A02", replace(visit, before=visit.bed, bed=next(in_order))
            elif row.event == "discharged":
                event = "A03"
                visit = replace(visit, left=_time(row.at), outcome=(row.value, row.code))
            elif row.event == "expected_to_leave":
                phone = NULL if phone_goes and visit.phone is None else visit.phone
                visit = replace(visit, expected=f"{row.value.replace('-', '')}1200", phone=phone)
            elif row.event == "ready":
                visit = replace(visit, fit=_time(row.at)[:8])
            else:
                continue
            told.append(self._message(event, row.at, visit, may_be_late=turn is not None and not mistaken))
            visit = replace(visit, before=None, phone="" if visit.phone is not None else None)
        return told

    def _mistake(self, visit: _Visit, turn: int) -> list[_Message]:
        """Admitted under another visit number, moved or discharged by mistake, in turn; cancelled within the hour."""
        at = visit.admitted + timedelta(minutes=60)
        elsewhere = Bed("heron", "", at, None)
        cancel = list(CANCELS)[int(turn * self.rates["mistake"]) % len(CANCELS)]
        if cancel == "A11":
            at = visit.admitted - timedelta(minutes=60)
            wrong = right = replace(visit, number=self.ids("visit", (visit.number, cancel)), bed=elsewhere, admitted=at)
        elif cancel == "A12":
            wrong = replace(visit, bed=elsewhere, before=visit.bed)
            right = replace(visit, before=elsewhere)
        else:
            wrong = replace(visit, left=_time(at), outcome=("1", "19"))
            right = replace(visit, left=NULL, outcome=(NULL, NULL))
        done = {"A11": "A01", "A12": "A02", "A13": "A03"}[cancel]
        return [self._message(done, at, wrong), self._message(cancel, at + timedelta(minutes=25), right)]

    def _message(
        self,
        event: str,
        at: datetime,
        visit: _Visit | None = None,
        *,
        copy: Copy | None = None,
        more: list[str] | None = None,
        died_at: datetime | None = None,
        may_be_late: bool = False,
    ) -> _Message:
        """One message with the delays of its own: some minutes to the keyboard, some seconds on the way."""
        copy = copy or self.copies[0]
        number = visit.number if visit else copy.number
        rng = random.Random(f"{self.ids.seed}/message/{self.person}/{event}/{number}/{at}")
        recorded = at + timedelta(minutes=rng.randint(1, 12))
        sent = recorded + timedelta(seconds=rng.randint(2, 40))
        if may_be_late and rng.random() < self.rates["late"]:
            sent = at + timedelta(minutes=rng.randint(70, 1800))
        segments = [_pid(copy, self.ids, visit.phone if visit else None, died_at)]
        if event != "A40":
            segments.append(_practice(copy))
        segments += _visit_segments(visit, self.ids) if visit else []
        segments += more or []
        if event in WITH_ALLERGIES:
            segments += _allergies(self.rows, recorded)
        if visit and visit.fit:
            segments.append(_segment("ZU1", {22: "Y", 24: visit.fit}))
        if event in WITH_ALLERGIES:
            segments.append(_segment("ZU8", {3: "Yes", 4: "1" if copy.person.restricted else "0"}))
        patient = patient_id(self.ids, self.person, copy.number)
        return _Message(event, self.person, at, recorded, sent, segments, patient)


# -- segments ---------------------------------------------------------------------------------------


def _authority(ids: Ids) -> str:
    return f"{ids.organisation}PAS"


def _escaped(text: str) -> str:
    """Text with HL7's separators written as escapes."""
    for mark, letter in (("\\", "E"), ("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        text = text.replace(mark, f"\\{letter}\\")
    return text


def _segment(name: str, fields: dict[int, str]) -> str:
    """A segment up to its last field that says anything."""
    last = max((number for number, text in fields.items() if text), default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def _time(at: datetime) -> str:
    """The time on the wall in England, to the second."""
    return at.astimezone(LONDON).strftime("%Y%m%d%H%M%S")


def _day(day: date | None) -> str:
    """A date, or nothing where it is not known."""
    return day.strftime("%Y%m%d") if day else ""


def _pid(copy: Copy, ids: Ids, phone: str | None, died_at: datetime | None) -> str:
    """The patient as held. A number is verified unless this file has it wrong."""
    held = copy.person
    numbers = [f"{ids('patient', (held.person, copy.number))}^^^{_authority(ids)}"]
    numbers = [f"{held.nhs_number}^^^NHS", *numbers] if held.nhs_number else numbers
    traced = held.nhs_number and not any(change.field == "nhs_number" for change in copy.defects)
    family = _escaped(held.family_name)
    known_as = [f"{family}^{_escaped(held.given_name)}^^^{held.title}^^L"]
    known_as += [f"{family}^{_escaped(held.preferred_name)}^^^^^PREFERRED"] if held.preferred_name else []
    address = f"{_escaped(held.address_1)}^^{_escaped(held.address_2)}^^{held.postcode}^GBR^H"
    return _segment(
        "PID",
        {
            1: "1",
            3: "~".join(numbers),
            5: "~".join(known_as),
            7: _day(held.birth_date),
            8: GENDERS[held.gender],
            11: address,
            13: f"{names.phone(held.person).replace(' ', '')}^PRS^CP" if phone is None else phone,
            15: "en",
            22: held.ethnicity,
            29: _time(died_at)[:12] if died_at else "",
            30: "Y" if died_at else "N",
            32: "NSTS01" if traced else "NSTS02" if held.nhs_number else "NSTS03",
        },
    )


def _practice(copy: Copy) -> str:
    code = copy.person.gp_practice
    name = definitions("place")["organisations"][code]["name"]
    return _segment("PD1", {3: f"{_escaped(name)}^^{code}"})


def _visit_segments(visit: _Visit, ids: Ids) -> list[str]:
    """PV1, and PV2 with the reason and the date on which the patient is expected to leave."""
    method, destination = visit.outcome
    fields = {
        1: "1",
        2: "I",
        3: visit.bed.location(),
        4: visit.method,
        6: visit.before.location() if visit.before else "",
        10: "300",
        14: "19",
        19: f"{visit.number}^^^{_authority(ids)}",
        36: method,
        37: destination,
        44: _time(visit.admitted),
        45: visit.left,
    }
    return [_segment("PV1", fields), _segment("PV2", {3: f"^{_escaped(visit.reason)}", 9: visit.expected})]


def _allergies(rows: list[Event], recorded: datetime) -> list[str]:
    """AL1 for each allergy that the hospital knew of then."""
    known = {row.code: row for row in rows if row.event == "allergy_recorded" and row.at <= recorded}
    segments = []
    for number, (code, row) in enumerate(known.items(), start=1):
        allergy = definitions("clinical")["allergies"][code]
        what = f"{code}^Allergy to {_escaped(allergy['name'].lower())}^SCT"
        kind, day = ALLERGY_TYPES[allergy["category"]], _time(row.at)[:8]
        segments.append(_segment("AL1", {1: str(number), 2: kind, 3: what, 4: "0", 5: _escaped(row.value), 6: day}))
    return segments


def _record(message: _Message, number: int, ids: Ids) -> Record:
    """The message with its head and its number."""
    control_id, event = f"{ids.organisation}{number:010d}", message.event
    head = {
        2: "^~\\&", 3: "PAS", 4: ids.organisation, 5: "ROUTE", 6: "ROUTE", 7: _time(message.sent),
        9: f"ADT^{event}^{STRUCTURES[event]}", 10: control_id, 11: "P", 12: "2.4", 17: "GBR", 18: "UNICODE", 19: "EN",
        21: "ITKv1.0",
    }  # fmt: skip
    msh = _segment("MSH", head).replace("MSH||", "MSH|", 1)  # MSH-1 is the separator itself
    evn = _segment("EVN", {2: _time(message.recorded), 5: "U1001^CLERK^WARD", 6: _time(message.occurred)})
    kind, key = (REGISTERED, message.patient) if event == "A28" else (event, control_id)
    return Record(message.person, kind, key, message.sent, "\r".join([msh, evn, *message.segments]))


def pack(records: list[Record], organisation: str, day: str) -> dict[str, list[Record]]:
    """One file a day; without messages none."""
    return {f"adt/{organisation}/{day}.hl7": records} if records else {}


def encode(path: str, records: list[Record]) -> bytes:
    """The bytes of a file: message after message, each segment ended by CR."""
    return "".join(f"{record.body}\r" for record in records).encode("utf-8", "surrogateescape")
