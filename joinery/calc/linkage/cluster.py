"""Which records are one person, from pairs that may be: the strongest pair first, and never against a veto.

Plain connected components would join two families through one wrong number (it was seen on made-up people), so
a pair that would bring together what must stay apart is refused, and said to be.

Records are positions from 0, so that a million of them are a few lists of whole numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Literal

# A person has fewer records than this in the feeds of one place; more are a chain of mistakes or a dummy,
# and go to review. Our own rule.
LARGEST = 40
# A record that fits one of two people less than this many bits better fits both: eight to one is no decision.
TIE_BITS = 3.0

Pair = tuple[int, int]
Why = Literal["told_apart", "one_file", "numbers_conflict", "contradiction", "torn", "too_many", "too_few"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Each record's group, named by its lowest position; and the pairs that were refused, and why."""

    group_of: list[int]
    refused: list[tuple[Pair, Why]]

    def groups(self) -> list[list[int]]:
        """The records of each group, both in ascending order."""
        found: dict[int, list[int]] = {}
        for record, group in enumerate(self.group_of):
            found.setdefault(group, []).append(record)
        return list(found.values())


def cluster(
    count: int,
    pairs: Iterable[Pair],
    numbers: Sequence[str] = (),
    *,
    decided: Iterable[Pair] = (),
    apart: Iterable[Pair] = (),
    contradictions: Iterable[Pair] = (),
    files: Sequence[int] = (),
    torn: Collection[int] = (),
    largest: int = LARGEST,
    least_support: float = 0.0,
) -> Clusters:
    """Join `count` records by `pairs`, which come strongest first (`strongest_first`).

    A pair is refused when a record of one side and a record of the other are `apart` or `contradictions`,
    have different valid NHS `numbers` ("" is none: the check digits find every single slip, so two that
    differ are two people's), or come from one file of which it is known that nobody is in it twice
    (`files`: its number from 1, 0 for any other); when one of the two is `torn` (`torn_between`); or when
    more than `largest` records would be one person; or when too few pairs speak for it, as a share
    (`least_support`) of all pairs of a record of one side and one of the other. `decided` are pairs that
    people decided: they are joined first and overrule all but `apart`, or what was refused could never be
    put right.

    Raises ValueError when `numbers` or `files` do not say something of every record.

    >>> cluster(4, [(0, 1), (1, 2), (2, 3)], ["9990000018", "", "9992223334", ""]).groups()
    [[0, 1], [2, 3]]
    """
    for name, values in (("numbers", numbers), ("files", files)):
        if len(values) not in (0, count):
            raise ValueError(f"{name} are given for {len(values)} of {count} records: give one for each, or none")
    growing = _Groups(count, numbers, files, largest)
    growing.keep_apart(contradictions, "contradiction")
    growing.keep_apart(apart, "told_apart")
    refused = growing.join_all(decided, by_people=True)
    if torn:
        pairs, between = list(pairs), set(torn)
        refused += [(pair, "torn") for pair in pairs if not between.isdisjoint(pair)]
        pairs = [pair for pair in pairs if between.isdisjoint(pair)]
    if least_support:
        pairs = list(pairs)
        growing.ask_support(pairs, least_support)
    refused += growing.join_all(pairs)
    return Clusters(growing.named(), refused)


def torn_between(
    scored: Iterable[tuple[int, int, float]], numbers: Sequence[str], apart: Iterable[Pair] = ()
) -> set[int]:
    """The records without an NHS number that fit two people with different ones about equally well.

    An initial fits either twin; whichever came first must not have it. `scored` are the pairs (left, right,
    bits) that would be joined; one that people decided has infinite bits. Those told `apart` do not count.

    >>> torn_between([(0, 1, 20.0), (0, 2, 18.5)], ["", "9990000018", "9990000026"])
    {0}
    """
    if not numbers:
        return set()
    told_apart = {frozenset(pair) for pair in apart}
    fits: dict[int, dict[str, float]] = {}
    for a, b, bits in scored:
        if bool(numbers[a]) != bool(numbers[b]) and frozenset((a, b)) not in told_apart:
            record, number = (b, numbers[a]) if numbers[a] else (a, numbers[b])
            best = fits.setdefault(record, {})
            best[number] = max(bits, best.get(number, bits))
    ranked = ((record, sorted(best.values(), reverse=True)) for record, best in fits.items() if len(best) > 1)
    return {record for record, (first, second, *_) in ranked if second > first - TIE_BITS}


def strongest_first(pairs: Iterable[tuple[int, int, float]], content: Sequence[str] | Sequence[int] = ()) -> list[Pair]:
    """Pairs (left, right, bits) in the order in which to join them.

    Ties go by what the two records say (`content`: for each record something that can be sorted), so that
    the order of the records changes nothing; only then by position.
    """
    ordered = sorted(pairs, key=itemgetter(2), reverse=True)
    strongest: list[Pair] = []
    for _, equal in groupby(ordered, key=itemgetter(2)):
        tied = [(a, b) if a < b else (b, a) for a, b, _ in equal]
        if len(tied) > 1:
            tied.sort(key=lambda pair: (sorted((content[pair[0]], content[pair[1]])) if content else [], pair))
        strongest += tied
    return strongest


class _Groups:
    """Records in groups that grow, and what each group holds that may keep it from another.

    A group is known by one of its records (`_find`); the lists hold what is true of the group there.
    """

    def __init__(self, count: int, numbers: Sequence[str], files: Sequence[int], largest: int) -> None:
        self._parent = list(range(count))
        self._size = [1] * count
        self._largest = largest
        self._number = list(numbers) or [""] * count
        self._numbers: dict[int, frozenset[str]] = {}  # of groups with several
        self._files = [1 << file if file else 0 for file in files]  # a bit for each file
        self._foes: dict[int, dict[int, Why]] = {}
        self._least_support = 0.0
        self._between: dict[int, dict[int, int]] = {}  # how many pairs there are to each other group

    def keep_apart(self, pairs: Iterable[Pair], why: Why) -> None:
        for a, b in pairs:
            self._foes.setdefault(a, {})[b] = why
            self._foes.setdefault(b, {})[a] = why

    def ask_support(self, pairs: Iterable[Pair], least: float) -> None:
        """Refuse from now on to join groups for which too small a share of the pairs between them speaks."""
        self._least_support = least
        for a, b in {(a, b) if a < b else (b, a) for a, b in pairs}:
            left, right = self._find(a), self._find(b)
            if left != right:
                for group, other in ((left, right), (right, left)):
                    near = self._between.setdefault(group, {})
                    near[other] = near.get(other, 0) + 1

    def join_all(self, pairs: Iterable[Pair], by_people: bool = False) -> list[tuple[Pair, Why]]:
        """Join the records of each pair in turn, unless there is a reason not to; the refused ones."""
        parent, why_not, join = self._parent, self._by_people if by_people else self._why_not, self._join
        refused: list[tuple[Pair, Why]] = []
        for pair in pairs:
            a, b = pair
            while parent[a] != a:  # `_find`, twice: a call each costs as much as all the rest
                parent[a] = a = parent[parent[a]]
            while parent[b] != b:
                parent[b] = b = parent[parent[b]]
            if a == b:
                continue
            why = why_not(a, b)
            if why:
                refused.append((pair, why))
            else:
                join(a, b)
        return refused

    def _find(self, record: int) -> int:
        parent = self._parent
        while parent[record] != record:
            parent[record] = record = parent[parent[record]]
        return record

    def _by_people(self, a: int, b: int) -> Why | None:
        return "told_apart" if self._foe(a, b) == "told_apart" else None

    def _why_not(self, a: int, b: int) -> Why | None:
        """What keeps two groups from being one person."""
        if self._foes and (why := self._foe(a, b)):
            return why
        if self._files and self._files[a] & self._files[b]:
            return "one_file"
        x, y = self._number[a], self._number[b]
        if x and y and (x != y or a in self._numbers or b in self._numbers) and self._conflict(a, b):
            return "numbers_conflict"
        if self._size[a] + self._size[b] > self._largest:
            return "too_many"
        if self._between and self._between[a][b] < self._least_support * (self._size[a] * self._size[b]):
            return "too_few"
        return None

    def _foe(self, a: int, b: int) -> Why | None:
        """Whether a record of one group must stay apart from one of the other."""
        left, right = self._foes.get(a), self._foes.get(b)
        if not left or not right:  # what stands in one stands in the other
            return None
        few, there = (left, b) if len(left) <= len(right) else (right, a)
        found = {why for record, why in few.items() if self._find(record) == there}
        return "told_apart" if "told_apart" in found else "contradiction" if found else None

    def _conflict(self, a: int, b: int) -> bool:
        """Whether each holds a number that the other does not; several in one group were accepted by people."""
        left, right = self._numbers_of(a), self._numbers_of(b)
        return bool(left - right and right - left)

    def _numbers_of(self, group: int) -> frozenset[str]:
        return self._numbers.get(group) or frozenset((self._number[group],)) - {""}

    def _join(self, a: int, b: int) -> None:
        size = self._size
        if size[a] < size[b]:
            a, b = b, a
        self._parent[b] = a
        size[a] += size[b]
        if self._files:
            self._files[a] |= self._files[b]
        if self._number[a] != self._number[b] or b in self._numbers:
            numbers = self._numbers_of(a) | self._numbers_of(b)
            self._number[a] = self._number[a] or self._number[b]
            if len(numbers) > 1:
                self._numbers[a] = numbers
        if b in self._foes:
            self._take_foes(a, self._foes.pop(b))
        if b in self._between:
            self._take_support(a, b)

    def _take_foes(self, group: int, foes: dict[int, Why]) -> None:
        into = self._foes.setdefault(group, {})
        if len(into) < len(foes):
            self._foes[group], foes, into = foes, into, foes
        for record, why in foes.items():
            if why == "told_apart" or record not in into:
                into[record] = why

    def _take_support(self, group: int, joined: int) -> None:
        near = self._between.setdefault(group, {})
        near.pop(joined, None)
        for other, count in self._between.pop(joined).items():
            if other != group:
                del self._between[other][joined]
                near[other] = self._between[other][group] = near.get(other, 0) + count

    def named(self) -> list[int]:
        """Each record's group, by the lowest record in it."""
        lowest: dict[int, int] = {}
        return [lowest.setdefault(self._find(record), record) for record in range(len(self._parent))]
