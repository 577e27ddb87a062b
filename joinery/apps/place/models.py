"""The directory: bodies, what has been said of them and when, and who works in them.

A body is only an identity: its code. All else is a dated statement, made by an edition. Nothing is
changed in place: of the statements with one key, that of the newest adopted edition counts. So the
directory answers both what was true on a day (the statement's dates) and what was known on a day
(the edition's adoption); and an edition that is not adopted is a draft, which can be looked through.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from joinery.apps.base.states import States
from joinery.apps.base.triggers import AppendOnly, Captured

DRAFT = "EXISTS (SELECT 1 FROM place_edition e WHERE e.id = OLD.edition_id AND e.sequence IS NULL)"

EDITION = States(
    of="edition",
    initial="draft",
    transitions={
        ("draft", "adopted"): "it counts from this moment on",
        ("draft", "dropped"): "it never counted, and never will",
    },
)


class Organisation(models.Model):
    """A body, past, present or proposed. Its code is never changed and never used again."""

    guard = Captured()

    code = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.code


class Edition(models.Model):
    """Statements that come to count together: a file, a definition, an act of a person, a proposal.

    `sequence` is null for a draft, and otherwise its place in the order of adoption.
    """

    guard = Captured(free_while="OLD.sequence IS NULL")

    class Kind(models.TextChoices):
        FILE = "file", "a file that was taken"
        ACT = "act", "a change made by a person"
        PROPOSAL = "proposal", "a proposed reorganisation"

    kind = models.CharField(max_length=10, choices=Kind)
    # Who says it: `ods`, `cqc`, `definition:icbs`, or `hand`. A source replaces only what it said itself.
    source = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    file_digest = models.CharField(max_length=64, blank=True)
    on_date = models.DateField(null=True)  # the day that a snapshot speaks of
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    adopted_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    sequence = models.IntegerField(null=True, unique=True)
    rows = models.IntegerField(default=0)
    taken = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    superseded = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)

    def state(self) -> str:
        """Its state in the table EDITION."""
        if self.sequence is not None:
            return "adopted"
        return "dropped" if self.dropped_at else "draft"


class Statement(models.Model):
    """One thing said of a body (see `kinds.KINDS`), true from one day up to, not including, another.

    The key is the body, kind, value, target and first day; a newer statement of the same key takes
    its place, to give another last day or detail, or to withdraw it.
    """

    guard = AppendOnly(DRAFT)

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=24)
    value = models.CharField(max_length=300, blank=True)
    target = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    from_date = models.DateField()
    to_date = models.DateField(null=True)
    withdrawn = models.BooleanField(default=False)
    certainty = models.CharField(max_length=10, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organisation", "kind", "value", "from_date", "target"], name="statement_key"),
            models.Index(
                fields=["target", "kind", "organisation"],
                name="statement_target",
                condition=models.Q(target__isnull=False),
            ),
            # Areas, other codes and premises are looked up by their value.
            # Not the empty value, which half of all share: PostgreSQL would look there for a newer statement.
            models.Index(fields=["value", "kind"], name="statement_value", condition=~models.Q(value="")),
            # A body is found by the start of its name, in capitals or not, and listed by name.
            models.Index(Lower("value"), "organisation", name="statement_name", condition=models.Q(kind="name")),
        ]


class Postcode(models.Model):
    """The LSOA in which a postcode lies, as the newest adopted edition says."""

    guard = AppendOnly(DRAFT)

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    postcode = models.CharField(max_length=8)  # without spaces
    lsoa = models.CharField(max_length=9, blank=True)
    from_date = models.DateField()
    to_date = models.DateField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["postcode"], name="postcode_postcode")]


class UnreadRow(models.Model):
    """A row of a directory file that could not be taken: as received, where it stood, and why."""

    guard = AppendOnly(DRAFT)

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="+")
    position = models.IntegerField()
    body = models.TextField()
    reasons = models.JSONField()


class Home(models.Model):
    """The body that this deployment serves; the newest row counts."""

    guard = AppendOnly()

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()


class Membership(models.Model):
    """A user's role in an organisation from one day up to, not including, another, and who gave it."""

    guard = Captured()

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=40)
    from_date = models.DateField()
    to_date = models.DateField(null=True)
    given_by = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "from_date"], name="membership_user_from")]


class AccessReview(models.Model):
    """Somebody looked again at whether a membership is still needed, and said to keep or to end it."""

    guard = AppendOnly()

    class Verdict(models.TextChoices):
        KEEP = "keep", "still needed"
        END = "end", "no longer needed"

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=4, choices=Verdict)
    by = models.CharField(max_length=60)
    at = models.DateTimeField()


class Passing(models.Model):
    """A person's decision on a membership whose body ended without one plain successor.

    `ended` is that body, `organisation` where the membership goes on. To end it, its `to_date` is set.
    """

    guard = AppendOnly()

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    ended = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    from_date = models.DateField()
    decided_by = models.CharField(max_length=60)
    at = models.DateTimeField()
