"""Files of records in DuckDB, and which of their records are brought together to be compared.

A record is known by its position in the files laid end to end. A block of more than LARGEST_BLOCK records
says nothing and counts for none, in batch as in real time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from joinery.calc.linkage.comparisons import RULES, Rule, comparison
from joinery.calc.linkage.fields import FIELDS, FURTHER

if TYPE_CHECKING:
    import pyarrow as pa

LARGEST_BLOCK = 100
"""A block of more records than this counts for none."""
# How many pairs the wider rules may bring together.
_ROOM_PAIRS, _ROOM_PER_RECORD = 2_000_000, 4
# Where this share of the records has a number, the usual rules find nearly everybody.
_NUMBERED = 0.5
# A wider rule is of use when it holds for this share of the records that it could; with the second share, rules
# that only narrow it down add nothing.
_OF_USE, _NEARLY_ALL = 0.1, 0.95

WIDER_RULES: tuple[Rule, ...] = (
    ("birth_date",),
    ("postcode",),
    ("family_name", "birth_year"),
    ("given_name", "birth_month_day"),
    ("family_name", "birth_month_day"),
    ("family_name", "outward"),
    ("given_sound", "family_sound", "outward"),
    ("given_sound", "family_sound", "birth_year"),
)
# What a further column is joined with to make a rule.
_BESIDE_FURTHER = ("given_name", "family_name", "birth_date", "birth_year", "postcode")


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
        needed = {column for name in (*FIELDS, *self.said) for column in comparison(name).columns}
        needed |= {column for rule in RULES for column in rule}
        for column in sorted(needed - set(together.column_names)):
            kind = pa.list_(pa.string()) if column == "nicknames" else pa.string()
            together = together.append_column(column, pa.nulls(len(together), kind))
        records = pa.array(range(sum(self.sizes)), pa.int64())
        sides = pa.array([at for at, size in enumerate(self.sizes) for _ in range(size)], pa.int32())
        together = together.append_column("record", records).append_column("file", sides)
        self.con.register("arrived", together)
        content = ", ".join(quoted(column) for column in self.said)
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
        have = {column for column in self._columns() if self.value(f"SELECT count({quoted(column)}) FROM said")}
        rules = [rule for rule in RULES if have.issuperset(rule)]
        numbered = self.value("SELECT count(nhs_number) / count(*) FROM said")
        if numbered >= _NUMBERED:
            return tuple(rules)
        room = _ROOM_PAIRS + _ROOM_PER_RECORD * sum(self.sizes)
        covered: list[Rule] = []
        wider = [rule for rule in self._wider_rules() if have.issuperset(rule)]
        measured = sorted((len(rule), *self._blocks(rule), rule) for rule in wider)
        for _, pairs, share, rule in measured:
            if 0 < pairs <= room and share >= _OF_USE and not any(set(rule) >= set(other) for other in covered):
                rules.append(rule)
                room -= pairs
                if share >= _NEARLY_ALL:
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
        """Make the table `blocked`, as Splink has it: the pairs that have all columns of a rule in common."""
        if rules == self._blocked_by:
            return
        keys = ", ".join(
            f"CASE WHEN {_all_said(rule)} THEN hash({_list(rule)}) END AS key_{at}" for at, rule in enumerate(rules)
        )
        self.con.execute(f"CREATE OR REPLACE TABLE keyed AS SELECT record, file, {keys} FROM said")
        across = "" if self.within else "AND l.file <> r.file"
        pairs = " UNION ".join(
            f"""SELECT l.record AS join_key_l, r.record AS join_key_r FROM (SELECT key_{at} AS key FROM keyed
            WHERE key_{at} IS NOT NULL GROUP BY key_{at} HAVING count(*) BETWEEN 2 AND {LARGEST_BLOCK})
            JOIN keyed AS l ON l.key_{at} = key JOIN keyed AS r ON r.key_{at} = key
            WHERE l.record < r.record {across}"""
            for at in range(len(rules))
        )
        self.con.execute(f"CREATE OR REPLACE TABLE blocked AS SELECT *, '0' AS match_key FROM ({pairs})")
        self.con.execute("DROP TABLE keyed")
        self._blocked_by = rules

    def _columns(self) -> list[str]:
        return [
            name
            for name, *_ in self.con.execute("DESCRIBE said").fetchall()
            if name not in ("record", "file", "content")
        ]

    def value(self, sql: str) -> Any:
        """The one value that a query gives."""
        return self.con.execute(sql).fetchall()[0][0]


def quoted(column: str) -> str:
    """A column's name in SQL."""
    return f'"{column}"'


def _list(columns: Sequence[str]) -> str:
    return ", ".join(map(quoted, columns))


def _all_said(columns: Sequence[str]) -> str:
    return " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
