"""Linking tables of records in memory: a model trained on them, pairs, clusters, and the links that made them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from joinery.calc.linkage.cluster import Clusters, cluster, strongest_first, torn_between
from joinery.calc.linkage.comparisons import HOUSEHOLD, OTHER_BIRTH_DATE, comparison, level_of
from joinery.calc.linkage.fields import FIELDS, Fields
from joinery.calc.linkage.ladder import Details, ladder_pairs
from joinery.calc.linkage.model import load
from joinery.site.commands import Problem

if TYPE_CHECKING:
    import pyarrow as pa

# An analyst's people may have tens of records each, and then one wrong pair would join two of them. Between two
# groups at least this share of pairs must be linked: fixed on made-up registries, flat between .2 and .4.
LEAST_SUPPORT = 0.3
# What a rare surname and a home are worth at the most where the dates of birth do not agree; beyond that, something
# must agree that a family does not share.
HOUSEHOLD_BITS = 15.0
HOME = ("family_name", "postcode", "address", "phone", HOUSEHOLD)
LADDER_WORDS = {
    "birth_date": "same valid NHS number and date of birth",
    "names": "same valid NHS number and names",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of records by which a cluster was made. `bits` None: by the NHS number alone, not scored."""

    left: int
    right: int
    bits: float | None
    ladder: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """Records of all files, laid end to end: each one's cluster, and what was found on the way."""

    clusters: Clusters
    model: dict[str, Any]
    warnings: tuple[str, ...]
    bits: dict[tuple[int, int], float]
    ladder: dict[tuple[int, int], str]
    linked_pairs: int

    def links(self) -> Iterator[Link]:
        """The links that made the clusters, the strongest first: one fewer than a cluster has records."""
        count = len(self.clusters.group_of)
        link_bits = self.model["link_bits"]
        scored = ((a, b, bits) for (a, b), bits in self.bits.items() if bits >= link_bits)
        pairs = [*self.ladder, *strongest_first(scored)]
        within = [pair for pair in pairs if self.clusters.group_of[pair[0]] == self.clusters.group_of[pair[1]]]
        seen = list(range(count))

        def find(record: int) -> int:
            while seen[record] != record:
                seen[record] = seen[seen[record]]
                record = seen[record]
            return record

        for a, b in within:
            left, right = find(a), find(b)
            if left != right:
                seen[right] = left
                yield Link(a, b, self.bits.get((a, b)), self.ladder.get((a, b), ""))


def link(files: Sequence[pa.Table], *, no_duplicates: bool, threads: int) -> Linked:
    """Link the records of tables made by `fields.columns`.

    With `no_duplicates` nobody is in a file twice. Raises Problem when the records do not say enough.
    """
    from joinery.calc.linkage import batch, blocking

    try:
        together = blocking.Files(files, within=not no_duplicates, threads=threads)
        trained = batch.train(together)
    except batch.Untrained as refused:
        raise Problem(str(refused)) from None
    model = json.loads(trained.text)
    pairs = batch.pairs(trained.text, together)
    columns = (pairs[name].to_pylist() for name in ("left", "right", "bits"))
    bits = {(left, right): weight for left, right, weight in zip(*columns, strict=True)}
    count = sum(table.num_rows for table in files)
    numbers = _texts(files, "nhs_number")
    ladder, contradictions = _ladder(files, numbers)
    if no_duplicates:
        first = files[0].num_rows
        ladder = {pair: why for pair, why in ladder.items() if pair[0] < first <= pair[1]}
    bits = _home_counts_once(files, bits, model)
    scored = [(left, right, weight) for (left, right), weight in bits.items() if weight >= model["link_bits"]]
    clusters = cluster(
        count,
        [*ladder, *strongest_first(scored, _content(files))],
        numbers,
        contradictions=contradictions,
        torn=torn_between(scored, numbers),
        least_support=LEAST_SUPPORT,
        files=[place for place, table in enumerate(files, 1) for _ in range(table.num_rows)] if no_duplicates else (),
    )
    return Linked(clusters, model, tuple(trained.warnings), bits, ladder, len(scored))


def _ladder(
    files: Sequence[pa.Table], numbers: Sequence[str]
) -> tuple[dict[tuple[int, int], str], list[tuple[int, int]]]:
    """Pairs with one valid NHS number that the first rung joins, and why; and those that contradict each other."""
    by_number: dict[str, list[int]] = {}
    for place, number in enumerate(numbers):
        if number:
            by_number.setdefault(number, []).append(place)
    shared = [places for places in by_number.values() if len(places) > 1]
    if not shared:
        return {}, []
    said = list(zip(*(_texts(files, name) for name in ("family_name", "given_name", "birth_date")), strict=True))
    joined: list[tuple[str, int, int]] = []
    contradictions: list[tuple[int, int]] = []
    for places in shared:
        rungs = ladder_pairs(
            [Details(family, given, _day(born)) for family, given, born in map(said.__getitem__, places)]
        )
        for rung in rungs:
            left, right = places[rung.left], places[rung.right]
            if rung.reason in LADDER_WORDS:
                joined.append((rung.reason, left, right))
            else:
                contradictions.append((left, right))
    return {(left, right): why for why, left, right in joined}, contradictions


def _home_counts_once(
    files: Sequence[pa.Table], bits: dict[tuple[int, int], float], head: dict[str, Any]
) -> dict[tuple[int, int], float]:
    """The bits of pairs, of which those whose dates of birth do not agree have HOUSEHOLD_BITS at most from their home.

    A family shares surname, postcode, address, telephone at once, which no sum over single fields sees. Left out
    is what then may not be one person either.
    """
    shared = [each for each in head["splink"]["comparisons"] if each["output_column_name"] in HOME]
    home = load(json.dumps(head | {"rules": [], "splink": head["splink"] | {"comparisons": shared}}))
    columns = [_texts(files, field) for field in FIELDS]
    born, born_at = comparison("birth_date"), FIELDS.index("birth_date")
    counted = {}
    for (left, right), weight in bits.items():
        day = columns[born_at][left]
        if not day or day != columns[born_at][right]:  # nearly all agree
            a, b = (Fields(*(column[record] for column in columns)) for record in (left, right))
            if level_of(born, a, b) in (None, *OTHER_BIRTH_DATE):
                weight -= max(0.0, home.score(a, b).bits - home.prior_bits - HOUSEHOLD_BITS)
        if weight >= head["review_bits"]:
            counted[left, right] = weight
    return counted


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:  # a day that no calendar has
        return None


def _texts(files: Sequence[pa.Table], name: str) -> list[str]:
    """A column of all files, "" for not said."""
    texts: list[str] = []
    for table in files:
        if name in table.column_names:
            texts += [text or "" for text in table[name].to_pylist()]
        else:
            texts += [""] * table.num_rows
    return texts


def _content(files: Sequence[pa.Table]) -> list[int]:
    """Where each record stands in the order of all that they say: settles what is equally strong without a look
    at who came first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = []
    for table in files:
        columns = [table[name] for name in sorted(table.column_names) if pa.types.is_string(table[name].type)]
        options = {"null_handling": "replace", "null_replacement": ""}
        texts += pc.binary_join_element_wise(*columns, "\x1f", **options).chunks
    ranks: list[int] = pc.rank(pa.chunked_array(texts), tiebreaker="dense").to_pylist()
    return ranks
