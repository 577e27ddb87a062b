"""From one ADT message to a row of intake: the fact that it is, or every reason why it cannot be taken.

The profile of the sender says where things stand (`definitions/feeds/adt.toml`); the fields are those of
ITK, which it names.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from joinery.apps.record.adt.allergies import allergies_said
from joinery.apps.record.adt.definition import Profile, definition, profile_of
from joinery.apps.record.adt.er7 import Message, Segment, Time, Unreadable, parse, time_of
from joinery.apps.record.adt.files import Piece
from joinery.apps.record.adt.person import local_id, person_said
from joinery.apps.record.rows import Issue, MessageRow, Row
from joinery.calc.adt import Fact, Place

FAULTS = {
    "noise": "These bytes stand between messages and are none. Send the message whole, from MSH on.",
    "torn": "The message breaks off: another begins inside its MLLP frame. Send it again.",
    "too_long": "The message is longer than 10 MB. Send it without the document that it carries.",
}
MOST_TEXT = 200
# Stands in a row that cannot be taken, because no time of sending was given.
NO_TIME = datetime(1900, 1, 1, tzinfo=UTC)
_MOMENTS = (
    ("admitted", "PV1", 44), ("discharged", "PV1", 45), ("planned", "PV2", 8), ("expected", "PV2", 9),
    ("fit", "ZU1", 24),
)  # fmt: skip


def row_of(piece: Piece, position: int) -> Row:
    """A piece of a file as a row; with issues it will be quarantined, its bytes as received."""
    where = f"message {position}"
    if piece.fault:
        return Row(position, piece.body, issues=(Issue(where, piece.fault, "", FAULTS[piece.fault]),))
    try:
        reading = Reading(parse(piece.body), where)
    except Unreadable as unreadable:
        return Row(position, piece.body, issues=(Issue(where, unreadable.rule, "", str(unreadable)),))
    return reading.row(piece.body, position)


class Reading:
    """One message on its way to a row: what was found wrong is collected as it is met."""

    def __init__(self, message: Message, where: str) -> None:
        self.message = message
        self.where = where
        self.issues: list[Issue] = []
        self.msh = message.by_name["MSH"][0]
        self.control_id = self.msh.text(10) or ""
        self.event = self.msh.text(9, 2) or ""
        self.facility = self.msh.text(4) or ""
        self.known = profile_of(self.facility)
        # The message of a sender that no profile names is not taken; where to look is then all the same.
        self.profile: Profile = self.known or definition().profile[-1]

    def row(self, body: bytes, position: int) -> Row:
        """The message as a row."""
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        # A control id that comes again with other content is another message: counters start anew.
        row = Row(position, body, f"ADT/{self.control_id[:200]}/{digest}")
        self.issues += self.header_issues()
        pid = self.message.first("PID")
        if pid is None:
            self.wrong("PID", "segment", "", "The message has no PID segment, so it is about nobody.")
            row.issues = tuple(self.issues)
            return row
        local = local_id(pid, self.profile)
        row.local_id = local
        if not local:
            self.wrong("PID-3", "required", pid.raw(3), "PID-3 holds no number by which to know the patient.")
        elif len(local) > 255:
            self.wrong("PID-3", "length", local, "PID-3 holds a number of more than 200 characters.")
            row.local_id = ""
        said = MessageRow(self._fact(local, digest, pid), self._visit(), self._losing(local))
        row.issues = tuple(self.issues)
        row.message = None if row.issues else said
        return row

    def header_issues(self) -> list[Issue]:
        """What is wrong with the MSH."""
        found = []

        def wrong(field: str, rule: str, message: str) -> None:
            text = self.msh.raw(int(field.removeprefix("MSH-")))
            found.append(Issue(self._at(field), rule, text[:80], message))

        if (self.msh.text(9) or "") != "ADT":
            wrong("MSH-9", "message-type", "MSH-9 is not ADT. Only ADT messages are taken.")
        elif self.event not in definition().events:
            wrong("MSH-9", "event", "MSH-9 names an event that is not used here. It was kept and changes nothing.")
        if not self.control_id:
            wrong("MSH-10", "required", "MSH-10, the control id, is empty. It must be filled.")
        if self.known is None:
            wrong("MSH-4", "sender", "MSH-4 is a sender whose profile is not known here.")
        elif (self.msh.text(11) or "P") not in self.profile.processing_ids:
            wrong("MSH-11", "processing-id", "MSH-11 says that this is a test message. Send P for production.")
        if not (self.msh.text(12) or "2").startswith("2"):
            wrong("MSH-12", "version", "MSH-12 is not a version 2 of HL7.")
        return found

    def _at(self, field: str) -> str:
        return f"{self.where}, {field}" if self.where else field

    def wrong(self, field: str, rule: str, value: str, message: str) -> None:
        """Note why the message cannot be taken."""
        self.issues.append(Issue(self._at(field), rule, value[:80], message))

    # -- the parts of a fact ------------------------------------------------------------------------

    def _fact(self, local: str, digest: str, pid: Segment) -> Fact:
        evn, pv1 = self.message.first("EVN"), self.message.first("PV1")
        moments = self._moments()
        sent = self.time(self.msh, 7)
        if not self.msh.raw(7):
            self.wrong("MSH-7", "required", "", "MSH-7, the time of sending, is empty. It must be filled.")
        recorded = self.time(evn, 2) or sent
        happened = self.time(evn, 6)
        # Without EVN-6, an admission and a discharge happened when PV1 says so; else when it was recorded.
        own = moments.get("discharged" if self.event == "A03" else "admitted" if self.event in ("A01", "A04") else "")
        sent_at = sent.at if sent else NO_TIME
        recorded_at = recorded.at if recorded else sent_at
        sequence = self.msh.text(13) or ""
        allergies, forgets = allergies_said(self)
        return Fact(
            event=self.event,
            control_id=self.control_id,
            digest=digest,
            patient=local,
            occurred=happened.at if happened else own or recorded_at,
            recorded=recorded_at,
            sent=sent_at,
            sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 16 else 0,
            repeats=bool(happened and happened.repeats),
            moves=self.profile.updates_move,
            place=self._place(pv1, 3),
            prior=self._place(pv1, 6),
            codes=self._codes(pv1),
            moments=moments,
            person=person_said(self, pid, pv1),
            allergies=allergies,
            forgets_allergies=forgets,
        )

    def time(self, segment: Segment | None, field: int) -> Time | None:
        """The time in a field, or None; one that cannot be read is an issue."""
        text = segment.text(field) if segment else None
        if not segment or not text:
            return None
        found = time_of(text, self.profile.time_zone)
        if found is None:
            name = f"{segment.raw(0)}-{field}"
            self.wrong(name, "time", text, f"{name} is not a time. Write it as 20261105143512.")
        return found

    def _moments(self) -> dict[str, datetime | None]:
        """The moments that the message names; None for one that it deletes."""
        said: dict[str, datetime | None] = {}
        for name, segment, field in _MOMENTS:
            found = self.message.first(segment)
            if found is None:
                continue
            if found.text(field) == "":
                said[name] = None
            elif time := self.time(found, field):
                said[name] = time.at
        return said

    def _place(self, pv1: Segment | None, field: int) -> Place | None:
        """Where PV1-3 or PV1-6 says, as a whole: a ward without a bed means that no bed was given."""
        if pv1 is None or not pv1.raw(field):
            return None
        place = Place(
            *(
                next((t[:MOST_TEXT] for c in components if (t := pv1.text(field, c))), "")
                for components in (self.profile.site, self.profile.ward, self.profile.bed)
            )
        )
        return place if any(place) else None

    def _codes(self, pv1: Segment | None) -> dict[str, str]:
        codes = {}
        for name, segment, field in (("class", "PV1", 2), ("destination", "PV1", 37), ("reason", "PV2", 3)):
            found = pv1 if segment == "PV1" else self.message.first(segment)
            text = found.text(field) if found else None
            if text is None and found and name == "reason":
                text = found.text(field, 2)
            if text is not None:
                codes[name] = text[:MOST_TEXT]
        return codes

    def _visit(self) -> str:
        """The key of the visit, PV1-19.4 and PV1-19.1; empty for what is about a person only."""
        kind = definition().events.get(self.event, "")
        if kind not in ("visit", "either"):
            return ""
        pv1 = self.message.first("PV1")
        if pv1 is None:
            if kind == "visit":
                self.wrong("PV1", "segment", "", "The message has no PV1 segment, so it is about no visit.")
            return ""
        number = pv1.text(19) or ""
        if not number and kind == "visit":
            self.wrong("PV1-19", "required", "", "PV1-19, the visit number, is empty. It must be filled.")
        if len(number) > MOST_TEXT:
            self.wrong("PV1-19", "length", number, "PV1-19 is longer than 200 characters.")
        return f"{(pv1.text(19, 4) or '')[: MOST_TEXT // 4]}/{number}" if number else ""

    def _losing(self, local: str) -> tuple[str, ...]:
        """The numbers that lose, in a merge."""
        if definition().events.get(self.event) != "merge":
            return ()
        mrg = self.message.first("MRG")
        losing = local_id(mrg, self.profile, 1) if mrg else ""
        if not losing:
            self.wrong("MRG-1", "required", mrg.raw(1) if mrg else "", "MRG-1 names no number that is merged away.")
        elif losing == local:
            self.wrong("MRG-1", "merge", losing, "MRG-1 and PID-3 are the same number. There is nothing to merge.")
        elif len(losing) > 255:
            self.wrong("MRG-1", "length", losing, "MRG-1 holds a number of more than 200 characters.")
        return (losing,)
