"""What people's answers about two records come to: two for a merge, one against it is enough.

Each answers without seeing the others' answers. A merge opens one person's record to those who care for
another, so it needs two people; staying apart is the careful side, so it needs one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

Answer = Literal["same", "different", "cannot_tell"]
Verdict = Literal["open", "same", "apart", "disagreed", "unclear"]

ANSWERS: dict[Answer, str] = {"same": "the same person", "different": "different people", "cannot_tell": "cannot tell"}
STATES: dict[Verdict, str] = {
    "open": "waits for an answer",
    "same": "the same person: two people say so",
    "apart": "different people",
    "disagreed": "the answers differ: waits for one more",
    "unclear": "two people cannot tell: stays as it is",
}
# Those in which one more person is asked.
WAITING: frozenset[Verdict] = frozenset({"open", "disagreed"})


def verdict(answers: Mapping[str, Answer]) -> Verdict:
    """What the answers, by who gave them, come to; in whatever order they came.

    >>> verdict({"ann": "same"}), verdict({"ann": "same", "bob": "same"}), verdict({"ann": "different"})
    ('open', 'same', 'apart')
    """
    count = Counter(answers.values())
    same, different = count["same"], count["different"]
    if different > same:
        return "apart"
    if different:
        return "same" if same > different else "disagreed"
    if same >= 2:
        return "same"
    return "unclear" if count["cannot_tell"] >= 2 else "open"
