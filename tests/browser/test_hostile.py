"""Whatever strangers write, nothing of it is carried out, deceives, or leads anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.scenes import RUN
from tests.browser.strangers import hostile
from tests.pages.showing import TOKEN

if TYPE_CHECKING:
    from tests.browser.serving import Served
    from tests.browser.viewer import Viewer

ADDRESSES = (
    RUN,
    f"{RUN}/log/run~1",
    f"{RUN}/log/run~1?q=%3Cscript%3Ealert(3)%3C/script%3E",
    f"{RUN}/log/run~1?q=%3Cscript%3E&remarks=1&from=1",
    "/",
    "/?repository=%3Cscript%3Ealert(4)%3C/script%3E&pull=%22onfocus=alert(5)%20autofocus%3D%22&author=%E2%80%AE",
    f"/runs/{'b' * 32}",
)


@pytest.mark.parametrize("path", ADDRESSES)
def test_nothing_is_carried_out(viewer: Viewer, served: Served, path: str) -> None:
    hostile(served)
    page = viewer.open(path)
    expect(viewer.heading()).to_be_visible()
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, embed, [onerror], [onfocus], [style]").count() == 0
    for address in page.locator("[href]").evaluate_all("(all) => all.map((one) => one.protocol)"):
        assert address in {"http:", "https:", None}
    text = page.content()
    assert TOKEN not in text
    assert "49" not in viewer.heading().inner_text()
    assert not {"\u202e", "\u2066", "\x1b", "\x00"} & set(text)


def test_text_is_shown_as_it_was_written(viewer: Viewer, served: Served) -> None:
    hostile(served)
    viewer.open(RUN)
    viewer.sees("<script>alert(1)</script>", "{{ 7*7 }}", "<img src=x onerror=alert(1)>")
    viewer.keep("hostile")


def test_a_page_that_renews_itself_carries_out_nothing_either(viewer: Viewer, served: Served) -> None:
    hostile(served)
    one = served.store.listed[-1]
    served.store.listed = []
    viewer.stop_time()
    viewer.open("/")
    served.store.add(one)
    viewer.pass_time(10)
    viewer.sees("<script>alert(1)</script>")


@pytest.mark.parametrize(
    "path", ["/%2e%2e/%2e%2e/etc/passwd", "//evil.example/", "/runs/%00", "/pr/a/b/%F0%9F"]
)
def test_strange_addresses_lead_nowhere(viewer: Viewer, path: str) -> None:
    viewer.may_fail |= {400, 404}
    response = viewer.page.goto(viewer.served.url + path)
    assert response is not None
    assert response.status in {400, 404}
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_no_page_can_be_framed_or_loads_anything_from_elsewhere(viewer: Viewer, served: Served) -> None:
    hostile(served)
    page = viewer.open(RUN)
    outcome = page.evaluate("""() => new Promise((told) => {
      addEventListener("securitypolicyviolation", (event) => told(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "document.title = 'carried out'";
      document.body.append(script);
    })""")
    assert outcome == "script-src-elem"
    assert page.title() != "carried out"
    assert len(viewer.disturbing) > 0
    viewer.disturbing.clear()
