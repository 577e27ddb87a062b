"""A served demonstration as somebody at a browser meets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request, Response

from tests.support import Deployment

PASSWORD = "wexcombe-demo-only"
GP, NURSE, SOCIAL_WORKER, LEAD, PRIVACY_OFFICER = "tom", "bronagh", "priya", "ruth", "ivy"
OFFICER, OTHER_OFFICER = "gwen", "hal"


@dataclass
class Watch:
    """What went wrong in a window that a page never needs: messages, other hosts, refused answers."""

    address: str
    expected: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", lambda message: self._console(message.text))
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, text: str) -> None:
        # Chromium reports the status of every answer from 400 on; those that are expected are no problem.
        if not any(f"status of {status}" in text for status in self.expected):
            self.problems.append(f"console: {text}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.problems.append(f"another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.problems.append(f"{response.status}: {response.url}")


@dataclass
class Site:
    """The deployment, its address, and windows onto it."""

    deployment: Deployment
    address: str
    browser: Browser
    _signed_in: dict[str, Any] = field(default_factory=dict)

    def context(self, who: str = "", **options: Any) -> BrowserContext:
        """A browser of its own; logged in as one of the demonstration's users where `who` names one."""
        state = self._session(who) if who else None
        made = self.browser.new_context(base_url=self.address, storage_state=state, **options)
        made.set_default_timeout(10_000)
        return made

    def window(self, who: str = "", **options: Any) -> tuple[Page, Watch]:
        """A page that is watched, in a browser of its own."""
        page, watch = self.context(who, **options).new_page(), Watch(self.address)
        watch.over(page)
        return page, watch

    def _session(self, who: str) -> Any:
        # Logged in once each: so many times a minute from one machine would be refused.
        if who not in self._signed_in:
            context = self.browser.new_context(base_url=self.address)
            log_in(context.new_page(), who)
            self._signed_in[who] = context.storage_state()
            context.close()
        return self._signed_in[who]

    def take(self, feed: str, sender: str, path: Path) -> dict[str, Any]:
        """`joinery take`, while the site is being served."""
        return self.deployment.json("take", "--feed", feed, "--from", sender, str(path))


def log_in(page: Page, who: str, password: str = PASSWORD) -> None:
    page.goto("/log-in/")
    page.get_by_label("Email address").fill(f"{who}@demo.example")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def find(page: Page, **fields: str) -> None:
    """Search from the find page; fields by the words of their labels, with _ for a space."""
    page.goto("/")
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    page.get_by_role("button", name="Find", exact=True).click()
