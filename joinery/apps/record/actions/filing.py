"""Filing what an app here wrote about a person, as FHIR: with versions, a line and what it says of care, as if sent.

The thing itself is the app's. Its source is the organisation that wrote it, under a feed of which nobody sends files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from joinery.apps.base.action import Actor, action
from joinery.apps.base.columns import insert_rows, marks, reserve_ids, select, stored
from joinery.apps.record.actions.caring import relate, stage_care
from joinery.apps.record.actions.staging import Stage, insert_lines
from joinery.apps.record.care import after
from joinery.apps.record.fhir.lines import row_of
from joinery.apps.record.fhir.validate import validate
from joinery.apps.record.models import IndexRow, Item, ItemVersion, Source, Submission
from joinery.apps.record.rows import CareRow, Row
from joinery.apps.record.sql import FILED_ABOUT
from joinery.calc.involvement import NOTHING, OVER, Said, Span
from joinery.definitions import OWN_FEED

PART = "filed"


@dataclass(frozen=True, slots=True)
class Filing:
    """A resource about the person of a record as its app rendered it, with an id of the app's own.

    `says` what it says of care (`calc/involvement.py`): that it goes on, or is over by now, for whoever wrote it and
    for its `provider` (a code). `line` is False where the person's timeline says it already: it came from outside.
    """

    record_id: int
    body: bytes
    says: str = NOTHING
    provider: str = ""
    line: bool = True


@action("record.file_resources", targets=("organisation_id",))
def file_resources(*, organisation_id: int, filings: Sequence[Filing], actor: Actor, at: datetime) -> None:
    """File resources about people, each as a new version, written at an organisation.

    They count with the caller's transaction. Raises ValueError when one is not valid FHIR R4: its app is wrong then.
    """
    rows = [_row(filing, position) for position, filing in enumerate(filings, start=1)]
    source, _ = Source.objects.get_or_create(organisation_id=organisation_id, feed=OWN_FEED)
    # The lock under which numbers are given lasts until the end: two people cannot both say of one person's care
    # what the other's word makes wrong. So it is asked for also where the items are there already.
    new_items = reserve_ids(Item, len(rows))
    submission = Submission.objects.create(
        source=source, part=PART, file_name="", file_digest="", received_at=at, published_at=at, rows=len(rows),
        taken=len(rows),
    )  # fmt: skip
    items = _items(source.pk, [row.key for row in rows], new_items)
    versions = list(reserve_ids(ItemVersion, len(rows)))
    filed = list(zip(filings, rows, versions, strict=True))
    _insert_versions(submission.pk, filed, items, at)
    lines = [
        (filing.record_id, items[row.key][0], version, row.entry)
        for filing, row, version in filed
        if filing.line and row.entry is not None
    ]
    insert_lines(Stage(submission.pk, source.pk, at, repeat=False), lines)
    heard = [(items[row.key][0], filing.record_id, _care(filing, at)) for filing, row, _ in filed]
    stage_care(submission.pk, at.date(), heard, [item for item, number in items.values() if number])
    for keeper, records in _kept_by({filing.record_id for filing in filings}).items():
        relate(submission.pk, keeper, at.date(), records)


def _kept_by(record_ids: Collection[int]) -> dict[int, list[int]]:
    """These records by the source that keeps them."""
    rows = select(
        f"SELECT source_id, id FROM record_sourcerecord WHERE id IN ({marks(list(record_ids))})", [*record_ids]
    )
    return {keeper: [record for _, record in those] for keeper, those in groupby(sorted(rows), key=itemgetter(0))}


def _care(filing: Filing, at: datetime) -> CareRow:
    days = Span(None, after(at)) if filing.says == OVER else Span()
    return CareRow(Said(filing.says, days), filing.provider)


def _row(filing: Filing, position: int) -> Row:
    resource, issues = validate(filing.body)
    if resource is None or issues:
        raise ValueError(f"not valid FHIR R4: {'; '.join(f'{i.path}: {i.message}' for i in issues)}")
    if not resource.get("id"):
        raise ValueError("a resource that is filed needs an id")
    return row_of(resource, filing.body, position, full_url="", names={})


def _items(source_id: int, keys: list[str], new: Sequence[int]) -> dict[str, tuple[int, int]]:
    """The items with these keys, the missing ones made: each id, and how many versions it has."""
    sql = (
        "SELECT i.key, i.id, MAX(v.number) FROM record_item i JOIN record_itemversion v ON v.item_id = i.id "
        f"WHERE i.source_id = %s AND i.key IN ({marks(keys)}) GROUP BY i.key, i.id"
    )
    found = {key: (item, number) for key, item, number in select(sql, [source_id, *keys])}
    made = {key: (item, 0) for key, item in zip(keys, new, strict=True) if key not in found}
    insert_rows(Item, ("id", "source_id", "key"), [(item, source_id, key) for key, (item, _) in made.items()])
    return found | made


def _insert_versions(
    submission_id: int, filed: list[tuple[Filing, Row, int]], items: dict[str, tuple[int, int]], at: datetime
) -> None:
    insert_rows(
        ItemVersion,
        ("id", "item_id", "submission_id", "number", "version", "stated_at", "digest", "late", "body"),
        [
            (version, items[row.key][0], submission_id, items[row.key][1] + 1, None, stored(at))
            + (hashlib.blake2b(row.body, digest_size=16).digest(), False, row.body)
            for _, row, version in filed
        ],
    )
    insert_rows(
        IndexRow,
        ("name", "value", "version_id"),
        sorted(
            (name, value, version)
            for filing, row, version in filed
            for name, value in (*row.index, (FILED_ABOUT, str(filing.record_id)))
        ),
    )
