"""CSV feeds: a file recognised by its columns, and every row checked against the feed's definition.

What is checked is said in `definitions/feeds/*.toml`. A cell that was seen to be right before is not
checked again, so that a million rows of the same few words cost little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from joinery.apps.base.feeds import Feed, File, Variant, When
from joinery.apps.base.tables import Table, UnreadableFile, day_of, is_text, open_table, plain
from joinery.apps.record.cells import (
    Check,
    Fault,
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
from joinery.calc.returns import APPLICABLE, MANDATORY, NOT_APPLICABLE, UNDETERMINED

# Columns that stand in a file which was sent back, beside the sender's own: they are not read.
ROW_COLUMN, REASONS_COLUMN = "joinery_row", "joinery_reasons"
_MOST_REMEMBERED, _MOST_REMEMBERED_CHARACTERS = 20_000, 60
_PLAIN = Variant(name="")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_ROW_CHARACTERS = 128 * 1024
_NO_TEXT = "is not UTF-8 text, or holds the character U+0000. Save the file as CSV (UTF-8)."
# What one may take for a formula, wider: it costs an apostrophe in what goes back to a sender, and no row.
_TAKEN_FOR_ONE = re.compile(r"[=@\t\r]|[+-](?![\d\s().,-]*$)")


class Line(NamedTuple):
    """One row: the bytes as received, its cells by our names for the columns, and what is wrong.

    With `issues` it is to be quarantined; `notes` are faults (column, rule) with which it is taken.
    """

    position: int
    body: bytes
    cells: dict[str, str]
    issues: tuple[Issue, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A CSV file whose table is known. `header` is as received."""

    file: File
    header: str
    columns: tuple[str, ...]
    table: Table
    variant: Variant = _PLAIN
    common: tuple[str, ...] = ()

    def lines(self) -> Iterator[Line]:
        """Every row below the header, in order; in bounded memory."""
        for position, (text, cells, wrong) in enumerate(islice(self.table.records(), 1, None), start=1):
            yield self.line(position, text, cells, wrong)

    def line(self, position: int, text: str, cells: list[str], wrong: str) -> Line:
        """One row, checked."""
        body = self.table.raw(text)
        if "\0" in text or not is_text(text):
            return _whole(position, body, "encoding", "", _NO_TEXT)
        if len(text) > MOST_ROW_CHARACTERS:
            wrong = "is longer than 128 KB. Is a closing quote missing?"
        if wrong:
            return _whole(position, body, "csv", "", wrong)
        if self._sent_back:
            cells = [as_received(cell) for cell in cells]
        if len(cells) != len(self.columns):
            # Empty cells at the end are what a spreadsheet adds.
            if len(cells) < len(self.columns) or any(cells[len(self.columns) :]):
                message = f"has {len(cells)} cells, the header {len(self.columns)}. Check its commas and quotes."
                return _whole(position, body, "columns", str(len(cells)), message)
            cells = cells[: len(self.columns)]
        row = self.named(cells)
        issues, notes = self._judge(position, row)
        return Line(position, body, row, issues, notes)

    def named(self, cells: Sequence[str]) -> dict[str, str]:
        """The cells of a row by our names for the columns, in our words. One cell for each column."""
        row = dict(zip(self.columns, map(str.strip, cells), strict=True))
        if self._translate:
            for column, words in self._translate:
                row[column] = words.get(row[column], row[column])
        return row

    def _judge(self, position: int, row: dict[str, str]) -> tuple[tuple[Issue, ...], tuple[tuple[str, str], ...]]:
        found = [
            (column, fault)
            for column, value, seen in zip(self._checked, self._values(row), self._seen, strict=True)
            if value not in seen and (fault := self._fault(column, value, seen))
        ]
        blank = [column for column in self._required if not row[column]]
        if blank and not any(row.get(c) in words for c, words in self.file.unless.items()):
            found += [(column, empty(column)) for column in blank]
        for group in self.file.one_of:
            if not any(map(row.get, group)):
                found.append((group[0], none_of(group)))
        if self._rules:
            must, not_applicable = self._applies(row)
            blank = [column for column in must if not row[column]]
            found += [(c, empty_here(c)) for c in blank if not any(c == known for known, _ in found)]
            found += [(column, stray(column)) for column in not_applicable if row[column]]
        for first, second in self.file.in_order:
            if (a := row.get(first)) and (b := row.get(second)) and before(b, a):
                found.append((second, Fault("order", f"{second} lies before {first}. Mend one of them.")))
        for *parts, most in self.file.at_most:
            limit = number_of(row.get(most, ""))
            if limit is not None and sum_of(row.get(part, "") for part in parts) > limit:
                message = f"{' and '.join(parts)} together are more than {most}. Mend one of them."
                found.append((parts[0], Fault("sum", message)))
        if not found:
            return (), ()
        grave = [(c, f) for c, f in found if not self.file.notes or c in self._grave]
        issues = tuple(
            Issue(f"row {position}, {c}", fault.rule, row.get(c, "")[:80], fault.message) for c, fault in grave
        )
        return issues, tuple((c, f.rule) for c, f in found if (c, f) not in grave)

    def _fault(self, column: str, value: str, seen: set[str]) -> Fault | None:
        """What is wrong with a cell that was not seen before."""
        fault = self._checks[column](value)
        if fault is None and len(value) <= _MOST_REMEMBERED_CHARACTERS and len(seen) < _MOST_REMEMBERED:
            seen.add(value)
        return fault

    def _applies(self, row: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Columns that such a row must fill, and those that say nothing of it."""
        known = self._known
        said = self._decided_by(row)
        if said not in known:
            if len(known) == _MOST_REMEMBERED:
                known.clear()
            fields = fields_of(self.file, row)
            known[said] = (
                tuple(c for c, field in fields.items() if field == MANDATORY and c in row),
                tuple(c for c, field in fields.items() if field == NOT_APPLICABLE and c in row),
            )
        return known[said]

    @cached_property
    def _rules(self) -> tuple[When, ...]:
        return rules_of(self.file)

    @cached_property
    def _decided_by(self) -> Callable[[dict[str, str]], tuple[str, ...]]:
        decides = {column for rule in self._rules for column in rule.where}
        return cells_of([c for c in self.columns if c in decides])

    @cached_property
    def _known(self) -> dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]]:
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
    def _translate(self) -> list[tuple[str, Mapping[str, str]]]:
        words = [(c, self.variant.codes[c]) for c in self.columns if c in self.variant.codes]
        if self.variant.day_first:
            words += [(c, _DayFirst()) for c in self.file.dates if c in self.columns]
        return words

    @cached_property
    def _checks(self) -> dict[str, Check]:
        checks = checks_of(self.file, self.common)
        return {column: together(checks[column]) for column in self.columns if checks.get(column)}

    @cached_property
    def _checked(self) -> tuple[str, ...]:
        return tuple(self._checks)

    @cached_property
    def _values(self) -> Callable[[dict[str, str]], tuple[str, ...]]:
        return cells_of(self._checked)

    @cached_property
    def _seen(self) -> tuple[set[str], ...]:
        """Of each column that is checked, cells that were found right: the empty one is."""
        return tuple({""} for _ in self._checked)


def harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text, whatever stands in it.

    >>> harmless("=1+1"), harmless("-12.5")
    ("'=1+1", '-12.5')
    """
    return f"'{cell}" if _TAKEN_FOR_ONE.match(cell.lstrip("'")) else cell


def as_received(cell: str) -> str:
    """The cell before `harmless`.

    >>> as_received("'=1+1"), as_received("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell[:1] == "'" and _TAKEN_FOR_ONE.match(cell.lstrip("'")) else cell


def cells_of(columns: Sequence[str]) -> Callable[[dict[str, str]], tuple[str, ...]]:
    """What takes the cells of some columns out of a row."""
    if len(columns) < 2:
        return lambda row: tuple(row[column] for column in columns)
    return itemgetter(*columns)


def rules_of(file: File) -> tuple[When, ...]:
    """What a table says of columns that some rows fill and others do not."""
    kinds = (When({file.kind_column: (name,)}, kind.must, kind.may) for name, kind in file.kinds.items())
    return (*kinds, *file.when)


def fields_of(file: File, row: Mapping[str, str]) -> dict[str, int]:
    """Whether such a row must fill a column, may, or should not; columns not named here it may fill.

    That is undetermined where what decides is empty or not on its list.
    """
    rank = (NOT_APPLICABLE, UNDETERMINED, APPLICABLE, MANDATORY)
    found: dict[str, int] = {}
    for rule in rules_of(file):
        holds = _holds(file, rule, row)
        for columns, field in ((rule.must, MANDATORY), (rule.may, APPLICABLE)):
            field = field if holds else NOT_APPLICABLE if holds is False else UNDETERMINED
            for column in columns:
                found[column] = max(found.get(column, NOT_APPLICABLE), field, key=rank.index)
    return found


def _holds(file: File, rule: When, row: Mapping[str, str]) -> bool | None:
    """Whether a rule is about a row; None when that cannot be told."""
    unknown = False
    for column, words in rule.where.items():
        value = row.get(column, "")
        if value not in words:
            if value in file.lists.get(column, ()):
                return False
            unknown = True
    return None if unknown else True


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


def _whole(position: int, body: bytes, rule: str, value: str, message: str) -> Line:
    return Line(position, body, {}, (Issue(f"row {position}", rule, value, f"The row {message}"),))
