"""What is remembered of the cells of files is bounded."""

from __future__ import annotations

from joinery.apps.base.remember import MOST_CHARACTERS, remember


def test_a_short_text_is_worked_out_once_and_a_long_one_is_not_kept() -> None:
    worked_out: list[str] = []

    @remember(10)
    def length(text: str) -> int:
        worked_out.append(text)
        return len(text)

    short, long = "a" * MOST_CHARACTERS, "a" * (MOST_CHARACTERS + 1)
    assert [length(text) for text in (short, long, short, long)] == [60, 61, 60, 61]
    assert worked_out == [short, long, long]
