"""The pages of emergencies, reports and their answers in a browser: accessible, quiet and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages.site import GP, NURSE, PRIVACY_OFFICER, Site
from tests.pages.test_browser import fits_and_is_accessible, record

pytestmark = pytest.mark.browser

# Whose body was split: she is involved with nobody who came since.
OUTSIDER = "nia"


def test_from_a_refusal_to_an_answer(site: Site) -> None:
    # Given a record that is refused
    page, _ = site.window(GP)
    record("Margaret", "Smith")(page)
    address = page.url
    page.context.close()
    page, watch = site.window(OUTSIDER)
    watch.expected.add(403)
    page.goto(address)
    fits_and_is_accessible(page, watch, "privacy-refused")

    # when she opens it in an emergency, having forgotten to say why at first
    page.get_by_role("link", name=re.compile("emergency")).click()
    fits_and_is_accessible(page, watch, "privacy-emergency")
    page.get_by_role("button", name="Open the record").click()
    expect(page.locator("main")).to_contain_text("There is a problem")
    fits_and_is_accessible(page, watch, "privacy-emergency-not-said")
    page.get_by_label("serious danger").check()
    page.get_by_label("What has happened").fill("She rang and said that she is not safe " + "x" * 80)
    page.get_by_role("button", name="Open the record").click()
    expect(page.locator("main")).to_contain_text("Timeline")
    page.context.close()

    # then somebody at the record finds the look, and reports it
    page, watch = site.window(NURSE)
    page.goto(f"{address}who-has-looked/")
    fits_and_is_accessible(page, watch, "privacy-looked")
    row = page.locator("tr").filter(has_text="In an emergency").first
    row.get_by_role("link", name=re.compile("Report")).click()
    fits_and_is_accessible(page, watch, "privacy-report")
    page.get_by_label("What seems wrong?").fill("She left in spring")
    page.get_by_role("button", name="Report this look").click()
    expect(page.locator("main")).to_contain_text("You reported a look")
    fits_and_is_accessible(page, watch, "privacy-asked")
    page.context.close()

    # and who answers for privacy answers both
    page, watch = site.window(PRIVACY_OFFICER)
    page.goto("/looks/")
    fits_and_is_accessible(page, watch, "privacy-list")
    page.get_by_role("link", name=re.compile("opened in an emergency")).first.click()
    page.get_by_role("button", name="Send the answer").click()
    expect(page.locator("main")).to_contain_text("Choose what you found")
    fits_and_is_accessible(page, watch, "privacy-task")
    page.get_by_label("There was no good reason to look").check()
    page.get_by_label("Why", exact=True).fill("Nobody rang")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_role("table", name="What you have answered")).to_contain_text("no good reason")
    fits_and_is_accessible(page, watch, "privacy-answered")
    page.context.close()
