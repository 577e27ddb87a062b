"""Rules of referrals that cannot be right stop the start, and say what is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib.resources import files

import pytest

from joinery.apps.care.rules import NAME, after, climbs_at, due_at, read_rules, rules_on

TEXT = files("joinery.definitions").joinpath(NAME).read_text("utf-8")
THURSDAY = datetime(2026, 12, 24, 15, tzinfo=UTC)  # before Christmas


def test_the_rules_that_ship_are_read() -> None:
    assert rules_on(date(1999, 1, 1)) == rules_on(date(2020, 1, 1)) == read_rules(TEXT)[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('sent = "15 minutes"', 'sent = "soon"', "two_hours: soon is no limit"),
        ('sent = "15 minutes"', 'sent = "0 minutes"', "is no limit"),
        ('sent = "15 minutes"', "", "missing required field `sent`"),
        ('co_ordinator_after = "2 hours"', 'co_ordinator_after = "2 fortnights"', "today: 2 fortnights"),
        ("[rules.reasons.ended]", "[rules.reasons.accepted]", "reasons for declined, ended, withdrawn"),
        ("monday = [09:00:00, 17:00:00]", "monday = [17:00:00, 09:00:00]", "work ends after it begins"),
        ("valid_from = 2020-01-01", "valid_from = 2020-01-01\nvalid_to = 2021-01-01", "unknown field `valid_to`"),
        ("\n[[rules]]\n", "\n[[rules\n", NAME),
    ],
)
def test_rules_that_cannot_be_right_are_refused(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=r"referrals.toml") as caught:
        read_rules(TEXT.replace(old, new, 1))
    assert said in str(caught.value)


def test_two_rules_of_one_day_are_refused() -> None:
    with pytest.raises(ValueError, match="a day of its own"):
        read_rules(TEXT + TEXT[TEXT.index("\n[[rules]]\n") :])


def test_a_limit_over_christmas_counts_no_bank_holiday_and_a_clock_goes_on() -> None:
    assert after(THURSDAY, "1 working day") == datetime(2026, 12, 29, 15, tzinfo=UTC)
    assert after(THURSDAY, "4 working hours") == datetime(2026, 12, 29, 11, tzinfo=UTC)
    assert due_at("two_hours", "accepted", THURSDAY) == datetime(2026, 12, 24, 16, 30, tzinfo=UTC)
    assert due_at("two_hours", "ended", THURSDAY) is None
    assert climbs_at("an urgency of long ago", THURSDAY) == THURSDAY
    with pytest.raises(ValueError, match="no limit"):
        after(THURSDAY, "soon")
