"""Counting and timing the SQL statements of a request, and asking the database how it would answer one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

# Who is asking is worked out by Django and is the same for every page.
ASIDE = ("django_session", "base_user", "SAVEPOINT", "RELEASE SAVEPOINT")


@dataclass
class Statements:
    """The statements that were run, with their parameters and how long each took in the database."""

    ran: list[tuple[str, Any, float]] = field(default_factory=list)

    @property
    def of_page(self) -> list[str]:
        """Without the session, the user and savepoints."""
        return [sql for sql, _, _ in self.ran if not _is_aside(sql)]

    def touching(self, table: str) -> list[tuple[str, Any, float]]:
        return [each for each in self.ran if table in each[0]]

    @property
    def seconds(self) -> float:
        return sum(seconds for _, _, seconds in self.ran)


def _is_aside(sql: str) -> bool:
    start = sql.lstrip()
    if start.startswith(("SAVEPOINT", "RELEASE SAVEPOINT")):
        return True
    return 'FROM "django_session"' in sql or ('FROM "base_user"' in sql and "LIMIT 21" in sql)


@contextmanager
def statements() -> Iterator[Statements]:
    """Record every statement that runs inside."""
    found = Statements()

    def run(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            found.ran.append((sql, parameters, time.perf_counter() - started))

    with connection.execute_wrapper(run):
        yield found


def plan(sql: str, parameters: Any) -> str:
    """How the database would answer a statement, as it explains it."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
