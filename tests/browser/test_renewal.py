"""Pages that renew themselves: nothing is held open, and nobody who reads is disturbed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from bot.pages import run as run_page
from tests.browser.scenes import RUN, ends, goes_on, history, running

if TYPE_CHECKING:
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer

EVERY = run_page.REFRESH_SECONDS


@pytest.fixture
def page_of_run(viewer: Viewer, served: Served) -> Viewer:
    """Somebody who opened the page of a run that runs, for whom time passes as the test says."""
    running(served)
    viewer.stop_time()
    viewer.open(RUN)
    viewer.settle()
    return viewer


class TestRenewal:
    def test_costs_nothing_while_nothing_changes(self, page_of_run: Viewer, served: Served) -> None:
        for times in range(2, 6):
            page_of_run.pass_time(EVERY)
            served.log.wait_for(RUN, times)
        first, second, *others = served.log.of(RUN)
        assert (first.status, second.status) == (200, 200)
        assert [one.status for one in others] == [304] * 3
        assert all(one.condition for one in others)

    def test_asks_once_each_time_and_holds_nothing_open(self, page_of_run: Viewer, served: Served) -> None:
        page_of_run.pass_time(EVERY - 0.1)
        assert len(served.log.of(RUN)) == 1
        for times in range(1, 4):
            page_of_run.pass_time(EVERY)
            served.log.wait_for(RUN, times + 1)
            page_of_run.settle()
            assert not served.log.under_way
            assert not page_of_run.pending

    def test_shows_what_changed(self, page_of_run: Viewer, served: Served) -> None:
        goes_on(served)
        page_of_run.pass_time(EVERY)
        expect(page_of_run.section("Steps").get_by_role("row").nth(2)).to_contain_text("succeeded")
        page_of_run.sees("4/7 steps")
        assert served.log.of(RUN)[-1].status == 200

    def test_keeps_focus_scroll_and_what_is_open(self, page_of_run: Viewer, served: Served) -> None:
        page = page_of_run.page
        types = page.locator("details", has=page.get_by_role("heading", name="types"))
        types.locator("summary").click()
        unit = page.locator("#step-run-1")
        unit.locator("summary").first.click()
        link = types.get_by_role("link", name="Whole log")
        link.focus()
        link.scroll_into_view_if_needed()
        scrolled = page_of_run.scroll()
        top = types.bounding_box()
        goes_on(served)
        page_of_run.pass_time(EVERY)
        page_of_run.sees("4/7 steps")
        expect(types).to_have_attribute("open", "")
        expect(unit).not_to_have_attribute("open", "")
        expect(link).to_be_focused()
        assert scrolled > 0
        assert page_of_run.scroll() == scrolled
        assert types.bounding_box() == top

    def test_keeps_the_focus_on_a_summary_whose_step_changed(
        self, page_of_run: Viewer, served: Served
    ) -> None:
        summary = page_of_run.page.locator("#step-run-1 > summary")
        summary.focus()
        goes_on(served)
        page_of_run.pass_time(EVERY)
        expect(summary).to_contain_text("succeeded")
        expect(summary).to_be_focused()
        expect(page_of_run.page.locator("#step-run-1")).to_have_attribute("open", "")

    def test_leaves_closed_what_was_closed(self, page_of_run: Viewer, served: Served) -> None:
        step = page_of_run.page.locator("#step-run-1")
        step.locator("summary").click()
        served.now += 20
        page_of_run.pass_time(EVERY)
        expect(step).to_contain_text("running, 1m41s")
        expect(step).not_to_have_attribute("open", "")

    def test_waits_while_text_is_marked(self, page_of_run: Viewer, served: Served) -> None:
        page = page_of_run.page
        page.evaluate("getSelection().selectAllChildren(document.querySelector('.lead'))")
        goes_on(served)
        page_of_run.pass_time(EVERY)
        served.log.wait_for(RUN, 2)
        page_of_run.settle()
        expect(page.locator(".lead")).to_contain_text("3/7 steps")
        page.evaluate("getSelection().empty()")
        page_of_run.pass_time(EVERY)
        page_of_run.sees("4/7 steps")

    def test_ends_with_the_run_which_is_announced(self, page_of_run: Viewer, served: Served) -> None:
        page = page_of_run.page
        expect(page.locator("[aria-live=polite]")).to_be_empty()
        ends(served)
        page_of_run.pass_time(EVERY)
        expect(page_of_run.heading()).to_have_text("unit passed")
        expect(page).to_have_title("unit passed · acme/widgets #12 · Preflight")
        expect(page.locator("[aria-live=polite]")).to_contain_text("unit passed")
        asked = len(served.log.asked)
        page_of_run.pass_time(20 * EVERY)
        assert len(served.log.asked) == asked

    def test_rests_while_nobody_looks(self, page_of_run: Viewer, served: Served) -> None:
        show = """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
        asked = len(served.log.asked)
        page_of_run.page.evaluate(show, True)  # noqa: FBT003 - a script's argument
        page_of_run.pass_time(10 * EVERY)
        assert len(served.log.asked) == asked
        goes_on(served)
        page_of_run.page.evaluate(show, False)  # noqa: FBT003 - likewise
        page_of_run.sees("4/7 steps")

    def test_asks_less_often_while_the_server_is_in_trouble(
        self, page_of_run: Viewer, served: Served
    ) -> None:
        page_of_run.may_fail.add(503)
        served.store.down = True
        trouble = page_of_run.page.get_by_text("This page could not be renewed")
        for times, wait in ((2, EVERY), (3, 2 * EVERY)):
            expect(trouble).to_be_hidden()
            page_of_run.pass_time(wait)
            served.log.wait_for(RUN, times)
            page_of_run.settle()
        expect(trouble).to_be_visible()
        expect(page_of_run.heading()).to_have_text("unit running")
        asked = len(served.log.asked)
        page_of_run.pass_time(3 * EVERY)
        assert len(served.log.asked) == asked
        served.store.down = False
        page_of_run.pass_time(60)
        expect(trouble).to_be_hidden()

    def test_stops_once_it_is_gone(self, page_of_run: Viewer, served: Served) -> None:
        page_of_run.may_fail.add(404)
        served.store.listed = []
        page_of_run.pass_time(EVERY)
        served.log.wait_for(RUN, 2)
        page_of_run.settle()
        asked = len(served.log.asked)
        page_of_run.pass_time(20 * EVERY)
        assert len(served.log.asked) == asked


class TestTheList:
    def test_is_renewed_but_what_is_typed_stays(self, viewer: Viewer, served: Served) -> None:
        history(served, 30)
        viewer.stop_time()
        page = viewer.open("/")
        page.get_by_label("Pipeline").fill("li")
        history(served, 55)  # now there are older ones, too
        viewer.pass_time(10)
        served.log.wait_for("/", 2)
        viewer.settle()
        expect(page.get_by_role("row")).to_have_count(31)
        expect(page.get_by_label("Pipeline")).to_be_focused()
        page.get_by_role("button", name="Filter").focus()
        viewer.pass_time(10)
        expect(page.get_by_role("row")).to_have_count(51)
        assert page.get_by_label("Pipeline").input_value() == "li"

    def test_stays_where_somebody_reads(self, viewer: Viewer, served: Served) -> None:
        history(served, 80)
        viewer.stop_time()
        page = viewer.open("/")
        link = page.get_by_role("row").nth(25).get_by_role("link").first
        address = link.get_attribute("href")
        link.evaluate("(one) => one.scrollIntoView()")
        row = page.locator(f"tr:has(a[href='{address}'])")
        before = row.bounding_box()
        served.store.listed = [
            *served.store.listed,
            *(replace(one, id=f"{n:032x}") for n, one in enumerate(served.store.listed[-3:], 9000)),
        ]
        viewer.pass_time(10)
        expect(page.get_by_role("row").nth(28).get_by_role("link").first).to_have_attribute(
            "href", str(address)
        )
        assert row.bounding_box() == pytest.approx(before, abs=1)  # a page is scrolled by whole pixels
