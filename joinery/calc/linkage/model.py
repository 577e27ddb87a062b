"""One pair of records scored by a model file, to the same match weight as Splink gives it in batch.

Splink adds up the prior and, for each comparison, log2(m / u) of the level that holds; a level with term
frequencies adds log2(u of full agreement) - log2(share of the value), the value of the two sides that is
more common, and never a smaller share than a floor. A value that the file does not list is as rare as
the floor. The parity is tested pair by pair.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from operator import itemgetter
from typing import Any

from joinery.calc.linkage import comparisons
from joinery.calc.linkage.comparisons import Comparison, level_of
from joinery.calc.linkage.fields import FIELDS, Fields, needs

# As Splink does, for a probability that rounds to nothing.
_LEAST = 1e-300
VERSION = 1
# A side does not say, or another comparison counts it: names the other way round count once.
NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class Score:
    """How far two records are one person: the match weight in bits, and what each comparison gave to it.

    `levels` holds, for each comparison, its name, the level in words and its bits; `code` the places of
    the levels from the top, such as "0,2,-,0": a dash where a side does not say.
    """

    bits: float
    levels: tuple[tuple[str, str, float], ...]
    code: str


@dataclass(frozen=True, slots=True)
class _Rarity:
    """What a level gains where the value that both sides share is rare: see the module."""

    column: str
    shares: dict[str, float]
    floor: float
    weight: float
    log2_full: float

    def bits(self, a: Fields, b: Fields) -> float:
        shares, floor, column = self.shares, self.floor, self.column
        left, right = shares.get(getattr(a, column), floor), shares.get(getattr(b, column), floor)
        return self.weight * (self.log2_full - log2(max(left, right, floor)))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A comparison with the bits of its levels. `values` takes what it reads from a record."""

    compared: Comparison
    bits: tuple[float, ...]
    rarities: tuple[_Rarity | None, ...]
    values: Callable[[Fields], Any]

    def weigh(self, a: Fields, b: Fields) -> tuple[int | None, float]:
        """The place of the level that holds, or None, and its bits."""
        place = level_of(self.compared, a, b)
        if place is None:
            return None, 0.0
        rarity = self.rarities[place]
        return place, self.bits[place] + (rarity.bits(a, b) if rarity else 0.0)

    def most_bits(self, record: Fields, from_place: int = 0) -> float:
        """The most that anybody can gain with this record, by the levels from a place on.

        Nobody's value counts as rarer than its own, and who does not say gains nothing.
        """
        bits = list(self.bits)
        for place, rarity in enumerate(self.rarities):
            if rarity:
                bits[place] += rarity.bits(record, record)
        return max(0.0, *bits[from_place:])


@dataclass(frozen=True, slots=True)
class Model:
    """A model file, ready to score. From `link_bits` on a pair is one person, from `review_bits` on it may be."""

    name: str
    prior_bits: float
    link_bits: float
    review_bits: float
    largest_block: int
    rules: tuple[tuple[str, ...], ...]
    weighed: tuple[_Weighed, ...]

    def score(self, a: Fields, b: Fields) -> Score:
        """The match weight of a pair, explained."""
        return _explained(self.prior_bits, [(each.compared, *each.weigh(a, b)) for each in self.weighed])

    def keys(self, record: Fields) -> tuple[int, ...]:
        """The keys, signed and of 64 bits, of which records must share one to be compared at all."""
        return comparisons.keys(record, self.rules)

    def against(self, record: Fields, least_bits: float) -> Against:
        """The record, ready to be compared with many, of which only scores of `least_bits` or more matter."""
        return Against(self, record, least_bits)


# Most that share a key share names: dates of birth and postcodes part them soonest.
_FIRST = {"birth_date": 0, "postcode": 1}


# A comparison of one record with others: how its values are read, its own, the most bits for another one, the most
# that all comparisons after it can give together, and what it came to for each value met.
_Step = tuple[_Weighed, Callable[[Fields], Any], Any, float, float, dict[Any, tuple[int | None, float]]]


class Against:
    """One record that is compared with many.

    Those that share a key share most values too, so what a comparison comes to is kept for each value met.
    """

    def __init__(self, model: Model, record: Fields, least_bits: float) -> None:
        self._model = model
        self._record = record
        self._least_bits = least_bits
        # What this record does not say is not compared with anybody; a comparison of one field has its name.
        said = [each for each in model.weighed if getattr(record, each.compared.name, True)]
        said.sort(key=lambda each: _FIRST.get(each.compared.name, len(_FIRST)))
        steps: list[_Step] = []
        most_left = 0.0
        for each in reversed(said):
            own = each.values(record)
            most = most_other = each.most_bits(record)
            if isinstance(own, str):  # of one field, of which the first level is that both say the same
                most_other = each.most_bits(record, from_place=1)
            steps.append((each, each.values, own, most_other, most_left, {}))
            most_left += most
        self._steps = steps[::-1]

    def bits(self, other: Fields) -> float:
        """The match weight with another record; or, as soon as it cannot come to `least_bits` any more, the
        most that it could come to.
        """
        bits, least = self._model.prior_bits, self._least_bits
        for weighed, values, own, most_other, most_left, known in self._steps:
            value = values(other)
            found = known.get(value)
            if found is None:
                if value != own and bits + most_other + most_left < least:
                    return bits + most_other + most_left
                found = known[value] = weighed.weigh(self._record, other)
            bits += found[1]
            if bits + most_left < least:
                return bits + most_left
        return bits

    def score(self, other: Fields) -> Score:
        """The match weight of a record of which `bits` was asked and was enough, explained."""
        found = {weighed.compared.name: known[values(other)] for weighed, values, *_, known in self._steps}
        return _explained(
            self._model.prior_bits,
            [(each.compared, *found.get(each.compared.name, (None, 0.0))) for each in self._model.weighed],
        )


def _explained(bits: float, given: Sequence[tuple[Comparison, int | None, float]]) -> Score:
    """The score that starts from the prior, and gains from each comparison the bits of the level at its place."""
    levels = []
    for compared, place, gained in given:
        bits += gained
        levels.append((compared.name, NOT_COMPARED if place is None else compared.levels[place].words, gained))
    return Score(bits, tuple(levels), ",".join("-" if place is None else str(place) for _, place, _ in given))


def load(text: str) -> Model:
    """A model from the text of its file.

    Raises ValueError, in words, when it is no model file, was not trained, or compares what records do not hold.
    """
    try:
        head = json.loads(text)
        if head["version"] != VERSION:
            raise ValueError(
                f"The model file is of another version of Joinery ({head['version']}). Train a model anew."
            )
        prior = float(head["splink"]["probability_two_random_records_match"])
        if not 0 < prior < 1:
            raise ValueError(f"The model's prior is {prior}: it must be above 0 and below 1. Train a model anew.")
        return Model(
            name=head["name"],
            prior_bits=log2(prior / (1 - prior)),
            link_bits=float(head["link_bits"]),
            review_bits=float(head["review_bits"]),
            largest_block=int(head["largest_block"]),
            rules=tuple(_rule(rule) for rule in head["rules"]),
            weighed=tuple(_weighed(each, head["term_frequencies"]) for each in head["splink"]["comparisons"]),
        )
    except KeyError as missing:
        raise ValueError(f"This is no model file of Joinery: it lacks {missing}. Train a model anew.") from None
    except (TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"This is no model file of Joinery: {error}. Train a model anew.") from None


def _rule(columns: Sequence[str]) -> tuple[str, ...]:
    if strange := [column for column in columns if not set(_read(column)) <= set(FIELDS)]:
        raise ValueError(f"The model looks for {strange[0]!r}, which records do not hold. Train it on their fields.")
    return tuple(columns)


def _weighed(given: dict[str, Any], frequencies: dict[str, Any]) -> _Weighed:
    """A comparison of Splink's model, with our own of the same name."""
    name = given["output_column_name"]
    try:
        compared = comparisons.comparison(name)
        needed = {field for column in compared.columns for field in _read(column)}
        read = sorted(FIELDS.index(field) for field in needed)
    except (KeyError, ValueError):
        raise ValueError(f"The model compares {name!r}, which records do not hold. Train it on their fields.") from None
    missing, *levels = given["comparison_levels"]
    if missing["sql_condition"] != compared.missing_sql or not missing.get("is_null_level"):
        raise ValueError(f"The model's comparison {name!r} does not begin with when a side is missing. Train it anew.")
    if [level["sql_condition"] for level in levels] != [level.sql for level in compared.levels]:
        raise ValueError(f"The model's comparison {name!r} has levels that this version does not know. Train it anew.")
    bits = tuple(_bits(name, level) for level in levels)
    rarities = tuple(_rarity(level, levels, frequencies) for level in levels)
    return _Weighed(compared, bits, rarities, itemgetter(*read))


def _read(column: str) -> tuple[str, ...]:
    """The fields that a column of a comparison is read from."""
    return ("given_name",) if column == "nicknames" else needs(column)


def _bits(name: str, level: dict[str, Any]) -> float:
    m, u = level.get("m_probability"), level.get("u_probability")
    if m is None or u is None:
        words = level.get("label_for_charts", level["sql_condition"])
        raise ValueError(f"The model was not trained on {name!r}, level {words!r}. Train it on more records.")
    return log2(max(m, _LEAST) / max(u, _LEAST))


def _rarity(level: dict[str, Any], levels: Sequence[dict[str, Any]], frequencies: dict[str, Any]) -> _Rarity | None:
    """The term frequencies of a level, where it has any."""
    column = level.get("tf_adjustment_column")
    if column is None:
        return None
    if column not in FIELDS:
        raise ValueError(f"The model counts how often {column!r} is said, which records do not hold. Train it anew.")
    full = level
    if not level.get("disable_tf_exact_match_detection"):
        full = next(each for each in levels if each["sql_condition"] == f'"{column}_l" = "{column}_r"')
    floor = float(level.get("tf_minimum_u_value", 0.0))
    weight = float(level.get("tf_adjustment_weight", 1.0))
    return _Rarity(column, frequencies[column], floor, weight, log2(full["u_probability"]))
