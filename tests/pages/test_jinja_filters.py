"""The words that pages use for dates, times, ages and NHS numbers."""

from datetime import UTC, date, datetime, timedelta, timezone

import jinja2
import pytest

from joinery.site.jinja import ago, clock, environment, longdate, machine, moment, nhsnumber, partdate, stated

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


def test_an_nhs_number_is_spaced_and_stays_on_one_line():
    assert nhsnumber("9990001111") == '<span class="app-nowrap">999&nbsp;000&nbsp;1111</span>'


def test_an_nhs_number_is_escaped():
    assert "<b>" not in nhsnumber("<b>0001111")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (date(2026, 3, 3), "3 March 2026"),
        (date(1941, 12, 25), "25 December 1941"),
        (datetime(2026, 6, 30, 23, 30, tzinfo=UTC), "1 July 2026"),  # past midnight in summer time
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "31 December 2026"),
    ],
)
def test_dates_are_written_in_full(value, words):
    assert longdate(value) == words


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [
        (14, 30, "2:30pm"),
        (9, 0, "9am"),
        (9, 5, "9:05am"),
        (12, 0, "midday"),
        (12, 1, "12:01pm"),
        (0, 0, "midnight"),
        (0, 5, "12:05am"),
        (23, 59, "11:59pm"),
    ],
)
def test_times_follow_the_content_style_guide(hour, minute, words):
    assert clock(datetime(2026, 1, 5, hour, minute, tzinfo=UTC)) == words


def test_times_are_those_of_the_place_whatever_the_zone_they_came_in():
    india = timezone(timedelta(hours=5, minutes=30))
    assert clock(datetime(2026, 7, 1, 11, 30, tzinfo=UTC)) == "12:30pm"
    assert moment(datetime(2026, 3, 3, 20, 0, tzinfo=india)) == "3 March 2026, 2:30pm"


@pytest.mark.parametrize(
    ("precision", "words", "with_time", "iso"),
    [
        ("minute", "3 March 2026", "3 March 2026, 2:30pm", "2026-03-03T14:30+00:00"),
        ("day", "3 March 2026", "3 March 2026", "2026-03-03"),
        ("month", "March 2026", "March 2026", "2026-03"),
        ("year", "2026", "2026", "2026"),
    ],
)
def test_a_date_is_shown_only_as_far_as_it_is_known(precision, words, with_time, iso):
    at = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
    assert partdate(at, precision) == words
    assert stated(at, precision) == with_time
    assert machine(at, precision) == iso


def test_a_date_that_was_not_given_is_not_made_up():
    assert partdate(NOW, "none") == stated(NOW, "none") == "Date not given"


def test_machine_times_are_local():
    assert machine(datetime(2026, 7, 1, 11, 30, tzinfo=UTC)) == "2026-07-01T12:30+01:00"


@pytest.mark.parametrize("show", [longdate, clock, moment, machine])
def test_a_naive_datetime_is_refused(show):
    with pytest.raises(ValueError, match="aware"):
        show(datetime(2026, 3, 3, 14, 30))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (NOW, "just now"),
        (NOW - timedelta(seconds=59), "just now"),
        (NOW + timedelta(seconds=30), "just now"),
        (NOW + timedelta(hours=1), "at a time still to come"),
        (NOW - timedelta(minutes=1), "1 minute ago"),
        (NOW - timedelta(minutes=4), "4 minutes ago"),
        (NOW - timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (NOW - timedelta(hours=1), "1 hour ago"),
        (NOW - timedelta(hours=3), "3 hours ago"),
        (datetime(2026, 11, 21, 0, 5, tzinfo=UTC), "14 hours ago"),
        (datetime(2026, 11, 20, 23, 55, tzinfo=UTC), "yesterday"),
        (datetime(2026, 11, 20, 0, 0, tzinfo=UTC), "yesterday"),
        (datetime(2026, 11, 19, 23, 59, tzinfo=UTC), "2 days ago"),
        (datetime(2026, 11, 9, 9, 0, tzinfo=UTC), "12 days ago"),
        (datetime(2026, 9, 22, 9, 0, tzinfo=UTC), "60 days ago"),
        (datetime(2026, 9, 21, 9, 0, tzinfo=UTC), "2 months ago"),
        (datetime(2024, 11, 22, 9, 0, tzinfo=UTC), "23 months ago"),
        (datetime(2024, 11, 21, 9, 0, tzinfo=UTC), "2 years ago"),
        (datetime(2023, 11, 20, 9, 0, tzinfo=UTC), "3 years ago"),
    ],
)
def test_ages_in_words(then, words):
    assert ago(then, NOW) == words


def test_just_after_midnight_the_evening_before_is_still_hours_ago():
    now = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
    assert ago(now - timedelta(hours=2), now) == "2 hours ago"


def test_age_reads_now_from_the_page():
    template = environment().from_string("{{ then | age }}")
    assert template.render(then=NOW - timedelta(hours=3), now=NOW) == "3 hours ago"


def test_our_templates_are_strict_and_the_design_system_is_not():
    env = environment()
    with pytest.raises(jinja2.UndefinedError):
        env.from_string("{{ allergis }}").render()
    button = env.from_string(
        '{% from "nhsuk/components/button/macro.jinja" import button %}{{ button({"text": label}) }}'
    ).render(label="Find <b>")
    assert "nhsuk-button" in button
    assert "Find &lt;b&gt;" in button
