"""Every page and state in a browser: accessible, quiet, narrow, on paper and by keyboard."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.pages.site import GP, LEAD, Site, Watch, find
from tests.pages.world import (
    Resource,
    allergy,
    empty_allergy_list,
    flag,
    no_known_allergy,
    patient,
    problem,
    write_ndjson,
)

pytestmark = pytest.mark.browser

SURGERY, TRUST = "Z90001", "ZC1"
NUMBERS = ("9990003009", "9990003017")
AXE = Axe()
# `preload` would fetch the style sheets once more, which the policy of our pages refuses.
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}
DESK, PHONE, ZOOMED = (1280, 900), (390, 844), (320, 256)  # 320 is 1280 at 400 %


def people_in_every_state() -> dict[str, list[Resource]]:
    """What each sender sends: a person in each state of allergies, alerts and lines."""
    surgery = [
        *(patient("s-asserted", "Statefield", "Asserted"), no_known_allergy("s-1", "s-asserted")),
        *(patient("s-recorded", "Statefield", "Recorded"), empty_allergy_list("s-2", "s-recorded")),
        patient("s-silent", "Statefield", "Silent"),
        patient("s-withheld", "Statefield", "Withheld", number=NUMBERS[0]),
        *(patient("s-conflict", "Statefield", "Conflict", number=NUMBERS[1]), allergy("s-3", "s-conflict", "Latex")),
        *(problem(f"s-{n}", "s-withheld", f"Problem {n}", on="2026-02") for n in (5, 6)),
        patient("s-wide", "Statefield-" + "W" * 60, "Wide"),
        problem("s-7", "s-wide", "Unbrokenword" * 20, note="https://example.org/" + "a" * 200),
    ]
    trust = [
        *(patient("t-withheld", "Statefield", "Withheld", number=NUMBERS[0]),),
        *(allergy("t-1", "t-withheld", "Latex", restricted=True), flag("t-2", "t-withheld", "Hidden", restricted=True)),
        problem("t-3", "t-withheld", "Hidden", restricted=True),
        *(patient("t-conflict", "Statefield", "Conflict", number=NUMBERS[1]), no_known_allergy("t-4", "t-conflict")),
    ]
    return {SURGERY: surgery, TRUST: trust}


@pytest.fixture(scope="module")
def states(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The demonstration with people in every state taken into it."""
    folder = tmp_path_factory.mktemp("states")
    for sender, resources in people_in_every_state().items():
        taken = site.take("fhir", sender, write_ndjson(folder / f"{sender}.ndjson", resources))
        assert taken["taken"] == len(resources), taken
    return site


def go(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def search(**fields: str) -> Callable[[Page], object]:
    return lambda page: find(page, **fields)


def record(given: str, family: str = "Statefield") -> Callable[[Page], object]:
    def reach(page: Page) -> None:
        find(page, Last_name=family, First_name=given)
        page.locator(".app-found a").first.click()

    return reach


def then(first: Callable[[Page], object], link: str) -> Callable[[Page], object]:
    def reach(page: Page) -> None:
        first(page)
        page.get_by_role("link", name=link).first.click()

    return reach


def original(page: Page) -> None:
    record("Margaret", "Smith")(page)
    page.locator(".app-line .app-source a").first.click()
    page.locator("summary").click()


def refused_address(page: Page) -> None:
    page.goto("/people/0123456789abcdef0123/")


def log_in_errors(page: Page) -> None:
    page.goto("/log-in/")
    page.get_by_role("button", name="Log in", exact=True).click()


def without_token(page: Page) -> None:
    page.goto("/")
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Find", exact=True).click()


def bad_cursor(page: Page) -> None:
    record("Margaret", "Smith")(page)
    page.goto(f"{page.url}?after=words")


MARGARET = record("Margaret", "Smith")
# Name -> who is logged in, how to get there, what must stand there, the status that is expected.
STATES: dict[str, tuple[str, Callable[[Page], object], str, int]] = {
    "log in": ("", go("/log-in/"), "Log in", 200),
    "log in errors": ("", log_in_errors, "There is a problem", 200),
    "account closed": ("", go("/log-in/inactive/"), "This account has been closed", 200),
    "find": (GP, go("/"), "Find a person", 200),
    "find nothing entered": (GP, search(), "Enter an NHS number, or a last name", 200),
    "find errors": (GP, search(NHS_number="12", Day="31", Month="2", Year="1941"), "must be a real date", 200),
    "results": (GP, search(Last_name="s"), "people found", 200),
    "nobody": (GP, search(Last_name="Zzz"), "Nobody found", 200),
    "person": (GP, MARGARET, "SMITH, Margaret (Mrs)", 200),
    "asserted none": (GP, record("Asserted"), "No known allergies", 200),
    "none recorded": (GP, record("Recorded"), "None recorded", 200),
    "not received": (GP, record("Silent"), "Not received.", 200),
    "withheld": (GP, record("Withheld"), "There is something here that is not shown", 200),
    "conflict": (GP, record("Conflict"), "The records disagree.", 200),
    "wide words": (GP, record("Wide"), "Unbrokenword", 200),
    "older": (GP, then(MARGARET, "Older entries"), "Back to the newest entries", 200),
    "filter": (GP, then(MARGARET, "Social care"), "Timeline: social care", 200),
    "entry": (GP, original, "What was sent, word for word", 200),
    "looked": (GP, then(MARGARET, "Everyone who has looked"), "Who has looked at this record", 200),
    "refused": (GP, refused_address, "You cannot open this record", 403),
    "refused role": (LEAD, refused_address, "Your role does not include", 403),
    "400": (GP, bad_cursor, "We could not read that request", 400),
    "403 form": (GP, without_token, "This page was open for too long", 403),
    "404": (GP, go("/nowhere/"), "Page not found", 404),
    "log out": (GP, go("/log-out/"), "Do you want to log out?", 200),
    "accessibility": ("", go("/accessibility/"), "Accessibility statement", 200),
    "privacy": (GP, go("/privacy/"), "Who looks is recorded", 200),
    "help": (GP, go("/help/"), "Get help", 200),
}


@pytest.mark.parametrize("name", STATES)
def test_a_page_is_accessible_quiet_and_fits_its_window(states: Site, name: str) -> None:
    who, reach, says, status = STATES[name]
    page, watch = states.window(who)
    watch.expected.add(status)
    reach(page)
    expect(page.locator("main")).to_contain_text(says)
    fits_and_is_accessible(page, watch, name)
    page.context.close()


def test_the_page_of_our_own_faults_too(states: Site) -> None:
    """Given a log that cannot be written, when somebody asks who has looked."""
    page, watch = states.window(GP)
    watch.expected.add(500)
    MARGARET(page)
    states.deployment.sql(
        "CREATE TRIGGER broken BEFORE INSERT ON base_access WHEN NEW.what = 'log' "
        "BEGIN SELECT RAISE(FAIL, 'the disk is full'); END"
    )
    try:
        page.get_by_role("link", name="Everyone who has looked").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sorry, something went wrong")
        fits_and_is_accessible(page, watch, "500")
    finally:
        states.deployment.sql("DROP TRIGGER broken")
    page.context.close()


def fits_and_is_accessible(page: Page, watch: Watch, name: str) -> None:
    for width, height in (DESK, PHONE, ZOOMED):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"scrolls sideways at {width} px"
        picture(page, f"{name}-{width}")
        if width != ZOOMED[0]:
            found = AXE.run(page, options=AXE_OPTIONS)
            assert found.violations_count == 0, found.generate_report()
    assert watch.problems == []


def picture(page: Page, name: str) -> None:
    """A picture of the page, for whoever works on how pages look: JOINERY_PICTURES names the folder."""
    folder = os.environ.get("JOINERY_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name.replace(' ', '-')}.png", full_page=True)


@pytest.mark.parametrize(
    "name", ["find errors", "results", "person", "older", "entry", "looked", "refused", "403 form"]
)
def test_a_page_needs_no_javascript(states: Site, name: str) -> None:
    who, reach, says, status = STATES[name]
    page, watch = states.window(who, java_script_enabled=False)
    watch.expected.add(status)
    reach(page)
    expect(page.locator("main")).to_contain_text(says)
    assert watch.problems == []
    page.context.close()


def focused(page: Page) -> Any:
    return page.locator(":focus")


def test_a_person_is_found_and_opened_by_keyboard_alone(states: Site) -> None:
    page, _ = states.window(GP)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text("Skip to main content")
    expect(focused(page)).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.url.endswith("#maincontent")

    page.keyboard.press("Tab")
    expect(focused(page)).to_have_attribute("name", "nhs_number")
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_attribute("name", "family_name")
    page.keyboard.type("Smith")
    page.keyboard.press("Tab")
    page.keyboard.type("Margaret")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("found")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(focused(page)).to_contain_text("SMITH, Margaret")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("SMITH, Margaret")


def test_whatever_takes_the_focus_shows_it_and_is_in_sight(states: Site) -> None:
    page, _ = states.window(GP, viewport={"width": DESK[0], "height": DESK[1]})
    MARGARET(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("SMITH")
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        expect(focused(page)).to_be_in_viewport()
        look = "e => ((s) => s.outlineStyle + s.boxShadow + s.backgroundColor)(getComputedStyle(e))"
        assert focused(page).evaluate(look) != "nonenonergba(0, 0, 0, 0)"
        seen.append(focused(page).inner_text())
    assert len(seen) == 20
    assert seen.index("Log out") < seen.index("People") < seen.index("Everything") < seen.index("Health")


def test_on_paper_the_person_and_the_sources_stay_and_the_navigation_goes(states: Site) -> None:
    page, _ = states.window(GP, viewport={"width": 794, "height": 1123})
    MARGARET(page)
    page.emulate_media(media="print")
    picture(page, "print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="Allergies")).to_be_visible()
    expect(page.locator(".app-line .app-source").first).to_be_visible()
    expect(page.get_by_role("heading", name="Where this comes from")).to_be_visible()
    expect(page.locator(".app-print-foot")).to_contain_text("Printed by Tom Okafor, GP, Chelmer Road Surgery")
    expect(page.locator(".app-print-foot")).to_be_visible()
    for gone in ("Menu", "Filter the timeline", "More of the timeline"):
        expect(page.get_by_role("navigation", name=gone)).not_to_be_visible()
    for gone in ("Log out", "Skip to main content"):
        expect(page.get_by_text(gone)).not_to_be_visible()
