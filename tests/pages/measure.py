"""Counting and timing the SQL statements of a request, and asking the database how it would answer one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

# SQL statements, session, user and savepoints aside. Our own rule.
MOST_OF_PERSON = 14
MOST_OF_LIST = 10


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that ran; `seconds` is the time the database took to answer."""

    sql: str
    parameters: Any
    seconds: float


@dataclass
class Statements:
    """The statements of a request, in order."""

    ran: list[Statement] = field(default_factory=list)

    @property
    def of_page(self) -> list[str]:
        """Without the session, the user and savepoints: those are the same for every page."""
        return [each.sql for each in self.ran if not _is_aside(each.sql)]

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.ran)


def _is_aside(sql: str) -> bool:
    if sql.startswith(("SAVEPOINT", "RELEASE SAVEPOINT")) or '"django_session"' in sql:
        return True
    if "FROM place_home" in sql:  # the place's name, asked for once a minute
        return True
    return 'FROM "base_user"' in sql and '"base_user"."password"' in sql


@contextmanager
def statements() -> Iterator[Statements]:
    """Record every statement that runs inside."""
    found = Statements()

    def run(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            found.ran.append(Statement(sql, parameters, time.perf_counter() - started))

    with connection.execute_wrapper(run):
        yield found


def database_ms(statement: Statement) -> float:
    """Milliseconds of the database's own work, planning included.

    SQLite does it in our process. PostgreSQL says it itself: the way there and back is not its work.
    """
    if connection.vendor == "sqlite":
        return 1000 * statement.seconds
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", statement.parameters)
        (explained,) = cursor.fetchone()[0]
    return float(explained["Planning Time"] + explained["Execution Time"])


def plan(sql: str, parameters: Any) -> str:
    """How the database would answer a statement, as it explains it."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
