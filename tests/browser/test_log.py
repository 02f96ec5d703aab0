"""A step's whole log: lines that can be linked to, searched, and watched as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from bot.pages import log as log_page
from tests.browser.scenes import LOG, failed, log_lines, running

if TYPE_CHECKING:
    from tests.browser.conftest import Look
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer

EVERY = log_page.REFRESH_SECONDS


@pytest.fixture
def step(served: Served) -> None:
    failed(served)
    served.airflow.lines = list(log_lines(400))


@pytest.mark.usefixtures("step")
class TestALine:
    @pytest.mark.parametrize("script", [True, False])
    def test_is_linked_to_and_stands_out(self, look: Look, script: bool) -> None:  # noqa: FBT001 - a case
        viewer = look(script=script)
        page = viewer.open(f"{LOG}#L120")
        line, other = page.locator("#L120"), page.locator("#L118")
        expect(line).to_be_in_viewport()
        expect(page.locator("#L112")).to_be_in_viewport()
        expect(line).to_contain_text("assert Widget().turned(360).angle == 360")
        colours = [one.evaluate("(one) => getComputedStyle(one).backgroundColor") for one in (line, other)]
        assert colours[0] != colours[1]
        if script:
            viewer.keep("log", whole=False)

    def test_is_linked_to_by_its_number(self, viewer: Viewer) -> None:
        page = viewer.open(LOG)
        page.get_by_role("link", name="Line 42", exact=True).click()
        assert page.url.endswith("#L42")
        expect(page.locator("#L42")).to_be_in_viewport()

    def test_of_another_part_is_found_by_its_address(self, viewer: Viewer, served: Served) -> None:
        served.airflow.lines = list(log_lines(5_000))
        page = viewer.open(f"{LOG}#L500")
        page.wait_for_url("**?from=480#L500")
        expect(page.locator("#L500")).to_be_in_viewport()
        page.get_by_role("link", name="Earlier lines").click()
        expect(page.locator("#L1")).to_be_visible()
        page.get_by_role("link", name="The end", exact=True).click()
        expect(page.locator("#L5000")).to_be_attached()

    def test_is_copied_without_its_number(self, viewer: Viewer) -> None:
        page = viewer.open(LOG)
        page.evaluate("getSelection().selectAllChildren(document.getElementById('log').querySelector('pre'))")
        copied = str(page.evaluate("getSelection().toString()")).splitlines()
        assert copied[:2] == [f"tests/test_widget.py::test_turns[{number}] PASSED" for number in (1, 2)]


@pytest.mark.usefixtures("step")
class TestSearch:
    @pytest.mark.parametrize("script", [True, False])
    def test_finds_lines_and_shows_what_is_around(self, look: Look, script: bool) -> None:  # noqa: FBT001 - a case
        page = look(script=script).open(LOG)
        page.get_by_role("searchbox", name="Search this log").fill("ASSERT 359")
        page.keyboard.press("Enter")
        page.wait_for_url("**?q=ASSERT+359")
        expect(page.get_by_text("1 line holds “ASSERT 359”.")).to_be_visible()
        expect(page.locator("mark")).to_have_text("assert 359")
        expect(page.locator("#log .line")).to_have_count(5)
        assert page.get_by_role("searchbox", name="Search this log").input_value() == "ASSERT 359"
        page.get_by_role("link", name="Line 121", exact=True).click()
        page.wait_for_url("**#L121")
        expect(page.locator("#L121")).to_be_in_viewport()

    def test_may_find_nothing(self, viewer: Viewer) -> None:
        page = viewer.open(f"{LOG}?q=%3Cb%3E")
        expect(page.get_by_text("0 lines hold “<b>”.")).to_be_visible()
        page.get_by_role("link", name="Whole log").click()
        expect(page.locator("#L1")).to_be_attached()


def printed(served: Served, lines: int) -> None:
    """The step has printed so many lines by now, and what was read before is forgotten."""
    served.airflow.lines = [f"line {number}." for number in range(1, lines + 1)]


@pytest.fixture
def tail(viewer: Viewer, served: Served, monkeypatch: pytest.MonkeyPatch) -> Viewer:
    """Somebody who watches a step that has printed 100 lines."""
    monkeypatch.setattr("bot.pages.logs.LIVE_SECONDS", 0)
    running(served)
    printed(served, 100)
    viewer.stop_time()
    viewer.open(LOG)
    viewer.settle()
    return viewer


class TestTheTail:
    def test_follows_what_comes(self, tail: Viewer, served: Served) -> None:
        expect(tail.page.locator("#L100")).to_be_in_viewport()
        for lines in (120, 180):
            printed(served, lines)
            tail.pass_time_until(EVERY, tail.page.locator(f"#L{lines}").count)
            expect(tail.page.locator(f"#L{lines}")).to_be_in_viewport()

    def test_stays_where_somebody_reads(self, tail: Viewer, served: Served) -> None:
        tail.page.locator("#L50").scroll_into_view_if_needed()
        before = tail.scroll()
        printed(served, 180)
        tail.pass_time_until(EVERY, tail.page.locator("#L180").count)
        assert tail.scroll() == before
        expect(tail.page.locator("#L50")).to_be_in_viewport()

    def test_stays_where_somebody_reads_though_the_first_lines_go(self, tail: Viewer, served: Served) -> None:
        page = tail.page
        printed(served, 1_100)
        tail.pass_time_until(EVERY, page.locator("#L1100").count)
        line = page.locator("#L600")
        line.evaluate("(one) => one.scrollIntoView()")
        before = line.bounding_box()
        printed(served, 1_150)
        tail.pass_time_until(EVERY, page.locator("#L1150").count)
        expect(page.locator("#L150")).not_to_be_attached()
        after = line.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(before["y"] - after["y"]) < 2

    def test_keeps_what_somebody_types_to_search_for(self, tail: Viewer, served: Served) -> None:
        search = tail.page.get_by_role("searchbox", name="Search this log")
        search.fill("line 7")
        printed(served, 120)
        tail.pass_time(EVERY)
        served.log.wait_for(LOG, 2)
        tail.settle()
        expect(search).to_have_value("line 7")
        expect(search).to_be_focused()

    def test_does_not_jump_to_the_end_from_a_line_that_a_link_led_to(
        self, tail: Viewer, served: Served
    ) -> None:
        tail.open(f"{LOG}#L10")
        tail.page.reload()
        printed(served, 150)
        tail.pass_time_until(EVERY, tail.page.locator("#L150").count)
        expect(tail.page.locator("#L10")).to_be_in_viewport()

    def test_costs_airflow_one_read_for_all_who_watch(
        self, look: Look, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.pages.logs.LIVE_SECONDS", 60)
        running(served)
        for viewer in (look(), look(), look()):
            viewer.open(LOG)
        assert served.airflow.reads == 1

    def test_comes_without_a_script_as_well(
        self, look: Look, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_page, "RELOAD_SECONDS", 1)
        monkeypatch.setattr("bot.pages.logs.LIVE_SECONDS", 0)
        running(served)
        printed(served, 5)
        page = look(script=False).open(LOG)
        expect(page.locator("#L5")).to_be_visible()
        printed(served, 6)
        expect(page.locator("#L6")).to_be_visible()
