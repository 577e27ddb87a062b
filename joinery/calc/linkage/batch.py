"""Linking files of records with Splink on DuckDB: training a model, and the pairs that it finds.

A record is known by its position in the files laid end to end. Splink compares and scores; which pairs it
looks at are ours (a block of more than LARGEST_BLOCK records says nothing and counts for none, in batch as
in real time), and so is what its model has learnt, from counts of a sample of them (`training`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import floor, log2
from typing import TYPE_CHECKING, Any

from joinery.calc.linkage import training
from joinery.calc.linkage.blocking import LARGEST_BLOCK, Files, quoted
from joinery.calc.linkage.comparisons import HOUSEHOLD, HOUSEHOLD_MADE_OF, MISSING, NEVER, Comparison, Rule, comparison

if TYPE_CHECKING:
    import pyarrow as pa

_VERSION = 1
# How many values of a column a model tells the frequency of.
_LISTED = 10_000
# How many pairs are learnt from: of those that rules bring together, and of random ones. Twice or four times as
# many made no better model of made-up people, and comparing them was most of what linking cost.
_TRAINING_PAIRS = 100_000
_RANDOM_PAIRS = 50_000
_GOLDEN = (5**0.5 - 1) / 2
# Pairs whose rarity is as many bits, to this step, are learnt from together.
_RARITY_STEP = 0.5
# How far below the line a pair is for people to decide.
_GREY_BITS = 4.0
# More records of one person than this, on average, are no person.
_MOST_EACH = 30


@dataclass(frozen=True, slots=True)
class Trained:
    """A model file, and what to know before trusting it."""

    text: str
    warnings: tuple[str, ...] = ()


def splink_model(
    columns: Sequence[str], parameters: training.Parameters, frequencies: dict[str, Frequencies]
) -> dict[str, Any]:
    """Splink's model JSON for comparing these columns."""
    comparisons = [
        _splink_comparison(comparison(column), m, u, frequencies)
        for column, m, u in zip(columns, parameters.m, parameters.u, strict=True)
    ]
    if parameters.family_bits:
        of_surname = parameters.u[list(columns).index("family_name")][0]
        comparisons.append(_splink_household(parameters.family_bits, of_surname, frequencies))
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": parameters.share,
        "comparisons": comparisons,
        "unique_id_column_name": "record",
    }


def _splink_household(bits: Sequence[float], of_surname: float, frequencies: dict[str, Frequencies]) -> dict[str, Any]:
    """What a family shares, as a comparison whose m and u say nothing but their ratio.

    With the share of pairs of one surname for u, the term frequency of a surname is taken back in full.
    """
    m = [of_surname * 2.0**each for each in (*bits, 0.0)]
    return _splink_comparison(comparison(HOUSEHOLD), m, [of_surname] * len(m), frequencies)


def _splink_comparison(
    compared: Comparison, m: Sequence[float], u: Sequence[float], frequencies: dict[str, Frequencies]
) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": compared.missing_sql, "label_for_charts": "not said", "is_null_level": True}
    ]
    for level, level_m, level_u in zip(compared.levels, m, u, strict=True):
        made = {
            "sql_condition": level.sql,
            "label_for_charts": level.words,
            "m_probability": level_m,
            "u_probability": level_u,
        }
        if column := level.frequency_of or level.takes_back:
            made |= {
                "tf_adjustment_column": column,
                "tf_adjustment_weight": 1.0 if level.frequency_of else -1.0,
                "tf_minimum_u_value": frequencies[column].least,
                "disable_tf_exact_match_detection": bool(level.takes_back),
            }
        levels.append(made)
    return {"output_column_name": compared.name, "comparison_levels": levels}


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How often the common values of a column are said; every other value counts as `least`."""

    listed: dict[str, float]
    least: float


def _frequencies(files: Files, column: str) -> Frequencies:
    rows = files.con.execute(
        f"""SELECT {quoted(column)} AS value, count(*) AS often FROM said WHERE value IS NOT NULL
        GROUP BY value ORDER BY often DESC, value LIMIT {_LISTED + 1}"""
    ).fetchall()
    total = files.value(f"SELECT count({quoted(column)}) FROM said") or 1
    least = max(2, rows[_LISTED][1] if len(rows) > _LISTED else 2)
    listed = {value: _short(often / total) for value, often in rows[:_LISTED] if often > least}
    return Frequencies(listed, _short(least / total))


def _told_frequencies(head: dict[str, Any]) -> dict[str, Frequencies]:
    """The term frequencies that a model file holds."""
    levels = [level for each in head["splink"]["comparisons"] for level in each["comparison_levels"]]
    return {
        column: Frequencies(head["term_frequencies"][column], level["tf_minimum_u_value"])
        for level in levels
        if (column := level.get("tf_adjustment_column"))
    }


def _short(number: float) -> float:
    """Nine digits are enough, and the same on every machine."""
    return float(f"{number:.9g}")


@contextmanager
def _quietly() -> Iterator[None]:
    """Splink tells its story through a logger of its own; here nobody listens."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _tabulate(files: Files, frequencies: dict[str, Frequencies]) -> None:
    """Make a table `tf_...` for each column: how often each value is said that the files hold."""
    import pyarrow as pa

    for column, known in frequencies.items():
        values, shares = pa.array(list(known.listed), pa.string()), pa.array(list(known.listed.values()), pa.float64())
        files.con.register("listed", pa.table({"value": values, "tf": shares}))
        files.con.execute(
            f"""CREATE OR REPLACE TABLE tf_{column} AS SELECT said.value AS {quoted(column)},
            coalesce(tf, {known.least!r}::DOUBLE) AS {quoted(f"tf_{column}")}
            FROM (SELECT DISTINCT {quoted(column)} AS value FROM said WHERE value IS NOT NULL) AS said
            LEFT JOIN listed ON listed.value = said.value"""
        )
        files.con.unregister("listed")


def _linker(files: Files, model: dict[str, Any], frequencies: dict[str, Frequencies]) -> Any:
    """Splink's linker for the pairs in the table `blocked`."""
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=files.con)
    settings = {
        **model,
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "blocking_rules_to_generate_predictions": [],
        "retain_intermediate_calculation_columns": False,
        "retain_matching_columns": False,
    }
    people = api.register("said", dataset_display_name=f"people_{id(api)}")
    linker = Linker(people, settings, log_level=None, validate_settings=False)
    tables = linker.table_management
    for column in frequencies:
        table = api.register(f"tf_{column}", dataset_display_name=f"tf_{column}_{id(api)}")
        tables.register_term_frequency_lookup(table, column)
    tables.register_blocked_pairs_for_predict(api.register("blocked", dataset_display_name=f"blocked_{id(api)}"))
    return linker


class Untrained(ValueError):
    """Nothing can be learnt from these files; the message says why and what to do."""


def train(files: Files, *, name: str = "trained", rules: Sequence[Rule] | None = None) -> Trained:
    """A model learnt from files of records that nobody has labelled.

    `rules` are the ones to bring records together by; without them they follow from the files. Raises
    `Untrained` when the files say too little, or what was learnt is not what persons look like.
    """
    if sum(files.sizes) < 2:
        raise Untrained("There are no two records to compare.")
    if len(files.said) < 2:
        raise Untrained(
            f"The files say only {', '.join(files.said) or 'nothing'}: give two columns or more to compare."
        )
    rules = tuple(tuple(rule) for rule in rules) if rules else files.usable_rules()
    if not rules:
        raise Untrained(
            "No two records of these files agree in enough to be compared: check that the columns are the right ones."
        )
    compared = [comparison(column) for column in files.said]
    frequencies = _all_frequencies(files, compared)
    _tabulate(files, frequencies)
    files.block(rules)
    patterns, sample = _patterns(files, compared)
    shape = _shape(compared)
    start = _beginning(files, compared, sample, shape)
    learnt = training.learn(patterns, sample, start, shape)
    if learnt.share * sample.pairs > _MOST_EACH * sum(files.sizes):
        raise Untrained(
            "These columns are too few or too common to tell people apart: give more that differ by person."
        )
    warnings = training.doubts(learnt, start, [[level.words for level in each.levels] for each in compared])
    # A pattern stands for pairs of up to half a step of rarity less: they are meant too.
    line = max(0.0, training.best_line(training.scored(patterns, learnt, shape)) - _RARITY_STEP / 2)
    head = {
        "name": name,
        "version": _VERSION,
        "link_bits": floor(1_000 * line) / 1_000,
        "review_bits": floor(1_000 * (line - _GREY_BITS)) / 1_000,
        "largest_block": LARGEST_BLOCK,
        "rules": rules,
        "term_frequencies": {column: known.listed for column, known in frequencies.items()},
        "splink": splink_model(files.said, learnt, frequencies),
    }
    return Trained(json.dumps(head), tuple(warnings))


def _all_frequencies(files: Files, compared: Sequence[Comparison]) -> dict[str, Frequencies]:
    columns = {level.frequency_of for each in compared for level in each.levels if level.frequency_of}
    return {column: _frequencies(files, column) for column in sorted(columns)}


def _shape(compared: Sequence[Comparison]) -> training.Shape:
    places = {each.name: at for at, each in enumerate(compared)}
    families = HOUSEHOLD_MADE_OF if _has_household(places) else ()

    def placed(combination: Mapping[str, frozenset[int]]) -> training.Combination:
        return {places[name]: levels for name, levels in combination.items() if name in places}

    return training.Shape(
        tuple(frozenset(at for at, level in enumerate(each.levels) if level.frequency_of) for each in compared),
        tuple(placed(each) for each in NEVER if all(name in places or MISSING in each[name] for name in each)),
        tuple(map(placed, families)),
    )


def _has_household(columns: Iterable[str]) -> bool:
    return {name for combination in HOUSEHOLD_MADE_OF for name in combination} <= set(columns)


def _beginning(
    files: Files, compared: Sequence[Comparison], sample: training.Sample, shape: training.Shape
) -> training.Parameters:
    """Where learning begins: every fourth record has another of the same person, and u is all pairs."""
    m = tuple(tuple(level.start for level in each.levels) for each in compared)
    share = max(0.25 * sum(files.sizes), 1.0) / sample.pairs
    family_bits = tuple(log2(level.start) for level in comparison(HOUSEHOLD).levels[: len(shape.families)])
    return training.Parameters(m, sample.levels, share, family_bits)


def _sample(files: Files) -> float:
    """Make the table `sampled`, the pairs to learn from: a share (returned) of the blocked ones, and random ones.

    Both are chosen by what the records say, so that their order does not matter. Random are the pairs at some
    distances in the order of a hash.
    """
    share = min(1.0, _TRAINING_PAIRS / max(int(files.value("SELECT count(*) FROM blocked")), 1))
    n = sum(files.sizes)
    distances = (
        sorted({1 + int((n - 2) * (at * _GOLDEN % 1)) for at in range(1, 2 + _RANDOM_PAIRS // n)}) if n > 2 else [1]
    )
    across = "" if files.within else "WHERE l.file <> r.file"
    both = "hash(least(l.content, r.content), greatest(l.content, r.content))"
    files.con.execute(
        f"""CREATE OR REPLACE TABLE sampled AS
        WITH ordered AS (SELECT record, file, row_number() OVER (ORDER BY content) - 1 AS place FROM said),
        shifted AS (SELECT ordered.*, (place + distance) % {n} AS other
            FROM ordered CROSS JOIN (SELECT unnest($distances) AS distance))
        SELECT least(l.record, r.record) AS "left", greatest(l.record, r.record) AS "right", true AS random
        FROM shifted AS l JOIN ordered AS r ON r.place = l.other {across}
        UNION ALL
        SELECT join_key_l, join_key_r, false FROM blocked
        JOIN said AS l ON l.record = join_key_l JOIN said AS r ON r.record = join_key_r
        WHERE {both} % 1000000 < {round(share * 1000000)}""",
        {"distances": distances},
    )
    return share


def _patterns(files: Files, compared: Sequence[Comparison]) -> tuple[list[training.Pattern], training.Sample]:
    """What the sampled pairs look like; how often, and what the random ones among them say of all pairs."""
    share = _sample(files)
    rarities = _rarities(files, compared)
    columns = sorted({column for each in compared for column in each.columns})
    sides = ", ".join(f"{side}.{quoted(column)} AS {quoted(f'{column}_{side}')}" for column in columns for side in "lr")
    places = ", ".join(f"{_place(each)} AS place_{at}" for at, each in enumerate(compared))
    listed = ", ".join(f"place_{at}" for at in range(len(compared)))
    kept = ", ".join([listed, *(quoted(f"tf_{column}") for column in rarities)])
    rarity = " + ".join(rarities.values()) or "0.0"
    frequent = " ".join(f"LEFT JOIN tf_{c} ON tf_{c}.{quoted(c)} = {quoted(f'{c}_l')}" for c in rarities)
    rows = files.con.execute(
        f"""WITH pairs AS (SELECT random, {sides} FROM sampled
            JOIN said AS l ON l.record = sampled."left" JOIN said AS r ON r.record = sampled."right"),
        placed AS (SELECT random, {kept} FROM (SELECT *, {places} FROM pairs) {frequent})
        SELECT random, {listed}, {_RARITY_STEP} * round(({rarity}) / {_RARITY_STEP}) AS rarity, count(*) AS pairs
        FROM placed GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    patterns = [training.Pattern(tuple(row[1:-2]), row[-2], row[-1] / share) for row in rows if not row[0]]
    random = [(row[1:-2], row[-1]) for row in rows if row[0]]
    return patterns, _shares(files, compared, random, patterns)


def _place(compared: Comparison) -> str:
    """SQL for the place of the level that holds, or MISSING."""
    *tests, _ = compared.levels
    cases = " ".join(f"WHEN {level.sql} THEN {place}" for place, level in enumerate(tests))
    return f"CASE WHEN {compared.missing_sql} THEN {MISSING} {cases} ELSE {len(tests)} END"


def _rarities(files: Files, compared: Sequence[Comparison]) -> dict[str, str]:
    """SQL, by column, for the bits that a term frequency says in place of u.

    Within a family they are those of an average surname.
    """
    bits = {
        column: f"CASE WHEN place_{at} = {place} THEN -log2({quoted(f'tf_{column}')}) ELSE 0 END"
        for at, each in enumerate(compared)
        for place, level in enumerate(each.levels)
        if (column := level.frequency_of)
    }
    at_of = {each.name: at for at, each in enumerate(compared)}
    if _has_household(at_of):
        family = " OR ".join(
            " AND ".join(f"place_{at_of[name]} IN ({', '.join(map(str, sorted(each[name])))})" for name in each)
            for each in HOUSEHOLD_MADE_OF
            if "family_name" in each
        )
        together = files.value(
            """SELECT sum(often * often) / (sum(often) * sum(often))
            FROM (SELECT count(*) AS often FROM said WHERE family_name IS NOT NULL GROUP BY family_name)"""
        )
        bits["family_name"] = f"CASE WHEN {family} THEN {-log2(together)} ELSE {bits['family_name']} END"
    return bits


def _shares(
    files: Files,
    compared: Sequence[Comparison],
    random: Sequence[tuple[Sequence[int], int]],
    patterns: Sequence[training.Pattern],
) -> training.Sample:
    """The shares of levels among all pairs: from random ones, and at least what blocking brought together."""
    levels, comparable = [], []
    total = sum(pairs for _, pairs in random) or 1
    for at, each in enumerate(compared):
        counts = [0.5 / len(each.levels)] * len(each.levels)
        for places, pairs in random:
            if places[at] != MISSING:
                counts[places[at]] += pairs
        seen = [0.0] * len(each.levels)
        for pattern in patterns:
            if pattern.places[at] != MISSING:
                seen[pattern.places[at]] += pattern.pairs
        one = max(files.pair_count, 2.0) / total
        counts = [max(count, blocked / one) for count, blocked in zip(counts, seen, strict=True)]
        levels.append(tuple(count / sum(counts) for count in counts))
        comparable.append(min(1.0, sum(counts) / total))
    return training.Sample(tuple(levels), tuple(comparable), max(files.pair_count, 2.0))


def pairs(model: str, files: Files, *, least_bits: float | None = None) -> pa.Table:
    """The pairs of records that a model finds, from its `review_bits` (or `least_bits`) up: left, right, bits.

    The surest come first; pairs of equal bits are in the order of the records.
    """
    head = json.loads(model)
    frequencies = _told_frequencies(head)
    _tabulate(files, frequencies)
    files.block(tuple(tuple(rule) for rule in head["rules"]))
    with _quietly():
        linker = _linker(files, head["splink"], frequencies)
        least = head["review_bits"] if least_bits is None else least_bits
        found = linker.inference.predict(threshold_match_weight=least, warning_mode="never").physical_name
    table: pa.Table = files.con.sql(
        f"""SELECT least(record_l, record_r) AS "left", greatest(record_l, record_r) AS "right", match_weight AS bits
        FROM {found} ORDER BY bits DESC, 1, 2"""
    ).to_arrow_table()
    return table
