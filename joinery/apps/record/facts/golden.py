"""The golden record, field by field: which value is shown, who says it since when, and who says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from joinery.apps.base.access_log import Viewing
from joinery.apps.base.columns import as_moment, marks, select
from joinery.apps.base.facts import person_facts
from joinery.apps.record.people import Known, PersonRecords
from joinery.apps.record.said import FIELDS, address_hidden, as_compared, said_text
from joinery.apps.record.sql import details


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a field as one source record says it, and since when it has said so here."""

    text: str
    organisation_name: str
    sector: str
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class GoldenField:
    """One field: the value `shown` (None: nobody says any), who says the same, and who says otherwise.

    `withheld`: there may be values, and this viewer may not read them.
    """

    label: str
    shown: Said | None
    agreeing: tuple[Said, ...]
    otherwise: tuple[Said, ...]
    withheld: bool = False


@person_facts
def golden_record(viewing: Viewing, of: PersonRecords) -> tuple[GoldenField, ...]:
    """Every field of the person of the viewing: the first record that states it is shown (`people.first`)."""
    since = _received([k.record_id for k in of.known])
    hidden = address_hidden(viewing, of.known)
    # As `first` does: a record whose name is sealed says none.
    known = sorted(of.known, key=lambda k: k.name_sealed)
    return tuple(
        GoldenField(label, None, (), (), withheld=True)
        if field == "address" and hidden
        else _field(label, [(text, _said(text, k, since)) for k in known if (text := said_text(k, field))], field)
        for field, label in FIELDS.items()
    )


def _field(label: str, said: Sequence[tuple[str, Said]], field: str) -> GoldenField:
    if not said:
        return GoldenField(label, None, (), ())
    (text, shown), *others = said
    key = as_compared(text, field)
    return GoldenField(
        label,
        shown,
        tuple(each for other, each in others if as_compared(other, field) == key),
        tuple(each for other, each in others if as_compared(other, field) != key),
    )


def _said(text: str, known: Known, since: dict[int, datetime]) -> Said:
    return Said(text, known.organisation_name, known.sector, since.get(known.record_id))


def _received(record_ids: Sequence[int]) -> dict[int, datetime]:
    """When what each record says now was received."""
    sql = f"SELECT d.record_id, ds.received_at FROM {details()} WHERE d.record_id IN ({marks(record_ids)})"
    return {record: as_moment(at) for record, at in select(sql, record_ids)} if record_ids else {}
