"""Correcting a quarantined row: through the one engine, wholly or not at all; and taking rows again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from joinery.apps.base.action import Actor, Refused
from joinery.apps.base.columns import select
from joinery.apps.record import facts
from joinery.apps.record.actions import (
    StillWrong,
    correct,
    open_quarantined,
    open_returned,
    retake,
    set_aside,
    take_file,
)
from joinery.apps.record.models import FeedVariant
from joinery.calc.access import Post
from tests.apps.record.sending import (
    ACTOR,
    AT,
    COUNCIL,
    GP,
    ends,
    nhs_number,
    observation,
    patient,
    register,
    send,
    titles,
)
from tests.support import locked

ANN = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"
HEADER = "person_id,family_name,given_names,birth_date,source_id,updated_at,deleted"
TABLES = ("submission", "item", "itemversion", "entry", "details", "correction", "quality", "sourcerecord")


@pytest.fixture(autouse=True)
def senders(db: None) -> None:
    register()


def take(folder: Path, *rows: str, header: str = HEADER, name: str = "person.csv") -> list[int]:
    """Take rows of the council; the ids of those that were quarantined."""
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    taken = take_file(path=path, feed="council", organisation_code=COUNCIL, actor=ACTOR, at=AT)
    sql = "SELECT q.id FROM record_quarantined q WHERE q.submission_id = %s ORDER BY q.position"
    return [row[0] for row in select(sql, [taken.submission_id])]


def held() -> dict[str, int]:
    return {table: select(f"SELECT COUNT(*) FROM record_{table}")[0][0] for table in TABLES}


def person(local_id: str, born: str = "1944-02-09", updated: str = "2026-02-01T09:00:00Z") -> str:
    return f"{local_id},Fenwick,Ada,{born},{local_id},{updated},0"


def test_a_row_that_is_still_wrong_leaves_nothing_behind(tmp_path: Path) -> None:
    (row,) = take(tmp_path, person("p1", born="soon"))
    before = held()
    with pytest.raises(StillWrong) as wrong:
        correct(quarantined_id=row, body=person("p1", born="later").encode(), actor=ACTOR, at=AT)
    assert [(issue.path, issue.rule) for issue in wrong.value.issues] == [("row 1, birth_date", "date")]
    assert "later" not in str(wrong.value)
    assert held() == before


@pytest.mark.parametrize(
    "body", [b"", b"\n", f"{person('p1')}\n{person('p2')}".encode(), b"\xff\xfe\x00", b'"', b"\x00" * 50]
)
def test_what_is_not_one_row_is_refused(tmp_path: Path, body: bytes) -> None:
    (row,) = take(tmp_path, person("p1", born="soon"))
    before = held()
    with pytest.raises(Refused):
        correct(quarantined_id=row, body=body, actor=ACTOR, at=AT)
    assert held() == before


def test_a_corrected_row_ends_as_any_row_does_and_once(tmp_path: Path) -> None:
    good, older, same, aside = take(
        tmp_path,
        person("p1", born="soon"),
        person("p2", updated="2026-02-03T09:00:00Z"),
        person("p2", born="soon"),
        person("p3"),
        person("p3", born="soon"),
        person("p4", born="soon"),
    )

    def outcome(row: int, local_id: str) -> str:
        return correct(quarantined_id=row, body=f"{person(local_id)}\n".encode(), actor=ACTOR, at=AT).outcome

    assert [outcome(good, "p1"), outcome(older, "p2"), outcome(same, "p3")] == ["taken", "superseded", "unchanged"]
    set_aside(quarantined_id=aside, reason="a test of theirs", actor=ACTOR, at=AT)
    for row in (good, aside):
        with pytest.raises(Refused, match="dealt with"):
            correct(quarantined_id=row, body=person("p1").encode(), actor=ACTOR, at=AT)
        with pytest.raises(Refused, match="dealt with"):
            set_aside(quarantined_id=row, reason="twice", actor=ACTOR, at=AT)
    counts = select("SELECT rows, taken + unchanged + superseded FROM record_submission WHERE file_name LIKE 'corr%%'")
    assert counts == [(1, 1)] * 3


def test_a_row_without_a_time_of_its_own_does_not_undo_what_came_later(tmp_path: Path) -> None:
    broken = '{"resourceType": "Patient", "id": "p1", "birthDate": "soon"}'
    for text in (broken, broken.replace("soon", "1944-02-09")):
        path = tmp_path / "sent.ndjson"
        path.write_text(f"{text}\n")
        take_file(path=path, feed="fhir", organisation_code=GP, actor=ACTOR, at=AT)
    ((row,),) = select("SELECT id FROM record_quarantined")
    with pytest.raises(Refused, match="would undo it"):
        correct(quarantined_id=row, body=broken.replace("soon", "1940-01-01").encode(), actor=ACTOR, at=AT)
    # nor as another thing that came later
    path.write_text('{"resourceType": "Patient", "id": "p2"}\n')
    (tmp_path / "other.ndjson").write_text(broken.replace("p1", "p3") + "\n")
    for each in (tmp_path / "other.ndjson", path):
        take_file(path=each, feed="fhir", organisation_code=GP, actor=ACTOR, at=AT)
    ((other,),) = select("SELECT id FROM record_quarantined WHERE id <> %s", [row])
    with pytest.raises(Refused, match="would undo it"):
        correct(quarantined_id=other, body=b'{"resourceType": "Patient", "id": "p2"}', actor=ACTOR, at=AT)


def test_rows_are_taken_again_once_the_definition_fits_them(tmp_path: Path) -> None:
    (row,) = take(tmp_path, person("p1", born="09/02/1944"))
    with pytest.raises(StillWrong):
        retake(quarantined_id=row, actor=ACTOR, at=AT)
    text = 'name = "day first"\nday_first = true\n'
    ((source,),) = select("SELECT id FROM record_source")
    digest = hashlib.sha256(text.encode()).hexdigest()
    FeedVariant.objects.create(source_id=source, text=text, digest=digest, made_by=ACTOR.name, at=AT)
    assert retake(quarantined_id=row, actor=ACTOR, at=AT).outcome == "taken"


def test_cells_are_those_of_the_suppliers_own_columns(tmp_path: Path) -> None:
    header = HEADER.replace("family_name", "Surname").replace(",", ";")
    text = 'name = "theirs"\ndelimiter = ";"\nencoding = "cp1252"\n[columns]\nfamily_name = "Surname"\n'
    take(tmp_path, person("p0"))
    ((source,),) = select("SELECT id FROM record_source")
    FeedVariant.objects.create(source_id=source, text=text, digest="x", made_by=ACTOR.name, at=AT)
    path = tmp_path / "person.csv"
    path.write_bytes(
        f"{header}\n{person('p1', born='soon').replace(',', ';').replace('Ada', 'Zoë')}\n".encode("cp1252")
    )
    taken = take_file(path=path, feed="council", organisation_code=COUNCIL, actor=ACTOR, at=AT)
    ((row,),) = select("SELECT id FROM record_quarantined")
    posts = (Post("social_worker", COUNCIL),)
    viewing = open_quarantined(quarantined_id=row, posts=posts, actor=ACTOR, at=AT)
    found = facts.quarantined_row(viewing, row)
    assert found is not None
    assert [(cell.name, cell.column, cell.value) for cell in found.cells[1:3]] == [
        ("Surname", "family_name", "Fenwick"),
        ("given_names", "given_names", "Zoë"),
    ]
    back = b"".join(facts.returned_rows(viewing, taken.submission_id or 0)).decode("cp1252")
    assert back.startswith("person_id;Surname;") and ";Zoë;soon;" in back


@pytest.mark.parametrize(
    ("posts", "reason"),
    [((), "no_post"), ((Post("gp", GP),), "not_sender"), ((Post("gp", "998"), Post("gp", GP)), "not_sender")],
)
def test_whoever_may_not_see_a_row_is_refused_and_that_is_logged(
    tmp_path: Path, posts: tuple[Post, ...], reason: str
) -> None:
    (row,) = take(tmp_path, person("p1", born="soon"))
    ((submission,),) = select("SELECT submission_id FROM record_quarantined")
    with pytest.raises(Refused) as refused:
        open_quarantined(quarantined_id=row, posts=posts, actor=ACTOR, at=AT)
    assert refused.value.code == reason
    with pytest.raises(Refused):
        open_returned(submission_id=submission, posts=posts, actor=ACTOR, at=AT)
    assert select("SELECT what, allowed FROM base_access") == [("refused", False)] * 2


@pytest.mark.parametrize("broken", ["Patient", "Observation"])
def test_what_only_its_bundle_names_is_not_taken_for_nobody(broken: str, tmp_path: Path) -> None:
    ann, weight = patient(None, nhs_number(1), "Ash", "Ann"), observation("w", ANN)
    said = {"Patient": ann, "Observation": weight}
    wrong = said | {broken: said[broken] | {"language": 7}}
    entries = [
        {"fullUrl": url, "resource": wrong[kind]} for url, kind in ((ANN, "Patient"), (f"{ANN[:-1]}8", "Observation"))
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert ends(send(tmp_path, json.dumps(bundle).encode())) == (1, 0, 0, 1)
    ((row,),) = select("SELECT id FROM record_quarantined")
    before = held()
    with pytest.raises(Refused, match="whole Bundle"):
        correct(quarantined_id=row, body=json.dumps(said[broken]).encode(), actor=ACTOR, at=AT)
    assert held() == before
    named = said | {"Patient": ann | {"id": ANN[9:]}, "Observation": observation("w", f"Patient/{ANN[9:]}")}
    assert correct(quarantined_id=row, body=json.dumps(named[broken]).encode(), actor=ACTOR, at=AT).outcome == "taken"
    assert titles(f"{GP} Patient/{ANN[9:]}") == ["Weight"]


def test_nobody_at_a_page_waits_for_a_long_file_and_nothing_is_kept_then(tmp_path: Path) -> None:
    (row,) = take(tmp_path, person("p1", born="soon"))
    before = held()
    which: dict[str, Any] = {"quarantined_id": row, "actor": Actor.user(1), "at": AT}
    ways: tuple[Callable[[], object], ...] = (
        lambda: correct(body=person("p1").encode(), **which),
        lambda: retake(**which),
        lambda: set_aside(reason="a test of theirs", **which),
    )
    with locked("intake"):
        for act in ways:
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.code == "busy"
    assert held() == before
    set_aside(reason="a test of theirs", **which)
    with pytest.raises(Refused, match="dealt with"):
        set_aside(reason="a test of theirs", **which)
