"""Where two texts differ: nothing is lost, and only what is the same is called the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from joinery.calc.linkage.differing import differing, differing_digits

TEXT = st.text("ab ,1", max_size=12)


def said(parts: tuple[object, ...], differs: bool | None = None) -> str:
    return "".join(p.text for p in parts if differs is None or p.differs is differs)  # type: ignore[attr-defined]


@given(TEXT, TEXT, st.booleans())
def test_the_parts_of_a_side_are_its_text_and_what_does_not_differ_is_in_both(a: str, b: str, by_words: bool) -> None:
    left, right = differing(a, b, by_words)
    assert (said(left), said(right)) == (a, b)
    assert said(left, False) == said(right, False)
    assert (a == b) == (not said(left, True) and not said(right, True))


@given(st.text("0123", min_size=4, max_size=4), st.text("0123", min_size=4, max_size=4))
def test_digits_are_compared_place_by_place(a: str, b: str) -> None:
    left, right = differing_digits(a, b)
    assert (said(left), said(right)) == (a, b)
    assert len(said(left, True)) == len(said(right, True)) == sum(x != y for x, y in zip(a, b, strict=True))


def test_capital_letters_are_no_difference_and_words_stay_whole() -> None:
    assert not any(part.differs for part in differing("SMITH", "Smith")[0])
    assert [part.text for part in differing("3 March 1941", "3 May 1941", by_words=True)[0] if part.differs] == [
        "March"
    ]
