"""Who is who, the slow and plain way: groups as sets, every record of one side held against every one of the other.

Knows nothing of positions, representatives or increments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from joinery.calc.linkage.identity import Event, Said

Group = frozenset[int]


def torn(scored: Sequence[tuple[int, int, float]], numbers: Mapping[int, str], apart: Collection[Group]) -> set[int]:
    """Records without a number that fit two numbers within 3 bits of the one they fit best."""
    found = set()
    for record in numbers:
        fits = [
            (bits, numbers[b if a == record else a])
            for a, b, bits in scored
            if record in (a, b) and not numbers[record] and numbers[b if a == record else a]
            if frozenset([a, b]) not in apart
        ]
        if any(number != max(fits)[1] and bits > max(fits)[0] - 3 for bits, number in fits):
            found.add(record)
    return found


def join(
    records: Collection[int],
    decided: Sequence[tuple[int, int]],
    pairs: Sequence[tuple[int, int]],
    numbers: Mapping[int, str],
    apart: Collection[frozenset[int]] = (),
    contradictions: Collection[frozenset[int]] = (),
    files: Mapping[int, int] | None = None,
    largest: int = 40,
    between: Collection[int] = (),
    least_support: float = 0,
) -> tuple[set[Group], list[tuple[tuple[int, int], str]]]:
    """The groups, and the pairs that were refused, and why."""
    group_of = {record: frozenset([record]) for record in records}
    refused = [(pair, "torn") for pair in pairs if set(pair) & set(between)]
    pairs = [pair for pair in pairs if not set(pair) & set(between)]
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
        elif sum(pair in map(frozenset, pairs) for pair in across) < least_support * len(across):
            why = "too_few"
        if why:
            refused.append(((a, b), why))
            continue
        for record in left | right:
            group_of[record] = left | right
    return set(group_of.values()), refused


def conflict(left: set[str], right: set[str]) -> bool:
    """Whether two groups hold different numbers: those that both hold prove nothing, nor do those one has besides."""
    return any(x != y for x in left - right for y in right - left)


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
        alike = [e for e in said if e.channel != "reviewer" and e.verdict == "same"]
        numbers = {record: said.nhs_number for record, said in records.items()}
        by_rule = [e.pair for e in alike if e.channel == "rule"]
        # What the rule says of two records goes before what their score says, and bears no bits.
        scored = [(*e.pair, e.bits) for e in alike if e.channel == "rule" or e.pair not in by_rule]
        scored += [(*pair, float("inf")) for pair in decided]
        groups, _ = join(
            speaking,
            decided,
            [e.pair for e in alike],
            numbers,
            apart,
            {frozenset(e.pair) for e in said if (e.channel, e.verdict) == ("rule", "apart")},
            largest=largest,
            between=torn(scored, numbers, apart),
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
