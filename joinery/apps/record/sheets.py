"""CSV feeds: a file recognised by its columns, and every row checked against the feed's definition.

What is checked is said in `definitions/feeds/*.toml`. A cell that was seen to be right before is not
checked again, so that a million rows of the same few words cost little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import chain, repeat
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from joinery.apps.base.feeds import Feed, File, Variant, When
from joinery.apps.base.remember import MOST_CHARACTERS
from joinery.apps.base.tables import (
    MOST_PLAIN_BYTES,
    Records,
    Table,
    UnreadableFile,
    day_of,
    is_text,
    open_table,
    plain,
)
from joinery.apps.record.applies import fields_of, rules_of
from joinery.apps.record.cells import Check, Fault, as_received, checks_of, moments_of, together
from joinery.apps.record.rows import Issue
from joinery.calc.returns import MANDATORY, NOT_APPLICABLE

if TYPE_CHECKING:
    import pyarrow

# Columns that stand in a file which was sent back, beside the sender's own: they are not read.
ROW_COLUMN, REASONS_COLUMN = "joinery_row", "joinery_reasons"
_BATCH_ROWS, _BATCH_BYTES = 2_000, 4 * 1024 * 1024
_MOST_REMEMBERED = 20_000
_PLAIN = Variant(name="")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# What a database writes of a day, where it keeps days as moments.
_MIDNIGHT = re.compile(r"\s*(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?\s*")
_NO_TEXT = "is not UTF-8 text, or holds the character U+0000. Save the file as CSV (UTF-8)."


class Line(NamedTuple):
    """One row: the bytes as received, its cells in the order of the columns, and what is wrong.

    With `issues` it is to be quarantined; `notes` are faults (column, rule) with which it is taken.
    """

    position: int
    body: bytes
    cells: Sequence[str]
    issues: tuple[Issue, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


class Batch(NamedTuple):
    """Rows that stand together. Of those that can be taken, in the order of the file, what a `Line` says and
    their cells as columns of text; the others as lines."""

    positions: Sequence[int]
    bodies: Sequence[bytes]
    notes: Sequence[tuple[tuple[str, str], ...]]
    cells: pyarrow.RecordBatch
    refused: Sequence[Line] = ()

    def lines(self) -> Iterator[Line]:
        """All rows, in the order of the file."""
        rows = zip(*(column.to_pylist() for column in self.cells.columns), strict=True)
        taken = zip(self.positions, self.bodies, rows, repeat(()), self.notes)
        lines = map(Line._make, taken)
        return merge(lines, self.refused, key=itemgetter(0)) if self.refused else lines


class Checked(NamedTuple):
    """A column that is checked, and the cells that were found right so far: the empty one is."""

    place: int
    column: str
    check: Check
    seen: set[str]


class Applied(NamedTuple):
    """Where the columns stand that a kind of row must fill, and those that say nothing of it."""

    must: tuple[int, ...]
    stray: tuple[int, ...]


@dataclass(frozen=True)
class Sheet:
    """A CSV file whose table is known. `header` is as received.

    Rows are checked column by column, a batch at a time (`faults`): what stands in a column is mostly the same
    few words, and those that were found right before are known at once.
    """

    file: File
    header: str
    columns: tuple[str, ...]
    table: Table
    variant: Variant = _PLAIN
    common: tuple[str, ...] = ()

    def lines(self) -> Iterator[Line]:
        """Every row below the header, in order; in bounded memory."""
        return chain.from_iterable(batch.lines() for batch in self.batches())

    def batches(self) -> Iterator[Batch]:
        """The same, as they are checked: some at a time."""
        position = 1
        for records in self.table.batches(_BATCH_ROWS, _BATCH_BYTES, skip=1):
            yield self._batch(position, records)
            position += len(records.lines)

    def named(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells of a row by our names for the columns, in our words. One cell for each column."""
        found = [as_received(cell) for cell in cells] if self._sent_back else list(cells)
        for index, word in self._translate:
            found[index] = word(found[index])
        return dict(zip(self.columns, map(str.strip, found[: len(self.columns)]), strict=True))

    def _batch(self, first: int, records: Records) -> Batch:
        from joinery.apps.record.blocks import put_together
        from joinery.apps.record.faults import find_faults

        cells, kept, refused = self._split(first, records)
        cells, found = find_faults(self, self.in_our_words(cells))
        bodies = [records.lines[number] for number in kept]
        positions = [first + number for number in kept]
        notes: list[tuple[tuple[str, str], ...]] = [()] * len(kept)
        faulty = set()
        for at, faults in found.items():
            issues, notes[at] = self._judge(positions[at], cells, at, faults)
            if issues:
                faulty.add(at)
                row = tuple(column[at].as_py() for column in cells.columns)
                refused.append(Line(positions[at], bodies[at], row, issues, notes[at]))
        if not faulty:
            return Batch(positions, bodies, notes, cells, refused)
        right = [at for at in range(len(kept)) if at not in faulty]
        return Batch(
            [positions[at] for at in right],
            [bodies[at] for at in right],
            [notes[at] for at in right],
            put_together([cells], right),
            sorted(refused, key=itemgetter(0)),
        )

    def _split(self, first: int, records: Records) -> tuple[pyarrow.RecordBatch, list[int], list[Line]]:
        """The cells of the rows of a batch, their numbers in it, and those records that are no rows."""
        from joinery.apps.record import blocks

        lines, odd = records
        plain = [number for number in range(len(lines)) if number not in odd]
        cells, whole = blocks.split([lines[number] for number in plain], self.columns, self.table)
        kept = [plain[at] for at in whole]
        if len(kept) == len(lines):
            return cells, kept, []
        refused, rows = [], []
        for number in sorted(set(range(len(lines))).difference(kept)):
            text = self.table.text(lines[number])
            row, wrong = odd[number] if number in odd else (self.table.split(text), "")
            if misfit := self._misfit(text, row, wrong):
                rule, value, message = misfit
                issue = Issue(f"row {first + number}", rule, value, f"The row {message}")
                refused.append(Line(first + number, lines[number], (), (issue,)))
            else:
                rows.append(row[: len(self.columns)])
                kept.append(number)
        if rows:
            order = sorted(range(len(kept)), key=kept.__getitem__)
            cells = blocks.put_together([cells, blocks.columns_of(rows, self.columns)], order)
        return cells, sorted(kept), refused

    def _misfit(self, text: str, cells: list[str], wrong: str) -> tuple[str, str, str] | None:
        """Why a record is no row of this table, if it is none: the rule, the value, and what to do."""
        if "\0" in text or not is_text(text):
            return "encoding", "", _NO_TEXT
        if len(text) > MOST_PLAIN_BYTES:
            return "csv", "", "is longer than 128 KB. Is a closing quote missing?"
        if wrong:
            return "csv", "", wrong
        width = len(self.columns)
        # Empty cells at the end are what a spreadsheet adds.
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            return (
                "columns",
                str(len(cells)),
                f"has {len(cells)} cells, the header {width}. Check its commas and quotes.",
            )
        return None

    def in_our_words(self, cells: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
        """The cells of rows in our words."""
        from joinery.apps.record.blocks import changed_at

        if self._sent_back:
            for index in range(len(self.columns)):
                cells = changed_at(cells, index, as_received)
        for index, word in self._translate:
            cells = changed_at(cells, index, word)
        return cells

    def _judge(
        self, position: int, cells: pyarrow.RecordBatch, at: int, found: list[tuple[str, Fault]]
    ) -> tuple[tuple[Issue, ...], tuple[tuple[str, str], ...]]:
        """Of the faults of a row those that keep it out, and those with which it is taken."""
        grave = self._grave if self.file.notes else {c for c, _ in found}
        issues = tuple(
            Issue(f"row {position}, {c}", fault.rule, cells.column(self.place[c])[at].as_py()[:80], fault.message)
            for c, fault in found
            if c in grave
        )
        return issues, tuple((c, fault.rule) for c, fault in found if c not in grave)

    def applied(self, row: Sequence[str]) -> Applied:
        """What such a row must fill, and what says nothing of it; kept for the next one."""
        said = tuple(row[index] for index in self.deciding)
        if known := self._known.get(said):
            return known
        fields = fields_of(self.file, dict(zip(self.columns, row, strict=True)))
        must, stray = (
            tuple(self.place[c] for c, field in fields.items() if field == wanted and c in self.place)
            for wanted in (MANDATORY, NOT_APPLICABLE)
        )
        applied = Applied(must, stray)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        if max(map(len, said), default=0) <= MOST_CHARACTERS:
            self._known[said] = applied
        return applied

    @property
    def not_read(self) -> tuple[str, ...]:
        """Columns that the file has and the table has not, under their own names."""
        return tuple(c for c in self.columns if c not in (*self._known_columns, ROW_COLUMN, REASONS_COLUMN, ""))

    @property
    def not_there(self) -> tuple[str, ...]:
        """Columns that the table has and the file has not."""
        return tuple(c for c in self._known_columns if c not in self.columns)

    @property
    def _known_columns(self) -> tuple[str, ...]:
        return (*self.file.columns, *self.common)

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each column stands."""
        return {column: index for index, column in enumerate(self.columns)}

    @cached_property
    def rules(self) -> tuple[When, ...]:
        """What the table says of columns that some rows fill and others do not."""
        return rules_of(self.file)

    @cached_property
    def deciding(self) -> tuple[int, ...]:
        """Where the columns stand that decide that."""
        decides = {column for rule in self.rules for column in rule.where}
        return tuple(index for index, column in enumerate(self.columns) if column in decides)

    @cached_property
    def _known(self) -> dict[tuple[str, ...], Applied]:
        return {}

    @cached_property
    def _sent_back(self) -> bool:
        return ROW_COLUMN in self.columns

    @cached_property
    def _grave(self) -> frozenset[str]:
        one_of = (column for group in self.file.one_of for column in group[:1])
        return frozenset((*self.file.required, *self.file.refuse, *self.file.key, *one_of))

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Columns that every row must fill."""
        return (*self.file.required, *(c for c in ("source_id", "updated_at") if c in self.common))

    @cached_property
    def _translate(self) -> list[tuple[int, Callable[[str], str]]]:
        """What makes a cell of a column one in our words."""
        words = [(self.place[c], _in_our_words(codes)) for c, codes in self.variant.codes.items() if c in self.place]
        first = self.variant.day_first
        words += [(self.place[c], _iso_day if first else _whole_day) for c in self.file.dates if c in self.place]
        moments = moments_of(self.file, self.common) if first else ()
        return words + [(self.place[c], _iso_moment) for c in moments if c in self.place]

    @cached_property
    def checked(self) -> tuple[Checked, ...]:
        """The columns that are checked."""
        checks = checks_of(self.file, self.common)
        there = ((i, c) for i, c in enumerate(self.columns) if checks.get(c))
        return tuple(Checked(index, column, together(checks[column]), {""}) for index, column in there)


def _in_our_words(codes: Mapping[str, str]) -> Callable[[str], str]:
    return lambda cell: codes.get(cell.strip(), cell)


def _whole_day(cell: str) -> str:
    """A date without the midnight after it."""
    found = _MIDNIGHT.fullmatch(cell) if len(cell) > 10 else None
    return found[1] if found else cell


def _iso_moment(cell: str) -> str:
    """What `_iso_day` does of dates, of dates with a time."""
    day, _, clock = cell.strip().partition(" ")
    return f"{_iso_day(day)} {clock}".strip() if len(day) <= 10 else cell


def _iso_day(cell: str) -> str:
    """Dates as people write them, day first, in the form that is read; what is none stays as it is."""
    text = cell.strip()
    day = day_of(text) if text else None
    return day.isoformat() if day else cell


def open_sheet(path: Path, feed: Feed, variant: Variant | None = None) -> Sheet:
    """Recognise a file by its columns. Raises UnreadableFile, saying what to do, when it cannot be."""
    variant = variant or _PLAIN
    table = open_table(path, "utf-8-sig" if variant.encoding == "utf-8" else variant.encoding)
    table = Table(path, table.encoding, variant.delimiter)
    text, cells, wrong = next(table.records(), ("", [], "holds no header row."))
    if wrong or "\0" in text or not is_text(text):
        raise UnreadableFile(f"{path.name}: its header {wrong or _NO_TEXT}")
    return sheet_of(table, text.strip("\r\n"), cells, feed, variant)


def sheet_of(table: Table, header: str, cells: Sequence[str], feed: Feed, variant: Variant) -> Sheet:
    """The sheet with this header. Raises UnreadableFile when it is no table of the feed."""
    name = table.path.name
    for mark, word in _DELIMITERS.items():
        if mark != variant.delimiter and len(cells) < 2 <= header.count(mark):
            wanted = _DELIMITERS[variant.delimiter]
            raise UnreadableFile(f"{name}: columns are parted by {word}. Save it with {wanted}.")
    ours = {plain(c): c for file in feed.file for c in (*file.columns, *feed.common)}
    ours |= {plain(theirs): column for column, theirs in variant.columns.items()}
    columns = tuple(ours.get(plain(cell), cell.strip()) for cell in _without_trail(cells))
    file = _recognise(table.path, columns, feed)
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise UnreadableFile(f"{name}: these columns stand twice: {', '.join(twice)}. Take one out.")
    return Sheet(file, header, columns, table, variant, feed.common)


def _without_trail(cells: Sequence[str]) -> list[str]:
    found = list(cells)
    while found and not found[-1].strip():
        found.pop()
    return found


def _recognise(path: Path, columns: Sequence[str], feed: Feed) -> File:
    there = set(columns)
    file = max(feed.file, key=lambda f: len(there & set(f.columns)) + (f.part == path.stem.lower()))
    needed = file.columns if file.notes else (*file.key, *file.required)
    missing = [c for c in dict.fromkeys((*needed, *feed.common)) if c not in there]
    if missing:
        known = {*file.columns, *feed.common, ROW_COLUMN, REASONS_COLUMN}
        strange = [c for c in columns if c not in known][:5]
        renamed = f" It has columns that are not known: {', '.join(strange)}. Has one been renamed?" if strange else ""
        if len(there & known) < 2:
            # Perhaps it is the first row of data, which may be about somebody: it is not quoted.
            renamed = " Is its first row the header?"
        raise UnreadableFile(
            f"{path.name} looks most like the {file.part} file of the {feed.feed} feed, but lacks these columns: "
            f"{', '.join(missing)}.{renamed} Add them and send the file again."
        )
    return file
