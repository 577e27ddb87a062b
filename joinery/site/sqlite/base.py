"""The connection to SQLite: Django's own, but for what takes it as long as SQLite takes to run a statement.

It looks for its own marks (%s) anew each time and letter by letter: here is remembered how a statement reads with
SQLite's marks. And it looks up anew how rows are fetched and a cursor is closed: here that is said.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.utils import CursorWrapper

# Python's driver knows how to bind these by itself, but asks each of them first whether it would rather be something
# else, which takes longer than the binding, unless somebody has said so.
sqlite3.register_adapter(type(None), lambda none: none)
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(bytes, bytes)


class Cursor(base.SQLiteCursorWrapper):
    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        return _marked(query) if param_names is None else super().convert_query(query, param_names=param_names)


class Wrapper(CursorWrapper):
    def fetchall(self) -> list[Any]:
        with self.db.wrap_database_errors:
            rows: list[Any] = self.cursor.fetchall()
            return rows

    def close(self) -> None:
        self.cursor.close()


@lru_cache(maxsize=1_000)
def _marked(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class DatabaseWrapper(base.DatabaseWrapper):
    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor

    def make_cursor(self, cursor: Any) -> Wrapper:
        return Wrapper(cursor, self)
