"""The directory's pages in a browser: accessible, quiet, narrow and on paper; walked as a lead and as a nurse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.place_world import COUNCIL, HOME_NOW, MANY, MERGED, SPLIT, write_definition, write_postcodes
from tests.pages.site import LEAD, NURSE, Site
from tests.pages.test_browser import fits_and_is_accessible, picture

pytestmark = pytest.mark.browser

PROPOSAL = "Downs becomes a city"


@pytest.fixture(scope="module")
def vale(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The demonstration with the made-up corner of England in its directory."""
    folder = tmp_path_factory.mktemp("vale")
    for path in (write_definition(folder), write_postcodes(folder)):
        assert site.deployment.json("place", "take", str(path))["quarantined"] == 0
    number = str(site.deployment.json("place", "propose", PROPOSAL)["proposal"])
    change = ("place", "rename", "V09", "Downs City Council", "--on", "2028-04-01", "--proposal", number)
    assert site.deployment.run(*change).returncode == 0
    return site


def go(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def sent(path: str, button: str, **fields: str) -> Callable[[Page], object]:
    """A form sent with some fields, by the words of their labels, with _ for a space."""

    def reach(page: Page) -> None:
        page.goto(path)
        for label, value in fields.items():
            page.get_by_label(label.replace("_", " ")).first.fill(value)
        page.get_by_role("button", name=button, exact=True).click()

    return reach


def with_proposal(then: Callable[[Page, str], object]) -> Callable[[Page], object]:
    """From the page of the proposal that the fixture made."""

    def reach(page: Page) -> None:
        page.goto("/place/proposals/")
        page.get_by_role("link", name=PROPOSAL).click()
        then(page, page.url.removesuffix("/"))

    return reach


def through(page: Page, _: str) -> None:
    page.get_by_role("link", name="Look at the place through it").click()


def wrong_change(kind: str) -> Callable[[Page, str], object]:
    def reach(page: Page, address: str) -> None:
        page.goto(f"{address}/{kind}/")
        page.get_by_role("button", name="Add to the proposal").click()

    return reach


STATES: dict[str, tuple[str, Callable[[Page], object], str, int]] = {
    "place": (NURSE, go("/place/"), "Around it", 200),
    "place another day": (
        NURSE,
        go("/place/?on=2020-01-01&known=2026-11-20"),
        "You are looking at 1 January 2020",
        200,
    ),
    "place errors": (NURSE, go("/place/?on_day=31&on_month=2&on_year=2026"), "must be a real date", 200),
    "place through": (LEAD, with_proposal(through), "Through the proposal Downs becomes a city", 200),
    "body": (NURSE, go(f"/place/body/{COUNCIL}/"), "How it stands to others", 200),
    "body merged": (LEAD, go(f"/place/body/{MERGED}/"), "Took over from", 200),
    "body ended": (NURSE, go(f"/place/body/{SPLIT}/"), "It is no more since 1 October 2025", 200),
    "body of many": (NURSE, go(f"/place/body/{MANY}/"), "Origin Group Number 30", 200),
    "body at a door": (NURSE, go(f"/place/body/{HOME_NOW}/"), "Registered at the same door", 200),
    "body with a long name": (NURSE, go("/place/body/VN1/"), "Extraordinarily Long", 200),
    "bodies": (NURSE, go("/place/bodies/"), "All bodies, by name", 200),
    "bodies none": (NURSE, go("/place/bodies/?text=zzz"), "No body found", 200),
    "responsible": (NURSE, sent("/place/responsible/", "Show who answers", Postcode="ZZ1 2AA"), "One of several", 200),
    "responsible errors": (NURSE, sent("/place/responsible/", "Show who answers"), "There is a problem", 200),
    "proposals": (LEAD, go("/place/proposals/"), "Begin a proposal", 200),
    "proposals of a nurse": (NURSE, go("/place/proposals/"), "Only an integration lead", 200),
    "proposal": (LEAD, with_proposal(lambda page, _: None), "is called “Downs City Council”", 200),
    "merge errors": (LEAD, with_proposal(wrong_change("merge")), "Enter the bodies that merge", 200),
    "split errors": (LEAD, with_proposal(wrong_change("split")), "Enter the code of body 1", 200),
    "move errors": (LEAD, with_proposal(wrong_change("move")), "Enter the day of the move", 200),
    "adopt": (LEAD, with_proposal(lambda page, at: page.goto(f"{at}/adopt/")), "Adopt this proposal?", 200),
    "waiting": (LEAD, go("/place/waiting/"), "Waiting for a decision", 200),
    "waiting refused": (NURSE, go("/place/waiting/"), "You cannot change the directory", 403),
    "start": (LEAD, go("/place/start/"), "Set up the place", 200),
    "home errors": (LEAD, sent("/place/start/home/", "Choose", Body="NHS"), "Several names begin with", 200),
    "add errors": (LEAD, sent("/place/start/body/", "Add"), "There is a problem", 200),
    "lead": (LEAD, go("/place/start/lead/"), "Name a lead", 200),
    "file errors": (LEAD, sent("/place/start/file/", "Take the file"), "Choose a file", 200),
    "people": (LEAD, go("/place/start/people/"), "People who log in", 200),
    "feed": (LEAD, go("/place/start/feed/"), "The first feed of records", 200),
    "editions": (NURSE, go("/place/editions/"), "What was taken and changed", 200),
    "edition": (NURSE, go("/place/editions/1/"), "What became of its rows", 200),
    "absent": (NURSE, go("/place/body/NOPE/"), "Nothing is known of this body", 404),
    "no such day": (NURSE, go("/place/?on=yesterday"), "We could not read that request", 400),
}


@pytest.mark.parametrize("name", STATES)
def test_a_page_is_accessible_quiet_and_fits_its_window(vale: Site, name: str) -> None:
    who, reach, says, status = STATES[name]
    page, watch = vale.window(who, java_script_enabled=True)
    watch.expected.add(status)
    reach(page)
    expect(page.locator("main")).to_contain_text(says)
    fits_and_is_accessible(page, watch, f"place-{name}")
    page.context.close()


def test_a_lead_proposes_a_reorganisation_looks_through_it_and_adopts_it(vale: Site, tmp_path: Path) -> None:
    # Given a directory file of the lead's own, uploaded in a browser without JavaScript
    page, watch = vale.window(LEAD, java_script_enabled=False)
    bodies = "".join(
        f'[[organisation]]\ncode = "{c}"\nname = "{c} Borough"\nform = "unitary"\n' for c in ("WA1", "WA2")
    )
    file = tmp_path / "walk.toml"
    file.write_text(f'title = "Two boroughs"\n{bodies}')
    page.goto("/place/start/")
    page.get_by_role("link", name="Areas").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Take the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two boroughs")
    expect(page.get_by_role("row", name="All rows")).to_contain_text("2")

    # When she proposes that they merge
    page.get_by_role("link", name="Proposals").click()
    page.get_by_label("Title").fill("WA1 and WA2 become one")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="Merge bodies").click()
    page.get_by_label("The bodies that end").fill("WA1\nwa2 borough")
    page.get_by_label("Code", exact=True).fill("WA9")
    page.get_by_label("Name, if it is new").fill("Joined Borough")
    page.get_by_label("Form, if it is new").select_option(label="Unitary council")
    for label, value in (("Day", "1"), ("Month", "4"), ("Year", "2028")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Add to the proposal").click()
    expect(page.locator("main")).to_contain_text("is succeeded by Joined Borough (WA9) on 1 April 2028")

    # Then the place can be looked at through it, on the day, and the present is as it was
    page.get_by_role("link", name="Look at the place through it").click()
    page.get_by_role("link", name="Find a body").click()
    page.get_by_label("Code or start of the name").fill("WA1")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".app-plain-list")).to_contain_text("Ended 1 April 2028")
    page.get_by_role("link", name="WA1 Borough").click()
    expect(page.locator(".app-look")).to_contain_text("WA1 and WA2 become one")
    page.get_by_role("link", name="Look without it").click()
    expect(page.locator("main")).not_to_contain_text("Joined Borough")

    # and once she has adopted it, everybody sees it
    page.get_by_role("link", name="Proposals").click()
    page.get_by_role("link", name="WA1 and WA2 become one").click()
    page.get_by_role("link", name="Adopt it").click()
    page.get_by_role("button", name="Adopt the proposal").click()
    expect(page.locator("main")).to_contain_text("Adopted")
    nurse, _ = vale.window(NURSE, java_script_enabled=False)
    nurse.goto("/place/body/WA9/?on=2028-04-01")
    expect(nurse.get_by_role("heading", level=1)).to_have_text("Joined Borough")
    expect(nurse.locator("table")).to_contain_text("Took over from WA2 Borough")
    assert watch.problems == []
    page.context.close()
    nurse.context.close()


def test_a_nurse_reads_the_directory_and_is_offered_no_change(vale: Site) -> None:
    page, watch = vale.window(NURSE, java_script_enabled=False)
    page.goto("/")
    page.get_by_role("navigation", name="Menu").get_by_role("link", name="Place").click()
    for name in ("Find a body", "Who answers", "Proposals", "Changes", "Set-up"):
        page.get_by_role("navigation", name="The directory").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Waiting")).not_to_be_visible()
    expect(page.locator("main")).to_contain_text("Only an integration lead can change this")
    assert watch.problems == []
    page.context.close()


def test_on_paper_a_body_keeps_its_history_and_its_sources_and_loses_the_navigation(vale: Site) -> None:
    page, _ = vale.window(NURSE, viewport={"width": 688, "height": 1000})
    page.goto(f"/place/body/{MERGED}/?on=2026-11-01")
    page.emulate_media(media="print")
    picture(page, "place-print")
    expect(page.locator(".app-look")).to_contain_text("You are looking at 1 November 2026")
    expect(page.locator(".app-history--wide")).to_be_visible()
    expect(page.locator(".app-history--narrow")).not_to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("Took over from")
    expect(page.locator(".app-print-foot")).to_contain_text("Printed by")
    for gone in ("The directory", "Menu"):
        expect(page.get_by_role("navigation", name=gone)).not_to_be_visible()
    expect(page.get_by_text("Look at another day")).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    page.context.close()


def test_the_picture_has_a_name_and_says_what_it_shows(vale: Site) -> None:
    page, _ = vale.window(NURSE, viewport={"width": 1280, "height": 900})
    page.goto(f"/place/body/{MERGED}/")
    drawn = page.get_by_role("img", name="The history of NHS Vale and Fen Integrated Care Board")
    expect(drawn).to_have_count(1)
    expect(drawn).to_contain_text("NHS Fen Integrated Care Board")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("img", name="The history of NHS Vale and Fen")).to_have_count(1)
    page.context.close()
