"""Statements as the database gets them: with its own marks in place of Django's, whatever else they hold."""

from __future__ import annotations

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("times", [1, 2], ids=["new", "remembered"])
def test_marks_are_filled_in_and_other_percent_signs_stay(times: int) -> None:
    with connection.cursor() as cursor:
        for number in range(times):
            cursor.execute("SELECT %s + 0, '%%s', '100 %%', 'a' LIKE '%%' || %s", [number, "a"])
            assert [str(value) for value in cursor.fetchone()[:3]] == [str(number), "%s", "100 %"]
            cursor.execute("SELECT %(one)s + 0, %(two)s + 0", {"one": number, "two": 7})
            assert cursor.fetchone() == (number, 7)


def test_a_statement_without_values_is_taken_as_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '%s', '%%'")
        assert cursor.fetchone() == ("%s", "%%")
