"""Referrals in a browser: sent, answered and handed out without a script; every page accessible, quiet and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.pages.site import GP, LEAD, NURSE, SOCIAL_WORKER, Site, Watch
from tests.pages.test_browser import fits_and_is_accessible, focused, record

pytestmark = pytest.mark.browser

HERSELF, CO_ORDINATOR = "margaret", "sam"
# Of no ordinary width.
WIDE = "Unbrokenword" * 12


def look(page: Page, watch: Watch, name: str, says: str) -> None:
    expect(page.locator("main")).to_contain_text(says)
    fits_and_is_accessible(page, watch, f"care-{name}")


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name).first.click()


def test_a_referral_is_sent_and_answered(site: Site) -> None:
    page, watch = site.window(GP)
    record("Margaret", "Smith")(page)
    look(page, watch, "person", "What happens next")
    page.get_by_role("button", name="Refer to a service").click()
    look(page, watch, "choose", "These serve the area where the person lives")
    page.get_by_role("link", name="Urgent community response").click()
    press(page, "Check what you ask")
    look(page, watch, "refer-errors", "Choose how soon it is needed")
    page.get_by_label("Within 2 days").check()
    page.get_by_label("What do you ask for?").fill("A visit before the weekend")
    page.get_by_label("What do they need to know?").fill(WIDE)
    press(page, "Check what you ask")
    look(page, watch, "check", "Check before you send")
    press(page, "Change how soon")
    expect(page.get_by_label("Within 2 days")).to_be_checked()
    press(page, "Check what you ask")
    press(page, "Confirm and send to Urgent community response")
    look(page, watch, "sent", "Whose turn it is")
    address = page.url
    page.context.close()

    page, watch = site.window(NURSE)
    page.goto("/work/")
    look(page, watch, "work", "My work")
    page.goto(address)
    press(page, "We have seen it")
    page.get_by_role("link", name="Ask for something first").click()
    press(page, "Confirm and save")
    look(page, watch, "step-errors", "There is a problem")
    page.get_by_label("In your words").fill("Is she at home on Friday?")
    press(page, "Confirm and save")
    page.get_by_label("Write a note").fill(WIDE)
    press(page, "Send the note")
    look(page, watch, "returned", "Not read by the other side yet")
    page.context.close()

    page, watch = site.window(HERSELF)
    page.goto("/")
    page.get_by_role("link", name="See the record").click()
    look(page, watch, "own", "What you wait for")
    page.context.close()


def test_work_is_handed_out_by_keyboard_alone(site: Site) -> None:
    page, watch = site.window(CO_ORDINATOR, java_script_enabled=False)
    page.goto("/work/")
    page.get_by_role("link", name="Care transfer hub", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Care transfer hub")
    page.locator("input[name=chosen]").first.focus()
    page.keyboard.press("Space")
    page.get_by_label("Who takes those on that are ticked?").focus()
    page.keyboard.type("Farah")
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text("Save who takes them on")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Done: 1.")
    assert watch.problems == []
    page.context.close()


@pytest.mark.parametrize(
    ("who", "address", "says"),
    [
        (CO_ORDINATOR, "/work/reablement/", "How much everybody has"),
        (CO_ORDINATOR, "/work/asked/", "What you are asked to do"),
        (SOCIAL_WORKER, "/services/", "What the organisations here offer"),
        (LEAD, "/services/reablement/", "Add somebody"),
        (LEAD, "/services/reablement/change/", "Does it take referrals?"),
        (LEAD, "/services/reablement/close/", "Where does what is open go on?"),
        (LEAD, "/services/add/", "What does it do?"),
        (SOCIAL_WORKER, "/waits/", "How long people wait"),
    ],
    ids=lambda each: re.sub(r"\W+", "-", each).strip("-"),
)
def test_a_page_of_services_and_teams_is_accessible(site: Site, who: str, address: str, says: str) -> None:
    page, watch = site.window(who)
    page.goto(address)
    look(page, watch, re.sub(r"\W+", "-", address).strip("-"), says)
    page.context.close()
