"""A run that failed: all that explains why is on its page, and nobody needs to open Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.scenes import FILES, LOG, RUN, failed
from tests.browser.serving import AIRFLOW, GITHUB
from tests.examples import HEAD

if TYPE_CHECKING:
    from tests.browser.conftest import Look
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer


@pytest.fixture
def there(viewer: Viewer, served: Served) -> Viewer:
    """Somebody who followed a red status."""
    failed(served)
    viewer.open(RUN)
    return viewer


def test_says_what_failed_and_for_what(there: Viewer) -> None:
    expect(there.page).to_have_title("unit failed · acme/widgets #12 · Preflight")
    expect(there.heading()).to_have_text("unit failed")
    there.sees("lint failed: exit 1 after 11s", "1m16s (usually 1m10s)")
    there.keep("run-failed")


def test_shows_each_step_as_a_bar(there: Viewer) -> None:
    steps = there.section("Steps")
    bars = steps.get_by_role("img")
    expect(bars).to_have_count(4)
    expect(steps.get_by_role("row").nth(5)).to_contain_text("blocked")
    expect(bars.nth(1)).to_have_accessible_name("began after 13s, ended after 1m13s")
    drawn = [bar.locator("rect").nth(1).bounding_box() for bar in bars.all()]
    tracks = [bar.locator("rect").nth(0).bounding_box() for bar in bars.all()]
    assert all(drawn)
    assert all(tracks)
    spans = [
        ((bar["x"] - track["x"]) / track["width"], bar["width"] / track["width"])
        for bar, track in zip(drawn, tracks, strict=True)
        if bar and track
    ]
    assert spans == [
        pytest.approx(span, abs=0.02)
        for span in ((0, 12 / 73), (13 / 73, 60 / 73), (0, 30 / 73), (13 / 73, 57 / 73))
    ]


def test_opens_what_failed_and_folds_what_did_not(there: Viewer) -> None:
    expect(there.page.locator("details.step[open]")).to_have_count(2)
    there.page.get_by_role("link", name="types").click()
    expect(there.page.locator("#step-run-2")).to_have_attribute("open", "")
    expect(there.page.locator("#step-run-2")).to_be_in_viewport()


@pytest.mark.parametrize("script", [True, False])
def test_a_link_to_a_step_leads_there(look: Look, served: Served, script: bool) -> None:  # noqa: FBT001 - a case
    failed(served)
    viewer = look(script=script)
    viewer.open(f"{RUN}#step-run-1")
    expect(viewer.page.locator("#step-run-1")).to_be_in_viewport()
    expect(viewer.page.locator("#step-run-1")).to_have_css("outline-style", "solid")


def test_names_the_tests_that_failed(there: Viewer) -> None:
    step = there.page.locator("#step-run-1")
    tests = step.get_by_role("listitem")
    expect(step.get_by_role("heading", level=3).first).to_have_text("3 failed, 408 passed, 4 skipped")
    expect(tests.nth(0)).to_contain_text("tests/test_widget.py::test_turns")
    expect(tests.nth(0)).to_contain_text("where 359 = Widget(angle=0).turned(360)")
    expect(tests.nth(0).get_by_role("link", name="tests/test_widget.py:41")).to_have_attribute(
        "href", f"{GITHUB}/acme/widgets/blob/{HEAD}/tests/test_widget.py#L41"
    )
    there.sees("Flaky within this step", "test_answers")
    counts = there.section("Tests").get_by_role("row")
    expect(counts.nth(1)).to_have_text("unit (3.11) 3 408 4 415 48s", use_inner_text=True)


def test_shows_the_lines_that_matter_and_how_to_see_it_by_hand(there: Viewer) -> None:
    step = there.page.locator("#step-run-1")
    expect(step.get_by_role("heading", name="The lines that matter")).to_be_visible()
    expect(step).to_contain_text("FAILED tests/test_store.py::test_keeps_order - KeyError: 'b'")
    expect(step.get_by_role("heading", name="To reproduce it by hand")).to_be_visible()
    expect(step.get_by_text(f"git checkout {HEAD[:12]} && pytest -q tests").first).to_be_visible()
    expect(step.get_by_text("--junitxml")).to_be_hidden()
    step.get_by_text("The exact command that ran").click()
    expect(step.get_by_text("--junitxml")).to_be_visible()


def test_a_command_is_copied_by_a_button(there: Viewer) -> None:
    there.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lint = there.page.locator("#step-run-0")
    button = lint.get_by_role("button").first
    button.click()
    expect(button).to_have_text("Copied")
    assert there.page.evaluate("navigator.clipboard.readText()") == "ruff check ."


def test_links_to_logs_airflow_github_and_the_pull_request(there: Viewer) -> None:
    page = there.page
    expect(page.get_by_role("link", name="run in Airflow")).to_have_attribute("href", f"{AIRFLOW}/dags/checks/runs/preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~2")  # fmt: skip  # noqa: E501 - an address
    expect(page.get_by_role("link", name="acme/widgets #12")).to_have_attribute(
        "href", f"{GITHUB}/acme/widgets/pull/12"
    )
    expect(page.get_by_role("link", name="#12", exact=True)).to_have_attribute("href", "/pr/acme/widgets/12")
    page.get_by_role("link", name="Whole log of unit (3.11)").click()
    page.wait_for_url(f"**{LOG}")


def test_lists_what_it_left(there: Viewer) -> None:
    artifacts = there.section("Artifacts")
    expect(artifacts.get_by_role("link")).to_have_text(sorted(FILES))
    expect(artifacts).to_contain_text("17 kB")
    expect(artifacts).to_contain_text("2 files, 120 MB: over the limit of 100 MB")
    artifacts.get_by_role("link", name="report.html").click()
    there.sees("<script>alert(1)</script>")
    assert there.page.evaluate("document.contentType") == "text/plain"


def test_says_who_decided_what_when_and_why(there: Viewer) -> None:
    decisions = there.section("Decisions").first.get_by_role("row")
    expect(decisions).to_have_count(3)
    for text in ("2026-03-04 12:00:00 UTC", "bob", "start unit", "/retest", HEAD[:7]):
        expect(decisions.nth(1)).to_contain_text(text)
    expect(decisions.nth(1).locator("time")).to_have_attribute("title", "04/03/2026, 13:00:00")


def test_tells_flaky_tests(there: Viewer) -> None:
    flaky = there.section("Tests")
    expect(flaky).to_contain_text("tests/test_network.py::test_answers (step unit (3.11))")
    expect(flaky).to_contain_text("4 of its last 50 runs")
