"""Linking files of records with Splink on DuckDB: training a model, and the pairs that it finds.

A record is known by its position in the files laid end to end. Splink compares and scores; which pairs it
looks at are ours (a block of more than LARGEST_BLOCK records says nothing and counts for none, in batch as
in real time), and so is what it learns (`training`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joinery.calc.linkage import training
from joinery.calc.linkage.comparisons import HOUSEHOLD, HOUSEHOLD_MADE_OF, RULES, Comparison, comparison
from joinery.calc.linkage.fields import FIELDS, FURTHER, needs

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LARGEST_BLOCK = 100
"""A block of more records than this counts for none."""
_LISTED = 10_000
_TRAINING_PAIRS = 400_000
_RANDOM_PAIRS = 250_000
_VERSION = 1
# How many pairs the wider rules may bring together.
_ROOM_PAIRS, _ROOM_PER_RECORD = 2_000_000, 4

Rule = tuple[str, ...]
WIDER_RULES: tuple[Rule, ...] = (
    ("birth_date",),
    ("postcode",),
    ("given_name", "family_name"),
    ("family_name", "birth_year"),
    ("given_name", "birth_month_day"),
    ("family_name", "birth_month_day"),
    ("family_name", "outward"),
    ("given_sound", "family_sound", "outward"),
    ("given_sound", "family_sound", "birth_year"),
)
# What a further column is joined with to make a rule.
_BESIDE_FURTHER = ("given_name", "family_name", "birth_date", "birth_year", "postcode")


@dataclass(frozen=True, slots=True)
class Trained:
    """A model file, and what to know before trusting it."""

    text: str
    warnings: tuple[str, ...] = ()


class Files:
    """Files of records, as `fields.columns` makes them, ready to be compared.

    `within` says whether one file may hold a person twice; without it only records of different files are
    compared.
    """

    def __init__(self, files: Sequence[pa.Table], *, within: bool = True, threads: int = 2) -> None:
        import duckdb
        import pyarrow as pa

        self.within = within or len(files) == 1
        self.sizes = [len(file) for file in files]
        self.con = duckdb.connect(":memory:", config={"threads": threads, "autoinstall_known_extensions": False})
        together = pa.concat_tables(files, promote_options="default")
        self.said = [column for column in together.column_names if column in FIELDS or column.startswith(FURTHER)]
        needed = {column for name in self.said for column in comparison(name).columns}
        needed |= {column for rule in RULES for column in rule}
        for column in sorted(needed - set(together.column_names)):
            kind = pa.list_(pa.string()) if column == "nicknames" else pa.string()
            together = together.append_column(column, pa.nulls(len(together), kind))
        records = pa.array(range(sum(self.sizes)), pa.int64())
        sides = pa.array([at for at, size in enumerate(self.sizes) for _ in range(size)], pa.int32())
        together = together.append_column("record", records).append_column("file", sides)
        self.con.register("arrived", together)
        content = ", ".join(_quoted(column) for column in self.said)
        self.con.execute(f"CREATE TABLE said AS SELECT *, hash({content}) AS content FROM arrived")
        self.con.unregister("arrived")
        self._blocked_by: tuple[Rule, ...] = ()

    @property
    def pair_count(self) -> float:
        """How many pairs of records there are."""
        n = sum(self.sizes)
        return (n * (n - 1) - (0 if self.within else sum(s * (s - 1) for s in self.sizes))) / 2

    def _blocks(self, rule: Rule) -> tuple[int, float]:
        """How many pairs a rule brings together, and of how many records that it could (a share)."""
        sql = f"""SELECT coalesce(sum(size * (size - 1) / 2) FILTER (size <= {LARGEST_BLOCK}), 0),
            coalesce(sum(size) FILTER (size <= {LARGEST_BLOCK}) / sum(size), 0)
            FROM (SELECT count(*) AS size FROM said WHERE {_all_said(rule)} GROUP BY {_list(rule)})"""
        [(pairs, share)] = self.con.execute(sql).fetchall()
        return int(pairs), float(share)

    def usable_rules(self) -> tuple[Rule, ...]:
        """The rules that these files' columns allow and that do not bring too many records together.

        Rules over columns that only these files have, and wider ones over few columns, are taken from the
        most telling on while the number of pairs stays in proportion to the number of records.
        """
        have = {column for column in self._columns() if self._value(f"SELECT count({_quoted(column)}) FROM said")}
        rules = [rule for rule in RULES if have.issuperset(rule)]
        room = _ROOM_PAIRS + _ROOM_PER_RECORD * sum(self.sizes)
        covered: list[Rule] = []
        wider = [rule for rule in self._wider_rules() if have.issuperset(rule)]
        measured = sorted((len(rule), *self._blocks(rule), rule) for rule in wider)
        for _, pairs, share, rule in measured:
            if 0 < pairs <= room and share >= 0.1 and not any(set(rule) >= set(other) for other in covered):
                rules.append(rule)
                room -= pairs
                if share >= 0.95:
                    covered.append(rule)
        return tuple(rules)

    def _wider_rules(self) -> list[Rule]:
        further = [column for column in self.said if column.startswith(FURTHER) or column in ("address", "phone")]
        found = list(WIDER_RULES)
        for at, column in enumerate(further):
            found.append((column,))
            found += [(column, other) for other in (*_BESIDE_FURTHER, *further[at + 1 :])]
        return found

    def block(self, rules: tuple[Rule, ...]) -> None:
        """Make the tables `people`, with a key by rule, and `blocked`, the pairs to compare."""
        if rules == self._blocked_by:
            return
        keys = ", ".join(
            f"CASE WHEN {_all_said(rule)} THEN hash({_list(rule)}) END AS all_{at}" for at, rule in enumerate(rules)
        )
        self.con.execute(f"CREATE OR REPLACE TABLE keyed AS SELECT *, {keys} FROM said")
        for at in range(len(rules)):
            self.con.execute(
                f"""CREATE OR REPLACE TABLE large_{at} AS SELECT all_{at} AS key FROM keyed WHERE all_{at} IS NOT NULL
                GROUP BY all_{at} HAVING count(*) > {LARGEST_BLOCK}"""
            )
        kept = ", ".join(f"CASE WHEN large_{at}.key IS NULL THEN all_{at} END AS key_{at}" for at in range(len(rules)))
        joins = " ".join(f"LEFT JOIN large_{at} ON large_{at}.key = all_{at}" for at in range(len(rules)))
        excluded = ", ".join(f"all_{at}" for at in range(len(rules)))
        self.con.execute(
            f"CREATE OR REPLACE TABLE people AS SELECT keyed.* EXCLUDE ({excluded}), {kept} FROM keyed {joins}"
        )
        self.con.execute("DROP TABLE keyed")
        self._blocked_by = rules

    def _columns(self) -> list[str]:
        return [
            name
            for name, *_ in self.con.execute("DESCRIBE said").fetchall()
            if name not in ("record", "file", "content")
        ]

    def _value(self, sql: str) -> Any:
        return self.con.execute(sql).fetchall()[0][0]


def _quoted(column: str) -> str:
    return f'"{column}"'


def _list(columns: Sequence[str]) -> str:
    return ", ".join(map(_quoted, columns))


def _all_said(columns: Sequence[str]) -> str:
    return " AND ".join(f"{_quoted(column)} IS NOT NULL" for column in columns)


def _settings(model: dict[str, Any], rules: Sequence[Rule], *, within: bool, explained: bool) -> dict[str, Any]:
    """Splink's settings for a model: its rules by key, and with what training needs to see when `explained`."""
    across = "" if within else ' AND l."file" <> r."file"'
    return {
        **model,
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": f"l.key_{at} = r.key_{at}{across}", "sql_dialect": "duckdb"} for at in range(len(rules))
        ],
        "retain_intermediate_calculation_columns": explained,
        "retain_matching_columns": False,
    }


def splink_model(
    columns: Sequence[str], parameters: training.Parameters, frequencies: dict[str, Frequencies]
) -> dict[str, Any]:
    """Splink's model JSON for comparing these columns."""
    comparisons = [
        _splink_comparison(comparison(column), m, u, frequencies)
        for column, m, u in zip(columns, parameters.m, parameters.u, strict=True)
    ]
    if parameters.family_bits:
        comparisons.append(_splink_household(parameters.family_bits))
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": parameters.share,
        "comparisons": comparisons,
        "unique_id_column_name": "record",
    }


def _splink_household(bits: Sequence[float]) -> dict[str, Any]:
    """What a family shares, as a comparison whose m and u say nothing but their ratio."""
    u = [0.5] * (len(bits) + 1)
    return _splink_comparison(comparison(HOUSEHOLD), [0.5 * 2.0**each for each in (*bits, 0.0)], u, {})


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
        if level.frequency_of:
            made |= {
                "tf_adjustment_column": level.frequency_of,
                "tf_adjustment_weight": 1.0,
                "tf_minimum_u_value": frequencies[level.frequency_of].least,
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
        f"""SELECT {_quoted(column)} AS value, count(*) AS often FROM said WHERE value IS NOT NULL
        GROUP BY value ORDER BY often DESC, value LIMIT {_LISTED + 1}"""
    ).fetchall()
    total = files._value(f"SELECT count({_quoted(column)}) FROM said") or 1
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


def _linker(
    files: Files,
    model: dict[str, Any],
    rules: tuple[Rule, ...],
    frequencies: dict[str, Frequencies],
    *,
    explained: bool,
) -> Any:
    from splink import DuckDBAPI, Linker

    files.block(rules)
    api = DuckDBAPI(connection=files.con)
    settings = _settings(model, rules, within=files.within, explained=explained)
    linker = Linker(
        api.register("people", dataset_display_name=f"people_{id(api)}"),
        settings,
        log_level=None,
        validate_settings=False,
    )
    for column, known in frequencies.items():
        _register_frequencies(files, api, linker, column, known)
    return linker


def _register_frequencies(files: Files, api: Any, linker: Any, column: str, known: Frequencies) -> None:
    import pyarrow as pa

    listed = pa.table(
        {"value": pa.array(list(known.listed), pa.string()), "tf": pa.array(list(known.listed.values()), pa.float64())}
    )
    files.con.register("listed", listed)
    files.con.execute(
        f"""CREATE OR REPLACE TABLE tf_{column} AS SELECT said.value AS {_quoted(column)},
        coalesce(tf, {known.least!r}::DOUBLE) AS {_quoted(f"tf_{column}")}
        FROM (SELECT DISTINCT {_quoted(column)} AS value FROM said WHERE value IS NOT NULL) AS said
        LEFT JOIN listed ON listed.value = said.value"""
    )
    files.con.unregister("listed")
    registered = api.register(f"tf_{column}", dataset_display_name=f"tf_{column}_{id(api)}")
    linker.table_management.register_term_frequency_lookup(registered, column)


def train(files: Files, *, name: str = "trained", start: str | None = None) -> Trained:
    """A model learnt from files of records that nobody has labelled, starting from the model `start` or from nothing."""
    rules = files.usable_rules()
    compared = [comparison(column) for column in files.said]
    frequencies = {
        level.frequency_of: _frequencies(files, level.frequency_of)
        for each in compared
        for level in each.levels
        if level.frequency_of
    }
    begin = _beginning(files, compared)
    with _quietly():
        linker = _linker(
            files, splink_model(files.said, _spelling(compared), frequencies), rules, frequencies, explained=True
        )
        blocked = linker.inference.compute_blocked_pairs_for_predict().physical_name
        files.con.execute(f"CREATE OR REPLACE TABLE blocked AS SELECT join_key_l, join_key_r, match_key FROM {blocked}")
        total = files._value("SELECT count(*) FROM blocked") or 1
        share = min(1.0, _TRAINING_PAIRS / total)
        _sample(files, share)
        patterns, sample = _patterns(files, linker, compared, share)
    shape = _shape(compared)
    begin = training.Parameters(begin.m, sample.levels, begin.share)
    learnt = training.learn(patterns, sample, begin, shape)
    scores = training.scored(patterns, learnt, shape)
    line = training.best_line(scores)
    model = splink_model(files.said, learnt, frequencies)
    head = {
        "name": name,
        "version": _VERSION,
        "link_bits": round(line, 3),
        "review_bits": round(line - 4, 3),
        "largest_block": LARGEST_BLOCK,
        "rules": rules,
        "term_frequencies": {column: known.listed for column, known in frequencies.items()},
        "splink": model,
    }
    return Trained(json.dumps(head))


def _shape(compared: Sequence[Comparison]) -> training.Shape:
    places = {each.name: at for at, each in enumerate(compared)}
    families = HOUSEHOLD_MADE_OF if _has_household(places) else ()
    return training.Shape(
        tuple(frozenset(at for at, level in enumerate(each.levels) if level.frequency_of) for each in compared),
        tuple(frozenset(at for at, level in enumerate(each.levels) if level.never) for each in compared),
        tuple({places[name]: levels for name, levels in combination.items()} for combination in families),
    )


def _has_household(columns: Iterable[str]) -> bool:
    return {name for combination in HOUSEHOLD_MADE_OF for name in combination} <= set(columns)


def _beginning(files: Files, compared: Sequence[Comparison]) -> training.Parameters:
    m = tuple(tuple(level.start for level in each.levels) for each in compared)
    u = tuple(tuple(1 / len(each.levels) for _ in each.levels) for each in compared)
    return training.Parameters(m, u, max(0.25 * sum(files.sizes), 1.0) / max(files.pair_count, 2.0))


def _sample(files: Files, share: float) -> None:
    """The pairs to learn from, as the table `sampled`: a share of the blocked ones, and random ones.

    Both are chosen by what the records say, so that their order does not matter.
    """
    n = sum(files.sizes)
    files.con.execute(
        "CREATE OR REPLACE TABLE ordered AS SELECT record, file, row_number() OVER (ORDER BY content) - 1 AS place FROM people"
    )
    golden = 0.6180339887498949
    strides = (
        sorted({1 + int((n - 2) * ((at * golden) % 1)) for at in range(1, 2 + _RANDOM_PAIRS // max(n, 1))})
        if n > 2
        else [1]
    )
    files.con.execute("CREATE OR REPLACE TABLE strides AS SELECT unnest($1) AS stride", [strides])
    across = "" if files.within else "WHERE l.file <> r.file"
    chosen = (
        ""
        if share >= 1
        else f"WHERE hash(least(l.content, r.content), greatest(l.content, r.content)) % 1000000 < {int(share * 1000000)}"
    )
    files.con.execute(
        f"""CREATE OR REPLACE TABLE sampled AS
        SELECT least(l.record, r.record) AS join_key_l, greatest(l.record, r.record) AS join_key_r, 'random' AS match_key
        FROM (SELECT *, (place + stride) % {n} AS other FROM ordered CROSS JOIN strides) AS l
        JOIN ordered AS r ON r.place = l.other {across}
        UNION ALL
        SELECT blocked.* FROM blocked JOIN people AS l ON l.record = join_key_l JOIN people AS r ON r.record = join_key_r {chosen}"""
    )


def _patterns(
    files: Files, linker: Any, compared: Sequence[Comparison], share: float
) -> tuple[list[training.Pattern], training.Sample]:
    """What the sampled pairs look like, from a model whose match weights spell out the level (`_spelling`)."""
    registered = linker._db_api.register("sampled", dataset_display_name=f"sampled_{id(linker)}")
    linker.table_management.register_blocked_pairs_for_predict(registered)
    predicted = linker.inference.predict(warning_mode="never").physical_name
    places = ", ".join(f"(-1 - mw_{each.name})::INT AS place_{at}" for at, each in enumerate(compared))
    rare = [
        f"CASE WHEN mw_{each.name} = {-1 - at} THEN mw_tf_adj_{each.name} + 1 ELSE 0 END"
        for each in compared
        for at, level in enumerate(each.levels)
        if level.frequency_of
    ]
    rarity = f"round(2 * ({' + '.join(rare)})) / 2" if rare else "0.0"
    listed = ", ".join(f"place_{at}" for at in range(len(compared)))
    rows = files.con.execute(
        f"""SELECT match_key = 'random' AS random, {listed}, rarity, count(*) AS pairs
        FROM (SELECT match_key, {places}, {rarity} AS rarity FROM {predicted})
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    patterns = [training.Pattern(tuple(row[1:-2]), row[-2], row[-1] / share) for row in rows if not row[0]]
    random = [(row[1:-2], row[-1]) for row in rows if row[0]]
    return patterns, _shares(files, compared, random, patterns)


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
            if places[at] != training.MISSING:
                counts[places[at]] += pairs
        seen = [0.0] * len(each.levels)
        for pattern in patterns:
            if pattern.places[at] != training.MISSING:
                seen[pattern.places[at]] += pattern.pairs
        one = max(files.pair_count, 2.0) / total
        counts = [max(count, blocked / one) for count, blocked in zip(counts, seen, strict=True)]
        levels.append(tuple(count / sum(counts) for count in counts))
        comparable.append(min(1.0, sum(counts) / total))
    return training.Sample(tuple(levels), tuple(comparable), max(files.pair_count, 2.0))


def _spelling(compared: Sequence[Comparison]) -> training.Parameters:
    """Parameters whose match weights are -1, -2, ... by level, and 0 where there is nothing to compare."""
    m = tuple(tuple(0.5 ** (place + 2) for place in range(len(each.levels))) for each in compared)
    u = tuple(tuple(0.5 for _ in each.levels) for each in compared)
    return training.Parameters(m, u, 0.5)


def pairs(model: str, files: Files, *, least_bits: float | None = None) -> pa.Table:
    """The pairs of records that a model finds, from its `review_bits` (or `least_bits`) up: left, right, bits.

    The surest come first; pairs of equal bits are in the order of the records.
    """
    head = json.loads(model)
    frequencies = _told_frequencies(head)
    rules = tuple(tuple(rule) for rule in head["rules"])
    with _quietly():
        linker = _linker(files, head["splink"], rules, frequencies, explained=False)
        least = head["review_bits"] if least_bits is None else least_bits
        found = linker.inference.predict(threshold_match_weight=least, warning_mode="never").physical_name
    table: pa.Table = files.con.sql(
        f"""SELECT least(record_l, record_r) AS "left", greatest(record_l, record_r) AS "right", match_weight AS bits
        FROM {found} ORDER BY bits DESC, 1, 2"""
    ).to_arrow_table()
    return table
