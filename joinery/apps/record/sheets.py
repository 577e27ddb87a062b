"""CSV feeds: a file recognised by its columns, and every row checked against the feed's definition.

What is checked is said in `definitions/feeds/*.toml`. A cell that was seen to be right before is not
checked again, so that a million rows of the same few words cost little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from joinery.apps.base.columns import in_runs
from joinery.apps.base.feeds import Feed, File, Variant, When
from joinery.apps.base.remember import MOST_CHARACTERS
from joinery.apps.base.tables import Record, Table, UnreadableFile, day_of, is_text, open_table, plain
from joinery.apps.record.applies import fields_of, rules_of
from joinery.apps.record.cells import (
    Check,
    Fault,
    as_received,
    before,
    checks_of,
    empty,
    empty_here,
    none_of,
    number_of,
    stray,
    sum_of,
    together,
)
from joinery.apps.record.rows import Issue
from joinery.calc.returns import MANDATORY, NOT_APPLICABLE

# Columns that stand in a file which was sent back, beside the sender's own: they are not read.
ROW_COLUMN, REASONS_COLUMN = "joinery_row", "joinery_reasons"
_BATCH_ROWS, _BATCH_CHARACTERS = 1_000, 4 * 1024 * 1024
_MOST_REMEMBERED = 20_000
_PLAIN = Variant(name="")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_ROW_CHARACTERS = 128 * 1024
_NO_TEXT = "is not UTF-8 text, or holds the character U+0000. Save the file as CSV (UTF-8)."


# Takes the cells of some columns out of a row.
Cells = Callable[[Sequence[str]], tuple[str, ...]]
_Columns = list[tuple[str, ...]]
_Found = dict[int, list[tuple[str, Fault]]]  # by the number of the row in its batch


class Line(NamedTuple):
    """One row: the bytes as received, its cells in the order of the columns, and what is wrong.

    With `issues` it is to be quarantined; `notes` are faults (column, rule) with which it is taken.
    """

    position: int
    body: bytes
    cells: Sequence[str]
    issues: tuple[Issue, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


class _Checked(NamedTuple):
    """A column that is checked, and the cells that were found right so far: the empty one is."""

    place: int
    column: str
    check: Check
    seen: set[str]


class _Applied(NamedTuple):
    """What a kind of row must fill and what says nothing of it: the columns, and their cells in a row."""

    must: tuple[str, ...]
    must_cells: Cells
    stray: tuple[str, ...]
    stray_cells: Cells


@dataclass(frozen=True)
class Sheet:
    """A CSV file whose table is known. `header` is as received.

    Rows are checked column by column, a batch at a time: what stands in a column is mostly the same few
    words, and those that were found right before are known at once.
    """

    file: File
    header: str
    columns: tuple[str, ...]
    table: Table
    variant: Variant = _PLAIN
    common: tuple[str, ...] = ()

    def lines(self) -> Iterator[Line]:
        """Every row below the header, in order; in bounded memory."""
        records = islice(self.table.records(), 1, None)
        position = 1
        for batch in in_runs(records, _BATCH_ROWS, _BATCH_CHARACTERS, lambda record: len(record[0])):
            yield from self._batch(position, batch)
            position += len(batch)

    def named(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells of a row by our names for the columns, in our words. One cell for each column."""
        return dict(zip(self.columns, map(str.strip, self._prepared(list(cells))), strict=True))

    def cells_of(self, columns: Iterable[str]) -> Cells:
        """What takes the cells of some columns out of those of a row; a column that is not there is left out."""
        return _taking([self.columns.index(column) for column in columns if column in self.columns])

    def _batch(self, first: int, batch: list[Record]) -> Iterator[Line]:
        misfits = [self._misfit(*record) for record in batch]
        rows = [self._prepared(cells) for (_, cells, _), misfit in zip(batch, misfits, strict=True) if misfit is None]
        found = self._faults(rows)
        raw, number = self.table.raw, 0
        for position, ((text, _, _), misfit) in enumerate(zip(batch, misfits, strict=True), start=first):
            body = raw(text)
            if misfit is not None:
                rule, value, message = misfit
                yield Line(position, body, (), (Issue(f"row {position}", rule, value, f"The row {message}"),))
                continue
            faults = found.get(number)
            issues, notes = self._judge(position, rows[number], faults) if faults else ((), ())
            yield Line(position, body, rows[number], issues, notes)
            number += 1

    def _misfit(self, text: str, cells: list[str], wrong: str) -> tuple[str, str, str] | None:
        """Why a record is no row of this table, if it is none: the rule, the value, and what to do."""
        if "\0" in text or not is_text(text):
            return "encoding", "", _NO_TEXT
        if len(text) > MOST_ROW_CHARACTERS:
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

    def _prepared(self, cells: list[str]) -> list[str]:
        """The cells of a row in our words."""
        del cells[len(self.columns) :]
        if self._sent_back:
            cells = [as_received(cell) for cell in cells]
        for index, words in self._translate:
            cells[index] = words.get(cells[index].strip(), cells[index])
        return cells

    def _faults(self, rows: list[list[str]]) -> _Found:
        """What is wrong with which of these rows; spaces around cells are taken away."""
        found: _Found = defaultdict(list)
        columns = list(zip(*rows, strict=True))
        for index, column, check, seen in self._checked if rows else ():
            strange = set(columns[index]) - seen
            if any(value[:1].isspace() or value[-1:].isspace() for value in strange):
                for row in rows:
                    row[index] = row[index].strip()
                columns[index] = tuple(row[index] for row in rows)
                strange = set(columns[index]) - seen
            faulty = {value: fault for value in strange if (fault := check(value))}
            if len(seen) < _MOST_REMEMBERED:
                seen.update(v for v in strange if v not in faulty and len(v) <= MOST_CHARACTERS)
            if faulty:
                for number, value in enumerate(columns[index]):
                    if value in faulty:
                        found[number].append((column, faulty[value]))
        if rows:
            self._find_blank(rows, columns, found)
            self._find_not_applicable(rows, found)
            self._find_contradictions(columns, found)
        return found

    def _find_blank(self, rows: list[list[str]], columns: _Columns, found: _Found) -> None:
        excuses = [(self.columns.index(column), words) for column, words in self.file.unless.items()]
        for column in self._required:
            index = self.columns.index(column)
            for number in _blank(columns[index]):
                if not any(rows[number][excuse] in words for excuse, words in excuses):
                    found[number].append((column, empty(column)))
        for group in self.file.one_of:
            either = [self.columns.index(column) for column in group]
            for number in _blank(columns[either[0]]):
                if not any(rows[number][index] for index in either):
                    found[number].append((group[0], none_of(group)))

    def _find_not_applicable(self, rows: list[list[str]], found: _Found) -> None:
        """Columns that this kind of row must fill, and those that are filled though they say nothing of it."""
        if not self._rules:
            return
        decided_by, known = self._decided_by, self._known
        for number, row in enumerate(rows):
            said = decided_by(row)
            applied = known.get(said) or self._apply(said, row)
            if "" in applied.must_cells(row):
                missing = {column for column, _ in found[number]}
                blank = [c for c, cell in zip(applied.must, applied.must_cells(row), strict=True) if not cell]
                found[number] += [(column, empty_here(column)) for column in blank if column not in missing]
            if any(applied.stray_cells(row)):
                filled = [c for c, cell in zip(applied.stray, applied.stray_cells(row), strict=True) if cell]
                found[number] += [(column, stray(column)) for column in filled]

    def _find_contradictions(self, columns: _Columns, found: _Found) -> None:
        there = {column: columns[index] for index, column in enumerate(self.columns)}
        for first, second in self.file.in_order:
            pairs = zip(there[first], there[second], strict=True) if {first, second} <= there.keys() else ()
            for number, (one, other) in enumerate(pairs):
                if other < one and other and before(other, one):
                    fault = Fault("order", f"{second} lies before {first}. Mend one of them.")
                    found[number].append((second, fault))
        for *parts, most in self.file.at_most:
            for number, limit in enumerate(map(number_of, there.get(most, ()))):
                if limit is not None and sum_of(there[part][number] for part in parts if part in there) > limit:
                    message = f"{' and '.join(parts)} together are more than {most}. Mend one of them."
                    found[number].append((parts[0], Fault("sum", message)))

    def _judge(
        self, position: int, row: Sequence[str], found: list[tuple[str, Fault]]
    ) -> tuple[tuple[Issue, ...], tuple[tuple[str, str], ...]]:
        """Of the faults of a row those that keep it out, and those with which it is taken."""
        named = dict(zip(self.columns, row, strict=True))
        grave = [(c, f) for c, f in found if not self.file.notes or c in self._grave]
        issues = tuple(
            Issue(f"row {position}, {c}", fault.rule, named.get(c, "")[:80], fault.message) for c, fault in grave
        )
        return issues, tuple((c, f.rule) for c, f in found if (c, f) not in grave)

    def _apply(self, said: tuple[str, ...], row: Sequence[str]) -> _Applied:
        """What applies to such a row; kept for the next one."""
        fields = fields_of(self.file, dict(zip(self.columns, row, strict=True)))
        must = tuple(c for c, field in fields.items() if field == MANDATORY and c in self.columns)
        stray = tuple(c for c, field in fields.items() if field == NOT_APPLICABLE and c in self.columns)
        applied = _Applied(must, self.cells_of(must), stray, self.cells_of(stray))
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        if max(map(len, said), default=0) <= MOST_CHARACTERS:
            self._known[said] = applied
        return applied

    @cached_property
    def _rules(self) -> tuple[When, ...]:
        return rules_of(self.file)

    @cached_property
    def _decided_by(self) -> Cells:
        decides = {column for rule in self._rules for column in rule.where}
        return self.cells_of([c for c in self.columns if c in decides])

    @cached_property
    def _known(self) -> dict[tuple[str, ...], _Applied]:
        return {}

    @cached_property
    def _sent_back(self) -> bool:
        return ROW_COLUMN in self.columns

    @cached_property
    def _grave(self) -> frozenset[str]:
        one_of = (column for group in self.file.one_of for column in group[:1])
        return frozenset((*self.file.required, *self.file.refuse, *self.file.key, *one_of))

    @cached_property
    def _required(self) -> tuple[str, ...]:
        return (*self.file.required, *(c for c in ("source_id", "updated_at") if c in self.common))

    @cached_property
    def _translate(self) -> list[tuple[int, Mapping[str, str]]]:
        words = [(i, self.variant.codes[c]) for i, c in enumerate(self.columns) if c in self.variant.codes]
        if self.variant.day_first:
            words += [(i, _DayFirst()) for i, c in enumerate(self.columns) if c in self.file.dates]
        return words

    @cached_property
    def _checked(self) -> tuple[_Checked, ...]:
        checks = checks_of(self.file, self.common)
        there = ((i, c) for i, c in enumerate(self.columns) if checks.get(c))
        return tuple(_Checked(index, column, together(checks[column]), {""}) for index, column in there)


def _blank(column: Sequence[str]) -> Iterator[int]:
    """The numbers of the rows in which a column is empty: mostly none."""
    return (number for number, cell in enumerate(column) if not cell) if "" in column else iter(())


def _taking(places: Sequence[int]) -> Cells:
    if len(places) < 2:
        return lambda row: tuple([row[place] for place in places])
    return itemgetter(*places)


class _DayFirst(dict[str, str]):
    """Dates as people write them, day first, to the form that is read; what is none stays as it is."""

    def get(self, text: str, default: str = "") -> str:  # type: ignore[override]
        day = day_of(text) if text else None
        return day.isoformat() if day else default


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
