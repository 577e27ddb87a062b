"""Learning from pairs that nobody has labelled: what agreement is worth, and where to draw the line.

Fellegi and Sunter's model over counts of patterns: m is how often a level is seen among records of one
person, u among records of two. Unlike Splink's own training, one pass sees all pairs that blocking brings
together, weighs them by the share of matches among ALL pairs of records, and takes what is left of the
random pairs, after the matches among them, for u. So the prior needs no guess, u needs no huge sample, and
the probabilities can be summed: the line is drawn where the expected F1 is best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

_ITERATIONS = 40
_SETTLED = 1e-5
# The start counts as much as this many pairs of one person, so that a few pairs do not overturn it.
_START_PAIRS = 30.0
_LEAST_U = 2.0**-24
_LEAST_M = 1e-5
MISSING = -1


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pairs that compare alike: per comparison the place of its level from the top, or MISSING."""

    places: tuple[int, ...]
    rarity_bits: float
    """What the term frequencies of the values that agree say in place of u, in sum."""
    pairs: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """m and u by comparison and level, and the share of matches among all pairs of records."""

    m: tuple[tuple[float, ...], ...]
    u: tuple[tuple[float, ...], ...]
    share: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What all pairs of records look like, matches included: shares of levels, and how many pairs there are."""

    levels: tuple[tuple[float, ...], ...]
    compared: tuple[float, ...]
    pairs: float


def learn(
    patterns: Sequence[Pattern],
    sample: Sample,
    start: Parameters,
    by_rarity: Sequence[frozenset[int]],
) -> Parameters:
    """The parameters that explain the patterns best, found by expectation maximisation from `start`.

    `by_rarity` names, per comparison, the levels whose u is told by the rarity bits of the pattern.
    """
    now = start
    for _ in range(_ITERATIONS):
        before, now = now, _step(patterns, sample, start, now, by_rarity)
        moved = max(abs(x - y) for a, b in zip(before.m, now.m, strict=True) for x, y in zip(a, b, strict=True))
        if moved < _SETTLED and abs(log2(now.share / before.share)) < 0.01:
            break
    return now


def _step(
    patterns: Sequence[Pattern],
    sample: Sample,
    start: Parameters,
    now: Parameters,
    by_rarity: Sequence[frozenset[int]],
) -> Parameters:
    weights = weight_table(now, by_rarity)
    prior = log2(now.share / (1 - now.share))
    matched = [[0.0] * len(levels) for levels in now.m]
    matches = 0.0
    for pattern in patterns:
        bits = prior + pattern.rarity_bits
        for table, place in zip(weights, pattern.places, strict=True):
            bits += table[place]
        if bits < -30:
            continue
        expected = pattern.pairs * probability(bits)
        matches += expected
        for counts, place in zip(matched, pattern.places, strict=True):
            if place != MISSING:
                counts[place] += expected
    m, u = [], []
    for at, counts in enumerate(matched):
        total = sum(counts) + _START_PAIRS
        m.append(tuple(max((c + _START_PAIRS * s) / total, _LEAST_M) for c, s in zip(counts, start.m[at], strict=True)))
        u.append(_unmatched(sample, at, counts))
    return Parameters(tuple(m), tuple(u), max(matches, 1.0) / sample.pairs)


def _unmatched(sample: Sample, at: int, matched: Sequence[float]) -> tuple[float, ...]:
    """The shares of levels among the pairs of two different people: all pairs less the matched ones."""
    compared = sample.pairs * sample.compared[at]
    left = [
        max(compared * share - took, 0.03 * compared * share)
        for share, took in zip(sample.levels[at], matched, strict=True)
    ]
    total = sum(left) or 1.0
    return tuple(max(each / total, _LEAST_U) for each in left)


def weight_table(parameters: Parameters, by_rarity: Sequence[frozenset[int]]) -> list[list[float]]:
    """Bits by comparison and level; one more entry, the last, is what MISSING finds: no bits."""
    return [
        [log2(m) if place in rare else log2(m / u) for place, (m, u) in enumerate(zip(ms, us, strict=True))] + [0.0]
        for ms, us, rare in zip(parameters.m, parameters.u, by_rarity, strict=True)
    ]


def probability(bits: float) -> float:
    """The probability that a pair of this match weight is one person.

    >>> probability(0)
    0.5
    """
    return 1 / (1 + 2.0 ** -max(bits, -1000.0))


def scored(
    patterns: Sequence[Pattern], parameters: Parameters, by_rarity: Sequence[frozenset[int]]
) -> list[tuple[float, float]]:
    """The match weight of each pattern in bits, and its number of pairs; the highest first."""
    weights = weight_table(parameters, by_rarity)
    prior = log2(parameters.share / (1 - parameters.share))
    scores = [
        (prior + p.rarity_bits + sum(t[place] for t, place in zip(weights, p.places, strict=True)), p.pairs)
        for p in patterns
    ]
    return sorted(scores, reverse=True)


def best_line(scores: Sequence[tuple[float, float]]) -> float:
    """The match weight from which on linking gives the best expected F1, by the probabilities themselves.

    >>> best_line([(10.0, 100.0), (-10.0, 500.0)])
    10.0
    """
    matches = sum(pairs * probability(bits) for bits, pairs in scores)
    best, line = -1.0, 0.0
    right = linked = 0.0
    for bits, pairs in scores:
        right += pairs * probability(bits)
        linked += pairs
        f1 = 2 * right / (linked + matches)
        if f1 > best:
            best, line = f1, bits
    return line
