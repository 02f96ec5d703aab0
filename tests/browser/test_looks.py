"""On a phone, in the dark, on paper, by the keyboard, by a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from tests.browser import accessibility
from tests.browser.scenes import LOG, RUN, failed, history, running
from tests.browser.strangers import hostile
from tests.examples import REPOSITORY
from tests.pages.showing import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Look
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer

Scheme = Literal["light", "dark"]
PAGES: dict[str, tuple[Callable[[Served], object], str]] = {
    "list": (history, "/"),
    "pull": (history, "/pr/acme/widgets/12"),
    "running": (running, RUN),
    "failed": (failed, RUN),
    "log": (failed, LOG),
    "log part": (failed, f"{LOG}?from=100"),
    "search": (failed, f"{LOG}?q=assert"),
    "missing": (history, "/nothing"),
}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
EVERY_PAGE = pytest.mark.parametrize("name", PAGES)


def show(name: str, viewer: Viewer) -> Viewer:
    make, path = PAGES[name]
    make(viewer.served)
    viewer.may_fail |= {404} if name == "missing" else set()
    viewer.open(path)
    return viewer


@EVERY_PAGE
def test_is_accessible_and_fits_on_a_phone(viewer: Viewer, name: str) -> None:
    page = show(name, viewer).page
    page.locator("details").evaluate_all("(all) => all.forEach((one) => (one.open = true))")
    for width in (1200, 360, 320):
        page.set_viewport_size({"width": width, "height": 800})
        viewer.is_as_wide_as_the_screen()
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            viewer.is_accessible()


@pytest.mark.parametrize("path", [RUN, f"{RUN}/log/run~1", "/", f"/runs/{'b' * 32}"])
def test_fits_whatever_strangers_write(viewer: Viewer, path: str) -> None:
    hostile(viewer.served)
    page = viewer.open(path)
    for width in (1200, 360, 320):
        page.set_viewport_size({"width": width, "height": 800})
        viewer.is_as_wide_as_the_screen()
    viewer.is_accessible()


@pytest.mark.parametrize("name", ["running", "failed", "list", "log", "search"])
def test_on_a_phone(look: Look, name: str) -> None:
    viewer = show(name, look(width=360, height=740))
    if name in {"running", "failed"}:
        tracks = [bar.bounding_box() for bar in viewer.section("Steps").get_by_role("img").all()]
        assert len({(bar["x"], bar["width"]) for bar in tracks if bar}) == 1  # one scale for all
    viewer.keep("phone" if name == "failed" else f"phone-{name}", whole=name != "log")


@pytest.mark.parametrize("name", ["list", "failed", "log"])
def test_in_the_dark(look: Look, name: str) -> None:
    viewer = show(name, look(dark=True))
    expect(viewer.page.locator("body")).to_have_css("background-color", "rgb(13, 17, 23)")
    viewer.keep("dark" if name == "failed" else f"dark-{name}", whole=name != "log")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_row_is_readable_below_the_pointer(viewer: Viewer, scheme: Scheme) -> None:
    page = show("list", viewer).page
    page.emulate_media(color_scheme=scheme)
    for word in ("waiting", "running", "passed", "failed", "cancelled"):
        page.get_by_role("row").filter(has_text=word).first.hover()
        viewer.is_accessible()


def test_letters_may_be_twice_as_large(look: Look) -> None:
    viewer = show("failed", look(width=640, height=640))
    viewer.page.evaluate("document.documentElement.style.fontSize = '200%'")
    viewer.is_as_wide_as_the_screen()


def test_on_paper_is_all_of_it_and_no_buttons(viewer: Viewer) -> None:
    page = show("failed", viewer).page
    page.emulate_media(media="print")
    expect(page.get_by_text("The exact command that ran").first).to_be_visible()
    expect(page.get_by_text("--junitxml")).to_be_visible()
    expect(page.locator("#step-run-2").get_by_text("Whole log")).to_be_visible()
    for hidden in (page.locator("header.top"), page.locator("footer"), page.get_by_role("button").first):
        expect(hidden).to_be_hidden()
    viewer.keep("print")


@pytest.mark.parametrize("name", ["list", "failed", "log"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(viewer: Viewer, name: str) -> None:
    page = show(name, viewer).page
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    seen: list[str] = []
    while (focus := page.evaluate(accessibility.FOCUS))["what"] and len(seen) < 40:
        assert focus["outline"] >= 1, focus
        assert focus["shown"], focus
        seen.append(focus["what"])
        page.keyboard.press("Tab")
    wanted = {"list": "<select", "failed": "<summary", "log": '<input id="q"'}[name]
    assert any(wanted in what for what in seen)


def test_the_link_past_the_navigation_leads_to_the_content(viewer: Viewer) -> None:
    page = show("list", viewer).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Repository")).to_be_focused()


def test_a_step_opens_by_the_keyboard(viewer: Viewer) -> None:
    page = show("failed", viewer).page
    page.locator("#step-run-2 > summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#step-run-2")).to_have_attribute("open", "")


def test_nothing_moves_for_who_wants_it_still(viewer: Viewer) -> None:
    page = show("running", viewer).page
    icon = page.locator("svg.icon.running").first
    expect(icon).to_have_css("animation-name", "turn")
    page.emulate_media(reduced_motion="reduce")
    expect(icon).to_have_css("animation-name", "none")


@pytest.mark.parametrize("script", [True, False])
def test_a_badge_is_a_picture(look: Look, served: Served, script: bool) -> None:  # noqa: FBT001 - a case
    served.store.add(listed("unit"))
    page = look(script=script).open(f"/badge/{REPOSITORY.full_name}/unit.svg?branch=main")
    expect(page.locator("text")).to_have_text(["unit", "passing"])
