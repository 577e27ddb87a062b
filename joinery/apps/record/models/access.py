"""What is decided about who may see a person's record, and what of it.

All of it hangs on a source record: the one that founded the person. So it goes with that record when people
are joined and parted, and is never lost with an id. Nothing is changed in place.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from joinery.apps.base.triggers import AppendOnly


class Restriction(models.Model):
    """The person, or who answers for her privacy, keeps something back. It holds until a `RestrictionEnd`.

    `objection`: `organisation` is not to see her record; where that is null, nobody outside `writer`, to whom she
    said so. `sealed_name`: what carries one of `names` (as they are compared, each between spaces) shows no name,
    and is not found by it. `own_view`: the record, or one `item` of it, is kept from herself and who acts for her.
    """

    guard = AppendOnly()

    class Kind(models.TextChoices):
        OBJECTION = "objection", "Objection to sharing"
        SEALED_NAME = "sealed_name", "Sealed name"
        OWN_VIEW = "own_view", "Kept from her own view"

    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", null=True)
    writer = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", null=True)
    item = models.ForeignKey("record.Item", on_delete=models.PROTECT, related_name="+", null=True)
    names = models.TextField(blank=True)
    words = models.TextField()
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()


class RestrictionEnd(models.Model):
    """A restriction holds no longer: why, and who said so."""

    guard = AppendOnly()

    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="+")
    words = models.TextField()
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()


class Override(models.Model):
    """Somebody opened a record in an emergency, without a relationship or against an objection (broke the glass).

    `organisation` is the code of the post in which they did; it opens the record to this user up to `until_at`.
    """

    guard = AppendOnly()

    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+")
    user_id = models.BigIntegerField()
    role = models.CharField(max_length=40)
    organisation = models.CharField(max_length=20)
    reason = models.CharField(max_length=40)
    words = models.TextField()
    at = models.DateTimeField()
    until_at = models.DateTimeField()


class Grant(models.Model):
    """A withheld thing was opened to a user who asked for it, in a post at `organisation` (its code)."""

    guard = AppendOnly()

    item = models.ForeignKey("record.Item", on_delete=models.PROTECT, related_name="+")
    organisation = models.CharField(max_length=20)
    user_id = models.BigIntegerField()
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()
    until_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user_id", "until_at"], name="grant_user_until")]


class OwnAccess(models.Model):
    """A user may see a record that is their own, or that of somebody they act for.

    The newest row of a user and a record counts: one with a `to_date` ends what an earlier one gave.
    """

    guard = AppendOnly()

    class Kind(models.TextChoices):
        OWN = "own", "Their own record"
        CARER = "carer", "The record of somebody they act for"

    user_id = models.BigIntegerField()
    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=5, choices=Kind)
    from_date = models.DateField()
    to_date = models.DateField(null=True)
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user_id", "record", "-id"], name="ownaccess_user_newest")]


class OptOutCheck(models.Model):
    """A check against the national data opt-out: of the NHS numbers that were `asked`, those `allowed` may be used
    for planning and research. Both are numbers one a line, packed; `at` is the day of the check.
    """

    guard = AppendOnly()

    asked = models.BinaryField()
    allowed = models.BinaryField()
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()
