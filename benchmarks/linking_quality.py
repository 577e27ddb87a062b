"""How right a linkage is, where the truth is known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of records: how many the truth has, how many were said, and how many of those are right."""

    true: int
    said: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.said if self.said else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.said + self.true) if self.said + self.true else 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """Of a group of records: how many share a cluster with another person's record, and how many that have
    another record of the same person share a cluster with one."""

    records: int
    contaminated: int
    with_counterpart: int
    linked_right: int

    @property
    def contaminated_per_10000(self) -> float:
        return 10_000 * self.contaminated / self.records if self.records else 0.0

    @property
    def linked(self) -> float:
        return self.linked_right / self.with_counterpart if self.with_counterpart else 1.0


def cluster_pairs(clusters: Sequence[Hashable], people: Sequence[Hashable]) -> Pairs:
    """Pairs within clusters against pairs within people, position by position.

    >>> cluster_pairs(["x", "x", "x", "y"], [1, 1, 2, 2])
    Pairs(true=2, said=3, right=1)
    """
    both = Counter(zip(clusters, people, strict=True))
    return Pairs(
        _pairs_within(Counter(people).values()), _pairs_within(Counter(clusters).values()), _pairs_within(both.values())
    )


def pair_list(said: Iterable[tuple[int, int]], people: Sequence[Hashable], true: int | None = None) -> Pairs:
    """Pairs of positions, each given once, against the truth: before clustering.

    `true` is the number of true pairs where it is not that of all pairs within people.
    """
    listed = list(said)
    right = sum(people[left] == people[right] for left, right in listed)
    return Pairs(_pairs_within(Counter(people).values()) if true is None else true, len(listed), right)


def shares(
    clusters: Sequence[Hashable], people: Sequence[Hashable], groups: Sequence[Iterable[str]]
) -> Mapping[str, Share]:
    """Quality by group; `groups` are those of each record, and "all" is added."""
    both = Counter(zip(clusters, people, strict=True))
    in_cluster, of_person = Counter(clusters), Counter(people)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for cluster, person, mine in zip(clusters, people, groups, strict=True):
        same = both[cluster, person]
        said = (1, in_cluster[cluster] > same, of_person[person] > 1, same > 1)
        for group in ("all", *mine):
            counts = found[group]
            for at, yes in enumerate(said):
                counts[at] += yes
    return {group: Share(*found[group]) for group in sorted(found)}


def groups_of(nhs_number: str, traits: str, postcode: str = "", birth_date: str = "") -> list[str]:
    """The groups of a record of benchmarks.people."""
    lacking = {"no_number": nhs_number, "no_postcode": postcode, "no_birth_date": birth_date}
    return [name for name, said in lacking.items() if not said] + traits.split()


def _pairs_within(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
