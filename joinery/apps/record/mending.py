"""Quarantined rows of tables on their way back: taken apart by column, put together again corrected, and
returned to their sender in the sender's own columns with the reasons beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from joinery.apps.base.feeds import Feed, Variant
from joinery.apps.base.remember import each
from joinery.apps.base.tables import Table, UnreadableFile, are_plain
from joinery.apps.record.cells import harmless
from joinery.apps.record.sheets import REASONS_COLUMN, ROW_COLUMN, Sheet, sheet_of

# Of a feed that is no table: what of its rows goes back.
TEXT_HEADER = (ROW_COLUMN, "key", REASONS_COLUMN, "text")


class Returned(NamedTuple):
    """A quarantined row as it goes back to its sender: `reasons` are messages, without values."""

    position: int
    key: str
    body: bytes
    reasons: Sequence[str]


def sheet_under(header: str, part: str, feed: Feed, variant: Variant | None) -> Sheet | None:
    """The table that had this header. None for a feed that is no table, or whose definition has changed since."""
    variant = variant or Variant(name="")
    cells = split(header, variant.delimiter)
    if not header or cells is None:
        return None
    try:
        return sheet_of(Table(Path(f"{part}.csv"), variant.encoding, variant.delimiter), header, cells, feed, variant)
    except UnreadableFile:
        return None


def split(text: str, delimiter: str) -> list[str] | None:
    """The cells of one row of a table; None when it is not one row of valid CSV."""
    text = text.rstrip("\r\n")
    if '"' not in text and "\n" not in text and "\r" not in text:
        return text.split(delimiter)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def joined(cells: Iterable[str], variant: Variant, end: str = "\r\n") -> bytes:
    """One row of a table as bytes. Raises UnicodeEncodeError for a letter that the sender's encoding has not."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=variant.delimiter, lineterminator=end).writerow(cells)
    return text.getvalue().encode(variant.encoding)


def cells_under(sheet: Sheet, body: bytes) -> list[str] | None:
    """A row's cells by the columns of its table; None when it is no such row, and only its text can be shown."""
    try:
        cells = split(body.decode(sheet.variant.encoding), sheet.variant.delimiter)
    except UnicodeDecodeError:
        return None
    width = len(sheet.columns)
    return cells[:width] if cells and len(cells) >= width and not any(cells[width:]) else None


def columns_under(
    sheet: Sheet, bodies: Sequence[bytes], columns: Sequence[str]
) -> tuple[list[int], dict[str, list[str]]]:
    """The numbers of those rows that are rows of the table, and what stands in some columns of them, in our words.

    What `cells_under` and `Sheet.named` give row by row, at a tenth of the cost. A column that is not there is empty.
    """
    from joinery.apps.record import blocks

    lines = [body if body.endswith((b"\n", b"\r")) else body + b"\n" for body in bodies]
    sure = are_plain(lines, sheet.table)
    plain = [number for number, line in enumerate(lines) if sure[number] and len(line.splitlines()) == 1]
    cells, whole = blocks.split([lines[number] for number in plain], sheet.columns, sheet.table)
    kept = [plain[at] for at in whole]
    odd = set(range(len(lines))).difference(kept)
    others = {number: found for number in odd if (found := cells_under(sheet, bodies[number]))}
    if others:
        order = sorted(range(len(kept) + len(others)), key=[*kept, *others].__getitem__)
        cells = blocks.put_together([cells, blocks.columns_of(others.values(), sheet.columns)], order)
    kept = sorted([*kept, *others])
    cells = sheet.in_our_words(cells)
    there = {c: each(str.strip, cells.column(c).to_pylist()) for c in columns if c in sheet.place}
    return kept, {c: there.get(c) or [""] * len(kept) for c in columns}


def text_of(body: bytes, encoding: str = "utf-8") -> str:
    """A row as text; what is none becomes a question mark in a diamond."""
    return body.decode(encoding, "replace")


def table_head(sheet: Sheet) -> bytes:
    """The header of a table that goes back: the sender's own columns, then ours. A mark tells that it is UTF-8."""
    mark = b"\xef\xbb\xbf" if sheet.variant.encoding == "utf-8" else b""
    header = split(sheet.header, sheet.variant.delimiter) or []
    return mark + joined(map(harmless, (*_own(sheet, header), ROW_COLUMN, REASONS_COLUMN)), sheet.variant)


def table_row(sheet: Sheet, row: Returned) -> bytes:
    """A row that goes back. One that cannot be taken apart stands whole in the first column."""
    cells = cells_under(sheet, row.body)
    if cells is None:
        width = len(_own(sheet, sheet.columns))
        cells = [text_of(row.body, sheet.variant.encoding).rstrip("\r\n"), *[""] * (width - 1)]
    else:
        cells = _own(sheet, cells)
    encoding = sheet.variant.encoding
    said = (*cells, str(row.position), " ".join(row.reasons))
    return joined((harmless(c).encode(encoding, "replace").decode(encoding) for c in said), sheet.variant)


def text_head() -> bytes:
    """The header of what goes back of a feed that is no table."""
    return b"\xef\xbb\xbf" + joined(TEXT_HEADER, Variant(name=""))


def text_row(row: Returned) -> bytes:
    """A message or resource that goes back, as text."""
    said = (str(row.position), row.key, " ".join(row.reasons), text_of(row.body))
    return joined(map(harmless, said), Variant(name=""))


def _own(sheet: Sheet, cells: Sequence[str]) -> list[str]:
    """Without the columns that were ours in a file that was sent back before."""
    pairs = zip(sheet.columns, cells, strict=False)
    return [cell for column, cell in pairs if column not in (ROW_COLUMN, REASONS_COLUMN)]
