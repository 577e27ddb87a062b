"""Who asked whom for what, and whose turn it is.

Nothing is changed in place: what became of a referral is its steps, the last of which counts. Whom it waits
for is not kept: it is worked out when somebody asks (`owners`), so that it never waits for who has left. What
is about a person hangs on their founding source record, and so follows merges and splits.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from joinery.apps.base.triggers import AppendOnly, Captured, Derived
from joinery.apps.care.states import SENDERS_TURN


class Service(models.Model):
    """Something that the place offers to people, under one code for good; what it is, is its newest terms."""

    guard = AppendOnly()

    code = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.code


class ServiceTerms(models.Model):
    """What a service is from a day on, as somebody said: the newest row whose day has come counts.

    `organisation` runs it, or the body that took over from that one by now. `kind` is a code of the rules
    (`definitions/rules/referrals.toml`). `areas` are the codes of the bodies whose area it serves; none: everybody.
    A service that is not `open` takes no referrals; one that is `closed` has none either, and its go to `successor`.
    """

    guard = AppendOnly()

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", db_index=False)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    about = models.TextField(blank=True)
    areas = models.JSONField(default=list)
    open = models.BooleanField(default=True)
    closed = models.BooleanField(default=False)
    successor = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", null=True)
    from_date = models.DateField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["service", "-from_date", "-id"], name="terms_service_newest")]


class ServiceMember(models.Model):
    """A user works in a service, or manages it, from one day up to, not including, another.

    They do so for a post at `organisation`, which need not be the body that runs the service: a team may be of
    several. It counts only while they can log in and hold a post there, or at the body that took over from it.
    """

    guard = Captured()

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+")
    manages = models.BooleanField(default=False)
    from_date = models.DateField()
    to_date = models.DateField(null=True)
    given_by = models.CharField(max_length=100)


class Referral(models.Model):
    """Somebody asked a service to take a person on. What it says is never changed; `code` is opaque.

    `user` sent it, in a post at `organisation`, perhaps for a service of theirs; nobody when it came as a message
    from a system outside, under that system's own `outside_id`. `asked_at` is when help was first asked for: the
    wait is counted from there, through every service that it is passed on to. `follows` is the referral that a
    service declined, which this one stands for instead. `area` is the LSOA where the person lived then, if known.
    """

    guard = AppendOnly()

    code = models.CharField(max_length=32, unique=True)
    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+")
    from_service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", null=True)
    outside_id = models.CharField(max_length=200, null=True)  # of nulls there may be many
    urgency = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)
    words = models.TextField(blank=True)
    area = models.CharField(max_length=9, blank=True)
    follows = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True)
    asked_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # The same message twice is one referral.
            models.UniqueConstraint(fields=["organisation", "outside_id"], name="referral_outside"),
        ]


class ReferralStep(models.Model):
    """One step of a referral (`states.STEPS`): the state that it led to, at which service, and by when the next is due.

    `number` counts from 1: of two people who take the same step at once, one is refused and told. `user` is who of
    the service takes it on, where somebody was named. `codes` is the reason of a refusal, of an end.
    """

    guard = AppendOnly()

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.IntegerField()
    state = models.CharField(max_length=20)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    reason = models.CharField(max_length=40, blank=True)
    words = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=100)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["referral", "number"], name="step_referral_number")]


class OpenReferral(models.Model):
    """Where a referral stands that is not over: its last step, and what lists look by. Worked out from the steps."""

    guard = Derived()

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="+", primary_key=True)
    number = models.IntegerField()
    state = models.CharField(max_length=20)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    since_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        # Few wait for whoever asked, and every list looks for them.
        indexes: ClassVar = [
            models.Index(fields=["state"], name="openreferral_senders", condition=models.Q(state__in=SENDERS_TURN)),
        ]


class InvolvedBody(models.Model):
    """An organisation that is involved with a person because its people work in a service that was asked to help, or
    is to meet about them: as it is filed. Worked out from referrals, meetings and who works where."""

    guard = Derived()

    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+", db_index=False)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "organisation"], name="involved_record")]


class ReferralNote(models.Model):
    """A message of one `side` of a referral to the other, where it waits until it is seen."""

    guard = AppendOnly()

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=10)
    words = models.TextField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class NoteSeen(models.Model):
    """Somebody of the other side has seen a note; the first counts."""

    guard = AppendOnly()

    note = models.OneToOneField(ReferralNote, on_delete=models.PROTECT, related_name="+", primary_key=True)
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class UnseenNote(models.Model):
    """A note that nobody of the other side has seen yet: what lists look by. Worked out from notes and who saw them."""

    guard = Derived()

    note = models.OneToOneField(ReferralNote, on_delete=models.PROTECT, related_name="+", primary_key=True)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=10)


class TeamPart(models.Model):
    """Somebody's part in a person's care: their named `co_ordinator`, a `professional`, an unpaid `carer`, who holds a
    power of `attorney`. A user of the place, or somebody known by `name` alone.

    Of the co-ordinator it is an offer until they agree (`TeamPartStep`): whoever holds the threads goes on holding
    them until then.
    """

    guard = AppendOnly()

    class Part(models.TextChoices):
        CO_ORDINATOR = "co_ordinator", "Named co-ordinator"
        PROFESSIONAL = "professional", "Professional"
        CARER = "carer", "Unpaid carer"
        ATTORNEY = "attorney", "Attorney"

    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=20, choices=Part)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", null=True)
    name = models.CharField(max_length=200, blank=True)
    words = models.CharField(max_length=300, blank=True)
    from_date = models.DateField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class TeamPartStep(models.Model):
    """What became of a part: somebody `agreed` to take it on, said `no`, or it `ended`."""

    guard = AppendOnly()

    class Step(models.TextChoices):
        AGREED = "agreed", "Taken on"
        NO = "no", "Not taken on"
        ENDED = "ended", "Ended"

    part = models.ForeignKey(TeamPart, on_delete=models.PROTECT, related_name="+")
    step = models.CharField(max_length=10, choices=Step)
    words = models.TextField(blank=True)
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class Meeting(models.Model):
    """A meeting of a multidisciplinary team, which is a service like others, at a time."""

    guard = AppendOnly()

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    begins_at = models.DateTimeField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class MeetingPerson(models.Model):
    """A person is to be talked about at a meeting, and why."""

    guard = AppendOnly()

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="+")
    record = models.ForeignKey("record.SourceRecord", on_delete=models.PROTECT, related_name="+")
    words = models.TextField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class MeetingDecision(models.Model):
    """What a meeting decided about a person."""

    guard = AppendOnly()

    person = models.ForeignKey(MeetingPerson, on_delete=models.PROTECT, related_name="+")
    words = models.TextField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class MeetingAction(models.Model):
    """What a meeting asked of somebody of the team, by when. Without a `user`, or when they have left, the team."""

    guard = AppendOnly()

    person = models.ForeignKey(MeetingPerson, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    words = models.TextField()
    due_date = models.DateField()
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class MeetingActionDone(models.Model):
    """An action of a meeting was done, or given up, and what came of it."""

    guard = AppendOnly()

    action = models.OneToOneField(MeetingAction, on_delete=models.PROTECT, related_name="+", primary_key=True)
    words = models.TextField(blank=True)
    by = models.CharField(max_length=100)
    at = models.DateTimeField()


class Delivery(models.Model):
    """A step of a referral that went as a message to a body outside: the HTTP status of its answer (0: none came), and
    what it said. What was not taken for a reason that passes goes again."""

    guard = AppendOnly()

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.IntegerField()
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.IntegerField()
    words = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["referral", "number"], name="delivery_referral_number")]
