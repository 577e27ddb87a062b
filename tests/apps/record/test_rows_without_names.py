"""Row facts, which jobs and analysts' figures are made of, tell nobody's NHS number, name, postcode or birth date.

The facts are found by their mark: one that is new must say here what it is for.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from joinery.apps.base import facts as base
from joinery.apps.base.action import Actor
from joinery.apps.base.columns import select
from joinery.apps.base.feeds import feed_of
from joinery.apps.record import facts
from joinery.apps.record.actions import open_rows, take_file
from joinery.calc.units import Period
from tests.apps.record import sending
from tests.apps.record.sending import ACTOR, AT, COMMUNITY, COUNCIL, GP
from tests.apps.record.test_returns import YEAR, check_opt_outs
from tests.spec.return_rules import GOOD

pytestmark = pytest.mark.django_db

APPS = Path(base.__file__).parents[1]
NUMBER, NAME, BORN, POSTCODE = "9990000018", "Quibbleworth", "1931-05-17", "ZZ99 3VZ"
# Each of them as any source could write it.
CANARIES = (NUMBER, "999 000 0018", NAME, NAME.upper(), BORN, "17/05/1931", "19310517", POSTCODE, "ZZ993VZ")
# What each fact is for. To compare names with names it must hold them: only the app that looks for misuse may ask.
PSEUDONYMOUS = {
    "return_columns", "explained_person", "explained_record", "explained_pair",
    "census", "misfiled", "beds", "own_pairs", "opened_between", "wait_columns",
}  # fmt: skip
COMPARED = {"people_compared", "users_compared"}
# A column of such a name speaks of one person; of those that may be read these alone sound like it. An LSOA is an
# area of 1,000 people or more.
PERSONAL = re.compile(
    r"nhs_?number|name|birth|dob|post_?code|uprn|address|phone|email|ident|person_id|patient_id", re.I
)


NOT_OF_ONE_PERSON = {"Eligible_Needs_Identified", "NHS_Number_Trace_Status", "Der_Postcode_LSOA_2011_Code"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(APPS.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def test_every_row_fact_says_here_what_it_is_for() -> None:
    marked = {
        function.name
        for _, tree in modules()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id == "row_facts" for d in function.decorator_list)
    }
    assert marked == PSEUDONYMOUS | COMPARED


def test_facts_that_hold_names_are_asked_for_by_the_app_that_looks_for_misuse_alone() -> None:
    asking = {
        path.relative_to(APPS).parts[0]
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in COMPARED
    }
    site = [p for p in (APPS.parent / "site").rglob("*.py") if any(name in p.read_text("utf-8") for name in COMPARED)]
    assert asking == {"privacy"} and site == []


@pytest.mark.parametrize("feed", GOOD)
def test_no_column_of_a_return_that_may_be_read_speaks_of_one_person(feed: str) -> None:
    (file,) = feed_of(feed).file
    sounding = {c for c in file.columns if PERSONAL.search(c) and c not in file.identifying}
    assert sounding <= NOT_OF_ONE_PERSON


def test_nothing_that_names_somebody_is_in_any_row_that_is_given_out(tmp_path: Path) -> None:
    sending.register()
    check_opt_outs(tmp_path, [NUMBER], [NUMBER])
    patient = sending.patient("p1", NUMBER, NAME, "Ada", BORN)
    patient["address"] = [{"line": ["1 The Lane"], "postalCode": POSTCODE}]
    for sender in (GP, COMMUNITY):
        sending.send(tmp_path, sending.bundle([patient]), sender)
    row = sending.person_row("7", NUMBER, family_name=NAME, birth_date=BORN)
    sending.send(tmp_path, sending.extract("person", [row]), COUNCIL)
    service = GOOD["cld"] | {"NHS_Number": NUMBER, "Date_of_Birth": BORN, "Postcode": POSTCODE}
    text = io.StringIO()
    writer = csv.DictWriter(text, feed_of("cld").part("cld").columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerow(service)
    (tmp_path / "cld.csv").write_text(text.getvalue(), "utf-8", newline="")
    assert take_file(path=tmp_path / "cld.csv", feed="cld", organisation_code=COUNCIL, actor=ACTOR, at=AT).taken == 1

    given = repr(list(given_out(YEAR)))
    assert len(given) > 1_000
    assert [canary for canary in CANARIES if canary in given] == []
    # They are there, so that the test could fail.
    assert NAME.upper() in repr(facts.people_compared([somebody()]))


def somebody() -> str:
    return next(person for person, records in sending.people().items() if any(each.startswith(GP) for each in records))


def given_out(period: Period) -> Iterator[object]:
    """What each pseudonymous fact answers."""
    (file,) = feed_of("cld").file
    columns = [c for c in file.columns if c not in file.identifying]
    rows = facts.return_columns(open_rows(feed="cld", actor=Actor.system("measures"), at=AT), period, columns)
    assert len(rows.subject) == 1 and rows.subject[0]
    yield rows
    records = [record for (record,) in select("SELECT id FROM record_sourcerecord ORDER BY id")]
    person = somebody()
    yield facts.explained_person(person)
    yield from map(facts.explained_record, records)
    yield facts.explained_pair(*records[:2])
    ((hospital,),) = select("SELECT id FROM place_organisation WHERE code = %s", [COMMUNITY])
    yield facts.census(hospital, AT, AT)
    yield facts.misfiled()
    yield facts.beds()
    yield facts.own_pairs(AT.date())
    yield base.opened_between(AT - timedelta(days=1), AT + timedelta(days=1))
