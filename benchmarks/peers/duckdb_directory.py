"""DuckDB, in memory: what is true of a body on a day, and which relations lead to it; newest edition first.

It answers less than Joinery does: no names of other bodies, nothing of what became of those that ended.
"""

from __future__ import annotations

import argparse
import json
import statistics

import duckdb

from benchmarks import directory_rows as rows
from benchmarks.measure import cpu_seconds

SHOW = """
SELECT kind, value, body, target, from_date, to_date FROM (
    SELECT *, row_number() OVER (PARTITION BY body, kind, value, target, from_date ORDER BY edition DESC) AS place
    FROM said WHERE body = $body OR target = $body
) WHERE place = 1 AND from_date <= $day AND (to_date IS NULL OR to_date > $day) LIMIT 100
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=200)
    chosen = options.parse_args()
    database = duckdb.connect()
    database.execute("SET threads = 1")
    said = list(zip(*rows.statements(), strict=True))
    names = ("edition", "body", "kind", "value", "target", "from_date", "to_date")
    types = ("INTEGER", "INTEGER", "VARCHAR", "VARCHAR", "INTEGER", "DATE", "DATE")
    lists = ", ".join(f"unnest(${name}::{kind}[]) AS {name}" for name, kind in zip(names, types, strict=True))
    database.execute(
        f"CREATE TABLE said AS SELECT {lists}", dict(zip(names, (list(column) for column in said), strict=True))
    )
    database.execute("CREATE INDEX said_body ON said (body)")
    database.execute("CREATE INDEX said_target ON said (target)")
    spent: list[float] = []
    for number in range(chosen.questions):
        before = cpu_seconds()
        if not database.execute(SHOW, {"body": 70_000 + 97 * number, "day": rows.AT}).fetchall():
            raise SystemExit("a question had no answer")
        spent.append(1000 * (cpu_seconds() - before))
    figures = {"rows": len(said[0]), "cpu_s": cpu_seconds(), "shown_per_s": 1000 / statistics.median(spent)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
