"""A hospital visit lived step by step: what truly stands, and the messages that tell of it.

The state is kept the plain way, by doing and undoing, so it knows nothing of sorting or of binding
cancellations to events. Messages are sent in the order of what was done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joinery.calc.adt import Fact, Place

BEGAN = datetime(2026, 11, 5, 8, tzinfo=UTC)
WARDS = [Place("RZZ01", ward, bed) for ward in ("AMU", "W7", "W8") for bed in ("1", "2")]


@dataclass
class Life:
    """One visit so far. `done` are the things that stand: event, when, and where it put the patient."""

    patient: str = "a"
    minute: int = 0
    done: list[tuple[str, datetime, Place | None]] = field(default_factory=list)
    expected: datetime | None = None
    admitted: bool = False
    ever: bool = False
    sent: list[Fact] = field(default_factory=list)

    def acts(self) -> list[str]:
        """What can happen next."""
        if not self.admitted:
            return ["A01"]
        if self.state() == "discharged":
            return ["A13", "A08"]
        if self.state() == "on_leave":
            return ["A22", "A08", "A52"]
        undo = ["A12"] if any(event == "A02" for event, _, _ in self.done) else []
        return ["A02", "A02", "A08", "A16", "A21", "A03", "A11", *undo]

    def act(self, event: str, ward: int, minutes: int, delay: int, at_original: bool) -> None:
        """Do one thing and send the message of it. `at_original`: a cancellation gives the time of its event."""
        self.minute += minutes
        at, place = BEGAN + timedelta(minutes=self.minute), None
        said: dict[str, Any] = {}
        if event == "A01":
            self.admitted, self.done, self.expected = True, [], None
            place = WARDS[ward]
            self.done.append((event, at, place))
        elif event == "A02":
            place = next(p for p in (WARDS[ward], *WARDS) if p != self.place())
            self.done.append((event, at, place))
        elif event in ("A03", "A21", "A22"):
            self.done.append((event, at, self.place()))
            place = self.place()
        elif event in ("A12", "A13", "A52"):
            undone = {"A12": "A02", "A13": "A03", "A52": "A21"}[event]
            last = max(n for n, (done, _, _) in enumerate(self.done) if done == undone)
            at = self.done.pop(last)[1] if at_original else (self.done.pop(last), at)[1]
        elif event == "A11":
            self.admitted, self.done, self.expected = False, [], None
        elif event in ("A08", "A16"):
            self.expected = None if ward == 5 else at + timedelta(days=ward)
            said["moments"] = {"expected": self.expected}
            place = self.place() if ward % 2 else None
        self.ever = True
        number = len(self.sent)
        # What is done later is sent later, each in a minute of its own, some of them long after.
        sent = max(BEGAN + timedelta(minutes=self.minute + delay), self.sent[-1].sent if self.sent else BEGAN)
        sent += timedelta(minutes=1)
        self.minute = max(self.minute, int((sent - BEGAN).total_seconds() // 60)) if delay == 0 else self.minute + 1
        self.sent.append(
            Fact(event, f"C{number:06}", f"{number:032x}", self.patient, at, sent, sent, place=place, **said)
        )

    def state(self) -> str:
        """The state that is true."""
        if not self.admitted:
            return "cancelled"
        events = [event for event, _, _ in self.done]
        if "A03" in events:
            return "discharged"
        leaves = [event for event in events if event in ("A21", "A22")]
        return "on_leave" if leaves and leaves[-1] == "A21" else "open"

    def place(self) -> Place | None:
        """Where the patient is, or was last."""
        return next((p for event, _, p in reversed(self.done) if event in ("A01", "A02")), None)

    def stays(self) -> list[tuple[Place, datetime]]:
        """Each place in turn, and since when."""
        found: list[tuple[Place, datetime]] = []
        for event, at, place in self.done:
            if event in ("A01", "A02") and place and (not found or found[-1][0] != place):
                found.append((place, at))
        return found
