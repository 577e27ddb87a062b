"""Logging in with a passkey, in a browser with a device that makes them; and how the pages of an account look."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.pages.site import Site, Watch, log_in
from tests.pages.test_browser import fits_and_is_accessible

pytestmark = pytest.mark.browser

# Of the demonstration's users; with a passkey, a password is no longer enough for her.
WHO, BEGINS = "hal", "Records that wait for a decision"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    """A window of a browser whose device makes passkeys. They need a name: an address of numbers has none."""
    address = site.address.replace("127.0.0.1", "localhost")
    context = site.browser.new_context(base_url=address)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.watch = watch = Watch(address)
    watch.over(page)
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield page
    context.close()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def look(page: Page, name: str) -> None:
    fits_and_is_accessible(page, page.watch, name)


def leave(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    heading(page, "Log in")


def test_a_passkey_is_made_used_alone_used_after_the_password_and_removed(page: Page) -> None:
    log_in(page, WHO)
    page.goto("/account/")
    look(page, "account")
    page.get_by_role("link", name="Add a passkey").click()
    look(page, "add a passkey")
    page.get_by_label("What to call it").fill("work laptop")
    page.get_by_role("button", name="Add a passkey").click()
    heading(page, "Your printed codes")
    look(page, "printed codes")
    leave(page)
    page.get_by_role("link", name="Log in with a passkey").click()
    look(page, "log in with a passkey")
    page.get_by_role("button", name="Log in", exact=True).click()
    heading(page, BEGINS)
    leave(page)
    log_in(page, WHO)
    heading(page, "Enter your code")
    look(page, "enter your code")
    page.get_by_role("button", name="Use your passkey").click()
    heading(page, BEGINS)
    page.goto("/log-in/again/passkey/?next=/account/")
    look(page, "show that it is you")
    page.get_by_role("button", name="Use your passkey").click()
    heading(page, "Your account")
    expect(page.locator("main")).to_contain_text(re.compile(r"work laptop, added on .*, last used on"))
    look(page, "account with a passkey")
    page.get_by_role("link", name="Remove work laptop").click()
    page.get_by_role("button", name="Remove the passkey").click()
    heading(page, "Your account")
    expect(page.locator("main")).not_to_contain_text("work laptop")
    leave(page)
    page.get_by_role("link", name="Log in with a passkey").click()
    page.get_by_role("button", name="Log in", exact=True).click()
    heading(page, "Log in with a passkey")
    expect(page.get_by_role("alert").first).to_contain_text("That did not work")
    log_in(page, WHO)
    heading(page, BEGINS)


def test_a_device_that_gives_no_passkey_leads_to_words_and_no_further(site: Site) -> None:
    page, watch = site.window(WHO)
    page.goto("/account/passkeys/")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("this site has no name of its own")
    assert watch.problems == []
    page.context.close()


def test_an_app_is_offered_as_a_picture_and_as_a_key(site: Site) -> None:
    page, watch = site.window(WHO)
    page.goto("/account/app/")
    expect(page.get_by_role("img", name="The key for your app, as a picture")).to_be_visible()
    fits_and_is_accessible(page, watch, "add an app")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_role("alert")).to_contain_text("That code is not right")
    fits_and_is_accessible(page, watch, "add an app, wrong code")
    page.context.close()


def test_no_page_but_those_of_passkeys_may_run_a_script(site: Site) -> None:
    page, _ = site.window(WHO)
    for path, allowed in {
        "/account/": False,
        "/account/app/": False,
        "/account/password/": False,
        "/account/passkeys/": True,
        "/": False,
    }.items():
        answer = page.goto(path)
        assert answer is not None
        policy = answer.header_value("content-security-policy") or ""
        assert (page.locator("script").count() == 1, "script-src 'self'" in policy) == (allowed, allowed), path
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page.context.close()
