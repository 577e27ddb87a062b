"""Staff in a browser: added, invited on paper, let in, and cut off; every page accessible, quiet and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.pages.site import GP, LEAD, Site, find
from tests.pages.test_browser import fits_and_is_accessible
from tests.site.shore import today

pytestmark = pytest.mark.browser

# Of no ordinary width.
NAME = "Unbrokenword" * 6
PASSWORD = "heron ladder biscuit"  # noqa: S105 (of nobody)


@pytest.fixture
def lead(site: Site) -> Iterator[Page]:
    page, page.watch = site.window(LEAD)
    yield page
    page.context.close()


@pytest.fixture
def visitor(site: Site) -> Iterator[Page]:
    page, page.watch = site.window()
    yield page
    page.context.close()


def look(page: Page, name: str, says: str) -> None:
    expect(page.locator("main")).to_contain_text(says)
    fits_and_is_accessible(page, page.watch, f"staff-{name}")


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name).first.click()


def test_somebody_is_added_let_in_by_a_sheet_of_paper_and_cut_off(lead: Page, visitor: Page) -> None:
    lead.goto("/")
    lead.get_by_role("link", name="Staff").click()
    look(lead, "list", "Who works here")
    lead.locator("main").get_by_role("link", name="Add somebody").first.click()
    press(lead, "Add them")
    look(lead, "add errors", "Enter the name")
    lead.get_by_label("Name").fill(NAME)
    lead.get_by_label("Where they work").fill("ZC1")
    lead.get_by_label("Role").select_option("community_nurse")
    last = today() + timedelta(days=9)
    for part in ("day", "month", "year"):
        lead.get_by_label(part.title(), exact=True).fill(str(getattr(last, part)))
    press(lead, "Add them")
    look(lead, "invitation", "Print this page now")
    assert len(re.findall(rb"/Type\s*/Page\b", lead.pdf(format="A4"))) == 1
    code = lead.locator(".app-invitation__code").inner_text()
    login = lead.locator(".app-invitation li").last.locator("strong").inner_text()

    visitor.goto("/log-in/")
    visitor.get_by_role("link", name="Use your invitation").click()
    visitor.get_by_label("Code").fill("WRONG")
    press(visitor, "Continue")
    look(visitor, "code wrong", "This code is not known")
    visitor.get_by_label("Code").fill(code.lower())
    press(visitor, "Continue")
    look(visitor, "password", "Choose a password")
    for label in ("Password", "The same password again"):
        visitor.get_by_label(label, exact=True).fill(PASSWORD)
    press(visitor, "Use this password")
    look(visitor, "accepted", "You can log in now")
    press(visitor, "Log in")
    visitor.get_by_label(re.compile("e-?mail", re.IGNORECASE)).first.fill(login)
    visitor.get_by_label("Password").fill(PASSWORD)
    press(visitor, "Log in")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Find a person")

    lead.goto("/staff/")
    look(lead, "list wide", "Ends soon")
    lead.get_by_role("link", name=NAME).click()
    look(lead, "role", "It is their only role")
    press(lead, "End the role")
    expect(lead.locator("main")).not_to_contain_text(NAME)
    visitor.reload()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Log in")


def test_the_review_and_who_sees_a_record_themselves(lead: Page, site: Site) -> None:
    # Nia Bowen came long before the demonstration was made: nobody has looked at her role since.
    lead.goto("/staff/review/")
    look(lead, "review", "Nia Bowen, care co-ordinator Overdue")
    doctor, doctor.watch = site.window(GP)
    find(doctor, Last_name="Smith", Day="3", Month="3", Year="1941")
    doctor.get_by_role("link", name="SMITH, Margaret").first.click()
    doctor.get_by_role("link", name="Who sees this record themselves").click()
    press(doctor, "Invite them")
    look(doctor, "own access errors", "Choose who is invited")
    doctor.get_by_label("Somebody who acts for them").check()
    doctor.get_by_label("Their name").fill(NAME)
    doctor.get_by_label("I have made sure").check()
    press(doctor, "Invite them")
    look(doctor, "own access invitation", "Your invitation to")
    doctor.get_by_role("link", name="Done").click()
    look(doctor, "own access", "Acts for the person")
    press(doctor, f"End their access of {NAME}")
    expect(doctor.locator("main")).not_to_contain_text(NAME)
    doctor.context.close()
