"""One record against everybody: found are those who share a key and score high enough, as they are known now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from benchmarks.people import records
from joinery.apps.base.columns import select
from joinery.apps.record.actions.keys import insert_compared
from joinery.apps.record.compared import comparable, linking_model
from joinery.apps.record.matching import candidates, search
from joinery.apps.record.models import Details, Submission
from joinery.apps.record.rows import DetailsRow
from joinery.calc.linkage.fields import Fields, fields_of
from tests.apps.record import sending
from tests.apps.record.sending import COMMUNITY, GP, patient, send

pytestmark = pytest.mark.django_db

ANN = ("", "Quartermaine", "Ann", "1941-03-03")


@pytest.fixture(autouse=True)
def organisations() -> None:
    sending.register()


def take(folder: Path, patients: list[sending.Resource], organisation: str = GP) -> None:
    send(folder, sending.bundle(patients), organisation)


def fields(family: str = "", given: str = "", born: str = "", **more: str) -> Fields:
    return fields_of(family_name=family, given_name=given, birth_date=born, **more)


def found(record: Fields, **options: int) -> list[str]:
    """Whom a record finds, by local id."""
    return [local_id(record_id) for record_id, _ in candidates(record, linking_model(), **options)]


def local_id(record_id: int) -> str:
    ((name,),) = select("SELECT local_id FROM record_sourcerecord WHERE id = %s", [record_id])
    return str(name)


def stage(source_id: int, record_id: int, row: DetailsRow) -> int:
    """A submission that is not published yet, in which a record says something new."""
    draft = Submission.objects.create(source_id=source_id, part="draft", received_at=sending.AT)
    details = Details.objects.create(
        record_id=record_id,
        submission=draft,
        family_name=row.family_name,
        given_name=row.given_name,
        birth_date=row.birth_date,
    )
    insert_compared(linking_model(), [(details.pk, record_id, row)])
    return int(draft.pk)


def test_found_is_whoever_shares_a_key_and_scores_high_enough(tmp_path: Path) -> None:
    made = [r for r in records(150, seed=31, harder=True) if r.birth_date[5:] not in ("02-30", "02-31")]
    here, arriving = made[::2], made[1::2]
    take(
        tmp_path,
        [
            patient(f"r{r.record}", r.nhs_number, r.family_name, r.given_name, r.birth_date)
            | ({"gender": r.gender} if r.gender else {})
            | ({"address": [{"postalCode": r.postcode}]} if r.postcode else {})
            for r in here
        ],
    )
    model = linking_model()
    known = {
        record: Fields(*json.loads(text))
        for record, text in select("SELECT record_id, fields FROM record_matchdetails")
    }
    assert len(known) == len(here)
    met = 0
    for each in arriving:
        says = {"nhs_number": each.nhs_number, "gender": each.gender, "postcode": each.postcode}
        said = fields(each.family_name, each.given_name, each.birth_date, **says)
        scores = {
            record: model.score(said, other)
            for record, other in known.items()
            if set(model.keys(said)) & set(model.keys(other))
        }
        expected = {record: score for record, score in scores.items() if score.bits >= model.review_bits}
        now = candidates(said, model)
        assert dict(now) == expected
        assert [score.bits for _, score in now] == sorted((s.bits for _, s in now), reverse=True)
        met += bool(expected)
    assert met > len(arriving) / 4


def test_what_a_record_said_before_finds_it_no_more(tmp_path: Path) -> None:
    take(tmp_path, [patient("a", *ANN)])
    assert len(found(fields(*ANN[1:]))) == 1
    take(tmp_path, [patient("a", "", "Ash", "Zuleika", "1988-11-27")])
    assert found(fields(*ANN[1:])) == []
    assert len(found(fields("Ash", "Zuleika", "1988-11-27"))) == 1


def test_a_draft_is_found_by_its_own_submission_alone(tmp_path: Path) -> None:
    take(tmp_path, [patient("a", "", "Ash", "Zuleika", "1988-11-27")])
    ((record, source),) = select("SELECT id, source_id FROM record_sourcerecord")
    row = DetailsRow(family_name="Quartermaine", given_name="Ann", birth_date=date(1941, 3, 3))
    draft = stage(source, record, row)
    assert candidates(comparable(row), linking_model()) == []
    ((seen, _),) = candidates(comparable(row), linking_model(), submission_id=draft)
    assert seen == record
    # What it said until then does not count in the submission that says otherwise.
    assert candidates(fields("Ash", "Zuleika", "1988-11-27"), linking_model(), submission_id=draft) == []


def test_a_record_does_not_find_itself(tmp_path: Path) -> None:
    take(tmp_path, [patient("a", *ANN)])
    ((own,),) = select("SELECT id FROM record_sourcerecord")
    assert candidates(fields(*ANN[1:]), linking_model(), exclude_record=own) == []


def test_a_key_of_too_many_records_counts_for_none(tmp_path: Path) -> None:
    model = replace(linking_model(), rules=(("family_name", "birth_date"),), largest_block=3, review_bits=-100.0)
    take(tmp_path, [patient("a", *ANN), patient("b", "", "Quartermaine", "Bea", "1941-03-03")])
    assert len(candidates(fields(*ANN[1:]), model)) == 2  # three, with the one that asks
    take(tmp_path, [patient("c", "", "Quartermaine", "Cy", "1941-03-03")])
    assert candidates(fields(*ANN[1:]), model) == []
    # Asked of one of the three themselves it is still three.
    ((own,),) = select("SELECT MIN(id) FROM record_sourcerecord")
    assert len(candidates(fields(*ANN[1:]), model, exclude_record=own)) == 2


def test_who_says_nothing_finds_nobody(tmp_path: Path) -> None:
    take(tmp_path, [patient("a"), patient("b", "", "Unknown", "Baby", "1900-01-01"), patient("c", *ANN)])
    for said in (
        Fields(),
        fields("Unknown", "Baby", "1900-01-01"),
        fields(postcode="ZZ99 3VZ"),
        fields("Quartermaine"),
    ):
        assert candidates(said, linking_model()) == search(said, linking_model()) == []


def test_a_search_finds_by_parts_the_best_first(tmp_path: Path) -> None:
    take(
        tmp_path,
        [
            *(patient(local, *said) for local, said in (("best", ANN), ("maiden", ("", "Ash", "Ann", "1941-03-03")))),
            *(patient(f"other{n}", "", f"Name{n}", "Ann", f"19{40 + n}-07-2{n}") for n in range(9)),
        ],
        COMMUNITY,
    )
    model = linking_model()
    found = search(fields("Quartermain", "Ann", "1941-03-03"), model)
    record_of = dict(select("SELECT id, record_id FROM record_details"))
    names = [local_id(record_of[details]) for details, _ in found]
    assert [name.rpartition("/")[2] for name in names][:1] == ["best"]
    assert len(search(fields("Quartermaine", "Ann", "1941-03-03"), model, most=1)) == 1


def test_two_statements_however_many_are_near(
    tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    take(tmp_path, [patient(f"p{n}", *ANN) for n in range(60)])
    with django_assert_max_num_queries(3):  # one more reads which model counts
        assert len(candidates(fields(*ANN[1:]), linking_model())) == 60


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no such key")
def test_details_are_found_by_their_row_without_an_index() -> None:
    assert select("PRAGMA index_list('record_matchdetails')") == []
    assert "WITHOUT ROWID" in select("SELECT sql FROM sqlite_master WHERE name = 'record_matchkey'")[0][0]
