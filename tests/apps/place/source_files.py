"""Giving a small file to the readers of the directory, and looking up what its rows say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

from joinery.apps.place.kinds import Row, Saying
from joinery.apps.place.sources import Opened, open_source

Put: TypeAlias = Callable[[str, str | bytes], Opened]


def opened(folder: Path, name: str, content: str | bytes) -> Opened:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(path)


def said(rows: list[Row], code: str, kind: str) -> list[Saying]:
    assert not [issue for row in rows for issue in row.issues]
    return [each for row in rows for each in row.sayings if (each.code, each.kind) == (code, kind)]


def only(rows: list[Row], code: str, kind: str) -> Saying:
    (one,) = said(rows, code, kind)
    return one


def period(saying: Saying) -> tuple[date, date | None]:
    return saying.from_date, saying.to_date
