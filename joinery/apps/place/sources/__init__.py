"""Reading the files that a directory is filled from: ODS, CQC, ONS lookups and postcodes, definitions.

`open_source` tells the kind of a file from what is in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from joinery.apps.base.tables import Table, UnreadableFile, open_table, plain, refuse_other_formats
from joinery.apps.place.sources import cqc, lookups, ods_csv, postcodes
from joinery.apps.place.sources.definitions import open_definition
from joinery.apps.place.sources.ord import open_ord
from joinery.apps.place.sources.reading import Opened, PostcodeRow

__all__ = ["Opened", "PostcodeRow", "UnreadableFile", "open_source"]

_DEFINITION = re.compile(rb"^\s*\[\[(organisation|succession)\]\]", re.MULTILINE)
_HEAD_BYTES = 64 * 1024


def open_source(path: Path) -> Opened:
    """Open a file of whatever kind. Raises UnreadableFile, which says what to do, also while rows are read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be opened: {error.strerror}.") from None
    refuse_other_formats(path, head, "CSV, or as JSON from the ODS API")
    if path.suffix.lower() == ".toml" or _DEFINITION.search(head):
        return open_definition(path)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return open_ord(path)
    return _open_table(open_table(path))


def _open_table(table: Table) -> Opened:
    first = table.first_rows()
    for skip, cells in enumerate(first, start=1):
        header = _header(cells)
        if places := postcodes.places_of(header):
            _refuse_twins(table, header)
            return postcodes.open_postcodes(table, places, len(header), skip)
        if lookup := lookups.lookup_of(header):
            _refuse_twins(table, header)
            return lookups.open_lookup(table, lookup, len(header), skip)
        if cqc.is_ratings(header):
            raise UnreadableFile(
                f"{table.path.name} is CQC's file of ratings, several rows a location. Give the care directory with "
                "filters (HSCA active locations), which has the overall rating of each location."
            )
        if file := cqc.file_of(header):
            _refuse_twins(table, [name for name in header if cqc.columns_of([name])])
            preamble = " ".join(" ".join(above) for above in first[: skip - 1])
            return cqc.open_register(table, file, header, skip, preamble)
        if ods_csv.is_headed(header):
            return ods_csv.open_extract(table, header, skip)
    if ods_csv.is_bare(first):
        return ods_csv.open_extract(table, None, 0)
    if ods_csv.is_succession(first):
        return ods_csv.open_succession(table)
    raise UnreadableFile(_unknown(table, first))


def _header(cells: list[str]) -> list[str]:
    """The names of a header in plain form, without the empty cells that spreadsheets leave at its end."""
    header = [plain(cell) for cell in cells]
    while header and not header[-1]:
        header.pop()
    return header


def _refuse_twins(table: Table, header: list[str]) -> None:
    if twins := sorted({name for name in header if name and header.count(name) > 1}):
        raise UnreadableFile(f"{table.path.name}: these columns stand twice: {', '.join(twins)}. Take one out.")


def _unknown(table: Table, first: list[list[str]]) -> str:
    for header in map(_header, first):
        if near := cqc.nearest(header) or postcodes.nearest(header) or lookups.nearest(header):
            title, lacking = near
            return (
                f"{table.path.name} looks most like the file {title!r}, but lacks these columns: "
                f"{', '.join(lacking)}. Has a column been renamed? Get the file again."
            )
    shown = ", ".join(cell.strip()[:40] for cell in first[0][:6]) if first else ""
    return (
        f"{table.path.name}: its columns are of no kind that is known. It begins: {shown}. Known are records "
        "(ORD JSON) and CSV extracts of ODS, the directories of CQC, lookups and postcode files of ONS (a column "
        "LSOA21CD and a body such as LAD24CD, or two bodies), and definition files (TOML)."
    )
