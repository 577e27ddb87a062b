"""As-at questions over a directory of 100,000 bodies and about 500,000 dated relations, on SQLite.

Prints the median CPU time of each question in milliseconds, and how many bodies are shown a CPU second.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks import directory_rows as rows
from benchmarks.measure import cpu_seconds, deployment


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=200)
    chosen = options.parse_args()
    with deployment():
        relations = fill()
        print(json.dumps({"relations": relations} | ask(chosen.questions)))


def fill() -> int:
    """Put the directory into the deployment, past its doors; returns how many relations there are."""
    from django.db import connection, transaction

    from joinery.apps.base.columns import insert_rows
    from joinery.apps.place.models import Edition, Organisation, Statement

    at = datetime(2023, 1, 1, tzinfo=UTC)
    for number in range(1, rows.EDITIONS + 1):
        Edition.objects.create(
            kind="file", source="bench", title="bench", made_by="bench", made_at=at, adopted_at=at, sequence=number
        )
    day = connection.ops.adapt_datefield_value
    said = list(rows.statements())
    columns = ("edition_id", "organisation_id", "kind", "value", "target_id", "from_date", "to_date")
    with transaction.atomic():
        insert_rows(Organisation, ("id", "code"), [(i, rows.code(i)) for i in range(1, rows.BODIES + 1)])
        insert_rows(
            Statement,
            (*columns, "withdrawn", "certainty", "detail"),
            [(e, o, k, v, t, day(f), day(u), False, "", "{}") for e, o, k, v, t, f, u in said],
        )
    return sum(1 for statement in said if statement[4] is not None)


def ask(questions: int) -> dict[str, float]:
    """The median CPU time of each question, in milliseconds."""
    from joinery.apps.place import facts

    as_at = facts.as_at(rows.AT)
    figures = {
        "show_ms": _median_ms(lambda i: facts.show(rows.code(70_000 + 97 * i), as_at), questions),
        "show_council_ms": _median_ms(lambda i: facts.show(rows.code(rows.COUNCILS[i % 150]), as_at), questions),
        "successors_ms": _median_ms(lambda i: facts.successors(rows.code(60_000 + i), as_at), questions),
        "predecessors_ms": _median_ms(lambda i: facts.predecessors(rows.code(62_000 + i), as_at), questions),
        "responsible_ms": _median_ms(lambda i: facts.responsible(f"E010{i:05d}", as_at), questions),
    }
    return figures | {"shown_per_s": 1000 / figures["show_ms"]}


def _median_ms(question: Callable[[int], object], questions: int) -> float:
    spent = []
    for number in range(questions):
        before = cpu_seconds()
        if not question(number):
            raise SystemExit("a question had no answer")
        spent.append(1000 * (cpu_seconds() - before))
    return statistics.median(spent)


if __name__ == "__main__":
    main()
