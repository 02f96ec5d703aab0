"""A run while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from bot.pages import run as run_page
from tests.browser.scenes import RUN, ends, goes_on, running

if TYPE_CHECKING:
    import pytest

    from tests.browser.conftest import Look
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer


def test_what_is_there_and_how_long_it_will_take(viewer: Viewer, served: Served) -> None:
    running(served)
    page = viewer.open(RUN)
    expect(viewer.heading()).to_have_text("unit running")
    viewer.sees("3/7 steps", "about 2 min left", "Running for", "usually 4m")
    steps = viewer.section("Steps").get_by_role("row")
    expect(steps).to_have_count(9)
    expect(steps.nth(2)).to_contain_text("running")
    expect(steps.nth(5)).to_contain_text("tries: 2")
    expect(viewer.section("Steps").get_by_role("img")).to_have_count(5)
    expect(page.locator("details[open]").filter(has_text="test_turns[150]")).to_have_count(2)
    viewer.keep("run-running")


class TestWithoutAScript:
    def test_it_is_loaded_anew(self, look: Look, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_page, "REFRESH_SECONDS", 1)
        running(served)
        viewer = look(script=False)
        viewer.open(RUN)
        goes_on(served)
        viewer.sees("4/7 steps")
        ends(served)
        expect(viewer.heading()).to_have_text("unit passed")
        expect(viewer.page.locator("meta[http-equiv=refresh]")).to_have_count(0)

    def test_nothing_is_missing(self, look: Look, served: Served) -> None:
        running(served)
        viewer = look(script=False)
        page = viewer.open(RUN)
        viewer.sees("3/7 steps")
        page.locator("#step-run-2 > summary").click()
        expect(page.locator("#step-run-2")).to_have_attribute("open", "")
