"""NHS numbers, periods and ages, as tables."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joinery.calc.units import Period, age_years, parse_nhs_number

# By the check digit: weights 10 to 2, modulus 11.
VALID = ["9434765919", "4010232137", "9990123136", "9912003888"]
INVALID = {
    "check digit is wrong": "1234567890",
    "UK Core's own example": "9912003890",
    "nine digits": "943476591",
    "eleven digits": "94347659190",
    "a letter": "943476591X",
    "digits of another script": "٩٤٣٤٧٦٥٩١٩",
    "empty": "",
    "nothing but spaces": "   ",
    "a Scottish number of someone born in month 90": "0169068501",
    "a remainder that has no check digit": "1000000060",
}
# They pass mod-11 and belong to nobody.
DUMMIES = ["0000000000", "9999999999", "1111111111", "0123456789"]


def passes_mod_11(digits: str) -> bool:
    remainder = sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return (11 - remainder) % 11 == int(digits[9])


@pytest.mark.parametrize("number", VALID)
def test_a_valid_number_is_ten_digits_however_it_is_spaced(number: str) -> None:
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    for text in (number, spaced, spaced.replace(" ", "-"), spaced.replace(" ", "\u00a0"), f" {number} "):
        assert parse_nhs_number(text) == number


@pytest.mark.parametrize("why", INVALID)
def test_what_is_no_number_is_refused(why: str) -> None:
    assert parse_nhs_number(INVALID[why]) is None


@pytest.mark.parametrize("dummy", DUMMIES)
def test_a_dummy_that_passes_the_check_is_refused(dummy: str) -> None:
    assert passes_mod_11(dummy)
    assert parse_nhs_number(dummy) is None


@given(st.integers(0, 10**10 - 1).map(lambda n: f"{n:010}"))
def test_the_check_digit_is_the_one_of_the_rule(digits: str) -> None:
    if parse_nhs_number(digits):
        assert passes_mod_11(digits)
    elif passes_mod_11(digits) and digits[0] > "3":  # below, a Scottish number must start with a day of birth
        assert digits in DUMMIES or len(set(digits)) == 1 or digits == "9876543210"


@given(st.sampled_from(VALID), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, position: int, change: int) -> None:
    wrong = (int(number[position]) + change) % 10
    assert parse_nhs_number(f"{number[:position]}{wrong}{number[position + 1 :]}") is None


@pytest.mark.parametrize(
    ("start", "end", "day", "inside"),
    [
        ("2026-04-01", "2026-04-03", "2026-03-31", False),
        ("2026-04-01", "2026-04-03", "2026-04-01", True),
        ("2026-04-01", "2026-04-03", "2026-04-02", True),
        ("2026-04-01", "2026-04-03", "2026-04-03", False),
        ("2026-04-01", "2026-04-01", "2026-04-01", False),
        ("2026-04-01", None, "2099-01-01", True),
    ],
)
def test_a_period_holds_its_first_day_and_not_its_end(start: str, end: str | None, day: str, inside: bool) -> None:
    period = Period(date.fromisoformat(start), date.fromisoformat(end) if end else None)
    assert period.holds(date.fromisoformat(day)) is inside


def test_a_period_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        Period(date(2026, 4, 2), date(2026, 4, 1))


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("1941-03-03", "2026-03-02", 84),
        ("1941-03-03", "2026-03-03", 85),
        ("2024-02-29", "2025-02-28", 0),
        ("2024-02-29", "2025-03-01", 1),
        ("2026-03-31", "2026-03-31", 0),
    ],
)
def test_age_goes_up_on_the_birthday(born: str, on: str, years: int) -> None:
    assert age_years(date.fromisoformat(born), date.fromisoformat(on)) == years
