"""What can become of a referral: which step may follow which, whose step it is, and what then comes next.

Two sides only: the `sender` asked, the `service` was asked. The person is on both, and takes no step here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from joinery.apps.base.states import States

SENDER, SERVICE = "sender", "service"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that a side may take. `asks` is what must be said with it: nothing, `words`, or a `reason` (a code
    of the rules, and words)."""

    by: str
    words: str
    asks: str = ""


# From and to. Passed on (to `sent`, at another service) is a step of the service that passes it on.
STEPS: Mapping[tuple[str, str], Step] = {
    ("sent", "acknowledged"): Step(SERVICE, "the service has seen it"),
    ("sent", "accepted"): Step(SERVICE, "the service will take the person on"),
    ("sent", "returned"): Step(SERVICE, "the service needs something first", "words"),
    ("sent", "declined"): Step(SERVICE, "the service will not take the person on", "reason"),
    ("sent", "sent"): Step(SERVICE, "passed on to another service", "words"),
    ("sent", "withdrawn"): Step(SENDER, "no longer wanted", "reason"),
    ("acknowledged", "accepted"): Step(SERVICE, "the service will take the person on"),
    ("acknowledged", "returned"): Step(SERVICE, "the service needs something first", "words"),
    ("acknowledged", "declined"): Step(SERVICE, "the service will not take the person on", "reason"),
    ("acknowledged", "sent"): Step(SERVICE, "passed on to another service", "words"),
    ("acknowledged", "withdrawn"): Step(SENDER, "no longer wanted", "reason"),
    ("returned", "sent"): Step(SENDER, "what was needed is there: sent again", "words"),
    ("returned", "withdrawn"): Step(SENDER, "no longer wanted", "reason"),
    ("accepted", "started"): Step(SERVICE, "the first visit, stay or session has taken place"),
    ("accepted", "returned"): Step(SERVICE, "it cannot start without something first", "words"),
    ("accepted", "declined"): Step(SERVICE, "it turned out that the service cannot", "reason"),
    ("accepted", "sent"): Step(SERVICE, "passed on to another service", "words"),
    ("accepted", "withdrawn"): Step(SENDER, "no longer wanted", "reason"),
    ("declined", "closed"): Step(SENDER, "the person knows, and what happens instead is settled", "words"),
    ("started", "started"): Step(SERVICE, "looked at again: it goes on", "words"),
    ("started", "ended"): Step(SERVICE, "the service has finished", "reason"),
}

REFERRAL = States(
    of="referral",
    initial="sent",
    transitions={pair: f"{step.words} ({step.by})" for pair, step in STEPS.items()},
)


@dataclass(frozen=True, slots=True)
class State:
    """A state: for whom it waits, and what they are to do next. Nobody waits for a state without a side."""

    words: str
    waits_for: str = ""
    next_step: str = ""


STATES: Mapping[str, State] = {
    "sent": State("Sent", SERVICE, "See it and say so, or answer it at once"),
    "acknowledged": State("Seen", SERVICE, "Accept it, ask for what is missing, or decline it"),
    "returned": State("Needs something first", SENDER, "Give what is needed and send it again, or withdraw it"),
    "accepted": State("Accepted", SERVICE, "Start: see the person for the first time"),
    "declined": State("Declined", SENDER, "Tell the person, settle what happens instead, and close it"),
    "started": State("Under way", SERVICE, "Look at it again: goes on, or ends"),
    "ended": State("Ended"),
    "closed": State("Closed"),
    "withdrawn": State("Withdrawn"),
}
# The states in which it is the turn of whoever asked.
SENDERS_TURN = tuple(state for state, said in STATES.items() if said.waits_for == SENDER)


def steps_from(state: str, side: str) -> dict[str, Step]:
    """The steps that a side may take from a state, by the state that each leads to."""
    return {to: step for (now, to), step in STEPS.items() if now == state and step.by == side}
