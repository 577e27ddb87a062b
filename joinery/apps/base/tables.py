"""Tables of text as people save them: CSV in whatever encoding and with whatever mark between cells.

Every app that reads a table which a person made reads it through this, so that a workbook, a wrong
encoding or a broken quote is said in the same words everywhere.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, repeat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from joinery.apps.base.remember import remember

CHUNK_BYTES = 1024 * 1024
# A preamble may stand above a header: CQC's has four lines.
MOST_PREAMBLE_ROWS = 20
MOST_LINE_CHARACTERS = 1024 * 1024
MOST_PLAIN_BYTES = 128 * 1024
# What a record may hold that goes on over lines: text, and so much more for each line. Lines that are read
# again, after a quote that was never closed, may hold less; or a file of such quotes would be read for ever.
MOST_RECORD_CHARACTERS, MOST_CHARACTERS_AGAIN, LINE_CHARACTERS = 1024 * 1024, 20_000, 500
# Text of a record shrinks some 20 times; what shrinks more than this is no record.
MOST_TIMES, FREE_BYTES = 100, 64 * 1024 * 1024
_RECORDS_AT_ONCE = 500
NO_TEXT = "holds a character that is not text. Save the file as CSV (UTF-8) again."
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = re.compile(r"[a-z0-9]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[T ].*)?"),
    re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})(?: .*)?"),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
    re.compile(r"(?P<d>\d{1,2})(?:st|nd|rd|th)?[-_ ](?P<m>[A-Za-z]{3,9})[-_ ](?P<y>\d{4})"),
)


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the message tells its sender what to do."""


class Unpacked(gzip.GzipFile):
    """A gzip file. Reading it raises UnreadableFile once it proves to be made to fill a disk."""

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        super().__init__(fileobj=raw, mode="rb")
        self._path, self._raw = path, raw

    def readline(self, size: int | None = -1) -> bytes:
        """The next line."""
        return self._bounded(super().readline(size))

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        return self._bounded(super().read(size))

    def _bounded(self, data: bytes) -> bytes:
        if self.tell() > FREE_BYTES and self.tell() > MOST_TIMES * self._raw.tell():
            raise UnreadableFile(
                f"{self._path.name} unpacks to more than {MOST_TIMES} times its size, which no record does. "
                "Ask its sender what it holds; do not open it."
            )
        return data


# A record of a table: the text as received, its cells, and what is wrong with it as CSV.
Record = tuple[str, list[str], str]


class Records(NamedTuple):
    """Records that stand together, none of them blank: each as the bytes received.

    Most are plain: they end with their line and have their quotes around whole cells, so that `Table.split`
    gives their cells. `odd` holds by number those that are not, with their cells and what is wrong with them.
    """

    lines: list[bytes]
    odd: dict[int, tuple[list[str], str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A text file of rows and columns, not yet understood."""

    path: Path
    encoding: str
    delimiter: str

    @property
    def note(self) -> str:
        """Says how the file was read, when that was a guess."""
        return "The file is not UTF-8; it was read as Windows-1252." if self.encoding == "cp1252" else ""

    @property
    def codec(self) -> str:
        """The encoding of any part of the file: a mark stands at its beginning only."""
        return "utf-8" if self.encoding == "utf-8-sig" else self.encoding

    def first_rows(self) -> list[list[str]]:
        """The cells of the first rows, among which a header may be."""
        return [cells for _, cells, _ in islice(self.records(), MOST_PREAMBLE_ROWS)]

    def records(self) -> Iterator[Record]:
        """Every record that is not blank. A broken one is only its first line: the next lines are read again.

        A byte that is no text of the encoding becomes a surrogate, so that `raw` gives it back.
        """
        for lines, odd in self.batches(_RECORDS_AT_ONCE):
            for number, line in enumerate(lines):
                text = self.text(line)
                cells, wrong = odd[number] if number in odd else (self.split(text), "")
                yield text, cells, wrong

    def batches(self, most: int, most_bytes: int = CHUNK_BYTES, skip: int = 0) -> Iterator[Records]:
        """The same without the first `skip`, so many at a time, or fewer where together they are `most_bytes`."""
        with self.path.open("rb") as file:
            reader = _Reader(self, file)
            if skip:
                reader.take(skip, most_bytes)
            while (records := reader.take(most, most_bytes)).lines:
                yield records

    def split(self, line: str) -> list[str]:
        """The cells of a plain record."""
        start, *pieces = line.rstrip("\r\n").split('"')
        cells = start.split(self.delimiter)
        for quoted, after in zip(pieces[::2], pieces[1::2], strict=True):
            cells[-1] = quoted
            if after:
                cells += after[1:].split(self.delimiter)
        return cells

    def text(self, line: bytes) -> str:
        """The bytes of a record as text; `raw` gives them back."""
        return line.decode(self.codec, "surrogateescape")

    def raw(self, text: str) -> bytes:
        """A record's text as the bytes that were received."""
        return text.encode(self.codec, "surrogateescape")

    def data(self, columns: int, skip: int) -> Iterator[tuple[int, str, list[str], str]]:
        """Position (from 1), text, cells and fault of each record below the first `skip` records."""
        for position, (body, cells, wrong) in enumerate(islice(self.records(), skip, None), start=1):
            if not wrong and len(cells) != columns and (len(cells) < columns or any(cells[columns:])):
                wrong = f"has {len(cells)} cells, where {columns} are expected. Check its commas and quotes."
            if "\0" in body or not is_text(body):
                wrong = NO_TEXT
                body = self.raw(body).decode(self.encoding, "replace")
                cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
            yield position, body, cells, wrong


def is_text(body: str) -> bool:
    """Whether every byte of a record was text of its file's encoding."""
    return body.isascii() or _SURROGATE.search(body) is None


class _Reader:
    """Takes the records out of an open file, from its beginning on."""

    def __init__(self, table: Table, file: BinaryIO) -> None:
        self._table, self._file = table, file
        mark = codecs.BOM_UTF8 if table.encoding == "utf-8-sig" else b""
        self._rest = file.read(len(mark)).removeprefix(mark)
        # Lines that were read ahead, and whether each is a plain record: 1, or else 0.
        self._lines: list[bytes] = []
        self._plain = b""
        # The next line; where the record began that is being read; before which line all is read again.
        self._at = self._start = self._again = 0

    def take(self, most: int, most_bytes: int) -> Records:
        """The next records; none at the end of the file."""
        found = Records([], {})
        room = most_bytes
        while room > 0 and len(found.lines) < most:
            self._start = self._at
            if self._at == len(self._lines) and not self._read_on():
                break
            last = min(self._at + most - len(found.lines), len(self._lines))
            odd = self._plain.find(0, self._at, last)
            run = self._lines[self._at : last if odd < 0 else odd]
            self._at += len(run)
            run = run or self._odd(len(found.lines), found.odd)
            found.lines.extend(run)
            room -= sum(map(len, run))
        return found

    def _odd(self, number: int, odd: dict[int, tuple[list[str], str]]) -> list[bytes]:
        """The record that begins here, if it is not blank, as the csv module reads it."""
        reader = csv.reader(self._texts(), delimiter=self._table.delimiter, strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            self._again = max(self._again, self._at)
            self._at = self._start + 1
            odd[number] = [], f"is not valid CSV ({error}). Check its quotes."
            return [self._lines[self._start]]
        if not any(cells):
            return []
        odd[number] = cells, ""
        return [b"".join(self._lines[self._start : self._at])]

    def _texts(self) -> Iterator[str]:
        """The next lines, as many as a record may have."""
        room = MOST_CHARACTERS_AGAIN if self._at < self._again else MOST_RECORD_CHARACTERS
        while room > 0 and (self._at < len(self._lines) or self._read_on()):
            text = self._table.text(self._lines[self._at])
            self._at += 1
            room -= len(text) + LINE_CHARACTERS
            yield text

    def _read_on(self) -> bool:
        """Read more lines, and let go of those before the record that is being read. False at the end."""
        more = True
        lines: list[bytes] = []
        while more and not lines:
            chunk = self._file.read(CHUNK_BYTES)
            more = bool(chunk)
            block = self._rest + chunk
            # Its last line may go on, and so may the end of a line, which can be two characters.
            end = block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, -1) + 1 if more else len(block)
            self._rest = block[end:]
            lines = block[:end].splitlines(keepends=True)
            if max(map(len, (self._rest, *lines[:1]))) >= MOST_LINE_CHARACTERS:
                raise UnreadableFile(
                    f"{self._table.path.name}: a line is longer than 1 MB. Is a closing quote missing, or is it no "
                    "table of rows? Mend it and send it again."
                )
        self._lines = self._lines[self._start :] + lines
        self._plain = self._plain[self._start :] + are_plain(lines, self._table)
        self._at, self._again, self._start = self._at - self._start, self._again - self._start, 0
        return bool(lines)


def are_plain(lines: Sequence[bytes], table: Table) -> bytes:
    """For each line 1 if it is a plain record (`Records`) for sure, and 0 where the csv module must read it.

    That would give the same for the others, at many times the cost.
    """
    blank = f'{table.delimiter}"\r\n'.encode()
    block = b"".join((b"\n", *lines, b"\n"))
    mark = table.delimiter.encode()
    if (
        _is_plain_text(block, table.codec)
        and max(map(len, lines), default=0) <= MOST_PLAIN_BYTES
        and _are_quotes_around_cells(block, mark)
        and all(map(bytes.strip, lines, repeat(blank)))
    ):
        return bytes([1]) * len(lines)
    return bytes(
        line.strip(blank) != b""
        and len(line) <= MOST_PLAIN_BYTES
        and _are_quotes_around_cells(b"\n%b\n" % line, mark)
        and _is_plain_text(line, table.codec)
        for line in lines
    )


def _are_quotes_around_cells(data: bytes, mark: bytes) -> bool:
    """Whether all quotes stand around whole cells, of which none goes on over lines."""
    pieces = data.split(b'"')
    outside, inside = pieces[::2], b"".join(pieces[1::2])
    beside = {piece[-1:] for piece in outside[:-1]}.union(piece[:1] for piece in outside[1:])
    return len(pieces) % 2 == 1 and beside <= {mark, b"\r", b"\n"} and b"\n" not in inside and b"\r" not in inside


def _is_plain_text(data: bytes, encoding: str) -> bool:
    """Whether bytes are text, without a mark that a reader might take for the beginning of a file."""
    try:
        return "\0" not in (text := data.decode(encoding)) and "\ufeff" not in text
    except UnicodeDecodeError:
        return False


def open_table(path: Path, encoding: str = "") -> Table:
    """The file as a table of text. Raises UnreadableFile, saying what to do, for anything else.

    Without an `encoding` it is found out by reading the whole file once.
    """
    with path.open("rb") as file:
        start = file.read(64 * 1024)
    refuse_other_formats(path, start)
    encoding = encoding or encoding_of(path)
    head = start.decode(encoding, errors="replace").splitlines()[:MOST_PREAMBLE_ROWS]
    bare = [re.sub(r'"[^"]*"', "", line) for line in head]
    return Table(path, encoding, max(",;\t|", key=lambda mark: sum(line.count(mark) for line in bare)))


def refuse_other_formats(path: Path, start: bytes, wanted: str = "CSV") -> None:
    """Raise UnreadableFile for what is no text: a workbook, an archive, a page, a picture, nothing.

    `wanted` says in which form to get the data of a web page instead.
    """
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UnreadableFile(f"{path.name} is empty. Get the file again.")
    if start[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(
            f"{path.name} is a workbook (XLSX, ODS, XLS) or a zip. Unpack a zip; open a workbook, choose the "
            "sheet that holds the data, save it as CSV (UTF-8), and give that file."
            if wanted.startswith("CSV")
            else f"{path.name} is a workbook or a zip. Unpack a zip, and give the data as {wanted}."
        )
    if start[:2] == b"\x1f\x8b":
        raise UnreadableFile(f"{path.name} is compressed. Unpack it and give the file inside.")
    if start[:4] == b"PAR1":
        raise UnreadableFile(f"{path.name} is a Parquet file. Save the same data as {wanted}, and give that.")
    if start[:5] == b"%PDF-":
        raise UnreadableFile(f"{path.name} is a PDF. Get the same data as {wanted}.")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise UnreadableFile(f"{path.name} is XML or a web page. Get the data as {wanted}.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or start.count(0) > len(start) // 10:
        raise UnreadableFile(f"{path.name} is not UTF-8 text. Save it as {wanted} (UTF-8) and give that.")


def encoding_of(path: Path) -> str:
    """`utf-8-sig` when the whole file is UTF-8, with or without a mark; otherwise `cp1252`.

    Raises UnreadableFile for a line of more than a megabyte, which nobody should read at once.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    found = "utf-8-sig"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if len(chunk) == CHUNK_BYTES and b"\n" not in chunk and b"\r" not in chunk:
                raise UnreadableFile(f"{path.name}: a line is longer than 1 MB. It is no table of rows.")
            if found == "utf-8-sig":
                try:
                    decoder.decode(chunk, final=len(chunk) < CHUNK_BYTES)
                except UnicodeDecodeError:
                    found = "cp1252"
    return found


def plain(name: str) -> str:
    """A column's name as it is compared: letters and digits in lower case.

    >>> plain("Dormant (Y/N)")
    'dormant y n'
    """
    return " ".join(_WORDS.findall(name.lower()))


@remember(8192)
def day_of(text: str) -> date | None:
    """A date as ODS, CQC and spreadsheets write it, or None. The day comes before the month.

    >>> day_of("01/04/2026") == day_of("20260401") == day_of("1 April 2026")
    True
    """
    for shape in _DATES:
        if found := shape.fullmatch(text.strip()):
            month = found["m"]
            if month.isalpha():
                if month[:3].lower() not in _MONTHS:
                    return None
                month = str(_MONTHS.index(month[:3].lower()) + 1)
            try:
                return date(int(found["y"]), int(month), int(found["d"]))
            except ValueError:
                return None
    return None
