"""The arrivals of a place file, as a table of rates by day and band."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from joinery.calc.twin.network import Arrivals, PlaceError
from joinery.calc.twin.place_file.keys import ArrivalsTable, Season
from joinery.calc.twin.place_file.lines import Key
from joinery.calc.twin.place_file.reader import Reader

COLUMNS = ("date", "band", "multiplier")
YEAR_DAYS = 365.25
# In 28 years every date meets every weekday, so a table of them repeats without a seam (until 2100).
CALENDAR_DAYS = 28 * 1461 // 4
# 52 weeks: the longest tail of a file by date that repeats with the right weekdays.
TAIL_DAYS = 364


def read_arrivals(reader: Reader, name: str) -> Arrivals:
    """One stream. Raises PlaceError."""
    key = ("arrivals", name)
    said = reader.document.table(key, ArrivalsTable)
    to = reader.station(said.to, (*key, "to"))
    if not isinstance(said.rate_per_day, tuple) and len(reader.bands) > 1:
        raise reader.wrong((*key, "rate_per_day"), f"a number for each of the {len(reader.bands)} bands is needed")
    rates = np.array(reader.by_band((*key, "rate_per_day"), said.rate_per_day))
    start = reader.about.start_date
    factors = _file_factors(reader, key, said.season_file) if said.season_file else np.ones((1, len(rates)))
    days = len(factors)
    if not said.season_file:
        calendar = said.season is not None or said.growth_per_year != 0
        days = CALENDAR_DAYS if calendar else 7 if len(set(said.weekday)) > 1 else 1
    week = np.roll(np.array(said.weekday), -start.weekday())
    table = rates * factors * np.resize(week, days)[:, None]
    if said.season:
        table *= _wave(said.season, start, days)[:, None]
    table *= (1 + said.growth_per_year) ** (np.arange(days) / YEAR_DAYS)[:, None]
    return Arrivals(name, to, tuple(map(tuple, table.tolist())), _repeat(days, said))


def _repeat(days: int, said: ArrivalsTable) -> int:
    """How many rows at the end go on for ever: whole weeks, and where it grows or goes by date the last year."""
    if said.growth_per_year or said.season_file:
        return TAIL_DAYS if days >= TAIL_DAYS else 7 if days >= 7 else 1
    return days


def _wave(season: Season, start: date, days: int) -> np.ndarray:
    """The factor of each day, taken at noon."""
    dates = [start + timedelta(day) for day in range(days)]
    of_year = np.array([each.timetuple().tm_yday - 1 for each in dates])
    wave: np.ndarray = 1 + season.swing * np.cos(2 * np.pi * (of_year + 0.5 - season.peak_day) / YEAR_DAYS)
    return wave


def _file_factors(reader: Reader, key: Key, name: str) -> np.ndarray:
    """The factors of a file: a row for each day from the start on, without a gap."""
    start, bands = reader.about.start_date, reader.bands
    said: dict[tuple[int, str], float] = {}
    for where, row in reader.document.rows(name, (*key, "season_file"), COLUMNS):
        try:
            day = (date.fromisoformat(row["date"]) - start).days
            factor = float(row["multiplier"])
        except ValueError:
            raise PlaceError(
                f"{where}: a date such as 2026-04-01, and a number as the multiplier, are needed"
            ) from None
        if not 0 <= factor <= 1_000:
            raise PlaceError(f"{where}: a multiplier is a number from 0 to 1,000, not {factor}")
        if row["band"] and row["band"] not in bands:
            raise PlaceError(f"{where}: there is no band {row['band']}. There are {', '.join(bands)}")
        for band in [row["band"]] if row["band"] else bands:
            if (day, band) in said:
                raise PlaceError(f"{where}: {row['date']} stands there twice for {band}")
            said[day, band] = factor
    days = max((day for day, _ in said), default=-1) + 1
    if missing := _first_missing(said, days, bands):
        raise PlaceError(f"{name}: there is no multiplier for {start + timedelta(missing[0])}, {missing[1]}")
    if not days:
        raise PlaceError(f"{name}: there is no day from the start on, {start}")
    return np.array([[said[day, band] for band in bands] for day in range(days)])


def _first_missing(said: dict[tuple[int, str], float], days: int, bands: Sequence[str]) -> tuple[int, str] | None:
    return next(((day, band) for day in range(days) for band in bands if (day, band) not in said), None)
