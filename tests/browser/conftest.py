"""A browser for the folder, the pages for each test, and whoever looks at them.

Screenshots are kept in `.preflight/screenshots/`, which git ignores, for a person to look at.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import pytest

from tests.browser import chromium
from tests.browser.serving import Served, serving
from tests.browser.viewer import SCREENSHOTS, Viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser nothing here is tried; a mark says so in few lines, a fixture once a test."""
    if chromium.is_missing():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=chromium.MISSING))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Nothing has run yet; nobody can sign in."""
    with serving(tmp_path) as served:
        yield served


class Look(Protocol):
    """Opens a browser of that kind."""

    def __call__(
        self,
        *,
        width: int = 1200,
        height: int = 800,
        script: bool = True,
        dark: bool = False,
        github: str = "",
    ) -> Viewer: ...


@pytest.fixture
def look(browser: Browser, served: Served) -> Iterator[Look]:
    """New viewers; whatever each of them did, nothing happens that no page of ours does."""
    opened: list[tuple[BrowserContext, Viewer]] = []

    def look(
        *, width: int = 1200, height: int = 800, script: bool = True, dark: bool = False, github: str = ""
    ) -> Viewer:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(chromium.PATIENCE)
        hosts = frozenset(urlsplit(url).netloc for url in (served.url, github) if url)
        viewer = Viewer(context.new_page(), served, hosts)
        opened.append((context, viewer))
        return viewer

    yield look
    for context, viewer in opened:
        try:
            viewer.settle()
        finally:
            context.close()
        viewer.is_undisturbed()


@pytest.fixture
def viewer(look: Look) -> Viewer:
    """Somebody at a desk."""
    return look()
