"""The pages of series in a browser: uploaded through the form, drawn, accessible, narrow and quiet."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages.site import LEAD, Site
from tests.pages.test_browser import fits_and_is_accessible

pytestmark = pytest.mark.browser
OLD, NEW = ("ZU1", "ZU2"), "ZU3"


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bodies over four years, one of which gives no figure in one month; and two rows to quarantine."""
    rows = ["org code,month,visits"]
    for n in range(48):
        day = f"{2018 + n // 12}-{n % 12 + 1:02d}"
        rows += [f"{OLD[0]},{day},{1200 + int(300 * math.sin(n / 2))}"]
        rows += [f"{OLD[1]},{day},{800 + 9 * n}"] if n != 30 else []
    rows += ["ZNONE,2018-01,5", f"{OLD[0]},31/01/2018,5"]
    path = tmp_path_factory.mktemp("series") / "visits.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def uploaded(site: Site, figures: Path) -> dict[str, Any]:
    """Two bodies, their series uploaded, and a proposal in which they merge."""
    place = site.deployment
    for code in OLD:
        place.json("place", "add", code, "--name", f"Urgent Care {code}", "--form", "nhs_trust")
    page, watch = site.window(LEAD)
    page.goto("/series/")
    page.get_by_label("CSV file").set_input_files(figures)
    page.get_by_label("Name of the series").fill("Urgent care visits")
    page.get_by_label("Unit").fill("visits")
    page.locator("summary").click()
    page.get_by_label("Column of the figures").fill("visits")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("97 rows: 95 taken, 0 unchanged, 0 superseded, 2 quarantined")
    fits_and_is_accessible(page, watch, "series uploaded")
    page.context.close()
    number = place.json("place", "propose", "One urgent care")["proposal"]
    merge = ("place", "merge", *OLD, "--into", NEW, "--name", "Urgent Care for All", "--on", "2021-07-01")
    place.json(*merge, "--proposal", number)
    return {"proposal": number}


def through(page: Page, uploaded: dict[str, Any]) -> None:
    page.goto(f"/series/?proposal={uploaded['proposal']}")
    page.get_by_role("link", name="Urgent care visits").click()


def test_a_body_that_merged_is_drawn_and_written_out(site: Site, uploaded: dict[str, Any]) -> None:
    page, watch = site.window(LEAD)
    through(page, uploaded)
    expect(page.get_by_role("row")).to_have_count(2)
    fits_and_is_accessible(page, watch, "series bodies")
    page.get_by_role("link", name="Urgent Care for All").click()
    expect(page.get_by_role("img", name="Urgent care visits, Urgent Care for All")).to_be_visible()
    expect(page.locator("main")).to_contain_text("1 July 2021: Urgent Care ZU1 (ZU1), Urgent Care ZU2 (ZU2)")
    expect(page.get_by_role("row")).to_have_count(49)
    expect(page.locator("svg polyline")).to_have_count(1)
    expect(page.locator("svg circle")).to_have_count(1)  # July 2020, without one of the two
    fits_and_is_accessible(page, watch, "series body")
    page.context.close()


def test_a_body_today_is_drawn_without_the_merger(site: Site, uploaded: dict[str, Any]) -> None:
    page, watch = site.window(LEAD)
    page.goto("/series/")
    page.get_by_role("link", name="Urgent care visits").click()
    page.get_by_role("link", name="Urgent Care ZU2").click()
    expect(page.get_by_role("row")).to_have_count(48)
    expect(page.locator("svg polyline")).to_have_count(2)  # before and after the month without a figure
    expect(page.locator("main")).not_to_contain_text("became part of it")
    fits_and_is_accessible(page, watch, "series body today")
    page.context.close()


def test_what_is_wrong_with_the_form_is_said(site: Site, uploaded: dict[str, Any]) -> None:
    page, watch = site.window(LEAD)
    page.goto("/series/")
    page.get_by_label("A ratio of two counts").check()
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the column above the line")
    fits_and_is_accessible(page, watch, "series errors")
    page.context.close()
