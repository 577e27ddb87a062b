"""What records say in the form in which they are compared, and the model that compares them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple
from functools import lru_cache
from importlib.resources import files

import orjson

from joinery.apps.base.columns import marks, select
from joinery.apps.record.people import postcode_in
from joinery.apps.record.rows import DetailsRow
from joinery.apps.record.sql import details
from joinery.calc.linkage.fields import Fields, fields_of
from joinery.calc.linkage.model import Model, load

# Of how `comparable` and the keys are made: raise it when either changes, and `joinery migrate` makes them anew.
VERSION = 1


def comparable(said: DetailsRow) -> Fields:
    """What a record says of a person, as it is compared. Of several first names the first counts."""
    given = said.given_name.split()
    return fields_of(
        nhs_number=said.nhs_number,
        given_name=given[0] if given else "",
        family_name=said.family_name,
        birth_date=said.birth_date.isoformat() if said.birth_date else "",
        postcode=postcode_in(said.address) or "",
        gender=said.gender,
    )


def packed(fields: Fields) -> str:
    """Fields as a table keeps them."""
    return orjson.dumps(astuple(fields)).decode()


def unpacked(text: str) -> Fields:
    """Fields as `packed` made them."""
    return Fields(*orjson.loads(text))


def fields_said(record_ids: Collection[int], submission_id: int = 0) -> dict[int, Fields]:
    """What each of these records says now; published, or in the submission that is being staged."""
    ids: Sequence[int] = sorted(record_ids)
    sql = (
        f"SELECT d.record_id, f.fields FROM {details(also=f's.id = {int(submission_id)}')} "
        f"JOIN record_matchdetails f ON f.details_id = d.id WHERE d.record_id IN ({marks(ids)})"
    )
    return {record: unpacked(text) for record, text in select(sql, ids)}


def linking_model() -> Model:
    """The model by which records are linked now: the place's newest, or the one that ships."""
    newest = select("SELECT digest FROM record_linkmodel ORDER BY id DESC LIMIT 1")
    return _model(newest[0][0] if newest else "")


def model_named(name: str) -> Model | None:
    """The model of this name, for the words of an old score; None when no such model was ever used here."""
    if name == _model("").name:
        return _model("")
    found = select("SELECT digest FROM record_linkmodel WHERE name = %s", [name])
    return _model(found[0][0]) if found else None


@lru_cache(maxsize=8)  # rows of models never change
def _model(digest: str) -> Model:
    if not digest:
        return load(files("joinery.definitions").joinpath("linkage/place.json").read_text())
    ((text,),) = select("SELECT text FROM record_linkmodel WHERE digest = %s LIMIT 1", [digest])
    return load(text)
