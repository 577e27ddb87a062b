"""The connection to SQLite: Django's own, but that it remembers how a statement reads with SQLite's marks.

Django looks for its own marks (%s) anew each time and letter by letter. For the longer statements that takes
as long as to run them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base


class Cursor(base.SQLiteCursorWrapper):
    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        return _marked(query) if param_names is None else super().convert_query(query, param_names=param_names)


@lru_cache(maxsize=1_000)
def _marked(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class DatabaseWrapper(base.DatabaseWrapper):
    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor
