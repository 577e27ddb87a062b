"""Email addresses, which may be typed by anybody and end up in the head of a message."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def is_address(text: str) -> bool:
    """Whether a text is one email address, and nothing besides.

    >>> [is_address(text) for text in ("ann@place.example", "ann@place.example\\nBcc: bo@place.example", "a, b@c.org")]
    [True, False, False]
    """
    try:
        validate_email(text)
    except ValidationError:
        return False
    return text.isascii()
