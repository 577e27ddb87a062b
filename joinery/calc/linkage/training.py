"""Learning from pairs that nobody has labelled: what agreement is worth, and where to draw the line.

Fellegi and Sunter's model over counts of patterns: m is how often a level is seen among records of one
person, u among records of two. Unlike Splink's own training, one pass sees all pairs that blocking brings
together, weighs them by the share of matches among ALL pairs of records, and takes for u what is left of
the random pairs after the matches among them. So the prior needs no guess, u needs no huge sample, and the
probabilities may be summed: the line is drawn where the expected gain is best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp2, log2

from joinery.calc.linkage.comparisons import MISSING

_ITERATIONS = 40
_SETTLED = 1e-5
# The start counts as much as this many pairs of one person, so that a few pairs do not overturn it.
_START_PAIRS = 30.0
# The square of the 0.5 of F(0.5).
_RECALL_WEIGHT = 0.25
_LEAST_U = 2.0**-24
_LEAST_M = 1e-5
# Of the random pairs of a level, at least this share is taken to be of two people.
_LEAST_UNMATCHED = 0.03
# Families are few in a small file: as many pairs as expected are added to those seen.
_FAMILY_PAIRS = 5.0
_LEAST_FAMILY_BITS = -12.0
# A field in which fewer records of one person agree says that families or strangers were learnt.
_LEAST_TOP = 0.2

Combination = Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model compares, as far as learning needs it; comparisons and levels by their places."""

    by_rarity: tuple[frozenset[int], ...]
    """Per comparison, the levels whose u is told by the rarity bits of a pattern."""
    never: tuple[Combination, ...] = ()
    """Combinations of levels that two records of one person are never taken to have."""
    families: tuple[Combination, ...] = ()
    """Combinations of levels that two of one family often have; a pattern has the first that fits."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pairs that compare alike: per comparison the place of its level from the top, or MISSING."""

    places: tuple[int, ...]
    rarity_bits: float
    """What the term frequencies of the values that agree say in place of u, in sum."""
    pairs: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What all pairs of records look like, matches included: shares of levels, and how many pairs there are."""

    levels: tuple[tuple[float, ...], ...]
    compared: tuple[float, ...]
    """Per comparison, the share of pairs that can be compared."""
    pairs: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """m and u by comparison and level, the share of matches among all pairs, and the bits of families.

    What is learnt never gives a family more bits than it starts with.
    """

    m: tuple[tuple[float, ...], ...]
    u: tuple[tuple[float, ...], ...]
    share: float
    family_bits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many pairs of one person, and of two, were seen at each level and each family combination."""

    matched: list[list[float]]
    family_matched: list[float]
    family_unmatched: list[float]
    matches: float


def learn(patterns: Sequence[Pattern], sample: Sample, start: Parameters, shape: Shape) -> Parameters:
    """The parameters that explain the patterns best, found by expectation maximisation from `start`."""
    now = start
    families = [_family(pattern.places, shape) for pattern in patterns]
    barred = [any(_fits(pattern.places, combination) for combination in shape.never) for pattern in patterns]
    for _ in range(_ITERATIONS):
        counts = _expect(patterns, families, barred, now, shape)
        before, now = now, _maximise(counts, sample, start, shape)
        moved = max(abs(x - y) for a, b in zip(before.m, now.m, strict=True) for x, y in zip(a, b, strict=True))
        if moved < _SETTLED and abs(log2(now.share / before.share)) < 0.01:
            break
    return now


def _expect(
    patterns: Sequence[Pattern], families: Sequence[int], barred: Sequence[bool], now: Parameters, shape: Shape
) -> _Counts:
    """How many pairs of each level are expected to be one person by what is known now."""
    weights, prior = weight_table(now, shape), prior_bits(now)
    matched = [[0.0] * (len(levels) + 1) for levels in now.m]  # the last place is that of MISSING
    family = [[0.0] * (len(shape.families) + 1) for _ in range(2)]
    matches = 0.0
    bits_of_family = (*now.family_bits, 0.0)
    for pattern, at, never in zip(patterns, families, barred, strict=True):
        bits = prior + pattern.rarity_bits + bits_of_family[at]
        for table, place in zip(weights, pattern.places, strict=True):
            bits += table[place]
        expected = 0.0 if never or bits < -30 else pattern.pairs * probability(bits)
        family[1][at] += pattern.pairs - expected
        if expected:
            matches += expected
            family[0][at] += expected
            for counts, place in zip(matched, pattern.places, strict=True):
                counts[place] += expected
    return _Counts([counts[:-1] for counts in matched], family[0][:-1], family[1][:-1], matches)


def _maximise(counts: _Counts, sample: Sample, start: Parameters, shape: Shape) -> Parameters:
    """The parameters that these counts make most likely."""
    m, u = [], []
    for at, matched in enumerate(counts.matched):
        total = sum(matched) + _START_PAIRS
        m.append(
            tuple(max((c + _START_PAIRS * s) / total, _LEAST_M) for c, s in zip(matched, start.m[at], strict=True))
        )
        u.append(_unmatched(sample, at, matched))
    compared = [sum(matched) / max(counts.matches, 1.0) for matched in counts.matched]
    families = []
    for at, combination in enumerate(shape.families):
        if any(MISSING in places for places in combination.values()):
            families.append(start.family_bits[at])  # from what nobody says, nothing is learnt
            continue
        of_one = counts.matches * _chance(combination, m, compared)
        of_two = sample.pairs * _chance(combination, u, sample.compared)
        more_among_one = (counts.family_matched[at] + _FAMILY_PAIRS) / (of_one + _FAMILY_PAIRS)
        more_among_two = (counts.family_unmatched[at] + _FAMILY_PAIRS) / (of_two + _FAMILY_PAIRS)
        learnt = max(_LEAST_FAMILY_BITS, log2(more_among_one / more_among_two))
        families.append(min(start.family_bits[at], learnt))
    return Parameters(tuple(m), tuple(u), max(counts.matches, 1.0) / sample.pairs, tuple(families))


def _unmatched(sample: Sample, at: int, matched: Sequence[float]) -> tuple[float, ...]:
    """The shares of levels among the pairs of two different people: all pairs less the matched ones."""
    compared = sample.pairs * sample.compared[at]
    left = [
        max(compared * share - taken, _LEAST_UNMATCHED * compared * share)
        for share, taken in zip(sample.levels[at], matched, strict=True)
    ]
    total = sum(left) or 1.0
    return tuple(max(each / total, _LEAST_U) for each in left)


def _chance(combination: Combination, shares: Sequence[Sequence[float]], compared: Sequence[float]) -> float:
    """How often levels would come together if each came independently."""
    chance = 1.0
    for comparison, places in combination.items():
        chance *= compared[comparison] * sum(shares[comparison][place] for place in places)
    return chance


def _family(places: Sequence[int], shape: Shape) -> int:
    """Which family combination a pattern has; none is one more than the last."""
    for at, combination in enumerate(shape.families):
        if _fits(places, combination):
            return at
    return len(shape.families)


def _fits(places: Sequence[int], combination: Combination) -> bool:
    return all(places[comparison] in fitting for comparison, fitting in combination.items())


def prior_bits(parameters: Parameters) -> float:
    """The match weight of two records of which nothing is known."""
    return log2(parameters.share / (1 - parameters.share))


def weight_table(parameters: Parameters, shape: Shape) -> list[list[float]]:
    """Bits by comparison and level; one more entry, the last, is what MISSING finds: no bits."""
    return [
        [log2(m) if place in rare else log2(m / u) for place, (m, u) in enumerate(zip(ms, us, strict=True))] + [0.0]
        for ms, us, rare in zip(parameters.m, parameters.u, shape.by_rarity, strict=True)
    ]


def probability(bits: float) -> float:
    """The probability that a pair of this match weight is one person.

    >>> probability(0)
    0.5
    """
    return 1 / (1 + exp2(-max(bits, -1000.0)))


def scored(patterns: Sequence[Pattern], parameters: Parameters, shape: Shape) -> list[tuple[float, float]]:
    """The match weight of each pattern in bits, and its number of pairs; the highest first."""
    weights, prior = weight_table(parameters, shape), prior_bits(parameters)
    family = (*parameters.family_bits, 0.0)
    scores = []
    for pattern in patterns:
        levels = sum(table[place] for table, place in zip(weights, pattern.places, strict=True))
        bits = prior + pattern.rarity_bits + levels + family[_family(pattern.places, shape)]
        scores.append((bits, pattern.pairs))
    return sorted(scores, reverse=True)


def best_line(scores: Sequence[tuple[float, float]]) -> float:
    """The match weight from which on linking is best by the probabilities themselves, without labels.

    Best is the highest expected F(0.5), which weighs precision twice as much as recall: to take two people
    for one does more harm than to miss that two records are one. Never is what is less likely than not linked,
    however little there is to link.

    >>> best_line([(10.0, 100.0), (-10.0, 500.0)])
    10.0
    """
    matches = sum(pairs * probability(bits) for bits, pairs in scores)
    best, line = -1.0, 0.0
    right = linked = 0.0
    for bits, pairs in scores:
        if bits < 0:
            break
        right += pairs * probability(bits)
        linked += pairs
        worth = right / (linked + _RECALL_WEIGHT * matches)
        if worth > best:
            best, line = worth, bits
    return line


def doubts(learnt: Parameters, start: Parameters, words: Sequence[Sequence[str]]) -> list[str]:
    """What is odd about a model, in words for whoever trained it; `words` name the levels.

    A model that took families or strangers for persons shows by what one person's records should share being
    rare among its matches, or no more common than elsewhere.
    """
    found = []
    for m, u, expected, said in zip(learnt.m, learnt.u, start.m, words, strict=True):
        top = expected.index(max(expected))
        if m[top] <= u[top]:
            found.append(f'Records taken for one person have the "{said[top]}" no more often than others.')
        elif m[top] < _LEAST_TOP:
            found.append(f'Of the pairs taken for one person, only {m[top]:.0%} have the "{said[top]}".')
    return found
