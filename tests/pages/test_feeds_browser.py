"""The pages of feeds in a browser: accessible, quiet and narrow; and the walk from an upload to a corrected row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.feed_world import person, table
from tests.pages.site import LEAD, NURSE, SOCIAL_WORKER, Site
from tests.pages.test_browser import fits_and_is_accessible

pytestmark = pytest.mark.browser

COUNCIL = "999"
WIDE = "Unbrokenword" * 20


@pytest.fixture(scope="module")
def feeds(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The demonstration with rows that wait, one of them with a text of no ordinary width."""
    path = tmp_path_factory.mktemp("feeds") / "person.csv"
    rows = [person("feed-1", birth_date="9 Feb"), person("feed-2", birth_date="soon", family_name=WIDE)]
    path.write_text(table(rows), "utf-8")
    assert site.take("council", COUNCIL, path)["quarantined"] == 2
    message = path.with_name("one.ndjson")
    message.write_text('{"resourceType": "Patient", "id": "feed-3", "birthDate": "soon"}\n')
    assert site.take("fhir", "ZC1", message)["quarantined"] == 1
    return site


def go(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def follow(path: str, *links: str) -> Callable[[Page], object]:
    """From a page by its links, the first of each name."""

    def reach(page: Page) -> None:
        page.goto(path)
        for link in links:
            page.locator("main").get_by_role("link", name=link).first.click()

    return reach


def listed(page: Page, feed: str, number: int = 0) -> None:
    page.goto("/feeds/quarantine/")
    page.get_by_label("Sender and feed").select_option(label=feed)
    page.get_by_role("button", name="Show").click()
    page.locator("tbody a").nth(number).click()


def still_wrong(page: Page) -> None:
    listed(page, "Council case extract, Wexcombe Council")
    page.get_by_role("button", name="Correct and take it").click()


def without_a_file(page: Page) -> None:
    page.goto("/feeds/upload/")
    page.get_by_role("button", name="Take the file").click()


FHIR_FEED = "GP and community records (FHIR R4), Wexcombe Community Health"
COUNCIL_FEED = "Council case extract, Wexcombe Council"
STATES: dict[str, tuple[str, Callable[[Page], object], str, int]] = {
    "glance": (LEAD, go("/feeds/"), "What services send here", 200),
    "glance of a nurse": (NURSE, go("/feeds/"), "What services send here", 200),
    "source": (LEAD, follow("/feeds/", "Wexcombe Council"), "Lawful basis", 200),
    "file": (LEAD, follow("/feeds/", "Wexcombe Council", "person.csv"), "Why rows were quarantined", 200),
    "beds": (NURSE, go("/feeds/beds/"), "Ring before you rely on it", 200),
    "quarantine": (LEAD, go("/feeds/quarantine/"), "Rows that could not be taken", 200),
    "quarantine none": (LEAD, go("/feeds/quarantine/?rule=none"), "Nothing waits of this kind", 200),
    "row": (LEAD, lambda page: listed(page, COUNCIL_FEED, 1), "Correct it", 200),
    "row wide": (LEAD, lambda page: listed(page, COUNCIL_FEED), "Correct it", 200),
    "row still wrong": (LEAD, still_wrong, "There is a problem", 200),
    "resource": (
        LEAD,
        lambda page: listed(page, "GP and community records (FHIR R4), Wexcombe Community Health"),
        "id",
        200,
    ),
    "row refused": (NURSE, go("/feeds/quarantine/1/"), "You cannot see or send these rows", 403),
    "upload": (SOCIAL_WORKER, go("/feeds/upload/"), "200 MB at most", 200),
    "upload errors": (LEAD, without_a_file, "Choose a file", 200),
    "no such row": (LEAD, go("/feeds/quarantine/999999/"), "not", 404),
}


@pytest.mark.parametrize("name", STATES)
def test_a_page_is_accessible_quiet_and_fits_its_window(feeds: Site, name: str) -> None:
    who, reach, says, status = STATES[name]
    page, watch = feeds.window(who, java_script_enabled=True)
    watch.expected.add(status)
    reach(page)
    expect(page.locator("main")).to_contain_text(says)
    fits_and_is_accessible(page, watch, f"feeds-{name}")
    page.context.close()


def test_a_social_worker_uploads_a_file_and_corrects_a_row_without_javascript(feeds: Site, tmp_path: Path) -> None:
    # Given a file with a row that cannot be taken, uploaded by its sender
    page, watch = feeds.window(SOCIAL_WORKER, java_script_enabled=False, accept_downloads=True)
    file = tmp_path / "person.csv"
    file.write_text(table([person("walk-1"), person("walk-2", birth_date="next week", family_name="Walker")]), "utf-8")
    page.goto("/")
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Feeds").click()
    page.get_by_role("navigation", name="Feeds").get_by_role("link", name="Upload a file").click()
    page.get_by_label("What the file is").select_option(label="Council case extract")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Take the file").click()
    expect(page.get_by_role("row", name="Quarantined")).to_contain_text("1")
    expect(page.locator("main")).to_contain_text("row 2, birth_date: birth_date is not a date")

    # When she downloads what came back, it is the sender's own table with the reasons
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    returned = Path(download.value.path()).read_text("utf-8-sig")
    assert returned.splitlines()[0].endswith("deleted,joinery_row,joinery_reasons")
    assert "Walker" in returned

    # and when she corrects the row beside its reason, it is taken
    page.get_by_role("link", name="Put them right here").click()
    page.get_by_role("link", name="Row 2").first.click()
    page.get_by_label("birth_date").fill("1950-05-05")
    page.get_by_role("button", name="Correct and take it").click()
    expect(page.locator("main")).to_contain_text("The corrected row was taken")
    assert watch.problems == []
    page.context.close()
