"""The way into base: users, and the sealing of the logs."""

from __future__ import annotations

from datetime import datetime

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.models import User


@action("add_user")
def add_user(*, email: str, name: str, password: str | None, actor: Actor, at: datetime) -> int:
    """Add someone who can sign in; returns the user's id. Without a password they cannot yet."""
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise Refused("email_taken", f"Someone already signs in as {email}.")
    user = User(email=email, name=name.strip(), created_at=at)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save()
    return user.pk
