"""The pages of who is who in a browser: accessible, quiet and narrow; and pairs decided without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.site import GP, LEAD, OFFICER, OTHER_OFFICER, Site
from tests.pages.test_browser import fits_and_is_accessible, record
from tests.pages.world import patient, write_ndjson

pytestmark = pytest.mark.browser

SURGERY, TRUST = "Z90001", "ZC1"
WIDE = "Unbrokenword" * 6


def pairs_that_wait() -> dict[str, list[dict[str, object]]]:
    """People alike in all but their NHS numbers, so that they wait; the last with a name of no ordinary width."""
    numbers = iter(("9990004714", "9990123004", "9990003009", "9990458154", "9990003017", "9990789231"))
    sent: dict[str, list[dict[str, object]]] = {SURGERY: [], TRUST: []}
    for n, family in enumerate(("Quarrier", "Pellow", WIDE)):
        for sender in sent:
            born = f"19{n + 3}0-0{n + 1}-17"
            sent[sender].append(patient(f"{sender}-{n}", family, "Morwenna", born=born, number=next(numbers)))
    return sent


@pytest.fixture(scope="module")
def waiting(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The demonstration with more pairs that wait for people."""
    folder = tmp_path_factory.mktemp("waiting")
    for sender, resources in pairs_that_wait().items():
        assert site.take("fhir", sender, write_ndjson(folder / f"{sender}.ndjson", resources))["quarantined"] == 0
    return site


def go(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def conflicts(page: Page) -> None:
    page.goto("/review/?why=numbers_conflict")


def case(page: Page) -> None:
    conflicts(page)
    page.locator("tbody a").last.click()


def not_answered(page: Page) -> None:
    case(page)
    page.get_by_role("button", name="Send and go on").click()


def then(family: str, link: str) -> Callable[[Page], object]:
    def reach(page: Page) -> None:
        record("Morwenna", family)(page)
        page.get_by_role("link", name=link).first.click()

    return reach


def compared(page: Page) -> None:
    record("Margaret", "Smith")(page)
    page.get_by_role("link", name="How we know these records are one person").click()
    for summary in page.locator("main summary").all():
        summary.click()


STATES: dict[str, tuple[str, Callable[[Page], object], str, int]] = {
    "list": (OFFICER, go("/review/"), "Records that wait for a decision", 200),
    "list of one kind": (OFFICER, conflicts, "pairs wait", 200),
    "case": (OFFICER, case, "Are these two records about one person?", 200),
    "case not answered": (OFFICER, not_answered, "There is a problem", 200),
    "case of nobody": (OFFICER, go("/review/1/2/"), "Page not found", 404),
    "refused": (LEAD, go("/review/"), "You cannot compare records", 403),
    "quality": (OFFICER, go("/review/quality/"), "So here each group has its own line", 200),
    "quality refused": (GP, go("/review/quality/"), "You cannot compare records", 403),
    "why": (GP, compared, "What came and went", 200),
    "why wide": (GP, then(WIDE[:30], "How we know"), "Kept apart", 200),
    "details": (GP, then("Quarrier", "Who says what"), "What others say instead", 200),
    "details wide": (GP, then(WIDE[:30], "Who says what"), "Unbrokenword", 200),
}


@pytest.mark.parametrize("name", STATES)
def test_a_page_is_accessible_quiet_and_fits_its_window(waiting: Site, name: str) -> None:
    who, reach, says, status = STATES[name]
    page, watch = waiting.window(who)
    watch.expected.add(status)
    reach(page)
    expect(page.locator("main")).to_contain_text(says)
    fits_and_is_accessible(page, watch, f"linking-{name}")
    page.context.close()


def test_pairs_are_decided_by_keyboard_alone_without_javascript(waiting: Site) -> None:
    # Given an officer at the first pair, with the focus on the first answer
    page, watch = waiting.window(OFFICER, java_script_enabled=False)
    conflicts(page)
    page.locator("main .nhsuk-button").press("Enter")
    first = page.url
    focused = page.locator(":focus")
    expect(focused).to_have_attribute("value", "same")

    # when she chooses with Space and sends with Enter, the next pair comes, and the focus is there already
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**last=**")
    expect(page.locator("main")).to_contain_text("Gwen Pascoe said the same person")
    expect(page.locator("main")).to_contain_text("waits for somebody else")
    expect(focused).to_have_attribute("value", "same")

    # and an arrow key chooses another answer
    second = page.url.split("?")[0]
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("value", "different")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: second not in url)
    expect(page.locator("main")).to_contain_text("They are kept apart")
    page.context.close()

    # Then somebody else joins the first pair, told of her answer only afterwards.
    other, _ = waiting.window(OTHER_OFFICER, java_script_enabled=False)
    other.goto(first)
    expect(other.locator("main")).not_to_contain_text("Gwen Pascoe")
    other.keyboard.press("Space")
    other.keyboard.press("Enter")
    other.wait_for_url("**last=**")
    expect(other.locator("main")).to_contain_text("They are one person now")
    assert watch.problems == []
    other.context.close()


def test_records_are_parted_and_put_back_on_the_page_that_explains_them(waiting: Site, tmp_path: Path) -> None:
    for sender in (SURGERY, TRUST):
        path = write_ndjson(
            tmp_path / f"{sender}.ndjson", [patient("part", "Trevorrow", "Loveday", number="9990654417")]
        )
        waiting.take("fhir", sender, path)
    page, _ = waiting.window(GP)
    record("Loveday", "Trevorrow")(page)
    address = page.url + "why/"
    page.context.close()

    page, watch = waiting.window(OFFICER)
    page.goto(address)
    page.get_by_label("2. Wexcombe Community Health").check()
    page.get_by_label("How you know").fill("The trust says that it is her cousin")
    page.get_by_role("button", name="Part these records").click()
    expect(page.get_by_role("region", name="Kept apart")).to_contain_text("Gwen Pascoe on")
    fits_and_is_accessible(page, watch, "linking-parted")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".app-record")).to_have_count(2)
    page.context.close()
