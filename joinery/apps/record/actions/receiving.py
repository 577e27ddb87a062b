"""Messages off the wire: what of them must be kept before they are answered, and the answer.

No input or output happens here. Whoever listens feeds what came, makes what is to be kept durable, and
only then sends the answer (our own rule: AA as soon as the message is durable, not when it is applied, for
one bad message must not hold up a hospital's queue).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from joinery.apps.record.adt.er7 import Unreadable, parse
from joinery.apps.record.adt.files import END, START, Frames, Piece
from joinery.apps.record.adt.message import FAULTS, Reading
from joinery.apps.record.rows import LONDON

ACCEPTED, TRY_AGAIN, REFUSED = "AA", "AE", "AR"
# What a sender cannot mend by sending again: it is told so, and nothing is kept.
_FINAL = {"processing-id", "sender"}
_NOT_KEPT = "The message could not be stored just now. Send it again."


@dataclass(frozen=True, slots=True)
class Arrived:
    """One frame. `keep` must be durable before it is answered; it is empty for a refused message, and `why` tells its
    sender. What is torn is kept too, and is not answered: nobody waits for that."""

    keep: bytes
    refused: bool
    answered: bool
    header: tuple[str, ...] = ()
    why: str = ""

    def answer(self, code: str, at: datetime, number: int) -> bytes:
        """The acknowledgement in its frame: parties swapped, MSA with the code, the control id and why it is no AA."""
        _, _, application, facility, to_application, to_facility, event, control_id = self.header
        field, rest = self.header[:2]
        component = rest[0]
        kind = component.join(filter(None, ("ACK", event, "ACK" if event else "")))
        moment = f"{at.astimezone(LONDON):%Y%m%d%H%M%S}"
        head = ["MSH", rest, to_application, to_facility, application, facility, moment, "", kind, f"JOIN{number}"]
        why = _NOT_KEPT if code == TRY_AGAIN else self.why
        # A mark of theirs would end the field.
        why = why.translate(dict.fromkeys(map(ord, field + rest)))
        said = ["MSA", code, control_id, *filter(None, [why])]
        lines = (field.join([*head, "P", "2.4"]), field.join(said))
        return START + "".join(f"{line}\r" for line in lines).encode("utf-8", "replace") + END + b"\r"


class Receiver:
    """The messages of one connection, out of chunks of any size."""

    def __init__(self) -> None:
        self._frames = Frames()

    def feed(self, chunk: bytes) -> list[Arrived]:
        """What is whole now, in order. Noise between frames is dropped."""
        return [_arrived(piece) for piece in self._frames.feed(chunk) if piece.fault != "noise"]

    def close(self) -> list[Arrived]:
        """What is left when the connection ends: nothing, or half a message."""
        return [_arrived(piece) for piece in self._frames.close()]


def _arrived(piece: Piece) -> Arrived:
    if piece.fault == "torn":
        # Without an end: whoever takes it sees that it is torn.
        return Arrived(START + piece.body, refused=False, answered=False)
    start = piece.body.lstrip(b"\r\n").partition(b"\r")[0].partition(b"\n")[0][:4096]
    try:
        reading = Reading(parse(start), "")
    except Unreadable as unreadable:
        header = ("|", "^~\\&", "", "", "", "", "", "")
        return Arrived(b"", refused=True, answered=True, header=header, why=str(unreadable))
    msh = reading.msh
    named = (msh.raw(3), msh.raw(4), msh.raw(5), msh.raw(6), reading.event[:3], msh.raw(10)[:200])
    final = [
        issue.message
        for issue in reading.header_issues()
        if issue.rule in _FINAL or (issue.rule == "required" and not reading.control_id)
    ]
    why = FAULTS["too_long"] if piece.fault == "too_long" else next(iter(final), "")
    header = (msh.marks.field, msh.raw(2), *named)
    kept = b"" if why else START + piece.body + END + b"\r"
    return Arrived(kept, bool(why), answered=True, header=header, why=why)
