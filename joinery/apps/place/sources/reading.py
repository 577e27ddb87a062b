"""What every reader of directory files shares: text, tables, dates and codes as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

from joinery.apps.base.tables import day_of, plain
from joinery.apps.place.kinds import Row, Saying

# What the directory can hold: see models.Organisation and models.Statement.
MOST_CODE_CHARACTERS = 40
MOST_VALUE_CHARACTERS = 300

ODS_CODE = re.compile(r"[A-Z0-9]{2,12}")
CQC_CODE = re.compile(r"1-[0-9]{6,12}|[A-Z0-9]{2,12}")
GSS_CODE = re.compile(r"[EWSN][0-9]{8}")
LSOA_CODE = re.compile(r"[EW]01[0-9]{6}")
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}")

# Kinds of which ODS tells only what is so today: it dates neither names nor addresses.
OF_TODAY = frozenset({"name", "premises"})


class PostcodeRow(NamedTuple):
    """The LSOA of a postcode (written without spaces), from one day up to, not including, another.

    A tuple, because a file has nearly two million.
    """

    position: int
    body: str
    postcode: str
    lsoa: str
    from_date: date
    to_date: date | None
    issues: tuple[str, ...] = ()


@dataclass(slots=True)
class Opened:
    """A file whose kind is known. Its rows are read once, as they are asked for.

    `history`: each row tells all the dated life of its body that this source knows. `snapshot`: the rows
    hold on the day `on`, and a saying from EARLIEST is one without a date. `of_today` are kinds of which
    even a history knows only what is so today. One of `rows` and `postcodes` is empty. `note` is a remark
    for the sender, as on an encoding that was guessed.
    """

    source: str
    mode: Literal["history", "snapshot"]
    title: str
    on: date | None = None
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    postcodes: Iterator[PostcodeRow] = field(default_factory=lambda: iter(()))
    of_today: frozenset[str] = frozenset()
    note: str = ""


def stated_day(text: str) -> date | None:
    """The first date of the form 1 April 2026 or 2026-04-01 within a text, such as a file's name."""
    spelt = r"(?<!\d)\d{1,2}[-_ ][A-Za-z]{3,9}[-_ ]\d{4}(?!\d)|(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)"
    return next(filter(None, map(day_of, re.findall(spelt, text))), None)


def day_after(last: date | None) -> date | None:
    """The first day on which something is no more, from the last day on which it was."""
    return last + timedelta(days=1) if last and last < date.max else None


def postcode_of(text: str) -> str:
    """A postcode without spaces in upper case, or nothing when it is none.

    >>> postcode_of("tq2 7aa ")
    'TQ27AA'
    """
    bare = text.replace(" ", "").upper()
    return bare if _POSTCODE.fullmatch(bare) else ""


def premises(code: str, parts: Iterable[str], postcode: str, uprn: str = "") -> Saying | None:
    """Where a body is: by UPRN (1 to 12 digits), otherwise by its address and postcode; None without both."""
    address = ", ".join(part.strip() for part in parts if part.strip())
    uprn = uprn.strip().removesuffix(".0").lstrip("0")
    short = postcode_of(postcode)
    if uprn.isascii() and uprn.isdigit() and len(uprn) <= 12:
        value = f"uprn:{uprn}"
    elif address and short:
        value = f"{plain(address)} {short}"
    else:
        return None
    return Saying(code, "premises", value[:MOST_VALUE_CHARACTERS], detail={"address": address, "postcode": short})


def row_of(position: int, body: str, sayings: Sequence[Saying], issues: Sequence[str] = ()) -> Row:
    """The row, quarantined when anything about it is wrong or will not fit the directory."""
    found = [*issues, *dict.fromkeys(_misfits(sayings))]
    return Row(position, body.replace("\0", "\u2400"), () if found else tuple(sayings), tuple(found))


def _misfits(sayings: Sequence[Saying]) -> Iterator[str]:
    for said in sayings:
        if max(len(said.code), len(said.target)) > MOST_CODE_CHARACTERS:
            yield f"A code is longer than {MOST_CODE_CHARACTERS} characters. Shorten it."
        if len(said.value) > MOST_VALUE_CHARACTERS:
            yield f"The {said.kind} is longer than {MOST_VALUE_CHARACTERS} characters. Shorten it."
        if said.to_date and said.to_date <= said.from_date:
            yield f"The {said.kind} ends on {said.to_date}, before it begins on {said.from_date}. Mend one of them."
