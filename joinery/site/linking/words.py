"""Words of pairs that wait, and what forms about them hold."""

from __future__ import annotations

import re

from django.core.exceptions import BadRequest

from joinery.site.context import Request

# Why a pair waits, in a few words for a list.
WHYS = {
    "grey": "Alike, but not enough to be sure",
    "numbers_conflict": "Alike, with different NHS numbers",
    "contradiction": "The same NHS number, and nothing else agrees",
    "too_many": "One person would have too many records",
    "torn": "Fits two people equally well",
}
MOST_NOTE_CHARACTERS = 300
# How `join_people` writes who made a decision.
_TOGETHER = re.compile(r"users (\d+) and (\d+)")


def note_of(request: Request) -> str:
    """The note typed in a form, as long as it may be."""
    return request.POST.get("note", "").replace("\0", "").strip()[:MOST_NOTE_CHARACTERS]


def makers_of(made_by: str) -> list[str]:
    """The actors of a decision, each as `actor_names` takes them: two users may have made one together.

    >>> makers_of("users 3 and 5"), makers_of("user:4")
    (['user:3', 'user:5'], ['user:4'])
    """
    together = _TOGETHER.fullmatch(made_by)
    return [f"user:{user}" for user in together.groups()] if together else [made_by]


def number(request: Request, name: str) -> int:
    """A record's number out of a form. Raises BadRequest."""
    text = request.POST.get(name, "")
    if not is_number(text):
        raise BadRequest(name)
    return int(text)


def is_number(text: str) -> bool:
    """Whether a text is a whole number that a database can hold.

    >>> is_number("7"), is_number("9" * 19), is_number("²")
    (True, False, False)
    """
    return text.isascii() and text.isdecimal() and len(text) < 19
