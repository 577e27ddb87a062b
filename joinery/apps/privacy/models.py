"""Looks at people's records that somebody must answer for, and the answers.

Whom a task waits for is not kept: it is whoever holds the role when somebody asks (`owners`).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from joinery.apps.base.triggers import AppendOnly


class PrivacyTask(models.Model):
    """Something about a look, or an entry that somebody may not read, that waits for an answer by `due_at`.

    `record` is the founding record of the person, whoever that is about by then; none when the task is about a
    user's whole day. `codes` are the reason of an override, or the patterns of an unusual look. `organisation`
    answers: where the look was made from or, for an entry, who wrote it; without one, the place does. In whose
    name the user acted is `about_organisation`, a code.
    """

    guard = AppendOnly()

    class Kind(models.TextChoices):
        OVERRIDE = "override", "A record was opened in an emergency"
        REPORTED_LOOK = "reported_look", "Somebody reported a look"
        ASK_TO_READ = "ask_to_read", "Somebody asks to read an entry"
        UNUSUAL_LOOK = "unusual_look", "A look is unusual"

    kind = models.CharField(max_length=20, choices=Kind)
    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+", null=True)
    item = models.ForeignKey("record.Item", on_delete=models.PROTECT, related_name="+", null=True)
    event = models.CharField(max_length=32, blank=True)  # of the access log
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", null=True)
    about_user_id = models.BigIntegerField(null=True)
    about_organisation = models.CharField(max_length=20, blank=True)
    looked_at = models.DateTimeField(null=True)
    codes = models.JSONField(default=list)
    words = models.TextField(blank=True)
    raised_by = models.CharField(max_length=100)
    at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["raised_by", "-id"], name="task_raised_by"),
            models.Index(fields=["about_user_id", "-id"], name="task_about_user"),
        ]


class PrivacyAnswer(models.Model):
    """What was found about a task, once; who raised it reads `words`."""

    guard = AppendOnly()

    class Verdict(models.TextChoices):
        IN_ORDER = "in_order", "There was good reason to look"
        WRONG = "wrong", "There was no good reason to look"
        GRANTED = "granted", "They may read the entry"
        REFUSED = "refused", "They may not read the entry"

    task = models.OneToOneField(PrivacyTask, on_delete=models.PROTECT, related_name="answer")
    verdict = models.CharField(max_length=10, choices=Verdict)
    words = models.TextField(blank=True)
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class LookCheck(models.Model):
    """The looks of one day were gone through for unusual ones."""

    guard = AppendOnly()

    day = models.DateField(unique=True)
    looks = models.IntegerField()
    tasks = models.IntegerField()
    at = models.DateTimeField()
