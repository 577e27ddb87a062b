"""What the writers of returns share: periods, rows with every column as text, one CSV file as bytes."""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from joinery.site.demo.diary import LONDON
from joinery.site.demo.events import definitions
from joinery.site.demo.writers import Record


class Period(NamedTuple):
    """The days that a return tells of, the last one included, as a return states them."""

    first: date
    last: date

    def holds(self, day: str) -> bool:
        """Whether an ISO date lies within."""
        return str(self.first) <= day <= str(self.last)


def month_before(day: date, months: int) -> Period:
    """The calendar month so many months before that of a day.

    >>> month_before(date(2026, 1, 31), 2)
    Period(first=datetime.date(2025, 11, 1), last=datetime.date(2025, 11, 30))
    """
    number = day.year * 12 + day.month - 1 - months
    first = date(number // 12, number % 12 + 1, 1)
    return Period(first, date((number + 1) // 12, (number + 1) % 12 + 1, 1) - timedelta(days=1))


def quarter_before(day: date, quarters: int) -> Period:
    """The calendar quarter so many quarters before that of a day."""
    into = (day.month - 1) % 3
    return Period(month_before(day, into + 3 * quarters).first, month_before(day, into + 3 * quarters - 2).last)


def columns_of(feed: str) -> list[str]:
    """The columns of a feed that is one table, as its definition has them."""
    columns: list[str] = definitions(feed, "feeds")["file"][0]["columns"]
    return columns


def row(columns: Sequence[str], values: dict[str, Any], person: int, kind: str, key: str, at: datetime) -> Record:
    """A CSV row with every column as text, empty where nothing is said. Raises ValueError for no such column."""
    unknown = values.keys() - set(columns)
    if unknown:
        raise ValueError(f"{kind} has no column {sorted(unknown)}")
    known = {name: "" if value is None else str(value) for name, value in values.items()}
    return Record(person, kind, key, at, {name: known.get(name, "") for name in columns})


def encode(records: Sequence[Record], columns: Sequence[str]) -> bytes:
    """One CSV file: UTF-8, a header row, RFC 4180 line ends."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(record.body for record in records if isinstance(record.body, dict))
    return text.getvalue().encode()


def day_text(at: datetime | None) -> str:
    """The English calendar date of a moment, or empty."""
    return f"{at.astimezone(LONDON):%Y-%m-%d}" if at else ""


def time_text(at: datetime | None) -> str:
    """The time of day in England, or empty."""
    return f"{at.astimezone(LONDON):%H:%M:%S}" if at else ""


def lsoa(postcode: str) -> str:
    """The area (2011 or 2021, the same here) in which a postcode of the place lies, or empty."""
    areas: dict[str, list[str]] = definitions("place")["lsoas"]
    return next((area for area, postcodes in areas.items() if postcode in postcodes), "")
