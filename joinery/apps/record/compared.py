"""What records say in the form in which they are compared, and the model that compares them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files

import orjson

from joinery.apps.base.columns import as_day, marks, select
from joinery.apps.record.pairs import Statement
from joinery.apps.record.people import postcode_in
from joinery.apps.record.rows import DetailsRow
from joinery.apps.record.sql import STAGED, details
from joinery.calc.linkage.fields import Fields, fields_of
from joinery.calc.linkage.ladder import Details
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
    return orjson.dumps(tuple(fields)).decode()


def unpacked(text: str) -> Fields:
    """Fields as `packed` made them."""
    return Fields._make(orjson.loads(text))


def fields_said(record_ids: Collection[int], submission_id: int = 0) -> dict[int, Fields]:
    """What each of these records says now; published, or in the submission that is being staged."""
    ids: Sequence[int] = sorted(record_ids)
    sql = (
        f"SELECT d.record_id, f.fields FROM {details(also=STAGED)} "
        f"JOIN record_matchdetails f ON f.details_id = d.id WHERE d.record_id IN ({marks(ids)})"
    )
    return {record: unpacked(text) for record, text in select(sql, [submission_id, submission_id, *ids])}


def said_now(at_once: int) -> Iterator[tuple[Statement, Fields]]:
    """What every record says now, as it is compared; read so many rows at a time."""
    sql = (
        "SELECT d.record_id, d.id, d.nhs_number, d.family_name, d.given_name, d.birth_date, f.fields "
        f"FROM {details()} JOIN record_matchdetails f ON f.details_id = d.id WHERE d.id > %s ORDER BY d.id LIMIT %s"
    )
    after = 0
    while rows := select(sql, [after, at_once]):
        after = rows[-1][1]
        for record, details_id, number, family, given, born, text in rows:
            said = Details(family, given, as_day(born))
            yield Statement(record, details_id, number, said), unpacked(text)


def linking_model() -> Model:
    """The model by which records are linked now: the place's newest, or the one that ships.

    The latter also where another version made the place's own, which this one cannot read: see `outdated_model`.
    """
    return _model(_in_use())


def model_text() -> str:
    """The file of that model, for Splink."""
    return _text(_in_use())


def outdated_model() -> bool:
    """Whether the place has trained a model that this version cannot read."""
    return _newest() != _in_use()


def _in_use() -> str:
    newest = _newest()
    return newest if _readable(newest) else ""


def _newest() -> str:
    """The digest of the place's newest model; empty when it has none."""
    newest = select("SELECT digest FROM record_linkmodel ORDER BY id DESC LIMIT 1")
    return newest[0][0] if newest else ""


def model_named(name: str) -> Model | None:
    """The model of this name, for the words of an old score; None when there is none that this version can read."""
    if name == _model("").name:
        return _model("")
    found = select("SELECT digest FROM record_linkmodel WHERE name = %s", [name])
    return _model(found[0][0]) if found and _readable(found[0][0]) else None


@lru_cache(maxsize=8)  # rows of models never change
def _model(digest: str) -> Model:
    return load(_text(digest))


@lru_cache(maxsize=8)
def _readable(digest: str) -> bool:
    try:
        _model(digest)
    except ValueError:
        return False
    return True


def _text(digest: str) -> str:
    if not digest:
        return files("joinery.definitions").joinpath("linkage/place.json").read_text()
    ((text,),) = select("SELECT text FROM record_linkmodel WHERE digest = %s LIMIT 1", [digest])
    return str(text)
