"""The organisations of the place, and who works in which of them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from joinery.apps.base.triggers import Captured


class Organisation(models.Model):
    """A body that holds records or employs people. Its code (ODS, CASSR or CQC) is never reused."""

    guard = Captured()

    class Sector(models.TextChoices):
        HEALTH = "health", "Health"
        SOCIAL_CARE = "social_care", "Social care"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    sector = models.CharField(max_length=20, choices=Sector)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in an organisation from one day up to, not including, another."""

    guard = Captured()

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=40)
    from_date = models.DateField()
    to_date = models.DateField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "from_date"], name="membership_user_from")]
