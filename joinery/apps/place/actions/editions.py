"""Editions: drafts are written, then adopted by one row, or dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from joinery.apps.base.action import Actor, Refused, action
from joinery.apps.base.columns import insert_rows, select
from joinery.apps.place.models import EDITION, Edition, Statement
from joinery.apps.place.sql import AsAt, as_stored, statements

HAND = "hand"
_COLUMNS = (
    "edition_id", "organisation_id", "kind", "value", "target_id",
    "from_date", "to_date", "withdrawn", "certainty", "detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A statement to write, by ids; its key is the first five."""

    organisation_id: int
    kind: str
    value: str
    target_id: int | None
    from_date: date
    to_date: date | None = None
    certainty: str = ""
    detail: str = "{}"  # JSON, keys in order
    withdrawn: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """What a newer statement must share to take its place."""
        return (self.organisation_id, self.kind, self.value, self.target_id, self.from_date)


def as_json(detail: Any) -> str:
    """Detail as it is stored and compared."""
    return orjson.dumps(dict(detail), option=orjson.OPT_SORT_KEYS).decode()


def open_edition(*, kind: str, source: str, title: str, actor: Actor, at: datetime, **more: Any) -> Edition:
    """A draft edition, of which nothing counts yet."""
    return Edition.objects.create(
        kind=kind, source=source[:60], title=title[:200], made_by=actor.name, made_at=at, **more
    )


def write(edition_id: int, entries: Iterable[Entry]) -> None:
    """Add statements to a draft; of two with one key, the later replaces the earlier."""
    last = {entry.key: entry for entry in entries}
    mine = Statement.objects.filter(edition_id=edition_id)
    if mine.exists():
        bodies = sorted({entry.organisation_id for entry in last.values()})
        for part in (bodies[i : i + 500] for i in range(0, len(bodies), 500)):
            about = mine.filter(organisation_id__in=part)
            rows = about.values_list("pk", "organisation_id", "kind", "value", "target_id", "from_date")
            again = [pk for pk, *key in rows if tuple(key) in last]
            for some in (again[i : i + 500] for i in range(0, len(again), 500)):
                mine.filter(pk__in=some).delete()
    insert_rows(
        Statement,
        _COLUMNS,
        [
            (
                edition_id, e.organisation_id, e.kind, e.value[:300], e.target_id,
                as_stored(e.from_date), as_stored(e.to_date), e.withdrawn, e.certainty, e.detail,
            )
            for e in last.values()
        ],
    )  # fmt: skip


def adopt(edition: Edition, at: datetime) -> None:
    """Make a draft count, by one row: the last to be adopted is the newest."""
    EDITION.move(edition.state(), "adopted")
    if connection.vendor == "postgresql":
        select("SELECT pg_advisory_xact_lock(hashtext('adopt an edition'))")
    (row,) = select("SELECT COALESCE(MAX(sequence), 0) + 1 FROM place_edition")
    edition.sequence, edition.adopted_at = row[0], at
    edition.save(update_fields=["sequence", "adopted_at", "rows", "taken", "unchanged", "superseded", "quarantined"])


@action("place.propose")
def propose(*, title: str, actor: Actor, at: datetime) -> int:
    """Begin a proposed reorganisation, held beside the present; returns the edition's id."""
    if not title.strip():
        raise Refused("title", "Give the proposal a title, so that others know which it is.")
    edition = open_edition(kind=Edition.Kind.PROPOSAL, source=HAND, title=title.strip(), actor=actor, at=at)
    return edition.pk


@action("place.adopt_proposal", targets=("edition_id",))
def adopt_proposal(*, edition_id: int, actor: Actor, at: datetime) -> None:
    """Make a proposal count from now on. Its changes still happen on the days that they name."""
    edition = draft(edition_id)
    if not Statement.objects.filter(edition=edition).exists():
        raise Refused("empty", "This proposal changes nothing yet. Add a change, or drop it.")
    if overtaken := _overtaken(edition):
        raise Refused(
            "overtaken", f"{overtaken} has changed since this was proposed. Drop this proposal and make it anew."
        )
    adopt(edition, at)


@action("place.drop_proposal", targets=("edition_id",))
def drop_proposal(*, edition_id: int, actor: Actor, at: datetime) -> None:
    """Set a proposal aside for good. It stays readable as what was once proposed."""
    edition = draft(edition_id)
    EDITION.move(edition.state(), "dropped")
    edition.dropped_at = at
    edition.save(update_fields=["dropped_at"])


def _overtaken(edition: Edition) -> str | None:
    """The code of a body of which something that the proposal ends has ended in the meantime."""
    live = statements(AsAt(date.max), on="s.organisation_id = d.organisation_id")
    sql = (
        f"SELECT o.code FROM place_statement d JOIN {live} "
        "AND s.kind = d.kind AND s.value = d.value AND s.from_date = d.from_date "
        "AND COALESCE(s.target_id, 0) = COALESCE(d.target_id, 0) JOIN place_organisation o ON o.id = d.organisation_id "
        # A body ends once; anything else may have been going to end later.
        "WHERE d.edition_id = %s AND d.to_date IS NOT NULL AND (s.to_date <= d.to_date "
        "OR (s.kind = 'open' AND s.to_date IS NOT NULL)) ORDER BY o.code LIMIT 1"
    )
    return next((row[0] for row in select(sql, [edition.pk])), None)


def draft(edition_id: int) -> Edition:
    """The proposal with this id, while it is a draft. Raises Refused."""
    edition = Edition.objects.filter(pk=edition_id, kind=Edition.Kind.PROPOSAL).first()
    if edition is None:
        raise Refused("no_proposal", "There is no such proposal.")
    if edition.state() != "draft":
        raise Refused("decided", f"This proposal was {edition.state()} already and can no longer change.")
    return edition
