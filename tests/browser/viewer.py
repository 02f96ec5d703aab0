"""Somebody who looks at the pages, and sees also what pages do behind a person's back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser import accessibility
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response

    from tests.browser.serving import Served

SCREENSHOTS = Path(__file__).parents[2] / ".preflight" / "screenshots"
"""For a person to look at; git ignores them."""

_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  violated(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
"""
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of \d+ ")
_NOON = 1_772_625_600
"""Seconds: where the browser's clock stands when a test moves it."""


@dataclass
class Viewer:
    """One person's tab. `disturbing` is what must never happen, `may_fail` are expected statuses."""

    page: Page
    served: Served
    hosts: frozenset[str]
    may_fail: set[int] = field(default_factory=set)
    disturbing: list[str] = field(default_factory=list)
    pending: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        page = self.page
        page.expose_function("violated", lambda what: self.disturbing.append(f"policy: {what}"))
        page.add_init_script(_TELL_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.disturbing.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.disturbing.append(f"dialog: {dialog.message}"))
        page.on("popup", lambda popup: self.disturbing.append(f"popup: {popup.url}"))
        page.on("download", lambda file: self.disturbing.append(f"download: {file.url}"))
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("requestfinished", lambda request: self.pending.discard(request))  # noqa: PLW0108 - a builtin can't be marked as Playwright does
        page.on("requestfailed", self._failed)

    def open(self, path: str) -> Page:
        """Go there."""
        self.page.goto(self.served.url + path)
        return self.page

    def stop_time(self) -> None:
        """From the next page on, time passes when the test says so."""
        self.page.clock.install(time=_NOON)
        self.page.clock.pause_at(_NOON + 1)

    def pass_time(self, seconds: float) -> None:
        """Let it be that much later, and wait until nothing is under way."""
        self.page.clock.run_for(round(seconds * 1000))
        self.settle()

    def pass_time_until(self, seconds: float, there: Callable[[], object]) -> None:
        """Let so much time pass, again and again, until that is there."""

        def passed() -> object:
            self.pass_time(seconds)
            return there()

        wait_for(passed)

    def settle(self) -> None:
        """Wait until no request is under way, neither here nor at the server."""
        wait_for(lambda: self.page.evaluate("0") == 0 and not self.pending and not self.served.log.under_way)

    def keep(self, name: str, *, whole: bool = True) -> None:
        """Keep the whole page, or what is on the screen, for a person to look at."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole, animations="disabled")

    def section(self, name: str) -> Locator:
        """A part of the page by its name."""
        return self.page.get_by_role("region", name=name, exact=True)

    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def scroll(self) -> float:
        """How far down the page is scrolled, in pixels."""
        return float(self.page.evaluate("scrollY"))

    def is_as_wide_as_the_screen(self) -> None:
        """Nobody has to scroll sideways."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} px too wide: {self.page.evaluate(accessibility.TOO_WIDE)}"

    def is_accessible(self) -> None:
        """What a machine can say about that."""
        found = self.page.evaluate(accessibility.CHECKS)
        assert found == []

    def is_undisturbed(self) -> None:
        """Nothing happened that no page of ours does."""
        assert self.disturbing == []

    def sees(self, *texts: str) -> None:
        """The page says all that."""
        for text in texts:
            expect(self.page.locator("body")).to_contain_text(text)

    def _console(self, message: ConsoleMessage) -> None:
        told_by_status = _REFUSED.match(message.text)
        if message.type in {"error", "warning"} and not told_by_status:
            self.disturbing.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        self.pending.add(request)
        if urlsplit(request.url).netloc not in self.hosts:
            self.disturbing.append(f"left the host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.may_fail:
            self.disturbing.append(f"{response.status}: {response.url}")

    def _failed(self, request: Request) -> None:
        self.pending.discard(request)
        if request.failure != "net::ERR_ABORTED":
            self.disturbing.append(f"{request.failure}: {request.url}")
