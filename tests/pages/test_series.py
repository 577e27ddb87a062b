"""Pages of series: who may upload, what is told, how a body's series goes on, and few statements."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from joinery.apps.measures.facts import series_list
from joinery.apps.place.actions import OrganisationDetails, Part, merge, propose, register_organisation, split
from joinery.calc.series import STEPS
from joinery.site.line_chart import draw
from tests.apps.measures.uploading import Wanted, monthly, upload
from tests.pages.measure import MOST_OF_LIST, statements
from tests.pages.world import ACTOR, COUNCIL, World

DAY = date(2020, 4, 1)
FORM = {"name": "Visits", "unit": "visits", "kind": "count", "each": "month"}


def trust(code: str) -> OrganisationDetails:
    return OrganisationDetails(code, f"Trust {code}", "nhs_trust")


@pytest.fixture
def by(world: World) -> dict[str, Any]:
    return {"actor": ACTOR, "at": world.at}


@pytest.fixture
def lead(world: World) -> Client:
    return world.user("integration_lead", COUNCIL)


def register(by: dict[str, Any], *codes: str) -> None:
    for code in codes:
        register_organisation(details=trust(code), **by)


def sent(client: Client, text: str, **changes: str) -> Any:
    file = SimpleUploadedFile("figures.csv", text.encode())
    return client.post("/series/", FORM | changes | {"file": file})


def words(answer: Any) -> str:
    """The text of a page as a reader meets it."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_an_upload_is_told_by_its_four_counts_and_its_reasons(by: dict[str, Any], lead: Client) -> None:
    register(by, "A")
    answer = sent(lead, "org code,month,value\nA,2020-01,5\nNOPE,2020-01,5\nB2,2020-01,x\n")
    said = words(answer)
    assert "figures.csv is taken 3 rows: 1 taken, 0 unchanged, 0 superseded, 2 quarantined" in said
    assert "row 2: No organisation has the code NOPE" in said and "value: &#39;x&#39; is not a number" in said
    assert "Visits (visits) January 2020 to January 2020 1" in said
    series_id = series_list()[0].id
    assert "Trust A" in words(lead.get(f"/series/{series_id}/"))
    assert "January 2020 5" in words(lead.get(f"/series/{series_id}/A/"))


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("", {}, "The submitted file is empty|figures.csv is empty|Choose a CSV file"),
        ("a,b\n1,2\n", {}, "no column for the organisation"),
        ("org code,month,value\n", {"name": ""}, "Enter the name of the series"),
        ("org code,month,value\n", {"kind": "other"}, "Choose what kind of figures they are"),
        ("org code,month,value\n", {"kind": "ratio"}, "Enter the column above the line"),
        ("org code,month,value\n", {"unit": "%"}, "Percentages cannot be added up"),
        ("org code,month,value\n", {"each": "week"}, "Choose how long a period is"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why_beside_the_field(
    world: World, lead: Client, text: str, changes: dict[str, str], message: str
) -> None:
    answer = sent(lead, text, **changes)
    assert answer.status_code == 200
    assert "There is a problem" in words(answer) and re.search(message, words(answer))
    assert 'aria-describedby="' in answer.content.decode() or "kind" not in changes
    assert "<title>Error: " in answer.content.decode()


def test_no_file_is_said(lead: Client) -> None:
    assert "Choose a CSV file" in words(lead.post("/series/", FORM))


def test_only_who_arranges_the_place_may_upload(world: World) -> None:
    client = world.user("gp")
    assert "Upload" not in words(client.get("/series/"))
    assert sent(client, "org code,month,value\n").status_code == 403
    assert series_list() == ()


def test_a_series_looks_through_a_day_and_a_proposal(by: dict[str, Any], lead: Client, tmp_path: Path) -> None:
    register(by, "A", "B")
    upload(monthly(tmp_path / "a.csv", A=[1, 2, 3], B=[10, 20, 30]))
    proposal = propose(title="Merge", **by)
    merge(codes=["A", "B"], into=trust("AB"), on=DAY, edition_id=proposal, **by)
    series = f"/series/{series_list()[0].id}"
    assert "Trust AB" not in words(lead.get(f"{series}/"))
    assert "Trust AB" in words(lead.get(f"{series}/", {"proposal": proposal}))
    page = lead.get(f"{series}/AB/", {"proposal": proposal})
    assert "1 April 2020: Trust A (A), Trust B (B) became part of it" in words(page)
    assert "January 2020 11 Trust A 1; Trust B 10" in words(page)
    # Every link of the page keeps the proposal.
    assert all("proposal=" in link for link in re.findall(rf'href="({series}/[^"]*)"', page.content.decode())[:1])
    assert "has become part of another" in words(lead.get(f"{series}/A/", {"proposal": proposal}))
    before = words(lead.get(f"{series}/A/", {"on": "2020-02-15"}))
    assert "February 2020 2" in before and "March 2020" not in before
    assert lead.get(f"{series}/A/", {"on": "yesterday"}).status_code == 400


def test_a_part_is_shown_apart(by: dict[str, Any], lead: Client, tmp_path: Path) -> None:
    register(by, "A")
    upload(monthly(tmp_path / "a.csv", A=[100, 200]))
    split(code="A", parts=[Part(trust("X"), share=0.25), Part(trust("Y"), words="the south")], on=DAY, **by)
    series = f"/series/{series_list()[0].id}"
    said = words(lead.get(f"{series}/X/"))
    assert "stated as 25%. These are estimates" in said and "January 2020 25" in said
    said = words(lead.get(f"{series}/Y/"))
    assert "took over the south. These are the figures before the split, not divided" in said
    assert "January 2020 100" in said


@pytest.mark.parametrize("path", ["/series/999/", "/series/999/A/", "/series/{}/NOPE/"])
def test_what_is_not_there_is_not_found(by: dict[str, Any], lead: Client, tmp_path: Path, path: str) -> None:
    register(by, "A")
    upload(monthly(tmp_path / "a.csv", A=[1]))
    assert lead.get(path.format(series_list()[0].id)).status_code == 404


def test_pages_take_as_many_statements_for_much_as_for_little(
    by: dict[str, Any], lead: Client, tmp_path: Path
) -> None:  # fmt: skip
    many = [f"T{n}" for n in range(40)]
    register(by, "A", "B", *many)
    upload(monthly(tmp_path / "a.csv", A=[1], B=[1]), Wanted("Few"))
    merge(codes=["A"], into=trust("B"), on=DAY, **by)
    upload(monthly(tmp_path / "b.csv", **{code: list(range(12)) for code in many}), Wanted("Many"))
    merge(codes=many[:-1], into=trust(many[-1]), on=DAY, **by)
    ids = {each.name: each.id for each in series_list()}
    for few, more in (
        (f"/series/{ids['Few']}/", f"/series/{ids['Many']}/"),
        (f"/series/{ids['Few']}/B/", f"/series/{ids['Many']}/{many[-1]}/"),
    ):
        counts = []
        for path in (few, more):
            lead.get(path)
            with statements() as ran:
                assert lead.get(path).status_code == 200
            counts.append(len(ran.of_page))
        assert counts[0] == counts[1] <= MOST_OF_LIST
    with statements() as ran:
        assert lead.get("/series/").status_code == 200
    assert len(ran.of_page) <= MOST_OF_LIST


def test_a_chart_breaks_where_there_is_no_figure_and_marks_what_lies_within() -> None:
    days = [date(2019 + n // 12, n % 12 + 1, 1) for n in range(24)]
    figures = [(day, None if n == 5 else float(n), n == 9) for n, day in enumerate(days)]
    chart = draw(figures, [date(2018, 1, 1), date(2019, 7, 1)])
    assert chart is not None
    assert [len(line.split()) for line in chart.lines] == [5, 18]
    assert [dot.hollow for dot in chart.dots] == [True]
    assert [mark.label for mark in chart.marks] == ["2"]
    assert [tick.label for tick in chart.levels] == ["0", "5", "10", "15", "20", "25"]
    assert [tick.label for tick in chart.years] == ["2019", "2020"]
    assert draw(figures[:1], []) is None


def test_every_length_of_period_can_be_chosen(lead: Client) -> None:
    page = lead.get("/series/").content.decode()
    assert re.findall(r'<option value="(\w+)"', page) == list(STEPS)
