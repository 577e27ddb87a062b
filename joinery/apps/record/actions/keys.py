"""Keeping what records say in the form in which they are compared, with the keys by which they are found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import orjson
from django.db import connection

from joinery.apps.base.action import Actor, action
from joinery.apps.base.columns import as_day, insert_rows, marks, select
from joinery.apps.record.compared import VERSION, comparable, linking_model, packed, unpacked
from joinery.apps.record.models import MatchDetails, MatchKey
from joinery.apps.record.rows import DetailsRow
from joinery.calc.linkage.fields import Fields
from joinery.calc.linkage.model import Model

BATCH_ROWS = 2_000


def insert_compared(model: Model, said: Iterable[tuple[int, int, DetailsRow]]) -> dict[int, Fields]:
    """Keep details (their id, their record's, what they say) as they are compared, and their keys.

    Returns what each record is compared by.
    """
    rows, keys = [], []
    made = {}
    for details_id, record_id, details in said:
        fields = made[record_id] = comparable(details)
        rows.append((details_id, record_id, VERSION, packed(fields)))
        keys += [(key, details_id) for key in model.keys(fields)]
    insert_rows(MatchDetails, ("details_id", "record_id", "version", "fields"), rows)
    # In the order of the table's key, so that neighbours are written together.
    insert_rows(MatchKey, ("key", "details_id"), sorted(keys))
    return made


def delete_compared(submission_id: int) -> None:
    """Take out what was made of the details of a submission that is swept away."""
    sql = (
        "SELECT f.details_id, f.fields FROM record_matchdetails f "
        "JOIN record_details d ON d.id = f.details_id WHERE d.submission_id = %s"
    )
    _delete(select(sql, [submission_id]))


def _delete(rows: Iterable[tuple[int, str]]) -> None:
    keys_of = linking_model().keys
    with connection.cursor() as cursor:
        for details_id, text in rows:
            keys = keys_of(unpacked(text))
            cursor.execute(
                f"DELETE FROM record_matchkey WHERE details_id = %s AND key IN ({marks(keys)})", [details_id, *keys]
            )
            cursor.execute("DELETE FROM record_matchdetails WHERE details_id = %s", [details_id])


def anything_to_remake() -> bool:
    """Whether some details are not kept as this version compares them."""
    return bool(_not_compared(most=1))


def remake_compared(*, actor: Actor, at: datetime) -> int:
    """Keep all details as this version compares them, where they are not kept so yet; returns how many."""
    made = 0
    while run := _not_compared():
        stage_compared(rows=run, actor=actor, at=at)
        made += len(run)
    return made


@action("record.stage_compared")
def stage_compared(*, rows: list[tuple[int, int, DetailsRow]], actor: Actor, at: datetime) -> None:
    """Keep at most 2,000 details as they are compared, in one transaction."""
    ids = [details_id for details_id, _, _ in rows]
    _delete(select(f"SELECT details_id, fields FROM record_matchdetails WHERE details_id IN ({marks(ids)})", ids))
    insert_compared(linking_model(), rows)


def _not_compared(most: int = BATCH_ROWS) -> list[tuple[int, int, DetailsRow]]:
    sql = (
        "SELECT d.id, d.record_id, d.nhs_number, d.family_name, d.given_name, d.birth_date, d.gender, d.address "
        "FROM record_details d LEFT JOIN record_matchdetails f ON f.details_id = d.id "
        "WHERE f.details_id IS NULL OR f.version <> %s ORDER BY d.id LIMIT %s"
    )
    found = []
    for details_id, record_id, number, family, given, born, gender, address in select(sql, [VERSION, most]):
        lines = tuple(orjson.loads(address) if isinstance(address, str) else address)
        said = DetailsRow(
            nhs_number=number, family_name=family, given_name=given, birth_date=as_day(born), gender=gender,
            address=lines,
        )  # fmt: skip
        found.append((details_id, record_id, said))
    return found
