"""What the messages of a hospital come to, whatever their order.

Each HL7 v2 ADT message is a fact. The state of a visit is worked out over all facts of the visit at once,
so neither order nor repetition matters: what comes late changes the state as if it had come in time. A
cancellation takes away the event that it was sent about, never a moment; one that comes before its event
waits for it. All times are instants in UTC. Events and fields are ITK's (`definitions/feeds/adt.toml`); how
they are put together is our own rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

# At one moment, in this order; an event not named stands with updates.
_RANK = {
    "A05": 0, "A14": 0, "A28": 0, "A01": 1, "A04": 1, "A02": 2, "A06": 2, "A07": 2, "A21": 3, "A22": 3, "A16": 5,
    "A03": 6,
}  # fmt: skip
_UPDATE_RANK, _CANCEL_RANK = 4, 7
# Which events a cancellation takes away. A11 and A23 take a whole visit, see `_uncancelled`.
_CANCELS = {
    "A12": "A02", "A13": "A03", "A25": "A16", "A26": "A15", "A27": "A14", "A38": "A05", "A52": "A21", "A53": "A22",
}  # fmt: skip
_ADMITS = {"A01", "A04"}
_PLANS = {"A05", "A14"}
# A patient is moved by a transfer; and, where they become an inpatient or outpatient, to where that is.
_MOVES = {"A02", "A06", "A07"}
_VOIDS = {"A11", "A23"}
# Whoever is moved, discharged or on leave is there, even if the admission has not come.
_HAPPENS_INSIDE = _MOVES | {"A03", "A12", "A13", "A15", "A16", "A21", "A22", "A25", "A26", "A52", "A53"}

Order = tuple[object, ...]


class Place(NamedTuple):
    """Where somebody lies: an ODS site, a ward of it, and a bed; empty text where it was not said."""

    site: str
    ward: str
    bed: str


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy as a message words it. `none`: it says that none is known. `noted` is an ISO day, or empty."""

    text: str
    detail: str = ""
    noted: str = ""
    none: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One message. In `codes`, `moments` and `person` a name that is missing was not spoken of; empty
    text or None deletes what was said before. `repeats`: `occurred` lies in the hour that clocks strike
    twice in October, and means the first of the two. `moves`: an update of a sender whose updates move.
    `allergies` by their codes are None where the event speaks of none; `forgets_allergies`: those stated
    before it are deleted.
    """

    event: str
    control_id: str
    digest: str
    patient: str
    occurred: datetime
    recorded: datetime
    sent: datetime
    sequence: int = 0
    repeats: bool = False
    moves: bool = False
    place: Place | None = None
    prior: Place | None = None
    codes: dict[str, str] = field(default_factory=dict)
    moments: dict[str, datetime | None] = field(default_factory=dict)
    person: dict[str, str | list[str]] = field(default_factory=dict)
    allergies: dict[str, Allergy] | None = None
    forgets_allergies: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one place, half-open; `inferred` when no message said so outright."""

    place: Place
    from_at: datetime
    to_at: datetime | None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened in a visit, and the message (its digest) that says so.

    `what` is planned, admitted, moved, on_leave, returned, discharged, expected or fit. `fit_at` is since when the
    patient is medically fit to leave, where that is new.
    """

    by: str
    what: str
    at: datetime
    place: Place | None = None
    expected_at: datetime | None = None
    fit_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """The state of one visit: planned, open, on_leave, discharged or cancelled.

    `notes` are codes of what somebody should look at: `admission_inferred`, `place_disputed` (an update
    names another place), `two_people`, `event_after_discharge`.
    """

    state: str
    patient: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    admitted_at: datetime | None = None
    expected_at: datetime | None = None
    discharged_at: datetime | None = None
    stays: tuple[Stay, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()

    def place_at(self, at: datetime) -> Place | None:
        """Where the patient was at a moment, by when things happened; None when not there."""
        return next((s.place for s in self.stays if s.from_at <= at and (s.to_at is None or at < s.to_at)), None)


def fold(facts: Iterable[Fact]) -> Visit:
    """The state of a visit, from all its facts (one at least) in any order and any number of times.

    `patient` of the facts is the number that stands now, after merges. An update (A08) that names another
    place is noted, and moves nobody unless its sender's updates do.
    """
    known = _settled({fact.digest: fact for fact in facts}.values())
    kept = _uncancelled(known)
    live = sorted(_live(kept), key=_event_order)
    state = _state(kept, live)
    if state in ("cancelled", "planned"):
        patient = max(live or known, key=said_order).patient if known else ""
        steps = tuple(Step(f.digest, "planned", _planned_at(f), f.place) for f in live if f.event in _PLANS)
        return Visit(state, patient, _codes(live), expected_at=_moment(live, "expected"), steps=steps)
    return _admitted(live)


# -- which facts count ------------------------------------------------------------------------------


def _natural(control_id: str) -> tuple[int, str]:
    """Counters in the order of their numbers: 99 before 100."""
    return len(control_id), control_id


def _event_order(fact: Fact) -> Order:
    rank = _CANCEL_RANK if fact.event in _CANCELS else _RANK.get(fact.event, _UPDATE_RANK)
    return fact.occurred, rank, *said_order(fact)


def said_order(fact: Fact) -> Order:
    """The last in this order has the last word. Nothing in it depends on when a message arrived."""
    return fact.recorded, fact.sent, fact.sequence, _natural(fact.control_id), fact.digest


def _sent_order(fact: Fact) -> Order:
    return fact.sent, fact.sequence, _natural(fact.control_id), fact.digest


def _settled(facts: Iterable[Fact]) -> list[Fact]:
    """The facts, those of the hour that is struck twice put into the first or the second of them.

    In the order of their counters, a time that goes back (or the same event at the same time again)
    shows that the clock was put back meanwhile.
    """
    settled = list(facts)
    twice = sorted((f for f in settled if f.repeats), key=lambda f: (f.sequence, _natural(f.control_id), f.digest))
    if len(twice) < 2:
        return settled
    moved: dict[str, Fact] = {}
    put_back, before = False, twice[0]
    for fact in twice[1:]:
        same = fact.event == before.event and fact.occurred == before.occurred
        put_back = put_back or fact.occurred < before.occurred or same
        if put_back:
            moved[fact.digest] = replace(fact, occurred=fact.occurred + timedelta(hours=1))
        before = fact
    return [moved.get(fact.digest, fact) for fact in settled]


def _uncancelled(facts: Sequence[Fact]) -> list[Fact]:
    """The facts without those of a visit that was cancelled (A11) or deleted (A23).

    That undoes all that was sent before it about its patient; what is sent after it counts only when the
    patient is admitted anew, for the number of a cancelled visit is used again.
    """
    by_patient: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_patient[fact.patient].append(fact)
    kept: list[Fact] = []
    for own in by_patient.values():
        cancels = [_sent_order(f) for f in own if f.event in _VOIDS]
        if cancels:
            own = [f for f in own if _sent_order(f) > max(cancels)]
            if not any(f.event in _ADMITS | _PLANS for f in own):
                continue
        kept += own
    return kept


def _live(facts: Sequence[Fact]) -> list[Fact]:
    """The facts without those that a cancellation took away: the latest of its kind sent before it."""
    gone: set[str] = set()
    for cancel in sorted((f for f in facts if f.event in _CANCELS), key=_sent_order):
        event, latest = _CANCELS[cancel.event], _sent_order(cancel)
        targets = [f for f in facts if f.event == event and f.digest not in gone and _sent_order(f) <= latest]
        named = [f for f in targets if f.place and f.place in (cancel.place, cancel.prior)]
        if targets:
            gone.add(max(named or targets, key=_sent_order).digest)
    return [f for f in facts if f.digest not in gone]


def _state(kept: Sequence[Fact], live: Sequence[Fact]) -> str:
    events = {f.event for f in live}
    if events & (_ADMITS | _HAPPENS_INSIDE):
        return "open"
    if {f.event for f in kept} & _PLANS:
        return "planned" if events & _PLANS else "cancelled"
    return "open" if events - set(_CANCELS) else "cancelled"


# -- what they say ----------------------------------------------------------------------------------


def _codes(facts: Iterable[Fact]) -> dict[str, str]:
    """The last word on each code; a deleted one is left out."""
    said: dict[str, str] = {}
    for fact in sorted(facts, key=said_order):
        said |= fact.codes
    return {name: value for name, value in said.items() if value}


def _moment(facts: Iterable[Fact], name: str) -> datetime | None:
    """The last word on a moment."""
    last = max((f for f in facts if name in f.moments), key=said_order, default=None)
    return last.moments[name] if last else None


def _planned_at(fact: Fact) -> datetime:
    return fact.moments.get("planned") or fact.occurred


# -- what happened ----------------------------------------------------------------------------------


def _admitted(live: Sequence[Fact]) -> Visit:
    notes = set()
    admission = next((f for f in live if f.event in _ADMITS), None)
    if admission is None:
        notes.add("admission_inferred")
    admitted_at = _moment(live, "admitted") or (admission or live[0]).occurred
    discharge = _discharge(live)
    discharged_at = _discharged_at(live, discharge) if discharge else None
    stays, steps = _walk(live, admission, admitted_at, discharged_at)
    if discharged_at and any(f.event in _MOVES | {"A21", "A22"} and f.occurred > discharged_at for f in live):
        notes.add("event_after_discharge")
    if discharge and discharged_at:
        steps.append(Step(discharge.digest, "discharged", discharged_at, stays[-1].place if stays else None))
        stays = [replace(s, to_at=max(discharged_at, s.from_at)) if s.to_at is None else s for s in stays]
    last_named = max((f for f in live if f.place), key=_event_order, default=None)
    if stays and last_named and last_named.event not in _CANCELS and last_named.place != stays[-1].place:
        notes.add("place_disputed")
    if len({f.patient for f in live}) > 1:
        notes.add("two_people")
    return Visit(
        state="discharged" if discharge else "on_leave" if _is_away(live) else "open",
        patient=max(live, key=said_order).patient,
        codes=_codes(live),
        admitted_at=admitted_at,
        expected_at=_moment(live, "expected"),
        discharged_at=discharged_at,
        stays=tuple(stays),
        steps=tuple(_with_expectations(live, steps)),
        notes=tuple(sorted(notes)),
    )


def _discharge(live: Sequence[Fact]) -> Fact | None:
    """The discharge that stands: the last one, unless the patient was admitted again after it."""
    last = max((f for f in live if f.event == "A03"), key=_event_order, default=None)
    again = last and any(f.event in _ADMITS and f.occurred > last.occurred and f.sent > last.sent for f in live)
    return None if again else last


def _discharged_at(live: Sequence[Fact], discharge: Fact) -> datetime:
    """As the discharge says, or a later correction of it; what was said before the discharge is stale."""
    since = [f for f in live if said_order(f) >= said_order(discharge)]
    return _moment(since, "discharged") or discharge.occurred


def _is_away(live: Sequence[Fact]) -> bool:
    last = next((f.event for f in reversed(live) if f.event in ("A21", "A22")), "")
    return last == "A21"


def _walk(
    live: Sequence[Fact], admission: Fact | None, admitted_at: datetime, discharged_at: datetime | None
) -> tuple[list[Stay], list[Step]]:
    """Through the visit in the order in which things happened: the stays, and a step for each thing."""
    stays: list[Stay] = []
    steps: list[Step] = []

    def go(place: Place | None, at: datetime, *, inferred: bool = False) -> bool:
        if place is None or (stays and stays[-1].place == place):
            return False
        if stays:
            at = max(at, stays[-1].from_at)
            stays[-1] = replace(stays[-1], to_at=at)
            if stays[-1].from_at == at:
                stays.pop()
        stays.append(Stay(place, at, None, inferred))
        return True

    if admission is not None:
        # Of an admission that was sent again, corrected, the last word counts.
        said = max((f for f in live if f.event in _ADMITS and f.place), key=said_order, default=admission)
        first = said.place if said.occurred <= admission.occurred else admission.place
        go(first, admitted_at)
        steps.append(Step(admission.digest, "admitted", admitted_at, first, _expected_of(admission)))
    for fact in live:
        if discharged_at and fact.occurred > discharged_at and fact.event != "A03":
            continue
        if admission is None and not stays and fact.place and fact.event not in _PLANS:
            before = fact.prior if fact.event in _MOVES and admitted_at < fact.occurred else None
            begins = fact.occurred if fact.event in _MOVES and before is None else admitted_at
            go(before or fact.place, begins, inferred=True)
            if before is None:
                steps.append(Step(fact.digest, "admitted", begins, fact.place, _expected_of(fact)))
                continue
        if fact.event in _MOVES or (fact.event in _ADMITS and fact is not admission and steps):
            if go(fact.place, fact.occurred):
                steps.append(Step(fact.digest, "moved", fact.occurred, fact.place, _expected_of(fact)))
        elif fact.event in ("A21", "A22"):
            steps.append(Step(fact.digest, "on_leave" if fact.event == "A21" else "returned", fact.occurred))
        elif fact.event in _PLANS:
            steps.append(Step(fact.digest, "planned", _planned_at(fact), fact.place))
        elif fact.event not in _CANCELS and (fact.moves or not stays):
            go(fact.place, fact.occurred, inferred=True)
    return stays, steps


def _expected_of(fact: Fact) -> datetime | None:
    return fact.moments.get("expected")


def _with_expectations(live: Sequence[Fact], steps: Sequence[Step]) -> list[Step]:
    """The steps, those that say so with since when the patient is fit to leave; and one more for each message that set
    that or another expected discharge, and did nothing else."""
    told, busy = list(steps), {step.by for step in steps}
    expected, fit = None, None
    for fact in sorted((f for f in live if f.moments.keys() & {"expected", "fit"}), key=said_order):
        before = expected, fit
        expected, fit = fact.moments.get("expected", expected), fact.moments.get("fit", fit)
        new_fit = fit if fit != before[1] else None
        if fact.digest in busy:
            told = [replace(step, fit_at=new_fit) if step.by == fact.digest else step for step in told]
        elif expected != before[0]:
            told.append(Step(fact.digest, "expected", fact.occurred, expected_at=expected, fit_at=new_fit))
        elif fit != before[1]:
            told.append(Step(fact.digest, "fit", fact.occurred, fit_at=new_fit))
    return told
