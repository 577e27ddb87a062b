"""Users, what they were told by email, and the three logs: who saw whom, what was done, which rows changed."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from joinery.apps.base.triggers import AppendOnly, Captured


class UserManager(BaseUserManager["User"]):
    """Creates users for the actions of this app; Django's own commands for users are not offered."""


class User(AbstractBaseUser):
    """Someone who signs in, by email address or by a login name. What they may do comes from memberships
    (place), not from here.
    """

    guard = Captured(leave_out=("password", "last_login", "home_postcode"))

    email = models.EmailField(unique=True, null=True)
    login_name = models.CharField(max_length=40, unique=True, null=True)  # of who has no email address
    name = models.CharField(max_length=200)
    home_postcode = models.CharField(max_length=8, blank=True)  # without spaces; only to notice looks at neighbours
    takes_notices = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """A code, printed once, with which a user chooses how to sign in. It serves once, up to `expires_at`, which
    is brought forward when a newer one is made. The code itself is kept nowhere.
    """

    guard = Captured(leave_out=("digest",))

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Identity(models.Model):
    """Whom another identity provider knows as this subject: one of our users."""

    guard = Captured()

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_issuer_subject"),
        ]


class AccountEvent(models.Model):
    """Something that happened to how a user logs in, for them to see; `user_id` is none where nobody logs in with what
    was typed. That it happened is evidence too, by the entry of the action that writes it.
    """

    guard = AppendOnly()

    at = models.DateTimeField()
    user_id = models.BigIntegerField(null=True)
    what = models.CharField(max_length=20)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user_id", "-id"], name="account_event_newest")]


class Notice(models.Model):
    """An email to a user that something waits, without a word of what. Kept before it goes, as `sent`, so that nobody
    is told twice: the mail server may have `refused` the address for good, may take it `later`, or have `failed`.
    """

    guard = Captured()

    class Outcome(models.TextChoices):
        SENT = "sent", "Taken by the mail server"
        REFUSED = "refused", "Refused by the mail server"
        LATER = "later", "Not taken now by the mail server"
        FAILED = "failed", "The mail server was not to be had"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.SENT)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="notice_at")]


class Access(models.Model):
    """One person appearing before one viewer. Rows of one event share `event`; a search that finds
    nobody leaves one row without a person. A feature, not only evidence: people may ask who looked.
    """

    guard = AppendOnly()

    event = models.CharField(max_length=32)
    at = models.DateTimeField()
    user_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    role = models.CharField(max_length=40)
    organisation = models.CharField(max_length=20)
    purpose = models.CharField(max_length=40)
    what = models.CharField(max_length=40)
    person_id = models.CharField(max_length=32, null=True)
    allowed = models.BooleanField()
    reason = models.CharField(max_length=40)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["person_id", "-at", "-id"], name="access_person_newest")]


class ActionEntry(models.Model):
    """One outermost action: what was asked, by whom, and whether it was done or refused."""

    guard = AppendOnly()

    at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    action = models.CharField(max_length=100)
    targets = models.JSONField()
    outcome = models.CharField(max_length=10)
    reason = models.CharField(max_length=60, blank=True)


class Capture(models.Model):
    """One change of one row, written by a database trigger, so that raw SQL is seen too."""

    guard = AppendOnly()

    table = models.CharField(max_length=63)
    operation = models.CharField(max_length=6)
    row = models.CharField(max_length=64)
    old = models.TextField(null=True)
    new = models.TextField(null=True)
    at = models.CharField(max_length=40)


class SealedBlock(models.Model):
    """A sealed run of log rows: a keyed digest of each row, chained to the block before.

    The block covers the ids from `first_id` to `last_id` except `missing` (runs of ids, each as its first
    and last: a transaction that had not committed yet, or never did), and also `late`: ids that an
    earlier block had missed.
    `digests` holds 16 bytes a row, in the order late, then ascending id.
    """

    guard = AppendOnly()

    at = models.DateTimeField()
    table = models.CharField(max_length=63)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    missing = models.JSONField()
    late = models.JSONField()
    digests = models.BinaryField()
    head = models.CharField(max_length=64)
