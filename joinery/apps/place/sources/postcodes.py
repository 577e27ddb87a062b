"""Postcode files of the Office for National Statistics (ONSPD, NSPL, and the best-fit lookups).

Postcodes of England and Wales are taken; those of elsewhere, or without a place on the map, are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from joinery.apps.base.tables import Table
from joinery.apps.place.kinds import EARLIEST
from joinery.apps.place.sources.reading import LSOA_CODE, Opened, PostcodeRow, postcode_of

# Of the ways in which ONS writes a postcode, any will do.
_POSTCODES = ("pcds", "pcd8", "pcd7", "pcd2", "pcd", "postcode")
_LSOA = re.compile(r"lsoa(\d{2})(cd)?")
_MONTH = re.compile(r"(\d{4})-?(\d{2})(-\d{2})?")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the fields of a postcode file stand; -1 for a date that it does not have."""

    postcode: int
    lsoa: int
    since: int
    until: int
    year: str


def places_of(header: list[str]) -> Places | None:
    """Where the fields stand, for a header in plain names; None when it is no postcode file.

    Of several LSOA columns the newest counts.
    """
    postcode = next((header.index(name) for name in _POSTCODES if name in header), -1)
    years = {found[1]: index for index, name in enumerate(header) if (found := _LSOA.fullmatch(name))}
    if postcode < 0 or not years:
        return None
    year = max(years)
    since, until = (header.index(name) if name in header else -1 for name in ("dointr", "doterm"))
    return Places(postcode, years[year], since, until, year)


def nearest(header: list[str]) -> tuple[str, list[str]] | None:
    """What the header lacks, when it looks like that of a postcode file."""
    return ("ONS postcodes", ["LSOA21"]) if {"dointr", "doterm"} <= set(header) else None


def open_postcodes(table: Table, places: Places, columns: int, skip: int) -> Opened:
    """Open a postcode file, which tells of postcodes that have ended, too."""
    rows = _rows(table, places, columns, skip)
    return Opened("ons:postcodes", "history", f"ONS postcodes: LSOA{places.year}", postcodes=rows, note=table.note)


def _rows(table: Table, places: Places, columns: int, skip: int) -> Iterator[PostcodeRow]:
    is_lsoa = LSOA_CODE.fullmatch
    at_postcode, at_lsoa, at_since, at_until = places.postcode, places.lsoa, places.since, places.until
    for position, body, cells, wrong in table.data(columns, skip):
        if wrong:
            yield _refused(position, body, f"Row {position} {wrong}")
            continue
        lsoa = cells[at_lsoa].strip()
        if not is_lsoa(lsoa):
            if not _elsewhere(lsoa):
                yield _refused(position, body, f"Row {position}: {lsoa[:40]!r} is not the code of an LSOA.")
            continue
        postcode = postcode_of(cells[at_postcode])
        since = month_of(cells[at_since]) if at_since >= 0 else EARLIEST
        until = _after(cells[at_until]) if at_until >= 0 else None
        if not postcode or since is None or until is EARLIEST:
            yield _refused(position, body, f"Row {position}: {_fault(postcode, since)}")
        elif until and until <= since:
            yield _refused(position, body, f"Row {position}: the postcode ended before it began.")
        else:
            yield PostcodeRow(position, body, postcode, lsoa, since, until)


def _elsewhere(lsoa: str) -> bool:
    """Scotland, Northern Ireland, the islands, or no place on the map."""
    return not lsoa or lsoa[0] in "SNLM9" or lsoa[1:] == "99999999"


def _fault(postcode: str, since: date | None) -> str:
    if not postcode:
        return "the postcode is none. Get the file again."
    column = "dointr" if since is None else "doterm"
    return f"{column} is not a month. Write it as 202603."


def _refused(position: int, body: str, issue: str) -> PostcodeRow:
    return PostcodeRow(position, body.replace("\0", "\u2400"), "", "", EARLIEST, None, (issue,))


@lru_cache(maxsize=4096)
def month_of(text: str) -> date | None:
    """The first day of a month such as 198001 or 1980-01; EARLIEST for none; None when it is no month."""
    if not text.strip():
        return EARLIEST
    found = _MONTH.fullmatch(text.strip())
    try:
        return date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _after(text: str) -> date | None:
    """The first day after the month in which a postcode ended; None for no end; EARLIEST for no month."""
    if not text.strip():
        return None
    month = month_of(text)
    if month is None or month.year > 9000:
        return EARLIEST
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
