"""Linking tables of records in memory: a model trained on them, pairs, clusters, and the links that made them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from joinery.calc.linkage.cluster import Clusters, cluster, strongest_first, torn_between
from joinery.calc.linkage.comparisons import strangers
from joinery.calc.linkage.fields import Fields
from joinery.calc.linkage.ladder import Details, ladder_pairs
from joinery.site.commands import Problem

if TYPE_CHECKING:
    import pyarrow as pa

# An analyst's people may have tens of records each, and then one wrong pair would join two of them. Between two
# groups at least this share of pairs must be linked: fixed on made-up registries, flat between .2 and .4.
LEAST_SUPPORT = 0.3
# What a rare surname and an address of its own are worth at the most; beyond that, a number must agree too.
HOUSEHOLD_BITS = 15.0
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
    strange = _strangers(files, [pair for pair, weight in bits.items() if weight < model["link_bits"] + HOUSEHOLD_BITS])
    bits = {pair: weight for pair, weight in bits.items() if pair not in strange}
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


def _strangers(files: Sequence[pa.Table], pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Pairs of which both first name and date of birth are another's: two of one household, whatever else agrees.

    A family shares surname, address, telephone at once, which no model of single fields sees.
    """
    names, born = _texts(files, "given_name"), _texts(files, "birth_date")
    surnames = _texts(files, "family_name")

    def of(record: int) -> Fields:
        return Fields(given_name=names[record], family_name=surnames[record], birth_date=born[record])

    differ = ((a, b) for a, b in pairs if names[a] != names[b] and born[a] != born[b])
    return {(a, b) for a, b in differ if strangers(of(a), of(b))}


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
