"""Rows in and out by the thousand, past the ORM, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, TypeVar

from django.db import connection, models

T = TypeVar("T")
# A statement costs a database as much as some rows do.
_ROWS_A_STATEMENT = 100
_PLAIN = re.compile(r"[\w :.+-]*", re.ASCII)  # no quote, no mark of a parameter


def reserve_ids(model: type[models.Model], count: int) -> range:
    """`count` primary keys that nobody else will be given.

    Call it inside the transaction that inserts the rows: SQLite holds the write lock then (IMMEDIATE),
    PostgreSQL draws them from the table's own sequence.
    """
    table, key = model._meta.db_table, model._meta.pk.column
    if count == 0:
        return range(0)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f'SELECT COALESCE(MAX("{key}"), 0) FROM "{table}"')
            used = cursor.fetchone()[0]
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
            first = max(used, row[0] if row else 0) + 1
            return range(first, first + count)
        # One lock, one jump of the sequence: the ids of a batch stay together.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"reserve {table}"])
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, key])
        sequence = cursor.fetchone()[0]
        cursor.execute(f"SELECT setval('{sequence}', nextval('{sequence}') + %s)", [count - 1])
        last = cursor.fetchone()[0]
        return range(last - count + 1, last + 1)


def in_runs(rows: Iterable[T], most: int, most_long: int, length: Callable[[T], int]) -> Iterator[list[T]]:
    """Rows in runs of `most`, or of fewer where together they are `most_long`: long rows must not fill the memory."""
    run: list[T] = []
    room = most_long
    for row in rows:
        run.append(row)
        room -= length(row)
        if len(run) == most or room <= 0:
            yield run
            run, room = [], most_long
    if run:
        yield run


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of already prepared values, in the order of `columns` (database column names).

    Only within a transaction: where a row cannot be inserted, those before it are taken back with all of it.
    """
    rows = list(rows)
    if not rows:
        return
    many = len(rows) - len(rows) % _ROWS_A_STATEMENT
    into = model._meta.db_table, tuple(columns)
    with connection.cursor() as cursor:
        if many:
            cells = list(zip(*rows[:many], strict=True))
            # What is the same in every row stands in the statement: to give it takes longer than to store it.
            fixed = ("", *map(_literal, cells[1:]))
            given = list(zip(*(_bound(each) for each, word in zip(cells, fixed, strict=True) if not word), strict=True))
            starts = range(0, many, _ROWS_A_STATEMENT)
            runs = [list(chain.from_iterable(given[at : at + _ROWS_A_STATEMENT])) for at in starts]
            cursor.executemany(_insertion(*into, fixed, _ROWS_A_STATEMENT), runs)
        if rest := rows[many:]:
            cursor.execute(_insertion(*into, ("",) * len(columns), len(rest)), list(chain.from_iterable(rest)))


def _literal(column: Sequence[Any]) -> str:
    """The value that all cells of a column have, as it is written in SQL; empty where they differ, or where that needs
    any care."""
    value = column[0]
    if column[-1] != value or column.count(value) != len(column):
        return ""
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).upper()
    if isinstance(value, str):
        return f"'{value}'" if _PLAIN.fullmatch(value) else ""
    return f"{value:d}" if isinstance(value, int) else ""


def _bound(column: Sequence[Any]) -> Iterable[Any]:
    """A column as its driver takes it at once: of bytes SQLite's asks whether they would rather be something else."""
    return map(bytearray, column) if type(column[0]) is bytes and None not in column else column


@lru_cache(maxsize=500)
def _insertion(table: str, columns: tuple[str, ...], fixed: tuple[str, ...], rows: int) -> str:
    """The SQL that inserts so many rows; `fixed` are the words of columns that are not given row by row."""
    names = ", ".join(f'"{c}"' for c in columns)
    row = ", ".join(word or "%s" for word in fixed)
    # Without OR FAIL SQLite keeps a copy of every page it writes to, so that it can take back a statement by itself.
    verb = "INSERT OR FAIL" if _on_sqlite() else "INSERT"
    return f'{verb} INTO "{table}" ({names}) VALUES ' + ", ".join([f"({row})"] * rows)


def select(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of one statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return list(cursor.fetchall())


def marks(values: Sequence[Any]) -> str:
    """Placeholders for an IN list: `%s, %s, %s`; NULL for an empty one, which matches nothing."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def stored(at: datetime | None) -> Any:
    """A moment as this database stores it, for use with `insert_rows` and `select`.

    What Django's own adapter gives, without its cost: it is called for every row of an intake.
    """
    if at is None or not _on_sqlite():
        return at
    return _text(at)


@lru_cache(maxsize=16_384)  # the rows of a file share few moments
def _text(at: datetime) -> str:
    return str(at.astimezone(UTC).replace(tzinfo=None))


@cache
def _on_sqlite() -> bool:
    """Asked once: `connection` stands for the connection of the thread, and finding that takes its time."""
    return bool(connection.vendor == "sqlite")


def as_day(value: Any) -> date | None:
    """A date as either database gives it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_moment(value: Any) -> datetime:
    """A moment as either database gives it, in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    moment: datetime = value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
