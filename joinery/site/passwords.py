"""No password holds what anybody would try first: the name of the service, of the user, of where they work."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from joinery.apps.place.facts import organisation_names, standing

SERVICE = ("joinery",)
# Shorter words stand within too many others.
FEWEST_LETTERS = 4
_LETTERS = re.compile(r"[^\W\d_]+")


class WordsOfOnesOwn:
    """Refuses a password that holds such a word, however it is written."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError, naming the word."""
        typed = password.casefold()
        for word in words_of(user):
            if word in typed:
                raise ValidationError(f"Leave out {word}, which somebody who knows you would try.", code="own_word")

    def get_help_text(self) -> str:
        """What a password may not hold."""
        return "No name of yours, of where you work, or of this service."


def words_of(user: Any) -> list[str]:
    """The words of the service, of the place, and of a user: of their name, login and organisations."""
    texts = [settings.PLACE_NAME]
    if user is not None and user.pk:
        login = (user.email or user.login_name or "").partition("@")[0]
        today = timezone.localdate()
        bodies = {post.organisation for post in standing(user.pk, today).posts}
        texts += [user.name, login, *organisation_names(bodies, today).values()]
    said = {word for text in texts for word in _LETTERS.findall(text.casefold()) if len(word) >= FEWEST_LETTERS}
    return sorted({*SERVICE, *said})
