"""Series of figures by organisation that somebody uploaded, before any feed computes them.

A point says what an organisation's figure was in one period. Nothing is changed in place: of the points
of one series, organisation and period, that of the newest published upload counts.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from joinery.apps.base.states import States
from joinery.apps.base.triggers import AppendOnly, Captured
from joinery.calc.series import STEPS

DRAFT = "EXISTS (SELECT 1 FROM measures_upload u WHERE u.id = OLD.upload_id AND u.published_at IS NULL)"

UPLOAD = States(
    of="upload",
    initial="staged",
    transitions={
        ("staged", "published"): "every row of the file is in",
        ("staged", "swept"): "it was killed or refused, and its drafts are deleted",
    },
)


class Series(models.Model):
    """One measure over time: its name, unit and kind, and how long its periods are. A draft until it has points."""

    guard = AppendOnly("NOT EXISTS (SELECT 1 FROM measures_point p WHERE p.series_id = OLD.id)")

    class Kind(models.TextChoices):
        COUNT = "count", "a count: figures of two organisations can be added up"
        RATIO = "ratio", "a ratio of two counts, which can each be added up"
        LEVEL = "level", "another figure, such as a percentage or a median: it cannot be added up"

    name = models.CharField(max_length=120, unique=True)
    unit = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    step = models.CharField(max_length=20, choices=[(step, step) for step in STEPS])

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """One file of figures. Facts read its points once `published_at` is set, which happens once."""

    guard = Captured(free_while="OLD.published_at IS NULL")

    file_name = models.CharField(max_length=255)
    # Of the file and of how its columns were read, so that a wrong reading can be mended.
    digest = models.CharField(max_length=64)
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    rows = models.IntegerField(default=0)
    taken = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    superseded = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)


class Point(models.Model):
    """The figure of an organisation in the period that begins on `from_date`; a ratio has a denominator."""

    guard = AppendOnly(DRAFT)

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+", db_index=False)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+")
    from_date = models.DateField()
    numerator = models.FloatField()
    denominator = models.FloatField(null=True)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "organisation", "from_date", "upload"], name="point_key")
        ]


class UnreadFigure(models.Model):
    """A row of an upload that could not be taken: as received, where it stood, and why."""

    guard = AppendOnly(DRAFT)

    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+")
    position = models.IntegerField()
    body = models.TextField()
    reasons = models.JSONField()
