"""The way into base: users, their invitations, and what they are told by email."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import count
from unicodedata import normalize

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.addresses import is_address
from joinery.apps.base.facts import ACCOUNT_EVENTS
from joinery.apps.base.invitations import code_digest, new_code
from joinery.apps.base.models import AccountEvent, Identity, Invitation, Notice, User
from joinery.apps.base.staff_rules import rules_on

MOST_NAME, MOST_EMAIL, MOST_POSTCODE = 200, 254, 8
NO_INVITATION = "This code is not known, was used already, or serves no more. Ask whoever gave it to you for a new one."


@action("add_user")
def add_user(
    *, email: str, name: str, password: str | None, home_postcode: str = "", actor: Actor, at: datetime
) -> int:
    """Add someone who can sign in; returns the user's id. Without a password they cannot yet.

    Who has no email address (an empty one) is given a login name, made of the name.
    """
    email, home_postcode = email.strip().lower(), "".join(home_postcode.upper().split())
    if len(email) > MOST_EMAIL:
        raise Refused("email_long", f"An email address has {MOST_EMAIL} characters at most.")
    if len(home_postcode) > MOST_POSTCODE:
        raise Refused("postcode", "Enter a postcode, like ZZ1 1AB.")
    if email and not is_address(email):
        raise Refused("email", "Enter an email address, like name@example.org, or leave it empty.")
    if email and User.objects.filter(email=email).exists():
        raise Refused("email_taken", f"Someone already signs in as {email}.")
    user = User(
        email=email or None, login_name=None if email else _free_login_name(name), name=name.strip()[:MOST_NAME],
        home_postcode=home_postcode, created_at=at,
    )  # fmt: skip
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save()
    return user.pk


def _free_login_name(name: str) -> str:
    """A login name that nobody has: `ann.hill`, or `ann.hill2` where there is one."""
    latin = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = ".".join(re.findall(r"[a-z0-9]+", latin))[:30].rstrip(".") or "user"
    taken = set(User.objects.filter(login_name__startswith=stem).values_list("login_name", flat=True))
    return next(f"{stem}{n if n > 1 else ''}" for n in count(1) if f"{stem}{n if n > 1 else ''}" not in taken)


@action("invite", targets=("user_id",))
def invite(*, user_id: int, actor: Actor, at: datetime) -> str:
    """Make a code with which a user chooses how to sign in; returns it, and it is kept nowhere.

    An earlier one serves no more. Somebody whose account was ended has one again from then on.
    """
    if not User.objects.filter(pk=user_id).update(is_active=True):
        raise Refused("user", "There is no such user.")
    _withdraw(user_id, at)
    code = new_code()
    days = rules_on(at.date()).invitation_days
    Invitation.objects.create(
        user_id=user_id, digest=code_digest(code), made_by=actor.name, at=at, expires_at=at + timedelta(days=days)
    )
    return code


@action("accept_invitation", targets=("invitation_id",))
def accept_invitation(*, invitation_id: int, password: str | None, actor: Actor, at: datetime) -> int:
    """Use an invitation up, and sign in with this password from now on; returns the user's id.

    Without a password (None) an identity elsewhere is what signs the user in.
    """
    open_ones = Invitation.objects.filter(pk=invitation_id, used_at=None, expires_at__gt=at)
    if not open_ones.update(used_at=at):
        raise Refused("invitation", NO_INVITATION)
    user: User = User.objects.get(pk=Invitation.objects.values_list("user_id", flat=True).get(pk=invitation_id))
    if password is None:
        user.set_unusable_password()
    else:
        try:
            validate_password(password, user)
        except ValidationError as weak:
            raise Refused("password", " ".join(weak.messages)) from None
        user.set_password(password)
    user.save(update_fields=["password"])
    return user.pk


@action("end_user", targets=("user_id",))
def end_user(*, user_id: int, actor: Actor, at: datetime) -> None:
    """Cut somebody off at once. An account that is not active answers to no session, and its sessions hang on
    the password, so none of them comes back when the account does."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise Refused("user", "There is no such user.")
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    _withdraw(user_id, at)


def _withdraw(user_id: int, at: datetime) -> None:
    Invitation.objects.filter(user_id=user_id, used_at=None, expires_at__gt=at).update(expires_at=at)


@action("note_account_event", targets=("user_id", "what"))
def note_account_event(*, user_id: int | None, what: str, actor: Actor, at: datetime) -> None:
    """Keep that somebody logged in or out, was refused, or changed how they log in."""
    if what not in ACCOUNT_EVENTS:
        raise Refused("what", "Nothing of this name happens to an account.")
    AccountEvent.objects.create(at=at, user_id=user_id, what=what)


@action("bind_identity", targets=("user_id",))
def bind_identity(*, user_id: int, issuer: str, subject: str, actor: Actor, at: datetime) -> None:
    """Let whom an identity provider knows as this subject log in as a user, from now on."""
    bound, _ = Identity.objects.get_or_create(
        issuer=issuer, subject=subject, defaults={"user_id": user_id, "at": at}
    )  # fmt: skip
    if bound.user_id != user_id:
        raise Refused("identity_taken", "This identity belongs to another account here already.")


@action("choose_notices", targets=("user_id", "wanted"))
def choose_notices(*, user_id: int, wanted: bool, actor: Actor, at: datetime) -> None:
    """Say whether a user is told by email that something waits."""
    if not User.objects.filter(pk=user_id).update(takes_notices=wanted):
        raise Refused("user", "There is no such user.")


@action("keep_notice", targets=("user_id",))
def keep_notice(*, user_id: int, actor: Actor, at: datetime) -> int:
    """Keep, before it goes, that a notice goes to a user; returns its id. Refused for who does not take any, or has no
    address that is one."""
    user = User.objects.filter(pk=user_id, is_active=True, takes_notices=True).first()
    if user is None or not is_address(user.email or ""):
        raise Refused("address", "This user takes no notices, or has no email address.")
    return Notice.objects.create(user=user, at=at).pk


@action("note_notice", targets=("notice_id", "outcome"))
def note_notice(*, notice_id: int, outcome: str, actor: Actor, at: datetime) -> None:
    """Keep that a notice did not go, and whether another may."""
    if outcome not in Notice.Outcome.values or not Notice.objects.filter(pk=notice_id).update(outcome=outcome):
        raise Refused("outcome", "There is no such notice, or nothing of this name becomes of one.")
