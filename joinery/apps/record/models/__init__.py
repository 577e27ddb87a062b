"""What was sent, about whom, and the lines that pages show.

Everything that a feed brings hangs on a submission, and counts only once that submission is published:
publishing is one row. Nothing is changed in place. The newest published row wins, whether it is a
version of an item, the details of a source record, or the link from a source record to a person.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from joinery.apps.base.states import States
from joinery.apps.base.triggers import AppendOnly, Captured, Derived
from joinery.apps.record.models.access import (
    Grant,
    OptOutCheck,
    Override,
    OwnAccess,
    Restriction,
    RestrictionEnd,
)

# Decisions about who may see what stand in a module of their own.
__all__ = ["Grant", "OptOutCheck", "Override", "OwnAccess", "Restriction", "RestrictionEnd"]

# A row of an unpublished submission is a draft: an intake that was killed is swept away by the next.
DRAFT = "EXISTS (SELECT 1 FROM record_submission s WHERE s.id = OLD.submission_id AND s.published_at IS NULL)"

# What a row of a file hangs on was written with it or before, and goes only after it (append-only; the sweep empties
# tables children first). The database does not look it up once more, which was an eighth of what storing took:
# `joinery audit verify` does.
_WRITTEN_BEFORE: Any = {"on_delete": models.PROTECT, "related_name": "+", "db_index": False, "db_constraint": False}


class Source(models.Model):
    """One feed of one organisation: the sender of submissions."""

    guard = Captured()

    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+")
    feed = models.CharField(max_length=20)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "feed"], name="source_organisation_feed")
        ]


SUBMISSION = States(
    of="submission",
    initial="staged",
    transitions={
        ("staged", "published"): "every row of the file is in",
        ("staged", "swept"): "its intake was killed or failed, and its drafts are deleted",
    },
)


class Submission(models.Model):
    """One file taken from a source. Facts read it once `published_at` is set, which happens once.

    Without a source it is no file: what was worked out of who is who, or decided by people.
    """

    guard = Captured(free_while="OLD.published_at IS NULL")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", null=True)
    part = models.CharField(max_length=40)
    file_name = models.CharField(max_length=255)
    file_digest = models.CharField(max_length=64)
    header = models.TextField(blank=True)
    received_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    rows = models.IntegerField(default=0)
    taken = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    superseded = models.IntegerField(default=0)
    quarantined = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["source", "part", "-published_at"], name="submission_source_newest"),
            models.Index(fields=["file_digest"], name="submission_digest"),
            # A listener publishes one each second: when a source last sent must not cost a walk over all.
            models.Index(fields=["source", "-received_at"], name="submission_source_received"),
        ]


class Person(models.Model):
    """A person: an opaque id and nothing else. Who they are is what linked source records say."""

    guard = AppendOnly("NOT EXISTS (SELECT 1 FROM record_link k WHERE k.person_id = OLD.id)")

    id = models.CharField(primary_key=True, max_length=32)


class SourceRecord(models.Model):
    """A person as one source knows them, under the source's own id."""

    guard = AppendOnly()

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    local_id = models.CharField(max_length=255)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "local_id"], name="record_source_local_id")]


class Details(models.Model):
    """What a source says of a person: names, dates, address. The newest published row counts."""

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    nhs_number = models.CharField(max_length=10, blank=True)
    nhs_number_status = models.CharField(max_length=2, blank=True)
    family_name = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=40, blank=True)
    preferred_name = models.CharField(max_length=200, blank=True)
    family_key = models.CharField(max_length=200, blank=True)
    given_key = models.CharField(max_length=200, blank=True)
    birth_date = models.DateField(null=True)
    death_date = models.DateField(null=True)
    dead = models.BooleanField(default=False)
    gender = models.CharField(max_length=20, blank=True)
    address = models.JSONField(default=list)
    restricted = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["record", "-id"], name="details_record_newest"),
            models.Index(fields=["nhs_number"], name="details_nhs_number", condition=~models.Q(nhs_number="")),
            models.Index(fields=["family_key", "given_key"], name="details_names"),
            models.Index(fields=["birth_date"], name="details_birth_date"),
        ]


class Link(models.Model):
    """An event: from here on this source record is about this person. The newest published counts."""

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=40)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["record", "-id"], name="link_record_newest")]


class Relationship(models.Model):
    """Why an organisation may see a person: dated, and tied to the source record that shows it. Worked out from what
    the source says of care; of a record and an organisation the newest published row counts.
    """

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=40)
    from_date = models.DateField()
    to_date = models.DateField(null=True)


class RelationshipPassing(models.Model):
    """Where a relationship goes on whose body ended without one plain successor.

    `ended` is that body, `organisation` the one that took over, or null when the relationship ended with
    the body; `basis` is `area` (the part of it in which the person lives) or `decision`.
    """

    guard = AppendOnly()

    relationship = models.ForeignKey(Relationship, on_delete=models.PROTECT, related_name="+", db_index=False)
    ended = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", db_index=False)
    organisation = models.ForeignKey("place.Organisation", on_delete=models.PROTECT, related_name="+", null=True)
    from_date = models.DateField()
    basis = models.CharField(max_length=10)
    decided_by = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["relationship", "ended"], name="passing_relationship_ended")
        ]


class Item(models.Model):
    """A thing that a source sends versions of: a FHIR resource, or a row of an extract."""

    guard = AppendOnly()

    source = models.ForeignKey(Source, **_WRITTEN_BEFORE)
    key = models.CharField(max_length=300)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "key"], name="item_source_key")]


class Care(models.Model):
    """What an item says of its sender's care for a person, and of that of a `provider` (its code) on its behalf: see
    `calc/involvement.py`. The newest published row of an item counts."""

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, **_WRITTEN_BEFORE | {"db_index": True})
    item = models.ForeignKey(Item, **_WRITTEN_BEFORE)
    submission = models.ForeignKey(Submission, **_WRITTEN_BEFORE)
    says = models.CharField(max_length=10, blank=True)
    from_date = models.DateField(null=True)
    to_date = models.DateField(null=True)
    provider = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["item", "-id"], name="care_item_newest")]


class ItemVersion(models.Model):
    """One version of an item: the bytes as received. `late` marks one that was out of date already."""

    guard = AppendOnly(DRAFT)

    item = models.ForeignKey(Item, **_WRITTEN_BEFORE)
    submission = models.ForeignKey(Submission, **_WRITTEN_BEFORE)
    number = models.IntegerField()
    # The source's own count of versions, where it keeps one.
    version = models.BigIntegerField(null=True)
    stated_at = models.DateTimeField(null=True)
    digest = models.BinaryField(max_length=16)
    late = models.BooleanField(default=False)
    body = models.BinaryField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["item", "-id"], name="version_item_newest")]


class IndexRow(models.Model):
    """A value by which a version can be found: an identifier, a code, the visit it belongs to."""

    guard = Derived()

    pk = models.CompositePrimaryKey("name", "value", "version")
    name = models.CharField(max_length=12)
    value = models.CharField(max_length=400)
    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="+", db_index=False)


class Entry(models.Model):
    """One line of a person's timeline, read from one version. A version that says nothing any more
    (an error, a deletion) leaves a line without a `kind`, which hides the lines before it.

    Only what pages look by is indexed: each index more is paid for with every row of an intake.
    """

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, **_WRITTEN_BEFORE)
    item = models.ForeignKey(Item, **_WRITTEN_BEFORE)
    version = models.ForeignKey(ItemVersion, **_WRITTEN_BEFORE)
    submission = models.ForeignKey(Submission, **_WRITTEN_BEFORE)
    at = models.DateTimeField()
    precision = models.CharField(max_length=6)  # minute, day, month, year; none when no date was given
    until_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=300, blank=True)
    detail = models.TextField(blank=True)
    # Where it stands at the top of a person's page, and what it says there: see `banners`.
    banner = models.CharField(max_length=12, blank=True)
    # What kind of thing this is, where not everybody may read it (`calc/access.py`); empty when ordinary.
    sensitivity = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["record", "-at", "-id"], name="entry_record_newest"),
            models.Index(fields=["item", "-id"], name="entry_item_newest"),
            models.Index(fields=["record"], name="entry_record_banner", condition=~models.Q(banner="")),
        ]


class Visit(models.Model):
    """A hospital visit, as one source numbers it. What became of it is its newest published state."""

    guard = AppendOnly()

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=300)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "key"], name="visit_source_key")]


class Message(models.Model):
    """One ADT message as a fact: `said` is `calc.adt.Fact` as JSON, its bytes are those of the version.

    The record is that of the number the message carries; merges are looked up, never written into it.
    """

    guard = AppendOnly(DRAFT)

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+", db_index=False)
    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+", null=True)
    said = models.TextField()


class VisitState(models.Model):
    """What a visit has come to, over all its messages: `state` and `notes` as in `calc.adt.Visit`, and
    where the patient lies. The newest published row counts. Only open visits are looked for.
    """

    guard = AppendOnly(DRAFT)

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="+", db_index=False)
    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10)
    patient_class = models.CharField(max_length=200, blank=True)
    site = models.CharField(max_length=200, blank=True)
    ward = models.CharField(max_length=200, blank=True)
    bed = models.CharField(max_length=200, blank=True)
    since_at = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    expected_at = models.DateTimeField(null=True)
    discharged_at = models.DateTimeField(null=True)
    notes = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["visit", "-id"], name="visitstate_visit_newest"),
            models.Index(fields=["state"], name="visitstate_open", condition=models.Q(state__in=["open", "on_leave"])),
        ]


class RecordMerge(models.Model):
    """A source says that two of its numbers are one person: from `at` on, `losing` is about whom
    `surviving` is about. Without a surviving record it takes earlier merges of `losing` back.

    `order` decides between merges of one moment (`calc.adt.Merge`).
    """

    guard = AppendOnly(DRAFT)

    losing = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+")
    surviving = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", null=True)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    order = models.CharField(max_length=300)


class Quarantined(models.Model):
    """A row that could not be taken: its bytes as received, where it stood, and every reason.

    `local_id` is the person it seems to be about; empty when that cannot be told, so perhaps anybody.
    """

    guard = AppendOnly(DRAFT)

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    position = models.IntegerField()
    key = models.CharField(max_length=300, blank=True)
    local_id = models.CharField(max_length=255, blank=True)
    digest = models.BinaryField(max_length=16)
    body = models.BinaryField()
    reasons = models.JSONField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["local_id"], name="quarantined_local_id"),
            # The same bytes every night wait once.
            models.Index(fields=["digest"], name="quarantined_digest"),
        ]


class Correction(models.Model):
    """What somebody did about a quarantined row: sent it again corrected, as a submission of its own, or
    set it aside for a reason."""

    guard = AppendOnly()

    quarantined = models.OneToOneField(Quarantined, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+", null=True)
    reason = models.CharField(max_length=300, blank=True)
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()


class Quality(models.Model):
    """How many rows of a submission broke one rule in one column; taken all the same, or quarantined."""

    guard = AppendOnly(DRAFT)

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+")
    column = models.CharField(max_length=120)
    rule = models.CharField(max_length=60)
    rows = models.IntegerField()
    quarantined = models.BooleanField()


class FeedVariant(models.Model):
    """How a sender's files of one feed differ, as a place has said it: TOML, read as what ships is read.
    The newest counts."""

    guard = AppendOnly()

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    digest = models.CharField(max_length=64)
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()


class ReturnRow(models.Model):
    """A row of a return: for measures and never for a person's page. The newest published row of a key counts.

    `key` is a digest of the columns that tell one event from another, `subject` a pseudonym of a person
    or the code of a body, `digest` of all that the row says. No person is made from it.
    """

    guard = AppendOnly(DRAFT)

    source = models.ForeignKey(Source, **_WRITTEN_BEFORE)
    submission = models.ForeignKey(Submission, **_WRITTEN_BEFORE)
    key = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=16)
    stated_at = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)
    kind = models.CharField(max_length=60, blank=True)
    subject = models.CharField(max_length=40, blank=True)
    from_date = models.DateField(null=True)
    to_date = models.DateField(null=True)
    body = models.BinaryField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["source", "key", "-id"], name="returnrow_key_newest")]


class LinkModel(models.Model):
    """A model by which a place links records, trained on its own: the text of its file. The newest counts;
    before the first it is the one that ships."""

    guard = AppendOnly()

    name = models.CharField(max_length=60, unique=True)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    made_by = models.CharField(max_length=60)
    at = models.DateTimeField()


class MatchDetails(models.Model):
    """Details as they are compared: what `calc.linkage.fields` makes of them, as a JSON list in its order."""

    guard = Derived()

    details = models.OneToOneField(
        Details, on_delete=models.PROTECT, related_name="+", primary_key=True, db_constraint=False
    )
    record = models.ForeignKey(
        SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    # Of what makes fields and keys: rows of another version are made again by `joinery migrate`.
    version = models.SmallIntegerField()
    fields = models.TextField()


class MatchKey(models.Model):
    """One thing that details must share with others to be compared with them, as a number."""

    guard = Derived()

    pk = models.CompositePrimaryKey("key", "details")
    key = models.BigIntegerField()
    details = models.ForeignKey(
        Details, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )


class MatchEvent(models.Model):
    """What is held of two source records from here on: that they are about one person, that they are
    not, or nothing. The newest published event of a pair and a channel counts (`calc.linkage.identity`).

    `record` is the lower id of the two. `levels` says how far each comparison of the model agreed;
    `bits` is its match weight. `made_by` is the user who decided, or the part of the system.
    """

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    other = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.CharField(max_length=10)
    verdict = models.CharField(max_length=10)
    bits = models.FloatField(null=True)
    model = models.CharField(max_length=60, blank=True)
    levels = models.CharField(max_length=60, blank=True)
    made_by = models.CharField(max_length=60)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["record", "other", "channel", "-id"], name="matchevent_pair_newest"),
            models.Index(fields=["other"], name="matchevent_other"),
        ]


class ReviewItem(models.Model):
    """A pair of records that waits for people to say whether it is one person, or waits no longer
    (an empty `why`). The newest published row of a pair counts."""

    guard = AppendOnly(DRAFT)

    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    other = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="+", db_index=False)
    why = models.CharField(max_length=20, blank=True)
    bits = models.FloatField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["record", "other", "-id"], name="reviewitem_pair_newest"),
            models.Index(fields=["other"], name="reviewitem_other"),
        ]


class Review(models.Model):
    """One person's answer about a pair of records: the same person, different people, or cannot tell.

    `blind` when they had seen neither the score nor another's answer.
    """

    guard = AppendOnly()

    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    other = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="+", db_index=False)
    answer = models.CharField(max_length=12)
    blind = models.BooleanField()
    note = models.CharField(max_length=300, blank=True)
    user_id = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["record", "other", "-id"], name="review_pair_newest")]
