"""The list of runs, and a pull request's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.scenes import history

if TYPE_CHECKING:
    from tests.browser.conftest import Look
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer


@pytest.fixture
def rows(served: Served) -> None:
    history(served)


def test_an_empty_list_says_what_to_do(viewer: Viewer) -> None:
    viewer.open("/")
    viewer.sees("There is no run yet. Open a pull request in a repository with a .github/preflight.yaml.")
    viewer.is_accessible()


@pytest.mark.usefixtures("rows")
class TestTheList:
    def test_shows_the_newest_runs_first(self, viewer: Viewer) -> None:
        page = viewer.open("/")
        expect(page).to_have_title("Runs · Preflight")
        expect(viewer.heading()).to_have_text("Runs")
        row = page.get_by_role("row")
        expect(row).to_have_count(51)
        expect(row.nth(1).get_by_role("cell").first).to_have_text("waiting")
        expect(row.nth(2).get_by_role("cell").first).to_have_text("running")
        for word in ("passed", "failed", "cancelled"):
            expect(page.get_by_role("cell", name=word, exact=True).first).to_be_visible()
        expect(row.nth(1)).to_contain_text("1 min ago")
        viewer.keep("list")

    @pytest.mark.parametrize("script", [True, False])
    def test_is_narrowed_down(self, look: Look, script: bool) -> None:  # noqa: FBT001 - a case
        viewer = look(script=script)
        page = viewer.open("/")
        page.get_by_label("Repository").fill("acme/app")
        page.get_by_label("State").select_option(label="failed")
        page.get_by_label("Author").fill("@alice")
        page.get_by_role("button", name="Filter").click()
        page.wait_for_url("**repository=acme**")
        expect(page.get_by_role("row").nth(1)).to_be_visible()
        rows = page.get_by_role("row").all_inner_texts()[1:]
        assert all("acme/app" in row and "failed" in row and "alice" in row for row in rows)
        assert page.get_by_label("Repository").input_value() == "acme/app"
        assert page.get_by_label("State").input_value() == "failure"
        page.get_by_role("link", name="Show all").click()
        expect(page.get_by_role("row")).to_have_count(51)

    def test_is_narrowed_down_by_the_keyboard_alone(self, viewer: Viewer) -> None:
        page = viewer.open("/")
        page.get_by_label("Pipeline").focus()
        page.keyboard.type("lint")
        page.keyboard.press("Enter")
        page.wait_for_url("**pipeline=lint**")
        expect(page.get_by_role("rowheader", name="unit")).to_have_count(0)
        expect(page.get_by_role("rowheader", name="lint").first).to_be_visible()

    def test_says_why_nothing_matches(self, viewer: Viewer) -> None:
        viewer.open("/?pull=twelve")
        viewer.sees("“twelve” is not a pull request's number.")
        viewer.open("/?pull=9999")
        viewer.sees("No run matches.")

    @pytest.mark.parametrize("script", [True, False])
    def test_goes_on_with_older_runs(self, look: Look, script: bool) -> None:  # noqa: FBT001 - a case
        page = look(script=script).open("/")
        expect(page.get_by_role("link", name="Newest runs")).to_have_count(0)
        page.get_by_role("link", name="Older runs").click()
        page.wait_for_url("**after=**")
        expect(page.get_by_role("row")).to_have_count(11)
        expect(page.get_by_role("link", name="Older runs")).to_have_count(0)
        page.get_by_role("link", name="Newest runs").click()
        expect(page.get_by_role("row")).to_have_count(51)

    def test_keeps_the_filters_from_page_to_page(self, viewer: Viewer, served: Served) -> None:
        history(served, 300)
        page = viewer.open("/?repository=acme%2Fwidgets&author=alice")
        page.get_by_role("link", name="Older runs").click()
        page.wait_for_url("**after=**")
        rows = page.get_by_role("row").all_inner_texts()[1:]
        assert all("acme/widgets" in row and "alice" in row for row in rows)
        assert page.get_by_label("Repository").input_value() == "acme/widgets"

    def test_leads_to_runs_and_to_pull_requests(self, viewer: Viewer) -> None:
        page = viewer.open("/?state=success&pipeline=unit")
        page.get_by_role("link", name="unit", exact=True).first.click()
        page.wait_for_url("**/runs/*")
        expect(viewer.heading()).to_contain_text("unit")
        page.go_back()
        page.get_by_role("link", name="acme/").first.click()
        page.wait_for_url("**/pr/acme/**")
        expect(viewer.heading()).to_contain_text("Pull request #")


@pytest.mark.usefixtures("rows")
class TestAPullRequest:
    def test_shows_what_stands_now_and_all_runs_by_head(self, viewer: Viewer) -> None:
        page = viewer.open("/pr/acme/widgets/12")
        expect(viewer.heading()).to_have_text("Pull request #12")
        now = viewer.section("What stands now").get_by_role("row")
        expect(now).to_have_count(2)
        heads = viewer.section("All runs by head")
        expect(heads.get_by_role("heading", level=3)).to_have_count(2)
        expect(heads.get_by_role("heading", level=3).first).to_contain_text("newest")
        expect(page.get_by_role("link", name="Pull request on GitHub")).to_have_attribute(
            "href", "https://github.example/acme/widgets/pull/12"
        )
        viewer.keep("pull")

    def test_that_does_not_exist_is_missing(self, viewer: Viewer) -> None:
        viewer.may_fail.add(404)
        viewer.open("/pr/acme/widgets/9999")
        expect(viewer.heading()).to_have_text("There is nothing here")
