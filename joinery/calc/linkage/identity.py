"""Who is who, worked out from events about pairs of records; nothing is ever changed or deleted.

The newest event of a pair and channel counts, and `none` takes it back. So an undone merge leaves no
trace in who is who, whatever was said since.

A person's id was given to one record, its founder. A group of records has the id that was given first
among theirs, so records that part and come together again have the ids they had. Ids that no group has
any more lead to where their founder is.

A record whose number a hospital merged into another has no say of its own: it follows the one that
survived, wherever that is, until the merge is taken back, or a reviewer told the two apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Literal

from joinery.calc.adt_people import Merge, survivors
from joinery.calc.linkage.cluster import LARGEST, Pair, Why, cluster, torn_between

Channel = Literal["hospital", "reviewer", "rule", "score"]
Verdict = Literal["same", "unsure", "apart", "none"]

Founding = tuple[int, str]  # a record, and the person whose id it was given


@dataclass(frozen=True, slots=True)
class Event:
    """From `at` on, this is what one channel says of two records; `none` takes back what it said.

    Of a `hospital` merge, `left` is the record that lost its number and `right` the one that survived.
    `reason` is the ladder's, `bits` the model's match weight.
    """

    left: int
    right: int
    channel: Channel
    verdict: Verdict
    at: datetime
    bits: float = 0.0
    reason: str = ""

    @property
    def pair(self) -> Pair:
        """The two records, the earlier one first."""
        return min(self.left, self.right), max(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Said:
    """What a record says now: its valid NHS number, if any, and all of it as a text to sort by."""

    nhs_number: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Whose each record is; the persons that had to be made for it; and what was refused, and why."""

    person_of: dict[int, str]
    founded: list[Founding]
    refused: list[tuple[Event, Why]]


def replay(
    records: Mapping[int, Said],
    founders: Sequence[Founding],
    events: Iterable[Event],
    mint: Callable[[int], str],
    *,
    at: datetime | None = None,
    largest: int = LARGEST,
) -> People:
    """Who is who, by the `events` (oldest first) up to and including `at`; all of them without it.

    `founders` are in the order of founding. `mint` gives a new id to the record that founds a person:
    add what comes back as `founded` to the founders. Events about records that are not given say nothing.

    >>> from datetime import UTC
    >>> same = Event(7, 9, "score", "same", datetime(2026, 11, 5, tzinfo=UTC), 12.5)
    >>> replay({7: Said(), 8: Said(), 9: Said()}, [(9, "p1")], [same], "new{}".format).person_of
    {7: 'p1', 8: 'new8', 9: 'p1'}
    """
    said = [e for e in standing(events, at) if e.left in records and e.right in records]
    told_apart = _told_apart(said)
    overruled = {e for e in said if _is_merge(e) and e.right in told_apart[e.left]}
    while True:
        into = _survivors(e for e in said if e not in overruled)
        group_of, refused = _speaking(records, said, into, largest)
        left_out = _follow(group_of, into, told_apart)
        if not left_out:
            break
        # A merge that brings together what a reviewer told apart is overruled: the record speaks for itself.
        overruled |= {e for e in said if _is_merge(e) and e.left in left_out}
    with_say, founded = _founders(group_of, into, founders, mint)
    person = {group_of[record]: person for record, person in reversed(with_say)}  # so that the first one stays
    merges: list[tuple[Event, Why]] = [(event, "told_apart") for event in said if event in overruled]
    return People({record: person[group_of[record]] for record in sorted(records)}, founded, merges + refused)


def standing(events: Iterable[Event], at: datetime | None = None) -> list[Event]:
    """The newest event of each pair and channel, of `events` that come oldest first; not those taken back."""
    newest: dict[tuple[Pair, Channel], Event] = {}
    for event in events:
        if at is None or event.at <= at:
            newest[event.pair, event.channel] = event
    return [event for event in newest.values() if event.verdict != "none"]


def touched(changed: Iterable[int], ask: Callable[[set[int]], Iterable[Event]]) -> tuple[set[int], list[Event]]:
    """The records whose person may be another once these have changed, and the standing events among them.

    `changed` are the records of new events and those that say something else now. `ask` gives all events,
    oldest first, of which some of the records asked for is left or right. To `replay` what comes back
    gives what a replay of everything gives, for these records.
    """
    records: set[int] = set()
    found: dict[tuple[Pair, Channel], Event] = {}
    wanted = set(changed)
    while wanted:
        records |= wanted
        said = standing(ask(wanted))
        found |= {(e.pair, e.channel): e for e in said}
        wanted = {record for e in said if e.verdict == "same" for record in e.pair} - records
    return records, [e for e in found.values() if set(e.pair) <= records]


def redirect(person: str, founders: Iterable[Founding], person_of: Mapping[int, str]) -> str:
    """The person to whom an id leads now: whoever its founder belongs to.

    Raises LookupError for an id that was never given, or whose founder is not among the records.

    >>> redirect("p2", [(7, "p1"), (8, "p2")], {7: "p1", 8: "p1"})
    'p1'
    """
    for record, founded in founders:
        if founded == person and record in person_of:
            return person_of[record]
    raise LookupError(f"no person has or had the id {person}")


def _is_merge(event: Event) -> bool:
    return event.channel == "hospital" and event.verdict == "same"


def _told_apart(said: Iterable[Event]) -> defaultdict[int, set[int]]:
    """For each record, those that a reviewer told it apart from."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for event in said:
        if (event.channel, event.verdict) == ("reviewer", "apart"):
            found[event.left].add(event.right)
            found[event.right].add(event.left)
    return found


def _survivors(said: Iterable[Event]) -> dict[int, int]:
    """For each record that lost its number, the one that stands for it."""
    merges = (Merge(e.at, "", str(e.left), str(e.right)) for e in said if _is_merge(e))
    return {int(losing): int(surviving) for losing, surviving in survivors(merges)[0].items()}


def _speaking(
    records: Mapping[int, Said], said: Sequence[Event], into: Mapping[int, int], largest: int
) -> tuple[dict[int, int], list[tuple[Event, Why]]]:
    """The group, by its first record, of each record with a say of its own; and what was refused, and why.

    What a reviewer says of a record that follows another holds for that one: to a reviewer they are one.
    """
    ids = sorted(records.keys() - into.keys())
    position = {record: number for number, record in enumerate(ids)}
    joins: dict[bool, dict[Pair, Event]] = {True: {}, False: {}}  # by people or not
    vetoes: dict[Channel, list[Pair]] = defaultdict(list)
    for event in sorted(said, key=lambda e: _trust(e, records)):
        a, b = event.pair
        if event.verdict == "same" and event.channel == "reviewer":
            a, b = into.get(a, a), into.get(b, b)
        if a not in position or b not in position or event.channel == "hospital":
            continue
        pair = position[a], position[b]
        if event.verdict == "apart":
            vetoes[event.channel].append(pair)
        elif event.verdict == "same":
            joins[event.channel == "reviewer"].setdefault(pair, event)
    numbers = [records[record].nhs_number for record in ids]
    scored = [(*pair, event.bits) for pair, event in joins[False].items()]
    scored += [(*pair, inf) for pair in joins[True]]
    clusters = cluster(
        len(ids),
        [pair for pair in joins[False] if pair not in joins[True]],
        numbers,
        decided=joins[True],
        apart=vetoes["reviewer"],
        contradictions=vetoes["rule"],
        torn=torn_between(scored, numbers, vetoes["reviewer"]),
        largest=largest,
    )
    events = joins[False] | joins[True]
    group_of = {record: ids[group] for record, group in zip(ids, clusters.group_of, strict=True)}
    return group_of, [(events[pair], why) for pair, why in clusters.refused]


def _trust(event: Event, records: Mapping[int, Said]) -> tuple[object, ...]:
    """Sorts strong before weak; ties by what the records say, never by when they came."""
    says = sorted((records[event.left].content, records[event.right].content))
    # By the alphabet, "rule" comes before "score", and of its reasons "birth_date" before "names".
    return event.channel, -event.bits, event.reason, *says, event.pair


def _follow(group_of: dict[int, int], into: Mapping[int, int], told_apart: Mapping[int, set[int]]) -> set[int]:
    """Put each record that lost its number into the group of the one that stands for it.

    Those that were told apart from somebody there are left out, and come back.
    """
    left_out = set()
    for record in sorted(into):
        group = group_of[into[record]]
        if any(group_of.get(other) == group for other in told_apart.get(record, ())):
            left_out.add(record)
        else:
            group_of[record] = group
    return left_out


def _founders(
    group_of: Mapping[int, int], into: Mapping[int, int], founders: Iterable[Founding], mint: Callable[[int], str]
) -> tuple[list[Founding], list[Founding]]:
    """The founders that have a say of their own, with one for each group that had none; and those new ones."""
    old = [(record, person) for record, person in founders if record in group_of and record not in into]
    without = set(group_of.values()) - {group_of[record] for record, _ in old}
    new = [(record, mint(record)) for record in sorted(without)]
    return old + new, new
