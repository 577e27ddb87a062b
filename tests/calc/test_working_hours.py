"""Working time: what is added can be counted again, whatever the hours, the day of the year and the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from joinery.calc.working_hours import (
    LONDON,
    Week,
    WorkingTime,
    bank_holidays,
    read_holidays,
    working_days_after,
)

OFFICE = (((time(9), time(17)),) * 5) + (None, None)
ROUND_THE_CLOCK = ((time(), time()),) * 7
# Both days on which clocks change, and days around them.
CHANGES = (date(2026, 3, 29), date(2026, 10, 25))


@st.composite
def hours(draw: st.DrawFn) -> tuple[time, time] | None:
    if draw(st.booleans()):
        return None
    start, end = sorted(draw(st.lists(st.integers(0, 95), min_size=2, max_size=2, unique=True)))
    to = time() if end == 95 else time(end // 4, end % 4 * 15)
    return time(start // 4, start % 4 * 15), to


@st.composite
def weeks(draw: st.DrawFn) -> WorkingTime:
    days = [tuple(draw(hours()) for _ in range(7)) for _ in range(draw(st.integers(1, 2)))]
    assume(all(any(week) for week in days))
    made = [Week(date(2026, 1, 1) + timedelta(days=100 * n), week) for n, week in enumerate(days)]
    free = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=5))
    return WorkingTime(tuple(made), free)


moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 (Hypothesis adds the zone)
    st.sampled_from(CHANGES).flatmap(
        lambda day: st.integers(-48, 72).map(lambda n: datetime.combine(day, time(), UTC) + n * timedelta(minutes=20))
    ),
)
spans = st.integers(0, 6_000).map(lambda minutes: timedelta(minutes=minutes))


@given(weeks(), moments, spans)
def test_what_is_added_is_counted_again(times: WorkingTime, at: datetime, work: timedelta) -> None:
    assert times.between(at, times.after(at, work)) == work


@given(weeks(), moments, spans)
def test_it_ends_within_working_hours_and_not_before_it_began(
    times: WorkingTime, at: datetime, work: timedelta
) -> None:
    end = times.after(at, work)
    assert end >= at
    open_then = [times.on(end.astimezone(LONDON).date() - n * timedelta(days=1)) for n in (0, 1)]
    assert any(hours and hours[0] <= end <= hours[1] for hours in open_then)


@given(weeks(), moments, moments, spans, spans)
def test_later_and_more_never_end_earlier(
    times: WorkingTime, one: datetime, other: datetime, work: timedelta, more: timedelta
) -> None:
    first, last = sorted([one, other])
    assert times.after(first, work) <= times.after(last, work)
    assert times.after(one, work) <= times.after(one, work + more)
    assert times.between(first, last) <= last - first
    assert times.between(last, first) == timedelta()


@given(weeks(), moments, spans, spans)
def test_two_spans_are_as_long_as_both_together(
    times: WorkingTime, at: datetime, work: timedelta, more: timedelta
) -> None:
    assert times.after(times.after(at, work), more) == times.after(at, work + more)


@given(moments, spans)
def test_round_the_clock_is_plain_time_though_clocks_change(at: datetime, work: timedelta) -> None:
    assert WorkingTime((Week(date(2020, 1, 1), ROUND_THE_CLOCK),)).after(at, work) == at + work


@pytest.mark.parametrize(("day", "hours"), [(CHANGES[0], 23), (CHANGES[1], 25), (date(2026, 6, 1), 24)])
def test_the_day_of_a_clock_change_is_shorter_or_longer(day: date, hours: int) -> None:
    begins, ends = WorkingTime((Week(date(2020, 1, 1), ROUND_THE_CLOCK),)).on(day) or (None, None)
    assert ends - begins == timedelta(hours=hours)


def test_nine_stays_nine_when_clocks_change() -> None:
    office = WorkingTime((Week(date(2020, 1, 1), OFFICE),))
    for friday, offset in ((date(2026, 3, 27), 1), (date(2026, 10, 23), 0)):
        closing = datetime.combine(friday, time(17), LONDON)
        monday = office.after(closing, timedelta(hours=1))
        assert monday.astimezone(LONDON) == datetime.combine(friday + timedelta(days=3), time(10), LONDON)
        assert monday.astimezone(LONDON).utcoffset() == timedelta(hours=offset)


def test_other_hours_count_from_their_day_on() -> None:
    early = ((time(7), time(15)),) * 5 + (None, None)
    times = WorkingTime((Week(date(2026, 11, 9), early), Week(date(2020, 1, 1), OFFICE)))
    friday = datetime(2026, 11, 6, 16, tzinfo=UTC)
    assert times.after(friday, timedelta(hours=2)) == datetime(2026, 11, 9, 8, tzinfo=UTC)


@pytest.mark.parametrize("days", [(None,) * 7, OFFICE[:5], ((time(9), time(8)), *OFFICE[1:])])
def test_hours_that_make_no_week_are_refused(days: tuple[tuple[time, time] | None, ...]) -> None:
    with pytest.raises(ValueError, match="week|ends after"):
        Week(date(2020, 1, 1), days)


def test_time_cannot_be_taken_away_and_is_not_looked_for_for_ever() -> None:
    office = WorkingTime((Week(date(2020, 1, 1), OFFICE),))
    at = datetime(2026, 11, 3, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="not taken away"):
        office.after(at, timedelta(minutes=-1))
    with pytest.raises(ValueError, match="ten years"):
        office.after(at, timedelta(days=10_000))


# Working days and bank holidays


@given(st.datetimes(datetime(2020, 1, 1), datetime(2028, 6, 1), timezones=st.just(UTC)), st.integers(0, 15))  # noqa: DTZ001
def test_working_days_are_counted_one_by_one(at: datetime, days: int) -> None:
    due = working_days_after(at, days)
    start, end = at.astimezone(LONDON), due.astimezone(LONDON)
    between = [date.fromordinal(n) for n in range(start.toordinal() + 1, end.toordinal() + 1)]
    assert sum(day.weekday() < 5 and day not in bank_holidays() for day in between) == days
    assert not days or (end.weekday() < 5 and end.date() not in bank_holidays())
    assert end.time() == start.time()


def easter(year: int) -> date:
    """Easter Sunday (the algorithm of J.-M. Oudin, as in the Explanatory Supplement to the Astronomical Almanac)."""
    golden, century = year % 19, year // 100
    h = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    i = h - h // 28 * (1 - 29 // (h + 1) * ((21 - golden) // 11))
    ends = (year + year // 4 + i + 2 - century + century // 4) % 7
    month = 3 + (i - ends + 40) // 44
    return date(year, month, i - ends + 28 - 31 * (month // 4))


def by_statute(year: int) -> set[date]:
    """The bank holidays of a year by the Act, with substitutes for those on a weekend."""
    good_friday = easter(year) - timedelta(days=2)
    may, spring, august = (date(year, month, 1) for month in (5, 6, 9))
    days = {good_friday, good_friday + timedelta(days=3), may + timedelta(days=-may.weekday() % 7)}
    days |= {first - timedelta(days=(first - timedelta(days=1)).weekday() + 1) for first in (spring, august)}
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while fixed.weekday() >= 5 or fixed in days:
            fixed += timedelta(days=1)
        days.add(fixed)
    return days


# What was proclaimed: days that were added, and those that they took the place of.
ADDED = {
    2020: {date(2020, 5, 8)}, 2022: {date(2022, 6, 2), date(2022, 6, 3), date(2022, 9, 19)}, 2023: {date(2023, 5, 8)},
}  # fmt: skip
MOVED = {2020: {date(2020, 5, 4)}, 2022: {date(2022, 5, 30)}}


@pytest.mark.parametrize("year", range(2020, 2029))
def test_bank_holidays_are_those_of_the_act_and_of_proclamations(year: int) -> None:
    held = {day for day in bank_holidays() if day.year == year}
    assert held == (by_statute(year) - MOVED.get(year, set())) | ADDED.get(year, set())


@pytest.mark.parametrize(
    "text",
    [
        "years = 1",
        "[years]\n2026 = [2025-01-01]",
        "[years]\n2026 = [2026-05-04, 2026-01-01]",
        "[years]\n2026 = [2026-01-01, 2026-01-01]",
        "[years]\n2026 = ['today']",
        "[years]\n[more]",
        "[years",
    ],
)
def test_a_file_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bank_holidays.toml"):
        read_holidays(text)
