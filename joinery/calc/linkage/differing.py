"""Where two texts differ, for somebody who compares them by eye."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from operator import itemgetter

# A word, or what stands between two.
_WORDS = re.compile(r"\w+|\W+")


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a text, and whether it stands so in the other text too."""

    text: str
    differs: bool


def differing(left: str, right: str, by_words: bool = False) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Both texts in parts that differ and parts that do not, letter by letter or word by word.

    Put together, the parts of a side are its text. Capital and small letters are no difference.

    >>> differing("Smith", "Smyth")[0]
    (Part(text='Sm', differs=False), Part(text='i', differs=True), Part(text='th', differs=False))
    """
    a, b = (_WORDS.findall(text) if by_words else list(text) for text in (left, right))
    same = SequenceMatcher(None, [x.casefold() for x in a], [x.casefold() for x in b], autojunk=False)
    blocks = same.get_matching_blocks()
    return _parts(a, [(m.a, m.size) for m in blocks]), _parts(b, [(m.b, m.size) for m in blocks])


def differing_digits(left: str, right: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """As `differing`, place by place: of a number it matters which digit is another.

    >>> differing_digits("4714", "4174")[0]
    (Part(text='4', differs=False), Part(text='71', differs=True), Part(text='4', differs=False))
    """
    differs = [x != y for x, y in zip_longest(left, right)]
    return _runs(left, differs), _runs(right, differs)


def _runs(text: str, differs: Sequence[bool]) -> tuple[Part, ...]:
    runs = groupby(zip(text, differs, strict=False), key=itemgetter(1))
    return tuple(Part("".join(each for each, _ in run), is_other) for is_other, run in runs)


def _parts(pieces: Sequence[str], blocks: list[tuple[int, int]]) -> tuple[Part, ...]:
    found, done = [], 0
    for start, size in blocks:
        if start > done:
            found.append(Part("".join(pieces[done:start]), True))
        if size:
            found.append(Part("".join(pieces[start : start + size]), False))
        done = start + size
    return tuple(found)
