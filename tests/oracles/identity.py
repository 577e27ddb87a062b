"""Who is who, the slow and plain way: groups as sets, every record of one side held against every one of the other.

Knows nothing of positions, representatives or increments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from joinery.calc.linkage.identity import Event, Said

Group = frozenset[int]


def slips(a: str, b: str) -> int:
    """The fewest slips that turn one number into the other: one wrong digit, or two neighbours swapped."""
    if not a:
        return 0
    one = (a[0] != b[0]) + slips(a[1:], b[1:])
    return min(one, 1 + slips(a[2:], b[2:])) if len(a) > 1 and a[:2] == b[1::-1] else one


def join(
    records: Collection[int],
    decided: Sequence[tuple[int, int]],
    pairs: Sequence[tuple[int, int]],
    numbers: Mapping[int, str],
    apart: Collection[frozenset[int]] = (),
    contradictions: Collection[frozenset[int]] = (),
    files: Mapping[int, int] | None = None,
    largest: int = 40,
) -> tuple[set[Group], list[tuple[tuple[int, int], str]]]:
    """The groups, and the pairs that were refused, and why."""
    group_of = {record: frozenset([record]) for record in records}
    refused = []
    for number, (a, b) in enumerate([*decided, *pairs]):
        left, right = group_of[a], group_of[b]
        if left == right:
            continue
        across = [frozenset([x, y]) for x in left for y in right]
        why = ""
        if any(pair in apart for pair in across):
            why = "told_apart"
        elif number < len(decided):
            pass
        elif any(pair in contradictions for pair in across):
            why = "contradiction"
        elif files and any(files[x] and files[x] == files[y] for x in left for y in right):
            why = "one_file"
        elif conflict({numbers[x] for x in left} - {""}, {numbers[y] for y in right} - {""}):
            why = "numbers_conflict"
        elif len(left) + len(right) > largest:
            why = "too_many"
        if why:
            refused.append(((a, b), why))
            continue
        for record in left | right:
            group_of[record] = left | right
    return set(group_of.values()), refused


def conflict(left: set[str], right: set[str]) -> bool:
    """Whether numbers that are not in the other group anyway are too far from one of its own."""
    return any(slips(x, y) > 2 for x in left for y in right if x not in right and y not in left)


def people(records: Mapping[int, Said], events: Sequence[Event], largest: int = 40) -> set[Group]:
    """The records of each person."""
    newest = [e for n, e in enumerate(events) if not any(_same_thing(e, later) for later in events[n + 1 :])]
    apart = {frozenset(e.pair) for e in newest if (e.channel, e.verdict) == ("reviewer", "apart")}
    merges = [e for e in newest if (e.channel, e.verdict) == ("hospital", "same") and frozenset(e.pair) not in apart]
    while True:
        into = chains(merges)
        speaking = sorted(set(records) - set(into))
        said = [e for e in sorted(newest, key=lambda e: strength(e, records)) if e.channel != "hospital"]
        decided = [
            (into.get(e.pair[0], e.pair[0]), into.get(e.pair[1], e.pair[1]))
            for e in said
            if (e.channel, e.verdict) == ("reviewer", "same")
        ]
        said = [e for e in said if not set(e.pair) & set(into)]
        groups, _ = join(
            speaking,
            decided,
            [e.pair for e in said if e.channel != "reviewer" and e.verdict == "same"],
            {record: said.nhs_number for record, said in records.items()},
            apart,
            {frozenset(e.pair) for e in said if (e.channel, e.verdict) == ("rule", "apart")},
            largest=largest,
        )
        left_out = set()
        for record in sorted(into):
            home = next(group for group in groups if into[record] in group)
            if any(frozenset([record, other]) in apart for other in home):
                left_out.add(record)
            else:
                groups = groups - {home} | {home | {record}}
        if not left_out:
            return groups
        merges = [e for e in merges if e.left not in left_out]


def chains(merges: Sequence[Event]) -> dict[int, int]:
    """Each record that lost its number, and the one at the end of its chain; a merge that closes a ring is none."""
    into: dict[int, int] = {}
    for merge in sorted(merges, key=lambda e: e.at):
        if end(merge.right, into) != merge.left:
            into[merge.left] = merge.right
    return {record: end(record, into) for record in into}


def end(record: int, into: Mapping[int, int]) -> int:
    return end(into[record], into) if record in into else record


def strength(event: Event, records: Mapping[int, Said]) -> tuple[object, ...]:
    """The rule before scores, strong before weak, then by what the records say."""
    said = sorted([records[event.left].content, records[event.right].content])
    return ["reviewer", "rule", "score", "hospital"].index(event.channel), -event.bits, event.reason, said, event.pair


def _same_thing(a: Event, b: Event) -> bool:
    return (set(a.pair), a.channel) == (set(b.pair), b.channel)
