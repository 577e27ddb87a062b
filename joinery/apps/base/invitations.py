"""The codes of invitations: read aloud, typed in, and kept nowhere but as a keyed digest."""

from __future__ import annotations

import secrets

from django.utils.crypto import salted_hmac

# Letters and digits that are not mistaken for one another. Twelve of 29 are 58 bits: nobody guesses one in time.
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LETTERS = 12


def new_code() -> str:
    """A code that nobody has."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))


def code_digest(code: str) -> str:
    """What is kept of a code, however it was typed: the key is the deployment's own, outside the database."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("joinery.invitation", typed, algorithm="sha256").hexdigest()
